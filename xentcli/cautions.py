"""Warnings of intervals that are too narrow: few rows or groups carry what they are of."""

from __future__ import annotations

import math

from xentcli.metrics import proper, tail
from xentcli.metrics.known import Known
from xentcli.report import Report, Warning

OF_RESULTS = frozenset({"XW118", "XW121"})
"""What is said of a result and not of the input, so that it means nothing of the first rows alone."""

MOST_SKEWED = 0.3
"""A mean of n rows with skewness G1 has G1/√n, which intervals know of (`student.reach`): at this, where n is
11 G1², those of 95 % hold 93 to 95 %."""


_UNCERTAIN, _BY_LABEL, _ROWS = 0.2, 0.25, 50
"""Standard errors of what a skill is over, as a share of it, from which on intervals of 95 % hold 90 and
less, or, of two classes by label (`metrics.bylabel`) and a model that is far too sure, 92; of fewer rows
every figure is as uncertain."""


def heavy_tail(known: Known, report: Report) -> Warning | None:
    """Few rows carry the sum, so that the interval of its mean is too narrow, or rests on no variance."""
    worst = report.metrics.get("loss_share_worst_1pct")
    if worst is None or worst.value is None or report.metrics["cross_entropy"].se is None:
        return None
    skewed, shape = tail.skewness(known), tail.shape(known)
    each, most = "rows", known.effective
    if known.spec.grouped:
        each, most = "groups", float(report.data["clusters"])
    if skewed is not None and skewed > MOST_SKEWED:
        asked = math.ceil(skewed * skewed / (MOST_SKEWED * MOST_SKEWED) * most)
        why = f"with a loss so skewed, an interval asks for about {asked:,} {each} like these"
    elif shape is not None and shape >= 0.5:
        each, why = "rows", "the highest losses look like those of a distribution without a variance"
    else:
        return None
    said = known.rows >= 100 and each == "rows"
    share = f"the worst 1 % have {100 * worst.value:.3g} % of it; " if said else ""
    return Warning(
        "XW118",
        f"few {each} carry the loss: {share}{why}, and the one of the cross-entropy is too narrow",
        f"--top 20 shows the worst rows; more {each}, or a bounded figure such as brier_score or accuracy",
        max(1, round(0.01 * known.rows)),
    )


def rare(known: Known, report: Report) -> Warning | None:
    """So few rows or groups beside the commonest class that a skill is over a score hardly known."""
    skill = report.metrics.get("brier_skill_score")
    if skill is None or skill.lo is None or known.rows < _ROWS:
        return None
    off = proper.reference_uncertainty(known)
    by_label = known.spec.task == "binary" and not known.spec.grouped
    if off is None or off <= (_BY_LABEL if by_label else _UNCERTAIN):
        return None
    each, beside = "groups" if known.spec.grouped else "rows", known.support.sum() - known.support.max()
    return Warning(
        "XW121",
        f"few {each} are of another class than the commonest one: the standard error of the Brier score of "
        f"the class frequencies is {100 * off:.2g} % of it, and the interval of the skill, which is over it, "
        "too narrow",
        f"more {each} with the rare classes; or the Brier score itself, whose interval is not over it",
        max(1, round(float(beside))),
    )
