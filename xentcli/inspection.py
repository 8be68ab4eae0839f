"""What a look at a file found: what `inspecting` makes, and what is shown of it."""

from __future__ import annotations

from typing import Any

from xentcli import __version__
from xentcli.columns import Resolution
from xentcli.records import dataclass, field

SCHEMA = "xent.inspect/1"


@dataclass(frozen=True, slots=True)
class File:
    """One file as its footer or first bytes describe it; `rows` is estimated where `exact` is not."""

    path: str
    format: str
    bytes: int | None
    rows: int | None
    exact: bool
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """Options that settle a question, and what the file would be read as with them."""

    options: str
    means: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What scoring would say of the first rows; `code` is its exit code then, 0 for a warning."""

    id: str
    code: int
    message: str
    where: str
    remedy: str
    also: str = ""


@dataclass(slots=True)
class Inspection:
    """Everything that a look shows; what could not be told is None or empty.

    files: each as its footer or first bytes describe it. columns: with type, bounds, first values and role,
    of the first file. sampled: rows that were looked at. what: the one reading, None where there is none;
    readings: those of a question. labels: how often each is in the rows looked at. problems: what scoring
    would say of these. commands: what to type to score it, a line for each reading. seconds, or per_million
    rows of a stream, and memory, in bytes: what scoring takes, about and at most.
    """

    files: list[File]
    columns: list[dict[str, Any]]
    sampled: int
    what: Resolution | None = None
    labels: list[tuple[str, int]] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    seconds: float | None = None
    per_million: float | None = None
    memory: int | None = None

    @property
    def rows(self) -> int | None:
        """Rows in all; None where one file does not tell."""
        known = [file.rows for file in self.files if file.rows is not None]
        return sum(known) if len(known) == len(self.files) else None

    @property
    def exact(self) -> bool:
        return all(file.exact for file in self.files)

    @property
    def code(self) -> int:
        """The exit code that scoring ends with, as far as the first rows show."""
        return max((problem.code for problem in self.problems), default=0)

    def __str__(self) -> str:
        return self.table()

    def table(self, *, ascii_only: bool = False, width: int | None = None, verbose: bool = False) -> str:
        """What `xent inspect` prints; `str` of this is it, too. verbose: every column, and all labels seen.

        width: cells of a line, 100 at most; ascii_only: for what shows no other characters.
        """
        from xentcli import shown

        return shown.inspection(self, ascii_only=ascii_only, width=width, verbose=verbose)

    def to_dict(self) -> dict[str, Any]:
        """The `xent.inspect/1` document."""
        what = self.what
        reading = None if what is None else {
            "task": what.task, "kind": what.kind, "layout": what.layout, "pred": what.pred,
            "columns": list(what.columns), "stored": what.stored, "label": what.label,
            "bound": what.labels.how, "classes": list(what.classes), "weight": what.weight,
            "evidence": dict(what.evidence),
        }  # fmt: skip
        return {
            "schema": SCHEMA,
            "xent": __version__,
            "files": [
                {"path": f.path, "format": f.format, "bytes": f.bytes, "rows": f.rows,
                 "rows_exact": f.exact, "facts": f.facts}
                for f in self.files
            ],
            "rows": self.rows,
            "rows_exact": self.exact,
            "sampled": self.sampled,
            "columns": self.columns,
            "reading": reading,
            "labels": [{"label": label, "count": count} for label, count in self.labels],
            "readings": [{"options": r.options, "means": r.means} for r in self.readings],
            "problems": [
                {"id": p.id, "exit_code": p.code, "message": p.message, "where": p.where, "remedy": p.remedy}
                | ({"also": p.also} if p.also else {})
                for p in self.problems
            ],
            "notes": self.notes,
            "estimate": {"seconds": self.seconds, "seconds_per_million_rows": self.per_million,
                         "bytes": self.memory},
            "exit_code": self.code,
            "commands": self.commands,
        }  # fmt: skip
