"""Soft labels and multilabel losses against torch itself, where it is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.metrics.scored import by_class, known, number
from xentcli.batch import F64

torch = pytest.importorskip("torch")

DTYPES = [("float32", 1e-6), ("float64", 1e-12)]


def rows(seed: int, n: int, width: int) -> F64:
    return np.random.default_rng(seed).normal(size=(n, width)) * 4


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("classes", [2, 10, 100])
def test_soft_labels_have_the_loss_of_cross_entropy_with_probabilities(
    classes: int, dtype: Any, tolerance: float
) -> None:
    z = rows(classes, 300, classes).astype(dtype)
    q = np.random.default_rng(1).dirichlet(np.full(classes, 0.3), 300)
    stored = np.dtype(dtype).str[1:]
    found = known([], z, task="soft", targets=q, kind="logits", stored=stored, precision="float64")
    quick = known([], z, task="soft", targets=q, kind="logits", stored=stored)
    wide = torch.nn.functional.cross_entropy(torch.tensor(z.astype(np.float64)), torch.tensor(q))
    assert number(found, "cross_entropy") == pytest.approx(float(wide), rel=1e-12)
    assert number(quick, "cross_entropy") == pytest.approx(float(wide), rel=1e-7)
    narrow = torch.nn.functional.cross_entropy(torch.tensor(z), torch.tensor(q.astype(dtype)))
    assert number(found, "cross_entropy") == pytest.approx(float(narrow), rel=tolerance)
    divergence = torch.nn.functional.kl_div(
        torch.log_softmax(torch.tensor(z.astype(np.float64)), dim=1), torch.tensor(q), reduction="batchmean"
    )
    assert number(found, "kl_divergence") == pytest.approx(float(divergence), rel=1e-11)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("labels", [1, 6, 100])
def test_multilabel_loss_is_that_of_binary_cross_entropy_with_logits(
    labels: int, dtype: Any, tolerance: float
) -> None:
    z = rows(labels, 300, labels).astype(dtype)
    for targets in (
        (np.random.default_rng(2).random((300, labels)) < 0.3).astype(np.float64),
        np.random.default_rng(3).random((300, labels)),
    ):
        found = known([], z, task="multilabel", targets=targets, kind="logits")
        loss = torch.nn.functional.binary_cross_entropy_with_logits
        wide = loss(torch.tensor(z.astype(np.float64)), torch.tensor(targets))
        assert number(found, "cross_entropy") == pytest.approx(float(wide), rel=1e-12)
        narrow = loss(torch.tensor(z), torch.tensor(targets.astype(dtype)))
        assert number(found, "cross_entropy") == pytest.approx(float(narrow), rel=tolerance)
        every = loss(torch.tensor(z.astype(np.float64)), torch.tensor(targets), reduction="none").mean(dim=0)
        mine = [row.metrics["cross_entropy"].value for row in by_class(found)]
        assert mine == pytest.approx(every.numpy(), rel=1e-12)


def test_multilabel_scores_are_those_of_torchmetrics() -> None:
    peer = pytest.importorskip("torchmetrics.functional.classification")
    z, rng = rows(5, 500, 8), np.random.default_rng(5)
    y = (rng.random(z.shape) < 1 / (1 + np.exp(-z / 2))).astype(np.int64)
    found = known([], z, task="multilabel", targets=y, kind="logits")
    p, target = torch.tensor(1 / (1 + np.exp(-z))), torch.tensor(y)
    expected = {
        "macro_f1": peer.multilabel_f1_score(p, target, 8, average="macro"),
        "micro_f1": peer.multilabel_f1_score(p, target, 8, average="micro"),
        "macro_precision": peer.multilabel_precision(p, target, 8, average="macro"),
        "micro_recall": peer.multilabel_recall(p, target, 8, average="micro"),
        "subset_accuracy": peer.multilabel_exact_match(p, target, 8),
        "hamming_loss": peer.multilabel_hamming_distance(p, target, 8, average="micro"),
        "macro_auroc": peer.multilabel_auroc(p, target, 8, average="macro"),
        "macro_average_precision": peer.multilabel_average_precision(p, target, 8, average="macro"),
    }
    for name, value in expected.items():
        assert number(found, name) == pytest.approx(float(value), rel=1e-6), name  # float32 in the peer
