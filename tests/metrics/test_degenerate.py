"""Impossible labels, a single row, one class, constant predictors: values, or why there are none."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import score
from tests.metrics.scored import by_class, known, number, read
from tests.metrics.test_extremes import INF, near


def test_one_impossible_label_makes_the_loss_infinite_and_names_it() -> None:
    found = known([0, 1, 1, 0], [[0.5, 0.5], [0.25, 0.75], [1.0, 0.0], [0.9, 0.1]])
    for name in ("cross_entropy", "perplexity", "normalized_cross_entropy", "overconfidence"):
        value = read(found, name)
        assert (value.state, value.value) == ("infinite", INF), name
        assert value.why == "1 row gave its own label p = 0", name
        assert (value.se, value.lo, value.hi) == (None, None, None), name
    assert read(found, "balanced_cross_entropy").state == "infinite"
    finite = read(found, "cross_entropy_finite")
    losses = -np.log([0.5, 0.75, 0.9])
    assert finite.value == near(losses.mean(), rel=1e-12)
    assert finite.se == near(losses.std(ddof=1) / math.sqrt(3), rel=1e-9)
    assert finite.n == 3
    assert number(found, "brier_score") == near((0.25 + 0.0625 + 1.0 + 0.01) / 4, rel=1e-12)
    no, yes = by_class(found)
    assert no.metrics["cross_entropy"].state == "finite"
    assert yes.metrics["cross_entropy"].state == "infinite"


def test_the_finite_mean_of_weighted_rows_leaves_the_impossible_ones_out() -> None:
    w = np.array([1.0, 2.0, 5.0, 3.0])
    found = known([0, 1, 1, 0], [[0.5, 0.5], [0.25, 0.75], [1.0, 0.0], [0.9, 0.1]], w)
    finite, own = read(found, "cross_entropy_finite"), w[[0, 1, 3]]
    losses = -np.log([0.5, 0.75, 0.9])
    mean = np.average(losses, weights=own)
    se = math.sqrt(3 / 2 * ((own * (losses - mean)) ** 2).sum()) / own.sum()
    assert finite.value == near(mean)
    assert finite.se == near(se, rel=1e-9)
    assert number(found, "zero_probability_rows") == 1


def test_rows_that_are_all_impossible_leave_no_finite_mean() -> None:
    value = read(known([0, 0], [[0.0, 1.0], [0.0, 1.0]]), "cross_entropy_finite")
    assert (value.value, value.state, value.why) == (None, "undefined", "no row has a finite loss")


def test_clipping_bounds_the_loss_and_counts_the_rows() -> None:
    found = known([0, 1], [[0.0, 1.0], [0.3, 0.7]], clip=1e-7)
    assert number(found, "cross_entropy") == near((-math.log(1e-7) - math.log(0.7)) / 2, rel=1e-12)
    assert number(found, "zero_probability_rows") == 0
    assert found.states.notes.counts["clipped"] == 1


@pytest.mark.parametrize("scores", [[0.7], [[0.3, 0.7]], [[0.2, 0.7, 0.1]]])
def test_a_single_row_has_values_but_no_standard_errors(scores: Any) -> None:
    found = known([1], scores)
    for name in ("cross_entropy", "brier_score", "predictive_entropy", "accuracy", "overconfidence"):
        value = read(found, name)
        assert value.state == "finite", name
        assert value.se is None, name
    assert read(found, "cross_entropy").lo is None
    assert read(found, "accuracy").hi == 1.0


def test_one_class_of_labels_leaves_relative_figures_undefined() -> None:
    found = known([1, 1, 1], [0.9, 0.8, 0.4])
    for name in ("normalized_cross_entropy", "auroc", "average_precision", "mcc", "brier_skill_score"):
        value = read(found, name)
        assert (value.state, value.value) == ("undefined", None), name
        assert value.why, name
    assert number(found, "cross_entropy") == near(-float(np.log([0.9, 0.8, 0.4]).mean()), rel=1e-12)
    assert number(found, "label_entropy") == 0.0
    no, yes = by_class(found)
    assert no.support == 0.0
    assert no.metrics["recall"].value is None
    assert yes.metrics["recall"].value == near(2 / 3)


@pytest.mark.parametrize("p", [0.25, 0.1, 1 / 3])
def test_a_constant_predictor_at_the_base_rate_is_worth_nothing_and_well_calibrated(p: float) -> None:
    n = 400
    labels = [1] * round(p * n) + [0] * (n - round(p * n))
    rate = np.mean(labels)
    found = known(labels, [float(rate)] * n)
    assert number(found, "normalized_cross_entropy") == near(1.0, rel=1e-12)
    assert number(found, "brier_skill_score") == near(0.0, abs=1e-12)
    assert number(found, "auroc") == 0.5
    assert number(found, "average_precision") == near(float(rate), rel=1e-12)
    assert number(found, "ece") == near(0.0, abs=1e-12)
    assert number(found, "spiegelhalter_z") == near(0.0, abs=1e-9)
    assert read(found, "mcc").why == "all predictions are of one class"


@pytest.mark.parametrize("width", [1, 2, 3, 5, 6, 7, 10, 12, 70])
def test_uniform_predictions_have_no_test_of_calibration(width: int) -> None:
    classes = max(width, 2)
    found = known([0, 1] * 20, np.full((40, width), 1.0 / classes))
    value = read(found, "spiegelhalter_z")
    assert (value.value, value.why) == (None, "every prediction is certain or uniform")


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
def test_equal_losses_have_a_standard_error_of_zero_and_not_what_rounding_leaves(
    weighted: bool, grouped: bool
) -> None:
    w = np.random.default_rng(0).random(100) if weighted else None
    found = known([1] * 100, [0.7] * 100, w, groups=np.arange(100) // 7 if grouped else None)
    for name in ("cross_entropy", "perplexity", "brier_score", "overconfidence", "balanced_cross_entropy"):
        assert read(found, name).se == 0.0, name


def test_a_temperature_that_nothing_holds_has_no_upper_limit() -> None:
    """Scores next to even: the error of ln T is in the thousands."""
    rng = np.random.default_rng(7)
    p = 0.5 + 0.004 * rng.uniform(-1.0, 1.0, 21)
    labels = (rng.random(21) < 0.4).astype(np.int64)
    found = read(known(labels, np.stack([1.0 - p, p], 1)), "temperature")
    assert found.value is not None and found.se is not None and found.se > 400 * found.value
    assert (found.lo, found.hi) == (0.0, INF)


def test_an_entropy_at_its_largest_over_few_groups(tmp_path: Path) -> None:
    columns = {f"p_{c}": np.full(5, 0.2) for c in range(5)} | {"label": range(5), "g": [0, 2, 1, 0, 0]}
    pq.write_table(pa.table(columns), tmp_path / "p.parquet")
    found = score(tmp_path / "p.parquet", "--group", "g").report["metrics"]["label_entropy"]
    assert found["value"] == near(math.log(5)) and found["lo"] == 0.0 and found["hi"] >= math.log(5) - 1e-12


def test_probabilities_at_the_edge_of_a_bin_are_redrawn_in_the_bins_that_there_are(tmp_path: Path) -> None:
    """0.2 is an edge of 15 bins, and a softmax in another precision may lie beyond it."""
    z = (np.random.default_rng(0).normal(size=(5, 5)) * 1e-14).astype(np.float32)
    columns = {f"logit_{c}": z[:, c] for c in range(5)} | {"label": [0] * 5}
    pq.write_table(pa.table(columns), tmp_path / "p.parquet")
    found = score(tmp_path / "p.parquet", "-m", "ece_classwise").report["metrics"]["ece_classwise"]
    assert found["value"] == near(0.32) and found["lo"] <= found["value"] <= found["hi"]


def test_tiny_losses_by_slice_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    """Two slices are known for a while, then three."""
    z = np.zeros((9, 3))
    z[:, 0] = np.linspace(44.0, 48.0, 9)
    columns = {f"logit_{c}": z[:, c] for c in range(3)} | {"label": [0] * 9, "k": list("aabbabcca")}
    table, found = pa.table(columns), []
    for order in (range(9), range(8, -1, -1), (6, 0, 2, 1, 3, 7, 8, 4, 5)):
        pq.write_table(table.take(pa.array(order)), tmp_path / "p.parquet", row_group_size=3)
        found.append(score(tmp_path / "p.parquet", "--by", "k").report["slices"])
    assert found[1:] == found[:1] * 2


def test_the_share_of_the_worst_rows_of_losses_that_hardly_differ_with_tiny_weights() -> None:
    rng = np.random.default_rng(4)
    z, w = rng.normal(size=(300, 2)) * 1e-14, rng.random(300)
    tiny, usual = (
        read(known(np.arange(300) % 2, z, w * scale, kind="logits"), "loss_share_worst_10pct")
        for scale in (1e-134, 1.0)
    )
    assert tiny.value == near(usual.value, rel=1e-9) and tiny.se == near(usual.se, rel=1e-6)


@pytest.mark.parametrize("share", [[1 / 12] * 12, [0.5, 0.3, 0.2], [0.25, 0.75]])
def test_soft_labels_that_are_all_alike_leave_nothing_to_vary_or_to_beat(share: list[float]) -> None:
    size = len(share)
    p = np.random.default_rng(0).dirichlet(np.ones(size), 150)
    found = known([], p, task="soft", targets=np.tile(share, (150, 1)))
    entropy = read(found, "label_entropy")
    assert entropy.value == near(-float(np.dot(share, np.log(share))), rel=1e-12)
    if size > 2:
        assert (entropy.se, entropy.lo, entropy.hi) == (0.0, entropy.value, entropy.value)
    assert read(found, "brier_skill_score").why == "labels differ by no more than rounding"


def test_a_class_that_weighs_less_than_rounding_takes_away() -> None:
    """Its share is above 0, and squares of it are not; the other figures are those of the other class."""
    found = known(
        [1, 1, 0, 1], [[0.2, 0.8], [0.6, 0.4], [0.9, 0.1], [0.7, 0.3]], [1e70, 1e-196, 1e-138, 1e-90]
    )
    assert read(found, "mcc").why == "all weight but what rounding takes away is of one class"
    nce = read(found, "normalized_cross_entropy")
    assert nce.value is not None and nce.value > 1e150 and nce.se is None
    assert number(found, "cross_entropy") == near(-math.log(0.8))


def test_cells_of_groups_whose_weights_are_beyond_integers(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    p = rng.random(40)
    columns = {
        "p": p,
        "label": rng.integers(0, 2, 40),
        "g": np.arange(40) % 9,
        "w": 10.0 ** rng.integers(-90, 90, 40),
    }
    pq.write_table(pa.table(columns), tmp_path / "p.parquet")
    for options in (["--group", "g", "-m", "ece_sweep"], ["-m", "ece_sweep"]):
        assert score(tmp_path / "p.parquet", "--weight", "w", *options).report["metrics"]["ece_sweep"]
