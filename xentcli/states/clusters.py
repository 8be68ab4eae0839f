"""Sums by cluster: what standard errors need where rows of one group go together."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from xentcli.batch import Rows, Spec
from xentcli.states.summed import Summed

BUCKETS = 1024
"""Groups share this many buckets by their hash: the error of a mean hardly knows it, memory does."""

MEANS = ("loss", "brier", "entropy", "hits")


class Clusters(Summed):
    """By bucket: Σw, Σw over rows with a finite loss, Σw·loss over these, Σw·brier, Σw·entropy, and Σw
    of rows predicted right."""

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        return dict.fromkeys(("weight", "finite", *MEANS), BUCKETS)

    def update(self, rows: Rows) -> None:
        bucket, weight = rows.groups, rows.weight
        assert bucket is not None
        finite = np.isfinite(rows.loss)
        hit = rows.predicted == rows.label
        self.tally("weight", bucket, weight)
        self.tally("finite", bucket[finite], None if weight is None else weight[finite])
        self.tally("hits", bucket[hit], None if weight is None else weight[hit])
        loss = np.where(finite, rows.loss, 0.0)
        for name, x in (("loss", loss), ("brier", rows.brier), ("entropy", rows.entropy)):
            if weight is None:
                self.sums[name].add(bucket, x)
            else:
                self.sums[name].add_exact(bucket, x * weight)

    def variance(self, name: str, mean: Fraction, total: Fraction) -> tuple[float | None, int]:
        """Squared standard error of a mean over Σw = `total`, and the number of clusters it rests on.

        m/(m-1) Σ_g (Σw(x - mean))² / total² over m buckets with rows; None below two of them. "excess"
        is the loss less the entropy. Source: Liang & Zeger (1986), Biometrika 73, 13-22.
        """
        of = "finite" if name in ("loss", "excess") else "weight"
        first = self.sums["loss" if name == "excess" else name]
        squares, found = Fraction(0), 0
        for bucket in range(BUCKETS):
            weight = self.sums[of].exact(bucket)
            if not weight:
                continue
            found += 1
            x = first.exact(bucket)
            if name == "excess":
                x -= self.sums["entropy"].exact(bucket)
            squares += (x - mean * weight) ** 2
        if found < 2:
            return None, found
        return float(squares / (total * total) * found / (found - 1)), found
