"""The same few figures for every slice, and which slices are worse than the rest of the rows."""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import F64, Spec
from xentcli.metrics import chance, intervals, listed, residuals, slicechoice, slicetests
from xentcli.metrics.intervals import Error
from xentcli.metrics.known import Known
from xentcli.metrics.sliceclusters import FINITE, Clustered, Moves
from xentcli.metrics.sums import Sums, number, ratio
from xentcli.numerics.sums import ExactSums
from xentcli.records import dataclass, replace
from xentcli.report import SliceGap, SliceRow, Value
from xentcli.states.bins import Binned
from xentcli.states.keyed import Key, Keyed
from xentcli.states.sample import TABLED
from xentcli.states.slices import means, shares, skew

SMALL, FEW = 30, 10
"""Slices of fewer rows, and of fewer clusters, are marked: their intervals rest on too little."""

_COUNTS = ("rows", "impossible", "vast", "unlisted")

_UNGROUPED = "too few groups in the slice, or too many slices and bins to keep groups by bin"


@dataclass(frozen=True, slots=True)
class Sliced:
    """The slices of one `--by`, by falling cross-entropy, and the gap of the worst and the best, if any."""

    rows: list[SliceRow]
    gap: SliceGap | None


def sliced(known: Known) -> list[Sliced]:
    """What is known of the slices of each `--by`."""
    if not known.states.has("slices"):
        return []
    groups = known.states.slices.groups
    clusters = known.states.sliceclusters.groups if known.spec.grouped else [None] * len(groups)
    return [_sliced(known, *pair) for pair in zip(groups, clusters, strict=True) if pair[0].index]


def slice_gap(known: Known) -> Value:
    """Cross-entropy of the worst slice less that of the best, in nats: the largest gap of any `--by`.

    Among slices of SMALL rows and FEW groups or more; p and the interval allow for the choice of the two.
    """
    found = [each.gap.gap for each in known.sliced if each.gap is not None]
    if not found:
        why = (
            "no two slices with enough rows to compare"
            if known.sliced
            else "no --by says what the slices are"
        )
        return known.undefined("slice_gap", why)
    return max(found, key=lambda gap: -math.inf if gap.value is None else gap.value)


def _sliced(known: Known, group: Keyed, clusters: Keyed | None) -> Sliced:
    keys, sums = group.ordered()
    each, unit = _exact(known.spec, sums)
    losses = [_loss(one, unit) for one in each]
    clustered = None if clusters is None else Clustered(clusters.ordered()[1], len(keys))
    moves = {} if clustered is None else _moves(known.spec, clustered, losses, each)
    bounds = any(one.get("unlisted", 0) for one in each)  # which are no losses to compare
    dark = [bounds or one["vast"] > 0 for one in each]
    errors = [_errors(known.spec, losses[i], each[i], i, moves) for i in range(len(keys))]
    tests = slicetests.worse(losses, dark, moves.get("loss"))
    known_to = [None if skip or error["loss"].se is None else error["loss"]
                for error, skip in zip(errors, dark, strict=True)]  # fmt: skip
    shrunk = slicetests.shrunk(losses, [None if error is None else error.se for error in known_to])
    bins = _bins(known, sums, clustered)
    of_total = _of_total(losses, any(one["impossible"] for one in each), bounds)
    out = []
    for i, key in enumerate(keys):
        here = {name: part[i] for name, part in bins.items()}
        weight = ratio(each[i]["weight"], unit)
        metrics = _figures(known, losses[i], each[i], errors[i])
        metrics |= _calibration(known, each[i], weight, here)
        metrics["share"] = of_total[i]
        found = int(moves[shares(known.spec)[0]].clusters[i]) if moves else None
        small = each[i]["rows"] < SMALL or (found is not None and found < FEW)
        row = SliceRow(
            dict(zip(group.columns, key, strict=True)), each[i]["rows"], weight,
            small, shrunk[i], *tests[i], metrics, found,
        )  # fmt: skip
        out.append((_badness(metrics["cross_entropy"]), _sort_key(key), row, i))
    out.sort(key=lambda item: item[:2])
    ordered = [item[2:] for item in out]
    gap = None if bounds else _gap(known, ordered, losses, known_to, shrunk, moves.get("loss"))
    return Sliced([row for _, _, row, _ in out], gap)


