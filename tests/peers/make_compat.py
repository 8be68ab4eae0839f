"""Figures of other libraries for tests/peers/compat.json: `python -m tests.peers.make_compat`.

Needs scikit-learn, torch, keras (with torch below), torchmetrics and netcal; a test takes those it finds.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.peers import inputs

FILE = Path(__file__).with_name("compat.json")
DTYPES = ("float32", "float64")
SIZES = (1, 2, 3, 70)
Array = npt.NDArray[Any]


def written(classes: int) -> Array:
    """Probabilities with one decimal: many lie on the edges of bins, some are 0 or 1."""
    p = np.rint(inputs.probabilities(classes) * 10) / 10
    if classes > 1:
        p[:, 0] += 1.0 - p.sum(axis=1)
        p = np.where((p.min(axis=1) >= 0)[:, None], np.abs(np.rint(p * 10) / 10), np.eye(classes)[0])
    return p


def scores(form: str, classes: int, dtype: str) -> Array:
    """Probabilities of a form, in a type."""
    made = written(classes) if form == "written" else inputs.probabilities(classes)
    return made.astype(dtype)


def cases() -> list[tuple[str, Array, Array]]:
    """Name, probabilities and labels of each case."""
    return [
        (f"{form} {size} {dtype}", scores(form, size, dtype), inputs.labels(max(size, 2)))
        for form in ("smooth", "written") for size in SIZES for dtype in DTYPES
        if form == "smooth" or size < 70
    ]  # fmt: skip


def sklearn() -> dict[str, float]:
    """log_loss and its company, with and without weights."""
    from sklearn import metrics

    out = {}
    for name, p, y in cases():
        given = p[:, 0] if p.shape[1] == 1 else p
        classes = list(range(max(p.shape[1], 2)))
        for said, weights in (("", None), (" weighted", inputs.row_weights())):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for key in ("log_loss", "d2_log_loss_score", "d2_brier_score", "brier_score_loss"):
                    value = getattr(metrics, key)(y, given, sample_weight=weights, labels=classes)
                    out[f"sklearn.{key} {name}{said}"] = float(value)
    return out


def torch() -> dict[str, float]:
    """nll_loss with class weights, binary_cross_entropy with weights of rows."""
    import torch
    from torch.nn import functional

    out = {}
    for name, p, y in cases():
        scored = torch.tensor(p)
        if p.shape[1] == 1:
            for said, w in (
                ("", None),
                (" weighted", torch.tensor(inputs.row_weights(), dtype=scored.dtype)),
            ):
                target = torch.tensor(y, dtype=scored.dtype)
                value = functional.binary_cross_entropy(scored[:, 0], target, weight=w)
                out[f"torch.binary_cross_entropy {name}{said}"] = float(value)
        elif bool((p[np.arange(y.size), y] > 0).all()):
            weights = torch.tensor(inputs.class_weights(p.shape[1]), dtype=scored.dtype)
            for said, w in (("", None), (" classes", weights)):
                value = functional.nll_loss(torch.log(scored), torch.tensor(y), weight=w)
                out[f"torch.nll_loss {name}{said}"] = float(value)
    return out


def keras() -> dict[str, float]:
    """The two crossentropies, with and without smoothing and weights, from probabilities."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    import torch

    out = {}
    for name, p, y in cases():
        kind = "binary" if p.shape[1] == 1 else "categorical"
        made = getattr(keras.losses, f"{kind.title()}Crossentropy")
        function = getattr(keras.ops, f"{kind}_crossentropy")
        target = y[:, None].astype(p.dtype) if kind == "binary" else np.eye(p.shape[1], dtype=p.dtype)[y]
        for smoothing in (0.0, 0.1):
            for said, w in (("", None), (" weighted", inputs.row_weights())):
                if p.dtype == np.float32:
                    value = float(made(label_smoothing=smoothing)(target, p, sample_weight=w))
                else:  # the classes smooth and reduce in float32, so that is done here
                    smoothed = target * (1 - smoothing) + smoothing / max(p.shape[1], 2)
                    losses = function(torch.tensor(smoothed), torch.tensor(p)).numpy().reshape(y.size)
                    value = float(np.mean(losses * (1.0 if w is None else w)))
                out[f"keras.{kind}_crossentropy {name} {smoothing}{said}"] = value
    return out


def torchmetrics() -> dict[str, float]:
    """Calibration errors in 10, 15 and 100 bins."""
    import torch
    from torchmetrics.functional import classification

    out = {}
    for name, p, y in cases():
        for bins in (10, 15, 100):
            for norm, said in (("l1", ""), ("l2", "_l2"), ("max", "_max")):
                if p.shape[1] < 3:
                    key, own = "binary_calibration_error", (torch.tensor(p[:, -1]), torch.tensor(y))
                    value = classification.binary_calibration_error(*own, n_bins=bins, norm=norm)
                else:
                    key, own = "multiclass_calibration_error", (torch.tensor(p), torch.tensor(y))
                    value = classification.multiclass_calibration_error(
                        *own, num_classes=p.shape[1], n_bins=bins, norm=norm
                    )
                out[f"torchmetrics.{key}{said} {name} {bins}"] = float(value)
    return out


def netcal() -> dict[str, float]:
    """ECE, ACE and MCE in 10 and 15 bins."""
    from netcal.metrics import confidence

    out = {}
    for name, p, y in cases():
        for bins in (10, 15):
            for key in ("ECE", "ACE", "MCE"):
                value = getattr(confidence, key)(bins).measure(p, y)
                out[f"netcal.{key.lower()} {name} {bins}"] = float(value)
    return out


def relplot() -> dict[str, float]:
    """smECE of the positive class, or of the confidence."""
    import relplot as rp

    out = {}
    for name, p, y in cases():
        own = (p[:, -1], y) if p.shape[1] < 3 else rp.multiclass_logits_to_confidences(p, y, probs=True)
        out[f"relplot.smece {name}"] = float(rp.smECE(own[0].astype(np.float64), own[1]))
    return out


PEERS: dict[str, Callable[[], dict[str, float]]] = {
    "sklearn": sklearn, "torch": torch, "keras": keras, "torchmetrics": torchmetrics, "netcal": netcal,
    "relplot": relplot,
}  # fmt: skip


def main() -> None:
    """Write the file."""
    names = {"sklearn": "scikit-learn"}
    versions = {peer: importlib.metadata.version(names.get(peer, peer)) for peer in PEERS}
    figures = {case: value for figures in PEERS.values() for case, value in figures().items()}
    FILE.write_text(json.dumps({"versions": versions, "figures": figures}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
