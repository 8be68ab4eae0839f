"""The sample of rows is a property of their set: any cut, order and merge tree gives the same bytes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.foldings import Case, Form, Shape, batch, differing, draw, form, scattered, whole
from xentcli.plan import StateSet, compute
from xentcli.states import sample
from xentcli.states.sample import Sample

steady = settings(derandomize=True, deadline=None, max_examples=12)
SHAPES = [
    Shape("multiclass", "logits", 3, 3, False), Shape("multiclass", "probs", 3, 3, True),
    Shape("binary", "probs", 2, 2, False), Shape("binary", "logprobs", 2, 1, True),
    Shape("soft", "probs", 3, 3, False),
]  # fmt: skip


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample of few rows."""
    monkeypatch.setattr(sample, "MOST_ROWS", 12)


def sampled(states: StateSet) -> Form:
    return {"sample": form(states)["sample"]}


def repeated(case: Case, rng: np.random.Generator) -> Case:
    """The rows, some of them many times."""
    which = np.sort(rng.integers(0, case.size, 3 * case.size))
    targets = None if case.targets is None else case.targets[which]
    weights = None if case.weights is None else case.weights[which]
    return replace(
        case, labels=case.labels[which], scores=case.scores[which], weights=weights, targets=targets
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@steady
@given(st.integers(0, 2**32), st.integers(1, 60), st.booleans())
def test_more_rows_than_are_kept_obey_the_law(shape: Shape, seed: int, n: int, often: bool) -> None:
    rng = np.random.default_rng(seed)
    case = draw(shape, n, seed)
    case = repeated(case, rng) if often else case
    expected = sampled(whole(case))
    for _ in range(2):
        assert differing(sampled(scattered(case, rng)), expected) == []


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_sample_holds_the_rows_with_the_least_hashes_counted(shape: Shape) -> None:
    rng = np.random.default_rng(0)
    case = repeated(draw(shape, 40, 3), rng)
    states = whole(case)
    assert isinstance(states.states["sample"], Sample)
    kept = states.sample.kept()
    rows = sample_of_all(case)
    assert 1 < kept.hash.size <= 12
    assert kept.hash.tolist() == rows.hash[: kept.hash.size].tolist()
    assert kept.count.tolist() == rows.count[: kept.hash.size].tolist()
    assert np.array_equal(kept.scores, rows.scores[: kept.hash.size])
    if kept.hash.size < rows.hash.size:  # rows with one hash are in or out together
        assert kept.hash[-1] < rows.hash[kept.hash.size]
        assert rows.hash.size <= 12 or rows.hash[12] in rows.hash[kept.hash.size :][:1]


def sample_of_all(case: Case) -> sample.Kept:
    """The same with room for every row."""
    state = Sample(case.spec)
    state.most = 10**6
    states = StateSet(case.spec, {"sample": state})
    states.fold(batch(case, np.arange(case.size)), case.size)
    return state.kept()


def test_with_groups_each_row_has_its_group() -> None:
    case = repeated(draw(SHAPES[0], 60, 1), np.random.default_rng(1))
    spec = replace(case.spec, grouped=True)
    rows = replace(batch(case, np.arange(case.size)), groups=np.arange(case.size) % 7)
    found = compute(rows, spec)
    assert found is not None and found.groups is not None
    state = Sample(spec)
    state.most = 10**6
    state.update(found)
    kept = state.kept()
    expected = Counter(zip(found.hashes().tolist(), found.groups.tolist(), strict=True))
    counted: Counter[tuple[int, int]] = Counter()
    for hash, group, count in zip(kept.hash.tolist(), kept.group.tolist(), kept.count.tolist(), strict=True):
        counted[hash, group] += count
    assert counted == expected
    assert len({group for _, group in expected}) > 1
