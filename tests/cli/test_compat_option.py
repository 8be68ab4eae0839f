"""--compat adds the figures of one other library, under their own names and with their convention."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.corpus.corpus import parquet, refused, score, xent
from xentcli.metrics.peernames import PEERS

GOOD = "digits_good.parquet"


@pytest.fixture
def certain(tmp_path: Path) -> Path:
    """A binary file with a label of probability 0."""
    return parquet(tmp_path / "certain.parquet", {"p": [0.8, 0.0, 0.4], "label": [1, 1, 0]})


@pytest.mark.parametrize("peer", PEERS)
def test_figures_come_with_their_convention_and_change_no_other(peer: str, samples: Path) -> None:
    plain, found = (score(samples / GOOD, *options).report for options in ([], ["--compat", peer]))
    theirs = {key: value for key, value in found["metrics"].items() if "." in key}
    assert theirs and all(key.startswith(peer + ".") for key in theirs)
    assert {k: v for k, v in found["metrics"].items() if k not in theirs} == plain["metrics"]
    said = found["data"]["compat"]
    assert said["peer"] == PEERS[peer].name and set(said["conventions"]) == set(theirs)
    assert plain["definition"] != found["definition"]
    shown = xent("score", samples / GOOD, "--compat", peer).out
    assert all(key in shown and said["conventions"][key] in shown for key in theirs)


def test_clipping_is_that_of_the_library(certain: Path) -> None:
    rest = -math.log(0.8) - math.log(0.6)
    for peer, name, most in (
        ("sklearn", "log_loss", -math.log(2.0**-52)),
        ("torch", "binary_cross_entropy", 100.0),
        ("keras", "binary_crossentropy", -math.log(1e-7)),
    ):
        found = score(certain, "--compat", peer)
        assert found.value(f"{peer}.{name}") == pytest.approx((rest + most) / 3, rel=1e-14)
        assert found.report["metrics"]["cross_entropy"]["state"] == "infinite"


def test_logits_are_not_clipped_and_pos_weight_is_that_of_torch(tmp_path: Path) -> None:
    path = parquet(tmp_path / "z.parquet", {"logit": [800.0, -3.0, -2.0], "label": [0, 1, 0]})
    losses = [800.0, 2 * math.log1p(math.exp(3.0)), math.log1p(math.exp(-2.0))]
    options = ["--kind", "logits", "--pos-weight", "2", "--compat"]
    found = score(path, *options, "torch")
    name = "torch.binary_cross_entropy_with_logits"
    assert found.value(name) == pytest.approx(sum(losses) / 3, rel=1e-14)
    assert found.value(name) == pytest.approx(found.value("training_loss"), rel=1e-14)
    assert score(path, *options, "keras").value("keras.binary_crossentropy") == pytest.approx(
        sum(losses) / 3, rel=1e-14
    )
    impossible = parquet(tmp_path / "i.parquet", {"logit": [math.inf, -3.0], "label": [0, 1]})
    infinite = score(impossible, *options, "torch").report["metrics"][name]
    assert infinite["state"] == "infinite" and "p = 0" in infinite["why"]


def test_compat(samples: Path) -> None:
    path = samples / GOOD
    only = xent("score", path, "--compat", "sklearn", "--only", "sklearn.log_loss").out
    assert float(only) == score(path, "--compat", "sklearn").value("sklearn.log_loss")
    rule = ["--require", "netcal.ece <= 0.001"]
    assert xent("score", path, "--compat", "netcal", *rule).code == 1
    refused(score(path, *rule), 2, "--compat netcal")
    refused(score(path, "--compat", "torch", *rule), 2, "one library a run")
    refused(score(path, "--compat", "sklern"), 2, 'mean "sklearn"')
    refused(score(path, "--compat", "keras", "--clip", "1e-9"), 2, "--clip", "--compat keras")


def test_bins_are_the_librarys_own_unless_they_are_given(samples: Path) -> None:
    runs = [score(samples / GOOD, "--compat", "netcal", *more) for more in ([], ["--bins", "10"])]
    assert runs[0].value("netcal.ece") == runs[1].value("netcal.ece")
    more = score(samples / GOOD, "--compat", "netcal", "--bins", "15")
    assert more.value("netcal.ece") != runs[0].value("netcal.ece")
    assert "10 bins" in runs[0].report["data"]["compat"]["conventions"]["netcal.ece"]


def test_what_a_library_cannot_do_is_undefined_and_says_so(samples: Path, tmp_path: Path) -> None:
    columns = {"p_a": [0.5, 0.2], "p_b": [0.3, 0.3], "p_c": [0.2, 0.5], "label": ["a", "c"], "w": [1.0, 2.0]}
    path = parquet(tmp_path / "preds.parquet", columns)
    for peer, name, options, why in (
        ("torchmetrics", "multiclass_calibration_error", ["--weight", "w"], "takes no weights"),
        ("netcal", "ece", ["--weight", "w"], "takes no weights"),
        ("netcal", "ece", [], "two classes"),
        ("torch", "nll_loss", ["--weight", "w"], "no weights of rows"),
        ("torch", "nll_loss", ["--label-smoothing", "0.1"], "no smoothing"),
        ("torch", "binary_cross_entropy", ["-m", "torch.binary_cross_entropy"], "not for this task"),
    ):
        value = score(path, "--compat", peer, *options).report["metrics"][f"{peer}.{name}"]
        assert value["state"] == "undefined" and why in value["why"], name
