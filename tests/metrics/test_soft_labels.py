"""Soft labels: H(P,Q) = H(P) + KL against scipy and mpmath, and one-hot labels against hard ones."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax
from scipy.stats import entropy

from tests.metrics.scored import Array, by_class, known, number, read, skewed
from xentcli import metrics
from xentcli.batch import F64
from xentcli.metrics import perclass
from xentcli.metrics.calibration import diagram
from xentcli.metrics.known import Known

KINDS = ("logits", "probs", "logprobs")
WEIGHTINGS = ("none", "whole", "wide")


def rows(seed: int, classes: int, n: int = 80) -> tuple[F64, F64]:
    """Logits (n, C) and label distributions (n, C), some of one class alone and some of votes."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, classes)) * 10.0 ** rng.uniform(-2, 1.5, (n, 1))
    q = rng.dirichlet(np.full(classes, 0.5), n)
    q[::5] = np.eye(classes)[rng.integers(0, classes, len(q[::5]))]
    q[::7] = rng.multinomial(5, np.full(classes, 1 / classes), len(q[::7])) / 5
    return z, q


def weighting(kind: str, n: int) -> F64 | None:
    rng = np.random.default_rng(n)
    whole: F64 = rng.integers(1, 5, n).astype(np.float64)
    wide: F64 = 10.0 ** rng.uniform(-8, 8, n)
    return {"none": None, "whole": whole, "wide": wide}[kind]


def soft(scores: Array, targets: Array, weights: F64 | None = None, **options: Any) -> Known:
    return known([], scores, weights, task="soft", targets=targets, **options)


def of_kind(z: F64, kind: str) -> F64:
    logs: F64 = log_softmax(z, axis=1)
    return {"logits": z, "probs": np.exp(logs), "logprobs": logs}[kind]


@pytest.mark.parametrize("weighted", WEIGHTINGS)
@pytest.mark.parametrize("classes", [2, 3, 10, 70])
@pytest.mark.parametrize("kind", KINDS)
def test_cross_entropy_is_the_entropy_of_the_labels_plus_the_divergence(
    kind: str, classes: int, weighted: str
) -> None:
    z, q = rows(classes, classes)
    w = weighting(weighted, len(q))
    found = soft(of_kind(z, kind), q, w, kind=kind)
    p = np.exp(log_softmax(z, axis=1))
    loss = -(q * log_softmax(z, axis=1)).sum(axis=1)
    assert number(found, "label_distribution_entropy") == pytest.approx(
        np.average(entropy(q, axis=1), weights=w), rel=1e-12
    )
    assert number(found, "kl_divergence") == pytest.approx(
        np.average(entropy(q, p, axis=1), weights=w), rel=1e-11
    )
    assert number(found, "cross_entropy") == pytest.approx(np.average(loss, weights=w), rel=1e-12)
    assert number(found, "cross_entropy") == pytest.approx(
        number(found, "label_distribution_entropy") + number(found, "kl_divergence"), rel=1e-15
    )


@pytest.mark.parametrize("weighted", WEIGHTINGS)
@pytest.mark.parametrize("name", ["cross_entropy", "label_distribution_entropy", "kl_divergence"])
def test_standard_errors_are_those_of_a_mean_over_rows(name: str, weighted: str) -> None:
    z, q = rows(1, 4)
    w = weighting(weighted, len(q))
    value = read(soft(z, q, w, kind="logits"), name)
    logs = log_softmax(z, axis=1)
    x = {
        "cross_entropy": -(q * logs).sum(axis=1),
        "label_distribution_entropy": entropy(q, axis=1),
        "kl_divergence": entropy(q, np.exp(logs), axis=1),
    }[name]
    each, m = np.ones(len(q)) if w is None else w, len(q)
    mean = np.average(x, weights=w)
    se = math.sqrt(m / (m - 1) * (each**2 * (x - mean) ** 2).sum()) / each.sum()
    assert value.se == pytest.approx(se, rel=1e-9)
    below, above = skewed(each * (x - mean) / each.sum(), rows=True)
    assert (value.lo, value.hi) == pytest.approx((mean - below, mean + above), rel=1e-6)


