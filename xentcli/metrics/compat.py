"""Figures as other libraries compute them, by their own conventions; see `peernames` for each.

Arithmetic is float64 throughout: a peer that adds in float32 agrees to about 1e-6 and not further.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from xentcli.batch import F64
from xentcli.errors import counted
from xentcli.metrics import loss, proper, training
from xentcli.metrics.known import Known
from xentcli.metrics.sums import number
from xentcli.records import replace
from xentcli.report import Value
from xentcli.states.peer import epsilon


def _named(known: Known, name: str, value: Value) -> Value:
    """A figure of xent's own under the name it has there."""
    return replace(value, unit=known.undefined(name, "").unit, better=known.undefined(name, "").better)


def _mean(known: Known, name: str, per_row: bool) -> Value:
    """Σ w·x over the number of rows, or over Σw of the rows; w of rows and classes."""
    infinite = known.states.notes.counts.get("peer_infinite", 0)
    if infinite:
        why = f"{counted(infinite, 'row')} gave a class of the target p = 0"
        return replace(known.undefined(name, why), value=math.inf)
    sums = known.states.peer.sums["loss"]
    totals = [sums.exact(k) for k in range(sums.size)]
    top = training.dot(training.exact_weights(known), totals) if sums.size > 1 else totals[0]
    return known.value(name, number(top / (known.rows if per_row else known.weight)))


# -- scikit-learn ------------------------------------------------------------------------------------
def log_loss(known: Known) -> Value:
    """sklearn.metrics.log_loss, with --weight as `sample_weight`."""
    return _mean(known, "sklearn.log_loss", per_row=False)


def brier_score_loss(known: Known) -> Value:
    """sklearn.metrics.brier_score_loss, `scale_by_half="auto"`."""
    return _named(known, "sklearn.brier_score_loss", proper.brier_score(known))


def d2_log_loss_score(known: Known) -> Value:
    """sklearn.metrics.d2_log_loss_score; undefined with one class, where it has nothing to divide by."""
    share = known.frequencies[known.frequencies > 0]
    if share.size < 2:
        return known.undefined("sklearn.d2_log_loss_score", "all labels are of one class")
    eps = 2.0**-52
    reference = float(-(share * np.log(np.clip(share, eps, 1 - eps))).sum())
    value = log_loss(known).value
    return known.value("sklearn.d2_log_loss_score", 1.0 - (value or 0.0) / reference)


def d2_brier_score(known: Known) -> Value:
    """sklearn.metrics.d2_brier_score."""
    plain = Known(known.states, None, known.level)
    return _named(known, "sklearn.d2_brier_score", proper.brier_skill_score(plain))


# -- torch -------------------------------------------------------------------------------------------
def cross_entropy(known: Known) -> Value:
    """torch.nn.functional.cross_entropy(logits, label, weight=…, label_smoothing=…)."""
    return _torch(known, "torch.cross_entropy")


def nll_loss(known: Known) -> Value:
    """torch.nn.functional.nll_loss(ln p, label, weight=…); it has neither smoothing nor `pos_weight`."""
    setup = known.spec.training
    if setup is not None and (setup.smoothing or setup.per_row):
        return known.undefined("torch.nll_loss", "it has no smoothing and no pos_weight; see training_loss")
    return _torch(known, "torch.nll_loss")


def _torch(known: Known, name: str) -> Value:
    if known.spec.weighted:
        return known.undefined(name, "it takes no weights of rows")
    own = loss.cross_entropy if known.spec.training is None else training.training_loss
    return _named(known, name, own(known))


def binary_cross_entropy(known: Known) -> Value:
    """torch.nn.functional.binary_cross_entropy(p, target, weight=…)."""
    return _mean(known, "torch.binary_cross_entropy", per_row=True)


def binary_cross_entropy_with_logits(known: Known) -> Value:
    """torch.nn.functional.binary_cross_entropy_with_logits(z, target, weight=…, pos_weight=…)."""
    return _mean(known, "torch.binary_cross_entropy_with_logits", per_row=True)


