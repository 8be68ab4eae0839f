"""Standard errors of figures that are no means: against the same figure with a row's weight moved a little.

The sum over rows of squared derivatives by their weights is the infinitesimal jackknife, which needs nothing
but the figure itself, here as scikit-learn or NumPy have it row by row.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import metrics as sk

from tests.metrics.scored import known, read, skewed
from xentcli.report import Value

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Figure = Callable[[I64, F64, F64], float]


def drawn(seed: int, classes: int, n: int = 150, ties: bool = False) -> tuple[I64, F64]:
    """Labels (n,) and probabilities (n, C) of a model that is fairly good."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, classes)) * 1.5 + np.linspace(0.5, 0.0, classes)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    labels = (p.cumsum(axis=1) < rng.random(n)[:, None]).sum(axis=1)
    labels[:classes] = np.arange(classes)
    if ties:
        p[:, 1] = np.round(p[:, 1], 1).clip(0.05, 0.95)
        p[:, 0] = 1.0 - p[:, 1]
    return labels.astype(np.int64), p


def frequencies(y: I64, w: F64, classes: int) -> F64:
    out: F64 = np.bincount(y, w, classes) / w.sum()
    return out


def nce(y: I64, p: F64, w: F64) -> float:
    f = frequencies(y, w, p.shape[1])
    loss = -np.log(p[np.arange(y.size), y])
    return float((w * loss).sum() / w.sum() / -(f * np.log(f)).sum())


def skill(y: I64, p: F64, w: F64) -> float:
    f = frequencies(y, w, p.shape[1])
    brier = ((p - np.eye(p.shape[1])[y]) ** 2).sum(axis=1)
    return float(1 - (w * brier).sum() / w.sum() / (1 - (f * f).sum()))


def balanced(y: I64, p: F64, w: F64) -> float:
    loss = -np.log(p[np.arange(y.size), y])
    return float(np.mean([(w * loss)[y == c].sum() / w[y == c].sum() for c in np.unique(y)]))


FIGURES: dict[str, Figure] = {
    "normalized_cross_entropy": nce,
    "brier_skill_score": skill,
    "macro_f1": lambda y, p, w: float(sk.f1_score(y, p.argmax(1), average="macro", sample_weight=w)),
    "mcc": lambda y, p, w: float(sk.matthews_corrcoef(y, p.argmax(1), sample_weight=w)),
    "average_precision": lambda y, p, w: float(sk.average_precision_score(y, p[:, 1], sample_weight=w)),
    "balanced_cross_entropy": balanced,
    "expected_observed": lambda y, p, w: float((w * p[:, 1]).sum() / (w * y).sum()),
}
BINARY = ("average_precision", "expected_observed")


def influences(figure: Figure, y: I64, p: F64, w: F64, eps: float = 1e-4) -> F64:
    """w_i times the derivative of the figure by w_i, by central differences (n,)."""
    out = np.zeros(y.size)
    for i in range(y.size):
        up, down = w.copy(), w.copy()
        up[i] += eps * w[i]
        down[i] -= eps * w[i]
        out[i] = (figure(y, p, up) - figure(y, p, down)) / (2 * eps)
    return out


@pytest.mark.parametrize("name, classes", [("macro_f1", 3), ("mcc", 2), ("mcc", 3),
                                           ("average_precision", 2), ("expected_observed", 2)])  # fmt: skip
def test_weights_that_tell_of_label_and_score_are_in_the_standard_error(name: str, classes: int) -> None:
    y, p = drawn(classes + 20, classes, 50)
    w = (
        np.random.default_rng(0).integers(1, 5, y.size)
        * (1.0 + 9.0 * (y == 1))
        * (1.0 + 3.0 * (p[:, 0] > 0.5))
    )
    expected = jackknife(influences(FIGURES[name], y, p, w))
    kish = jackknife(influences(FIGURES[name], y, p, np.ones(y.size))) * math.sqrt((w * w).mean()) / w.mean()
    for scores in (p, p[:, 1]) if classes == 2 else (p,):
        value = read(known(y, scores, w), name)
        assert value.se == pytest.approx(expected, rel=1e-5) and abs(expected / kish - 1) > 0.1