@pytest.mark.parametrize("weighted", WEIGHTINGS)
@pytest.mark.parametrize("classes", [2, 5, 70])
@pytest.mark.parametrize("kind", KINDS)
def test_one_hot_labels_give_the_figures_of_hard_ones(kind: str, classes: int, weighted: str) -> None:
    z, _ = rows(3, classes)
    z = np.round(z, 1)
    labels = np.random.default_rng(4).integers(0, classes, len(z))
    w = weighting(weighted, len(z))
    scores = of_kind(z, kind)
    hard = known(labels, scores, w, kind=kind)
    one_hot = soft(scores, np.eye(classes)[labels], w, kind=kind)
    expected, found = metrics.read_all(hard, []), metrics.read_all(one_hot, [])
    shared = expected.keys() & found.keys() - {"ece_chance"}  # what p says of draws, or what is seen
    assert len(shared) >= 15
    near = {"brier_score", "brier_skill_score", "ece", "mce"}  # other forms of the same sums
    other_sums = {"normalized_cross_entropy", "balanced_cross_entropy", "label_entropy"}
    other_sums |= {"macro_f1", "mcc"} if classes == 2 else set()
    for key in shared:
        if key in near:
            assert found[key].value == pytest.approx(expected[key].value, rel=1e-12), key
        elif key in other_sums:
            # Limits of two classes are by their hard labels.
            by_label = key != "label_entropy" and classes == 2
            for part in ("value", "se") if by_label else ("value", "se", "lo", "hi"):
                one, other = getattr(found[key], part), getattr(expected[key], part)
                near_to = None if other is None else pytest.approx(other, rel=1e-6)
                assert one == near_to, (key, part)
        else:
            assert found[key] == expected[key], key
    assert found["label_distribution_entropy"].value == 0.0
    assert found["kl_divergence"].value == found["cross_entropy"].value
    assert found["kl_divergence"].se == found["cross_entropy"].se
    for mine, theirs in zip(perclass.rows(one_hot, None), perclass.rows(hard, None), strict=True):
        assert (mine.name, mine.support, mine.confused_with) == (
            theirs.name,
            theirs.support,
            theirs.confused_with,
        )
        for key, value in mine.metrics.items():
            other = theirs.metrics[key]
            assert value.why == other.why
            assert other.value is None or value.value == pytest.approx(other.value, rel=1e-12), key
            assert value.n == theirs.metrics[key].n


def test_figures_by_class_count_rows_by_the_share_of_the_class() -> None:
    z, q = rows(5, 4)
    w = weighting("whole", len(q))
    assert w is not None
    found = soft(z, q, w, kind="logits")
    logs = log_softmax(z, axis=1)
    brier = ((np.exp(logs) - q) ** 2).sum(axis=1)
    total = -(w[:, None] * q * logs).sum()
    for index, row in enumerate(by_class(found)):
        share = w * q[:, index]
        cost = -(share * logs[:, index]).sum()
        assert row.support == pytest.approx(share.sum(), rel=1e-14)
        assert row.metrics["cross_entropy"].value == pytest.approx(cost / share.sum(), rel=1e-12)
        assert row.metrics["share"].value == pytest.approx(cost / total, rel=1e-12)
        assert row.metrics["brier_score"].value == pytest.approx(
            (share * brier).sum() / share.sum(), rel=1e-12
        )
        assert row.metrics["cross_entropy"].n == np.count_nonzero(q[:, index])
    assert math.fsum(r.metrics["share"].value or 0 for r in by_class(found)) == pytest.approx(1.0, rel=1e-14)


def test_calibration_is_of_the_share_that_labels_give_to_the_predicted_class() -> None:
    z, q = rows(6, 3, 2000)
    w = weighting("whole", len(q))
    found = soft(z, q, w, kind="logits")
    p = np.exp(log_softmax(z, axis=1))
    top = p.argmax(axis=1)
    said, was = p.max(axis=1), q[np.arange(len(q)), top]
    index = np.clip(np.ceil(said * 15).astype(int) - 1, 0, 14)
    gaps = [abs(np.sum((w * (said - was))[index == b])) for b in range(15)]
    assert w is not None
    assert number(found, "ece") == pytest.approx(sum(gaps) / w.sum(), rel=1e-11)
    strip = diagram(found, "confidence").rows
    assert [row["n"] for row in strip] == np.bincount(index, minlength=15).tolist()
    assert strip[14]["mean_y"] == pytest.approx(
        np.average(was[index == 14], weights=w[index == 14]), rel=1e-12
    )
    own = (w * (was - said))[index == 14]
    unit = (w * w).sum() / w.sum()  # Kish's number of rows stands for their weights in the gap
    spread = (own**2).sum() - unit * own.sum() ** 2 / w[index == 14].sum()
    expected = math.sqrt(2 / math.pi * spread * own.size / (own.size - 1)) / w[index == 14].sum()
    assert strip[14]["gap_chance"] == pytest.approx(expected, rel=1e-9)
    for label, row in enumerate(by_class(found)):
        mine = top == label
        gaps = [abs(np.sum((w * (said - was))[mine & (index == b)])) for b in range(15)]
        assert row.metrics["ece"].value == pytest.approx(sum(gaps) / w[mine].sum(), rel=1e-11)


