"""The figures that come first in a report, a line for each, with what else there is to know of it."""

from __future__ import annotations

import math
import re
from typing import Any

from xentcli.errors import counted
from xentcli.records import dataclass, replace
from xentcli.renderers.numbers import (
    NBSP,
    count,
    decimals,
    figure,
    fixed,
    loss_in,
    percent,
    probability,
    shown,
)
from xentcli.report import Value

# Figures of every report that the headline leaves out; any other one was asked for.
KNOWN = frozenset(
    {"cross_entropy_finite", "zero_probability_rows", "label_entropy", "predictive_entropy", "mcc",
     "mce", "macro_f1", "balanced_cross_entropy", "ece", "ece_chance", "spiegelhalter_z",
     "macro_precision", "micro_precision", "macro_recall", "micro_recall", "loss_share_worst_0_1pct",
     "calibration_loss", "refinement_loss", "temperature"}
)  # fmt: skip
_TOLD = frozenset(
    {"cross_entropy", "training_loss", "perplexity", "normalized_cross_entropy", "accuracy", "auroc",
     "average_precision", "brier_score", "brier_skill_score", "overconfidence", "kl_divergence",
     "label_distribution_entropy", "subset_accuracy", "hamming_loss", "micro_f1", "macro_auroc",
     "macro_average_precision", "label_listed", "cross_entropy_listed", "loss_share_worst_1pct",
     "loss_share_worst_10pct"}
)  # fmt: skip
_TOLD_BY_LABEL = frozenset({"macro_f1", "micro_precision", "micro_recall"})
_PERCENT = (
    "accuracy",
    "brier_skill_score",
    "subset_accuracy",
    "hamming_loss",
    "macro_f1",
    "micro_f1",
    "label_listed",
)
LEAST_SHARE = 0.001
"""A smaller share of the loss is not worth a sentence with figures."""

_TOP_K = re.compile(r"top(\d+)_accuracy")


