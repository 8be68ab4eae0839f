"""The same few figures for every slice, and which slices are worse than the rest of the rows."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np

from xentcli.batch import F64, Spec
from xentcli.metrics import listed
from xentcli.metrics.known import Known
from xentcli.metrics.sums import Sums, number
from xentcli.report import SliceRow, Value
from xentcli.states.slices import Group, Key, means, shares

SMALL = 30
"""Slices of fewer rows are marked: their intervals rest on too little."""


def slices(known: Known) -> list[SliceRow]:
    """All slices: for each `--by` in turn, by falling cross-entropy."""
    if not known.states.has("slices"):
        return []
    return [row for group in known.states.slices.groups for row in _rows(known, group)]


def _rows(known: Known, group: Group) -> list[SliceRow]:
    keys, sums = group.ordered()
    if not keys:
        return []
    exact = {name: [part.exact(i) for i in range(part.size)]
             for name, part in sums.items() if not name.startswith("bin_")}  # fmt: skip
    each = [{name: column[i] for name, column in exact.items()} for i in range(len(keys))]
    if not known.spec.weighted:
        for one in each:
            one |= {"weight": one["rows"], "weight2": one["rows"], "impossible2": one["impossible"]}
            one |= {f"{name}_w": one[name] for name in _doubled(known.spec)}
    losses = [_loss(one) for one in each]
    bounds = any(one.get("unlisted", 0) for one in each)  # which are no losses to compare
    dark = [bounds or one["vast"] > 0 for one in each]
    tests = _worse(losses, dark)
    shrunk = _shrunk(losses, dark)
    bins = {name: sums[name].values().reshape(-1, group.bins) for name in sums if name.startswith("bin_")}
    of_total = _of_total(losses, any(one["impossible"] for one in each), bounds)
    out = []
    for i, key in enumerate(keys):
        here = {name: part[i] for name, part in bins.items()}
        metrics = _figures(known, losses[i], each[i]) | _calibration(known, each[i], here)
        metrics["share"] = of_total[i]
        row = SliceRow(
            dict(zip(group.columns, key, strict=True)), int(each[i]["rows"]), number(each[i]["weight"]),
            each[i]["rows"] < SMALL, shrunk[i], *tests[i], metrics,
        )  # fmt: skip
        out.append((_badness(metrics["cross_entropy"]), _sort_key(key), row))
    return [row for _, _, row in sorted(out, key=lambda item: item[:2])]


def _doubled(spec: Spec) -> tuple[str, ...]:
    """The sums that have a twin with squared weights."""
    return (*means(spec), *shares(spec), "impossible")


def _loss(one: dict[str, Fraction]) -> Sums:
    """The sums of the finite losses of one slice."""
    return Sums(
        int(one["rows"] - one["impossible"]), one["weight"] - one["impossible_w"],
        one["weight2"] - one["impossible2"], one["loss"], one["loss_w"], one["loss_2"],
    )  # fmt: skip


def _of_total(losses: list[Sums], infinite: bool, bounds: bool) -> list[Value]:
    """Each slice's share of the total loss, correctly rounded from shares that add up to exactly 1."""
    total = sum((loss.total for loss in losses), Fraction(0))
    if infinite or bounds or not total:
        why = "the losses are bounds" if bounds else "the total loss is infinite or 0"
        return [Value(None, "fraction", "", loss.rows, why=why) for loss in losses]
    return [Value(number(loss.total / total), "fraction", "", loss.rows) for loss in losses]


def _figures(known: Known, loss: Sums, one: dict[str, Fraction]) -> dict[str, Value]:
    """The means and the shares of a slice, by metric."""
    rows, weight, weight2 = int(one["rows"]), one["weight"], one["weight2"]
    out = {"cross_entropy": _entropy(known, loss, one)}
    for name in shares(known.spec):
        metric = {"hits": "accuracy", "listed": "label_listed"}.get(name, name)
        sums = Sums(rows, weight, weight2, one[name], one[f"{name}_w"], one[f"{name}_w"])
        out[metric] = known.proportion(metric, number(sums.mean), sums.se, sums)
    for name in means(known.spec)[1:]:
        metric = {"brier": "brier_score"}.get(name, name)
        if name == "kl_divergence" and one["impossible"]:
            out[metric] = known.value(metric, math.inf, n=rows, why=out["cross_entropy"].why)
            continue
        sums = Sums(rows, weight, weight2, one[name], one[f"{name}_w"], one[f"{name}_2"])
        unsure = name == "kl_divergence" and one["vast"]
        out[metric] = known.value(metric, number(sums.mean), se=None if unsure else sums.se, n=rows)
    return out


