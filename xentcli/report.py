"""What a run found: values with their uncertainty, and what was read to get them.

Figures are made here and in `metrics`, never in a renderer. Numbers are in base units (nats and
fractions) at full float64 precision; a value that is not finite says why.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from xentcli.documents import dumps
from xentcli.errors import counted, listing
from xentcli.records import dataclass, field

SCHEMA = "xent.score/1"
_SHOWN = ("cross_entropy", "accuracy", "ece")
"""What a report is known by, where it is shown in a line."""


@dataclass(frozen=True, slots=True)
class Value:
    """One figure. `better` is "lower", "higher" or "" where neither is; lo and hi bound the interval.

    `value` is inf for an infinite figure and None for an undefined one; `why` explains both. `bound` is
    the largest possible error of a figure that is not exact. `chance`: what a calibrated model would show,
    and `p` how often it would show so much, in `redraws` where no formula has it. `lower`, `upper`: what a
    figure lies between, None where nothing bounds it. `bounded`: it is undefined but for these.
    """

    value: float | None
    unit: str = ""
    better: str = ""
    n: int | None = None
    se: float | None = None
    lo: float | None = None
    hi: float | None = None
    why: str | None = None
    bound: float | None = None
    lower: float | None = None
    upper: float | None = None
    bounded: bool = False
    chance: float | None = None
    p: float | None = None
    redraws: int | None = None

    @property
    def state(self) -> str:
        if self.value is None:
            return "undefined"
        return "finite" if math.isfinite(self.value) else "infinite"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: never NaN or Infinity, -0.0 as 0.0, optional keys only where they say something."""
        out: dict[str, Any] = {"value": _number(self.value), "state": self.state}
        if self.state == "infinite":
            out["sign"] = 1 if self.value is not None and self.value > 0 else -1
        out |= {"unit": self.unit, "better": self.better, "n": self.n, "se": _number(self.se)}
        out |= {"lo": _number(self.lo), "hi": _number(self.hi), "why": self.why}
        if self.bound is not None:
            out["bound"] = _number(self.bound)
        if self.bounded or self.lower is not None or self.upper is not None:
            out |= {"lower": _number(self.lower), "upper": _number(self.upper)}
        for key, found in (("chance", self.chance), ("p", self.p)):
            if found is not None:
                out[key] = _number(found)
        if self.redraws is not None:
            out["redraws"] = self.redraws
        return out


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class: its name, support (Σw, or rows), the class that its rows are most taken for, its figures."""

    name: str
    support: float
    confused_with: str | None
    metrics: dict[str, Value]

    def to_dict(self) -> dict[str, Any]:
        return {
            "class": self.name,
            "support": _number(self.support),
            "confused_with": self.confused_with,
            "metrics": {key: value.to_dict() for key, value in self.metrics.items()},
        }


@dataclass(frozen=True, slots=True)
class SliceRow:
    """One slice: its key by column, rows, weight, figures, and how it stands against the others.

    shrunk: its cross-entropy drawn towards that of all, in nats. p_worse: one-sided, of a mean loss no
    higher than that of the rest; p_holm: the same, corrected for the number of slices. clusters: how many
    of `--group` have rows in it, None without.
    """

    by: dict[str, str | None]
    rows: int
    weight: float
    small: bool
    shrunk: float | None
    p_worse: float | None
    p_holm: float | None
    metrics: dict[str, Value]
    clusters: int | None = None

    def to_dict(self) -> dict[str, Any]:
        found = {} if self.clusters is None else {"clusters": self.clusters}
        return {
            "by": self.by, "rows": self.rows, **found, "weight": _number(self.weight), "small": self.small,
            "shrunk": _number(self.shrunk), "p_worse": _number(self.p_worse), "p_holm": _number(self.p_holm),
            "metrics": {key: value.to_dict() for key, value in self.metrics.items()},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class SliceGap:
    """The worst and the best slice of one `--by` among `compared` that have rows and groups enough, and what
    their cross-entropies differ by, with p and an interval that allow for the choice of the two."""

    worst: dict[str, str | None]
    best: dict[str, str | None]
    compared: int
    gap: Value

    def to_dict(self) -> dict[str, Any]:
        return {"by": list(self.worst), "worst": self.worst, "best": self.best, "compared": self.compared,
                "gap": self.gap.to_dict()}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reliability:
    """Bins of a reliability diagram, of the pair "confidence", "positive" or "labels".

    rows: of each bin its ends lo and hi, n rows, weight where rows are weighted, mean_p and mean_y, None
    where it is empty, and gap_chance, the gap that chance alone would show, where that is known.
    """

    pair: str
    scheme: str
    bins: int
    rows: list[dict[str, float | int | None]]

    def to_dict(self) -> dict[str, Any]:
        return {"pair": self.pair, "scheme": self.scheme, "bins": self.bins, "rows": self.rows}


@dataclass(frozen=True, slots=True)
class WorstRow:
    """One of the rows with the highest losses: where it stands, its id, and what it was taken for.

    `loss` in nats, inf where the label has p = 0; `p_label` and `p_predicted` None where the row does not
    say. Several labels a row: `label` is the one that costs most, `p_label` its p, `target` what it should
    be, `predicted` whether it is predicted, and `wrong` how many labels are wrong. Lists of the likeliest
    classes: a row that does not list its label has a loss of at least `loss`.
    """

    file: str
    row: int | None
    id: str | None
    label: str
    predicted: str | bool
    p_label: float | None
    p_predicted: float | None
    loss: float
    weight: float | None = None
    target: float | None = None
    wrong: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; an infinite loss is null, as p of the label says it."""
        out: dict[str, Any] = {"file": self.file, "row": self.row, "id": self.id, "label": self.label}
        out |= {"predicted": self.predicted, "p_label": _number(self.p_label)}
        out |= {} if self.wrong is not None else {"p_predicted": _number(self.p_predicted)}
        out["loss"] = _number(self.loss)
        more = {"weight": self.weight, "target": self.target, "wrong": self.wrong}
        return out | {name: value for name, value in more.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Warning:
    """Something that makes a figure shaky or the input suspect, with its remedy. `count` in rows."""

    id: str
    message: str
    remedy: str = ""
    count: int = 1
    example: str = ""

    def to_dict(self) -> dict[str, Any]:
        out = {"id": self.id, "message": self.message, "remedy": self.remedy, "count": self.count}
        return out | ({"example": self.example} if self.example else {})


@dataclass(frozen=True, slots=True)
class Confusion:
    """Σw by label (rows) and predicted class (columns), with the class names of both."""

    names: list[str]
    matrix: list[list[float]]


@dataclass(slots=True)
class Report:
    """Everything a run found; renderers and gates read this and nothing else.

    definition: what was computed, a text that is equal where results may be compared. provenance: of what,
    and by which xent. data: the rows, and what each column was taken for, as in the JSON document. metrics:
    figures by key, of all rows; classes, slices: of the rows of a class, those with the largest share of the
    loss first, and of each slice of `by`; slice_gaps: how far slices are apart. reliability: the bins of the
    diagrams. worst: rows with the highest losses, and label_errors how many labels look wrong, where asked
    for; confusion: Σw by label and predicted class, or None where it was not asked for or is too large.
    warnings: what makes figures shaky. rules: each with value, limit and verdict; verdict: pass, fail or
    undefined, None without rules.
    """

    definition: str
    provenance: dict[str, Any]
    data: dict[str, Any]
    metrics: dict[str, Value]
    classes: list[ClassRow] = field(default_factory=list)
    reliability: list[Reliability] = field(default_factory=list)
    warnings: list[Warning] = field(default_factory=list)
    slices: list[SliceRow] = field(default_factory=list)
    slice_gaps: list[SliceGap] = field(default_factory=list)
    worst: list[WorstRow] = field(default_factory=list)
    label_errors: dict[str, Any] | None = None
    rules: list[dict[str, Any]] = field(default_factory=list)
    verdict: str | None = None
    confusion: Confusion | None = None

    def __repr__(self) -> str:
        inputs = listing([str(path).rpartition("/")[2] for path in self.data.get("inputs", [])], 3)
        told = [f"{self.data.get('scored', 0):,} rows", *self.data.get("task", "").split()]
        for key in _SHOWN:
            value = self.metrics.get(key, Value(None))
            if value.value is not None:
                ends = "" if value.lo is None or value.hi is None else f" [{value.lo:.4g}, {value.hi:.4g}]"
                told.append(f"{key} {value.value:.4g}{ends}")
        told += [f"verdict {self.verdict}"] if self.verdict else []
        told += [counted(len(self.warnings), "warning")] if self.warnings else []
        return f"<Report of {inputs}: {', '.join(told)}>"

    def __str__(self) -> str:
        return self.table()

    def table(
        self, *, metric: str | Iterable[str] = (), per_class: int | None = 10, quiet: bool = False,
        unit: str = "nats", digits: int | None = None, ascii_only: bool = False, width: int | None = None,
        verbose: bool = False,
    ) -> str:  # fmt: skip
        """What `xent score` prints, with notes, warnings and verdicts below; `str` of a report is this, too.

        metric: figures to show beside the usual ones, of those there are. per_class: how many classes; None
        for all. quiet: the headline alone. verbose: all figures. unit: nats or bits. digits: significant
        ones, 1 to 17. width: cells of a line, in which names are cut and columns left out; None for any.
        ascii_only: for what shows no other characters. Raises UsageError.
        """
        from xentcli import shown

        return shown.report(
            self, metric=metric, per_class=per_class, quiet=quiet, unit=unit, digits=digits,
            ascii_only=ascii_only, width=width, verbose=verbose,
        )  # fmt: skip

    def to_dict(self, per_class: int | None = 1000) -> dict[str, Any]:
        """The `xent.score/1` document; at most `per_class` classes, those with the largest share."""
        shown = self.classes if per_class is None else self.classes[:per_class]
        out: dict[str, Any] = {
            "schema": SCHEMA,
            "definition": self.definition,
            "provenance": self.provenance,
            "data": self.data,
            "metrics": {key: value.to_dict() for key, value in self.metrics.items()},
            "classes": [row.to_dict() for row in shown],
            "slices": [row.to_dict() for row in self.slices],
            "slice_gaps": [gap.to_dict() for gap in self.slice_gaps],
            "worst": [row.to_dict() for row in self.worst],
            "reliability": [diagram.to_dict() for diagram in self.reliability],
            "rules": self.rules,
        }
        if self.label_errors is not None:
            out["label_errors"] = self.label_errors
        if self.verdict is not None:
            out["verdict"] = self.verdict
        return out | {"warnings": [warning.to_dict() for warning in self.warnings]}

    def to_frame(self) -> Any:
        """All figures as a pandas DataFrame in long form, one a row.

        `scope` is "all", "class" or "slice", `name` that of the class, or the slice's columns and values,
        as in "lang=de"; then metric, value (inf where it is infinite, NaN where it is undefined), se, lo, hi,
        n, chance, p, unit, better and why, as in `Value`.
        """
        import pandas as pd

        found = [("all", "", key, value) for key, value in self.metrics.items()]
        found += [
            ("class", row.name, key, value) for row in self.classes for key, value in row.metrics.items()
        ]
        found += [
            ("slice", ",".join(f"{column}={name}" for column, name in row.by.items()), key, value)
            for row in self.slices for key, value in row.metrics.items()
        ]  # fmt: skip
        numbers = ("value", "se", "lo", "hi", "n", "chance", "p")
        records = [
            {"scope": scope, "name": name, "metric": key}
            | {k: getattr(value, k) for k in (*numbers, "unit", "better", "why")}
            for scope, name, key, value in found
        ]
        return pd.DataFrame(records).astype(dict.fromkeys(numbers, float))

    def to_json(self, per_class: int | None = 1000, ascii_only: bool = True) -> str:
        """`to_dict` as one standards-valid JSON document."""
        return dumps(self.to_dict(per_class), ascii_only)


def _number(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return value + 0.0