def test_weights_of_a_class_are_no_matter_to_the_error_of_a_ranking() -> None:
    y, p = drawn(15, 2)
    plain = read(known(y, p), "auroc")
    for kind, scores in (("probs", p), ("logits", np.log(p)), ("logprobs", np.log(p)), ("probs", p[:, 1])):
        value = read(known(y, scores, np.where(y == 1, 12.0, 0.25), kind=kind), "auroc")
        assert (value.se, value.lo) == pytest.approx((plain.se, plain.lo), rel=1e-9)


def test_a_sample_of_weighted_rows_stands_for_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    y, p = drawn(16, 3, 20_000)
    y = np.where((y == 2) & (np.arange(y.size) % 100 > 0), 0, y)  # too rare to be looked at in the sample
    w = np.random.default_rng(0).integers(1, 5, y.size) * np.array([1.0, 4.0, 20.0])[y] * (1.0 + p[:, 1])
    every = {name: read(known(y, p, w), name).se for name in ("macro_f1", "mcc")}
    monkeypatch.setattr("xentcli.states.sample.MOST_ROWS", 2000)
    for name, se in every.items():
        assert read(known(y, p, w), name).se == pytest.approx(se, rel=0.03)


LEANING = ("normalized_cross_entropy", "brier_skill_score", "balanced_cross_entropy", "expected_observed")


def bottoms(name: str, y: I64, p: F64, w: F64) -> F64 | None:
    """The part of each row in what a ratio is over, all together 1 (n,); None of no ratio."""
    f = frequencies(y, w, p.shape[1])
    per = {"normalized_cross_entropy": -np.log(f), "brier_skill_score": 1 - 2 * f + (f * f).sum(),
           "expected_observed": np.array([0.0, 1.0])}.get(name)  # fmt: skip
    return None if per is None else w * per[y] / (w * per[y]).sum()


def steps(value: Value) -> tuple[float, float]:
    """How far below and above a figure its interval goes."""
    assert value.lo is not None and value.hi is not None and value.value is not None
    return value.value - value.lo, value.hi - value.value


def jackknife(parts: F64) -> float:
    return math.sqrt(parts.size / (parts.size - 1) * float((parts**2).sum()))


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("classes", [2, 4])
def test_a_standard_error_is_that_of_the_infinitesimal_jackknife(name: str, classes: int) -> None:
    if name in BINARY and classes > 2:
        return
    y, p = drawn(classes, classes, ties=name == "average_precision")
    value = read(known(y, p), name)
    assert value.se == pytest.approx(jackknife(influences(FIGURES[name], y, p, np.ones(y.size))), rel=1e-5)


@pytest.mark.parametrize("name", LEANING)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_interval_of_a_ratio_leans_as_what_rows_move_it_by(name: str, weighted: bool) -> None:
    y, p = drawn(7, 2 if name in BINARY else 3)
    w = np.random.default_rng(0).integers(1, 9, y.size) / 4 if weighted else np.ones(y.size)
    moves = influences(FIGURES[name], y, p, w)
    value = read(known(y, p, w if weighted else None), name)
    assert value.se == pytest.approx(jackknife(moves), rel=1e-5)
    expected = skewed(moves, rows=True, bottom=bottoms(name, y, p, w))
    ratio = steps(value)[0] / steps(value)[1]
    assert ratio == pytest.approx(expected[0] / expected[1], rel=1e-5)
    assert expected[1] != pytest.approx(expected[0], rel=0.01)


