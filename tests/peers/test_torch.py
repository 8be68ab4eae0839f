"""The training loss equals torch's loss: to 1e-12 in float64, to 1e-6 in float32."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.metrics.scored import known, number
from tests.peers import inputs, make_torch
from xentcli.batch import Training

FROZEN: dict[str, float] = json.loads(make_torch.FILE.read_text("utf-8"))["figures"]
STORED = {"float32": "f4", "float64": "f8"}
EXACT = {"float32": 1e-6, "float64": 1e-12}


def of(prefix: str) -> list[str]:
    return [case for case in FROZEN if case.startswith(prefix + " ")]


@pytest.mark.parametrize("case", of("cross_entropy"))
def test_cross_entropy_with_weight_and_label_smoothing(case: str) -> None:
    _, dtype, size, weighting, smoothing = case.split()
    c = int(size)
    weights = tuple(inputs.class_weights(c).tolist()) if weighting == "given" else ()
    found = known(
        inputs.labels(c), inputs.logits(c, dtype).astype(dtype), kind="logits", stored=STORED[dtype],
        training=Training(float(smoothing), weights, weighting == "balanced"),
    )  # fmt: skip
    assert number(found, "training_loss") == pytest.approx(FROZEN[case], rel=EXACT[dtype])


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("case", of("bce_with_logits"))
def test_binary_cross_entropy_with_logits_and_pos_weight(case: str, columns: int) -> None:
    _, dtype, weight, smoothing = case.split()
    z = inputs.logits(1, dtype)
    scores = z if columns == 1 else np.concatenate([np.zeros_like(z), z], axis=1)
    found = known(
        inputs.labels(2), scores.astype(dtype), kind="logits", stored=STORED[dtype],
        training=Training(float(smoothing), (1.0, float(weight)), per_row=True),
    )  # fmt: skip
    assert number(found, "training_loss") == pytest.approx(FROZEN[case], rel=EXACT[dtype])


@pytest.mark.parametrize("case", of("soft"))
def test_cross_entropy_of_probabilities_with_weight_and_label_smoothing(case: str) -> None:
    _, dtype, size, weighting, smoothing = case.split()
    c = int(size)
    weights = tuple(inputs.class_weights(c).tolist()) if weighting == "given" else ()
    found = known(
        [], inputs.logits(c, dtype).astype(dtype), kind="logits", stored=STORED[dtype], task="soft",
        targets=inputs.distributions(c, dtype), training=Training(float(smoothing), weights, within=True),
    )  # fmt: skip
    assert number(found, "training_loss") == pytest.approx(FROZEN[case], rel=EXACT[dtype])


@pytest.mark.parametrize("case", of("multilabel"))
def test_binary_cross_entropy_of_several_labels_with_weight_and_pos_weight(case: str) -> None:
    _, dtype, size, weighting, positive, smoothing = case.split()
    given = inputs.class_weights(int(size))
    training = Training(
        float(smoothing), tuple(given.tolist()) if weighting == "given" else (), within=True,
        positives=tuple((given[::-1] * 2).tolist()) if positive == "given" else (),
    )  # fmt: skip
    found = known(
        [], inputs.logits(int(size), dtype).astype(dtype), kind="logits", stored=STORED[dtype],
        task="multilabel", targets=inputs.memberships(int(size)), training=training,
    )  # fmt: skip
    assert number(found, "training_loss") == pytest.approx(FROZEN[case], rel=EXACT[dtype])


def test_the_frozen_figures_are_those_of_torch() -> None:
    pytest.importorskip("torch")
    now = make_torch.figures()
    assert now.keys() == FROZEN.keys()
    for case, value in now.items():
        assert value == pytest.approx(FROZEN[case], rel=1e-6 if "float32" in case else 1e-13), case
