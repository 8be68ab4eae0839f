"""The number that training reported as its loss: smoothed, weighted by class, or with a positive weight."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from xentcli.errors import clean, counted
from xentcli.metrics import intervals
from xentcli.metrics.intervals import Error
from xentcli.metrics.known import Known
from xentcli.metrics.sums import number
from xentcli.records import dataclass
from xentcli.report import Value

_NOISE = 1e-13
"""What is left of sums that cancel, as a share of them, is rounding."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Exact sums over the rows of each class of labels (K,), or of all rows (1,), x being their loss."""

    weight: list[Fraction]
    weight2: list[Fraction]
    loss: list[Fraction]
    loss2: list[Fraction]
    square: list[Fraction]

    @classmethod
    def of(cls, known: Known) -> Groups:
        sums = known.states.training.sums
        plain = {"weight2": "weight", "loss2": "loss"}
        names = ("weight", "weight2", "loss", "loss2", "square")
        found = [sums[name if name in sums else plain[name]] for name in names]
        return cls(*([held.exact(k) for k in range(held.size)] for held in found))


def training_loss(known: Known) -> Value:
    """Mean loss of the training set-up named by --label-smoothing, --class-weights and --pos-weight, in nats.

    With w the weight of the class of a row's label and r the row's own: Σ r·w·x / Σ r·w, where x is -ln p
    of the label, or of the smoothed target; with --pos-weight Σ r·w·x / Σ r. Soft labels and multilabel:
    Σ r·x / Σ r, the weights being within x. As torch's `cross_entropy` and
    `binary_cross_entropy_with_logits` with `reduction="mean"`.
    se: sqrt(m/(m-1) Σ r²w²(x - L)²) over the denominator. Balanced weights are functions of the labels, so
    there the mean of the label's class takes the place of L (delta method); with smoothing besides, and for
    soft labels and multilabel, no se. With `--group` over clusters, and none of over 100 weighted classes.
    Infinite as soon as a row gives p = 0 to a class that its target asks for.
    """
    training = known.spec.training
    if training is None:
        return known.undefined("training_loss", "no --label-smoothing, --class-weights or --pos-weight given")
    infinite = known.states.notes.counts.get("training_infinite", 0)
    if infinite:
        which = "a class" if training.smoothing or training.within else "the label"
        which = "a side of a label that the target asks for" if known.multilabel else f"{which} of the target"
        why = f"{counted(infinite, 'row')} gave {which} p = 0"
        return Value(math.inf, "nat", "lower", known.rows, why=why)
    if training.balanced and training.within:
        return _balanced_within(known)
    groups = Groups.of(known)
    if training.balanced and training.smoothing:
        return _smoothed_balanced(known, groups)
    weights = exact_weights(known)
    base = [Fraction(1)] * len(weights) if training.per_row else weights
    bottom = dot(base, groups.weight)
    mean = dot(weights, groups.loss) / bottom
    if known.spec.grouped:
        return intervals.around(known, "training_loss", number(mean), _over_clusters(known, groups, mean))
    se = None
    if known.rows > 1 and known.states.training.sums["vast"].exact() == 0:
        spread = Fraction(0)
        for k, (w, b) in enumerate(zip(weights, base, strict=True)):
            held = groups.weight[k]
            centre = b * mean
            if training.balanced:
                centre = Fraction(number(w * groups.loss[k] / held)) if held else Fraction(0)
            square = w * w * groups.square[k] - 2 * w * centre * groups.loss2[k]
            spread += square + centre * centre * groups.weight2[k]
        se = math.sqrt(max(spread, Fraction(0)) / (bottom * bottom) * known.rows / (known.rows - 1))
    return known.value("training_loss", number(mean), se=se)


