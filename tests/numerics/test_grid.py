"""The cells of `numerics.grid` against a direct comparison with correctly rounded edges."""

from __future__ import annotations

import bisect
import math
from fractions import Fraction

import numpy as np
import pytest

from xentcli.numerics import grid
from xentcli.numerics.sums import F64, I64

DIVISORS = [m for m in range(1, grid.EDGES + 1) if grid.EDGES % m == 0]
FEW = [1, 2, 3, 10, 15, 20, 32, 100, 1600, 4800]


def edges(bins: int) -> list[float]:
    """j/M for j = 0 … M, each rounded once from the rational number."""
    return [float(Fraction(j, bins)) for j in range(bins + 1)]


def around(values: list[float]) -> list[float]:
    """The values and their neighbours on both sides, within [0, 1]."""
    near = [math.nextafter(x, side) for x in values for side in (0.0, 1.0)]
    return [x for x in (*values, *near) if 0.0 <= x <= 1.0]


def written() -> list[float]:
    """Scores as people write them, and the values that look least like them."""
    short = [k / 100 for k in range(101)] + [k / 1000 for k in range(1001)]
    tiny = [0.0, 5e-324, 1e-310, 2.0**-1022, 1e-300, 1e-17, 1.0, math.nextafter(1.0, 0.0)]
    halfway = [float(Fraction(2 * k + 1, 2 * grid.EDGES)) for k in range(0, grid.EDGES, 7)]
    return around(short) + tiny + around(halfway)


def adversarial(bins: int) -> F64:
    rng = np.random.default_rng(bins)
    dense = around(edges(bins))
    return np.array(dense + written() + rng.random(500).tolist(), np.float64)


def direct(p: F64, bins: int, closed: str) -> I64:
    """The bin of each p by comparing it with every edge."""
    find = bisect.bisect_left if closed == "right" else bisect.bisect_right
    limits = edges(bins)
    return np.array([min(max(find(limits, x) - 1, 0), bins - 1) for x in p.tolist()], np.int64)


def cells(p: F64) -> I64:
    return np.array(grid.locate(p)[0])


@pytest.mark.parametrize("closed", ["right", "left"])
def test_every_number_of_bins_agrees_with_direct_comparison(closed: str) -> None:
    for bins in DIVISORS:
        p = adversarial(bins)
        found = grid.bin_of_cell(bins, closed)[cells(p)]
        wrong = np.flatnonzero(found != direct(p, bins, closed))
        assert not wrong.size, (bins, p[wrong[:3]].tolist())


@pytest.mark.parametrize("bins", FEW)
def test_a_written_edge_lies_in_the_bin_it_closes(bins: int) -> None:
    p = np.array(edges(bins))
    right = grid.bin_of_cell(bins)[cells(p)].tolist()
    left = grid.bin_of_cell(bins, "left")[cells(p)].tolist()
    assert right == [0, *range(bins)]
    assert left == [*range(bins), bins - 1]


@pytest.mark.parametrize("bins", FEW)
def test_mirrored_bins_are_those_of_one_minus_p(bins: int) -> None:
    """p that is a rounded k/4800 stands for k/4800, any other p for itself; 1 - p is then exact."""
    meant = {float(Fraction(k, grid.EDGES)): Fraction(k, grid.EDGES) for k in range(grid.EDGES + 1)}
    p = adversarial(10)
    mirrored = grid.bin_of_cell(bins)[::-1][cells(p)]
    upright = grid.bin_of_cell(bins)[cells(p)]
    for value, there, here in zip(p.tolist(), mirrored.tolist(), upright.tolist(), strict=True):
        exact = meant.get(value, Fraction(value))
        assert here == min(max(math.ceil(exact * bins) - 1, 0), bins - 1), value
        assert there == min(max(math.ceil((1 - exact) * bins) - 1, 0), bins - 1), value


@pytest.mark.parametrize("bins", FEW)
def test_offsets_are_exact_and_small(bins: int) -> None:
    p = adversarial(bins)
    index, offset = (np.array(array) for array in grid.locate(p))
    edge = grid.edge_of_cell()[index]
    assert (np.abs(offset) <= 1 / 9600 + 1e-15).all()
    for value, near, rest in zip(p.tolist(), edge.tolist(), offset.tolist(), strict=True):
        assert Fraction(near) + Fraction(rest) == Fraction(value)


def test_the_cell_says_on_which_side_of_its_edge_p_lies() -> None:
    p = adversarial(4800)
    index, offset = (np.array(array) for array in grid.locate(p))
    side = index - 3 * ((index + 1) // 3)
    assert (side == np.sign(offset)).all()
    assert index.min() == 0
    assert index.max() == grid.CELLS - 1


def test_cells_are_in_the_order_of_p() -> None:
    p = np.sort(adversarial(4800))
    assert (np.diff(cells(p)) >= 0).all()


@pytest.mark.parametrize("bins", [0, -1, 7, 4801, 9600])
def test_bins_that_do_not_divide_the_grid_are_refused(bins: int) -> None:
    with pytest.raises(ValueError, match="does not divide"):
        grid.bin_of_cell(bins)
