"""One file a family of calibration maps: how it is fitted, and what it makes of scores.

A map of a binary task turns one logit into one probability; of more classes, a map is either one of all
classes together (temperature, vector) or a binary one for each, whose results are divided by their sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xentcli.batch import F64
from xentcli.calibrating.scores import Data, Scores
from xentcli.records import dataclass

Parameters = dict[str, Any]
"""Numbers and lists of them by name, as the map's file has them."""


class NoFitError(Exception):
    """The method has no map for these rows; the text says why."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """prior: what isotonic, histogram and vector maps are drawn towards, in rows. bins: of histograms."""

    prior: float = 1.0
    bins: int = 15


USES = {"prior": ("isotonic", "histogram", "vector"), "bins": ("histogram",)}
"""The methods that each part of Tuning is for."""


@dataclass(frozen=True, slots=True)
class Method:
    """A way to calibrate.

    fit: raises NoFitError. apply: parameters and scores to probabilities (C, n), class by class.
    finite: it needs finite logits. joint: it takes all classes together; others are binary.
    """

    name: str
    fit: Callable[[Data, Tuning], Parameters]
    apply: Callable[[Parameters, Scores], F64]
    finite: bool
    joint: bool