def _gap(
    known: Known,
    rows: list[tuple[SliceRow, int]],
    losses: list[Sums],
    errors: list[Error | None],
    shrunk: list[float | None],
    moves: Moves | None,
) -> SliceGap | None:
    """The gap of the first and the last of the slices that are not small; None of fewer than two of them."""
    some = [(row, i) for row, i in rows if not row.small]
    if len(some) < 2:
        return None
    (worst, i), (best, j) = some[0], some[-1]
    high, low = worst.metrics["cross_entropy"], best.metrics["cross_entropy"]
    n = (high.n or 0) + (low.n or 0)
    if high.state == "infinite":
        gap = known.value(
            "slice_gap", math.inf, n=n, why=f"the loss of the worst slice is infinite: {high.why}"
        )
        gap = gap if low.state == "finite" else known.undefined("slice_gap", "both losses are infinite", n)
        return SliceGap(worst.by, best.by, len(some), gap)
    gap = known.value("slice_gap", number(losses[i].mean - losses[j].mean), n=n)
    spread = moves.between(i, j) if moves is not None else slicetests.of_rows(losses[i], losses[j])
    if spread is not None and errors[i] is not None and errors[j] is not None:
        of = [(row, k) for row, k in some if errors[k] is not None]
        choice = _choice(known, of, losses, errors, shrunk, moves) if spread.se else None
        gap = slicechoice.difference(gap, spread, choice, known.level)
    return SliceGap(worst.by, best.by, len(some), gap)


def _choice(
    known: Known, of: list[tuple[SliceRow, int]], losses: list[Sums], errors: list[Error | None],
    shrunk: list[float | None], moves: Moves | None,
) -> slicechoice.Choice | None:  # fmt: skip
    """The choice of the first and the last of some slices; None where there are no others."""
    if len(of) < 3:
        return None
    means = [losses[k].value if shrunk[k] is None else shrunk[k] for _, k in of]
    found = [error for _, k in of if (error := errors[k]) is not None]
    rows = np.array([row.rows for row, _ in of], dtype=np.float64)
    clusters = rows if moves is None else np.array([row.clusters for row, _ in of], dtype=np.float64)
    slices = slicechoice.Slices(
        np.array([error.se for error in found]), np.array([error.skewness for error in found]), rows,
        clusters, np.array(means),
    )  # fmt: skip
    return slicechoice.among(slices, None if moves is None else moves.own[[k for _, k in of]], known.seed)


def _exact(spec: Spec, sums: dict[str, ExactSums]) -> tuple[list[dict[str, int]], int]:
    """The sums of each slice by name as whole numbers of 1/unit, and the unit; but for counts of rows, and
    without sums that have a cell for each bin."""
    found = {name: part.wholes() for name, part in sums.items() if not name.startswith("bin_")}
    least = min(0, *(exponent for _, exponent in found.values()))
    unit = 1 << -least
    exact = {}
    for name, (column, exponent) in found.items():
        shift = exponent if name in _COUNTS else exponent - least
        exact[name] = [x << shift for x in column] if shift else column
    each = [dict(zip(exact, row, strict=True)) for row in zip(*exact.values(), strict=True)]
    if not spec.weighted:
        for one in each:
            rows, impossible = one["rows"] * unit, one["impossible"] * unit
            one |= {"weight": rows, "weight2": rows, "impossible_w": impossible, "impossible2": impossible}
            one |= {f"{name}_w": one[name] for name in (*means(spec), *shares(spec))}
            if skew(spec):
                one |= {"weight3": rows, "impossible3": impossible}
                one |= {f"{name}_w3": one[name] for name in means(spec)}
                one |= {f"{name}_2w3": one[f"{name}_2"] for name in means(spec)}
    return each, unit


