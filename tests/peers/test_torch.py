"""The training loss equals torch's loss: to 1e-12 in float64, to 1e-6 in float32."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import Outcome, parquet, score
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


def of_ignored(folder: Path, dtype: str, *options: str) -> Outcome:
    """The file of logits with labels to ignore, scored."""
    z = inputs.logits(10, dtype).astype(dtype)
    columns = {f"logit_{j}": z[:, j] for j in range(10)} | {"label": inputs.with_ignored(10)}
    path = parquet(folder / "ignored.parquet", columns)
    return score(path, "--ignore-label", str(inputs.IGNORED), *options)


@pytest.mark.parametrize("case", [case for case in of("ignored") if case.endswith("mean")])
def test_cross_entropy_with_ignore_index_and_each_reduction(case: str, tmp_path: Path) -> None:
    """A sum is the mean times what it was divided by: the weights of the labels that count."""
    _, dtype, weighting, smoothing, _ = case.split()
    given = inputs.class_weights(10) if weighting == "given" else np.ones(10)
    (tmp_path / "weights.json").write_text(json.dumps(dict(enumerate(given.tolist()))))
    options = ["--label-smoothing", smoothing, "--class-weights", str(tmp_path / "weights.json")]
    mean = of_ignored(tmp_path, dtype, *options).value("training_loss")
    assert mean == pytest.approx(FROZEN[case], rel=EXACT[dtype])
    labels = inputs.with_ignored(10)
    total = mean * given[labels[labels != inputs.IGNORED]].sum()
    assert total == pytest.approx(FROZEN[case.replace("mean", "sum")], rel=EXACT[dtype])


@pytest.mark.parametrize("dtype", EXACT)
def test_losses_of_rows_are_those_without_a_reduction(dtype: str, tmp_path: Path) -> None:
    assert of_ignored(tmp_path, dtype, "--rows", str(tmp_path / "rows.parquet")).code == 0
    rows = pq.read_table(tmp_path / "rows.parquet")
    found = dict(zip(rows["row"].to_pylist(), rows["loss"].to_pylist(), strict=True))
    for row in range(10):
        right = FROZEN[f"row {dtype} {row}"]
        assert found.get(row + 1, 0.0) == pytest.approx(
            right, rel=EXACT[dtype], abs=1e-7 * (dtype == "float32")
        )


def test_the_frozen_figures_are_those_of_torch() -> None:
    pytest.importorskip("torch")
    now = make_torch.figures()
    assert now.keys() == FROZEN.keys()
    for case, value in now.items():
        assert value == pytest.approx(FROZEN[case], rel=1e-6 if "float32" in case else 1e-13), case
