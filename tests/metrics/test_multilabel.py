"""Multilabel figures against scikit-learn and mpmath, and each label against the binary task it is."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as peer

from tests.metrics.scored import Array, by_class, known, number, read
from xentcli import metrics
from xentcli.batch import F64
from xentcli.metrics.calibration import diagram
from xentcli.metrics.known import Known
from xentcli.states import labelscores

KINDS = ("logits", "probs", "logprobs")
WEIGHTINGS = ("none", "whole", "wide")


def rows(seed: int, labels: int, n: int = 150) -> tuple[F64, F64]:
    """Logits (n, L), some of them tied, and 0/1 targets (n, L) that they know something of."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, labels)) * 2 - rng.random(labels) * 2
    z[rng.random(n) < 0.3] = np.round(z[rng.random(n) < 0.3][:1], 0)
    y = (rng.random((n, labels)) < 1 / (1 + np.exp(-0.7 * z))).astype(np.float64)
    y[0], y[1] = 0.0, 1.0
    return z, y


def weighting(kind: str, n: int) -> F64 | None:
    rng = np.random.default_rng(n)
    whole: F64 = rng.integers(1, 5, n).astype(np.float64)
    wide: F64 = 10.0 ** rng.uniform(-8, 8, n)
    return {"none": None, "whole": whole, "wide": wide}[kind]


def multilabel(scores: Array, targets: Array, weights: F64 | None = None, **options: Any) -> Known:
    return known([], scores, weights, task="multilabel", targets=targets, **options)


def sigmoid(z: F64) -> F64:
    out: F64 = 1 / (1 + np.exp(-z))
    return out


def of_kind(z: F64, kind: str) -> F64:
    return {"logits": z, "probs": sigmoid(z), "logprobs": np.log(sigmoid(z))}[kind]


@pytest.mark.parametrize("weighted", WEIGHTINGS)
@pytest.mark.parametrize("labels", [1, 2, 7, 70])
@pytest.mark.parametrize("kind", KINDS)
def test_figures_are_those_of_scikit_learn(kind: str, labels: int, weighted: str) -> None:
    z, y = rows(labels, labels)
    w = weighting(weighted, len(y))
    found = multilabel(of_kind(z, kind), y, w, kind=kind)
    p = sigmoid(z)
    given_p = {"sample_weight": w}
    yes = p > 0.5
    # scikit-learn takes one column of indicators for a binary task, whose F1 is that of the positive class
    macro, micro = ("binary", "binary") if labels == 1 else ("macro", "micro")
    exp, pred = (y[:, 0], yes[:, 0]) if labels == 1 else (y, yes)
    expected = {
        "macro_f1": peer.f1_score(exp, pred, average=macro, **given_p),
        "micro_f1": peer.f1_score(exp, pred, average=micro, **given_p),
        "macro_precision": peer.precision_score(exp, pred, average=macro, **given_p),
        "micro_precision": peer.precision_score(exp, pred, average=micro, **given_p),
        "macro_recall": peer.recall_score(exp, pred, average=macro, **given_p),
        "micro_recall": peer.recall_score(exp, pred, average=micro, **given_p),
        "subset_accuracy": peer.accuracy_score(exp, pred, **given_p),
        "hamming_loss": peer.hamming_loss(exp, pred, **given_p),
        "macro_auroc": peer.roc_auc_score(y, p, average="macro", **given_p),
        "macro_average_precision": peer.average_precision_score(y, p, average="macro", **given_p),
        "brier_score": np.average(((p - y) ** 2).mean(axis=1), weights=w),
    }
    for name, value in expected.items():
        assert number(found, name) == pytest.approx(value, rel=1e-12), name


