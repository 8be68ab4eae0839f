"""Do several files, shards of one set, read as one?"""

from __future__ import annotations

import math
import shlex

import numpy as np

from xentcli.columns import Ask, Resolution, resolve
from xentcli.columns.kinds import F64, NAMES, UNLIKELY, Kind, judge
from xentcli.columns.labels import class_list
from xentcli.columns.sampled import sample_values
from xentcli.columns.schema import Preview
from xentcli.errors import DataError, Question, XentError, clean, listing
from xentcli.records import replace


def of_one_kind(looks: list[Preview], what: Resolution) -> None:
    """DataError for a shard whose scores are taken for logits and are probabilities by all they show.

    Rows add up to 1; or scores of one column lie between 0 and 1 where those of other shards do not, though
    shards cut from sorted logits would not either. Labels that are several are judged column by column.
    Scores of other kinds are held to their range as they are read.
    """
    if what.kind != "logits":
        return
    probs: list[tuple[Preview, F64, Kind]] = []
    others: list[tuple[Preview, F64]] = []
    for look in looks:
        known = {column.name: column for column in look.columns}
        if not all(name in known for name in what.columns):
            return
        own = sample_values(replace(look, peers=()), [known[name] for name in what.columns])
        own = own.reshape(-1, 1) if what.task == "multilabel" else own
        own = own[np.isfinite(own).all(axis=1)]
        found = judge(own, None, None, None)
        if found.kind == "probs":
            probs.append((look, own, found))
        elif own.size:
            others.append((look, own))
    by_sign = _sign_divides([own for _, own, _ in probs], [own for _, own in others])
    for look, own, found in probs if others else []:
        within = (o for o, z in others if z.min() < own.min() and own.max() < z.max() and _odd(own, z))
        other = next(within, None)
        if found.sure or other is not None or by_sign:
            raise _differs(
                f"holds probabilities ({found.why}), others logits or log-probabilities",
                other or others[0][0], look, "one run for each; --kind logits if they are that",
            )  # fmt: skip


def _odd(own: F64, other: F64) -> bool:
    """Is it too unlikely for rows that were dealt out at random that all of a shard lie between 0 and 1?

    Of n rows of both, of which m do, it has C(m, k) of the C(n, k) sets of k rows.
    """
    k, n = len(own), len(own) + len(other)
    m = k + int(((other >= 0.0) & (other <= 1.0)).sum())
    return _ways(n, k) - _ways(m, k) >= UNLIKELY


def _ways(n: int, k: int) -> float:
    """The logarithm of C(n, k)."""
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _sign_divides(probs: list[F64], others: list[F64]) -> bool:
    """Are the scores of some shards from 0 to 1 and all others at most 0, which is too unlikely for rows that
    were dealt out at random?

    Of F shards with n rows, k of them above 0, at most 2**F of the C(n, k) ways have one sign in each shard.
    """
    if not probs or not others or max(own.max() for own in others) > 0.0:
        return False
    k, rest = sum(map(len, probs)), sum(map(len, others))
    return _ways(k + rest, k) - (len(probs) + len(others)) * math.log(2.0) >= UNLIKELY


def each_alone(looks: list[Preview], ask: Ask, error: Question) -> None:
    """Add to the question of what the scores of all shards are which of them would be no question alone."""
    known: dict[str, str] = {}
    for look in looks:
        try:
            kind = NAMES[resolve(replace(look, peers=()), ask).kind]
        except XentError:
            kind = ""
        known.setdefault(kind, clean(look.source, 200))
    plain = [f"{file} alone holds {kind}" for kind, file in known.items() if kind]
    if plain and len(known) > 1:
        error.also = "; ".join([*plain, f"{known['']} is to be asked about"] if "" in known else plain)


