"""The sum of many terms as whole numbers on fixed grids: the fast road of `numerics.sums` to one total."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xentcli.numerics.scratch import buffer

F64 = npt.NDArray[np.float64]

_RUN = 2048  # rows whose 2**51-sized integers add up within int64
_GRIDS = (39, 91)  # one float64 addition rounds to each; terms from 2**-39 up end on the second
_LAST_FROM = 2.0**-39  # terms from here up have no bit below the second grid


def grid_totals(x: F64, least: float = 0.0, last: int = 143) -> list[tuple[int, int]]:
    """The sum of terms below 2**12 as integers with their exponents, exact on the 2**-last grid.

    Adding 1.5 * 2**(52-g) rounds a float64 to multiples of 2**-g and leaves that multiple in its low
    bits, where integer addition can take it: no conversion. No term is below `least`; from 2**-39 up
    the second grid holds all bits, so the third is left to the terms below, if there are any.
    """
    rest, work = x, buffer("sums.total", x.size)
    totals = []
    for bits in (*_GRIDS, last):
        magic = 1.5 * 2.0 ** (52 - bits)
        np.add(rest, magic, out=work)
        totals.append((_sum_bits(work, magic), -bits))
        if bits == _GRIDS[1]:
            if least >= _LAST_FROM:
                break
            if least >= 0.0:  # else the small ones are not told apart by one comparison
                small = np.flatnonzero(x < _LAST_FROM)
                rest, work = rest[small], work[small]
        if bits != last:
            np.subtract(work, magic, out=work)
            rest = np.subtract(rest, work, out=buffer("sums.remainder", rest.size))
    return totals


def _sum_bits(work: F64, magic: float) -> int:
    bits = work.view(np.int64)
    offset = int(np.float64(magic).view(np.int64))
    whole = bits.size - bits.size % _RUN
    # Each run wraps modulo 2**64; taking off its share of the magic number's bits unwraps it.
    runs = bits[:whole].reshape(-1, _RUN).sum(axis=1) - np.int64(_wrap(offset * _RUN))
    tail = bits[whole:]
    rest = int(tail.sum()) - offset * tail.size
    total: int = sum(runs.tolist()) + _wrap(rest)
    return total


def _wrap(value: int) -> int:
    """`value` modulo 2**64 as a signed 64-bit integer."""
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)
