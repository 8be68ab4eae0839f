"""Sums of columns against Fractions, whatever the memory order and the cuts."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from xentcli.batch import F64
from xentcli.numerics.columns import add_columns, add_columns_exact, add_totals, beside
from xentcli.numerics.sums import ExactSums


def table(seed: int, n: int, size: int) -> F64:
    rng = np.random.default_rng(seed)
    x: F64 = rng.normal(size=(n, size)) * 10.0 ** rng.uniform(-30, 30, (n, 1))
    x[rng.random((n, size)) < 0.3] = 0.0
    return x


def exact(x: F64) -> list[Fraction]:
    return [sum((Fraction(value) for value in column.tolist()), Fraction(0)) for column in x.T]


@pytest.mark.parametrize("size", [1, 3, 70])
def test_whole_terms_are_summed_without_any_error(size: int) -> None:
    x = table(1, 400, size)
    sums = ExactSums(size)
    add_columns_exact(sums, x)
    sums.normalise()
    assert [sums.exact(i) for i in range(size)] == exact(x)


@pytest.mark.parametrize("size", [1, 3, 70])
def test_the_grid_is_within_half_a_step_a_term(size: int) -> None:
    x = table(2, 400, size)
    sums = ExactSums(size)
    add_columns(sums, x)
    sums.normalise()
    for index, expected in enumerate(exact(x)):
        assert abs(sums.exact(index) - expected) <= 400 * Fraction(1, 1 << 137)


@pytest.mark.parametrize("add", [add_columns, add_columns_exact])
def test_order_cuts_and_layout_change_no_byte(add: object) -> None:
    x, rng = table(3, 70_000, 3), np.random.default_rng(3)
    kernel = add_columns if add is add_columns else add_columns_exact
    whole, parts = ExactSums(3), ExactSums(3)
    kernel(whole, x)
    for rows in np.array_split(rng.permutation(len(x)), 5):
        other = ExactSums(3)
        kernel(other, np.asfortranarray(x[rows]))
        parts.merge(other)
    assert whole.to_array().tobytes() == parts.to_array().tobytes()


def test_totals_and_sums_beside_each_other() -> None:
    one, other = ExactSums(2), ExactSums(1)
    add_totals(one, np.array([3, -4]))
    add_totals(other, np.array([5.0]), -40)
    both = beside([one, ExactSums(1), other])
    both.normalise()
    assert [both.exact(i) for i in range(4)] == [3, -4, 0, Fraction(5, 1 << 40)]
    assert beside([ExactSums(2)]).to_array().tolist() == ExactSums(2).to_array().tolist()
