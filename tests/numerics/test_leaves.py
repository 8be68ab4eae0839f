"""Exact sums in leaves: what is added in parts, in any order, is what is added at once."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xentcli.numerics import leaves
from xentcli.numerics.leaves import Leaves
from xentcli.numerics.packed import PackedSums

rows = st.lists(st.tuples(st.integers(0, 30), st.sampled_from([0.0, 1.0, 0.1, 2.0**-60, 3e20])), max_size=40)


def of_rows(part: list[tuple[int, float]]) -> PackedSums:
    return PackedSums.of_rows(np.array([key for key, _ in part], np.int64), np.array([w for _, w in part]))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(rows, max_size=6), st.sampled_from([2, 5, 1000]), st.booleans())
def test_sums_added_in_parts_are_exact(parts: list[list[tuple[int, float]]], most: int, look: bool) -> None:
    expected: Counter[int] = Counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leaves, "_MOST", most)
        found = Leaves()
        for part in parts:
            if part:
                found.add(of_rows(part))
            for key, weight in part:
                expected[key] += Fraction(weight)  # type: ignore[assignment]
            if look:
                assert found.whole().keys.tolist() == sorted(expected)
        assert found.size == len(expected)
        whole = found.whole()
    assert whole.keys.tolist() == sorted(expected)
    limbs = whole.digits.astype(object)
    sums = [sum(int(d) * Fraction(2) ** (32 * (whole.low + i)) for i, d in enumerate(c)) for c in limbs.T]
    assert sums == [expected[key] for key in sorted(expected)]
