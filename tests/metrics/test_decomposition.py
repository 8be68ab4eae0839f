"""Calibration and refinement loss: against scipy's minimisers, on every road that leads to them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import optimize, special

from tests.corpus.corpus import parquet, score, xent
from tests.metrics.scored import Array, known, number, read
from xentcli.batch import F64, I64
from xentcli.metrics.known import Known
from xentcli.numerics.rowhash import FOLDS, folds
from xentcli.numerics.temperature import GRID, Curve, Depths, curve_of, fit
from xentcli.states import sample
from xentcli.states.sample import Sample

KEYS = ("temperature", "calibration_loss", "refinement_loss")


def drawn(n: int, classes: int, true: float, seed: int = 0) -> tuple[F64, I64]:
    """Logits that are `true` times too large for the labels drawn from them."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, classes)) * 2
    p = special.softmax(z, axis=1)
    labels = (rng.random((n, 1)) > p.cumsum(axis=1)).sum(axis=1).clip(0, classes - 1)
    return z * true, labels.astype(np.int64)


def loss_at(u: float, z: F64, labels: I64, weights: F64 | None = None) -> float:
    """Mean loss under the temperature e^-u, as scipy computes it."""
    logs = special.log_softmax(z * math.exp(u), axis=1)[np.arange(len(z)), labels]
    return float(np.average(-logs, weights=weights))


def best(z: F64, labels: I64, weights: F64 | None = None) -> float:
    """u of the least loss: the root of its slope in 1/T, as scipy finds it."""

    def slope(u: float) -> float:
        p = special.softmax(z * math.exp(u), axis=1)
        return float(np.average((p * z).sum(axis=1) - z[np.arange(len(z)), labels], weights=weights))

    return float(optimize.brentq(slope, -math.log(16), math.log(16), xtol=1e-14))


def by_folds(z: F64, labels: I64, fold: I64, weights: F64 | None = None) -> float:
    """Mean loss of each row under the best temperature of the other folds."""
    w = np.ones(len(z)) if weights is None else weights
    total = 0.0
    for k in np.unique(fold):
        own = fold == k
        total += loss_at(best(z[~own], labels[~own], w[~own]), z[own], labels[own], w[own]) * w[own].sum()
    return total / float(w.sum())


def folds_of(found: Known) -> I64:
    """The folds of the sample's rows, in its order."""
    return folds(found.states.sample.kept().hash)


