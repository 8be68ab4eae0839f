"""A fitted map: what it was fitted on, what it does to scores, and the document that it is kept in."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from xentcli.batch import F64, Batch, Place, Spec
from xentcli.calibrating import scores
from xentcli.calibrating.methods import Parameters
from xentcli.calibrating.methods.registry import METHODS, apply
from xentcli.documents import dumps
from xentcli.errors import DataError, UsageError, clean
from xentcli.records import dataclass, field
from xentcli.replacing import replacing, told
from xentcli.report import Report

SCHEMA = "xent.calibration/1"

_WRITE = "xent calibrate fit FILE -o map.json writes one"
KINDS = ("probs", "logits", "logprobs", "votes")
_BELOW_ONE = 1.0 - 2.0**-53


@dataclass(frozen=True, slots=True)
class Reading:
    """How the scores that a map takes are to be read.

    columns: in the order of `classes`, or one list column, backwards if `reverse`; width: scores a row, 1 for
    the positive class of a binary task alone. clip, renormalize: as these options were.
    """

    task: str
    kind: str
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    layout: str
    width: int
    reverse: bool = False
    clip: float | None = None
    renormalize: bool = False

    def check(self) -> None:
        """Raise ValueError for what no fit writes."""
        count = len(self.classes)
        flags = (self.reverse, self.renormalize)
        possible = (
            count >= 2 and len(set(self.classes)) == count and self.kind in KINDS
            and self.task == ("binary" if count == 2 else "multiclass")
            and isinstance(self.width, int) and not isinstance(self.width, bool)
            and (self.width == count or (self.width == 1 and count == 2 and self.layout == "columns"))
            and len(self.columns) == {"columns": self.width, "list": 1}.get(self.layout)
            and all(isinstance(flag, bool) for flag in flags)
            and (self.clip is None or 0.0 < self.clip < 1.0)
        )  # fmt: skip
        if not possible:
            raise ValueError("its reading of scores is none")

    def spec(self, stored: str = "f8", skip_bad: bool = False) -> Spec:
        """What checks rows of such scores, stored in a precision as Spec names it."""
        return Spec(self.task, self.kind, self.classes, self.width, self.columns, stored,
                    clip=self.clip, renormalize=self.renormalize, skip_bad=skip_bad)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CalibrationMap:
    """A calibration map; `xentcli.calibrate` fits one, `load` reads one.

    found: the rest of its document, what the fit saw and what it gained. before, after: reports of the rows
    it was fitted on, as they were and, held out, calibrated; not there for a map that was read.
    """

    method: str
    parameters: Parameters
    reading: Reading
    found: dict[str, Any] = field(default_factory=dict)
    before: Report | None = None
    after: Report | None = None

    def __repr__(self) -> str:
        of = f"{self.reading.task} {self.reading.kind}, {len(self.reading.classes):,} classes"
        gain = self.found.get("gain", {}).get("value")
        told = "" if gain is None else f", gain {gain:.4g} nats a row"
        return f"<CalibrationMap {self.method} of {of}{told}>"

    def __str__(self) -> str:
        return self.table() if "methods" in self.found else repr(self)

    def table(
        self, *, metric: str | Iterable[str] = (), quiet: bool = False, unit: str = "nats",
        digits: int | None = None, ascii_only: bool = False, width: int | None = None,
    ) -> str:  # fmt: skip
        """What `xent calibrate fit` prints, with warnings and verdicts below; `str` of a map is this, too.

        As for `Report.table`; of a map whose document says what the fit has seen.
        """
        from xentcli import shown

        return shown.calibration(
            self, metric=metric, quiet=quiet, unit=unit, digits=digits, ascii_only=ascii_only, width=width
        )

    def probabilities(self, given: Any) -> F64:
        """Calibrated probabilities of an array of scores, in its shape: (n,) or (n, classes).

        The scores are of the kind that the map was fitted on; rows are taken as they are, unchecked.
        """
        raw = np.asarray(given, np.float64)
        width = raw.shape[1] if raw.ndim == 2 else 1
        if raw.ndim not in (1, 2) or width != self.reading.width:
            shape = "(n,)" if self.reading.width == 1 else f"(n, {self.reading.width})"
            raise UsageError(f"scores have the shape {raw.shape}, the map takes {shape}", id="lengths")
        matrix = raw.reshape(len(raw), width)
        place = Place("scores", 1)
        out = self.of_batch(Batch(np.zeros(len(raw), np.int64), place, matrix=matrix), self.reading.spec())
        return out[:, 0] if raw.ndim == 1 else out

    def of_batch(self, batch: Batch, spec: Spec) -> F64:
        """Calibrated probabilities (n, width) of rows that are found good."""
        with np.errstate(over="ignore", invalid="ignore"):  # of parameters that no fit has found
            p = apply(self.method, self.parameters, scores.of_batch(batch, spec))
        return written(p, spec.width)

    def to_dict(self) -> dict[str, Any]:
        """The `xent.calibration/1` document."""
        own = {"method": self.method, "parameters": self.parameters, "reading": asdict(self.reading)}
        out = {"schema": SCHEMA, **own, **self.found}
        if self.after is not None and self.after.verdict is not None:
            out |= {"rules": self.after.rules, "verdict": self.after.verdict}
        return out

    def to_json(self, ascii_only: bool = True) -> str:
        return dumps(self.to_dict(), ascii_only)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the document, whole or not at all. Raises OutputError."""
        name = os.fspath(path)
        with replacing(name, "--output") as place, told(name, "--output"):
            Path(place).write_text(self.to_json() + "\n", "utf-8")

    @classmethod
    def from_dict(cls, document: Any, where: str = "") -> CalibrationMap:
        """The map of a document. DataError if it is none, or none that this version can apply."""
        found = document.get("schema") if isinstance(document, dict) else None
        if found != SCHEMA:
            said = f"its schema is {clean(str(found))}" if found else "it has no schema"
            raise _no_map(f"this is no calibration map: {said}, not {SCHEMA}", where)
        rest = {k: v for k, v in document.items() if k not in ("schema", "method", "parameters", "reading")}
        try:
            own = dict(document["reading"])
            for name in ("classes", "columns"):
                own[name] = tuple(map(str, own[name]))
            if document["method"] not in METHODS:
                raise _no_map(f'the method "{clean(str(document["method"]))}" is not known', where)
            out = cls(document["method"], document["parameters"], Reading(**own), rest)
            out.reading.check()
            _try(out)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise _no_map(f"the calibration map is damaged ({clean(str(error))})", where) from error
        return out