# -- Keras -------------------------------------------------------------------------------------------
def categorical_crossentropy(known: Known) -> Value:
    """keras.losses.CategoricalCrossentropy(label_smoothing=…)(y, p, sample_weight=…)."""
    return _mean(known, "keras.categorical_crossentropy", per_row=True)


def binary_crossentropy(known: Known) -> Value:
    """keras.losses.BinaryCrossentropy(label_smoothing=…)(y, p, sample_weight=…)."""
    return _mean(known, "keras.binary_crossentropy", per_row=True)


# -- calibration -------------------------------------------------------------------------------------
def _gaps(known: Known) -> tuple[F64, F64]:
    """Rows of each bin of the peer (M + 1,), and its |mean y - mean p|, 0 where it is empty."""
    sums = known.states.peer.sums
    rows = sums["rows"].values().reshape(-1, 2)
    count = rows.sum(axis=1)
    gap: F64 = np.abs(rows[:, 1] - sums["p"].values()) / np.maximum(count, 1.0)
    if "counts" not in sums:
        return count, gap
    count = sums["counts"].values()
    return count, np.where(count > 0, gap, 0.0)


def _calibration(known: Known, name: str, norm: str) -> Value:
    """Of the shares w and gaps g of bins with rows: l1 Σ w·g, l2 sqrt(Σ w·g²), max g, or the mean of g."""
    peer = name.partition(".")[0]
    if known.spec.weighted:
        return known.undefined(name, f"{peer} takes no weights")
    if peer == "netcal" and known.spec.task != "binary" and np.count_nonzero(known.support) <= 2:
        return known.undefined(name, "netcal takes labels of two classes for a binary task, and raises")
    count, gap = _gaps(known)
    share = count / count.sum()
    return known.value(name, {
        "l1": float((share * gap).sum()),
        "l2": math.sqrt(float((share * gap * gap).sum())),
        "max": float(gap.max()),
        "mean": float(gap.sum()) / np.count_nonzero(count),
    }[norm])  # fmt: skip


def _error(name: str, norm: str) -> Callable[[Known], Value]:
    """The calibration error of a peer that goes by `name`: of which norm of the gaps."""
    return partial(_calibration, name=name, norm=norm)


# torchmetrics.functional.classification, norm="l1", "l2" and "max"
binary_calibration_error = _error("torchmetrics.binary_calibration_error", "l1")
binary_calibration_error_l2 = _error("torchmetrics.binary_calibration_error_l2", "l2")
binary_calibration_error_max = _error("torchmetrics.binary_calibration_error_max", "max")
multiclass_calibration_error = _error("torchmetrics.multiclass_calibration_error", "l1")
multiclass_calibration_error_l2 = _error("torchmetrics.multiclass_calibration_error_l2", "l2")
multiclass_calibration_error_max = _error("torchmetrics.multiclass_calibration_error_max", "max")
# netcal.metrics.ECE, ACE and MCE
ece = _error("netcal.ece", "l1")
ace = _error("netcal.ace", "mean")
mce = _error("netcal.mce", "max")


def smece(known: Known) -> Value:
    """relplot.smECE(p, y), of the positive class or of the confidence."""
    if known.spec.weighted:
        return known.undefined("relplot.smece", "relplot takes no weights")
    state = known.states.peer
    from xentcli.metrics import relplot

    return known.value("relplot.smece", relplot.error(state.values("residual"), state.values("mass")))


def conventions(known: Known, names: list[str]) -> dict[str, str]:
    """The convention of each figure, with the numbers of this run."""
    from xentcli.metrics.peernames import PEERS

    spec = known.spec
    assert spec.compat is not None
    peer, eps = PEERS[spec.compat], epsilon(spec)
    return {name: peer.convention(name.partition(".")[2], eps, spec.compat_bins) for name in names}
