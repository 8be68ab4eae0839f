"""Sums by cluster: what standard errors need where rows of one group go together."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.states.moments import DIFFERENCES
from xentcli.states.summed import Summed

BUCKETS = 1024
"""Groups share this many buckets by their hash: the error of a mean hardly knows it, memory does."""

_MORE = {
    "soft": ("label_distribution_entropy",), "multilabel": ("hamming_loss", "subset_accuracy"),
    "topk": ("listed", "listed_loss"),
}  # fmt: skip
_OVER = {"loss": "finite", "excess": "finite", "kl_divergence": "finite", "listed_loss": "listed"}
"""The weight that a mean is over, if it is not that of all rows."""

MOST_CLASSES = 100
"""Up to so many classes, sums by bucket and class are kept too."""

_NOISE = Fraction(1, 1 << 94)
"""Squared deviations below this share of the squares are what rounding w·x leaves: nothing varies."""

BY_CLASS = ("support", "predicted", "hits", "loss")


class Clusters(Summed):
    """By bucket: Σw, Σw over rows with a finite loss, Σw·loss over these, Σw·brier, Σw·entropy, Σw·z_part, Σw
    of rows predicted right, and Σw of the task's own `Rows.means`. By bucket and class (BUCKETS * C), of
    one hard label a row: Σw and Σw·loss of its label, Σw predicted as it, and Σw of both."""

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        names = ("weight", "finite", "loss", "brier", "entropy", "z_part", "hits", *_MORE.get(spec.task, ()))
        sizes = dict.fromkeys(names, BUCKETS)
        if keeps_classes(spec):
            sizes |= dict.fromkeys((f"class_{name}" for name in BY_CLASS), BUCKETS * spec.size)
        return sizes

    @property
    def by_class(self) -> bool:
        """Are sums by bucket and class kept?"""
        return keeps_classes(self.spec)

    def classes(self, name: str) -> F64:
        """The sums `name` of BY_CLASS (BUCKETS, C)."""
        return self.values(f"class_{name}").reshape(BUCKETS, self.spec.size)

    def update(self, rows: Rows) -> None:
        bucket, weight = rows.groups, rows.weight
        assert bucket is not None
        finite = np.isfinite(rows.loss)
        hit = rows.predicted == rows.label
        self.tally("weight", bucket, weight)
        self.tally("finite", bucket[finite], None if weight is None else weight[finite])
        self.tally("hits", bucket[hit], None if weight is None else weight[hit])
        loss = np.where(finite, rows.loss, 0.0)
        columns = {"loss": loss, "brier": rows.brier, "entropy": rows.entropy, "z_part": rows.z_part}
        columns |= {name: rows.means[name] for name in _MORE.get(self.spec.task, ())}
        for name, x in columns.items():
            if weight is None:
                self.sums[name].add(bucket, x)
            else:
                self.sums[name].add_exact(bucket, x * weight)
        if self.by_class:
            self._add_classes(rows, bucket * self.spec.size, loss)

    def _add_classes(self, rows: Rows, first: I64, loss: F64) -> None:
        """Add rows whose classes lie from `first` (n,)."""
        own, weight = first + rows.label, rows.weight
        hit = rows.predicted == rows.label
        self.tally("class_support", own, weight)
        self.tally("class_predicted", first + rows.predicted, weight)
        self.tally("class_hits", own[hit], None if weight is None else weight[hit])
        if weight is None:
            self.sums["class_loss"].add(own, loss)
        else:
            self.sums["class_loss"].add_exact(own, loss * weight)

    def skewness(self, name: str, mean: Fraction) -> float | None:
        """Σ_g u³ / (Σ_g u²)^1.5 with u = Σw(x - mean) of a bucket: that of the mean as an estimate."""
        weight, total = self.sums["finite" if name == "loss" else "weight"], self.sums[name]
        u = np.array([float(total.exact(g) - mean * weight.exact(g)) for g in range(BUCKETS)])
        square = float((u * u).sum())
        return float((u * u * u).sum()) / square**1.5 if 0.0 < square < np.inf else None

    def variance(self, name: str, mean: Fraction, total: Fraction) -> tuple[float | None, int]:
        """Squared standard error of a mean over Σw = `total`, and the number of clusters it rests on.

        m/(m-1) Σ_g (Σw(x - mean))² / total² over m buckets with rows; None below two of them. A name of
        DIFFERENCES is the first of two means less the second.
        Source: Liang & Zeger (1986), Biometrika 73, 13-22.
        """
        of = self.sums[_OVER.get(name, "weight")]
        first, less = DIFFERENCES.get(name, (name, None))
        squares, noise, found = Fraction(0), Fraction(0), 0
        for bucket in range(BUCKETS):
            weight = of.exact(bucket)
            if not weight:
                continue
            found += 1
            x = self.sums[first].exact(bucket)
            if less is not None:
                x -= self.sums[less].exact(bucket)
            squares += (x - mean * weight) ** 2
            noise += x * x * _NOISE
        if found < 2:
            return None, found
        if squares <= noise:
            return 0.0, found
        return float(squares / (total * total) * found / (found - 1)), found


def keeps_classes(spec: Spec) -> bool:
    """Is there one hard label a row, of few classes?"""
    return spec.task in ("binary", "multiclass") and spec.size <= MOST_CLASSES
