"""Packed sums against exact ones of Python, over keys that share stretches, limbs and digits."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest

from xentcli.numerics import packed as module
from xentcli.numerics.packed import PackedSums, united

Sums = dict[int, Fraction]


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STRETCH", 7)


def summed(keys: np.ndarray, weights: np.ndarray) -> Sums:
    out: Sums = defaultdict(Fraction)
    for key, weight in zip(keys.tolist(), weights.tolist(), strict=True):
        out[key] += Fraction(weight)
    return dict(out)


def content(packed: PackedSums) -> Sums:
    """What is held, exactly, stretch by stretch and all at once."""
    whole = packed.sums()
    out = {key: whole.exact(index) for index, key in enumerate(packed.keys.tolist())}
    halves = [packed.sums(slice(0, 5)), packed.sums(slice(5, None))]
    assert [half.exact(i) for half in halves for i in range(half.size)] == list(out.values())
    values = [float(value) for value in out.values()]
    np.testing.assert_allclose(packed.values(), values, rtol=2.3e-16)
    assert np.all(packed.keys[1:] > packed.keys[:-1])
    return out


@pytest.mark.parametrize("seed", range(40))
def test_rows_are_summed_united_and_coarsened_exactly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    spread, pool = rng.choice([0, 3, 40, 300]), int(rng.choice([1, 6, 60]))
    parts, every = [], []
    for _ in range(int(rng.integers(1, 4))):
        n = int(rng.integers(0, 60))
        keys = rng.integers(-pool, pool, n)
        weights = 10.0 ** rng.uniform(-spread, spread, n) * rng.integers(0, 3, n)
        if rng.random() < 0.2:
            weights = np.ones(n)
            parts.append(PackedSums.of_rows(keys.copy(), None))
        else:
            parts.append(PackedSums.of_rows(keys, weights))
        assert content(parts[-1]) == summed(keys, weights)
        every.append((keys, weights))
    keys, weights = (np.concatenate(each) for each in zip(*every, strict=True))
    found = united(parts)
    assert not parts
    assert content(found) == summed(keys, weights)
    assert content(found.coarser(2)) == summed(keys >> 2, weights)
    again = PackedSums.of(found.keys, found.sums())
    assert content(again) == content(found)
    assert again.digits.tobytes() == found.digits.tobytes()


def test_counts_beyond_32_bits_and_sums_that_grow_a_digit() -> None:
    keys = np.arange(3)
    counts = PackedSums.counted(keys, np.array([1, 2**32 - 1, 2**40]))
    assert content(united([counts, counts])) == {0: 2, 1: 2**33 - 2, 2: 2**41}
    assert counts.nbytes == 3 * (8 + 8)
    assert PackedSums.counted(keys, np.array([1, 2, 3])).nbytes == 3 * (8 + 4)
