"""The one law of every state: any cut, order and merge tree of the same rows gives the same bytes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.foldings import (
    SHAPES,
    Case,
    Shape,
    batch,
    differing,
    draw,
    folded,
    form,
    reloaded,
    scattered,
    whole,
)
from xentcli.plan import STATES, StateSet, compute, needed

steady = settings(derandomize=True, deadline=None, max_examples=3)
seeds = st.integers(0, 2**32)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def test_these_shapes_exercise_every_registered_state() -> None:
    exercised = {name for shape in SHAPES for name in needed(draw(shape, 1, 0).spec)}
    # tests/test_slices.py, tests/test_slices_grouped.py, tests/peers/test_cleanlab.py
    elsewhere = {"slices", "clusters", "clustercells", "sliceclusters", "suspects"}
    elsewhere |= {"clustertop", "clusterclasswise", "clusterlabels"}  # tests/metrics/test_clusters.py
    assert exercised | elsewhere == set(STATES)


@every_shape
@steady
@given(seeds, st.integers(2, 24))
def test_any_cut_order_and_merge_tree_gives_the_same_bytes(shape: Shape, seed: int, n: int) -> None:
    case = draw(shape, n, seed)
    expected = whole(case)
    found = scattered(case, np.random.default_rng(seed))
    assert differing(form(found), form(expected)) == []
    assert (found.read, found.ignored, found.skipped) == (n, 0, {})


@every_shape
def test_one_row_at_a_time_gives_the_bytes_of_one_batch(shape: Shape) -> None:
    case = draw(shape, 12, 1)
    single = folded(case, [np.array([i]) for i in range(case.size)])
    assert differing(form(single), form(whole(case))) == []


def _of_several_blocks(shape: Shape) -> bool:
    several = shape.task in ("soft", "multilabel") and shape.width == 3 and shape.training is None
    return several or shape.width in (10, 70)


@pytest.mark.parametrize("shape", [*filter(_of_several_blocks, SHAPES)], ids=str)
def test_cuts_across_the_blocks_of_a_kernel_change_nothing(shape: Shape) -> None:
    """A kernel works on 32,768 values at a time: several blocks, and a last one of a single row."""
    case = draw(shape, 2 * (32768 // shape.width) + 1, 2)
    rng = np.random.default_rng(2)
    expected = form(whole(case))
    order = rng.permutation(case.size)
    assert differing(form(folded(case, np.array_split(order, 7))), expected) == []
    assert differing(form(folded(case, [order[:-1], order[-1:]])), expected) == []


@pytest.mark.parametrize(("kind", "width"), [("logits", 3), ("probs", 10)])
def test_rows_of_large_batches_are_put_in_order_and_change_nothing(kind: str, width: int) -> None:
    """Histograms are taken of fewer rows, runs of more."""
    case = draw(Shape("multiclass", kind, width, width, False), 40_000, 4)
    rows = compute(batch(case, np.arange(case.size)), case.spec)
    assert rows is not None and rows.ordered(case.spec) is not None
    assert differing(form(folded(case, np.array_split(np.arange(case.size), 7))), form(whole(case))) == []


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("width", [1, 2])
def test_batches_beyond_the_largest_inner_step_change_nothing(width: int, weighted: bool) -> None:
    """Keyed sums take 65,536 rows a step."""
    shape = Shape("binary", "probs", 2, width, weighted)
    case = draw(shape, (1 << 16) + 3, 3)
    order = np.random.default_rng(3).permutation(case.size)
    found = folded(case, [order[:11], order[11:40_000], order[40_000:]])
    assert differing(form(found), form(whole(case))) == []


@every_shape
def test_the_empty_set_is_the_identity_of_merge(shape: Shape) -> None:
    case = draw(shape, 30, 4)
    expected = form(whole(case))
    left, right = whole(case), StateSet.empty(case.spec)
    left.merge(StateSet.empty(case.spec))
    right.merge(whole(case))
    assert differing(form(left), expected) == []
    assert differing(form(right), expected) == []
    nothing = StateSet.empty(case.spec)
    nothing.merge(StateSet.empty(case.spec))
    nothing.fold(batch(case, np.arange(0)), 0)
    assert differing(form(nothing), form(StateSet.empty(case.spec))) == []


@every_shape
def test_merging_changes_only_the_state_that_it_is_asked_of(shape: Shape) -> None:
    case = draw(shape, 30, 5)
    half = [np.arange(15), np.arange(15, 30)]
    other = folded(case, half[1:])
    before = form(other)
    for start in (folded(case, half[:1]), StateSet.empty(case.spec)):
        start.merge(other)
        start.merge(other)
        start.fold(batch(case, half[0]), 15)
        form(start)
        assert differing(form(other), before) == []


@every_shape
@pytest.mark.parametrize("n", [0, 23])
def test_loading_what_was_stored_gives_the_same_bytes(shape: Shape, n: int) -> None:
    case = draw(shape, n + 5, n)
    first, last = np.arange(n), np.arange(n, n + 5)
    states = folded(case, [first])
    loaded = reloaded(states)
    assert differing(form(loaded), form(states)) == []
    loaded.fold(batch(case, last), 5)
    loaded.merge(reloaded(folded(case, [last])))
    straight = folded(case, [last, first, last])
    assert differing(form(loaded), form(straight)) == []


@every_shape
def test_the_memory_layout_of_the_scores_changes_nothing(shape: Shape) -> None:
    case = draw(shape, 50, 6)
    order = np.random.default_rng(6).permutation(case.size)
    expected = form(whole(case, "matrix"))
    for layout in ("columns", "fortran", "strided"):
        assert differing(form(folded(case, [order[:1], order[1:]], layout)), expected) == [], layout


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("shape", [s for s in SHAPES if s.stored == "f8" and s.training is None], ids=str)
def test_narrow_scores_obey_the_law_too(shape: Shape, dtype: type[np.floating]) -> None:
    stored = "f4" if dtype is np.float32 else "f2"
    case = draw(shape, 60, 7)
    with np.errstate(over="ignore", under="ignore"):
        narrow = _sound(replace(case, scores=case.scores.astype(dtype)), stored)
    order = np.random.default_rng(7).permutation(narrow.size)
    expected = form(whole(narrow))
    for layout in ("columns", "fortran"):
        assert differing(form(folded(narrow, [order[:1], order[1:]], layout)), expected) == [], layout


def _sound(case: Case, stored: str) -> Case:
    """The rows whose sum survives rounding to a narrow type, for wide rows of float16."""
    spec = replace(case.spec, stored=stored)
    if spec.kind == "logits" or spec.width == 1 or spec.task == "multilabel":
        return replace(case, spec=spec)
    wide = case.scores.astype(np.float64)
    sums = (wide if spec.kind == "probs" else np.exp(wide)).sum(axis=1)
    good = np.abs(sums - 1) < 0.009
    assert good.sum() >= 30
    return replace(case.only(good), spec=spec)


@pytest.mark.parametrize("skip_bad", [False, True])
@pytest.mark.parametrize("shape", [s for s in SHAPES if s.stored == "f8" and s.training is None], ids=str)
def test_options_do_not_break_the_law(shape: Shape, skip_bad: bool) -> None:
    """Those that change a row by itself all at once, and rows left out."""
    case = draw(shape, 40, 8)
    scores = case.scores.copy()
    if skip_bad:
        scores[np.random.default_rng(8).random(40) < 0.3, 0] = np.nan
        spec = replace(case.spec, skip_bad=True)
    else:
        spec = replace(case.spec, clip=1e-6, renormalize=True, threshold=0.3)
    changed = replace(case, spec=spec, scores=scores)
    expected = whole(changed)
    found = scattered(changed, np.random.default_rng(9))
    assert differing(form(found), form(expected)) == []
    assert found.skipped == expected.skipped
    if skip_bad:
        assert expected.skipped == {"score_nan": int(np.isnan(scores).any(axis=1).sum())}
    assert found.read == expected.read == 40
