"""Where the loss comes from: shares of the worst rows, and when few of them carry the mean."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

import xentcli
from tests.corpus.corpus import xent
from tests.metrics.scored import known, read
from xentcli.batch import F64, Batch, Place, Spec
from xentcli.cautions import MOST_SKEWED
from xentcli.metrics import proper, tail
from xentcli.metrics.known import Known
from xentcli.numerics.student import leaning, skew
from xentcli.plan import StateSet

PARTS = {"loss_share_worst_0_1pct": 0.001, "loss_share_worst_1pct": 0.01, "loss_share_worst_10pct": 0.1}


def worst(loss: F64, weight: F64, part: float) -> float:
    """The share of the loss of the worst `part` of the weight, row by row."""
    order = np.argsort(-loss, kind="stable")
    left, total = part * math.fsum(weight), 0.0
    for value, mass in zip(loss[order].tolist(), weight[order].tolist(), strict=True):
        taken = min(left, mass)
        total += taken * value
        left -= taken
    return total / math.fsum(loss * weight)


def rows(task: str, kind: str, n: int, weighted: bool) -> tuple[Known, F64, F64]:
    """Rows of a task, their losses and weights."""
    rng = np.random.default_rng(n)
    weight = rng.gamma(2.0, size=n) if weighted else None
    mass = np.ones(n) if weight is None else weight
    if task == "multilabel":
        p, target = rng.beta(0.3, 0.3, (n, 4)), (rng.random((n, 4)) < 0.3).astype(np.float64)
        loss = -(target * np.log(p) + (1 - target) * np.log1p(-p)).mean(axis=1)
        return known([], p, weight, task=task, targets=target), loss, mass
    size = 2 if task == "binary" else 5
    z = rng.normal(0, 4, (n, size))
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    if task == "soft":
        target = rng.dirichlet(np.full(size, 0.3), n)
        loss = -(target * np.log(p)).sum(axis=1)
        return known([], z, weight, task=task, kind="logits", targets=target), loss, mass
    y = np.array([rng.choice(size, p=one) for one in p])
    loss = -np.log(p[np.arange(n), y])
    if task != "binary":
        return known(y, z, weight, kind="logits"), loss, mass
    score = {"probs": p[:, 1], "logits": z[:, 1] - z[:, 0], "logprobs": np.log(p[:, 1])}[kind]
    return known(y, score, weight, kind=kind), loss, mass


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("task", "kind"),
    [("binary", "probs"), ("binary", "logits"), ("binary", "logprobs"),
     ("multiclass", ""), ("soft", ""), ("multilabel", "")],
)  # fmt: skip
def test_shares_are_those_of_the_sorted_rows(task: str, kind: str, weighted: bool) -> None:
    found, loss, mass = rows(task, kind, 3_333, weighted)
    for name, part in PARTS.items():
        value = read(found, name)
        expected = worst(loss, mass, part)
        assert value.value is not None
        if task == "binary":  # exact: a cell is a score
            assert value.bound is None
            assert value.value == pytest.approx(expected, rel=1e-11)
        else:
            assert value.bound is not None and value.bound < 0.002
            assert abs(value.value - expected) <= value.bound


def test_a_row_at_the_border_counts_in_part() -> None:
    found = known([1, 1, 1, 1, 1], [0.5, 0.6, 0.7, 0.8, math.exp(-2.0)])
    total = 2.0 - sum(map(math.log, (0.5, 0.6, 0.7, 0.8)))
    assert read(found, "loss_share_worst_10pct").value == pytest.approx(0.5 * 2.0 / total, rel=1e-14)
    one = known([1], [0.5])
    assert read(one, "loss_share_worst_1pct").value == pytest.approx(0.01, rel=1e-14)


def test_a_million_scores_leave_a_bound_that_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xentcli.states.scores.MOST_CELLS", 3_000)
    found, loss, mass = rows("binary", "logits", 4_000, False)
    assert found.states.scores.cells()[0].size <= 3_000 and found.states.scores.level
    for name, part in PARTS.items():
        value = read(found, name)
        assert value.value is not None and value.bound is not None and 0 < value.bound < 0.01
        assert abs(value.value - worst(loss, mass, part)) <= value.bound + 1e-12


@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1.0, 1e4, 1e6, 1e200])
def test_losses_of_any_size_have_bounds_that_hold(scale: float) -> None:
    """Below 2**-64 nats rows are not told apart, above 2**16 only counted and added up."""
    rng = np.random.default_rng(3)
    loss = rng.exponential(scale, 500)
    z = np.stack([-loss, np.zeros(500), np.full(500, -np.inf)], axis=1)
    if scale < 1e-3:
        z = np.stack([np.zeros(500), np.log(np.expm1(loss)), np.full(500, -np.inf)], axis=1)
    else:
        loss = np.logaddexp(0.0, loss)
    found = known(np.zeros(500, np.int64), z, kind="logits")
    for name, part in PARTS.items():
        value = read(found, name)
        assert value.value is not None and value.bound is not None
        assert abs(value.value - worst(loss, np.ones(500), part)) <= value.bound + 1e-9
        assert value.bound < (0.002 if 1e-20 < scale < 1e4 else 0.6)


def test_a_total_that_is_infinite_or_zero_has_no_shares() -> None:
    impossible = known([0, 1, 2], [[0.5, 0.3, 0.2], [1.0, 0.0, 0.0], [0.2, 0.2, 0.6]])
    assert read(impossible, "loss_share_worst_1pct").why == "the total loss is infinite"
    for scores in ([[1.0, 0.0, 0.0]] * 3, [0.0] * 3):
        found = known([0, 0, 0], scores)
        assert read(found, "loss_share_worst_10pct").why == "the total loss is 0"


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_skewness_of_the_mean_is_that_of_the_losses_over_the_root_of_their_number(task: str) -> None:
    found, loss, _ = rows(task, "logits", 3_333, False)
    expected = stats.skew(loss) / math.sqrt(3_333)
    assert tail.skewness(found) == pytest.approx(expected, rel=1e-9 if task == "binary" else 1e-3)


def test_weights_that_repeat_rows_have_the_skewness_of_the_repeated_rows() -> None:
    p = np.random.default_rng(5).beta(3.0, 0.5, 400)
    times = np.random.default_rng(6).integers(1, 4, 400)
    weighted = tail.skewness(known(np.ones(400, np.int64), p, times.astype(np.float64)))
    repeated = stats.skew(-np.log(np.repeat(p, times)))
    effective = times.sum() ** 2 / (times**2).sum()
    assert weighted == pytest.approx(repeated / math.sqrt(effective), rel=1e-9)


def logits(loss: F64) -> F64:
    """Two columns whose first class has these losses."""
    other = np.where(loss < 30, np.log(np.expm1(np.minimum(loss, 30))), loss)
    return np.stack([np.zeros(loss.size), other], axis=1)


@pytest.mark.parametrize("weighted", [False, True])
def test_with_groups_it_is_the_skewness_of_the_sums_of_clusters(weighted: bool) -> None:
    rng = np.random.default_rng(7)
    n = 600
    p, bucket, w = rng.beta(2.0, 0.6, n), rng.integers(0, 40, n), rng.gamma(2.0, size=n)
    mass = w if weighted else np.ones(n)
    spec = Spec("binary", "probs", ("a", "b"), 1, ("p",), weighted=weighted, grouped=True)
    states = StateSet.empty(spec)
    batch = Batch(np.ones(n, np.int64), Place("rows", 1), columns=(p,), groups=bucket,
                  weights=w if weighted else None)  # fmt: skip
    states.fold(batch, n)
    loss = -np.log(p)
    d = mass * (loss - np.average(loss, weights=mass))
    u = np.bincount(bucket, d)
    expected = (u**3).sum() / (u**2).sum() ** 1.5
    assert tail.skewness(Known(states)) == pytest.approx(expected, rel=1e-9)


def test_a_rule_may_bound_the_share_of_the_worst_rows(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("p_a,p_b,label\n" + "0.9,0.1,a\n" * 99 + "0.01,0.99,a\n")
    share = math.log(0.01) / (math.log(0.01) + 99 * math.log(0.9))
    for limit, code in ((share + 1e-9, 0), (share - 1e-3, 1)):
        ran = xent("score", tmp_path / "in.csv", "--require", f"loss_share_worst_1pct <= {limit}")
        assert ran.code == code, ran.err


def pareto_shape(loss: F64, level: float) -> float:
    """Zhang & Stephens on the rows themselves that lie above a level, as PSIS writes it."""
    x = np.sort(loss[loss > level]) - level
    n = x.size
    assert 80 <= n <= 100
    points = 30 + int(math.sqrt(n))
    b = 1 / x[-1] + (1 - np.sqrt(points / (np.arange(1, points + 1) - 0.5))) / (3 * x[int(n / 4 + 0.5) - 1])
    k = np.array([np.log1p(-one * x).mean() for one in b])
    likelihood = n * (np.log(-b / k) - k - 1)
    weight = np.array([1 / np.exp(likelihood - one).sum() for one in likelihood])
    best = float(np.log1p(-(b * weight).sum() * x).mean())
    return (n * best + 5) / (n + 10)


@pytest.mark.parametrize("index", [1.2, 2.0, 4.0])
def test_shape_is_that_of_the_highest_losses(index: float) -> None:
    rng = np.random.default_rng(8)
    for _ in range(3):
        loss = rng.pareto(index, 8_000) + 1.0
        found = known(np.zeros(8_000, np.int64), logits(loss), kind="logits")
        above = np.cumsum(found.losses.mass)
        level = found.losses.lo[np.searchsorted(above, tail.HIGHEST, "right") - 1]
        assert tail.shape(found) == pytest.approx(pareto_shape(loss, float(level)), abs=0.02)


def scored(loss: F64, **options: Any) -> set[str]:
    """Ids of the warnings about rows with these losses."""
    labels = np.zeros(loss.size, np.int64)
    labels[:2] = [0, 1]
    report = xentcli.score(logits(loss), labels=labels, kind="logits", **options)
    return {warning.id for warning in report.warnings}


def test_few_rows_that_carry_the_loss_are_warned_of() -> None:
    rng = np.random.default_rng(9)
    assert "XW118" in scored(rng.pareto(1.2, 6_000) + 1.0)  # no variance
    assert "XW118" not in scored(rng.exponential(1.0, 6_000))
    few = np.where(rng.random(6_000) < 0.003, rng.exponential(3.0, 6_000), 0.01)
    assert "XW118" in scored(few)  # 18 rows
    many = np.where(rng.random(6_000) < 0.1, rng.exponential(3.0, 6_000), 0.01)
    assert "XW118" not in scored(many)


@pytest.mark.parametrize("groups", [20, 400])
def test_few_groups_that_carry_the_loss_are_warned_of(groups: int) -> None:
    """A tenth of the groups has nearly all the loss: two of them, or forty."""
    rng = np.random.default_rng(9)
    doc = np.repeat(np.arange(groups), 4000 // groups)
    loss = np.where(doc % 10, 0.01, rng.exponential(3.0, 4000))
    loss[1] = math.log(2.0)  # whichever label it has
    columns = dict(zip("ab", logits(loss).T, strict=True))
    label = ["a", "b", *["a"] * 3998]
    report = xentcli.score(pa.table(columns | {"label": label, "doc": doc}), kind="logits", group="doc")
    found = [warning.message for warning in report.warnings if warning.id == "XW118"]
    if groups == 400:
        assert not found
        return
    asked = math.ceil((stats.skew(np.bincount(doc, loss)) / 0.3) ** 2)
    said = f"few groups carry the loss: with a loss so skewed, an interval asks for about {asked} groups like"
    assert found and found[0].startswith(said)


def test_up_to_the_limit_intervals_hold_what_they_say() -> None:
    """Exponential losses, G1 = 2: an interval that leans misses them in 5 %, and one that does not in 7 %."""
    n, z, missed = math.ceil((2.0 / MOST_SKEWED) ** 2), 1.959963984540054, np.zeros(2)
    for x in np.random.default_rng(0).exponential(1.0, (4000, n)):
        moves = (x - x.mean()) / n
        t = (x.mean() - 1.0) / math.sqrt(n / (n - 1) * float((moves**2).sum()))
        below, above = leaning(z, skew(moves))
        missed += not -above <= t <= below, abs(t) > z
    assert missed[0] / 4000 == pytest.approx(0.06, abs=0.011) and missed[1] > 1.1 * missed[0]


@pytest.mark.parametrize(("positives", "size", "warned"), [(9, 1, True), (20, 1, False), (9, 5, True),
                                                           (20, 5, True), (40, 5, False)])  # fmt: skip
def test_a_skill_over_a_score_that_few_rows_or_groups_tell_is_warned_of(
    positives: int, size: int, warned: bool
) -> None:
    """By the closed form of the standard error of q(1 - q) for groups whose rows are copies."""
    y = np.repeat(np.arange(500) < positives, size).astype(np.int64)
    p = np.where(y == 1, 0.3, 0.1)
    q = positives / 500
    expected = (1 - 2 * q) / math.sqrt(q * (1 - q) * 499)
    found = known(y, p, groups=np.arange(y.size) // size if size > 1 else None)
    assert proper.reference_uncertainty(found) == pytest.approx(expected, rel=1e-9)
    columns = {"p": p, "label": y, "doc": np.arange(y.size) // size}
    report = xentcli.score(pa.table(columns), label="label", pred="p", group="doc" if size > 1 else None)
    ids = {warning.id for warning in report.warnings}
    assert ("XW121" in ids) == warned == (expected > (0.2 if size > 1 else 0.25))
