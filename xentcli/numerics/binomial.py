"""How far a binomial is from its mean, on average."""

from __future__ import annotations

import math

import numpy as np

from xentcli.numerics.sums import F64

_MANY = 30.0  # of a mean beyond it the deviation is that of a normal, within 1 in 300


def mean_deviation(n: F64, p: F64) -> F64:
    """E|Y - np| of Y binomial (n, p), each (K,): 2ν(1 - p) P(Y = ν) with ν = floor(np) + 1.

    n need not be whole; p is from 0 to 1. Source: De Moivre (1730), Miscellanea Analytica, by Diaconis &
    Zabell (1991), Statistical Science 6, 284-302.
    """
    rare = np.minimum(p, 1.0 - p)
    out: F64 = np.sqrt(n * rare * (1.0 - rare) * (2.0 / math.pi))
    few = n * rare <= _MANY
    n, rare = n[few], rare[few]
    above = np.floor(n * rare) + 1.0
    chance, found = np.exp(n * np.log1p(-rare)), np.zeros(n.size)
    for k in range(1, int(above.max(initial=0.0)) + 1):
        chance *= (n - k + 1.0) / k * rare / (1.0 - rare)
        found = np.where(above == k, chance, found)
    out[few] = 2.0 * above * (1.0 - rare) * found
    return out