@pytest.mark.parametrize("weighted", WEIGHTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_cross_entropy_is_the_mean_over_rows_of_the_mean_over_labels(kind: str, weighted: str) -> None:
    z, y = rows(2, 5)
    w = weighting(weighted, len(y))
    value = read(multilabel(of_kind(z, kind), y, w, kind=kind), "cross_entropy")
    each = np.ones(len(y)) if w is None else w
    loss = np.logaddexp(0.0, np.where(y > 0, -z, z))
    x, m = loss.mean(axis=1), len(y)
    mean = np.average(x, weights=w)
    assert value.value == pytest.approx(mean, rel=1e-12)
    assert value.se == pytest.approx(
        math.sqrt(m / (m - 1) * (each**2 * (x - mean) ** 2).sum()) / each.sum(), rel=1e-9
    )
    pairs = [peer.log_loss(y[:, j], sigmoid(z[:, j]), sample_weight=w) for j in range(5)]
    assert value.value == pytest.approx(np.mean(pairs), rel=1e-9)  # macro is micro


@pytest.mark.parametrize("weighted", WEIGHTINGS)
@pytest.mark.parametrize("threshold", [0.5, 0.3])
@pytest.mark.parametrize("kind", KINDS)
def test_every_label_is_the_binary_task_of_its_column(kind: str, threshold: float, weighted: str) -> None:
    z, y = rows(3, 6)
    w = weighting(weighted, len(y))
    scores = of_kind(z, kind)
    found = multilabel(scores, y, w, kind=kind, threshold=threshold)
    shares = []
    for index, row in enumerate(by_class(found)):
        binary = known(y[:, index], scores[:, index], w, kind=kind, threshold=threshold)
        figures = metrics.read_all(binary, [])
        positive = by_class(binary)[1]
        assert row.support == positive.support
        assert row.metrics["cross_entropy"].n == len(y)
        pairs = {"cross_entropy": "cross_entropy", "brier_score": "brier_score", "ece": "ece_positive"}
        for mine, theirs in pairs.items():
            assert row.metrics[mine].value == pytest.approx(figures[theirs].value, rel=1e-12), mine
        for name in ("auroc", "average_precision"):
            assert row.metrics[name].value == figures[name].value
        for name in ("precision", "recall", "f1"):
            assert row.metrics[name].value == pytest.approx(positive.metrics[name].value, rel=1e-12), name
        shares.append(row.metrics["share"].value or 0.0)
    assert math.fsum(shares) == pytest.approx(1.0, rel=1e-14)


@pytest.mark.parametrize("weighted", WEIGHTINGS)
def test_one_label_alone_has_the_figures_of_the_binary_task(weighted: str) -> None:
    z, y = rows(4, 1)
    w = weighting(weighted, len(y))
    found, binary = multilabel(z, y, w, kind="logits"), known(y[:, 0], z, w, kind="logits")
    for name in ("cross_entropy", "predictive_entropy", "overconfidence", "label_entropy",
                 "normalized_cross_entropy", "brier_score", "brier_skill_score"):  # fmt: skip
        mine, theirs = read(found, name), read(binary, name)
        assert mine.value == pytest.approx(theirs.value, rel=1e-13), name
        assert mine.se is None or mine.se == pytest.approx(theirs.se, rel=1e-13), name
    assert number(found, "ece_labels") == pytest.approx(number(binary, "ece_positive"), rel=1e-13)
    assert read(found, "subset_accuracy").lo == pytest.approx(read(binary, "accuracy").lo, rel=1e-13)


@pytest.mark.parametrize("weighted", WEIGHTINGS)
def test_calibration_is_over_all_pairs_of_row_and_label(weighted: str) -> None:
    z, y = rows(5, 9, 400)
    w = weighting(weighted, len(y))
    found = multilabel(z, y, w, kind="logits")
    p = sigmoid(z)
    each = np.broadcast_to(np.ones((len(y), 1)) if w is None else w[:, None], p.shape)
    index = np.clip(np.ceil(p * 15).astype(int) - 1, 0, 14)
    gaps = [abs((each * (p - y))[index == b].sum()) for b in range(15)]
    assert number(found, "ece_labels") == pytest.approx(sum(gaps) / each.sum(), rel=1e-10)
    strip = diagram(found, "labels").rows
    assert [row["n"] for row in strip] == np.bincount(index.ravel(), minlength=15).tolist()
    means = [np.average(y[index == b], weights=each[index == b]) for b in range(15)]
    assert [row["mean_y"] for row in strip] == pytest.approx(means, rel=1e-12)


def test_reference_figures_are_those_of_the_label_frequencies() -> None:
    z, y = rows(6, 4)
    found = multilabel(z, y, kind="logits")
    f = y.mean(axis=0)
    entropy = -(f * np.log(f) + (1 - f) * np.log(1 - f)).mean()
    assert number(found, "label_entropy") == pytest.approx(entropy, rel=1e-13)
    ratio = number(found, "cross_entropy") / entropy
    assert number(found, "normalized_cross_entropy") == pytest.approx(ratio, rel=1e-13)
    skill = 1 - ((sigmoid(z) - y) ** 2).sum() / ((y - f) ** 2).sum()
    assert number(found, "brier_skill_score") == pytest.approx(skill, rel=1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_targets_between_zero_and_one_are_shares_of_a_positive(kind: str) -> None:
    z, _ = rows(7, 5)
    y = np.random.default_rng(7).random(z.shape)
    found = multilabel(of_kind(z, kind), y, kind=kind)
    p = sigmoid(z)
    loss = y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)
    assert number(found, "cross_entropy") == pytest.approx(loss.mean(), rel=1e-12)
    assert number(found, "brier_score") == pytest.approx(((p - y) ** 2).mean(), rel=1e-12)
    assert number(found, "hamming_loss") == pytest.approx(((p > 0.5) != (y > 0.5)).mean(), rel=1e-13)
    assert [row.support for row in by_class(found)] == pytest.approx(y.sum(axis=0), rel=1e-14)
    f = y.mean(axis=0)
    skill = 1 - ((p - y) ** 2).sum() / ((y - f) ** 2).sum()
    assert number(found, "brier_skill_score") == pytest.approx(skill, rel=1e-10)


def test_labels_that_nothing_can_be_said_of_are_left_out_and_counted() -> None:
    y = np.array([[0, 1, 0, 1], [0, 1, 0, 0], [0, 1, 1, 1]])
    p = np.array([[0.1, 0.9, 0.2, 0.7], [0.2, 0.8, 0.6, 0.4], [0.3, 0.9, 0.9, 0.2]])
    found = multilabel(p, y)
    ranked = [peer.roc_auc_score(y[:, j], p[:, j]) for j in (2, 3)]
    auroc = read(found, "macro_auroc")
    assert (auroc.value, auroc.n) == (np.mean(ranked), 2)
    none, always = by_class(found)[:2]
    assert (none.metrics["f1"].value, none.metrics["recall"].value) == (None, None)
    assert (none.metrics["auroc"].value, always.metrics["auroc"].value) == (None, None)
    assert always.metrics["f1"].value == 1.0
    expected = peer.f1_score(y[:, 1:], p[:, 1:] > 0.5, average="macro")
    assert number(found, "macro_f1") == pytest.approx(expected, rel=1e-15)
    precision = peer.precision_score(y[:, 1:], p[:, 1:] > 0.5, average="macro", zero_division=0.0)
    assert number(found, "macro_precision") == pytest.approx(precision, rel=1e-15)


def test_figures_without_any_label_are_undefined_and_say_why() -> None:
    found = multilabel(np.full((4, 2), 0.25), np.zeros((4, 2)))
    for name in ("macro_f1", "micro_f1", "macro_precision", "micro_recall", "macro_auroc",
                 "macro_average_precision", "normalized_cross_entropy", "brier_skill_score"):  # fmt: skip
        value = read(found, name)
        assert value.value is None, name
        assert value.why, name
    assert number(found, "subset_accuracy") == 1.0
    assert number(found, "cross_entropy") == pytest.approx(-math.log(0.75), rel=1e-15)


def test_certain_and_wrong_is_infinite_for_the_row_and_for_the_label() -> None:
    y = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    p = np.array([[0.0, 0.0], [0.25, 1.0], [0.5, 0.5]])
    with np.errstate(divide="ignore"):
        logits = np.log(p) - np.log1p(-p)
        every = {"probs": p, "logprobs": np.log(p), "logits": logits}
    for kind, scores in every.items():
        for w in (None, np.array([7.0, 2.0, 3.0])):
            found = multilabel(scores, y, w, kind=kind)
            assert number(found, "cross_entropy") == math.inf
            assert number(found, "zero_probability_rows") == 1
            finite = [-math.log(0.75) / 2, math.log(2)]
            expected = np.average(finite, weights=None if w is None else w[1:])
            assert number(found, "cross_entropy_finite") == pytest.approx(expected, rel=1e-15)
            assert [r.metrics["cross_entropy"].state for r in by_class(found)] == ["infinite", "finite"]
    clipped = multilabel(p, y, clip=1e-3)
    assert number(clipped, "cross_entropy") == pytest.approx(
        (math.log(1000) - math.log(0.75) + 2 * math.log(2)) / 6, rel=1e-14
    )
    assert clipped.states.notes.counts["clipped"] == 1


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.floats(-1e3, 1e3), st.sampled_from([0.0, 1.0, 0.25, 0.9]))
def test_extreme_logits_against_many_digits(z: float, y: float) -> None:
    found = multilabel(np.array([[z, 0.0]]), np.array([[y, 0.0]]), kind="logits")
    with mpmath.workdps(500):  # sums are kept to 2**-136
        p = 1 / (1 + mpmath.exp(-mpmath.mpf(z)))
        loss = -y * mpmath.log(p) - (1 - mpmath.mpf(y)) * mpmath.log(1 - p)
        row = by_class(found)[0]
        assert abs((row.metrics["cross_entropy"].value or 0.0) - loss) <= 4e-16 * loss + 2.0**-136
        error = (p - y) ** 2
        assert (
            abs((row.metrics["brier_score"].value or 0.0) - error)
            <= 1e-15 * error + 4e-16 * abs(p - y) + 2.0**-136
        )  # p - y cancels


