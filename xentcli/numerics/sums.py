"""Sums that do not depend on the order of their terms: integers on a fixed binary grid.

Each term is turned into a whole number of 2**-1074 at the finest, integers are added, and the total
is rounded once when it is read. Addition of integers is associative and commutative, so any way to
cut, order and merge the rows gives the same bits.

Two roads lead to the same kind of integer, chosen by each term alone and never by its neighbours:
- the grid road, |x| < 2**12: x is rounded to the nearest multiple of 2**-143 (2**-136 under keys), an
  error below 6e-42;
- the exact road, any other finite x, and every weighted term: x is taken whole.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from xentcli.numerics.gridtotals import grid_totals
from xentcli.numerics.limbs import LIMB, MASK, digits_of, floats
from xentcli.numerics.pieces import pieces
from xentcli.numerics.scratch import buffer
from xentcli.numerics.select import where_one

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

GRID_LIMIT = 2.0**12
"""Terms below this in magnitude take the grid road."""

_WAITING_UP_TO = 1 << 15  # sums that first add up outside the limbs, where adding is cheaper
_PART = 1 << 16
_SETTLE_AFTER = 512  # additions of at most 2**53 each that int64 takes without overflow
_NORMALISE_AFTER = 1 << 28  # additions of at most 2**33 each that a limb takes without overflow
_KEYED = (25, 62, 99, 136)  # 37 bits a slice; terms from 2**-46 up end on the third


class ExactSums:
    """`size` sums side by side, each an integer kept in base-2**32 limbs.

    Limb `i` counts multiples of 2**(32*i); the window of limbs held grows as terms ask for it.
    `ExactSums(size)` is the identity of `merge`.
    """

    __slots__ = ("_waiting", "limbs", "low", "pending", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.low = 0
        self.limbs: I64 = np.zeros((0, size), np.int64)
        self.pending = 0  # additions since limbs were in their canonical form
        self._waiting: dict[int, tuple[I64, int]] = {}  # exponent -> sums not yet in limbs, of how many adds

    # -- adding -----------------------------------------------------------------------------------
    def add(self, keys: I64 | int, x: F64, *, small: bool = False) -> None:
        """Add finite terms `x` (n,) under `keys` (n,) in [0, size), or all to the one sum `keys`.

        small: every |x| is known to be below GRID_LIMIT.
        """
        if not x.size:
            return
        if not small and max(float(x.max()), -float(x.min())) >= GRID_LIMIT:
            large = np.abs(x) >= GRID_LIMIT
            self.add_exact(keys if isinstance(keys, int) else keys[large], x[large])
            x, keys = x[~large], keys if isinstance(keys, int) else keys[~large]
        least = float(x.min(initial=np.inf))
        if isinstance(keys, int):
            self._add_total(keys, x, least)
        elif self.size == 2:
            self._add_pair(keys, x, least)
        else:
            self._add_grid(keys, x, _KEYED[: 3 if least >= 2.0**-46 else 4])

    def add_exact(self, keys: I64 | int, x: F64) -> None:
        """Add finite terms whole, whatever their exponents: the road of weights and large values."""
        large = self.size > _WAITING_UP_TO
        for part, integers, exponent in pieces(x, LIMB, LIMB) if large else pieces(x):
            if isinstance(keys, int):
                self.add_integer(keys, int(integers.sum()), exponent)
            else:
                self.add_integers(keys[part], integers, exponent)

    def add_counts(self, keys: I64, times: I64 | None = None) -> None:
        """Add 1, or so many times 1, under each key (n,)."""
        limb = self._reach(0, 1)
        if keys.size * 8 < self.size:
            np.add.at(self.limbs[limb], keys, np.int64(1) if times is None else times)
        else:
            self.limbs[limb] += np.bincount(keys, times, self.size).astype(np.int64, copy=False)
        self._count(1)

    def add_rows(self, keys: I64, weight: F64 | None) -> None:
        """Add each row's weight (n,), or 1, under its key (n,)."""
        if weight is None:
            self.add_counts(keys)
        else:
            self.add_exact(keys, weight)

    def add_tallies(self, at: I64 | slice, counts: I64) -> None:
        """Add whole `counts` (n,) in [0, 2**32] to the sums `at` (n,), which are distinct."""
        limb = self._reach(0, 1)
        self.limbs[limb, at] += counts
        self._count(1)

    def add_integer(self, index: int, value: int, exponent: int) -> None:
        """Add `value * 2**exponent` to one sum; `value` is any Python integer."""
        if value == 0:
            return
        limb, shift = divmod(exponent, LIMB)
        sign, magnitude = (-1 if value < 0 else 1), abs(value) << shift
        count = -(-magnitude.bit_length() // LIMB)
        at = self._reach(limb, limb + count)
        for step in range(count):
            self.limbs[at + step, index] += sign * ((magnitude >> (LIMB * step)) & MASK)
        self._count(1)

    def _add_total(self, index: int, x: F64, least: float) -> None:
        for total, exponent in grid_totals(x, least):
            self.add_integer(index, total, exponent)

    def _add_pair(self, keys: I64, x: F64, least: float) -> None:
        """Two keys: the total, of which the part of key 1 is taken off; far cheaper than a bincount.

        Terms are rounded as under more keys: where keys are met as rows come, there are two for a while.
        """
        totals = (grid_totals(of, least, _KEYED[-1]) for of in (x, where_one(keys, x, "sums.rest")))
        for (total, exponent), (ones, _) in zip(*totals, strict=True):
            self.add_integer(0, total - ones, exponent)
            self.add_integer(1, ones, exponent)

    def add_shares(self, keys: I64, x: F64) -> None:
        """Add `x` (n,) in [-1, 1] under `keys` (n,), rounded to 2**-72: two slices, not three."""
        for lo in range(0, x.size, 1 << 16):
            part = slice(lo, lo + (1 << 16))
            scaled = np.multiply(x[part], 2.0**36, out=buffer("sums.rest", x[part].size))
            whole = np.rint(scaled, out=buffer("sums.slice", scaled.size))
            self.add_integers(keys[part], whole, -36)
            scaled -= whole
            scaled *= 2.0**36
            self.add_integers(keys[part], np.rint(scaled, out=scaled), -72)

    def _add_grid(self, keys: I64, x: F64, grids: tuple[int, ...]) -> None:
        """Slices of at most 37 bits each, so that a block's float64 bincount stays exact."""
        for lo in range(0, x.size, 1 << 16):
            part = slice(lo, lo + (1 << 16))
            rest = buffer("sums.rest", x[part].size)
            np.copyto(rest, x[part])
            for bits in grids:
                slice_ = np.multiply(rest, 2.0**bits, out=buffer("sums.slice", rest.size))
                np.rint(slice_, out=slice_)
                self.add_integers(keys[part], slice_, -bits)
                if bits != grids[-1]:
                    rest -= np.multiply(slice_, 2.0**-bits, out=slice_)

    def add_integers(self, keys: I64, integers: F64, exponent: int) -> None:
        """Add whole numbers (n,), whose sums stay below 2**53, times 2**exponent under their keys."""
        few = keys.size * 4 < self.size
        if self.size > _WAITING_UP_TO:
            if few:
                self._scatter(keys, integers.astype(np.int64), exponent)
            else:
                sums = np.bincount(keys, weights=integers, minlength=self.size)
                self._add_vector(sums.astype(np.int64), exponent)
            return
        sums, additions = self._waiting.get(exponent) or (np.zeros(self.size, np.int64), 0)
        if few:
            np.add.at(sums, keys, integers.astype(np.int64))
        else:
            sums += np.bincount(keys, weights=integers, minlength=self.size).astype(np.int64)
        self._waiting[exponent] = (sums, additions + 1)
        if additions + 1 == _SETTLE_AFTER:
            self._settle()

    def _settle(self) -> None:
        """Bring what waits into the limbs."""
        waiting, self._waiting = self._waiting, {}
        for exponent, (sums, _) in waiting.items():
            self._add_vector(sums, exponent)

    def _add_vector(self, values: I64, exponent: int) -> None:
        """Add whole numbers (size,) times 2**exponent, one to each sum."""
        limb, shift = divmod(exponent, LIMB)
        row = self._reach(limb, limb + 3)
        for lo in range(0, values.size, _PART):  # what is worked with on the way is small
            part = slice(lo, lo + _PART)
            for step, digits in enumerate(digits_of(values[part], shift)):
                self.limbs[row + step, part] += digits
        self._count(2)

    def _scatter(self, keys: I64, values: I64, exponent: int) -> None:
        """Add whole numbers (n,) times 2**exponent under their keys, few of a large table."""
        limb, shift = divmod(exponent, LIMB)
        row = self._reach(limb, limb + 3)
        for step, digits in enumerate(digits_of(values, shift)):
            if digits.any():
                np.add.at(self.limbs[row + step], keys, digits)
        self._count(2 * keys.size)

    # -- the window -------------------------------------------------------------------------------
    def _reach(self, low: int, high: int) -> int:
        """Grow the window to hold limbs [low, high); return the row of limb `low`."""
        held = len(self.limbs)
        if held == 0:
            self.low = low
        first, last = min(low, self.low), max(high, self.low + held)
        if last - first > held:
            grown = np.zeros((last - first, self.size), np.int64)
            grown[self.low - first : self.low - first + held] = self.limbs
            self.limbs, self.low = grown, first
        return low - self.low

    def _count(self, additions: int) -> None:
        self.pending += additions
        if self.pending >= _NORMALISE_AFTER:
            self.normalise()

    def normalise(self) -> None:
        """Bring the limbs to their one canonical form: two's complement over the smallest window.

        Every limb lies in [0, 2**32) but the top one, which is the sign, 0 or -1.
        """
        self._settle()
        if not self.pending:
            return
        row = 0
        while row < len(self.limbs):
            carry = self.limbs[row] >> LIMB
            if row + 1 == len(self.limbs):
                if (carry == self.limbs[row]).all():  # 0 or -1
                    break
                self._reach(self.low, self.low + row + 2)
            if carry.any():
                self.limbs[row + 1] += carry
                self.limbs[row] &= MASK
            row += 1
        limbs = self.limbs
        while len(limbs) > 1 and (limbs[-2] == (limbs[-1] & MASK)).all():
            limbs = np.concatenate([limbs[:-2], limbs[-1:]])
        used = np.flatnonzero(limbs.any(axis=1)) if self.size else np.zeros(0, np.int64)
        first = int(used[0]) if used.size else len(limbs)
        self.limbs = limbs[first:].copy() if first else limbs
        self.low, self.pending = self.low + first if used.size else 0, 0

    # -- the state --------------------------------------------------------------------------------
    def merge(self, other: ExactSums) -> None:
        """Add the sums of `other`, whose value stays as it is."""
        other._settle()
        if len(other.limbs):
            row = self._reach(other.low, other.low + len(other.limbs))
            self.limbs[row : row + len(other.limbs)] += other.limbs
            self._count(other.pending + 1)

    def merge_at(self, at: I64, other: ExactSums) -> None:
        """Add the sums of `other` at the places `at` (n,), which are distinct, of groups of neighbours.

        A group is as many sums as `other` has for each place; the sums here are whole groups, too.
        """
        other._settle()
        held = len(other.limbs)
        if held and at.size:
            row, each = self._reach(other.low, other.low + held), other.size // at.size
            groups = self.limbs[row : row + held].reshape(held, -1, each)
            groups[:, at] += other.limbs.reshape(held, -1, each)
            self._count(other.pending + 1)

    def to_array(self) -> I64:
        """The one canonical form of these sums: a header row [low limb], then the carried limbs."""
        self.normalise()
        return np.concatenate([np.full((1, self.size), self.low, np.int64), self.limbs])

    @classmethod
    def from_array(cls, array: I64) -> ExactSums:
        """The inverse of `to_array`."""
        sums = cls(array.shape[1])
        sums.limbs, sums.pending = array[1:].copy(), 1
        sums.low = int(array[0, 0]) if array.shape[1] else 0
        return sums

    @classmethod
    def over(cls, limbs: I64, low: int) -> ExactSums:
        """Sums of given limbs (width, size), each below 2**62, of which the first counts 2**(32 * low)."""
        out = cls(limbs.shape[1])
        out.limbs, out.low, out.pending = limbs, low, _NORMALISE_AFTER // 2
        return out

    def like(self, limbs: I64) -> ExactSums:
        """Other sums over the same window of limbs (width, size), such as margins of these."""
        out = self.over(limbs, self.low)
        out.pending += self.pending
        return out

    def folded(self, groups: int, each: int) -> ExactSums:
        """Fewer sums, `each` of every group of neighbours: i takes in i + each, i + 2 each … of its group."""
        self.normalise()
        parts = self.limbs.reshape(len(self.limbs), groups, self.size // (groups * each), each)
        return self.like(parts.sum(axis=2).reshape(-1, groups * each))

    # -- reading ----------------------------------------------------------------------------------
    def exact(self, index: int = 0) -> Fraction:
        """One sum, exactly."""
        self._settle()
        return self._scaled(sum(x << (LIMB * row) for row, x in enumerate(self.limbs[:, index].tolist())))

    def wholes(self) -> tuple[list[int], int]:
        """All sums, exactly, as whole numbers times 2**exponent, and the exponent."""
        self.normalise()
        digits = (self.limbs & MASK).T.astype("<u4")
        return [int.from_bytes(x.tobytes(), "little", signed=True) for x in digits], LIMB * self.low

    def total(self) -> Fraction:
        """The sum of all sums, exactly."""
        self._settle()
        return self._scaled(sum(sum(limb.tolist()) << (LIMB * row) for row, limb in enumerate(self.limbs)))

    def _scaled(self, whole: int) -> Fraction:
        """A whole number of units of the lowest limb."""
        return Fraction(whole << max(0, LIMB * self.low), 1 << max(0, -LIMB * self.low))

    def values(self, part: slice = slice(None)) -> F64:
        """All sums (size,), or some, as float64, each within a unit in the last place of the exact value."""
        self.normalise()
        lo, hi, _ = part.indices(self.size)
        out = np.zeros(hi - lo)
        for at in range(lo, hi if len(self.limbs) else lo, _PART):
            some = slice(at, min(at + _PART, hi))
            out[some.start - lo : some.stop - lo] = floats(self.limbs[:, some], self.low)
        return out

    def filled(self) -> tuple[I64, F64]:
        """The places (n,) of the sums that may not be 0, and these as float64 (n,): few of a large table."""
        self._settle()
        at = np.flatnonzero(self.limbs.any(axis=0))
        return at, self.like(self.limbs[:, at]).values()

    @property
    def nbytes(self) -> int:
        return int(self.limbs.nbytes) + sum(sums.nbytes for sums, _ in self._waiting.values())
