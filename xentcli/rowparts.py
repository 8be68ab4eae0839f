"""What a batch may hold of its rows beside scores and labels: their ids, and the classes they list."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from xentcli.records import dataclass

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


def text_of(id: Any) -> str | None:
    """An id as text, None for null: bytes as the UTF-8 that they are, with escapes where they are not."""
    if isinstance(id, bytes):
        return id.decode("utf-8", "backslashreplace")
    return None if id is None else str(id)


@dataclass(frozen=True, slots=True)
class Ids:
    """What the column of `--id` says of n rows: row i has `values[at[i]]` of an Arrow array."""

    values: Any
    at: I64

    def keep(self, mask: npt.NDArray[np.bool_] | I64) -> Ids:
        """The ids of the rows that a mask (n,) or an index selects."""
        return Ids(self.values, self.at[mask])

    def texts(self, rows: I64) -> list[str | None]:
        """The ids of the rows as text, None for null; looked at one by one."""
        found = [self.values[at].as_py() for at in self.at[rows].tolist()]
        return [text_of(one) for one in found]


@dataclass(frozen=True, slots=True)
class Lists:
    """The classes that n rows list, all (total,): row, ascending, class index and score.

    rest (n,): the probability of all classes that the row does not list, where a column says it.
    """

    row: I64
    index: I64
    score: F64
    rest: F64 | None = None

    def keep(self, mask: npt.NDArray[np.bool_]) -> Lists:
        """The lists of the rows in `mask` (n,), with their new numbers."""
        kept = mask[self.row]
        number = np.cumsum(mask) - 1
        rest = None if self.rest is None else self.rest[mask]
        return Lists(number[self.row[kept]], self.index[kept], self.score[kept], rest)


@dataclass(frozen=True, slots=True)
class Table:
    """Quantities of n rows for each of C classes, or labels of a multilabel task, all (n, C).

    target: what the row says of the class. cost: soft labels, the class's part q * -ln p of the loss;
    multilabel, the binary cross-entropy of the label. And for multilabel alone, p: of the label.
    error: (p - target)**2. predicted: p beyond the threshold. score: what orders rows for AUROC.
    """

    target: F64
    cost: F64
    p: F64 | None = None
    error: F64 | None = None
    predicted: npt.NDArray[np.bool_] | None = None
    score: F64 | None = None
