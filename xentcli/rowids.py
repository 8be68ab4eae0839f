"""The ids of rows, where rows are to be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]


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
        return [None if one is None else str(one) for one in found]
