"""Log loss, Brier score, accuracy and calibration curve with scikit-learn."""

from __future__ import annotations

import numpy as np
from common import arguments, report
from loading import load
from scipy.special import softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss

BINS = 15


def main() -> None:
    """Score one file the way the library's own examples do."""
    path, kind = arguments()
    p, labels = load(path, kind)
    if kind == "binary":
        predicted = p >= 0.5
        truth, confidence = labels, p
    else:
        if kind != "csv":
            p = softmax(p, axis=1)
        predicted = p.argmax(axis=1)
        truth, confidence = predicted == labels, p.max(axis=1)
    classes = None if kind == "binary" else np.arange(p.shape[1])
    observed, _ = calibration_curve(truth, confidence, n_bins=BINS)
    report(
        mean_loss=float(log_loss(labels, p, labels=classes)),
        brier=float(brier_score_loss(labels, p, labels=classes)),
        accuracy=float(accuracy_score(labels, predicted)),
        bins=len(observed),
    )


if __name__ == "__main__":
    main()
