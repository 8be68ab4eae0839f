"""The confusion matrix as CSV, for spreadsheets: one row a label, one column a predicted class."""

from __future__ import annotations

import csv
import io

from xentcli.report import Confusion

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def confusion(matrix: Confusion) -> str:
    """Σw by label (rows) and predicted class (columns, named in the header); no final newline."""
    names = [_text(name) for name in matrix.names]
    rows = [["label", *names]]
    for name, row in zip(names, matrix.matrix, strict=True):
        rows.append([name, *map(_number, row)])
    return "\n".join(map(_line, rows))


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    # The csv module quotes a lone "\r" only if the line ending has one.
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().removesuffix("\r\n")


def _text(name: str) -> str:
    """A class name that no spreadsheet takes for a formula; -1 and +1 are numbers and stay."""
    # Lone surrogates cannot be written as UTF-8 and would lose the whole file.
    name = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return f"'{name}" if name.startswith(_FORMULA) and not _is_number(name) else name


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(weight: float) -> str:
    return str(int(weight)) if float(weight).is_integer() else repr(float(weight))
