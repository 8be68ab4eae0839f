"""The tally of float32 scores against the states that it stands for, and its law once there are cells."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.foldings import Case, Shape, batch, differing, draw, folded, form, reloaded, scattered, whole
from xentcli.batch import F64, I64
from xentcli.numerics import grid
from xentcli.numerics.heap import sparse_zeros
from xentcli.plan import TALLIED, StateSet
from xentcli.states import cells, tally

SHAPE = Shape("binary", "probs", 2, 1, False, "f4", single=True)
SPEC = replace(draw(SHAPE, 1, 0).spec, top=0, confident=False)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Cells from 30 distinct scores on."""
    monkeypatch.setattr(tally, "MOST", 30)
    monkeypatch.setattr(tally, "_WAITING", 50)
    monkeypatch.setattr(tally, "_PART", 16)
    yield


def case(p: npt.ArrayLike, label: npt.ArrayLike) -> Case:
    scores = np.asarray(p, np.float32)[:, None]
    return Case(SPEC, np.asarray(label, np.int64), scores, None)


def hard(n: int, seed: int) -> Case:
    """Scores of every size down to the smallest there is, 0, 1, 1/2 and the borders of bins."""
    rng = np.random.default_rng(seed)
    kinds = [
        1 / (1 + np.exp(-rng.normal(0, 4, n))),
        np.exp(-rng.uniform(0, 103, n)),
        1 - np.exp(-rng.uniform(0, 17, n)),
        rng.integers(0, 129, n) / 128,
        rng.integers(0, 9601, n) / 9600,
        rng.choice([0.0, 1.0, 0.5, 2.0**-32, 2.0**-126, 2.0**-149, 1 - 2.0**-24], n),
    ]
    p = np.choose(rng.integers(0, len(kinds), n), kinds)
    return case(p, rng.random(n) < p)


def wide(of: Case) -> StateSet:
    """The same rows in the states themselves."""
    return whole(replace(of, spec=replace(of.spec, single=False)))


def test_other_options_take_the_states_themselves() -> None:
    assert SPEC.tallied
    assert list(StateSet.empty(SPEC).states) == ["tally", "notes"]
    for change in (
        {"weighted": True}, {"clip": 1e-9}, {"threshold": 0.4}, {"by": (("a",),)}, {"grouped": True},
        {"compat": "torch"}, {"kind": "logits"}, {"width": 2}, {"single": False},
    ):  # fmt: skip
        assert not replace(SPEC, **change).tallied


@settings(derandomize=True, deadline=None, max_examples=12)
@given(st.integers(0, 2**32), st.integers(1, 200))
def test_up_to_so_many_scores_the_states_are_the_same_bits(seed: int, n: int) -> None:
    rows = hard(n, seed)
    rows = rows if seed % 2 else case(np.repeat(rows.scores[:, 0], 13), np.repeat(rows.labels, 13))
    found, expected = whole(rows), wide(rows)
    for name in TALLIED:
        mine, theirs = getattr(found, name).to_arrays(), expected.states[name].to_arrays()
        assert all(np.array_equal(mine[key], theirs[key]) for key in theirs), name
    assert found.notes.counts == expected.notes.counts
    assert found.notes.examples == expected.notes.examples


@pytest.mark.usefixtures("few")
def test_any_cut_order_and_merge_tree_gives_the_same_cells() -> None:
    rng = np.random.default_rng(1)
    for n in (29, 200):
        rows = hard(n, n)
        expected = form(whole(rows))
        for _ in range(2):
            assert differing(form(scattered(rows, rng)), expected) == []
        assert differing(form(reloaded(whole(rows))), expected) == []
    one = folded(rows, [np.arange(20)])  # still as they are
    for other in (np.arange(20, 200), np.arange(20, 40)):
        left, right = folded(rows, [np.arange(20)]), folded(rows, [other])
        right.merge(one)
        left.merge(folded(rows, [other]))
        assert differing(form(left), form(right)) == []


