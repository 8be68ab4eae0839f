"""Precision, recall, specificity, F1 and balanced accuracy: against scikit-learn, SciPy and the jackknife."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from tests.metrics.scored import by_class, known, read
from tests.metrics.test_standard_errors import F64, I64, Figure, drawn, influences, jackknife
from xentcli.cli.app import main

T = 0.4
FIGURES: dict[str, Figure] = {
    "precision": lambda y, p, w: float(sk.precision_score(y, p[:, 1] > T, sample_weight=w)),
    "recall": lambda y, p, w: float(sk.recall_score(y, p[:, 1] > T, sample_weight=w)),
    "specificity": lambda y, p, w: float(sk.recall_score(y, p[:, 1] > T, sample_weight=w, pos_label=0)),
    "f1": lambda y, p, w: float(sk.f1_score(y, p[:, 1] > T, sample_weight=w)),
    "balanced_accuracy": lambda y, p, w: float(sk.balanced_accuracy_score(y, p[:, 1] > T, sample_weight=w)),
}
SHARES = ("precision", "recall", "specificity")


def rows_of(name: str, y: I64, p: F64) -> I64:
    """Which rows a share is of."""
    predicted = p[:, 1] > T
    return np.flatnonzero({"precision": predicted, "recall": y == 1, "specificity": y == 0}[name])


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_values_are_scikit_learns_and_errors_the_jackknifes(name: str, grouped: bool, weighted: bool) -> None:
    y, p = drawn(3, 2)
    w = np.array([0.25, 3.0])[y] if weighted else np.ones(y.size)  # as classes weigh
    if weighted and grouped:
        w = np.random.default_rng(1).integers(1, 9, y.size) / 4
    group = np.arange(y.size) // 6 * 40 if grouped else None
    value = read(known(y, p, w if weighted else None, groups=group, threshold=T), name)
    assert value.value == pytest.approx(FIGURES[name](y, p, w), rel=1e-12)
    parts = influences(FIGURES[name], y, p, w)
    if group is not None:
        parts = np.bincount(group // 40, parts).astype(np.float64)
    assert value.se == pytest.approx(jackknife(parts), rel=1e-5)
    assert value.se is not None and value.value is not None
    assert value.lo is not None and value.hi is not None and value.lo < value.value < value.hi
    one = read(known(y, p[:, 1], w if weighted else None, groups=group, threshold=T), name)
    assert one == value


@pytest.mark.parametrize("name", SHARES)
def test_the_interval_of_a_share_is_wilsons_of_its_own_rows(name: str) -> None:
    y, p = drawn(3, 2)
    of = rows_of(name, y, p)
    hits = int(((p[of, 1] > T) == y[of]).sum())
    value = read(known(y, p, threshold=T), name)
    expected = stats.binomtest(hits, of.size).proportion_ci(method="wilson")
    assert [value.lo, value.hi] == pytest.approx([expected.low, expected.high], rel=1e-9)
    assert value.n == of.size
    w = np.full(y.size, 0.3)
    assert read(known(y, p, w, threshold=T), name).n == of.size
    if name != "precision":  # its own rows are of one class, whose weight says nothing
        w[of] = 7.0
    same = read(known(y, p, w, threshold=T), name)
    assert [same.lo, same.hi] == pytest.approx([value.lo, value.hi], rel=1e-9)


def test_wilsons_interval_of_a_weighted_share_is_of_as_many_rows_as_its_error_says() -> None:
    y, p = drawn(3, 2)
    w = np.array([0.25, 3.0])[y]
    of = rows_of("precision", y, p)
    value = read(known(y, p, w, threshold=T), "precision")
    n, share = w[of].sum() ** 2 / (0.25 * 3.0 * of.size), (w[of] * y[of]).sum() / w[of].sum()
    half = 1.959963984540054**2 / n
    middle = (share + half / 2) / (1 + half)
    reach = np.sqrt(half * share * (1 - share) + half * half / 4) / (1 + half)
    assert [value.lo, value.hi] == pytest.approx([middle - reach, middle + reach], rel=1e-9)
    right = p[:, 1] > T
    perfect = read(known(right.astype(int), p, np.array([0.25, 3.0])[y], threshold=T), "recall")
    assert (perfect.value, perfect.hi) == (1.0, 1.0)
    n = w[right].sum() ** 2 / (w[right] ** 2).sum()
    assert perfect.lo == pytest.approx(1 - 1.959963984540054**2 / (n + 1.959963984540054**2), rel=1e-9)


def test_balanced_accuracy_of_several_classes_is_over_those_that_occur() -> None:
    y, p = drawn(5, 4)
    few = y != 2
    for labels, scores in ((y, p), (y[few], p[few])):
        value = read(known(labels, scores), "balanced_accuracy")
        recalls = sk.recall_score(labels, scores.argmax(1), average=None, labels=np.unique(labels))
        assert value.value == pytest.approx(recalls.mean(), rel=1e-12)


def test_what_has_no_rows_has_no_value() -> None:
    never = known([0, 1, 1], [0.1, 0.2, 0.3])
    none = known([0, 0], [0.1, 0.2])
    every = known([1, 1], [0.9, 0.8])
    assert read(never, "precision").why == "no row is predicted positive"
    assert (read(never, "recall").value, read(never, "f1").value) == (0.0, 0.0)
    assert read(none, "recall").why == "no row is positive"
    assert read(none, "f1").why == "no row is positive, or predicted so"
    assert read(every, "specificity").why == "no row is negative"
    perfect = read(every, "recall")
    assert (perfect.value, perfect.hi) == (1.0, 1.0) and perfect.lo is not None and perfect.lo < 0.6


def test_a_rule_on_the_rare_class_follows_positive(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed = ["score", str(samples / "two_models.csv"), "--pred", "linear", "--json", "-m", "f1",
             "--require", "recall >= 99%", "--require", "specificity >= 90%"]  # fmt: skip
    assert main([*typed, "--positive", "benign"]) in (0, 1)
    figures = json.loads(capsys.readouterr().out)
    by_class = {row["class"]: row["metrics"] for row in figures["classes"]}
    assert figures["metrics"]["recall"]["value"] == by_class["benign"]["recall"]["value"]
    assert figures["metrics"]["specificity"]["value"] == by_class["malignant"]["recall"]["value"]
    assert figures["metrics"]["f1"]["value"] == by_class["benign"]["f1"]["value"]


def test_a_figure_of_two_classes_names_that_of_several(
    samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, other in (("f1", "macro_f1"), ("recall", "balanced_accuracy")):
        assert main(["score", str(samples / "digits_good.parquet"), "--only", name]) == 4
        assert f"{other} is for several classes" in capsys.readouterr().err


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("weighted", [False, True])
def test_n_of_a_class_is_the_rows_that_its_figure_is_of(task: str, weighted: bool) -> None:
    y, p = drawn(4, 2 if task == "binary" else 4)
    w = np.linspace(0.5, 3.0, y.size) if weighted else None
    size = p.shape[1]
    own, claimed = (np.eye(size, dtype=bool)[of] for of in (y, p.argmax(axis=1)))
    if task == "multilabel":
        own, claimed = own | (p > 0.3), p > 0.5
        found = by_class(known(y, p, w, task=task, targets=own.astype(np.float64)))
    else:
        found = by_class(known(y, p, w))
    for c in range(size):
        n = {key: value.n for key, value in found[c].metrics.items()}
        assert n["recall"] == own[:, c].sum() and n["precision"] == claimed[:, c].sum()
        assert n["f1"] == (own | claimed)[:, c].sum()
        assert n["ece"] == (y.size if task == "multilabel" else n["precision"])
        assert n["cross_entropy"] == (y.size if task == "multilabel" else n["recall"])
    if task == "binary":
        assert read(known(y, p, w), "f1").n == (own | claimed)[:, 1].sum()
