"""What the gaps of the truth are taken to be, on either side of those seen, for the limits of an error."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from xentcli.records import replace

if TYPE_CHECKING:
    from xentcli.metrics.redraw import Redraws
    from xentcli.metrics.wild import WildRedraws

_CLOSER = 0.4  # standard errors


def beyond_chance(drawn: Redraws | WildRedraws) -> Redraws | WildRedraws:
    """The same of the gaps that two standard errors do not explain; of all if they explain every one."""
    return certain(drawn) if drawn.firm.any() else drawn


def level(drawn: Redraws | WildRedraws) -> Redraws | WildRedraws:
    """The same of a truth whose gaps are all as large as those seen are on average, each on its side."""
    mean = float(np.abs(drawn.gap * drawn.weight).sum()) / float(drawn.weight.sum())
    gaps = np.copysign(mean, drawn.gap)
    return replace(drawn, seen=gaps * drawn.weight, gap=gaps)


def stretch(drawn: Redraws | WildRedraws, share: float) -> Redraws | WildRedraws:
    """The same of a truth that is off on one stretch of p alone, of hardly more than a `share` of all rows,
    and there alike: on the one where the gaps seen are largest on average, by as much as that."""
    starts = np.flatnonzero(np.diff(drawn.gap, prepend=np.nan) != 0.0)
    rows = np.cumsum(np.add.reduceat(drawn.weight, starts))
    sums = np.cumsum(np.add.reduceat(drawn.gap * drawn.weight, starts))
    before, added = (np.concatenate([[0.0], x[:-1]]) for x in (rows, sums))
    last = np.searchsorted(rows, before + share * rows[-1], side="right")
    fits = last < rows.size
    last = last[fits]
    mean = (sums[last] - added[fits]) / (rows[last] - before[fits])
    first = int(np.abs(mean).argmax())
    ends = np.append(starts, drawn.gap.size)
    gaps = np.zeros(drawn.gap.size)
    gaps[ends[first] : ends[last[first] + 1]] = mean[first]
    return replace(drawn, seen=gaps * drawn.weight, gap=gaps)


def certain(drawn: Redraws | WildRedraws) -> Redraws | WildRedraws:
    """The same of the gaps that two standard errors do not explain alone: of none if they explain all."""
    return replace(drawn, seen=drawn.seen * drawn.firm, gap=drawn.gap * drawn.firm)


def leaning(drawn: Redraws | WildRedraws) -> Redraws | WildRedraws:
    """The same, of bins of few rows, of a truth that leans one way, that of the sum seen."""
    assert drawn.lean is not None
    lean = math.copysign(1.0, float(drawn.seen.sum())) * drawn.lean
    return replace(drawn, seen=lean, gap=lean / drawn.weight)


def beside(drawn: Redraws | WildRedraws, errors: float) -> Redraws | WildRedraws:
    """The same of a truth whose gaps are so many standard errors larger than those seen, but the largest.

    None is above that one, nor on the other side of 0.
    """
    size = np.abs(drawn.gap)
    noise = np.sqrt(np.square(drawn.by_chance).mean(axis=0)) / drawn.weight
    gaps = np.clip(size + errors * noise, 0.0, size.max())
    gaps[size.argmax()] = size.max()
    gaps = np.copysign(gaps, drawn.gap)
    return replace(drawn, gap=gaps, seen=gaps * drawn.weight)


def closer(drawn: Redraws | WildRedraws) -> Redraws | WildRedraws:
    """The same of a truth whose gaps, in standard errors, are nearer to their mean than those seen, or there.

    By up to _CLOSER, less where they vary by more than chance has them vary, which is a variance of 1.
    """
    noise = np.sqrt(np.square(drawn.by_chance).mean(axis=0))
    size, varied = np.abs(drawn.seen), noise > 0.0
    if np.count_nonzero(varied) < 2:
        return drawn
    errors = size[varied] / noise[varied]
    most = _CLOSER / max(float(errors.var(ddof=1)), 1.0) * noise
    gaps = np.copysign(np.clip(noise * errors.mean(), size - most, size + most), drawn.seen)
    return replace(drawn, seen=gaps, gap=gaps / drawn.weight)


def evened(drawn: Redraws | WildRedraws) -> Redraws | WildRedraws:
    """The same of a truth whose gaps differ by no more than they do beyond chance, if that is known."""
    if drawn.alike is None or not drawn.alike.any():
        return drawn
    return replace(drawn, seen=drawn.alike, gap=drawn.alike / drawn.weight)