def _loss(one: dict[str, int], unit: int) -> Sums:
    """The sums of the finite losses of one slice."""
    left = (one["weight"] - one["impossible_w"], one["weight2"] - one["impossible2"])
    whole = (*left, one["loss"], one["loss_w"], one["loss_2"], *_third(one, "loss"))
    return Sums(one["rows"] - one["impossible"], whole, unit)


def _third(one: dict[str, int], name: str) -> tuple[int, ...]:
    """The sums with third powers of weights of a mean, where they are kept."""
    if f"{name}_3" not in one:
        return ()
    left = one["weight3"] - (one["impossible3"] if name in FINITE else 0)
    return left, one[f"{name}_w3"], one[f"{name}_2w3"], one[f"{name}_3"]


def _of_total(losses: list[Sums], infinite: bool, bounds: bool) -> list[Value]:
    """Each slice's share of the total loss, correctly rounded from shares that add up to exactly 1."""
    total = sum(loss.whole[2] for loss in losses)
    if infinite or bounds or not total:
        why = "the losses are bounds" if bounds else "the total loss is infinite or 0"
        return [Value(None, "fraction", "", loss.rows, why=why) for loss in losses]
    return [Value(ratio(loss.whole[2], total), "fraction", "", loss.rows) for loss in losses]


def _moves(
    spec: Spec, clustered: Clustered, losses: list[Sums], each: list[dict[str, int]]
) -> dict[str, Moves]:
    """What clusters move the means and the shares of slices by."""
    out = {}
    for name in (*means(spec), *shares(spec)):
        finite = name in FINITE
        whole = [loss.whole[0] if finite else one["weight"] for loss, one in zip(losses, each, strict=True)]
        found = [ratio(one[name], w) if w else 0.0 for one, w in zip(each, whole, strict=True)]
        out[name] = clustered.moves(name, np.array(found))
    return out


def _errors(spec: Spec, loss: Sums, one: dict[str, int], i: int, moves: dict[str, Moves]) -> dict[str, Error]:
    """The standard errors of a slice by quantity; of those with a loss too large to square none."""
    out = {}
    for name in (*means(spec), *shares(spec)):
        if name in FINITE and (one["vast"] or (name != "loss" and one["impossible"])):
            out[name] = Error()
        elif moves:
            out[name] = moves[name].error(i)
        else:
            se, skewness = (loss if name == "loss" else _sums(spec, one, name, loss.unit)).moments
            out[name] = Error(se, skewness=skewness)
    return out


def _sums(spec: Spec, one: dict[str, int], name: str, unit: int) -> Sums:
    """The sums of a mean or a share of all rows of a slice."""
    square = one[f"{name}_2" if name in means(spec) else f"{name}_w"]
    whole = (one["weight"], one["weight2"], one[name], one[f"{name}_w"], square, *_third(one, name))
    return Sums(one["rows"], whole, unit)


def _figures(known: Known, loss: Sums, one: dict[str, int], errors: dict[str, Error]) -> dict[str, Value]:
    """The means and the shares of a slice, by metric."""
    rows = one["rows"]
    out = {"cross_entropy": _entropy(known, loss, one, errors["loss"])}
    for name in shares(known.spec):
        metric = {"hits": "accuracy", "listed": "label_listed"}.get(name, name)
        sums = _sums(known.spec, one, name, loss.unit)
        if known.spec.grouped:
            share = intervals.share_of_clusters(known, metric, sums.value, errors[name])
            out[metric] = replace(share, n=rows)
        else:
            out[metric] = known.proportion(metric, sums.value, errors[name].se, sums)
    for name in means(known.spec)[1:]:
        metric = {"brier": "brier_score"}.get(name, name)
        if name == "kl_divergence" and one["impossible"]:
            out[metric] = known.value(metric, math.inf, n=rows, why=out["cross_entropy"].why)
            continue
        value = ratio(one[name], one["weight"])
        out[metric] = intervals.around(known, metric, value, errors[name], rows)
    return out


