"""Exact sums: what is added, by every road."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from xentcli.numerics.gridtotals import grid_totals
from xentcli.numerics.sums import F64, GRID_LIMIT, I64, ExactSums

GRID, KEYED_GRID = 143, 136
LARGEST = 1.7976931348623157e308
SMALLEST = 5e-324

steady = settings(derandomize=True, deadline=None, max_examples=60)

finite = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=True)
small = st.floats(min_value=-4095.999, max_value=4095.999, allow_subnormal=True)
halfway = st.builds(math.ldexp, st.integers(-(2**53), 2**53), st.sampled_from([-92, -137, -144]))
below_limit = math.nextafter(4096.0, 0.0)
extremes = [
    SMALLEST,
    2.0**-1022,
    1e-300,
    2.0**-144,
    2.0**-136,
    2.0**-92,
    2.0**-46,
    2.0**-39,
    0.1,
    1 / 3,
    below_limit,
    4096.0,
]
edge = st.sampled_from([0.0, -0.0, *(s * x for x in (*extremes, 1e300, LARGEST) for s in (1, -1))])
anything = st.one_of(finite, small, halfway, edge)
terms = st.lists(anything, max_size=40)


def floats(values: list[float]) -> F64:
    return np.array(values, np.float64)


def keys_of(values: list[int]) -> I64:
    return np.array(values, np.int64)


def on_grid(x: float, bits: int = GRID) -> Fraction:
    """x rounded to the nearest multiple of 2**-bits, ties to even."""
    return Fraction(round(Fraction(x) * 2**bits), 2**bits)


def as_added(x: float, bits: int = GRID) -> Fraction:
    """What `add` is documented to add for x."""
    return on_grid(x, bits) if abs(x) < GRID_LIMIT else Fraction(x)


def exactly(values: list[float]) -> Fraction:
    return sum((Fraction(x) for x in values), Fraction(0))


def one(values: list[float]) -> ExactSums:
    """One sum of the values, taken whole."""
    out = ExactSums(1)
    out.add_exact(0, floats(values))
    return out


def form(sums: ExactSums) -> tuple[tuple[int, ...], bytes]:
    array = sums.to_array()
    assert array.dtype == np.int64
    return array.shape, array.tobytes()


@steady
@given(terms)
@example([LARGEST, SMALLEST, -LARGEST])
@example([SMALLEST] * 3)
@example([1e300, 1.0, -1e300, 1e-300])
def test_the_exact_road_adds_every_finite_value_whole(values: list[float]) -> None:
    assert one(values).exact() == exactly(values)


@steady
@given(st.lists(st.one_of(small, halfway), max_size=40))
@example([2.0**-144, 3 * 2.0**-144, -(2.0**-144), 5 * 2.0**-144])
@example([2.0**-39, 2.0**-39 + 2.0**-91])
@example([2.0**-40 + 2.0**-92, 1000.0])
@example([math.nextafter(4096.0, 0.0)] * 3)
def test_one_sum_on_the_grid_road_is_the_sum_of_terms_rounded_to_even(values: list[float]) -> None:
    out = ExactSums(1)
    out.add(0, floats(values))
    assert out.exact() == sum((on_grid(x) for x in values), Fraction(0))


@steady
@given(terms)
def test_add_sends_each_term_down_its_own_road(values: list[float]) -> None:
    out = ExactSums(1)
    out.add(0, floats(values))
    assert out.exact() == sum((as_added(x) for x in values), Fraction(0))


@steady
@given(st.lists(st.tuples(st.integers(0, 2), anything), max_size=40), st.sampled_from([3, 1000]))
@example([(0, 2.0**-46 + 2.0**-98), (1, 3.0)], 3)
@example([(0, 2.0**-137), (1, 3 * 2.0**-137), (2, -3 * 2.0**-137)], 3)
def test_keyed_sums_are_the_sums_of_each_key(pairs: list[tuple[int, float]], size: int) -> None:
    keys, values = keys_of([k for k, _ in pairs]), floats([x for _, x in pairs])
    rounded, whole = ExactSums(size), ExactSums(size)
    rounded.add(keys, values)
    whole.add_exact(keys, values)
    for key in range(3):
        own = [x for k, x in pairs if k == key]
        assert rounded.exact(key) == sum((as_added(x, KEYED_GRID) for x in own), Fraction(0))
        assert whole.exact(key) == exactly(own)
    assert rounded.total() == sum((as_added(x, KEYED_GRID) for _, x in pairs), Fraction(0))
    assert whole.total() == exactly([x for _, x in pairs])


@steady
@given(st.lists(st.tuples(st.integers(0, 1), anything), max_size=40))
@example([(0, 3.7e-40), (1, -5.1e-41), (1, 2.9e-21), (0, 2.0**-137), (1, 3 * 2.0**-137)])
def test_two_keyed_sums_are_rounded_as_more_are(pairs: list[tuple[int, float]]) -> None:
    """Keys are met as rows come, so that two are all there are for a while."""
    out = ExactSums(2)
    out.add(keys_of([k for k, _ in pairs]), floats([x for _, x in pairs]))
    for key in range(2):
        assert out.exact(key) == sum((as_added(x, KEYED_GRID) for k, x in pairs if k == key), Fraction(0))


@pytest.mark.parametrize("n", [2047, 2048, 2049, 4096, 5000])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_runs_of_the_largest_grid_terms_do_not_wrap(n: int, sign: float) -> None:
    x = sign * math.nextafter(4096.0, 0.0)
    out = ExactSums(1)
    out.add(0, np.full(n, x))
    assert out.exact() == n * on_grid(x)


def test_many_keyed_terms_of_the_largest_size_stay_exact() -> None:
    n = (1 << 17) + 3
    x = math.nextafter(4096.0, 0.0)
    keyed = ExactSums(2)
    keyed.add(np.zeros(n, np.int64), np.full(n, x))
    assert keyed.exact(0) == n * on_grid(x)
    assert keyed.exact(1) == 0


def test_more_than_a_million_exact_terms_under_one_key_stay_exact() -> None:
    n = (1 << 20) + 5
    x = 2.0**32 - 2.0**-20
    whole = ExactSums(1)
    whole.add_exact(0, np.full(n, x))
    assert whole.exact() == n * Fraction(x)


def test_grid_totals_are_whole_multiples_of_their_exponents() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=3000) * 10.0 ** rng.uniform(-40, 2, 3000)
    total = sum(Fraction(value) * Fraction(2) ** exponent for value, exponent in grid_totals(x))
    assert total == sum((on_grid(v) for v in x.tolist()), Fraction(0))


@steady
@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0.0, 1.0)), max_size=40))
@example([(0, 1.0), (0, 2.0**-73), (1, 3 * 2.0**-73), (1, 1 - 2.0**-53), (2, SMALLEST)])
def test_shares_are_rounded_to_their_own_grid(pairs: list[tuple[int, float]]) -> None:
    out = ExactSums(3)
    out.add_shares(keys_of([k for k, _ in pairs]), floats([x for _, x in pairs]))
    for key in range(3):
        rounded = [Fraction(round(Fraction(x) * 2**72), 2**72) for k, x in pairs if k == key]
        assert out.exact(key) == sum(rounded, Fraction(0))


def test_many_shares_of_one_stay_exact() -> None:
    n = (1 << 17) + 3
    out = ExactSums(2)
    out.add_shares(np.zeros(n, np.int64), np.full(n, math.nextafter(1.0, 0.0)))
    assert out.exact(0) == n * Fraction(math.nextafter(1.0, 0.0))


@steady
@given(st.lists(st.integers(0, 9), max_size=60), st.sampled_from([10, 1000]))
def test_counts_are_counts(keys: list[int], size: int) -> None:
    out = ExactSums(size)
    out.add_counts(keys_of(keys))
    out.add_counts(keys_of(keys))
    counted = Counter(keys)
    assert [out.exact(k) for k in range(10)] == [2 * counted[k] for k in range(10)]


@steady
@given(st.lists(st.tuples(st.integers(-(2**2100), 2**2100), st.integers(-1074, 900)), max_size=8))
def test_integers_of_any_size_are_added_exactly(pairs: list[tuple[int, int]]) -> None:
    out = ExactSums(2)
    for value, exponent in pairs:
        out.add_integer(1, value, exponent)
    assert out.exact(1) == sum((v * Fraction(2) ** e for v, e in pairs), Fraction(0))
    assert out.exact(0) == 0
