"""Mean deviations of binomials against scipy's sums over every outcome."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from xentcli.numerics.binomial import mean_deviation


@pytest.mark.parametrize(("n", "rel"), [(1, 1e-12), (7, 1e-12), (60, 1e-12), (2000, 4e-3)])
def test_mean_deviation_is_that_of_every_outcome(n: int, rel: float) -> None:
    p = np.array([0.0, 1e-5, 0.003, 0.1, 0.4999, 0.5, 0.77, 0.99, 1.0])
    k = np.arange(n + 1)
    expected = [float((np.abs(k - n * each) * stats.binom.pmf(k, n, each)).sum()) for each in p]
    assert mean_deviation(np.full(p.size, float(n)), p) == pytest.approx(expected, rel=rel, abs=1e-15)


def test_few_of_many_rows_deviate_as_a_poisson_number() -> None:
    mean = np.array([0.01, 0.5, 1.0, 12.3])
    k = np.arange(100)
    expected = [float((np.abs(k - each) * stats.poisson.pmf(k, each)).sum()) for each in mean]
    assert mean_deviation(np.full(4, 1e9), mean / 1e9) == pytest.approx(expected, rel=1e-6)