def _try(found: CalibrationMap) -> None:
    """Raise ValueError unless the map makes probabilities of probabilities, whatever it takes for them."""
    if not _finite(found.parameters) or found.parameters.get("temperature", 1.0) <= 0.0:
        raise ValueError("its parameters are no numbers, or out of range")
    if not _in_order(found.parameters):
        raise ValueError("its parameters are no probabilities of rising scores")
    count = len(found.reading.classes)
    flat = np.full((count, 2), -np.log(count)) if count > 2 else np.zeros(2)
    with np.errstate(over="ignore", invalid="ignore"):
        p = apply(found.method, found.parameters, scores.Scores(flat, np.exp(flat) / (1.0 + (count == 2))))
    if p.shape != (count, 2) or not (p >= 0.0).all() or np.abs(p.sum(axis=0) - 1.0).max() > 1e-9:
        raise ValueError("its parameters make no probabilities")


def _in_order(parameters: Any) -> bool:
    """Are all steps of the map, and of those of its classes, within [0, 1], and at scores that rise?"""
    steps = np.asarray(parameters.get("probabilities", []), np.float64)
    at = np.asarray(parameters.get("scores", parameters.get("edges", [])), np.float64)
    whole = steps.ndim == at.ndim == 1 and steps.size == at.size + ("edges" in parameters)
    own = whole and bool(((steps >= 0.0) & (steps <= 1.0)).all() and (np.diff(at) > 0.0).all())
    return own and all(map(_in_order, parameters.get("classes", [])))


def _finite(found: Any) -> bool:
    """Are there finite numbers alone in these lists and objects?"""
    if isinstance(found, dict | list):
        return all(map(_finite, found.values() if isinstance(found, dict) else found))
    return isinstance(found, int | float) and abs(found) < np.inf


def load(path: str) -> CalibrationMap:
    """The map in a file. UsageError without the file, DataError if it holds no map."""
    try:
        text = Path(path).read_text("utf-8")
    except OSError as error:
        raise UsageError(f"the map cannot be read: {error.strerror or error}", where=clean(path, 200),
                         remedy=_WRITE, id="no_file") from error  # fmt: skip
    except ValueError as error:
        raise _no_map("this is no calibration map: not a text", clean(path, 200)) from error
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_map("this is no calibration map: not a JSON document", clean(path, 200)) from error
    return CalibrationMap.from_dict(document, clean(path, 200))


def _no_map(what: str, where: str) -> DataError:
    return DataError(
        what, where=where, remedy="xent calibrate fit FILE -o map.json writes one", id="not_a_map"
    )


def written(p: F64, width: int) -> F64:
    """Probabilities (C, n) as a file has them: (n, width).

    One column holds p of the positive class, which stays below 1 where the other class is possible.
    """
    if width > 1:
        return np.ascontiguousarray(p.T)
    kept: F64 = np.where(p[0] > 0.0, np.minimum(p[1], _BELOW_ONE), p[1])
    return kept[:, None]
