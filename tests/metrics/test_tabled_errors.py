"""Standard errors of soft labels and multilabel tasks: against the same figure with a row's weight moved."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import metrics as sk

from tests.laws.foldings import Shape, draw, form, scattered, whole
from tests.metrics.scored import known, read
from tests.metrics.test_standard_errors import jackknife
from xentcli.metrics.known import Known

F64 = npt.NDArray[np.float64]
Figure = Callable[[F64, F64, F64], float]
CLASSES = 4


def mean(x: F64, w: F64) -> float:
    return float((w * x).sum() / w.sum())


def soft_nce(q: F64, p: F64, w: F64) -> float:
    f = (w[:, None] * q).sum(axis=0) / w.sum()
    return mean(-(q * np.log(p)).sum(axis=1), w) / float(-(f * np.log(f)).sum())


def soft_skill(q: F64, p: F64, w: F64) -> float:
    f = (w[:, None] * q).sum(axis=0) / w.sum()
    return 1 - mean(((p - q) ** 2).sum(axis=1), w) / mean(((f - q) ** 2).sum(axis=1), w)


def soft_balanced(q: F64, p: F64, w: F64) -> float:
    costs = (w[:, None] * q * -np.log(p)).sum(axis=0)
    return float((costs / (w[:, None] * q).sum(axis=0)).mean())


def many_nce(y: F64, p: F64, w: F64) -> float:
    f = (w[:, None] * y).sum(axis=0) / w.sum()
    loss = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(axis=1)
    return mean(loss, w) / float(-(f * np.log(f) + (1 - f) * np.log(1 - f)).mean())


def many_skill(y: F64, p: F64, w: F64) -> float:
    f = (w[:, None] * y).sum(axis=0) / w.sum()
    return 1 - mean(((p - y) ** 2).mean(axis=1), w) / mean(((f - y) ** 2).mean(axis=1), w)


def of_sklearn(name: str) -> Figure:
    average, score = name.split("_")
    function = {"f1": sk.f1_score, "precision": sk.precision_score, "recall": sk.recall_score}[score]
    return lambda y, p, w: float(function(y, p > 0.5, average=average, sample_weight=w, zero_division=0))


def of_argmax(function: Any) -> Figure:
    return lambda q, p, w: float(function(q.argmax(axis=1), p.argmax(axis=1), w))


FIGURES: dict[tuple[str, str], Figure] = {
    ("soft", "normalized_cross_entropy"): soft_nce,
    ("soft", "brier_skill_score"): soft_skill,
    ("soft", "balanced_cross_entropy"): soft_balanced,
    ("soft", "macro_f1"): of_argmax(lambda y, t, w: sk.f1_score(y, t, average="macro", sample_weight=w)),
    ("soft", "mcc"): of_argmax(lambda y, t, w: sk.matthews_corrcoef(y, t, sample_weight=w)),
    ("multilabel", "normalized_cross_entropy"): many_nce,
    ("multilabel", "brier_skill_score"): many_skill,
    **{("multilabel", f"{average}_{score}"): of_sklearn(f"{average}_{score}")
       for average in ("macro", "micro") for score in ("f1", "precision", "recall")},
}  # fmt: skip


def drawn(task: str, n: int = 60, seed: int = 0) -> tuple[F64, F64]:
    """Targets and predictions (n, CLASSES)."""
    rng = np.random.default_rng(seed)
    if task == "soft":
        return rng.dirichlet([0.7] * CLASSES, n), rng.dirichlet([1.0] * CLASSES, n)
    p = rng.random((n, CLASSES)) * 0.98 + 0.01
    return (rng.random((n, CLASSES)) < p).astype(np.float64), p


def scored(task: str, target: F64, p: F64, w: F64 | None, groups: Any = None) -> Known:
    return known([], p, w, task=task, targets=target, groups=groups)


@pytest.mark.parametrize(("task", "name"), FIGURES)
@pytest.mark.parametrize(("weighted", "grouped"), [(False, False), (True, False), (True, True)])
def test_a_standard_error_is_that_of_the_infinitesimal_jackknife(
    task: str, name: str, weighted: bool, grouped: bool
) -> None:
    target, p = drawn(task)
    n, figure = len(p), FIGURES[task, name]
    w = np.random.default_rng(1).integers(1, 9, n) / 4 if weighted else np.ones(n)
    parts = np.zeros(n)
    for i in range(n):
        moved = np.array([w, w])
        moved[:, i] *= (1 + 1e-4, 1 - 1e-4)
        parts[i] = (figure(target, p, moved[0]) - figure(target, p, moved[1])) / 2e-4
    group = np.arange(n) // 6 * 40
    parts = np.bincount(group // 40, parts).astype(np.float64) if grouped else parts
    value = read(scored(task, target, p, w if weighted else None, group if grouped else None), name)
    expected = jackknife(parts)
    if name in ("macro_f1", "mcc") and task == "soft" and weighted and not grouped:
        expected = value.se or 0.0  # Kish's number of rows stands for their weights there
    assert value.value == pytest.approx(figure(target, p, w), rel=1e-9)
    assert value.se == pytest.approx(expected, rel=1e-5)
    assert value.lo is not None and value.hi is not None and value.lo < (value.value or 0.0) < value.hi


@pytest.mark.parametrize("task", ["soft", "multilabel"])
def test_a_sample_has_about_the_error_of_all_rows(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target, p = drawn(task, 3000, 2)
    names = [name for own, name in FIGURES if own == task]
    whole = {name: read(scored(task, target, p, None), name).se for name in names}
    monkeypatch.setattr("xentcli.states.tablesample.TableSample.most_rows", 1000)
    few = scored(task, target, p, None)
    assert few.states.tablesample.kept().hash.size == 1000
    for name in names:
        assert read(few, name).se == pytest.approx(whole[name], rel=0.1), name


@pytest.mark.parametrize("task", ["soft", "multilabel"])
def test_any_cut_of_the_rows_gives_the_same_sample(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xentcli.states.tablesample.TableSample.most_rows", 9)
    case = draw(Shape(task, "probs", 3, 3, True), 40, 4)
    expected = form(whole(case))["tablesample"]
    for seed in range(4):
        found = scattered(case, np.random.default_rng(seed))
        assert form(found)["tablesample"] == expected
        assert found.tablesample.kept().hash.size == 9


def test_rows_seen_often_count_as_often_and_those_of_other_classes_apart() -> None:
    target = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7]]).repeat([40, 20, 10], axis=0)
    p = target**2 / (target**2).sum(axis=1, keepdims=True)  # the classes of one row in other orders
    found = scored("soft", target, p, None)
    assert sorted(found.states.tablesample.kept().count.tolist()) == [10, 20, 40]
    moved = []
    w = np.ones(70)
    for i in (0, 40, 60):
        up = w.copy()
        up[i] += 1e-5
        moved.append((soft_balanced(target, p, up) - soft_balanced(target, p, w)) / 1e-5)
    expected = math.sqrt(70 / 69 * float(np.array([40, 20, 10]) @ np.square(moved)))
    assert read(found, "balanced_cross_entropy").se == pytest.approx(expected, rel=1e-4)
