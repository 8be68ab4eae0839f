"""The distribution of the loss in cells by its float bits: whose rows the total comes from."""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.numerics.columns import add_totals
from xentcli.numerics.scratch import buffer
from xentcli.records import dataclass
from xentcli.states.summed import Summed

_STEPS = 5  # 32 cells an octave
_LOW, _HIGH = -64, 16  # octaves that have cells of their own
CELLS = ((_HIGH - _LOW) << _STEPS) + 1
"""Of 1/32 of an octave from 2**-64 up; the first begins at 0, the last is all from 2**16 nats up."""

_FINE = 20  # bits of an offset, the place of a loss in its cell
_OFFSET = ((1 << _FINE) - 1) << (52 - _STEPS - _FINE)
_BLOCK = 1 << 16  # rows whose counts and offsets share a float64 sum: 2**36 a row, below it offsets
_UNIT = 36
_ONE = int(np.float64(2.0**_UNIT).view(np.int64))


@dataclass(frozen=True, slots=True)
class Losses:
    """Cells of the loss (cells,), falling: the mass of their rows, and what their losses add up to.

    Every loss of a cell lies between `lo` and `hi`, and their sum, times weight, between `least` and `most`.
    """

    lo: F64
    hi: F64
    mass: F64
    least: F64
    most: F64


class Tail(Summed):
    """By cell of the loss: Σw of rows with a finite loss, and Σw of their offsets, in 2**-20 of the cell."""

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        return dict.fromkeys(("mass", "offset"), CELLS)

    def update(self, rows: Rows) -> None:
        loss, weight = rows.loss, rows.weight
        if "zero_probability" in rows.counts:
            finite = np.isfinite(loss)
            loss, weight = loss[finite], None if weight is None else weight[finite]
        if weight is not None:
            bits = loss.view(np.int64)
            key = _cell(bits)
            self.sums["mass"].add_exact(key, weight)
            self.sums["offset"].add_exact(key, weight * ((bits & _OFFSET) >> (52 - _STEPS - _FINE)))
            return
        mass, offset = np.zeros(CELLS, np.int64), np.zeros(CELLS, np.int64)
        for lo in range(0, loss.size, _BLOCK):
            bits = loss[lo : lo + _BLOCK].view(np.int64)
            packed = np.bitwise_and(bits, _OFFSET, out=buffer("tail.packed", bits.size, np.int64))
            packed >>= 52 - _STEPS - _FINE - (52 - _UNIT)
            packed |= _ONE  # 2**36 + offset, as a float64
            both = np.bincount(_cell(bits), packed.view(np.float64), CELLS).astype(np.int64)
            mass += both >> _UNIT
            offset += both & ((1 << _UNIT) - 1)
        add_totals(self.sums["mass"], mass)
        add_totals(self.sums["offset"], offset)

    def losses(self, total: float) -> Losses:
        """The occupied cells; `total` is the sum of all finite losses, times weight."""
        mass, offset = self.values("mass"), self.values("offset")
        index = np.arange(CELLS)
        width = np.ldexp(1.0, (index >> _STEPS) + _LOW - _STEPS)
        lo = width * ((1 << _STEPS) + (index & ((1 << _STEPS) - 1)))
        unit = width * 2.0**-_FINE
        middle = lo * mass + unit * (offset + 0.5 * mass)
        least, most, hi = middle - 0.5 * unit * mass, middle + 0.5 * unit * mass, lo + width
        lo[0] = least[0] = 0.0
        most[0] = hi[0] * mass[0]
        hi[-1] = np.inf
        least[-1] = lo[-1] * mass[-1]
        most[-1] = max(float(least[-1]), total - float(least[:-1].sum())) if mass[-1] else 0.0
        kept = np.flatnonzero(mass)[::-1]
        return Losses(lo[kept], hi[kept], mass[kept], least[kept], most[kept])


def _cell(bits: I64) -> I64:
    """The cell (n,) of losses given as their bits; a scratch array."""
    key: I64 = np.right_shift(bits, 52 - _STEPS, out=buffer("tail.cell", bits.size, np.int64))
    key -= (_LOW + 1023) << _STEPS
    np.maximum(key, 0, out=key)
    np.minimum(key, CELLS - 1, out=key)
    return key
