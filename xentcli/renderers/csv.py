"""The confusion matrix as CSV, for spreadsheets: one row a label, one column a predicted class."""

from __future__ import annotations

import csv
import io

from xentcli.errors import cell
from xentcli.report import Confusion


def confusion(matrix: Confusion) -> str:
    """Σw by label (rows) and predicted class (columns, named in the header); no final newline."""
    names = [cell(name) for name in matrix.names]
    rows = [["label", *names]]
    for name, row in zip(names, matrix.matrix, strict=True):
        rows.append([name, *map(_number, row)])
    return "\n".join(map(_line, rows))


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    # The csv module quotes a lone "\r" only if the line ending has one.
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().removesuffix("\r\n")


def _number(weight: float) -> str:
    return str(int(weight)) if float(weight).is_integer() else repr(float(weight))
