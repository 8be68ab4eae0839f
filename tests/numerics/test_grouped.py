"""Sums of rows in order are those of the same rows as they come, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.numerics.test_sums import anything, form
from xentcli.numerics.grouped import Order, add_ordered, add_ordered_shares, add_sorted, ordered
from xentcli.numerics.sums import ExactSums

steady = settings(derandomize=True, deadline=None, max_examples=60)


def check(order: Order, keys: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    """Every row once, in the order of the keys, in runs of one key."""
    assert sorted(order.rows.tolist()) == list(range(keys.size))
    assert keys[order.rows].tolist() == sorted(keys.tolist())
    assert order.lengths.sum() == keys.size and order.lengths.max(initial=0) <= 2048
    assert np.repeat(order.keys, order.lengths).tolist() == sorted(keys.tolist())
    assert order.starts.tolist() == (np.cumsum(order.lengths) - order.lengths).tolist()


@pytest.mark.parametrize(
    ("n", "size"), [(0, 3), (1, 1), (2, 5), (2048, 1), (5000, 4), (3000, 1 << 16), (70_000, 1 << 40)]
)
def test_rows_come_in_the_order_of_their_keys(n: int, size: int) -> None:
    keys = np.random.default_rng(n).integers(0, size, n)
    check(ordered(keys, size, "test"), keys)


@steady
@given(st.lists(st.tuples(st.integers(0, 4), anything), min_size=1, max_size=40))
@example([(0, 2.0**-39), (0, 2.0**-39 + 2.0**-91), (2, 2.0**-40), (2, 4096.0), (4, -1.0), (1, 0.0)])
def test_sums_in_order_are_those_of_add(pairs: list[tuple[int, float]]) -> None:
    keys, x = np.array([k for k, _ in pairs]), np.array([x for _, x in pairs], np.float64)
    expected, found = ExactSums(5), ExactSums(5)
    expected.add(keys, x)
    add_ordered(found, ordered(keys, 5, "test"), keys, x)
    assert form(found) == form(expected)


@pytest.mark.parametrize("largest", [False, True])
def test_many_rows_of_one_key_do_not_wrap(largest: bool) -> None:
    rng = np.random.default_rng(0)
    keys = rng.integers(0, 3, 10_000) * 2
    x = np.full(keys.size, np.nextafter(4096.0, 0.0)) if largest else rng.exponential(2.0, keys.size)
    order = ordered(keys, 5, "test")
    expected, found = ExactSums(5), ExactSums(5)
    expected.add(keys, x)
    add_ordered(found, order, keys, x)
    assert form(found) == form(expected)
    expected.add_counts(keys)
    found.add_counts(order.keys, order.lengths)
    assert form(found) == form(expected)


def test_shares_in_order_are_those_of_add_shares() -> None:
    rng = np.random.default_rng(1)
    keys = rng.integers(0, 40, 10_000)
    p = np.concatenate([rng.random(9_990), [0.0, 1.0, 5e-324, 2.0**-37, 2.0**-73, 3 * 2.0**-73, 0.5, 0.5,
                                            np.nextafter(1.0, 0.0), 2.0**-72]])  # fmt: skip
    order = ordered(keys, 40, "test")
    expected, found = ExactSums(40), ExactSums(40)
    expected.add_shares(keys, p)
    add_ordered_shares(found, order, order.keys, p)
    assert form(found) == form(expected)


@pytest.mark.parametrize("n", [0, 5, 20_000])
def test_counts_of_sorted_keys_are_those_of_add_counts(n: int) -> None:
    keys = np.random.default_rng(2).integers(1, 12, n)
    expected, found = ExactSums(12), ExactSums(12)
    expected.add_counts(keys - 1)
    add_sorted(found, keys, -1)
    assert form(found) == form(expected)
