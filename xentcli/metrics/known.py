"""What metrics read: the states of a finished run, with the sums that several metrics share."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from xentcli.batch import F64, Spec
from xentcli.metrics.names import resolve
from xentcli.metrics.sums import Sums, number, wilson
from xentcli.numerics.entropy import binary_entropy, safe_entropy
from xentcli.records import dataclass, field
from xentcli.report import Value
from xentcli.states.bins import Binned, Bins
from xentcli.states.moments import DIFFERENCES
from xentcli.states.tail import Losses

if TYPE_CHECKING:
    from xentcli.metrics.decomposition import Recalibrated
    from xentcli.metrics.redraw import Redraws
    from xentcli.metrics.skewness import Few
    from xentcli.metrics.slices import Sliced
    from xentcli.metrics.wild import WildRedraws
    from xentcli.numerics.sums import ExactSums
    from xentcli.plan import StateSet
    from xentcli.states.clustercells import Clustered
    from xentcli.states.confusion import Pairs
    from xentcli.states.summed import Summed
    from xentcli.states.suspects import Suspects


@dataclass(frozen=True)
class Known:
    """A finished StateSet. `prior` (C,) is what to compare against; None: the label frequencies.

    seed: of redrawn labels, of which `drawn` keeps those that several metrics read, as `bins` does sums.
    suspects: what a second pass over the rows has found, where there was one.
    """

    states: StateSet
    prior: F64 | None = None
    level: float | None = 0.95
    seed: int = 0
    suspects: Suspects | None = None
    drawn: dict[str, Redraws | WildRedraws] = field(default_factory=dict, compare=False, repr=False)
    bins: dict[str, Binned] = field(default_factory=dict, compare=False, repr=False)

    @property
    def spec(self) -> Spec:
        return self.states.spec

    # -- sizes ------------------------------------------------------------------------------------
    @cached_property
    def rows(self) -> int:
        """Rows with a positive weight."""
        return int(self.states.moments.exact("rows"))

    @cached_property
    def weight(self) -> Fraction:
        """Σw; the number of rows without weights."""
        return self.states.moments.exact("weight") if self.spec.weighted else Fraction(self.rows)

    @cached_property
    def weight2(self) -> Fraction:
        """Σw²."""
        return self.states.moments.exact("weight2") if self.spec.weighted else Fraction(self.rows)

    @cached_property
    def effective(self) -> float:
        """Kish's effective number of rows, (Σw)² / Σw²."""
        return number(self.weight * self.weight / self.weight2)

    @cached_property
    def impossible_rows(self) -> int:
        return self.states.notes.counts.get("zero_probability", 0)

    # -- classes ----------------------------------------------------------------------------------
    @cached_property
    def support(self) -> F64:
        """Σw by label (C,); soft labels: Σw times the class's share; multilabel: Σw·target."""
        if self.spec.task == "soft":
            return self.states.softclasses.values("support")
        return self.states.labels.values("support") if self.multilabel else self.labelled

    @cached_property
    def labelled(self) -> F64:
        """Σw by label (C,), soft labels being those of their likeliest class, multilabel targets 0 or 1."""
        return self._margins[0]

    @cached_property
    def predicted(self) -> F64:
        """Σw by predicted class (C,)."""
        return self._margins[1]

    @cached_property
    def hits(self) -> F64:
        """Σw of rows predicted right, by class (C,)."""
        return self._margins[2]

    @cached_property
    def _margins(self) -> list[F64]:
        if self.multilabel:
            return [self.states.labels.values(name) for name in ("actual", "predicted", "hits")]
        return [sums.values() for sums in self.margins]

    @cached_property
    def margins(self) -> tuple[ExactSums, ExactSums, ExactSums]:
        """The same exactly, of tasks with a predicted class."""
        return self.states.confusion.margins()

    @cached_property
    def pairs(self) -> Pairs:
        """Label, predicted class and Σw of the pairs that occur; none where they were too many to keep."""
        return self.states.confusion.occupied()

    @property
    def multilabel(self) -> bool:
        return self.spec.task == "multilabel"

    @property
    def by_class(self) -> Summed:
        """The state with the sums "loss", "brier" and "impossible" by class or label (C,)."""
        if self.multilabel:
            return self.states.labels
        return self.states.softclasses if self.spec.task == "soft" else self.states.classes

    @cached_property
    def frequencies(self) -> F64:
        """Share of each class among the labels (C,)."""
        seen = self.support > 0
        if not self.multilabel and seen.sum() == 1:
            return seen.astype("f8")  # of weights, the quotient of two roundings may miss 1
        return self.support / float(self.weight)

    @cached_property
    def reference(self) -> F64:
        """The prediction (C,) to compare against: the prior given, else the label frequencies."""
        return self.frequencies if self.prior is None else self.prior

    @cached_property
    def reference_loss(self) -> float:
        """Cross-entropy of always predicting `reference`, in nats; for multilabel the mean over labels."""
        if not self.multilabel:
            return safe_entropy(self.frequencies, self.reference)
        both = zip(self.frequencies.tolist(), self.reference.tolist(), strict=True)
        return math.fsum(binary_entropy(p, q) for p, q in both) / self.spec.size

    @cached_property
    def reference_brier(self) -> float:
        """Brier score of always predicting `reference`."""
        p, q = self.frequencies, self.reference
        soft = self.spec.task in ("soft", "multilabel")
        square = number(self.states.moments.exact("square") / self.weight) if soft else 1.0
        if self.multilabel:
            return float(square - 2.0 * (p * q).mean() + (q * q).mean())
        return float(square - 2.0 * (p * q).sum() + (q * q).sum()) * (0.5 if self.halved else 1.0)

    @property
    def halved(self) -> bool:
        """Is the Brier score half the sum over the classes, as for two of them?"""
        return self.spec.task == "binary" or (self.spec.task == "soft" and self.spec.size == 2)

    @cached_property
    def recalibrated(self) -> Recalibrated | str:
        """What temperature scaling finds, or why it finds nothing."""
        from xentcli.metrics import decomposition

        return decomposition.recalibrated(self)

    @cached_property
    def sliced(self) -> list[Sliced]:
        """The slices of each `--by`."""
        if not self.spec.by:
            return []
        from xentcli.metrics import slices

        return slices.sliced(self)

    @cached_property
    def label_areas(self) -> dict[str, list[Value]]:
        """AUROC and average precision of every label of a multilabel task (L,), by metric."""
        from xentcli.metrics import ranking

        return ranking.of_labels(self)

    @cached_property
    def losses(self) -> Losses:
        """The finite losses in cells, the highest first."""
        if self.states.has("tail"):
            return self.states.tail.losses(number(self.sums("loss", finite=True).total))
        from xentcli.metrics import tail

        return tail.of_scores(self)

    @cached_property
    def loss_moments(self) -> tuple[float, float]:
        """Second and third power of the finite losses less their mean, times weight, added up."""
        from xentcli.metrics import tail

        return tail.moments(self)

    # -- means ------------------------------------------------------------------------------------
    @cached_property
    def z(self) -> float | None:
        """Half-width of the interval in standard errors."""
        if self.level is None:
            return None
        from statistics import NormalDist

        return NormalDist().inv_cdf(0.5 + self.level / 2)

    def mean(self, name: str, metric: str, finite: bool = False) -> Value:
        """Mean of a quantity of `states.moments` (`means.of_sums`); finite: over rows with a finite loss."""
        sums = self.sums(name, finite)
        if sums.rows == 0:
            return self.undefined(metric, "no row has a finite loss")
        from xentcli.metrics import means

        return means.of_sums(self, metric, name, sums)

    @cached_property
    def few(self) -> Few | None:
        """Some rows one by one, or all, for third moments; None where none are kept."""
        from xentcli.metrics import skewness

        return skewness.few(self)

    def sums(self, name: str, finite: bool = False) -> Sums:
        """The sums of a quantity over all rows, or over those with a finite loss."""
        moments = self.states.moments
        rows, weight, weight2 = self.rows, self.weight, self.weight2
        if finite and self.impossible_rows:
            rows -= self.impossible_rows
            infinite = moments.exact("impossible") if self.spec.weighted else Fraction(self.impossible_rows)
            weight -= infinite
            weight2 -= moments.exact("impossible2") if self.spec.weighted else self.impossible_rows
        total = self.total(name)
        cross = moments.exact(f"{name}_w") if self.spec.weighted else total
        return Sums.of(rows, weight, weight2, total, cross, self.total(f"{name}_2"))

    def total(self, name: str) -> Fraction:
        """Σwx of a mean, or Σw²x² as "x_2"."""
        if name in ("loss", "brier", "loss_2") and self.states.has("classes"):
            return self.states.classes.sums[name].total()
        if name in DIFFERENCES:
            whole, part = DIFFERENCES[name]
            return self.total(whole) - self.total(part)
        return self.states.moments.exact(name)

    def value(self, metric: str, value: float, *, se: float | None = None, n: int | None = None,
              why: str | None = None) -> Value:  # fmt: skip
        """A Value of `metric` with a normal interval if there is a standard error, of independent rows."""
        known = resolve(metric)
        lo = hi = None
        if self.spec.grouped:
            se = None  # of rows taken as independent, which they are not
        if se is not None and self.z is not None:
            lo, hi = value - self.z * se, value + self.z * se
        count = self.rows if n is None else n
        return Value(value, known.unit, known.better, count, se, lo, hi, why)

    def undefined(self, metric: str, why: str, n: int | None = None) -> Value:
        known = resolve(metric)
        return Value(None, known.unit, known.better, self.rows if n is None else n, why=why)

    def proportion(self, metric: str, share: float, se: float | None = None,
                   sums: Sums | None = None) -> Value:  # fmt: skip
        """A share of rows with Wilson's interval, on Kish's effective n when rows are weighted.

        sums: of the rows that it is a share of, if those are not all. There is no interval with
        `--group`, which only `intervals.clustered_share` knows.

        Source: Wilson (1927), J. Am. Stat. Assoc. 22, 209-212; Kish (1965), Survey Sampling.
        """
        known = resolve(metric)
        lo = hi = None
        n = self.effective if sums is None else sums.effective
        rows = self.rows if sums is None else sums.rows
        if self.spec.grouped:
            return Value(share, known.unit, known.better, rows)
        if self.z is not None:
            lo, hi = wilson(share, n, self.z)
        return Value(share, known.unit, known.better, rows, se, lo, hi)

    # -- calibration ------------------------------------------------------------------------------
    def binned(self, pair: str) -> Binned:
        """Sums over the bins of the pair "confidence", "positive" or "labels", of equal width or mass."""
        if pair not in self.bins:
            self.bins[pair] = self._binned(pair)
        return self.bins[pair]

    def _binned(self, pair: str) -> Binned:
        if pair == "labels":
            return self.states.labelbins.pooled()
        if self.spec.binning == "mass":
            from xentcli.metrics.chance import equal_mass

            return equal_mass(self.cells(pair), self.spec.bins)
        if self.states.has("softbins"):
            return self.states.softbins.binned(self.spec.bins)
        state, mirrored = self.pair(pair)
        return state.binned(self.spec.bins, mirrored=mirrored, heavier=self.heavier)

    def cells(self, pair: str) -> Binned:
        """Sums over the occupied cells of 1/4800 of a pair, in the order of p."""
        name = f"{pair},cells"
        if name not in self.bins:
            cells = self.every_cell(pair)
            self.bins[name] = cells.where(cells.rows > 0)
        return self.bins[name]

    def every_cell(self, pair: str) -> Binned:
        """The same of all cells (CELLS,), with rows or without."""
        if self.states.has("softbins"):
            return self.states.softbins.cells()
        state, mirrored = self.pair(pair)
        return state.cells(mirrored, heavier=self.heavier)

    @cached_property
    def heavier(self) -> float:
        """How many times as much rows with y = 1 weigh as others of the same p (`weighted.heavier`)."""
        if not self.spec.weighted or self.spec.grouped or self.states.has("softbins"):
            return 1.0
        from xentcli.metrics import weighted

        return weighted.heavier(self, self.states.positive if self.states.has("positive")
                                else self.states.confidence)  # fmt: skip

    def clustered_cells(self, pair: str) -> Clustered:
        """Σw by cluster and cell of a pair, "positive" or "confidence"."""
        mirrored = pair == "confidence" and self.spec.task == "binary"
        return self._mirrored_cells if mirrored else self._clustered_cells

    @cached_property
    def _clustered_cells(self) -> Clustered:
        return self.states.clustercells.clustered()

    @cached_property
    def _mirrored_cells(self) -> Clustered:
        return self._clustered_cells.mirrored()

    def pair(self, pair: str) -> tuple[Bins, bool]:
        if pair == "positive":
            return self.states.positive, False
        mirrored = self.states.has("positive") and self.heavier != 1.0  # which of both labels is the heavier
        if self.states.has("confidence") and not mirrored:
            return self.states.confidence, False
        return self.states.positive, True