@pytest.mark.parametrize("weighted", [False, True])
def test_many_distinct_scores_are_ranked_within_the_bound_that_is_told(
    weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labelscores, "_CELLS", 64)
    monkeypatch.setattr(labelscores, "LEAST_CELLS", 1024)
    z, y = rows(9, 3, 3000)
    z += np.random.default_rng(9).normal(size=z.shape) * 1e-3
    w = weighting("whole", len(y)) if weighted else None
    found = multilabel(sigmoid(z), y, w)
    for name, of in (("macro_auroc", peer.roc_auc_score),
                     ("macro_average_precision", peer.average_precision_score)):  # fmt: skip
        value = read(found, name)
        assert value.bound is not None
        assert 0 < value.bound < 0.1
        exact = of(y, sigmoid(z), average="macro", sample_weight=w)
        assert value.value != exact
        assert abs((value.value or 0.0) - exact) <= value.bound


def test_rankings_of_too_many_labels_are_undefined_with_the_reason() -> None:
    rng = np.random.default_rng(0)
    found = multilabel(rng.random((3, 1001)), rng.integers(0, 2, (3, 1001)))
    assert read(found, "macro_auroc").why == "rankings are kept for up to 1,000 labels"
    assert by_class(found)[0].metrics["average_precision"].value is None
    assert read(found, "micro_f1").state == "finite"


@pytest.mark.parametrize("name", ["accuracy", "perplexity", "mcc", "ece", "top3_accuracy", "auroc"])
def test_what_needs_one_class_a_row_is_not_defined(name: str) -> None:
    z, y = rows(1, 3)
    value = read(multilabel(z, y, kind="logits"), name)
    assert value.value is None
    assert "tasks only" in str(value.why)