def _over_clusters(known: Known, groups: Groups, mean: Fraction) -> Error:
    """`intervals.over_clusters` of Σ r(w·x - L) of each cluster over what the mean is over.

    Balanced: the mean of each class, of which as many rows are as there are, takes the place of L / w.
    """
    training, state = known.spec.training, known.states.training
    losses, weights = state.by_cluster("loss"), state.by_cluster("weight")
    assert training is not None
    if losses is None or weights is None:
        return Error()
    own = exact_weights(known)
    base = [Fraction(1)] * len(own) if training.per_row else own
    bottom, per = dot(base, groups.weight), np.array([number(w) for w in own])
    centre = np.array([number(b * mean) for b in base])
    if training.balanced:
        pairs = zip(own, groups.loss, groups.weight, strict=True)
        centre = np.array([number(w * loss / held) if held else 0.0 for w, loss, held in pairs])
    used = weights.any(axis=1)
    losses, weights, total = losses[used], weights[used], number(bottom)
    moves, size = (losses * per - weights * centre).sum(axis=1), (losses * per).sum(axis=1)
    moves[np.abs(moves) < _NOISE * size] = 0.0
    share = None if training.balanced else (weights * [number(b) for b in base]).sum(axis=1) / total
    return intervals.over_clusters(moves / total, share)


def class_weights(known: Known) -> list[float]:
    """The weight of each class (C,), which torch takes as `weight`; 0 for one without a balanced weight.
    Balanced for several labels: of the rows that have each label, and then of those that do not (2L,)."""
    training = known.spec.training
    if training is not None and training.balanced and training.within:
        return [float(weight) for weight in _within_weights(known)]
    return [float(weight) for weight in exact_weights(known)]


def exact_weights(known: Known) -> list[Fraction]:
    """The weight of each class (C,), or of all rows as one (1,); balanced ones are n/(C·n_c), 0 if n_c = 0.

    C counts the classes that occur. Source: scikit-learn, compute_class_weight("balanced").
    """
    training = known.spec.training
    assert training is not None
    if not training.balanced:
        return [Fraction(w) for w in (training.weights if training.by_class else (1.0,))]
    counts = Groups.of(known).weight
    return _balanced(counts, sum(counts, Fraction(0)))


def _within_weights(known: Known) -> list[Fraction]:
    """Balanced weights where every class has a part in a row: of soft labels n/(C·n_c), n_c being Σ r·q_c, as
    for hard labels; several labels are a binary task each, so n/(2·n_1) for its positives and n/(2·n_0) for
    its negatives, as scikit-learn's `compute_sample_weight("balanced")` of the column. 0 if there are none.
    """
    support = known.by_class.sums["support"]
    counts = [support.exact(k) for k in range(support.size)]
    if not known.multilabel:
        return _balanced(counts, known.weight)
    pairs = [_balanced([count, known.weight - count], known.weight) for count in counts]
    return [pair[0] for pair in pairs] + [pair[1] for pair in pairs]


def _balanced(counts: list[Fraction], total: Fraction) -> list[Fraction]:
    """total/(K·count) of each, K of which are not 0, rounded to float64 as scikit-learn has them."""
    seen = sum(1 for count in counts if count)
    return [Fraction(number(total / (seen * count))) if count else Fraction(0) for count in counts]


def _balanced_within(known: Known) -> Value:
    """Σ_c w_c Σ r·cost_c over Σ r, for several labels over the number of labels besides."""
    weights, columns = _within_weights(known), known.states.training.sums["columns"]
    costs = [columns.exact(k) for k in range(columns.size)]
    for k, (weight, cost) in enumerate(zip(weights, costs, strict=True)):
        if cost and not weight:  # smoothing asks for what no row has
            label = clean(known.spec.classes[k % known.spec.size])
            has = "every row has" if k >= known.spec.size else "no row has"
            why = f'{has} the label "{label}", so there is no balanced weight to smooth with'
            return known.undefined("training_loss", why)
    size = known.spec.size if known.multilabel else 1
    return known.value("training_loss", number(dot(weights, costs) / (known.weight * size)))


def _smoothed_balanced(known: Known, groups: Groups) -> Value:
    """Balanced weights under label smoothing: the second term from the sums over each column."""
    training = known.spec.training
    assert training is not None
    missing = [known.spec.classes[k] for k, held in enumerate(groups.weight) if not held]
    if missing:
        why = f'no row has the label "{clean(missing[0])}", so it has no balanced weight to smooth with'
        return known.undefined("training_loss", why)
    weights = exact_weights(known)
    columns = known.states.training.sums["columns"]
    spread = dot(weights, [columns.exact(k) for k in range(columns.size)])
    top = dot(weights, groups.loss) + Fraction(training.smoothing) / len(weights) * spread
    return known.value("training_loss", number(top / dot(weights, groups.weight)))


def dot(a: list[Fraction], b: list[Fraction]) -> Fraction:
    """Σ a_k b_k."""
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))