def quantities(y: I64, p: F64) -> dict[str, F64]:
    """What the means are of (n,)."""
    loss, entropy = -np.log(p[np.arange(y.size), y]), -(p * np.log(p)).sum(axis=1)
    brier = ((p - np.eye(p.shape[1])[y]) ** 2).sum(axis=1) / (2 if p.shape[1] == 2 else 1)
    return {"cross_entropy": loss, "brier_score": brier, "predictive_entropy": entropy,
            "overconfidence": loss - entropy}  # fmt: skip


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["probs", "logits", "logprobs", "one column"])
def test_the_interval_of_a_mean_leans_as_rows_do(kind: str, weighted: bool) -> None:
    for classes in (2,) if kind == "one column" else (2, 3):
        y, p = drawn(12, classes)
        w = np.random.default_rng(0).integers(1, 9, y.size) / 4 if weighted else None
        scores = p[:, 1] if kind == "one column" else p if kind == "probs" else np.log(p)
        found = known(y, scores, w, kind="probs" if kind == "one column" else kind)
        own = np.ones(y.size) if w is None else w
        for name, x in quantities(y, p).items():
            parts = own * (x - (own * x).sum() / own.sum()) / own.sum()
            expected = skewed(parts, rows=True)
            assert steps(read(found, name)) == pytest.approx(expected, rel=1e-6), name
            assert expected[1] != pytest.approx(expected[0], rel=0.01)


def test_many_rows_lean_as_a_sample_of_them_does() -> None:
    y, p = drawn(13, 3, 30_000)
    for found in (known(y, p), known(np.minimum(y, 1), p[:, 1])):
        labels, q = (
            (y, p) if found.spec.size == 3 else (np.minimum(y, 1), np.stack([1 - p[:, 1], p[:, 1]], 1))
        )
        for name, x in quantities(labels, q).items():
            expected = skewed((x - x.mean()) / x.size, rows=True)
            assert steps(read(found, name)) == pytest.approx(expected, rel=2e-3), name


@pytest.mark.parametrize("task", ["soft", "multilabel"])
def test_rows_that_say_something_of_every_class_lean_too(task: str) -> None:
    rng = np.random.default_rng(14)
    p, q = rng.dirichlet(np.full(3, 0.5), 300) * 0.98 + 0.01, rng.dirichlet(np.full(3, 0.3), 300)
    q = q if task == "soft" else (q > 0.3).astype(np.float64)
    p = p / p.sum(axis=1, keepdims=True) if task == "soft" else p
    found = known([], p, task=task, targets=q)
    loss = -(q * np.log(p) + (0 if task == "soft" else (1 - q) * np.log1p(-p))).sum(axis=1)
    brier = ((p - q) ** 2).sum(axis=1)
    means = {"cross_entropy": loss, "brier_score": brier}
    if task == "soft":
        means["kl_divergence"] = loss + (q * np.log(q)).sum(axis=1)
    else:
        means = {name: x / 3 for name, x in means.items()}
    for name, x in means.items():
        expected = skewed((x - x.mean()) / x.size, rows=True)
        assert steps(read(found, name)) == pytest.approx(expected, rel=1e-6), name
    f, per = q.mean(axis=0), 1 if task == "soft" else 3
    other = -(q * np.log(f) + (0 if task == "soft" else (1 - q) * np.log1p(-f))).sum(axis=1) / per
    ratios = {"normalized_cross_entropy": (means["cross_entropy"], other),
              "brier_skill_score": (means["brier_score"], ((q - f) ** 2).sum(axis=1) / per)}  # fmt: skip
    for name, (x, a) in ratios.items():
        moves = (x - x.mean() / a.mean() * a) / a.sum() * (-1 if name == "brier_skill_score" else 1)
        expected = skewed(moves, rows=True, bottom=a / a.sum())
        assert steps(read(found, name)) == pytest.approx(expected, rel=1e-6), name


@pytest.mark.parametrize(
    "name", ["macro_f1", "mcc", "average_precision", "auroc", "normalized_cross_entropy"]
)
def test_equal_weights_change_no_standard_error(name: str) -> None:
    y, p = drawn(8, 2)
    plain, weighted = read(known(y, p), name), read(known(y, p, np.full(y.size, 0.3)), name)
    assert plain.se is not None and weighted.se == pytest.approx(plain.se, rel=1e-9)


