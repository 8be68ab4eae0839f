"""The law of exact sums, their form, and the limbs that they are kept in."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.numerics.test_sums import (
    LARGEST,
    SMALLEST,
    anything,
    exactly,
    finite,
    floats,
    form,
    keys_of,
    one,
    steady,
    terms,
)
from xentcli.numerics import sums as module
from xentcli.numerics.columns import beside
from xentcli.numerics.sums import I64, ExactSums


def is_canonical(array: I64) -> bool:
    """Digits below the top lie in [0, 2**32), the top is a sign, and the window is the smallest."""
    limbs = array[1:]
    if not len(limbs):
        return bool((array[0] == 0).all())
    digits, top = limbs[:-1], limbs[-1]
    in_range = ((digits >= 0) & (digits < 2**32)).all() and np.isin(top, (0, -1)).all()
    no_spare_low = bool(limbs[0].any())
    no_spare_high = len(limbs) == 1 or bool((limbs[-2] != (top & (2**32 - 1))).any())
    return bool(in_range) and no_spare_low and no_spare_high


# -- the law ---------------------------------------------------------------------------------------
@steady
@given(
    st.lists(st.tuples(st.integers(0, 3), anything), max_size=50),
    st.integers(0, 2**32),
    st.booleans(),
    st.sampled_from([2, 4]),
)
def test_any_order_cut_and_merge_tree_gives_the_same_bytes(
    pairs: list[tuple[int, float]], seed: int, whole: bool, size: int
) -> None:
    rng = np.random.default_rng(seed)
    keys, values = keys_of([k % size for k, _ in pairs]), floats([x for _, x in pairs])

    def added(which: I64) -> ExactSums:
        out = ExactSums(size)
        (out.add_exact if whole else out.add)(keys[which], values[which])
        return out

    expected = form(added(np.arange(len(pairs))))
    for _ in range(3):
        order = rng.permutation(len(pairs))
        parts = [added(part) for part in np.array_split(order, int(rng.integers(1, 9)))]
        while len(parts) > 1:
            taken = parts.pop(int(rng.integers(len(parts))))
            parts[int(rng.integers(len(parts)))].merge(taken)
        assert form(parts[0]) == expected


@steady
@given(terms)
def test_the_empty_sums_are_the_identity_of_merge(values: list[float]) -> None:
    left, right = one(values), ExactSums(1)
    expected = form(one(values))
    left.merge(ExactSums(1))
    right.merge(one(values))
    assert form(left) == form(right) == expected


@steady
@given(terms, terms)
def test_merging_leaves_the_other_as_it_was(mine: list[float], theirs: list[float]) -> None:
    other, out = one(theirs), one(mine)
    before = form(other)
    out.merge(other)
    out.add_exact(0, floats([1.0, 2.0**200]))
    assert form(other) == before
    assert other.exact() == exactly(theirs)


@steady
@given(terms, finite)
@example([-1.0], LARGEST)
@example([-SMALLEST], 1e300)
def test_the_form_is_that_of_the_value_and_not_of_its_history(values: list[float], detour: float) -> None:
    straight, winding = one(values), one([detour])
    winding.to_array()
    for x in values:
        winding.add_exact(0, floats([x]))
    winding.add_exact(0, floats([-detour]))
    assert form(winding) == form(straight)


@steady
@given(terms, terms)
@example([-1.0], [1.0])
@example([-(2.0**32)], [2.0**31])
@example([2.0**32 - 1], [-(2.0**32)])
@example([-(2.0**-1074)], [])
@example([2.0**1000], [-(2.0**-1000)])
def test_the_form_is_canonical(first: list[float], second: list[float]) -> None:
    out = ExactSums(2)
    out.add_exact(0, floats(first))
    out.add_exact(1, floats(second))
    assert is_canonical(out.to_array())


@steady
@given(terms)
def test_a_sum_that_comes_back_to_zero_has_the_form_of_the_identity(values: list[float]) -> None:
    assert form(one(values + [-x for x in values])) == form(ExactSums(1))


@steady
@given(terms, terms)
def test_loading_what_was_stored_gives_the_same_sums(first: list[float], second: list[float]) -> None:
    out = ExactSums(2)
    out.add_exact(0, floats(first))
    out.add_exact(1, floats(second))
    loaded = ExactSums.from_array(out.to_array())
    assert form(loaded) == form(out)
    assert [loaded.exact(0), loaded.exact(1)] == [exactly(first), exactly(second)]
    loaded.add_exact(0, floats([0.1]))
    assert loaded.exact(0) == exactly(first) + Fraction(0.1)
    assert out.exact(0) == exactly(first)


# -- reading ---------------------------------------------------------------------------------------
@steady
@given(terms, terms)
@example([1e16, 1.0, 2.0**-60], [-1.0])
@example([2.0**1000, -(2.0**-1000)], [SMALLEST])
@example([-(2.0**64)], [2.0**64 - 2.0**20])
def test_values_are_within_one_unit_in_the_last_place(first: list[float], second: list[float]) -> None:
    out = ExactSums(2)
    out.add_exact(0, floats(first))
    out.add_exact(1, floats(second))
    for value, exact in zip(out.values().tolist(), (out.exact(0), out.exact(1)), strict=True):
        if abs(exact) >= Fraction(2) ** 1024:
            assert value == (math.inf if exact > 0 else -math.inf)
        elif math.isinf(value):
            assert abs(exact) > Fraction(LARGEST)
        else:
            assert abs(Fraction(value) - exact) <= Fraction(math.ulp(value))


def test_a_sum_of_nothing_reads_as_positive_zero() -> None:
    out = one([-1.0, 1.0])
    assert math.copysign(1.0, out.values()[0]) == 1.0
    assert ExactSums(3).values().tolist() == [0.0, 0.0, 0.0]


# -- the limbs -------------------------------------------------------------------------------------
@steady
@given(terms, terms)
def test_carrying_at_every_addition_changes_nothing(first: list[float], second: list[float]) -> None:
    def added() -> ExactSums:
        out = one(first)
        for x in second:
            out.add(keys_of([0]), floats([x]))
        return out

    expected = form(added())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_NORMALISE_AFTER", 1)
        assert form(added()) == expected


@pytest.mark.parametrize("sign", [1, -1])
def test_limbs_as_full_as_they_may_be_lose_nothing(sign: int) -> None:
    """2**28 - 1 additions of up to 2**33 fill a limb to 2**61; two such still add exactly."""
    full = sign * ((1 << 61) - 1)

    def filled() -> ExactSums:
        out = ExactSums(2)
        out.add_integer(0, 1, 0)
        out.limbs = np.full((3, 2), full, np.int64)
        out.pending = (1 << 28) - 1
        return out

    one_sum = full * (1 + 2**32 + 2**64)
    assert filled().exact(1) == one_sum
    merged = filled()
    merged.merge(filled())
    assert merged.exact(0) == merged.exact(1) == 2 * one_sum
    added = filled()
    added.add_exact(keys_of([0]), floats([sign * (2.0**32 - 1)]))
    assert added.exact(0) == one_sum + sign * (2**32 - 1)
    assert added.pending < 1 << 28
    assert filled().values()[0] == pytest.approx(float(one_sum), rel=2.0**-52)


def test_the_count_of_additions_survives_merging() -> None:
    """Otherwise many merges of unfinished states would overflow a limb without a carry."""
    out = ExactSums(1)
    part = ExactSums(1)
    part.add_integer(0, 2**33 - 1, 0)
    part.limbs[:] *= 1 << 20
    part.pending = 1 << 20
    exact = part.exact()
    for _ in range(3000):
        out.merge(part)
        assert int(np.abs(out.limbs).max()) < 1 << 62
    assert out.exact() == 3000 * exact


@steady
@given(terms, terms, st.permutations(range(5)))
def test_sums_are_merged_at_their_places(first: list[float], second: list[float], places: list[int]) -> None:
    out = ExactSums(2)
    out.add_exact(0, floats(first))
    out.add_exact(1, floats(second))
    wide = ExactSums(5)
    wide.add_exact(keys_of([0, 1, 2, 3, 4]), floats([2.5] * 5))
    wide.merge_at(keys_of(places[:2]), out)
    more = {places[0]: exactly(first), places[1]: exactly(second)}
    assert [wide.exact(i) for i in range(5)] == [more.get(i, 0) + exactly([2.5]) for i in range(5)]
    pairs = ExactSums(10)
    pairs.merge_at(keys_of(places[:1]), out)  # one place of two neighbours
    found = [pairs.exact(i) for i in range(10)]
    assert found[2 * places[0] : 2 * places[0] + 2] == [exactly(first), exactly(second)]
    assert sum(found) == exactly(first + second)
    wide.add_exact(places[0], floats([1.0]))
    assert out.exact(0) == exactly(first)


@steady
@given(terms, terms)
def test_like_reads_margins_of_the_same_window(first: list[float], second: list[float]) -> None:
    out = ExactSums(2)
    out.add_exact(0, floats(first))
    out.add_exact(1, floats(second))
    out.normalise()
    margin = out.like(out.limbs.sum(axis=1, keepdims=True))
    assert margin.exact() == exactly(first) + exactly(second)
    assert form(margin) == form(one(first + second))


@pytest.mark.parametrize("size", [4800, 40_000])
def test_few_terms_for_many_sums_add_up_as_many_do(size: int) -> None:
    """The two ways of adding integers under keys are told apart by the size of a block, and agree."""
    rng = np.random.default_rng(3)
    keys = rng.integers(0, size, 30_000)
    keys[:50] = 7  # a key that comes again within a small block
    x = np.ldexp(rng.standard_normal(keys.size), rng.integers(-60, 11, keys.size))
    whole, pieces = ExactSums(size), ExactSums(size)
    whole.add(keys, x)
    for lo in range(0, keys.size, 100):
        pieces.add(keys[lo : lo + 100], x[lo : lo + 100])
    assert form(pieces) == form(whole)
    assert pieces.exact(7) == exactly(x[keys == 7].tolist())


def test_sums_that_were_read_take_more_and_have_one_form() -> None:
    """Reading carries; what is added later, by any road, is carried again."""
    out, expected = ExactSums(3), ExactSums(3)
    roads: list[Callable[[ExactSums], None]] = [
        lambda sums: sums.add(keys_of([0, 1]), floats([0.5, -0.25])),
        lambda sums: sums.add(1, floats([-3.5])),
        lambda sums: sums.add_exact(keys_of([2]), floats([-(2.0**80)])),
        lambda sums: sums.add_counts(keys_of([0, 0])),
        lambda sums: sums.add_tallies(keys_of([2]), keys_of([2**32])),
        lambda sums: sums.add_integer(0, -(2**70), -40),
        lambda sums: sums.merge_at(keys_of([1]), one([-1.0])),
        lambda sums: sums.add_integers(keys_of([1]), floats([-1.0]), -200),
    ]
    for road in roads:
        road(out)
        out.normalise()
        assert (out.limbs[:-1] >= 0).all() and (out.limbs[:-1] < 1 << 32).all()
    for road in roads:
        road(expected)
    assert form(out) == form(expected)
    assert out.values()[1] == pytest.approx(0.0 - 0.25 - 3.5 - 1.0, rel=2.0**-52)


def test_a_negative_sum_beside_a_longer_one_is_carried() -> None:
    """Its sign stands in the middle of the common window."""
    low, high = one([-1.0]), one([2.0**100])
    joined, expected = beside([low, high]), ExactSums(2)
    expected.add_exact(0, floats([-1.0]))
    expected.add_exact(1, floats([2.0**100]))
    assert form(joined) == form(expected)
    assert joined.values().tolist() == [-1.0, 2.0**100]


def test_all_sums_at_once_are_those_of_one_by_one() -> None:
    rng = np.random.default_rng(5)
    for low, high in ((-300, 300), (-1000, -900), (60, 90), (0, 0)):
        x = rng.normal(size=200) * 2.0 ** rng.integers(low, high + 1, 200)
        sums = ExactSums(50)
        sums.add_exact(rng.integers(0, 40, 200), x)
        found, exponent = sums.wholes()
        assert [x * Fraction(2) ** exponent for x in found] == [sums.exact(i) for i in range(50)]
        assert sum(found) * Fraction(2) ** exponent == sums.total()
    assert ExactSums(3).wholes() == ([0, 0, 0], 0) and ExactSums(0).wholes() == ([], 0)