@dataclass(frozen=True, slots=True)
class Headline:
    """The figures of `metrics` that come first, each with what else there is to know of it."""

    metrics: dict[str, Value]
    unit: str = "nats"
    digits: int | None = None
    reference: str = "the class frequencies"
    training: tuple[str, ...] = ()
    recalibration: dict[str, Any] | None = None

    def rows(self) -> list[tuple[str, list[str]]]:
        """Name and phrases of each line; the first phrase is the figure itself."""
        brier = (
            []
            if "label_listed" in self.metrics
            else [self.put("brier_score"), self.put("brier_skill_score", "skill ", 3)]
        )
        lines = {
            "cross-entropy": self.loss(),
            "= label entropy": [self.nats("label_distribution_entropy"), self.floor()],
            "+ KL divergence": [self.nats("kl_divergence")],
            "training loss": self.trained(),
            "listed labels": self.listed(),
            "perplexity": [self.at_least("perplexity") or self.put("perplexity", bracket=True)],
            "accuracy": [self.put("accuracy"), *map(self.top, self.metrics)],
            "F1": self.f1(),
            "exact match": [self.put("subset_accuracy"), self.put("hamming_loss", "Hamming loss ", 3)],
            "ranking": [
                self.put("auroc", "AUROC "),
                self.put("average_precision", "average precision "),
                self.put("macro_average_precision", "mean average precision "),
                self.put("macro_auroc", "mean AUROC "),
            ],
            "Brier score": brier,
            "calibration": [self.error(), self.confidence()],
            "recalibration": self.recalibrated(),
            "worst rows": [self.worst("1"), self.worst("10")],
        }
        said = {name: [phrase for phrase in lines[name] if phrase] for name in lines}
        return [(name, phrases) for name, phrases in said.items() if phrases]

    @property
    def rest(self) -> dict[str, Value]:
        """The figures that no row tells."""
        ece = self.ece_key
        told = _TOLD | {ece, f"{ece}_chance"} | (_TOLD_BY_LABEL if self.by_label else frozenset())
        own = {k: v for k, v in self.metrics.items() if "." not in k}  # other libraries' names have a dot
        return {k: v for k, v in own.items() if k not in told and not _TOP_K.fullmatch(k)}

    @property
    def by_label(self) -> bool:
        """Are these the figures of a multilabel task?"""
        return "micro_f1" in self.metrics

    @property
    def ece_key(self) -> str:
        """The calibration error to tell: of the positive class where there is one."""
        return next((key for key in ("ece_positive", "ece_labels") if key in self.metrics), "ece")

    def put(
        self, key: str, name: str = "", default: int = 4, bracket: bool = False, interval: bool = True
    ) -> str:
        """A figure after its name, shares in percent; "" if it was not computed."""
        value = self.metrics.get(key)
        if value is None:
            return ""
        value = percent(value) if key in _PERCENT or _TOP_K.fullmatch(key) else value
        return name + figure(value, self.digits, default=default, bracket=bracket, interval=interval)

    def top(self, key: str) -> str:
        match = _TOP_K.fullmatch(key)
        value = self.metrics[key]
        return f"top-{match[1]} {figure(percent(value), self.digits, interval=False)}" if match else ""

    def loss(self) -> list[str]:
        """Cross-entropy in both units, and against the class frequencies."""
        raw = self.metrics.get("cross_entropy")
        if raw is not None and raw.bounded:
            return [self.at_least("cross_entropy"), shown(raw.why or "")]
        if raw is None or raw.state == "undefined":
            return [self.put("cross_entropy")]
        if raw.state == "infinite":
            return [self.infinite_loss(raw)]
        value, other = loss_in(raw, self.unit), loss_in(raw, self.unit, other=True)
        again = figure(other, self.digits, default=3, interval=False)
        second = f"{again}{NBSP}{other.unit}s" + (" per label" if self.by_label else "")
        return [f"{figure(value, self.digits)}{NBSP}{value.unit}s", second, self.left_open()]

    def at_least(self, key: str) -> str:
        """The lower bound of a figure in words; "" if it has none."""
        raw = self.metrics.get(key)
        if raw is None or raw.lower is None:
            return ""
        value = loss_in(replace(raw, value=raw.lower), self.unit)
        unit = f"{NBSP}{value.unit}s" if value.unit in ("nat", "bit") else ""
        return f"at least {figure(value, self.digits)}{unit}"

    def listed(self) -> list[str]:
        """The loss of the rows whose label is among the classes they list, and how many these are."""
        if "label_listed" not in self.metrics:
            return []
        return [self.nats("cross_entropy_listed"), f"{self.put('label_listed')} of rows list their label"]

    def trained(self) -> list[str]:
        """The loss as training had it, and what makes it differ from the cross-entropy."""
        raw = self.metrics.get("training_loss")
        if raw is None:
            return []
        value = loss_in(raw, self.unit)
        if value.state == "finite":
            return [f"{figure(value, self.digits)}{NBSP}{value.unit}s", *self.training]
        said = "infinite" if value.state == "infinite" else "undefined"
        return [said + (f": {shown(value.why)}" if value.why else ""), *self.training]

    def nats(self, key: str) -> str:
        """A figure in nats, or in the unit asked for; "" if it was not computed."""
        raw = self.metrics.get(key)
        if raw is None or raw.state != "finite":
            return self.put(key)
        value = loss_in(raw, self.unit)
        return f"{figure(value, self.digits)}{NBSP}{value.unit}s"

    def floor(self) -> str:
        """What the entropy of soft labels means."""
        found = self.metrics.get("label_distribution_entropy")
        return "" if found is None or found.value is None else "no prediction has less"

    def f1(self) -> list[str]:
        """F1 of a multilabel task both ways, and micro precision and recall."""
        if not self.by_label:
            return []
        parts = {"precision": "micro_precision", "recall": "micro_recall"}
        found = {name: self.metrics[key] for name, key in parts.items() if key in self.metrics}
        shares = [
            f"{name} {figure(percent(v), self.digits)}" for name, v in found.items() if v.value is not None
        ]
        micro = self.put("micro_f1", "micro ")
        return [self.put("macro_f1", "macro "), micro + (f" ({', '.join(shares)})" if shares else "")]

    def infinite_loss(self, raw: Value) -> str:
        """How many rows are to blame, and the figure without them."""
        rows = self.metrics.get("zero_probability_rows")
        if rows is None or not rows.value:
            return "infinite" + (f": {shown(raw.why)}" if raw.why else "")
        its, them = ("its", "it") if rows.value == 1 else ("their", "them")
        said = f"infinite: {counted(int(rows.value), 'row')} gave {its} own label p{NBSP}={NBSP}0"
        if self.by_label:
            said = f"infinite: {shown(raw.why or '')}"
        finite = self.metrics.get("cross_entropy_finite")
        if finite is None or finite.value is None:
            return said
        value = loss_in(finite, self.unit)
        return f"{said}; {figure(value, self.digits, interval=False)} without {them}"

    def left_open(self) -> str:
        """Normalised cross-entropy in words."""
        value = self.metrics.get("normalized_cross_entropy")
        if value is None or value.value is None or not math.isfinite(value.value):
            return ""
        share = figure(percent(value), self.digits, default=3, interval=False)
        if math.isinf(100.0 * value.value):
            return f"worse than {self.reference} alone"
        if value.value < 1.0:
            verb = "leave" if self.reference.endswith("s") else "leaves"
            return f"{share} of what {self.reference} alone {verb} open"
        return f"{'worse' if value.value > 1.0 else 'no better'} than {self.reference} alone ({share})"

    def error(self) -> str:
        """ECE beside the level that chance alone would give."""
        key = self.ece_key
        names = {"ece": "ECE ", "ece_positive": "ECE of p(positive) ", "ece_labels": "ECE of p(label) "}
        text = self.put(key, names[key], 3, interval=False)
        found, beside = self.metrics.get(key), self.metrics.get(f"{key}_chance")
        level = None if found is None else found.chance
        level = level if beside is None else beside.value
        if found is None or found.value is None or level is None:
            return text
        tested = "" if found.p is None else f", {probability(found.p)}"
        return f"{text} ({fixed(level, decimals(found.value, self.digits or 3))} expected by chance{tested})"

    def worst(self, percents: str) -> str:
        """The share of the loss that the worst rows have; "" if it is not known."""
        value = self.metrics.get(f"loss_share_worst_{percents}pct")
        if value is None or value.value is None:
            return ""
        share = figure(percent(replace(value, bound=None)), self.digits, default=3, interval=False)
        of, loss = (" of rows", " of the loss") if percents == "1" else ("", "")
        return f"{percents}{NBSP}%{of} have {share}{loss}"

    def recalibrated(self) -> list[str]:
        """What part of the loss a temperature takes off, in words, and of which rows that is known."""
        found = self.recalibration
        if found is None:
            return []
        part, best = loss_in(self.metrics["calibration_loss"], self.unit), self.metrics["temperature"]
        at = figure(best, self.digits, default=3, interval=False)
        some = found["rows"] < found["of"]
        rows = [f"from {count(found['rows'])} of {count(found['of'])} rows"] if some else []
        if found["share"] < LEAST_SHARE:
            return [f"a temperature would gain next to nothing (the best is {at})", *rows]
        share = figure(Value(100.0 * found["share"], "%"), self.digits, default=2)
        amount, _, bounds = figure(part, self.digits, default=3, bracket=True).partition(f"{NBSP} [")
        interval = [f"[{bounds}"] if bounds else []
        return [f"{amount}{NBSP}{part.unit}s ({share}) of the loss is miscalibration;",
                f"dividing the logits by {at} gives them back", *interval, *rows]  # fmt: skip

    def confidence(self) -> str:
        """Over- or under-confidence in words."""
        raw = self.metrics.get("overconfidence")
        if raw is None or raw.value is None or not math.isfinite(raw.value):
            return ""
        value = loss_in(raw, self.unit)
        unit = f"{NBSP}{value.unit}s"
        if raw.lo is not None and raw.hi is not None and raw.lo < 0.0 < raw.hi:
            return f"neither over- nor under-confident ({figure(value, self.digits, default=3)}{unit})"
        if raw.value == 0.0:
            return "neither over- nor under-confident"
        size = replace(value, value=abs(value.value or 0.0))
        by = figure(size, self.digits, default=3, interval=False)
        return f"{'over' if raw.value > 0 else 'under'}-confident by {by}{unit}"