@pytest.mark.parametrize("name", [n for n in FIGURES if n not in BINARY])
@pytest.mark.parametrize("weighted", [False, True])
def test_clusters_move_together(name: str, weighted: bool) -> None:
    y, p = drawn(9, 3)
    group = np.arange(y.size) // 6 * 40  # 25 buckets
    w = np.random.default_rng(1).integers(1, 9, y.size) / 4 if weighted else np.ones(y.size)
    parts: F64 = np.bincount(group // 40, influences(FIGURES[name], y, p, w)).astype(np.float64)
    value = read(known(y, p, w if weighted else None, groups=group), name)
    assert value.se == pytest.approx(jackknife(parts), rel=1e-5)
    if name in LEANING:
        below = bottoms(name, y, p, w)
        bottom = None if below is None else np.bincount(group // 40, below).astype(np.float64)
        assert steps(value) == pytest.approx(skewed(parts, bottom=bottom), rel=1e-5)


def test_a_class_of_one_row_leaves_the_mean_over_classes_without_an_error() -> None:
    y, p = drawn(9, 3)
    few = np.append(np.flatnonzero(y != 2), np.flatnonzero(y == 2)[:1])
    value = read(known(y[few], p[few]), "balanced_cross_entropy")
    assert value.value == pytest.approx(balanced(y[few], p[few], np.ones(few.size))) and value.se is None
    two = np.append(np.flatnonzero(y != 2), np.flatnonzero(y == 2)[:2])
    assert read(known(y[two], p[two]), "balanced_cross_entropy").se is not None
    assert read(known(y[few], p[few], np.full(few.size, 0.3)), "balanced_cross_entropy").se is None


@pytest.mark.parametrize("ties", [False, True])
def test_auroc_has_the_standard_error_of_delong(ties: bool) -> None:
    y, p = drawn(10, 2, ties=ties)
    high, low = p[y == 1, 1], p[y == 0, 1]
    wins = (high[:, None] > low) + 0.5 * (high[:, None] == low)
    variance = wins.mean(axis=1).var(ddof=1) / high.size + wins.mean(axis=0).var(ddof=1) / low.size
    value = read(known(y, p), "auroc")
    assert value.value == pytest.approx(wins.mean())
    assert value.se == pytest.approx(math.sqrt(variance), rel=1e-9)


def test_a_prior_that_is_given_is_no_estimate() -> None:
    from dataclasses import replace

    y, p = drawn(11, 3)
    q = np.array([0.2, 0.3, 0.5])

    def against(y: I64, p: F64, w: F64) -> float:
        loss, other = -np.log(p[np.arange(y.size), y]), -np.log(q[y])
        return float((w * loss).sum() / (w * other).sum())

    found = read(replace(known(y, p), prior=q), "normalized_cross_entropy")
    assert found.value == pytest.approx(against(y, p, np.ones(y.size)))
    assert found.se == pytest.approx(jackknife(influences(against, y, p, np.ones(y.size))), rel=1e-5)


def test_sparse_pairs_of_many_classes_give_what_a_dense_matrix_does(monkeypatch: pytest.MonkeyPatch) -> None:
    y, p = drawn(12, 5)
    dense = {name: read(known(y, p), name) for name in ("macro_f1", "mcc")}
    monkeypatch.setattr("xentcli.states.confusion.DENSE_UP_TO", 4)
    for name, value in dense.items():
        assert read(known(y, p), name).se == pytest.approx(value.se, rel=1e-12)


def test_a_model_that_is_the_reference_has_a_ratio_without_error() -> None:
    y = np.array([0, 1, 1, 1] * 10)
    value = read(known(y, np.full(40, 0.75)), "normalized_cross_entropy")
    assert value.value == pytest.approx(1.0) and value.se == 0.0


def test_a_million_scores_are_thinned_for_their_error_alone() -> None:
    rng = np.random.default_rng(13)
    low, high = rng.random(100_000), rng.random(100_000) ** 0.5
    p, y = np.concatenate([low, high]), np.repeat([0, 1], 100_000)
    order = np.argsort(p)
    above = np.cumsum(y[order] == 0)[y[order] == 1] / 100_000
    below = 1 - (np.cumsum(y[order] == 1)[y[order] == 0]) / 100_000
    value = read(known(y, p), "auroc")
    assert value.value == pytest.approx(above.mean(), rel=1e-12)
    expected = math.sqrt(above.var(ddof=1) / above.size + below.var(ddof=1) / below.size)
    assert value.se == pytest.approx(expected, rel=1e-4)