@pytest.mark.parametrize("classes", [2, 3])
def test_brier_skill_and_normalised_loss_are_against_the_mean_label(classes: int) -> None:
    z, q = rows(7, classes)
    found = soft(z, q, kind="logits")
    mean = q.mean(axis=0)
    p = np.exp(log_softmax(z, axis=1))
    half = 0.5 if classes == 2 else 1.0
    assert number(found, "brier_score") == pytest.approx(half * ((p - q) ** 2).sum(axis=1).mean(), rel=1e-12)
    expected = 1 - ((p - q) ** 2).sum() / ((mean - q) ** 2).sum()
    assert number(found, "brier_skill_score") == pytest.approx(expected, rel=1e-11)
    assert number(found, "label_entropy") == pytest.approx(entropy(mean), rel=1e-13)
    ratio = number(found, "cross_entropy") / entropy(mean)
    assert number(found, "normalized_cross_entropy") == pytest.approx(ratio, rel=1e-13)


def test_accuracy_is_against_the_likeliest_class_and_ties_are_counted() -> None:
    q = [[0.5, 0.5, 0.0], [0.2, 0.2, 0.6], [0.1, 0.6, 0.3], [0.4, 0.3, 0.3]]
    p = [[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.2, 0.7, 0.1], [0.3, 0.3, 0.4]]
    found = soft(np.array(p), np.array(q))
    assert number(found, "accuracy") == 0.5
    assert found.states.notes.counts["label_ties"] == 1


def test_a_class_that_has_a_share_and_no_probability_makes_the_loss_infinite() -> None:
    q = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.0, 0.25, 0.75]])
    p = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.5, 0.25, 0.25]])
    finite = np.array([0.0, -0.25 * math.log(0.25) - 0.75 * math.log(0.25)])
    with np.errstate(divide="ignore"):
        scores = {"probs": p, "logprobs": np.log(p), "logits": np.log(p)}
    for kind, given_scores in scores.items():
        found = soft(given_scores, q, kind=kind)
        assert number(found, "cross_entropy") == math.inf
        assert number(found, "kl_divergence") == math.inf
        assert number(found, "zero_probability_rows") == 1.0
        assert number(found, "cross_entropy_finite") == pytest.approx(finite.mean(), rel=1e-15)
        assert read(found, "label_distribution_entropy").state == "finite"
        infinite = [row.metrics["cross_entropy"].state for row in by_class(found)]
        assert infinite == ["infinite", "finite", "finite"]
        weighted = soft(given_scores, q, np.array([3.0, 2.0, 5.0]), kind=kind)
        expected = pytest.approx((2 * finite[0] + 5 * finite[1]) / 7, rel=1e-15)
        assert number(weighted, "cross_entropy_finite") == expected


def test_clipping_takes_p_as_eps_where_a_class_has_a_share() -> None:
    found = soft(np.array([[0.0, 1.0], [0.5, 0.5]]), np.array([[0.25, 0.75], [1.0, 0.0]]), clip=1e-6)
    expected = (0.25 * math.log(1e6) + math.log(2)) / 2
    assert number(found, "cross_entropy") == pytest.approx(expected, rel=1e-15)
    assert found.states.notes.counts["clipped"] == 1


@settings(derandomize=True, deadline=None, max_examples=30)
@given(
    st.lists(st.floats(-700, 700), min_size=3, max_size=3),
    st.lists(st.integers(0, 4), min_size=3, max_size=3),
)
def test_extreme_logits_against_fifty_digits(z: list[float], votes: list[int]) -> None:
    total = sum(votes)
    if total == 0:
        votes, total = [1, 0, 0], 1
    q = [vote / total for vote in votes]
    found = soft(np.array([z]), np.array([q]), kind="logits")
    with mpmath.workdps(400):  # sums are kept to 2**-136
        parts = [mpmath.exp(mpmath.mpf(x)) for x in z]
        logs = [mpmath.log(part / sum(parts)) for part in parts]
        loss = -sum(mpmath.mpf(share) * log for share, log in zip(q, logs, strict=True))
        brier = sum((mpmath.exp(log) - share) ** 2 for share, log in zip(q, logs, strict=True))
        assert abs(number(found, "cross_entropy") - loss) <= 4e-16 * loss + 2.0**-136
        assert (
            abs(number(found, "brier_score") - brier)
            <= 1e-15 * brier + 4e-16 * mpmath.sqrt(brier) + 2.0**-136
        )  # p - q cancels


@pytest.mark.parametrize("kind", KINDS)
def test_labels_that_are_the_predictions_diverge_by_nothing(kind: str) -> None:
    z, _ = rows(8, 5)
    p = np.exp(log_softmax(z, axis=1))
    found = soft(of_kind(z, kind), p, kind=kind)
    assert abs(number(found, "kl_divergence")) < 1e-15
    assert number(found, "ece") < 1e-15
    assert number(found, "predictive_entropy") == pytest.approx(number(found, "cross_entropy"), rel=1e-14)


@pytest.mark.parametrize("name", ["spiegelhalter_z", "auroc", "micro_f1"])
def test_what_needs_labels_that_are_draws_is_not_defined(name: str) -> None:
    z, q = rows(9, 2)
    value = read(soft(z, q, kind="logits"), name)
    assert value.value is None
    assert "tasks only" in str(value.why)