@pytest.mark.usefixtures("few")
def test_windows_without_rows_are_not_there() -> None:
    """Whichever cut it was that went over to cells."""
    tiny = np.exp(-np.linspace(30, 80, 60)).astype(np.float32)
    rows = case(np.concatenate([tiny, np.zeros(60), np.ones(60)]), np.arange(180) % 2)
    expected = form(whole(rows))
    assert set(np.frombuffer(expected["tally"]["windows"][2], np.int64)) == {1, 2, 3}
    assert differing(form(folded(rows, np.array_split(np.arange(180), 9))), expected) == []
    assert differing(form(folded(rows, np.array_split(np.arange(180)[::-1], 2))), expected) == []


def exact_sums(p: F64, label: I64) -> dict[str, float]:
    """What the rows with a finite loss add up to, by the definitions and `math.fsum`."""
    out: dict[str, list[float]] = {}
    for x, y in zip(p.tolist(), label.tolist(), strict=True):
        like = x if y else 1 - x
        if like == 0:
            continue
        loss = 0.0 - (math.log(x) if y else math.log1p(-x))
        entropy = 0.0 if x in (0, 1) else -x * math.log(x) - (1 - x) * math.log1p(-x)
        brier = (x - y) ** 2
        terms = {
            "loss": loss, "loss_2": loss * loss, "entropy": entropy, "entropy_2": entropy * entropy,
            "excess_2": (loss - entropy) ** 2, "brier": brier, "brier_2": brier * brier,
            "z_var": (1 - 2 * x) ** 2 * x * (1 - x),
        }  # fmt: skip
        for name, term in terms.items():
            out.setdefault(name, []).append(term)
    return {name: math.fsum(terms) for name, terms in out.items()}


def figures(states: StateSet) -> dict[str, float]:
    """The same sums, as the states have them."""
    by_class = {name: float(states.classes.sums[name].total()) for name in ("loss", "loss_2", "brier")}
    names = ("entropy", "entropy_2", "excess_2", "brier_2", "z_var")
    return by_class | {name: float(states.moments.exact(name)) for name in names}


@pytest.mark.usefixtures("few")
def test_sums_from_cells_are_those_of_the_rows() -> None:
    rows = hard(4000, 5)
    possible = rows.only((rows.scores[:, 0] == 0) <= (rows.labels == 0))
    possible = possible.only((possible.scores[:, 0] == 1) <= (possible.labels == 1))
    states = whole(possible)
    assert states.states["tally"].coarse  # type: ignore[attr-defined]
    found = figures(states)
    for name, value in exact_sums(possible.scores[:, 0].astype(float), possible.labels).items():
        assert found[name] == pytest.approx(value, rel=4e-15), name
    by_row = wide(possible)
    z = [float(s.moments.exact("z_part")) for s in (states, by_row)]
    assert z[0] == pytest.approx(z[1], abs=1e-12)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("octave", [1, 2, 5, 11, 20, 24])
def test_where_interpolation_is_worst_it_is_as_good_as_a_row(octave: int) -> None:
    """All rows at one end or in the middle of a cell, on either side."""
    base = 2.0**-octave
    for q in (base * (1 - 2.0**-24), base * (1 - 2.0**-12), base * (1 - 2.0**-13), base * (1 - 2.0**-13.4)):
        for p in {np.float32(q), np.float32(1.0) - np.float32(q)}:
            filler = np.linspace(0.1, 0.4, 40, dtype=np.float32)
            states = whole(
                case(np.append(filler, np.full(200, p)), np.append(np.ones(40), np.arange(200) % 2))
            )
            mine = exact_sums(np.append(filler.astype(float), np.full(200, float(p))),
                              np.append(np.ones(40), np.arange(200) % 2))  # fmt: skip
            found = figures(states)
            for name, value in mine.items():
                assert found[name] == pytest.approx(value, rel=2e-15), (name, p)


