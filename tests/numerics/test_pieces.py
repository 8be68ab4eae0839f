"""Terms cut into whole numbers: their sum is the term, and no number is too long to be added up."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from xentcli.numerics import pieces as module
from xentcli.numerics.pieces import pieces

EXTREMES = [5e-324, -5e-324, 1.7976931348623157e308, 2.0**-1022, 0.0, -0.0, 1.0, -1.0 / 3.0]


@pytest.mark.parametrize("grid", [(38, 8), (32, 32)])
@pytest.mark.parametrize("spread", [0, 5, 290])
def test_pieces_add_up_to_each_term(
    spread: int, grid: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROWS", 50)
    rng = np.random.default_rng(spread)
    x = rng.choice([-1.0, 1.0], 120) * rng.random(120) * 10.0 ** rng.uniform(-spread, spread, 120)
    x[:8] = EXTREMES if spread > 5 else 0.0
    found = [Fraction(0)] * x.size
    for part, whole, exponent in pieces(x, *grid):
        assert np.all(np.abs(whole) < 2.0**38)
        assert np.array_equal(whole, np.trunc(whole))
        for index, number in zip(range(part.start, part.stop), whole.tolist(), strict=True):
            found[index] += Fraction(number) * Fraction(2) ** exponent
    assert found == [Fraction(value) for value in x.tolist()]


def test_nothing_has_no_pieces() -> None:
    assert not list(pieces(np.zeros(0)))
    assert not list(pieces(np.zeros(7)))