def agreed(what: Resolution, looks: list[Preview], ask: Ask) -> Resolution:
    """The one reading of all shards, of which `what` is that of the first; DataError where one differs.

    Classes are in the order of their columns, or where shards have these in several orders, in that of the
    list of classes that they keep, else by name.
    """
    first, others = looks[0], [_same_reading(what, looks[0], look, ask) for look in looks[1:]]
    order = ("text", "bf", "f2", "f4", "f8")
    stored = min((each.stored for each in (what, *others)), key=order.index)
    if any(each.classes != what.classes for each in others):
        what = resolve(first, replace(ask, classes=_own_order(first, what) or tuple(sorted(what.classes))))
        why = (
            what.evidence["classes"]
            + f", in the order {listing(list(what.classes))}, as columns have several"
        )
        what = replace(what, evidence=what.evidence | {"classes": why})
    return replace(what, stored=stored)


def _own_order(look: Preview, what: Resolution) -> tuple[str, ...]:
    """The classes in the order of the list that the file keeps of them; empty without one."""
    names = class_list(look, what.label)
    return names if set(names) == set(what.classes) else ()


def _same_reading(what: Resolution, first: Preview, look: Preview, ask: Ask) -> Resolution:
    """How another shard reads, which is as the first one does, but perhaps for the order of its columns."""
    names = {column.name for column in look.columns}
    keys = (what.weight, *(column for column, _ in ask.where), *ask.by, ask.group)
    missing = [n for n in (*what.columns, *what.label_columns, *keys) if n and n not in names]
    if missing:
        raise _differs(f'has no column "{clean(missing[0])}"', first, look)
    key = f"classes:{what.label}"
    mine, theirs = first.metadata.get(key), look.metadata.get(key)
    if mine != theirs:
        theirs, mine = clean(theirs or "not at all"), clean(mine or "not at all")
        raise _differs(f"names its classes {theirs}, not {mine}", first, look)
    try:
        again = resolve(look, replace(ask, label=what.label_columns, kind=what.kind))
    except XentError as error:
        raise _differs(f"reads otherwise: {error.what}", first, look) from error
    if set(again.columns) != set(what.columns):
        extra = sorted(set(again.columns) ^ set(what.columns))
        raise _differs(f"has other score columns ({listing(extra)})", first, look)
    if again.labels.type != what.labels.type:
        raise _differs(f"has {again.labels.type} labels, the first {what.labels.type} labels", first, look)
    pair = f"{listing(list(again.classes))} against {listing(list(what.classes))}"
    if again.width != what.width or set(again.classes) != set(what.classes):
        raise _differs(f"has other classes: {pair}", first, look)
    if again.layout == "list" and again.classes != what.classes:
        raise _differs(f"names its classes in another order: {pair}", first, look)
    _same_meaning(what, again, first, look)
    return again


def _same_meaning(what: Resolution, again: Resolution, first: Preview, look: Preview) -> None:
    """DataError where the order of the columns says what a class, a label or the positive class is."""
    pair = f"{listing([c.name for c in look.columns if c.name in again.columns])} against "
    pair += listing([c.name for c in first.columns if c.name in what.columns])
    columns = [dict(zip(each.classes, each.columns, strict=False)) for each in (what, again)]
    labels = [{value: each.classes[i] for value, i in each.labels.table.items()} for each in (what, again)]
    reordered = again.classes != what.classes
    if columns[0] != columns[1]:
        raise _differs(f"has its score columns in another order ({pair}), which says what classes are",
                       first, look)  # fmt: skip
    if labels[0] != labels[1] or (reordered and again.labels.how == "in file order"):
        raise _differs(
            f"has its score columns in another order ({pair}), which says what labels mean",
            first, look, "--classes names the classes in the order in which labels count them",
        )  # fmt: skip
    pair_of = len(what.classes) == 2 and what.task in ("binary", "soft")
    if reordered and pair_of and not _own_order(first, what):
        one, other = (clean(each.classes[1]) for each in (again, what))
        raise _differs(
            f'has its score columns in another order ({pair}), by which "{one}" is positive, not "{other}"',
            first, look, " or ".join(f"--positive {shlex.quote(name)}" for name in sorted((one, other))),
        )  # fmt: skip


def _differs(
    what: str, first: Preview, look: Preview, remedy: str = "score files of one layout together"
) -> DataError:
    return DataError(f"{what}; shards of one set must agree with {clean(first.source, 200)}",
                     where=clean(look.source, 200), remedy=remedy, id="shards_differ")  # fmt: skip