@pytest.mark.usefixtures("few")
def test_rows_of_cells_lie_in_their_bins_and_ranks() -> None:
    """Around every border of 9,600, the float32 before, on and after it, on both sides."""
    edge = (np.arange(9601) / 9600).astype(np.float32)
    p = np.concatenate([edge, np.nextafter(edge, np.float32(0)), np.nextafter(edge, np.float32(1))])
    p = np.concatenate([p, np.float32(1) - p[p < 0.5]])
    rows = case(p, np.arange(p.size) % 2)
    found, expected = whole(rows), wide(rows)
    counts = found.positive.values("rows")
    assert np.array_equal(counts, expected.positive.values("rows"))
    located = grid.locate(p.astype(np.float64))[0]
    assert np.array_equal(counts, np.bincount(2 * located + rows.labels, minlength=2 * grid.CELLS))
    for name in ("offset", "variance"):
        assert np.allclose(found.positive.values(name), expected.positive.values(name), rtol=0, atol=1e-14)
    assert np.array_equal(found.confusion.values("matrix"), expected.confusion.values("matrix"))
    keys = p.astype(np.float64).view(np.int64) >> 38
    distinct, which = np.unique(keys, return_inverse=True)
    scores = found.scores
    assert scores.level == 38
    assert np.array_equal(scores.keys, distinct)
    for label, side in enumerate(scores.cells()):
        assert np.array_equal(side, np.bincount(which[rows.labels == label], minlength=distinct.size))


@pytest.mark.parametrize("seed", range(20))
def test_threads_that_share_cells_hold_what_one_does(few: None, seed: int) -> None:
    """One of two may have few scores, or none, when the other has too many."""
    n = 13 * seed + 20
    rows = hard(n, seed)
    one = StateSet.empty(SPEC)
    sets = [one, one.beside()]
    rng = np.random.default_rng(seed)
    owner = np.minimum(rng.random(n) < rng.choice([0.05, 0.5, 0.95]), 1).astype(int)
    for lo in range(0, n, 20):
        for number, states in enumerate(sets):
            which = np.flatnonzero(owner[lo : lo + 20] == number) + lo
            if which.size:
                states.fold(batch(rows, which), which.size)
    sets[1].settle()
    one.merge(sets[1])
    expected = whole(rows).states["tally"].to_arrays()
    found = one.states["tally"].to_arrays()
    assert expected.keys() == found.keys()
    assert all(np.array_equal(found[key], expected[key]) for key in expected)


def test_no_room_for_cells_is_no_memory() -> None:
    """And not an error of a file, as which the system has it."""
    with pytest.raises(MemoryError):
        sparse_zeros(1 << 57)


def test_the_quadrature_has_the_moments_of_the_rows() -> None:
    """Of one cell, by its definition."""
    rng = np.random.default_rng(3)
    held = cells.Cells(0)
    place = (np.uint32(20 << 23) + rng.integers(0, 1 << 11, 500)).astype(np.uint32)
    held.add(place)
    nodes = held.nodes(held.parts()[0])
    q = (place.astype(np.int64) + held.first).astype(np.int32).view(np.float32).astype(np.float64)
    assert nodes.rows.sum() == 500
    for power in range(4):
        mine, theirs = (nodes.weight * nodes.p**power).sum(), (q**power).sum()
        assert mine == pytest.approx(theirs, rel=1e-14)


def test_more_scores_than_are_kept_need_no_patience() -> None:
    """1.5 million distinct scores, with the real limits: figures as from the states themselves."""
    p = (np.arange(1, 1_500_001, dtype=np.float32) / np.float32(2**23)).astype(np.float32)
    label = (np.arange(p.size) % 7 == 0).astype(np.int64)
    rows = case(p, label)
    states = StateSet.empty(SPEC)
    for lo in range(0, p.size, 1 << 18):
        which = np.arange(lo, min(lo + (1 << 18), p.size))
        states.fold(batch(rows, which), which.size)
    assert states.states["tally"].coarse  # type: ignore[attr-defined]
    exact = math.fsum(np.where(label == 1, -np.log(p.astype(float)), -np.log1p(-p.astype(float))).tolist())
    assert float(states.classes.sums["loss"].total()) == pytest.approx(exact, rel=1e-14)
    assert states.nbytes < 60 << 20
