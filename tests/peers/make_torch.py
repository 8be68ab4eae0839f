"""Figures of torch for tests/peers/torch.json: `python -m tests.peers.make_torch`, with torch installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.peers import inputs

FILE = Path(__file__).with_name("torch.json")
DTYPES = ("float32", "float64")
SIZES = (2, 3, 10, 70)
SMOOTHINGS = (0.0, 0.1, 0.5, 1.0)
LABELS = (1, 3, 70)
WEIGHTINGS = ("none", "given")


def figures() -> dict[str, float]:
    """Every figure by the name of its case."""
    return {**cross_entropies(), **binary(), **distributions(), **several(), **ignored()}


def cross_entropies() -> dict[str, float]:
    """`cross_entropy` with its arguments `weight` and `label_smoothing`."""
    import torch
    from torch.nn import functional

    out = {}
    for dtype in DTYPES:
        for c in SIZES:
            z = torch.tensor(inputs.logits(c, dtype), dtype=getattr(torch, dtype))
            y = torch.tensor(inputs.labels(c))
            counts = np.bincount(inputs.labels(c), minlength=c)
            weights = {"none": None, "given": inputs.class_weights(c)}
            if counts.all():
                weights["balanced"] = inputs.ROWS / (c * counts)
            for name, w in weights.items():
                weight = None if w is None else torch.tensor(w, dtype=z.dtype)
                for smoothing in SMOOTHINGS:
                    loss = functional.cross_entropy(z, y, weight=weight, label_smoothing=smoothing)
                    out[f"cross_entropy {dtype} {c} {name} {smoothing}"] = float(loss)
    return out


def binary() -> dict[str, float]:
    """`binary_cross_entropy_with_logits` with `pos_weight`, targets smoothed as Keras does."""
    import torch
    from torch.nn import functional

    out = {}
    for dtype in DTYPES:
        z = torch.tensor(inputs.logits(1, dtype)[:, 0], dtype=getattr(torch, dtype))
        y = torch.tensor(inputs.labels(2), dtype=z.dtype)
        for smoothing in SMOOTHINGS:
            target = y * (1 - smoothing) + smoothing / 2
            for weight in (1.0, 0.25, 3.0):
                loss = functional.binary_cross_entropy_with_logits(
                    z, target, pos_weight=torch.tensor(weight, dtype=z.dtype)
                )
                out[f"bce_with_logits {dtype} {weight} {smoothing}"] = float(loss)
    return out


def distributions() -> dict[str, float]:
    """`cross_entropy` of probabilities as the target, with its arguments `weight` and `label_smoothing`."""
    import torch
    from torch.nn import functional

    out = {}
    for dtype in DTYPES:
        for c in SIZES:
            z = torch.tensor(inputs.logits(c, dtype), dtype=getattr(torch, dtype))
            q = torch.tensor(inputs.distributions(c, dtype), dtype=z.dtype)
            for name, w in {"none": None, "given": inputs.class_weights(c)}.items():
                weight = None if w is None else torch.tensor(w, dtype=z.dtype)
                for smoothing in SMOOTHINGS:
                    loss = functional.cross_entropy(z, q, weight=weight, label_smoothing=smoothing)
                    out[f"soft {dtype} {c} {name} {smoothing}"] = float(loss)
    return out


def several() -> dict[str, float]:
    """`binary_cross_entropy_with_logits` of several labels, with `weight` and `pos_weight` of each."""
    import torch
    from torch.nn import functional

    out = {}
    for dtype in DTYPES:
        for count in LABELS:
            z = torch.tensor(inputs.logits(count, dtype), dtype=getattr(torch, dtype))
            y = torch.tensor(inputs.memberships(count), dtype=z.dtype)
            given = torch.tensor(inputs.class_weights(count), dtype=z.dtype)
            for smoothing in SMOOTHINGS:
                target = y * (1 - smoothing) + smoothing / 2
                for w in WEIGHTINGS:
                    for positive in WEIGHTINGS:
                        loss = functional.binary_cross_entropy_with_logits(
                            z, target,
                            weight=None if w == "none" else given,
                            pos_weight=None if positive == "none" else given.flip(0) * 2,
                        )  # fmt: skip
                        out[f"multilabel {dtype} {count} {w} {positive} {smoothing}"] = float(loss)
    return out


def ignored() -> dict[str, float]:
    """`cross_entropy` with `ignore_index`, and each `reduction`: of "none", the losses of the first rows."""
    import torch
    from torch.nn import functional

    out = {}
    for dtype in DTYPES:
        z = torch.tensor(inputs.logits(10, dtype), dtype=getattr(torch, dtype))
        y = torch.tensor(inputs.with_ignored(10))
        given = torch.tensor(inputs.class_weights(10), dtype=z.dtype)
        for name, w in (("none", None), ("given", given)):
            for smoothing in (0.0, 0.1):
                for reduction in ("mean", "sum"):
                    loss = functional.cross_entropy(
                        z, y, weight=w, label_smoothing=smoothing, ignore_index=inputs.IGNORED,
                        reduction=reduction,
                    )  # fmt: skip
                    out[f"ignored {dtype} {name} {smoothing} {reduction}"] = float(loss)
        rows = functional.cross_entropy(z, y, ignore_index=inputs.IGNORED, reduction="none")
        out |= {f"row {dtype} {row}": float(rows[row]) for row in range(10)}
    return out


def main() -> None:
    """Write the file."""
    import torch

    found: dict[str, Any] = {"torch": torch.__version__, "figures": figures()}
    FILE.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
