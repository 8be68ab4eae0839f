"""Calibration figures against relplot, uncertainty-calibration and model-diagnostics, as frozen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.metrics.scored import known, number
from tests.peers import make_calibration
from tests.peers.calibration_data import NAMES, SEVERAL, predictions, several

FIGURES: dict[str, Any] = json.loads(Path(__file__).with_name("calibration.json").read_text())["figures"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("score", ["brier", "log"])
@pytest.mark.parametrize("part", ["miscalibration", "discrimination", "uncertainty"])
def test_corp_is_that_of_model_diagnostics(name: str, score: str, part: str) -> None:
    p, y = predictions(name)
    found = number(known(y, p), f"{score}_{part}")
    assert found == pytest.approx(FIGURES[name][score][part], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_smooth_ece_is_near_relplot_which_stops_its_search_early(name: str) -> None:
    p, y = predictions(name)
    assert number(known(y, p), "smooth_ece_positive") == pytest.approx(
        FIGURES[name]["smooth_ece_positive"], rel=0.03
    )


@pytest.mark.parametrize("name", NAMES)
def test_ece_of_the_positive_class_is_that_of_uncertainty_calibration(name: str) -> None:
    p, y = predictions(name)
    assert number(known(y, p), "ece_positive") == pytest.approx(FIGURES[name]["marginal_ece"], rel=1e-9)


@pytest.mark.parametrize("name", SEVERAL)
def test_errors_of_several_classes_are_those_of_uncertainty_calibration(name: str) -> None:
    p, y = several(name)
    found, frozen = known(y, p, classwise=True), FIGURES[name]
    for key in ("ece", "ece_classwise"):
        assert number(found, key) == pytest.approx(frozen[key], rel=1e-9)
    assert number(found, "l2_classwise_debiased") == pytest.approx(frozen["l2_classwise"] ** 2, rel=1e-9)
    assert number(found, "l2_debiased") == pytest.approx(frozen["l2_toplabel"] ** 2, rel=1e-9)


def test_the_frozen_figures_are_those_of_the_libraries() -> None:
    for module in make_calibration.MODULES:
        pytest.importorskip(module)
    now = make_calibration.figures()
    assert now.keys() == FIGURES.keys()
    for name, found in now.items():
        for key, value in found.items():
            assert value == pytest.approx(FIGURES[name][key], rel=1e-9, abs=1e-12), (name, key)


def test_the_parts_add_up_to_the_score() -> None:
    for name in NAMES:
        p, y = predictions(name)
        found = known(y, p, weights=np.linspace(0.5, 2.0, y.size))
        for score, whole in (("brier", "brier_score"), ("log", "cross_entropy")):
            mcb, dsc, unc = (
                number(found, f"{score}_{part}")
                for part in ("miscalibration", "discrimination", "uncertainty")
            )
            assert mcb - dsc + unc == pytest.approx(number(found, whole), rel=1e-12)
