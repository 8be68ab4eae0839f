"""Text by the cell: names made to fit, folded lines, columns, and the reliability strip.

The strip shows what the model says against what happened. Bins stand side by side on the axis of
p. A bar is a bin's number of rows; below it, in percentage points, how far what happened lies above
(+) or below (-) what was said. Bins of too few rows to judge and gaps no wider than chance are
marked, not drawn as findings.
"""

from __future__ import annotations

import math

from xentcli.errors import counted
from xentcli.records import dataclass
from xentcli.renderers.numbers import NBSP, apart, count
from xentcli.report import Reliability

LEAST = 12  # cells to which names shrink before a column goes
FEW = 30  # rows below which a bin's gap is not shown: its standard error reaches 9 points
_BARS = "▁▂▃▄▅▆▇█"
_LABEL = 12  # columns for the names of the lines
_BAND = 1.96 / math.sqrt(2 / math.pi)  # 95 % of a normal gap, in units of its expected magnitude
_WORDS = {  # what p is of, what it came to, and what is counted
    "confidence": ("confidence", "right", "row"),
    "positive": ("p(positive)", "came true", "row"),
    "labels": ("p(label)", "came true", "pair"),
}


@dataclass(frozen=True, slots=True)
class _Bin:
    """One bin: rows, mean p, mean outcome, and the |gap| expected by chance, None if unknown."""

    n: int
    said: float
    was: float
    chance: float | None

    @property
    def gap(self) -> float:
        return self.was - self.said

    @property
    def by_chance(self) -> bool:
        """The gap lies within the 95 % band of a calibrated bin."""
        return self.chance is not None and abs(self.gap) <= _BAND * self.chance


