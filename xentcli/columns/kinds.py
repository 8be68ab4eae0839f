"""Probabilities, logits or log-probabilities? Read off the values, with the name as a witness."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xentcli.records import dataclass

F64 = npt.NDArray[np.float64]

KINDS = ("probs", "logits", "logprobs")
"""What values can be seen to be; that they are counts of votes can only be said."""
PERCENTAGES = "rows add up to 100: are these percentages?"
OTHER_LOGS = {
    (np.e, -1): "exp(-x) of each row adds up to 1: are these negative log-probabilities?",
    (2.0, 1): "2**x of each row adds up to 1: are these logarithms to base 2?",
    (10.0, 1): "10**x of each row adds up to 1: are these logarithms to base 10?",
    (2.0, -1): "2**-x of each row adds up to 1: are these negative logarithms to base 2?",
    (10.0, -1): "10**-x of each row adds up to 1: are these negative logarithms to base 10?",
}
"""What is said of values that are log-probabilities to another base or with another sign."""

NO_VALUES = "none of the first values is a number"

NEVER_NEGATIVE = "values go beyond 1, and none is below 0, as logits of the less likely class would be"

ROUNDING = 1e-6
"""How far rounding may take a probability beyond 0 and 1, or a log-probability above 0."""

UNLIKELY = 7.0
"""Minus the logarithm of a chance that explains nothing: e**-7 is one in a thousand."""

NAMES = {"probs": "probabilities", "logits": "logits", "logprobs": "log-probabilities", "votes": "votes"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind with its evidence. `sure`: rows add up to one, which chance does not do."""

    kind: str | None
    sure: bool
    why: str


def judge(values: F64, low: float | None, high: float | None, claim: str | None) -> Kind:
    """The kind of scores `values` (n, width), whose range over all rows may be known from statistics.

    A claim of the name that the values contradict leaves no kind: that is for the user to settle.
    """
    finite = np.isfinite(values).all(axis=1)
    known = values if finite.all() else values[finite]
    low = min((x for x in (low, _least(known)) if x is not None), default=None)
    high = max((x for x in (high, _most(known)) if x is not None), default=None)
    if low is None or high is None or not len(known):
        return Kind(claim, False, f"the name, for want of values: {claim}" if claim else NO_VALUES)
    if known.shape[1] == 1:
        return _one_column(low, high, claim)
    found = _several(known, low, high)
    if found.kind is None and claim == "logits" and high > 1.0:
        return Kind("logits", False, f"the names, and values from {low:.4g} to {high:.4g}")
    if found.kind is None or claim is None or claim == found.kind:
        return found
    if found.sure or claim in ("probs", "logprobs"):
        detail = f"smallest {low:.4g}, sum of the first row {row_sums(known[:1])[0]:.4g}"
        says = f"the names say {NAMES[claim]}, the values look like {NAMES[found.kind]} ({detail})"
        return Kind(None, found.sure, says)
    return found


def _least(values: F64) -> float | None:
    return float(values.min()) if values.size else None


def _most(values: F64) -> float | None:
    return float(values.max()) if values.size else None


def _one_column(low: float, high: float, claim: str | None) -> Kind:
    span = f"{low:.4g} to {high:.4g}"
    beyond = 0.0 if claim in ("logits", "logprobs") else ROUNDING
    if low >= -beyond and high <= 1.0 + beyond:
        if claim in ("logits", "logprobs"):
            why = f"the name says {NAMES[claim]}, the values ({span}) could be probabilities"
            return Kind(None, False, why)
        return Kind("probs", False, f"values from {span}")
    if low >= 0.0 and claim in (None, "probs"):
        return Kind(None, False, f"{NEVER_NEGATIVE} ({span}): are these percentages, odds or losses?")
    if claim == "probs":
        return Kind(None, False, f"the name says probabilities, but values look like logits ({span})")
    if high <= ROUNDING and claim != "logits":
        if claim == "logprobs":
            return Kind("logprobs", False, f"the name, and values from {span}")
        return Kind(None, False, f"values from {span} may be logits or log-probabilities")
    if claim == "logprobs":
        return Kind(None, False, f"the name says log-probabilities, but values go to {high:.4g}")
    return Kind("logits", False, f"values from {span}")


def row_sums(values: F64) -> F64:
    """The sum of each row (n,) of values (n, C): NaN of both infinities, infinite beyond float64."""
    with np.errstate(invalid="ignore", over="ignore"):
        sums: F64 = values.sum(axis=1)
    return sums


def near_one(spread: float) -> str:
    """What rows do whose sums are at most that far from 1."""
    return f"add up to 1 within {spread:.1g}" if spread else "add up to exactly 1"


def _several(values: F64, low: float, high: float) -> Kind:
    sums = row_sums(values)
    near = np.abs(sums - 1.0) <= 2e-2
    # Of logits with few decimals, some rows add up to 1 too; then few rows lie between 0 and 1.
    within = ((values >= -ROUNDING) & (values <= 1.0 + ROUNDING)).all(axis=1).mean() >= 0.5
    if near.all() or (within and (np.abs(sums - 1.0) <= 1e-6).any()):
        spread = float(np.abs(sums - 1.0).max())
        return Kind("probs", True, f"rows {near_one(spread)}, values {low:.4g} to {high:.4g}")
    other = _other_logs(values, low, high)
    if other is not None:
        return Kind(None, True, other)
    if low >= 0.0 and high <= 1.0:
        if near.mean() >= 0.5:
            return Kind("probs", True, f"{near.mean():.0%} of the rows add up to 1")
        why = f"values from {low:.4g} to {high:.4g}, but rows add up to {sums[0]:.4g}, not 1"
        return Kind(None, False, why)
    if low >= 0.0 and high > 1.0 and (np.abs(sums - 100.0) <= 2.0).all():
        return Kind(None, False, PERCENTAGES)
    if high <= ROUNDING:
        with np.errstate(under="ignore"):
            total = np.exp(values).sum(axis=1)
        if (np.abs(total - 1.0) <= 2e-2).all():
            return Kind("logprobs", True, "no value above 0, and exp of each row adds up to 1")
    return Kind("logits", False, f"values from {low:.4g} to {high:.4g}, rows do not add up to 1")


def _other_logs(values: F64, low: float, high: float) -> str | None:
    """What to ask of values (n, C) if they are other logarithms of rows that add up to 1.

    Rows of a 1 and zeros are no evidence: 0 beside large numbers is what logits may be too.
    """
    for (base, sign), said in OTHER_LOGS.items():
        if max(sign * high, sign * low) > ROUNDING:
            continue
        with np.errstate(over="ignore", under="ignore"):
            p = np.exp(sign * np.log(base) * values)
        if (np.abs(p.sum(axis=1) - 1.0) <= 1e-2).all() and (p.max(axis=1) < 0.98).any():
            return said
    return None
