"""Hashes of rows: their definition, that they know no position, and that they are spread evenly."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.laws.foldings import SHAPES, Case, Shape, batch, draw
from xentcli.batch import I64, Rows
from xentcli.numerics.rowhash import FOLDS, U64, folds, hashed
from xentcli.plan import compute

_MASK = (1 << 64) - 1
_ROOTS = (2, 3, 5, 7, 11, 13)


def by_hand(*bits: int) -> int:
    """The same in Python's integers; each factor is the first 64 bits of the fraction of a square root."""
    h = 0
    for root, x in zip(_ROOTS, bits, strict=False):
        h += x * (math.isqrt(root << 128) & _MASK | 1)
    h &= _MASK
    h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    h = (h ^ (h >> 27)) * 0x94D049BB133111EB & _MASK
    return h ^ (h >> 31)


def of(case: Case, which: I64) -> Rows:
    rows = compute(batch(case, which), case.spec)
    assert rows is not None
    return rows


def test_the_hash_is_the_one_that_is_documented() -> None:
    rng = np.random.default_rng(0)
    columns = rng.integers(0, 1 << 63, (6, 50))
    for count in range(1, 7):
        expected = [by_hand(*(int(x) for x in row)) for row in columns[:count].T]
        assert hashed(*columns[:count]).tolist() == expected


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_row_hashes_alike_in_any_batch_and_place(shape: Shape) -> None:
    case = draw(shape, 40, 3)
    whole = of(case, np.arange(40)).hashes().copy()
    order = np.random.default_rng(3).permutation(40)
    for part in (order[:1], order[1:18], order[18:], order):
        assert of(case, part).hashes().tolist() == whole[part].tolist()
    assert np.unique(whole).size > 25  # some of the rows are equal


def test_rows_that_are_surely_right_are_still_told_apart() -> None:
    case = draw(Shape("multiclass", "logits", 3, 3, False), 500, 0)
    scores = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32)
    scores[:, 1] += 900.0
    sure = replace(case, scores=scores, labels=np.ones(500, np.int64))
    rows = of(sure, np.arange(500))
    assert not rows.loss.any() and np.unique(rows.hashes()).size > 490  # float32 near 900 has few values


@pytest.mark.parametrize("shape", [s for s in SHAPES if s.task == "multiclass" and not s.compat], ids=str)
def test_the_order_of_the_classes_has_no_say(shape: Shape) -> None:
    case = draw(shape, 100, 4)
    order = np.random.default_rng(4).permutation(shape.classes)
    turned = replace(case, scores=case.scores[:, order], labels=np.argsort(order)[case.labels])
    every = np.arange(100)
    assert of(case, every).hashes().tolist() == of(turned, every).hashes().tolist()


def test_a_group_is_in_one_fold_and_weights_tell_rows_apart() -> None:
    case = draw(Shape("multiclass", "probs", 3, 3, True), 400, 1)
    groups = np.arange(400) % 40
    rows = compute(replace(batch(case, np.arange(400)), groups=groups), case.spec)
    assert rows is not None
    found = rows.folds()
    assert all(np.unique(found[groups == g]).size == 1 for g in range(40))
    assert np.unique(found).size == FOLDS
    twins = replace(
        case, scores=case.scores[[0, 0]], labels=case.labels[[0, 0]], weights=np.array([1.0, 2.0])
    )
    assert np.unique(of(twins, np.arange(2)).hashes()).size == 2


@pytest.mark.parametrize("kind", ["two digits", "float32", "counting", "neighbours"])
def test_hashes_are_uniform_whatever_the_rows_are_like(kind: str) -> None:
    n = 20_000
    rng = np.random.default_rng(5)
    column = {
        "two digits": np.arange(n) / 100,
        "float32": np.unique(rng.normal(size=n + 100).astype(np.float32))[:n].astype(np.float64),
        "counting": np.arange(n),
        "neighbours": np.nextafter(0.5, 1.0) + np.arange(n) * 2.0**-53,
    }[kind]
    hashes = hashed(np.arange(n) % 3, column)
    for counts in (np.bincount(folds(hashes), minlength=FOLDS), _top(hashes), _bits(hashes)):
        assert stats.chisquare(counts).pvalue > 1e-4


def _top(hashes: U64) -> I64:
    return np.bincount((hashes >> np.uint64(56)).astype(np.int64), minlength=256)


def _bits(hashes: U64) -> I64:
    """How often the low byte has each value."""
    return np.bincount((hashes & np.uint64(255)).astype(np.int64), minlength=256)


def test_folds_cut_the_low_bits_into_equal_parts() -> None:
    fifth = (1 << 32) // 5
    edges = np.array([0, (1 << 32) - 1, fifth, fifth + 1, (7 << 32) + fifth + 1], np.uint64)
    assert folds(edges).tolist() == [0, 4, 0, 1, 1]


def test_folds_are_even_among_the_rows_of_least_hashes() -> None:
    hashes = np.sort(hashed(np.arange(200_000)))[:10_000]
    assert stats.chisquare(np.bincount(folds(hashes), minlength=FOLDS)).pvalue > 1e-4
