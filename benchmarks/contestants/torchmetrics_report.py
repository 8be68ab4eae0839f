"""Cross entropy, accuracy and calibration error with PyTorch and TorchMetrics."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from common import THREADS, arguments, report
from loading import load
from torchmetrics.functional.classification import (
    binary_accuracy,
    binary_calibration_error,
    multiclass_accuracy,
    multiclass_calibration_error,
)

BINS = 15


def main() -> None:
    """Score one file; the metrics are those of the library's functional interface."""
    path, kind = arguments()
    torch.set_num_threads(THREADS)
    arrays = load(path, kind)
    scores, labels = torch.tensor(arrays[0]), torch.tensor(arrays[1])
    del arrays
    if kind == "binary":
        loss = F.binary_cross_entropy(scores, labels.to(scores.dtype))
        accuracy = binary_accuracy(scores, labels)
        error = binary_calibration_error(scores, labels, n_bins=BINS)
    else:
        if kind == "csv":
            loss = F.nll_loss(scores.log(), labels)
            p = scores
        else:
            loss = F.cross_entropy(scores, labels)
            p = scores.softmax(dim=1)
        classes = p.shape[1]
        accuracy = multiclass_accuracy(p, labels, num_classes=classes, average="micro")
        error = multiclass_calibration_error(p, labels, num_classes=classes, n_bins=BINS)
    report(mean_loss=loss.item(), accuracy=accuracy.item(), calibration_error=error.item())


if __name__ == "__main__":
    main()