@pytest.mark.parametrize("kind", ["logits", "logprobs", "probs", "renormalize"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("classes", [3, 70])
def test_every_kind_of_scores_gives_what_scipy_finds(kind: str, weighted: bool, classes: int) -> None:
    z, labels = drawn(400, classes, 1.7)
    w = np.random.default_rng(1).uniform(0.1, 3, 400) if weighted else None
    logs = special.log_softmax(z, axis=1)
    scores = {"logits": z, "logprobs": logs}.get(kind, np.exp(logs))
    options: dict[str, Any] = {"kind": kind}
    if kind == "renormalize":
        scores, options = scores * np.linspace(0.5, 2, 400)[:, None], {"kind": "probs", "renormalize": True}
    found = known(labels, scores, w, **options)
    u = best(z, labels, w)
    assert number(found, "temperature") == pytest.approx(math.exp(-u), rel=1e-9)
    # The sample has its rows in the order of their hashes.
    order = np.argsort(_hashes(found, scores, labels, w))
    out = by_folds(z[order], labels[order], folds_of(found), None if w is None else w[order])
    value, whole = read(found, "calibration_loss"), number(found, "cross_entropy")
    assert value.value == value.lower == pytest.approx(whole - out, abs=1e-10)
    assert value.upper == pytest.approx(whole - loss_at(u, z, labels, w), abs=1e-10)
    assert number(found, "refinement_loss") == pytest.approx(out, abs=1e-10)
    assert value.n == 400


def _hashes(found: Known, scores: F64, labels: I64, weights: F64 | None) -> Array:
    from xentcli.batch import Batch, Place
    from xentcli.plan import compute

    rows = compute(Batch(labels, Place("rows", 1), matrix=scores, weights=weights), found.spec)
    assert rows is not None
    return rows.hashes().copy()


def upper(found: Known) -> float:
    """The calibration loss with the temperature fitted on the rows themselves."""
    value = read(found, "calibration_loss").upper
    assert value is not None
    return value


@pytest.mark.parametrize("kind", ["probs", "logits", "logprobs"])
def test_binary_cells_give_what_the_rows_do(kind: str) -> None:
    z, labels = drawn(3000, 2, 0.6)
    log_odds = z[:, 1] - z[:, 0]
    p = special.expit(log_odds)
    score = {"probs": p, "logits": log_odds, "logprobs": np.log(p)}[kind]
    found = known(labels, score, kind=kind)
    u = best(z, labels)
    assert number(found, "temperature") == pytest.approx(math.exp(-u), rel=1e-9)
    value = read(found, "calibration_loss")
    assert value.upper == pytest.approx(loss_at(0, z, labels) - loss_at(u, z, labels), abs=1e-10)
    assert value.lower is not None and 0 < value.lower < upper(found)  # 0.6 is no chance
    assert found.recalibrated.rows == value.n == 3000  # type: ignore[union-attr]
    for two in (known(labels, special.softmax(z, axis=1)), known(labels, z, kind="logits")):
        assert number(two, "temperature") == pytest.approx(math.exp(-u), rel=1e-9)


@pytest.mark.parametrize("kind", ["probs", "logits", "logprobs"])
def test_cells_of_many_scores_tell_how_far_the_temperature_may_be_off(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    z, labels = drawn(4000, 2, 1.5)
    log_odds = z[:, 1] - z[:, 0]
    p = special.expit(log_odds)
    score = {"probs": p, "logits": log_odds, "logprobs": np.log(p)}[kind]
    exact = number(known(labels, score, kind=kind), "temperature")
    monkeypatch.setattr("xentcli.states.scores.MOST_CELLS", 300)
    found = known(labels, score, kind=kind, every_row=True)
    value = read(found, "temperature")
    assert found.states.scores.level > 0 and value.bound is not None and value.value is not None
    assert 0 < abs(value.value - exact) <= value.bound
    assert kind != "logits" or value.bound < 0.2 * exact  # p next to 1 are told apart by few cells


def test_rows_that_are_the_same_are_dealt_over_the_folds() -> None:
    """With two scores only, folds of equal rows would know nothing of what they are tried on."""
    rng = np.random.default_rng(3)
    score = rng.choice([0.2, 0.9], 40_000)
    labels = (rng.random(40_000) < np.where(score == 0.2, 0.35, 0.75)).astype(np.int64)
    for found in (known(labels, score), known(labels, np.stack([1 - score, score], axis=1))):
        value = read(found, "calibration_loss")
        assert value.lower is not None and value.upper is not None
        assert 0.05 < value.lower < value.upper < value.lower + 1e-3
        assert value.n == 40_000


def test_a_row_of_weight_three_is_three_rows_where_the_fit_is_of_all() -> None:
    z, labels = drawn(300, 4, 2.0)
    w = np.random.default_rng(0).integers(1, 4, 300)
    one = known(labels, z, w.astype(float), kind="logits")
    many = known(labels.repeat(w), z.repeat(w, axis=0), kind="logits")
    assert number(one, "temperature") == pytest.approx(number(many, "temperature"), rel=1e-12)
    assert upper(one) == pytest.approx(upper(many), rel=1e-12)


def test_soft_labels_are_their_rows_split_by_class() -> None:
    z, _ = drawn(200, 3, 1.5)
    q = special.softmax(z / 2 + np.random.default_rng(2).normal(size=z.shape), axis=1)
    soft = known([], z, task="soft", kind="logits", targets=q)
    hard = known(np.tile(np.arange(3), 200), z.repeat(3, axis=0), q.ravel(), kind="logits")
    assert number(soft, "temperature") == pytest.approx(number(hard, "temperature"), rel=1e-12)
    assert upper(soft) == pytest.approx(upper(hard), abs=1e-12)


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_clip_is_what_it_is_for_the_loss(columns: int) -> None:
    rng = np.random.default_rng(8)
    p = rng.dirichlet([0.2] * max(2, columns), 500)
    p[:40, 0], p[:40, 1:] = 1.0, 0.0
    labels = np.where(rng.random(500) < 0.2, rng.integers(0, p.shape[1], 500), p.argmax(axis=1))
    assert read(known(labels, p), "temperature").why == "the cross-entropy is infinite, at every temperature"
    found = known(labels, p[:, 1] if columns == 1 else p, clip=1e-3)
    clipped = np.log(np.maximum(p, 1e-3))
    assert number(found, "temperature") == pytest.approx(math.exp(-best(clipped, labels)), rel=1e-9)


def test_the_grid_of_all_rows_is_as_near_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "MOST_ROWS", 50)
    for classes, true, weighted in ((3, 1.4, False), (70, 3.0, False), (10, 0.3, True)):
        z, labels = drawn(1500, classes, true)
        w = np.random.default_rng(1).uniform(0.1, 3, 1500) if weighted else None
        found = known(labels, z, w, kind="logits", every_row=True)
        u = best(z, labels, w)
        assert number(found, "temperature") == pytest.approx(math.exp(-u), rel=2e-5)
        value, whole = read(found, "calibration_loss"), number(found, "cross_entropy")
        assert value.upper == pytest.approx(whole - loss_at(u, z, labels, w), abs=1e-6)
        fold = folds(_hashes(found, z, labels, w))
        assert value.lower == pytest.approx(whole - by_folds(z, labels, fold, w), abs=1e-6)
        assert (value.n, found.recalibrated.how) == (1500, "grid")  # type: ignore[union-attr]


def test_a_sample_is_taken_off_the_loss_of_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "MOST_ROWS", 4000)
    z, labels = drawn(20_000, 5, 2.0)
    found = known(labels, z, kind="logits")
    assert isinstance(found.states.sample, Sample)
    value = read(found, "calibration_loss")
    assert value.n == 4000 and found.recalibrated.how == "sample"  # type: ignore[union-attr]
    assert number(found, "calibration_loss") + number(found, "refinement_loss") == pytest.approx(
        number(found, "cross_entropy"), rel=1e-15
    )
    assert number(found, "temperature") == pytest.approx(2.0, rel=0.1)


def test_there_is_no_best_temperature_where_all_are_right_or_all_wrong() -> None:
    z, _ = drawn(100, 3, 1.0)
    for labels, end in ((z.argmax(axis=1), "1/16"), (z.argmin(axis=1), "16")):
        found = known(labels, z, kind="logits")
        for key in KEYS:
            value = read(found, key)
            assert value.value is None and f"temperature {end}:" in (value.why or "")


def test_few_rows_and_other_tasks_have_none() -> None:
    z, labels = drawn(19, 3, 1.0)
    assert read(known(labels, z, kind="logits"), "temperature").why == "fewer than 20 rows"
    several = known([], special.expit(z), task="multilabel", targets=(z > 0).astype(float))
    assert read(several, "temperature").value is None


def test_certain_and_masked_rows_count_as_softmax_has_them() -> None:
    z, labels = drawn(200, 4, 2.0)
    z[np.arange(200), (labels + 1) % 4] = -np.inf  # a class that is impossible in each row
    plain = np.where(np.isinf(z), -1e5, z)
    assert number(known(labels, z, kind="logits"), "temperature") == pytest.approx(
        math.exp(-best(plain, labels)), rel=1e-9
    )
    z[:30], z[np.arange(30), labels[:30]] = 0.0, np.inf  # certain, and right: no loss at any temperature
    assert number(known(labels, z, kind="logits"), "temperature") == pytest.approx(
        math.exp(-best(plain[30:], labels[30:])), rel=1e-9
    )


def test_the_derivatives_are_those_of_the_loss() -> None:
    z, labels = drawn(50, 4, 1.0)
    loss = -special.log_softmax(z, axis=1)[np.arange(50), labels]
    rows = Depths.of(z.T.copy(), loss, 0, given=False)
    h = 1e-4
    for u in (-2.0, 0.0, 1.0):
        at, before, after = rows.curve(u), rows.curve(u - h), rows.curve(u + h)
        assert at[0].mean() == pytest.approx(loss_at(u, z, labels), rel=1e-12)
        assert at[1] == pytest.approx((after[0] - before[0]) / (2 * h), abs=1e-6)
        assert at[2] == pytest.approx((after[1] - before[1]) / (2 * h), abs=1e-6)


def test_a_curve_between_its_nodes_is_exact_for_polynomials_of_degree_five() -> None:
    c = np.random.default_rng(0).normal(size=6)
    p = np.polynomial.Polynomial(c)
    nodes = (-1.0, 0.5, 2.0)
    sums = np.array([[(p(u), p.deriv()(u), p.deriv(2)(u)) for u in nodes]])
    curve = Curve(nodes, sums)
    for u in np.linspace(-1, 2, 13):
        assert curve.at(sums[0], float(u)) == pytest.approx(p(u), rel=1e-12, abs=1e-12)


def test_nodes_close_around_the_optimum_and_the_grid_agree() -> None:
    z, labels = drawn(5000, 10, 1.3)
    loss = -special.log_softmax(z, axis=1)[np.arange(5000), labels]
    rows = Depths.of(z.T.copy(), loss, 0, given=False)
    weights = np.eye(FOLDS)[np.arange(5000) % FOLDS].T.copy()
    near = fit(curve_of(rows, weights), weights.sum(axis=1))
    sums = np.stack([np.array([weights @ x for x in rows.curve(u)]).T for u in GRID], axis=1)
    far = fit(Curve(GRID, sums), weights.sum(axis=1))
    assert far.temperature == pytest.approx(near.temperature, rel=1.4e-5)
    assert far.cross_fitted == pytest.approx(near.cross_fitted, abs=4e-7)
    assert far.in_sample == pytest.approx(near.in_sample, abs=4e-7)


def test_one_group_leaves_no_rows_to_fit_a_temperature_on(tmp_path: Path) -> None:
    """The temperature of all rows stands; what it would gain on others is not known."""
    p = np.random.default_rng(3).uniform(0.05, 0.95, 60)
    columns = {"p": p, "y": (p > 0.4).astype(int), "one": ["a"] * 60, "two": ["a", "b"] * 30}
    path = parquet(tmp_path / "preds.parquet", columns)
    for options in ([], ["-m", "calibration_loss", "-m", "refinement_loss"]):
        report = score(path, "--group", "one", *options).report
        for name in ("calibration_loss", "refinement_loss"):
            assert report["metrics"][name]["state"] == "undefined", name
            assert "one group" in report["metrics"][name]["why"]
        alone = score(path, *options).report["metrics"]["temperature"]["value"]
        assert report["metrics"]["temperature"]["value"] == alone and "recalibration" not in report["data"]
    assert "recalibration" not in xent("score", path, "--group", "one").out
    assert score(path, "--group", "two").report["metrics"]["calibration_loss"]["state"] == "finite"