def wide(text: str) -> int:
    """Cells that `text` takes on a terminal: two for East Asian wide characters."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def short(text: str, cells: int, dots: str) -> str:
    """`text` in at most `cells` cells (3 or more), with `dots` for what its middle loses."""
    if wide(text) <= cells:
        return text
    room = cells - len(dots)
    head, tail = text[: room - room // 2], text[len(text) - room // 2 :]
    while wide(head) > room - room // 2:
        head = head[:-1]
    while wide(tail) > room // 2:
        tail = tail[1:]
    return head + dots + tail


def first_few(values: str, cells: int, dots: str) -> str:
    """Of `values` with commas between them, those from the start that are whole in so many cells; `short` of
    a first that is wider."""
    if wide(values) <= cells:
        return values
    kept, *others = values.split(", ")
    for value in others:
        if wide(f"{kept}, {value}, {dots}") > cells:
            break
        kept += f", {value}"
    more = f"{kept}, {dots}"
    return more if wide(more) <= cells else short(kept, cells, dots)


def fold(phrases: list[str], room: int | None, joint: str) -> list[str]:
    """Phrases joined by `joint` in lines of at most `room` cells; a wider one has its own."""
    lines: list[str] = []
    for phrase in phrases:
        whole = room is None or wide(phrase) <= room
        for i, part in enumerate([phrase] if whole else phrase.split(" ")):
            longer = f"{lines[-1]}{' ' if i else joint}{part}" if lines else part
            if lines and (whole or i) and (room is None or wide(longer) <= room):
                lines[-1] = longer
            else:
                lines.append(part)
    return lines


def grid(rows: list[list[str]], left: frozenset[int], gap: str = "  ") -> list[str]:
    """Rows of cells as lines, columns flush right or, where in `left`, flush left."""
    widths = [max(map(wide, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        pads = [" " * (width - wide(cell)) for width, cell in zip(widths, row, strict=True)]
        both = enumerate(zip(row, pads, strict=True))
        lines.append(gap.join(c + p if i in left else p + c for i, (c, p) in both).rstrip())
    return lines


def fit(
    columns: dict[str, list[str]],
    width: int,
    names: frozenset[str],
    order: tuple[str, ...],
    dots: str,
    lists: frozenset[str] = frozenset(),
) -> list[str]:
    """Make `columns` fit `width`: those in `names` shrink to 12 cells, then columns go in `order`.

    What shrinks loses its middle, but cells of `lists` the last of their values. Changes `columns` and
    returns the names of those that went. A column of numbers is never cut.
    """
    least = {name: max(map(wide, cells)) for name, cells in columns.items()}
    least |= {name: max(min(least[name], LEAST), len(name)) for name in names & columns.keys()}
    gone: list[str] = []

    def spare() -> int:
        return width - 2 * len(columns) - sum(least[name] for name in columns)

    for name in order:
        if spare() < 0 and name in columns:
            del columns[name]
            gone.append(name)
    for name in [name for name in columns if name in names]:
        natural = min(max(map(wide, columns[name])), max(width // 3, LEAST))
        least[name] = max(min(least[name] + spare(), natural), min(natural, 5))
        cut = first_few if name in lists else short
        columns[name] = [cut(cell, least[name], dots) for cell in columns[name]]
    return gone


def render(diagram: Reliability, width: int | None, ascii_only: bool) -> list[str]:
    """A heading, the diagram and its largest and worst bins in words: six lines; none without rows.

    width: cells; the diagram shrinks to it, the words are left for the caller to fold.
    """
    bins = [_bin(row) for row in diagram.rows]
    if not any(bin_ and bin_.n for bin_ in bins):
        return []
    few = "." if ascii_only else "·"
    axis, came, unit = _WORDS.get(diagram.pair, (diagram.pair, "came true", "row"))
    lines = [_heading(axis, diagram, bins, few, unit)]
    room = None if width is None else width - _LABEL
    cell = next((c for c in (4, 2, 1) if room is None or c * len(bins) <= room), 0)
    if cell:
        top = max(bin_.n for bin_ in bins if bin_)
        total = sum(bin_.n for bin_ in bins if bin_)
        scale = total if ascii_only and cell == 4 else top
        name = f"{unit}s" + ("" if not ascii_only else ", %" if cell == 4 else ", 1-8")
        bars = [_bar(bin_, scale, cell, few, ascii_only) for bin_ in bins]
        gaps = [_gap(bin_, cell, few) for bin_ in bins]
        lines.append(name.ljust(_LABEL) + "".join(bars))
        lines.append("gap, points"[: 11 if cell == 4 else 3].ljust(_LABEL) + "".join(gaps))
        lines.append(axis.ljust(_LABEL) + _axis(diagram, cell))
    return lines + _worst(bins, came, unit)


def _bin(row: dict[str, float | int | None]) -> _Bin | None:
    said, was, n = row.get("mean_p"), row.get("mean_y"), row.get("n")
    if not n or said is None or was is None:
        return None
    return _Bin(int(n), said, was, row.get("gap_chance", row.get("chance")))


def _heading(axis: str, diagram: Reliability, bins: list[_Bin | None], few: str, unit: str) -> str:
    kind = " of equal weight" if diagram.scheme == "mass" else ""
    marks = []
    if any(bin_ and bin_.n >= FEW and bin_.by_chance for bin_ in bins):
        marks.append(f"={NBSP}within{NBSP}chance")
    if any(bin_ and bin_.n < FEW for bin_ in bins):
        marks.append(f"{few}{NBSP}under{NBSP}{FEW}{NBSP}{unit}s")
    about = f"{axis}, {counted(diagram.bins, 'bin')}{kind}"
    return f"reliability  ({'; '.join([about, *([', '.join(marks)] if marks else [])])})"


def _bar(bin_: _Bin | None, scale: int, cell: int, few: str, ascii_only: bool) -> str:
    """Rows of a bin in `cell` columns: a bar, or 1 to 8; where ASCII has room, percent."""
    wide = max(cell - 1, 1)
    if bin_ is None:
        return " " * cell
    if ascii_only and cell == 4:
        return _share(bin_.n, scale).rjust(wide) + " "
    if bin_.n < FEW:
        return few.center(wide).ljust(cell)
    level = math.ceil(8 * bin_.n / scale)
    return ((str(level) if ascii_only else _BARS[level - 1]) * wide).ljust(cell)


def _share(n: int, total: int) -> str:
    whole = round(100 * n / total)
    if whole == 0:
        return "<1"
    return ">99" if whole == 100 and n < total else str(whole)


def _gap(bin_: _Bin | None, cell: int, few: str) -> str:
    """Signed points in four columns, else the sign alone."""
    wide = max(cell - 1, 1)
    if bin_ is None:
        return " " * cell
    points = 100.0 * bin_.gap
    if bin_.n < FEW:
        text = few if cell < 4 else few.center(3)
    elif bin_.by_chance or points == 0.0:
        text = "=" if cell < 4 else " = "
    elif cell < 4:
        text = "+" if points > 0 else "-"
    elif abs(points) >= 0.95:
        text = f"{points:+.0f}"
    else:
        text = f"{points:+.1f}".replace("0.", ".") if abs(points) >= 0.05 else "~0"
    return text.rjust(wide).ljust(cell)


def _axis(diagram: Reliability, cell: int) -> str:
    """The two ends of the axis, and its middle where bins are equally wide."""
    wide = cell * len(diagram.rows) - (cell > 1)
    ends = [diagram.rows[0].get("lo"), diagram.rows[-1].get("hi")]
    left, right = ("?" if end is None else f"{end:.3g}" for end in ends)
    line = left.ljust(wide - len(right)) + right
    if diagram.scheme != "width" or wide < 11:
        return line
    middle = wide // 2 - 1
    return line[:middle] + "0.5" + line[middle + 3 :]


def _worst(bins: list[_Bin | None], came: str, unit: str) -> list[str]:
    """The fullest bin and the bin of the widest gap, in words."""
    full = [bin_ for bin_ in bins if bin_]
    fullest = max(full, key=lambda bin_: bin_.n)
    judged = [bin_ for bin_ in full if bin_.n >= FEW]
    if not judged:
        return [f"fullest bin: {_said(fullest, came, unit)}", f"no bin has {FEW} {unit}s: too few to judge"]
    if all(bin_.by_chance for bin_ in judged):
        return [f"fullest bin: {_said(fullest, came, unit)}", "no gap is wider than chance explains"]
    widest = max((bin_ for bin_ in judged if not bin_.by_chance), key=lambda bin_: abs(bin_.gap))
    if widest is fullest:
        return [f"fullest bin and widest gap: {_said(widest, came, unit)}"]
    return [f"fullest bin: {_said(fullest, came, unit)}", f"widest gap:  {_said(widest, came, unit)}"]


def _said(bin_: _Bin, came: str, unit: str) -> str:
    said, was = apart(bin_.said, bin_.was, 2)
    rows = f"({count(bin_.n)}{NBSP}{unit}{'' if bin_.n == 1 else 's'})"
    return f"says{NBSP}{said}, {came}{NBSP}{was} {rows}"
