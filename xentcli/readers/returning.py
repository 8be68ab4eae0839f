"""Items that come back after others: found by the hashes of ids, in a table that stops growing."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from xentcli.errors import DataError, clean
from xentcli.records import dataclass, field

MOST = 1 << 20


@dataclass
class Returning:
    """Ids met so far: every one of the first million; of more, one in 2, 4, 8 … whichever their hash says.

    Which ids are remembered depends on the ids alone. `level`: the lowest bits of a remembered hash are 0.
    """

    most: int = MOST
    level: int = 0
    hashes: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    rows: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    files: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    paths: list[str] = field(default_factory=list)

    def add(self, ids: list[str], rows: npt.NDArray[np.int64], path: str) -> None:
        """Remember items that begin at `rows` (n,) of a file; DataError for one that was there before."""
        if path not in self.paths[-1:]:
            self.paths.append(path)
        new = np.array([_hash(id) for id in ids], np.uint64)
        kept = np.flatnonzero(self._chosen(new))
        order = kept[np.argsort(new[kept], kind="stable")]
        fresh = new[order]
        twin = np.flatnonzero(fresh[1:] == fresh[:-1])
        at = np.searchsorted(self.hashes, fresh)
        known = np.flatnonzero(at < np.searchsorted(self.hashes, fresh, side="right")).tolist()
        found = [(int(order[i]), int(self.rows[at[i]]), self.paths[self.files[at[i]]]) for i in known]
        found += [(int(order[i + 1]), int(rows[order[i]]), path) for i in twin.tolist()]
        if found:
            where, before, file = min(found)
            raise _returned(ids[where], path, int(rows[where]), file, before)
        self.hashes = np.insert(self.hashes, at, fresh)
        self.rows = np.insert(self.rows, at, rows[order])
        self.files = np.insert(self.files, at, np.full(order.size, len(self.paths) - 1, np.int32))
        while self.hashes.size > self.most:
            self.level += 1
            left = self._chosen(self.hashes)
            self.hashes, self.rows, self.files = self.hashes[left], self.rows[left], self.files[left]

    def _chosen(self, hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
        chosen: npt.NDArray[np.bool_] = (hashes & np.uint64((1 << self.level) - 1)) == 0
        return chosen


def _hash(id: str) -> int:
    data = id.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def _returned(id: str, path: str, row: int, file: str, before: int) -> DataError:
    first = f"row {before:,}" if file == path else f"{clean(file, 200)}, row {before:,}"
    return DataError(
        f'item "{clean(id)}" is back: other items stand between this row and its rows from {first} on',
        where=f"{clean(path, 200)}, row {row:,}", id="item_returns",
        remedy="sort the rows by item; name apart items that are not the same",
    )  # fmt: skip
