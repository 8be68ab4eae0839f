"""Sums by cluster: what standard errors need where rows of one group go together."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.numerics.student import degrees, skew
from xentcli.numerics.sums import ExactSums
from xentcli.records import dataclass
from xentcli.states.moments import DIFFERENCES
from xentcli.states.summed import Summed

_VALUES = 1 << 16  # added at a time

BUCKETS = 1024
"""Groups share this many buckets by their hash: the error of a mean hardly knows it, memory does."""

_MORE = {
    "soft": ("label_distribution_entropy",), "multilabel": ("hamming_loss", "subset_accuracy"),
    "topk": ("listed", "listed_loss", "uniform_loss"),
}  # fmt: skip
_OVER = {"loss": "finite", "excess": "finite", "kl_divergence": "finite", "listed_loss": "listed"}
"""The weight that a mean is over, if it is not that of all rows."""

MOST_CLASSES = 100
"""Up to so many classes, sums by bucket and class are kept too."""

_NOISE = Fraction(1, 1 << 94)
"""Squared deviations below this share of the squares are what rounding w·x leaves: nothing varies."""

_LARGEST = Fraction(float(np.finfo(np.float64).max))

_BY_CLASS = {"soft": ("support", "loss", "actual", "predicted", "hits"),
             "multilabel": ("support", "actual", "predicted", "hits")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spread:
    """The squared standard error of a mean, how many clusters it rests on, the degrees of its t by
    `student.degrees`, and its skewness."""

    variance: float | None
    clusters: int
    degrees: float
    skewness: float = 0.0


class Clusters(Summed):
    """By bucket: Σw, Σw over rows with a finite loss, Σw·loss over these, Σw·brier, Σw·entropy, Σw·z_part, Σw
    of rows predicted right, and Σw of the task's own `Rows.means`. By bucket and class (BUCKETS * C), of
    one hard label a row: Σw and Σw·loss of its label, Σw predicted as it, and Σw of both. Soft labels:
    Σwq and Σwq·-ln p in place of the first two, and Σw of it as the likeliest. Multilabel: Σw·target,
    and Σw where it is there, predicted, and both. And of both kinds by bucket Σw·square. By bucket and rank
    of the label up to `Spec.deepest`: Σw.
    """

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        names = ["weight", "finite", "loss", "brier", "entropy", "z_part", "hits", *_MORE.get(spec.task, ())]
        names += ["square"] if spec.task in _BY_CLASS else []
        sizes = dict.fromkeys(names, BUCKETS)
        if ranked(spec):
            sizes["ranks"] = BUCKETS * spec.deepest
        if keeps_classes(spec):
            kept = _BY_CLASS.get(spec.task, ("support", "predicted", "hits", "loss"))
            sizes |= dict.fromkeys((f"class_{name}" for name in kept), BUCKETS * spec.size)
        return sizes

    @property
    def by_class(self) -> bool:
        """Are sums by bucket and class kept?"""
        return keeps_classes(self.spec)

    def classes(self, name: str) -> F64:
        """The sums `name` by class (BUCKETS, C)."""
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
        columns |= {} if rows.square is None else {"square": rows.square}
        for name, x in columns.items():
            self._sum(name, bucket, x, weight)
        if rows.rank is not None and ranked(self.spec):
            most = self.spec.deepest
            first = rows.rank <= most
            key = (bucket * most + rows.rank - 1)[first]
            self.tally("ranks", key, None if weight is None else weight[first])
        if self.by_class and rows.table is not None:
            self._add_table(rows, bucket * self.spec.size)
        elif self.by_class:
            self._add_classes(rows, bucket * self.spec.size, loss)

    def _sum(self, name: str, keys: I64, x: F64, weight: F64 | None) -> None:
        if weight is None:
            self.sums[name].add(keys, x)
        else:
            self.sums[name].add_exact(keys, x * weight)

    def _add_classes(self, rows: Rows, first: I64, loss: F64) -> None:
        """Add rows whose classes lie from `first` (n,)."""
        self._add_hits(rows, first, "support")
        self._sum("class_loss", first + rows.label, loss, rows.weight)

    def _add_hits(self, rows: Rows, first: I64, label: str) -> None:
        own, weight = first + rows.label, rows.weight
        hit = rows.predicted == rows.label
        self.tally(f"class_{label}", own, weight)
        self.tally("class_predicted", first + rows.predicted, weight)
        self.tally("class_hits", own[hit], None if weight is None else weight[hit])

    def _add_table(self, rows: Rows, first: I64) -> None:
        """The same of rows that say something of every class."""
        table, size = rows.table, self.spec.size
        assert table is not None
        if table.predicted is None:
            self._add_hits(rows, first, "actual")
        step = max(1, _VALUES // size)
        for lo in range(0, rows.size, step):
            part = slice(lo, lo + step)
            keys = (first[part, None] + np.arange(size)).ravel()
            weight = None if rows.weight is None else np.repeat(rows.weight[part], size)
            target = table.target[part].ravel()
            self._sum("class_support", keys, target, weight)
            if table.predicted is None:
                cost = table.cost[part].ravel()
                self._sum("class_loss", keys, np.where(np.isfinite(cost), cost, 0.0), weight)
                continue
            actual, predicted = target > 0.5, table.predicted[part].ravel()
            for name, mask in (("actual", actual), ("predicted", predicted), ("hits", actual & predicted)):
                self.tally(f"class_{name}", keys[mask], None if weight is None else weight[mask])

    def spread(self, name: str, mean: Fraction, total: Fraction) -> Spread:
        """That of a mean over Σw = `total`; no variance below two clusters, and none beyond float64.

        With u = Σw(x - mean) of each of m buckets with rows, m/(m-1) Σ_g u² / total², and the skewness
        Σ_g u³ / (Σ_g u²)^1.5. A name of DIFFERENCES is the first of two means less the second.
        Source: Liang & Zeger (1986), Biometrika 73, 13-22.
        """
        of = self.sums[_OVER.get(name, "weight")]
        whole, less = DIFFERENCES.get(name, (name, None))
        first = self._among(int(whole.removeprefix("top"))) if whole.startswith("top") else self.sums[whole]
        squares, noise, moves = Fraction(0), Fraction(0), []
        for bucket in range(BUCKETS):
            weight = of.exact(bucket)
            if not weight:
                continue
            x = first.exact(bucket)
            if less is not None:
                x -= self.sums[less].exact(bucket)
            moves.append(x - mean * weight)
            squares += moves[-1] * moves[-1]
            noise += x * x * _NOISE
        found = len(moves)
        if found < 2:
            return Spread(None, found, 0.0)
        if squares <= noise:
            return Spread(0.0, found, found - 1)
        variance = squares / (total * total) * found / (found - 1)
        if variance > _LARGEST:
            return Spread(None, found, 0.0)
        each = np.array([float(move / total) for move in moves])
        return Spread(float(variance), found, degrees(each, found), skew(each))

    def _among(self, k: int) -> ExactSums:
        """Σw by bucket of the rows whose label is among the first k."""
        ranks = self.sums["ranks"]
        ranks.normalise()
        limbs: I64 = ranks.limbs.reshape(-1, BUCKETS, self.spec.deepest)[:, :, :k].sum(axis=2)
        return ranks.like(limbs)


def ranked(spec: Spec) -> bool:
    """Have the labels of rows a rank among the classes?"""
    return spec.task == "topk" or (spec.width >= 3 and spec.task in ("multiclass", "soft"))


def keeps_classes(spec: Spec) -> bool:
    """Are there few classes, and is something known of each?"""
    return spec.task != "topk" and spec.size <= MOST_CLASSES