def _entropy(known: Known, loss: Sums, one: dict[str, int], error: Error) -> Value:
    """The cross-entropy of a slice: infinite, with a lower bound alone, or known."""
    rows, unlisted = one["rows"], one.get("unlisted", 0)
    if one["impossible"]:
        why = "p = 0 for a label that was there, or 1 for one that was not"
        why = why if known.multilabel else "p = 0 for the label of a row"
        return known.value("cross_entropy", math.inf, n=rows, why=why)
    if unlisted:
        plain = known.undefined("cross_entropy", listed.why(unlisted, rows), rows)
        return replace(plain, lower=loss.value, bounded=True)
    return intervals.around(known, "cross_entropy", loss.value, error, rows)


def _bins(known: Known, sums: dict[str, ExactSums], clustered: Clustered | None) -> dict[str, F64]:
    """Sums by slice and bin (S, M); with `--group` "bin_variance" is that of Σw(y - p), NaN if unknown."""
    bins = {name: part.values().reshape(-1, known.spec.bins)
            for name, part in sums.items() if name.startswith("bin_")}  # fmt: skip
    if clustered is not None:
        bins["bin_variance"] = clustered.gaps(known.spec.bins)
    elif "bin_variance" in bins and known.heavier != 1.0:
        bins["bin_variance"] *= _of_labels(known)
    return bins


def _of_labels(known: Known) -> F64:
    """What weights that go with the label make of the variance of Σw(y - p) in the bins (M,) of all rows."""
    state, mirrored = known.pair("confidence")
    plain, own = (
        state.binned(known.spec.bins, mirrored=mirrored, heavier=each).variance
        for each in (1.0, known.heavier)
    )
    assert plain is not None and own is not None
    return np.divide(own, plain, out=np.ones(plain.size), where=plain > 0.0)


def _calibration(known: Known, one: dict[str, int], weight: float, bins: dict[str, F64]) -> dict[str, Value]:
    """The calibration error of a slice, and that to expect by chance (`calibration.ece_chance`)."""
    rows, key = one["rows"], "ece_labels" if known.multilabel else "ece"
    total = weight * (known.spec.size if known.multilabel else 1)
    gap = float(np.abs(bins["bin_p"] - bins["bin_hits"]).sum()) / total
    out = {key: known.value(key, gap, n=rows)}
    if why := _unvarying(known, rows, bins):
        return out | {"ece_chance": known.undefined("ece_chance", why, rows)}
    spread = np.maximum(_spread(known, one, bins), 0.0)
    level = float(np.sqrt(spread * (2 / math.pi)).sum()) / total
    return out | {"ece_chance": known.value("ece_chance", level, n=rows)}


def _unvarying(known: Known, rows: int, bins: dict[str, F64]) -> str | None:
    """Why nothing says how labels vary; None if something does."""
    if rows < 2 and known.spec.task in TABLED:
        return chance.ONE_ROW
    return _UNGROUPED if np.isnan(bins.get("bin_variance", np.zeros(0))).any() else None


def _spread(known: Known, one: dict[str, int], bins: dict[str, F64]) -> F64:
    """The variance (M,) of Σw(y - p) of each bin: of draws as they are, else as it is seen over rows."""
    if "bin_variance" in bins:
        return bins["bin_variance"]
    weight, p, y = bins["bin_weight"], bins["bin_p"], bins["bin_hits"]
    if not known.multilabel:
        of = Binned(bins.get("bin_rows", weight), weight, p, y, bins["bin_square"])
        return residuals.spread(of, ratio(one["weight2"], one["weight"]))
    return residuals.of_rows(y - p, weight, *(bins[f"bin_{n}"] for n in ("square", "cross", "weight2")))


def _badness(value: Value) -> float:
    found = value.lower if value.value is None else value.value
    return -math.inf if found is None else -found


def _sort_key(key: Key) -> list[tuple[bool, str]]:
    return [(value is not None, value or "") for value in key]
