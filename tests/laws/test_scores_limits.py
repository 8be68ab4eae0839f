"""The Scores state beyond each of its limits, made small: coarser cells, tables, rows outside them.

The oracle sorts all rows at once and knows no table: the first level that leaves few enough cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xentcli.batch import F64, I64, Batch, Place, Rows, Spec
from xentcli.numerics.orderbits import order_bits
from xentcli.numerics.sums import ExactSums
from xentcli.plan import compute
from xentcli.states import scores as module
from xentcli.states import scoretable
from xentcli.states.scores import LEVELS, Scores

steady = settings(derandomize=True, deadline=None, max_examples=50)
LIMITS = [(8, 10, 32), (16, 40, 8), (64, 80, 1 << 14), (5, 6, 4), (200, 30, 64)]
"""MOST_CELLS, _PENDING and _SPAN, small enough for a hundred rows to pass each of them."""


@pytest.fixture(scope="module", params=LIMITS, ids=str)
def most(request: pytest.FixtureRequest) -> Iterator[int]:
    cells, pending, span = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_CELLS", cells)
        patch.setattr(module, "_PENDING", pending)
        patch.setattr(scoretable, "_SPAN", span)
        patch.setattr(module, "_EARLY", pending // 2)
        yield cells


def spec(weighted: bool) -> Spec:
    return Spec("binary", "logits", ("no", "yes"), 1, ("z",), weighted=weighted)


def drawn(seed: int) -> tuple[I64, F64, F64]:
    """Labels, logits and weights of up to 150 rows: few values, neighbours, or any exponent.

    No loss is beyond float64 times the square of its weight, which would be refused.
    """
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 150))
    pool = int(rng.choice([1, 4, 8, 9, 30, 1000]))
    kind = rng.integers(0, 5)
    if kind == 0:
        values = rng.normal(size=pool)
    elif kind == 1:  # neighbouring floats, in one cell of the next level or across its edge
        start = rng.choice([1.0, -2.0, 0.0, 1e-310, -3.7])
        bits = order_bits(np.array([start])).copy() + rng.integers(-50, 50, pool)
        values = _floats(bits)
    elif kind == 2:
        values = rng.choice([-1.0, 1.0], pool) * 10.0 ** rng.uniform(-300, 290, pool)
    elif kind == 3:  # close together within one cell of level 36, far apart in pairs
        values = rng.choice([1.0, 1.5, 3.0, -7.0], pool) + rng.integers(0, 40, pool) * 2.0**-45
    else:
        values = np.concatenate([rng.normal(size=pool), [np.inf, -np.inf, 0.0, -0.0, 5e-324, 1e290]])
    z = rng.choice(values, n)
    weights = 10.0 ** rng.uniform(-8, 8, n)
    return rng.integers(0, 2, n), z, weights


def _floats(bits: I64) -> F64:
    return np.where(bits < 0, bits ^ np.int64(0x7FFFFFFFFFFFFFFF), bits).view(np.float64)


def rows_of(labels: I64, z: F64, weights: F64 | None, which: I64) -> Rows:
    own = None if weights is None else weights[which]
    batch = Batch(labels[which], Place("rows", 1), (z[which],), weights=own)
    rows = compute(batch, spec(weights is not None))
    assert rows is not None
    return rows


def form(state: Scores) -> dict[str, tuple[tuple[int, ...], bytes]]:
    return {key: (array.shape, array.tobytes()) for key, array in state.to_arrays().items()}


def oracle(labels: I64, z: F64, weights: F64 | None, most: int) -> dict[str, tuple[tuple[int, ...], bytes]]:
    """The cells of all rows at the first level that leaves at most `most` of them."""
    keys = [int(bits) for bits in order_bits(z).copy()]
    steps = range(len(LEVELS))
    step = next((s for s in steps if len({k >> LEVELS[s] for k in keys}) <= most), steps[-1])
    cells = sorted({k >> LEVELS[step] for k in keys})
    place = {cell: i for i, cell in enumerate(cells)}
    sums = ExactSums(2 * len(cells))
    for i, key in enumerate(keys):
        weight = Fraction(1) if weights is None else Fraction(float(weights[i]))
        scaled = weight * 2**1074
        assert scaled.denominator == 1
        sums.add_integer(2 * place[key >> LEVELS[step]] + int(labels[i]), int(scaled), -1074)
    arrays = {"level": np.array([step]), "keys": np.array(cells, np.int64), "sums": sums.to_array()}
    return {key: (array.shape, array.tobytes()) for key, array in arrays.items()}


def built(labels: I64, z: F64, weights: F64 | None, rng: np.random.Generator) -> Scores:
    """All rows in a random order and cut, merged in a random tree, stored and loaded now and then."""
    parts = np.array_split(rng.permutation(labels.size), int(rng.integers(1, 12)))
    states = [Scores.empty(spec(weights is not None)) for _ in range(int(rng.integers(1, 5)))]
    for part in (part for part in parts if part.size):
        states[int(rng.integers(len(states)))].update(rows_of(labels, z, weights, part))
    while len(states) > 1:
        taken = states.pop(int(rng.integers(len(states))))
        if rng.random() < 0.3:
            taken = Scores.from_arrays(taken.to_arrays(), taken.spec)
        states[int(rng.integers(len(states)))].merge(taken)
    return states[0]


@steady
@given(st.integers(0, 2**32), st.booleans())
def test_cells_are_those_of_all_rows_sorted_at_once(most: int, seed: int, weighted: bool) -> None:
    labels, z, fine = drawn(seed)
    weights = fine if weighted else None
    expected = oracle(labels, z, weights, most)
    rng = np.random.default_rng(seed)
    assert form(built(labels, z, weights, rng)) == expected
    assert form(built(labels, z, weights, rng)) == expected


@steady
@given(st.integers(0, 2**32))
def test_rows_that_follow_an_open_table_are_counted_in_it_or_beside_it(most: int, seed: int) -> None:
    """The second batch meets the table that the first one opened; reading in between changes nothing."""
    labels, z, _ = drawn(seed)
    more_labels, more, _ = drawn(seed + 1)
    state = Scores.empty(spec(False))
    for _ in range(3):
        state.update(rows_of(labels, z, None, np.arange(z.size)))
        state.update(rows_of(more_labels, more, None, np.arange(more.size)))
    first = state.cells()
    state.update(rows_of(labels, z, None, np.arange(z.size)))
    state.cells()
    every = np.concatenate([z, more] * 3 + [z]), np.concatenate([labels, more_labels] * 3 + [labels])
    assert form(state) == oracle(every[1], every[0], None, most)
    assert sum(side.sum() for side in first) == 3 * (z.size + more.size)


@steady
@given(st.integers(0, 2**32), st.sampled_from(["ends", "scores"]))
def test_what_is_asked_for_first_has_all_rows(most: int, seed: int, first: str) -> None:
    labels, z, _ = drawn(seed)
    state, other = (built(labels, z, None, np.random.default_rng(seed)) for _ in range(2))
    state.update(rows_of(labels, z, None, np.arange(z.size)))
    other.update(rows_of(labels, z, None, np.arange(z.size)))
    other.sums()  # sorts what waits
    assert np.array_equal(getattr(state, first)(), getattr(other, first)(), equal_nan=True)
    assert state.scores().size == state.cells()[0].size


@steady
@given(st.integers(0, 2**32))
def test_certain_probabilities_are_counted_like_others(most: int, seed: int) -> None:
    """0 lies below every table of probabilities, 1 at its end, and both are common."""
    rng = np.random.default_rng(seed)
    values = rng.choice([0.0, 1.0, 0.25, 0.75, 2.0**-31, 1e-12, float(rng.random())], int(rng.integers(1, 6)))
    p, labels = rng.choice(values, 400), rng.integers(0, 2, 400)
    state = Scores.empty(Spec("binary", "probs", ("no", "yes"), 1, ("p",)))
    for part in np.array_split(np.arange(400), 7):
        state.add(p[part], labels[part], None)
    assert form(state) == oracle(labels, p, None, most)


def test_each_limit_is_reached(most: int) -> None:
    """Otherwise the tests above would not test what they say."""
    rng = np.random.default_rng(0)
    wide = rng.choice([-1.0, 1.0], 400) * 10.0 ** rng.uniform(-300, 300, 400)
    labels = rng.integers(0, 2, 400)
    state = Scores.empty(spec(False))
    opened = outside = False
    for part in np.array_split(np.arange(400), 80):
        state.update(rows_of(labels, wide, None, part))
        opened = opened or state._table is not None
        outside = outside or (state._table is not None and bool(state._pending))
    assert opened
    assert outside
    assert state.to_arrays()["level"].tolist() != [0]


def test_level_zero_figures_say_they_are_exact_and_coarser_ones_do_not(most: int) -> None:
    few = Scores.empty(spec(False))
    few.update(rows_of(np.array([0, 1, 1]), np.array([0.1, 0.2, 0.3]), None, np.arange(3)))
    few.cells()
    assert few.level == 0
    many = Scores.empty(spec(False))
    z = np.linspace(-5, 5, 2 * most + 50)
    many.update(rows_of(np.zeros(z.size, np.int64), z, None, np.arange(z.size)))
    many.cells()
    assert many.level > 0


@pytest.mark.parametrize("z", [[0.0, -0.0], [-0.0, 0.0]])
def test_both_zeros_are_one_score(z: list[float]) -> None:
    state = Scores.empty(spec(False))
    state.update(rows_of(np.array([0, 1]), np.array(z), None, np.arange(2)))
    assert [side.tolist() for side in state.cells()] == [[1.0], [1.0]]


def test_order_bits_order_as_the_scores_do() -> None:
    rng = np.random.default_rng(1)
    z = np.sort(np.concatenate([rng.normal(size=200), [np.inf, -np.inf, 5e-324, -5e-324, 0.0]]))
    assert (np.diff(order_bits(z).copy()) > 0).all()
