"""Sums by key of rows that are put in the order of their keys once, for all that is summed by them.

The sums are those of `ExactSums.add`, `add_shares` and `add_counts`, bit for bit. A histogram takes a row
about as long as all of this, but `np.bincount` lets no other thread run meanwhile; sorting does.
"""

from __future__ import annotations

import numpy as np

from xentcli.numerics.runs import run_starts
from xentcli.numerics.scratch import buffer
from xentcli.numerics.sums import F64, GRID_LIMIT, I64, ExactSums
from xentcli.records import dataclass

LEAST = 2.0**-39
"""Terms from here up have no bit below the second grid."""

_EXACT, _SHARES = (39, 91), (36, 72)  # grids that one float64 addition each rounds to
_RUN = 2048  # rows whose 2**51-sized integers add up within int64
_LIMB = 32
_MANY = 1 << 14  # rows whose histogram takes so long that others wait for it


@dataclass(frozen=True, slots=True)
class Order:
    """Rows in the order of their keys, and the runs that they make, none longer than `_RUN`.

    rows (n,): which row comes when; a scratch array. starts, keys, lengths (runs,): where in that order each
    run begins, the key of its rows, and how many there are.
    """

    rows: I64
    starts: I64
    keys: I64
    lengths: I64


def ordered(keys: I64, size: int, owner: str) -> Order:
    """The order of rows by their keys (n,) in [0, size); scratch arrays of `owner`.

    Key and row are sorted as one number: several times as fast as sorting keys beside their rows.
    """
    n = keys.size
    bits = max(1, (n - 1).bit_length())
    dtype: type[np.unsignedinteger] = np.uint32 if size << bits <= 1 << 32 else np.uint64
    packed = buffer(f"{owner}.packed.{np.dtype(dtype).char}", n, dtype)
    np.copyto(packed, keys, casting="unsafe")
    packed <<= dtype(bits)
    packed |= np.arange(n, dtype=dtype)
    packed.sort()
    rows = buffer(f"{owner}.rows", n, np.int64)
    np.copyto(rows, packed & dtype((1 << bits) - 1), casting="unsafe")
    packed >>= dtype(bits)
    begins = np.ones(n, np.bool_)
    np.not_equal(packed[1:], packed[:-1], out=begins[1:])
    begins[::_RUN] = True
    starts = np.flatnonzero(begins)
    return Order(rows, starts, packed[starts].astype(np.int64), np.diff(starts, append=n))


def add_ordered(sums: ExactSums, order: Order, keys: I64, x: F64) -> None:
    """`sums.add(keys, x)` for rows of which those of a run have one key."""
    if not (float(x.min(initial=LEAST)) >= LEAST and float(x.max(initial=LEAST)) < GRID_LIMIT):
        usual = (x >= LEAST) & (x < GRID_LIMIT)
        other = np.flatnonzero(~usual & (x != 0.0))
        sums.add(keys[other], x[other])
        x = np.where(usual, x, 0.0)
    _add(sums, order, keys[order.rows[order.starts]], x, _EXACT)


def add_ordered_shares(sums: ExactSums, order: Order, at: I64, x: F64) -> None:
    """`sums.add_shares` of x (n,) in [0, 1], that of each run to the sum `at` (runs,)."""
    _add(sums, order, at, x, _SHARES)


def add_sorted(sums: ExactSums, keys: I64, offset: int = 0) -> None:
    """`sums.add_counts(keys + offset)` of keys (n,) in [0, 2**32)."""
    if keys.size < _MANY:
        sums.add_counts(keys + offset)
        return
    found = buffer("grouped.keys", keys.size, np.uint32)
    np.copyto(found, keys, casting="unsafe")
    found.sort()
    starts = run_starts(found)
    sums.add_counts(found[starts].astype(np.int64) + offset, np.diff(starts, append=keys.size))


def _add(sums: ExactSums, order: Order, at: I64, x: F64, grids: tuple[int, int]) -> None:
    """Adding 1.5 * 2**(52-g) leaves a multiple of 2**-g in the low bits of a float64: see `sums.grid_totals`.

    Integers of a run wrap modulo 2**64, as its share of the magic number's bits does, which unwraps them.
    """
    rest = x.take(order.rows, out=buffer("grouped.rest", x.size), mode="clip")
    work = buffer("grouped.work", x.size)
    for bits in grids:
        magic = 1.5 * 2.0 ** (52 - bits)
        np.add(rest, magic, out=work)
        runs = np.add.reduceat(work.view(np.int64), order.starts)
        runs -= np.float64(magic).view(np.int64) * order.lengths
        sums.add_integers(at, (runs & ((1 << _LIMB) - 1)).astype(np.float64), -bits)
        sums.add_integers(at, (runs >> _LIMB).astype(np.float64), _LIMB - bits)
        if bits != grids[-1]:
            work -= magic
            rest -= work
