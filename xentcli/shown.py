"""Results as text, for whoever holds one in Python: what the command line says of it, remarks and all.

Renderers stand above the results that they read. Here alone a result asks for one, by its name, when its text
is wanted.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from xentcli.errors import UsageError, clean

if TYPE_CHECKING:
    from xentcli.calibrating.maps import CalibrationMap
    from xentcli.inspection import Inspection
    from xentcli.report import Report


def report(found: Report, *, metric: str | Iterable[str], per_class: int | None, quiet: bool, unit: str,
           digits: int | None, ascii_only: bool, width: int | None, verbose: bool) -> str:  # fmt: skip
    """The table, and below it notes, warnings and verdicts. Raises UsageError."""
    table = import_module("xentcli.renderers.table")
    _check(unit, digits)
    if per_class is not None and not _among(range(sys.maxsize), per_class):
        raise UsageError(f"per_class={clean(repr(per_class))} is neither a number nor None",
                         remedy="per_class=10", id="choice")  # fmt: skip
    text: str = table.render(
        found, width=width, ascii_only=ascii_only, verbose=verbose, quiet=quiet, unit=unit, digits=digits,
        per_class=per_class, asked=frozenset(_keys(metric)), below=True,
    )  # fmt: skip
    remarks = [] if quiet else [f"note: {note}" for note in found.data.get("notes", [])]
    remarks += [] if quiet else [table.render_warnings(found, ascii_only)]
    return _below(text, [*remarks, table.render_rules(found, ascii_only)])


def inspection(found: Inspection, *, width: int | None, ascii_only: bool, verbose: bool) -> str:
    """What `xent inspect` prints, with calls of Python to type."""
    look = import_module("xentcli.renderers.table").Look(width, ascii_only)
    text: str = import_module("xentcli.renderers.inspection").render(found, look, verbose)
    return text.removesuffix("\n")


def calibration(found: CalibrationMap, *, metric: str | Iterable[str], quiet: bool, unit: str,
                digits: int | None, ascii_only: bool, width: int | None) -> str:  # fmt: skip
    """What `xent calibrate fit` prints of a map, and below it warnings and verdicts. Raises UsageError."""
    table = import_module("xentcli.renderers.table")
    _check(unit, digits)
    look = table.Look(width, ascii_only, unit, digits)
    render = import_module("xentcli.renderers.calibration").render
    text: str = render(found.to_dict(), list(_keys(metric)), look, quiet, below=True)
    before = [] if quiet or found.before is None else [table.render_warnings(found.before, ascii_only)]
    after = [] if found.after is None else [table.render_rules(found.after, ascii_only)]
    return _below(text, [*before, *after])


def _below(text: str, remarks: list[str]) -> str:
    return "\n".join([text.removesuffix("\n"), *filter(None, remarks)])


def _keys(metric: str | Iterable[str]) -> list[str]:
    resolve: Any = import_module("xentcli.metrics.names").resolve
    return [resolve(name).key for name in ([metric] if isinstance(metric, str) else metric)]


def _among(numbers: range, given: Any) -> bool:
    return hasattr(given, "__index__") and given in numbers  # 3.0 is in a range, too


def _check(unit: str, digits: int | None) -> None:
    if unit not in ("nats", "bits"):
        raise UsageError(f'--unit "{clean(str(unit))}" is not known', remedy="--unit nats|bits", id="choice")
    if digits is not None and not _among(range(1, 18), digits):
        raise UsageError(f"--digits {digits}: from 1 to 17", remedy="--digits 4", id="choice")
