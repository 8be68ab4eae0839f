"""What was typed after `xent score`, checked and turned into library calls and outputs."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from xentcli import choices, gating, places, progress
from xentcli.classnames import class_names
from xentcli.cli import output as out
from xentcli.cli import together
from xentcli.errors import CannotDecide, OutputError, UsageError, clean
from xentcli.metrics.names import Metric, asked_in_order, resolve
from xentcli.records import dataclass

if TYPE_CHECKING:
    from xentcli.report import Report
    from xentcli.scoring import Settings

_CHOICES = choices.CHOICES | {
    "unit": ("nats", "bits"),
    "format": ("table", "json"),
    "color": ("auto", "always", "never"),
}


@contextmanager
def _importing() -> Iterator[None]:
    """Modules are made of objects that stay: nothing in them is garbage, then or later."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.freeze()
            gc.enable()


@dataclass(slots=True)
class Request:
    """The options of `xent score`, as typed."""

    files: list[str]
    label: list[str] | None
    pred: list[str] | None
    pred_ids: str | None
    pred_rest: str | None
    kind: str
    task: str
    classes: str | None
    positive: str | None
    labels: str | None
    id: str | None
    weight: str | None
    class_column: str | None
    missing_class: str
    where: list[str] | None
    by: list[str] | None
    group: str | None
    limit: int | None
    ignore_label: str | None
    on_bad: str
    renormalize: bool
    clip: float | None
    precision: str
    input_format: str | None
    delimiter: str | None
    decimal: str
    quote: str
    comment: str | None
    na: list[str] | None
    encoding: str | None
    dtype: str | None
    allow_remote: bool
    expect_sha256: str | None
    metric: list[str] | None
    per_class: str | None
    top: int
    bins: int | None
    binning: str
    threshold: float
    prior: str | None
    label_smoothing: float | None
    class_weights: str | None
    pos_weight: str | None
    compat: str | None
    unit: str
    ci: str
    seed: int
    format: str | None
    json: bool
    output: list[str] | None
    rows: str | None
    label_errors: str | None
    only: list[str] | None
    digits: int | None
    color: str
    quiet: bool
    verbose: bool
    no_progress: bool
    require: list[str] | None
    jobs: int | None
    max_memory: str | None
    chunk_rows: int | None

    def settings(self, rules: Sequence[gating.Rule] = ()) -> Settings:
        """The checked options of a command that writes no report, with the metrics of rules."""
        self._check_choices()
        return self._settings(list(rules), [], [])

    def run(self) -> int:
        """Check everything that can be wrong before reading, score, deliver; returns the exit code."""
        self._check_choices()
        rules = gating.parse_all(self.require or [])
        only = [resolve(name) for name in self.only or []]
        targets = [out.target(text, self.inputs()) for text in self.output or []]
        places.distinct([target.path for target in targets])
        if self.rows is not None or self.label_errors is not None:
            places.check_rows(self.rows, self.label_errors, self.inputs(), [t.path for t in targets])
        if sys.stdout is None:
            raise OutputError("standard output is closed", remedy="-o PATH writes to a file", id="output")
        with _importing():
            settings = self._settings(rules, only, targets)
            from xentcli.scoring import score

        with progress.line(self.quiet or self.no_progress) as tell:
            report = score(self.files, settings, tell)
        if report.confusion is None and any(target.kind == "csv" for target in targets):
            raise self._no_matrix(report)
        gating.judge(rules, report) if rules else None
        code = gating.exit_code(report)
        try:
            out.write(self._values(only, report) if only else self._text(report), code)
        finally:  # whoever reads stdout may leave early; files and verdict are still due
            tables = self.drawn or any(target.kind == "table" for target in targets)
            self._remarks(rules, report, [] if tables else together.unheeded(self))
            for target in targets:
                target.write(self._rendered(target.kind, report))
        return code

    def _no_matrix(self, report: Report) -> UsageError:
        """Why there is no confusion matrix to write as CSV."""
        if report.data["task"] == "multilabel":
            return UsageError("a multilabel task has no confusion matrix to write as CSV",
                              remedy="-o PATH.json has every label", id="no_matrix")  # fmt: skip
        count = len(report.data["classes"])
        return UsageError(f"a confusion matrix of {count:,} classes is too large to write",
                          remedy="-o PATH.json says of each class with which it is confused",
                          id="matrix_size")  # fmt: skip

    def inputs(self) -> list[str]:
        """Every file that is read, by any option."""
        from xentcli.readers.opening import expand

        files = [path for text in self.files for path in expand(text, self.allow_remote)]
        weights = self._pos_weight()
        positive = weights if isinstance(weights, str) else None
        named = (self.classes, self.prior, self.class_weights, positive, self.labels)
        return files + [path for path in named if path is not None]

    # -- reading options ----------------------------------------------------------------------------
    def _check_choices(self) -> None:
        given = {name: getattr(self, name) for name in _CHOICES}
        choices.check(given | {"format": self.format or "table"}, _CHOICES)
        if self.digits is not None and not 1 <= self.digits <= 17:
            raise UsageError(f"--digits {self.digits}: from 1 to 17", remedy="--digits 4", id="choice")
        together.check(self)

    @property
    def drawn(self) -> bool:
        """Is the result printed as a table?"""
        return not (self.json or self.format == "json" or self.only)

    def _settings(self, rules: list[gating.Rule], only: list[Metric], targets: list[out.Target]) -> Settings:
        from xentcli.numerics import heap

        heap.share()  # before PyArrow is imported, whose first thread would get a heap of its own
        from xentcli import memory
        from xentcli.binding import Rules
        from xentcli.columns import Ask
        from xentcli.readers import Options
        from xentcli.scoring import Settings

        where = tuple(self._pair(text) for text in self.where or [])
        by = tuple(dict.fromkeys(tuple(text.split(",")) for text in self.by or []))
        named = [resolve(name) for name in self.metric or []]
        return Settings(
            ask=Ask(tuple(self.label or ()), tuple(self.pred or ()), self.kind, self.task,
                    class_names(self.classes), self.positive, self.weight, where, self.ignore_label,
                    tuple(column for columns in by for column in columns),
                    self.id, self.class_column, self.missing_class, self.group,
                    self.pred_ids, self.pred_rest),
            reading=Options(
                delimiter=self.delimiter, decimal=self.decimal, quote=self.quote, comment=self.comment,
                missing=tuple(self.na or ()), encoding=self.encoding, input_format=self.input_format,
                chunk_rows=self.chunk_rows, dtype=self.dtype,
                allow_remote=self.allow_remote,
                max_memory=None if self.max_memory is None else memory.parse(self.max_memory),
            ),
            rules=Rules(where, self.ignore_label, self.on_bad == "skip", by, self.group),
            metrics=asked_in_order(named, [*only, *(rule.metric for rule in rules)]),
            bins=15 if self.bins is None else self.bins, binning=self.binning,
            compat=self.compat, compat_bins=self.bins, threshold=self.threshold, clip=self.clip,
            renormalize=self.renormalize, precision=self.precision,
            label_smoothing=self.label_smoothing, class_weights=self.class_weights,
            pos_weight=self._pos_weight(), prior=self.prior, level=self._level(), seed=self.seed,
            limit=self.limit,
            all_classes=self._per_class() is None and self.per_class is not None,
            verbose=self.verbose, matrix=self.verbose or any(target.kind == "csv" for target in targets),
            jobs=self.jobs, sha256=self.expect_sha256, labels=self.labels, rows_to=self.rows, top=self.top,
            label_errors=self.label_errors,
        )  # fmt: skip

    def _pair(self, text: str) -> tuple[str, str]:
        column, equals, value = text.partition("=")
        if not equals or not column:
            raise UsageError(f'--where "{clean(text)}" is not COL=VALUE', id="where_value")
        return column, value

    def _pos_weight(self) -> float | str | None:
        """A number, or else the name of a file."""
        try:
            return None if self.pos_weight is None else float(self.pos_weight)
        except ValueError:
            return self.pos_weight

    def _level(self) -> float | None:
        if self.ci == "none":
            return None
        try:
            return float(self.ci)
        except ValueError:
            raise UsageError(f'--ci "{clean(self.ci)}" is neither a level nor none', id="ci") from None

    def _per_class(self) -> int | None:
        """How many classes to show; None for all."""
        if self.per_class is None:
            return 10 if self.drawn else 1000
        if self.per_class == "all":
            return None
        if not self.per_class.isdigit():
            raise UsageError(
                f'--per-class "{clean(self.per_class)}" is neither a number nor all', id="choice"
            )
        return int(self.per_class)

    # -- delivering ---------------------------------------------------------------------------------
    def _text(self, report: Report) -> str:
        if not self.drawn:
            return self._rendered("json", report)
        return out.table(report, self)

    def _rendered(self, kind: str, report: Report) -> str:
        if kind == "json":
            from xentcli.renderers import json

            per_class = self._per_class() if self.per_class is not None else 1000
            return json.render(report, per_class, ascii_only=not out.can_encode(sys.stdout))
        if kind == "csv":
            from xentcli.renderers import csv

            assert report.confusion is not None
            return csv.confusion(report.confusion)
        return out.table(report, self, plain=True)

    def _values(self, only: list[Metric], report: Report) -> str:
        lines = []
        for metric in only:
            value = report.metrics[metric.key]
            if value.value is None:
                raise CannotDecide(f"{metric.key} is undefined: {value.why}", id="undefined")
            scale = 0.6931471805599453 if self.unit == "bits" and metric.unit == "nat" else 1.0
            lines.append(repr(value.value / scale + 0.0))
        return "\n".join(lines) + "\n"

    def _remarks(self, rules: list[gating.Rule], report: Report, notes: list[str]) -> None:
        """Warnings, remarks and verdicts go to stderr."""
        ascii_only = not out.can_encode(sys.stderr)
        if not self.quiet:
            for note in [*report.data.get("notes", []), *notes]:
                out.say(f"note: {note}")
            if self.verbose and report.confusion is None and report.data["task"] != "multilabel":
                out.say(f"note: {len(report.data['classes']):,} classes: no confusion matrix, which is kept "
                        "up to 2,000")  # fmt: skip
            for text in gating.contradictions(rules):
                out.say(f"warning XW201: {text}")
            if report.warnings:
                from xentcli.renderers.table import render_warnings

                out.say(render_warnings(report, ascii_only))
        if report.rules:
            from xentcli.renderers.table import render_rules

            out.say(render_rules(report, ascii_only))
