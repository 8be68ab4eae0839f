"""What chance makes of errors whose labels are no draws, and errors over rows of several labels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score

from tests.metrics.scored import known, number, read
from xentcli.batch import F64, Spec
from xentcli.metrics.calibration import diagram
from xentcli.metrics.chance import redraws
from xentcli.metrics.known import Known
from xentcli.plan import needed
from xentcli.records import replace
from xentcli.states import clusterlabels

BINS = 15


def soft(seed: int, n: int, factor: float = 1.0, votes: int = 5) -> tuple[F64, F64]:
    """Predictions and soft labels of three classes (n, 3): shares of votes drawn with the probabilities."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 3)) * 1.5
    true, p = (np.exp(t * z) / np.exp(t * z).sum(axis=1, keepdims=True) for t in (1.0, factor))
    return p, rng.multinomial(votes, true) / votes


def several(seed: int, n: int, factor: float = 1.0, digits: int = 9) -> tuple[F64, F64]:
    """Predictions and labels of four labels (n, 4), which half of the rows draw with one luck."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 4)) * 1.5
    true, p = (np.round(1 / (1 + np.exp(-t * z)), digits) for t in (1.0, factor))
    luck = np.where(rng.random((n, 1)) < 0.5, rng.random((n, 1)), rng.random((n, 4)))
    return p, (luck < true).astype(np.float64)


def bins_of(p: F64) -> Any:
    return np.maximum(np.ceil(p * BINS).astype(np.int64) - 1, 0)


def by_row(p: F64, y: F64) -> F64:
    """Σ(y - p) of each row by bin (n, BINS), of its likeliest class, or of all its labels (n, L)."""
    out = np.zeros((len(p), BINS))
    np.add.at(out, (np.arange(len(p))[:, None], bins_of(p)), y - p)
    return out


def of_top(p: F64, q: F64) -> F64:
    top = p.argmax(axis=1)[:, None]
    return by_row(np.take_along_axis(p, top, axis=1), np.take_along_axis(q, top, axis=1))


@pytest.mark.parametrize("task", ["soft", "multilabel"])
@pytest.mark.parametrize("weighted", [False, True])
def test_p_is_the_share_of_rows_turned_over_with_an_error_so_large(task: str, weighted: bool) -> None:
    p, y = soft(3, 900, 1.05) if task == "soft" else several(11, 900, 1.02, digits=2)
    w = np.random.default_rng(1).integers(1, 5, 900).astype(np.float64) if weighted else np.ones(900)
    own = w[:, None] * (of_top(p, y) if task == "soft" else by_row(p, y))
    signs = np.random.default_rng(2).choice([-1.0, 1.0], (4000, 900)) * math.sqrt(900 / 899)
    seen = np.abs(own.sum(axis=0)).sum()
    expected = float((np.abs(signs @ own).sum(axis=1) >= seen).mean())
    found = known([], p, w if weighted else None, task=task, targets=y)
    value = read(found, "ece" if task == "soft" else "ece_labels")
    assert value.value == pytest.approx(seen / w.sum() / (1 if task == "soft" else 4), rel=1e-9)
    assert 0.01 < expected < 0.9
    assert value.p == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 1024))
    assert value.lo is not None and value.hi is not None and value.lo <= (value.value or 0.0) <= value.hi
    rows = np.zeros(BINS)
    np.add.at(rows, bins_of(p.max(axis=1)[:, None] if task == "soft" else p).ravel(),
              np.repeat(w, 1 if task == "soft" else 4))  # fmt: skip
    per = np.divide(1.0, rows, out=np.zeros(BINS), where=rows > 0) / rows.sum()
    seen = math.sqrt((own.sum(axis=0) ** 2 * per).sum())
    expected = float((((signs @ own) ** 2 * per).sum(axis=1) >= seen**2).mean())
    value = read(found, "rmsce")
    assert value.value == pytest.approx(seen, rel=1e-9)
    assert value.p == pytest.approx(expected, abs=0.01 + 4 * math.sqrt(expected * (1 - expected) / 1024))
    gaps = np.divide(np.abs(own.sum(axis=0)), rows, out=np.zeros(BINS), where=rows > 0)
    value = read(found, "mce")
    assert value.value == pytest.approx(gaps.max(), rel=1e-9)
    pairs = np.bincount(bins_of(p.max(axis=1) if task == "soft" else p.ravel()), minlength=BINS)
    assert value.n == pairs[gaps.argmax()]
    if task == "soft":  # the same rows turned over in the order of p
        own = own.sum(axis=1)[p.max(axis=1).argsort()]
        seen = np.abs(np.cumsum(own)).max()
        expected = float((np.abs(np.cumsum(signs * own, axis=1)).max(axis=1) >= seen).mean())
        value = read(found, "ks_calibration")
        assert value.value == pytest.approx(seen / w.sum(), rel=1e-2)  # in cells
        assert value.p == pytest.approx(expected, abs=0.01 + 4 * math.sqrt(expected * (1 - expected) / 1024))
        assert 0.01 < expected < 0.9


OF_VOTES = ("rmsce", "ece_mass", "ks_calibration", "kuiper_calibration", "atb", "smooth_ece", "ece_sweep")


@pytest.mark.parametrize("weighted", [False, True])
def test_shares_of_votes_have_the_errors_of_the_votes_as_rows(weighted: bool) -> None:
    p, q = soft(4, 250, 1.6, votes=4)
    w = np.random.default_rng(3).integers(1, 5, 250).astype(np.float64) if weighted else None
    votes = np.repeat(np.tile(np.arange(3), 250), np.rint(4 * q).astype(np.int64).ravel())
    rows = known(votes, np.repeat(p, 4, axis=0), None if w is None else np.repeat(w, 4))
    found = known([], p, w, task="soft", targets=q)
    for name in OF_VOTES:
        value = read(found, name)
        assert value.value == pytest.approx(number(rows, name), rel=1e-9), name
        assert value.chance is not None and value.chance < (value.value or 0.0)
        assert (
            value.lo is not None and value.hi is not None and 0 < value.lo <= (value.value or 0) <= value.hi
        )
        assert (value.p or 1.0) < 0.05
    massed = known([], p, w, task="soft", targets=q, binning="mass")
    same = known(votes, np.repeat(p, 4, axis=0), None if w is None else np.repeat(w, 4), binning="mass")
    for name in ("ece", "mce", "rmsce"):
        assert number(massed, name) == pytest.approx(number(same, name), rel=1e-9), name
    assert number(massed, "ece") == number(found, "ece_mass") and read(massed, "ece").lo is not None
    ends = diagram(massed, "confidence").rows
    assert ends == sorted(ends, key=lambda row: row["lo"] or 0.0) and len(ends) == BINS
    assert [row["lo"] for row in ends] == [row["lo"] for row in diagram(same, "confidence").rows]


@pytest.mark.parametrize("weighted", [False, True])
def test_the_level_of_soft_labels_is_that_of_the_spread_seen_in_each_bin(weighted: bool) -> None:
    p, q = soft(5, 300, 1.4)
    w = np.full(300, 2.5) if weighted else None
    residual, at = of_top(p, q), bins_of(p.max(axis=1))
    total = 0.0
    for b in np.unique(at):
        own = residual[at == b, b]
        spread = own.size * own.var(ddof=1) if own.size > 1 else own[0] ** 2
        total += math.sqrt(2 / math.pi * spread)
    found = known([], p, w, task="soft", targets=q)
    assert number(found, "ece_chance") == pytest.approx(total / 300, rel=1e-9)
    assert read(found, "ece").chance == pytest.approx(total / 300, rel=1e-9)


def test_errors_of_soft_labels_less_their_bias_take_off_the_spread_seen() -> None:
    p, q = soft(6, 900, 1.3)
    residual, at = of_top(p, q).sum(axis=1), bins_of(p.max(axis=1))
    own = [residual[at == b] for b in np.unique(at) if np.count_nonzero(at == b) > 1]
    folded = sum(x.size * stats.foldnorm.mean(abs(x.mean()) / s, scale=s)
                 for x, s in ((x, x.std(ddof=1) / math.sqrt(x.size)) for x in own))  # fmt: skip
    found = known([], p, task="soft", targets=q)
    less = read(found, "ece_debiased")
    assert sum(x.size for x in own) == 900
    assert less.value == pytest.approx((2 * sum(abs(x.sum()) for x in own) - folded) / 900, rel=1e-9)
    square, cells = read(found, "l2_debiased"), np.rint(p.max(axis=1) * 9600)
    assert np.unique(cells).size > 700  # nearly all rows are alone in one
    order = np.argsort(p.max(axis=1))
    parts = np.array_split(residual[order], BINS)
    assert square.value == pytest.approx(
        sum(x.size * (x.mean() ** 2 - x.var(ddof=1) / x.size) for x in parts) / 900, rel=0.02
    )
    for value in (less, square):
        assert value.lo is not None and value.hi is not None and value.lo < (value.value or 0) < value.hi
    weighted = known([], p, np.full(900, 2.5), task="soft", targets=q)
    assert read(weighted, "ece_debiased").why == "its formula counts rows, and these are weighted"


@pytest.mark.parametrize("weighted", [False, True])
def test_soft_labels_of_bins_of_few_rows_vary_as_those_of_others_do(weighted: bool) -> None:
    p, q = soft(7, 2000, votes=4)
    p = np.concatenate([p, [[0.9, 0.05, 0.05]] * 3])  # alone in a bin of which the others have no rows
    p[:2000] = np.where(p[:2000].max(axis=1, keepdims=True) > 0.8, 1 / 3, p[:2000])
    q = np.random.default_rng(1).multinomial(4, p) / 4
    q[2000:] = [[0.875, 0.125, 0.0]] * 3  # nearer to p than votes are
    w = np.random.default_rng(2).integers(1, 4, len(p)).astype(np.float64) if weighted else np.ones(len(p))
    found = known([], p, w if weighted else None, task="soft", targets=q)
    bins = found.binned("confidence")
    bins = bins.where(bins.rows > 0)
    noise = redraws(found, "confidence", "width", bins).noise
    assert bins.rows[-1] == 3
    top, at = p.max(axis=1), bins_of(p.max(axis=1))
    right = [float((w * w * top * (1 - top))[at == b].sum()) / 4 for b in np.unique(at)]
    # Weights of three rows are not those of all, on average; 1,024 redraws are within 1/7 of their variance.
    assert noise.var(axis=0)[:-1] == pytest.approx(right[:-1], rel=0.3)
    share = 3 * float((w * w).sum() / w.sum()) * w[2000:].mean() / float((w[2000:] ** 2).sum())
    assert noise.var(axis=0)[-1] == pytest.approx(right[-1] * share, rel=0.25)
    rate = (bins.p + noise) / bins.weight
    assert rate.min() > -1e-12 and rate.max() < 1.0 + 1e-12  # as shares are, whose tails end there


@pytest.mark.parametrize("votes", [1, 5])
def test_the_largest_gap_may_be_that_of_one_pair_whose_label_is_drawn_anew(votes: int) -> None:
    """p is how often a label, or the share of votes, is so far from the 0.9 of a pair alone in its bin."""
    p = np.full((400, 5), 0.3)
    y = np.random.default_rng(0).binomial(votes, p) / votes
    p[0, 0], y[0, 0] = 0.9, (0.0 if votes == 1 else 0.4)
    value = read(known([], p, task="multilabel", targets=y), "mce")
    assert value.value == pytest.approx(0.9 - y[0, 0]) and value.n == 1
    expected = stats.binom.cdf(round(votes * y[0, 0]), votes, 0.9)
    assert value.p == pytest.approx(expected, abs=0.002 + 4 * math.sqrt(expected / 1024))


def test_labels_that_go_together_have_the_level_of_their_rows() -> None:
    """Labels that are copies of one vary as one, not as four independent ones."""
    p, y = several(6, 2000)
    one, four = p[:, :1], np.repeat(p[:, :1], 4, axis=1)
    alone = read(known([], one, task="multilabel", targets=y[:, :1]), "ece_labels")
    copies = read(known([], four, task="multilabel", targets=np.repeat(y[:, :1], 4, axis=1)), "ece_labels")
    assert copies.chance == pytest.approx(alone.chance, rel=0.05)
    apart = read(known([], p, task="multilabel", targets=y), "ece_labels").chance
    assert apart is not None and alone.chance is not None and apart < 0.8 * alone.chance


def test_one_label_is_a_binary_task() -> None:
    p, y = several(7, 3000, 1.05)
    found = read(known([], p[:, :1], task="multilabel", targets=y[:, :1]), "ece_labels")
    binary = read(known(y[:, 0].astype(np.int64), p[:, 0]), "ece_positive")
    assert found.value == pytest.approx(binary.value, rel=1e-9)
    assert found.chance == pytest.approx(binary.chance, rel=0.08)
    assert found.p == pytest.approx(binary.p, abs=0.06)


def test_a_sample_and_rows_seen_often_have_about_the_level_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    p, y = several(8, 6000, 1.0, digits=1)  # few rows differ
    redrawn = np.random.default_rng(0).standard_normal((500, 6000)) @ by_row(p, y)
    true = np.abs(redrawn).sum(axis=1).mean() / 24000
    sample = "xentcli.states.tablesample.TableSample.most_rows"
    for name, most, near in (
        ("", 0, 0.06),
        ("xentcli.metrics.residuals._COPIES", 2000, 0.1),
        (sample, 900, 0.15),
    ):
        if name:
            monkeypatch.setattr(name, most)
        value = read(known([], p, task="multilabel", targets=y), "ece_labels")
        assert value.chance == pytest.approx(true, rel=near)


@pytest.mark.parametrize("task", ["soft", "multilabel"])
def test_groups_change_their_signs_as_one(task: str) -> None:
    p, y = soft(9, 40, 1.3) if task == "soft" else several(9, 40, 1.3)
    copies = (np.repeat(x, 8, axis=0) for x in (p, y))
    group = np.repeat(np.random.default_rng(0).permutation(1024)[:40], 8)
    key = "ece" if task == "soft" else "ece_labels"
    alone = read(known([], p, task=task, targets=y, groups=group[::8]), key)
    found = read(known([], next(copies), task=task, targets=next(copies), groups=group), key)
    assert found.value == pytest.approx(alone.value, rel=1e-9)
    assert found.p == alone.p is not None and found.lo == pytest.approx(alone.lo)
    assert found.chance == pytest.approx(alone.chance, rel=1e-6)


@pytest.mark.parametrize("task", ["soft", "multilabel"])
def test_under_calibration_they_are_rejected_as_often_as_they_may_be(task: str) -> None:
    count = 0
    for seed in range(80):
        p, y = soft(seed, 250) if task == "soft" else several(seed, 250)
        found = read(known([], p, task=task, targets=y), "ece" if task == "soft" else "ece_labels")
        count += (found.p or 0.0) <= 0.05
    assert stats.binomtest(count, 80, 0.05).pvalue > 1e-3, count


def test_what_is_the_label_itself_is_no_error_and_one_row_says_nothing() -> None:
    p, _ = soft(1, 50)
    exact = replace(known([], p, task="soft", targets=p), level=None)
    for name in ("ece", *OF_VOTES):
        assert read(exact, name).p == pytest.approx(1.0), name
    for task in ("soft", "multilabel"):
        found = known([], p[:1], task=task, targets=p[:1])
        value = read(found, "ece_p" if task == "soft" else "ece_labels_p")
        assert value.value is None and "one row" in str(value.why)


# -- rankings of several labels ----------------------------------------------------------------------
def moves(figure: Any, y: F64, p: F64, w: F64) -> F64:
    """What each row moves a figure of one label by, times its weight (n,)."""
    out = np.zeros(w.size)
    for i in range(w.size):
        up, down = w.copy(), w.copy()
        up[i] *= 1 + 1e-4
        down[i] *= 1 - 1e-4
        out[i] = (figure(y, p, sample_weight=up) - figure(y, p, sample_weight=down)) / 2e-4
    return out


def area(y: F64, p: F64, sample_weight: F64) -> float:
    pairs = sample_weight[y > 0][:, None] * sample_weight[y == 0]
    gap = p[y > 0][:, None] - p[y == 0]
    return float((pairs * ((gap > 0) + 0.5 * (gap == 0))).sum() / pairs.sum())


@pytest.mark.parametrize(("kind", "weighted"), [("probs", False), ("logits", True)])
def test_rankings_of_labels_have_the_error_of_all_that_a_row_moves(weighted: bool, kind: str) -> None:
    p, y = several(2, 40, 1.3, digits=1)
    p = p.clip(0.05, 0.95)
    w = np.random.default_rng(1).integers(1, 9, 40) / 4 if weighted else np.ones(40)
    scores = p if kind == "probs" else np.log(p / (1 - p))
    found = known([], scores, w if weighted else None, task="multilabel", targets=y, kind=kind)
    effective = w.sum() ** 2 / (w * w).sum()
    areas, precisions = np.zeros(40), np.zeros(40)
    for label in range(4):
        many = np.where(y[:, label] > 0, *((w * (y[:, label] == side)).sum() for side in (1, 0)))
        many = many * effective / w.sum()
        areas += moves(area, y[:, label], p[:, label], w) * np.sqrt(many / (many - 1)) / 4
        precisions += moves(average_precision_score, y[:, label], p[:, label], w) / 4
    for key, own, factor in (("macro_auroc", areas, 1.0), ("macro_average_precision", precisions, 40 / 39)):
        value = read(found, key)
        assert value.se == pytest.approx(math.sqrt(factor * float((own * own).sum())), rel=1e-5), key
        assert value.n == 4 and value.lo is not None and value.lo < (value.value or 0.0)


@pytest.mark.parametrize("weighted", [False, True])
def test_rankings_of_labels_have_the_error_of_the_jackknife_over_clusters(weighted: bool) -> None:
    p, y = several(2, 60, 1.3, digits=1)
    p = p.clip(0.05, 0.95)  # of which no cell has two
    w = np.random.default_rng(1).integers(1, 9, 60) / 4 if weighted else np.ones(60)
    group = np.repeat(np.random.default_rng(3).permutation(1024)[:12], 5)
    found = known([], p, w if weighted else None, task="multilabel", targets=y, groups=group)
    for key, figure in (("macro_auroc", area), ("macro_average_precision", average_precision_score)):
        own = sum(moves(figure, y[:, label], p[:, label], w) for label in range(4)) / 4
        sums = np.bincount(np.arange(60) // 5, own)
        value = read(found, key)
        assert value.se == pytest.approx(math.sqrt(12 / 11 * float((sums**2).sum())), rel=1e-5), key
        assert value.n == 4 and value.hi is not None and value.hi > (value.value or 1.0)


def test_many_labels_share_buckets_and_too_many_have_no_error_over_groups() -> None:
    p, y = several(5, 600)
    many, group = np.tile(p, 10), np.arange(600)
    found = known([], many, task="multilabel", targets=np.tile(y, 10), groups=group)
    held = found.states.clusterlabels.by_label()
    assert held.shape[:2] == (40, clusterlabels.buckets(found.spec)) and held.sum() == many.size
    whole = read(known([], p, task="multilabel", targets=y, groups=group), "macro_auroc")
    assert read(found, "macro_auroc").se == pytest.approx(whole.se, rel=0.15)
    for labels, kept in ((334, True), (335, False)):
        wide = Spec("multilabel", "probs", tuple(map(str, range(labels))), labels, grouped=True)
        assert (clusterlabels.buckets(wide) >= 32) is kept is ("clusterlabels" in needed(wide))


def test_the_ranking_of_one_label_has_the_error_of_a_binary_task() -> None:
    p, y = several(3, 200)
    found = known([], p[:, :1], task="multilabel", targets=y[:, :1])
    for key in ("auroc", "average_precision"):
        value, binary = read(found, f"macro_{key}"), read(known(y[:, 0].astype(np.int64), p[:, 0]), key)
        assert value.se == pytest.approx(binary.se), key


def test_a_label_of_one_row_leaves_no_error_of_the_ranking() -> None:
    p, y = several(4, 60)
    y[:, 0] = 0.0
    y[7, 0] = 1.0
    found: Known = known([], p, task="multilabel", targets=y)
    assert read(found, "macro_auroc").value is not None and read(found, "macro_auroc").se is None
