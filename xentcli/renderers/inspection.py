"""What a look at a file showed, as text: what it is read as, why, its columns, and what seems wrong."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from xentcli.columns.kinds import NAMES
from xentcli.columns.schema import NONAME
from xentcli.errors import counted
from xentcli.records import replace
from xentcli.renderers.numbers import NBSP, shown
from xentcli.renderers.strip import first_few, fit, fold, grid, short
from xentcli.renderers.table import Look

if TYPE_CHECKING:
    from xentcli.inspection import File, Inspection

_WIDTH = 100
_COLUMNS = 24  # columns that are listed one by one
_CLASSES = 8
_NAME = 28  # cells of a column's name
_ENDLESS = 1 << 30  # of a file or pipe, whose lines may be of any length
_BELOW = (" " * 6, " " * 6)
_FOLDED = frozenset({"column", "first values"})
_DROPPED = ("first values", "from", "to", "stored as")


def render(found: Inspection, look: Look, verbose: bool = False) -> str:
    """What was seen as text, and the lines to type. verbose: every column and every label."""
    narrow = replace(look, width=min(look.width or _WIDTH, _WIDTH))
    parts = [
        _head(found, look),
        _reading(found, verbose, narrow),
        _table(found, verbose, look),
        _problems(found, look),
        _commands(found, look),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines).replace(NBSP, " ") + "\n"


# -- what it is ------------------------------------------------------------------------------------
def _head(found: Inspection, look: Look) -> list[str]:
    lines = [
        line
        for file in found.files[:8]
        for line in fold([look.say(part) for part in _file(file)], look.width, look.say(" · "))
    ]
    if len(found.files) > 8:
        lines.append(look.say(f"… and {len(found.files) - 8:,} more files"))
    if len(found.files) > 1:
        lines.append(f"{counted(len(found.files), 'file')}, {_rows(found.rows, found.exact)}")
    return lines


def _file(file: File) -> list[str]:
    facts = file.facts
    parts = [shown(os.path.basename(file.path) or file.path), file.format, _rows(file.rows, file.exact)]
    if file.bytes is not None:
        parts.append(_size(file.bytes))
    if "row_groups" in facts:
        parts.append(counted(facts["row_groups"], "row group"))
    if facts.get("compression"):
        parts.append(", ".join(facts["compression"]))
    return parts


def _rows(rows: int | None, exact: bool) -> str:
    if rows is None:
        return "rows not known before reading"
    return counted(rows, "row") if exact else f"about {counted(rows, 'row')}"


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:,.0f} {unit}" if size >= 100 or unit == "bytes" else f"{size:.2g} {unit}"
        size /= 1000
    return ""


# -- what it is read as ----------------------------------------------------------------------------
def _reading(found: Inspection, verbose: bool, look: Look) -> list[str]:
    what, lines = found.what, []
    if what is not None:
        stored = {"bf": "bfloat16", "f2": "float16", "f4": "float32", "f8": "float64"}.get(
            what.stored, what.stored
        )
        many = f" ({len(what.columns):,} columns, {stored})" if len(what.columns) > 1 else f" ({stored})"
        of = f' of "{shown(what.classes[1])}"' if what.width == 1 and len(what.classes) == 2 else ""
        how = shown(what.evidence.get("scores", "")).rpartition("(")[2].rstrip(")")
        lines += _line("scores", f"{shown(what.pred) or NONAME}{many}{of}, {how}", look)
        lines += _line("kind", f"{NAMES[what.kind]}: {shown(what.evidence.get('kind', ''))}", look)
        lines += _line("label", f'"{shown(what.label)}": {shown(what.evidence.get("label", ""))}', look)
        lines += _line("classes", _classes(found, verbose), look)
    if found.labels:
        limit = len(found.labels) if verbose else _CLASSES
        counts = ", ".join(f"{shown(name) or '(none)'} {count:,}" for name, count in found.labels[:limit])
        rest = len(found.labels) - limit
        more = f" and {counted(rest, 'more', 'more')}" if rest > 0 else ""
        lines += _line("labels", f"in the first {counted(found.sampled, 'row')}: {counts}{more}", look)
    for note in found.notes:
        lines += _line("note", shown(note), look)
    if found.memory is not None:
        time = "" if found.seconds is None else f"{_time(found.seconds)}, "
        if found.per_million is not None:
            time = f"{_time(found.per_million)} per million rows, "
        lines += _line("to score", f"{time}at most {_size(found.memory)} of memory", look)
    return lines


def _classes(found: Inspection, verbose: bool) -> str:
    assert found.what is not None
    names = found.what.classes
    shown_names = [shown(name) for name in (names if verbose else names[:_CLASSES])]
    more = ", …" if len(shown_names) < len(names) else ""
    return f"{len(names):,} ({', '.join(shown_names)}{more}), labels bound {shown(found.what.labels.how)}"


def _time(seconds: float) -> str:
    if seconds < 1:
        return "under 1 s"
    amount, unit = (
        (seconds, "s")
        if seconds < 100
        else (seconds / 60, "min")
        if seconds < 6000
        else (seconds / 3600, "h")
    )
    return f"about {_rounded(amount):,.0f} {unit}"


def _rounded(value: float) -> float:
    """To one or two digits: an estimate has no more."""
    return float(f"{value:.1g}") if value >= 2e8 or value < 1e8 else float(f"{value:.2g}")


def _line(name: str, text: str, look: Look) -> list[str]:
    return _folded(text, look, f"  {name:<10}", " " * 12)


def _folded(text: str, look: Look, first: str, further: str) -> list[str]:
    """The words in lines that begin with what is given."""
    lines = fold(look.say(text).split(" "), (look.width or _ENDLESS) - len(further), " ")
    return [(further if i else first) + line for i, line in enumerate(lines)]


# -- columns ---------------------------------------------------------------------------------------
def _table(found: Inspection, verbose: bool, look: Look) -> list[str]:
    rows, left = _rows_shown(found.columns, verbose)
    cells = [["column", "stored as", "from", "to", "first values", "role"]]
    for name, column in rows:
        sample = ", ".join(_value(value, look) for value in column["sample"])
        stored = _short(column["stored"], _NAME, look)
        ends = (_value(column[end], look) for end in ("low", "high"))
        sample = first_few(sample, 40, look.say("…"))
        cells.append([_short(name, _NAME, look), stored, *ends, sample, column["role"]])
    columns = {name: [name, *column] for name, *column in zip(*cells, strict=True)}
    gone = []
    if look.width is not None:
        gone = fit(columns, look.width, _FOLDED, _DROPPED, look.say("…"), frozenset({"first values"}))
    at_left = frozenset(i for i, name in enumerate(columns) if name not in ("from", "to"))
    lines = [
        "  " + line.rstrip() for line in grid([*map(list, zip(*columns.values(), strict=True))], at_left)
    ]
    notes = [f"and {counted(left, 'more column', 'more columns')} (-v lists them)"] if left else []
    notes += [f"no room for: {', '.join(gone)}"] if gone else []
    return lines + (_folded("; ".join(notes), look, "  ", "  ") if notes else [])


def _rows_shown(columns: list[dict[str, Any]], verbose: bool) -> tuple[list[tuple[str, dict[str, Any]]], int]:
    """Columns with their names, and how many are left out; of many score columns, the ends."""
    if verbose:
        return [(column["name"], column) for column in columns], 0
    scores = [column for column in columns if column["role"] == "scores"]
    hidden = {id(column) for column in scores[2:-1]} if len(scores) > 5 else set()
    kept = [column for column in columns if id(column) not in hidden]
    named = [(column["name"], column) for column in kept]
    return named[:_COLUMNS], len(columns) - min(len(kept), _COLUMNS)


def _value(value: Any, look: Look) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return "[" + ", ".join(look.say(item) if item == "…" else _value(item, look) for item in value) + "]"
    return _short(str(value), 16, look)


def _short(text: str, cells: int, look: Look) -> str:
    """Text from data, safe to show, its middle left out if it has more than so many cells."""
    return short(shown(text, look.ascii_only), cells, look.say("…"))


# -- what to do ------------------------------------------------------------------------------------
def _problems(found: Inspection, look: Look) -> list[str]:
    if not found.problems:
        return []
    lines = [f"  in the first {counted(found.sampled, 'row')}"]

    def say(indent: int, text: str) -> list[str]:
        pad = " " * indent
        return _folded(text, look, pad, pad + "  ")

    for problem in found.problems:
        kind = "error" if problem.code else "warning"
        where = f"{shown(problem.where)}: " if problem.code and problem.where else ""
        lines += say(4, f"{kind} {problem.id}: {where}{shown(problem.message)}")
        if problem.also:
            lines += say(6, f"also: {shown(problem.also)}")
        if problem.remedy and not found.readings:
            lines += say(6, f"try: {shown(problem.remedy)}")
    return lines


def _commands(found: Inspection, look: Look) -> list[str]:
    if found.readings:
        lines = ["which one is meant?"]
        for reading, command in zip(found.readings, found.commands, strict=True):
            lines += [f"  {look.prose(command)}", *_folded(shown(reading.means), look, *_BELOW)]
        return lines
    end = f"  (it would end with exit code {found.code})" if found.code else ""
    return [f"{look.prose(command)}{end}" for command in found.commands]