def _entropy(known: Known, loss: Sums, one: dict[str, Fraction]) -> Value:
    """The cross-entropy of a slice: infinite, with a lower bound alone, or known."""
    rows, unlisted = int(one["rows"]), int(one.get("unlisted", 0))
    if one["impossible"]:
        why = "p = 0 for a label that was there, or 1 for one that was not"
        why = why if known.multilabel else "p = 0 for the label of a row"
        return known.value("cross_entropy", math.inf, n=rows, why=why)
    if unlisted:
        plain = known.undefined("cross_entropy", listed.why(unlisted, rows), rows)
        return replace(plain, lower=number(loss.mean), bounded=True)
    return known.value("cross_entropy", number(loss.mean), se=None if one["vast"] else loss.se, n=rows)


def _calibration(known: Known, one: dict[str, Fraction], bins: dict[str, F64]) -> dict[str, Value]:
    """The calibration error of a slice, and that to expect by chance where labels are draws."""
    rows, key = int(one["rows"]), "ece_labels" if known.multilabel else "ece"
    total = number(one["weight"]) * (known.spec.size if known.multilabel else 1)
    gap = float(np.abs(bins["bin_p"] - bins["bin_hits"]).sum()) / total
    out = {key: known.value(key, gap, n=rows)}
    if "bin_variance" in bins:
        spread = np.sqrt(np.maximum(bins["bin_variance"], 0.0) * (2 / math.pi))
        out["ece_chance"] = known.value("ece_chance", float(spread.sum()) / total, n=rows)
    return out


def _worse(losses: list[Sums], vast: list[bool]) -> list[tuple[float | None, float | None]]:
    """For each slice the one-sided p of a mean loss above that of the rest, and Holm's correction of it.

    Welch's statistic against the normal. Source: Holm (1979), Scandinavian J. of Statistics 6, 65-70.
    """
    whole = _added(losses)
    found: list[float | None] = []
    for here, skip in zip(losses, vast, strict=True):
        rest = Sums(
            whole.rows - here.rows, whole.weight - here.weight, whole.weight2 - here.weight2,
            whole.total - here.total, whole.cross - here.cross, whole.square - here.square,
        )  # fmt: skip
        if skip or any(vast) or here.rows < 2 or rest.rows < 2:
            found.append(None)
            continue
        spread = math.hypot(here.se or 0.0, rest.se or 0.0)
        gap = number(here.mean - rest.mean)
        found.append(0.5 * math.erfc(gap / spread / math.sqrt(2)) if spread else 0.5 if gap <= 0 else 0.0)
    return list(zip(found, holm(found), strict=True))


def _added(parts: list[Sums]) -> Sums:
    zero = Fraction(0)
    return Sums(
        sum(s.rows for s in parts), sum((s.weight for s in parts), zero),
        sum((s.weight2 for s in parts), zero), sum((s.total for s in parts), zero),
        sum((s.cross for s in parts), zero), sum((s.square for s in parts), zero),
    )  # fmt: skip


def holm(p: list[float | None]) -> list[float | None]:
    """Holm's adjusted p-values, in the order of `p`; None stays and does not count."""
    order = sorted((value, i) for i, value in enumerate(p) if value is not None)
    out: list[float | None] = [None] * len(p)
    least = 0.0
    for rank, (value, i) in enumerate(order):
        least = max(least, min(1.0, value * (len(order) - rank)))
        out[i] = least
    return out


def _shrunk(losses: list[Sums], vast: list[bool]) -> list[float | None]:
    """Each slice's mean loss drawn towards that of all, the more the less is known of it.

    Random effects with the spread between slices by moments: (τ²x + s²m) / (τ² + s²), s the standard
    error. Source: DerSimonian & Laird (1986), Controlled Clinical Trials 7, 177-188.
    """
    known = [i for i, s in enumerate(losses) if s.rows > 1 and s.se and not vast[i]]
    out: list[float | None] = [None] * len(losses)
    if len(known) < 2:
        return out
    mean = np.array([number(losses[i].mean) for i in known])
    variance = np.array([losses[i].se or 0.0 for i in known]) ** 2
    w = 1.0 / variance
    centre = float((w * mean).sum() / w.sum())
    excess = float((w * (mean - centre) ** 2).sum()) - (len(known) - 1)
    tau2 = max(0.0, excess / float(w.sum() - (w * w).sum() / w.sum()))
    w = 1.0 / (variance + tau2)
    middle = float((w * mean).sum() / w.sum())
    for i, x, s2 in zip(known, mean.tolist(), variance.tolist(), strict=True):
        out[i] = (tau2 * x + s2 * middle) / (tau2 + s2)
    return out


def _badness(value: Value) -> float:
    found = value.lower if value.value is None else value.value
    return -math.inf if found is None else -found


def _sort_key(key: Key) -> list[tuple[bool, str]]:
    return [(value is not None, value or "") for value in key]
