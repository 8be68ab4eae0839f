"""The confusion state with many classes, made small: pairs that occur, and too many of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.foldings import Case, Form, Shape, differing, draw, folded, form, reloaded, scattered, whole
from xentcli.metrics import perclass
from xentcli.metrics.known import Known
from xentcli.numerics import leaves
from xentcli.states import confusion as module

steady = settings(derandomize=True, deadline=None, max_examples=15)
SHAPE = Shape("multiclass", "probs", 7, 7, False)
WEIGHTED = Shape("multiclass", "probs", 7, 7, True)
seeds = st.integers(0, 2**32)
shapes = pytest.mark.parametrize("shape", [SHAPE, WEIGHTED], ids=str)


@pytest.fixture(scope="module", params=[3, 10, 1000])
def most(request: pytest.FixtureRequest) -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "DENSE_UP_TO", 6)
        patch.setattr(module, "MOST_PAIRS", request.param)
        patch.setattr(module, "_WAITING", 5)
        patch.setattr(module, "_STRETCH", 4)
        patch.setattr(leaves, "_MOST", 4)
        yield request.param


def missed(case: Case) -> Counter[tuple[int, int]]:
    pairs = zip(case.labels.tolist(), case.scores.argmax(axis=1).tolist(), strict=True)
    return Counter(pair for pair in pairs if pair[0] != pair[1])


@shapes
@steady
@given(seeds, st.integers(1, 60))
def test_sparse_pairs_obey_the_law(most: int, shape: Shape, seed: int, n: int) -> None:
    case = draw(shape, n, seed)
    expected = form(whole(case))
    rng = np.random.default_rng(seed)
    found = scattered(case, rng)
    assert differing(form(found), expected) == []
    assert differing(form(reloaded(found)), expected) == []
    assert _too_many(expected) == (len(missed(case)) > most)


def _too_many(states: Form) -> bool:
    return any(states["confusion"]["too_many"][2])


@steady
@given(seeds)
def test_sparse_pairs_are_the_errors_that_occur(most: int, seed: int) -> None:
    case = draw(SHAPE, 60, seed)
    state = whole(case).confusion
    pairs = missed(case)
    if len(pairs) > most:
        assert state.too_many
        assert state.pairs.size == 0
    else:
        found = zip(state.pairs.keys.tolist(), state.pairs.values().tolist(), strict=True)
        assert {divmod(key, 7): count for key, count in found} == pairs


def test_the_limit_is_the_largest_number_of_pairs_kept(most: int) -> None:
    every = [(label, top) for label in range(7) for top in range(7) if label != top]
    full = draw(SHAPE, len(every), 0)
    one_hot = np.eye(7)[[top for _, top in every]]
    case = Case(full.spec, np.array([label for label, _ in every]), one_hot, None)
    kept = min(most, len(every))
    states = folded(case, [np.arange(kept)])
    assert not states.confusion.too_many
    assert states.confusion.pairs.size == kept
    states.merge(folded(case, [np.arange(kept)]))
    assert not states.confusion.too_many
    states.merge(folded(case, [np.arange(len(every))]))
    assert states.confusion.too_many == (len(every) > most)


@shapes
def test_too_many_stays_so_and_loses_nothing_but_the_pairs(
    most: int, shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = draw(shape, 200, 1)
    sparse = Known(whole(case))
    margins = (sparse.support, sparse.predicted, sparse.hits)
    assert sparse.states.confusion.too_many == (most < 42)
    sparse.states.merge(whole(draw(shape, 1, 2)))
    assert sparse.states.confusion.too_many == (most < 42)
    monkeypatch.setattr(module, "DENSE_UP_TO", 7)
    dense = Known(whole(case))
    assert dense.states.confusion.dense
    for mine, theirs in zip(margins, (dense.support, dense.predicted, dense.hits), strict=True):
        assert mine.tolist() == theirs.tolist()


@shapes
def test_the_class_most_confused_with_is_the_same_as_from_the_full_matrix(
    most: int, shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = draw(shape, 200, 3)
    sparse = {row.name: row.confused_with for row in perclass.rows(Known(whole(case)), None)}
    monkeypatch.setattr(module, "DENSE_UP_TO", 7)
    dense = {row.name: row.confused_with for row in perclass.rows(Known(whole(case)), None)}
    if most >= 42:
        assert sparse == dense
    else:
        assert set(sparse.values()) == {None}
