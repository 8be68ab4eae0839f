"""Turn the runs of one workload into figures, and the figures into a table."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field

from roster import YARDSTICK

TOLERANCE = 1e-5
HEADINGS = ("contestant", "median s", "min s", "x read", "peak MB", "mean loss", "agrees")


@dataclass
class Runs:
    """What one contestant did in the measured rounds; one entry a round."""

    seconds: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)
    mean_loss: float | None = None
    error: str | None = None


@dataclass(frozen=True)
class Row:
    """One line of the result table, and one entry of the JSON file."""

    contestant: str
    median_seconds: float | None
    min_seconds: float | None
    ratio_to_read: float | None
    peak_mb: float | None
    mean_loss: float | None
    agrees: bool | None
    error: str | None
    seconds: list[float]

    def cells(self) -> tuple[str, ...]:
        """The line as text."""
        if self.error is not None:
            return (self.contestant, f"failed: {self.error}", *[""] * (len(HEADINGS) - 2))
        agrees = {None: "-", True: "yes", False: "NO"}[self.agrees]
        return (
            self.contestant,
            text(self.median_seconds, ".3f"),
            text(self.min_seconds, ".3f"),
            text(self.ratio_to_read, ".2f"),
            text(self.peak_mb, ".0f"),
            text(self.mean_loss, ".8f"),
            agrees,
        )


def text(value: float | None, form: str) -> str:
    """A number, or a dash where there is none."""
    return "-" if value is None else format(value, form)


def ratio(runs: Runs, yardstick: Runs | None) -> float | None:
    """Median of the ratios within each round.

    The two runs of a round were seconds apart, so a slow spell of the machine
    falls on both and cancels, which it would not in a ratio of two medians.
    """
    if yardstick is None or yardstick.error is not None or not runs.seconds:
        return None
    pairs = zip(runs.seconds, yardstick.seconds, strict=True)
    return statistics.median(own / read for own, read in pairs)


def summarise(results: Mapping[str, Runs]) -> list[Row]:
    """Figures of every contestant; losses are compared with the middle one of them all."""
    losses = [runs.mean_loss for runs in results.values() if runs.mean_loss is not None]
    reference = statistics.median_low(losses) if len(losses) > 1 else None
    rows = []
    for name, runs in results.items():
        failed = runs.error is not None
        agrees = None
        if runs.mean_loss is not None and reference is not None:
            agrees = abs(runs.mean_loss - reference) <= TOLERANCE * abs(reference)
        rows.append(
            Row(
                contestant=name,
                median_seconds=None if failed else statistics.median(runs.seconds),
                min_seconds=None if failed else min(runs.seconds),
                ratio_to_read=None if failed else ratio(runs, results.get(YARDSTICK)),
                peak_mb=None if failed else max(runs.peaks),
                mean_loss=runs.mean_loss,
                agrees=agrees,
                error=runs.error,
                seconds=runs.seconds,
            )
        )
    return rows


def table(rows: list[Row]) -> str:
    """A Markdown table that also reads well in a terminal."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    plain = [line for line in lines if not line[1].startswith("failed")]
    widths = [max(len(line[k]) for line in plain) for k in range(len(HEADINGS))]
    widths[0] = max(len(line[0]) for line in lines)

    def joined(cells: tuple[str, ...]) -> str:
        first = cells[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return "| " + " | ".join([first, *rest]) + " |"

    rule = "| " + "-" * widths[0] + " | "
    rule += " | ".join("-" * (width - 1) + ":" for width in widths[1:]) + " |"
    return "\n".join([joined(lines[0]), rule, *(joined(line) for line in lines[1:])])
