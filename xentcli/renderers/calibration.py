"""A fitted map as text: what it gains on rows it has not seen, against other methods, and what it is."""

from __future__ import annotations

from typing import Any

from xentcli.errors import counted
from xentcli.renderers import numbers
from xentcli.renderers.numbers import MISSING, NBSP, figure
from xentcli.renderers.strip import grid, wide
from xentcli.renderers.table import Look, title
from xentcli.report import Value

Document = dict[str, Any]

_FIRST = {"cross_entropy": "cross-entropy", "ece": "ECE", "ece_positive": "ECE of p(positive)",
          "brier_score": "Brier score", "accuracy": "accuracy"}  # fmt: skip
_LISTED = 8  # parameters that are shown one by one


def render(document: Document, extra: list[str], look: Look, quiet: bool = False, below: bool = False) -> str:
    """The `xent.calibration/1` document as text; `extra` are metrics asked for, to show with the usual.

    below: warnings are to stand below it, not on stderr.
    """
    blocks = [_lines(title(document["data"], look, False)), _figures(document, extra, look)]
    if not quiet:
        blocks += [_methods(document, look), _sentence(_parameters(document), look)]
        blocks.append([line for note in _notes(document, below) for line in _sentence(note, look)])
    text = "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks if block)
    return text.replace(NBSP, " ")


def _lines(lines: Any) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


def _sentence(text: str, look: Look) -> list[str]:
    return _lines(look.text(text.split(" "), joint=" "))


def _grid(rows: list[list[str]], left: frozenset[int], look: Look, gap: str = "  ") -> list[str]:
    return [f"  {line}" for line in grid([[look.say(cell) for cell in row] for row in rows], left, gap)]


def _fits(lines: list[str], look: Look) -> bool:
    return look.width is None or max(map(wide, lines)) <= look.width


def value_of(found: dict[str, Any]) -> Value:
    """The Value that a document has written down."""
    value = found["value"]
    if found["state"] == "infinite":
        value = float("inf") * found.get("sign", 1)
    return Value(value, found["unit"], found["better"], found["n"], found["se"], found["lo"], found["hi"],
                 found["why"])  # fmt: skip


def _figures(document: Document, extra: list[str], look: Look) -> list[str]:
    """Each figure as the scores are and calibrated, and what that gains."""
    sides = document["before"], document["after"]
    usual = [key for key in _FIRST if key != "ece" or "ece_positive" not in sides[0]]
    rows = [["on held-out rows", "as they are", document["method"]]]
    shown = [key for key in dict.fromkeys([*usual, *extra]) if key in sides[0]]
    rows += [[_FIRST.get(key, key), *(_shown(side[key], look, key) for side in sides)] for key in shown]
    lines = _grid(rows, frozenset({0, 1, 2}), look, "   ")
    if not _fits(lines, look):  # one below the other
        (head, before, after), *figures = rows
        below = [([name, ""], [f"  {before}", one], [f"  {after}", other]) for name, one, other in figures]
        lines = _grid([[head, ""], *(row for three in below for row in three)], frozenset({0, 1}), look)
    return lines + _sentence(_gain(document, look), look)


def _gain(document: Document, look: Look) -> str:
    """What the map saves a row, and whether that is more than chance."""
    gain = document["gain"]
    shown = _shown(gain, look)
    if gain["state"] != "finite":
        return f"gain: {shown}" + (f": {_endless(document)}" if gain["state"] == "infinite" else "")
    verdict = {
        True: "beyond noise"
        if gain["value"] > 0
        else "a loss beyond noise: the scores are better as they are",
        False: "within noise: these rows do not show that the map is better than none",
        None: "without an interval",
    }[gain["beyond_noise"]]
    return f"gain: {shown} {look.unit} a row, {verdict}"


def _endless(document: Document) -> str:
    """What an infinite gain, or loss, comes from, and what is against it."""
    if document["gain"]["sign"] > 0:
        return f"as they are, {_without(document['before'])} p = 0 for the label; calibrated, none has"
    prior = document["tuning"]["prior_rows"]
    instead = "more rows of every class" if prior else "--prior-rows 1 keeps p off 0"
    return f"{_without(document['after'])} p = 0 for the label by the map of the other folds; {instead}"


def _without(figures: Document) -> str:
    """How many rows have a label that is held for impossible."""
    count = int(figures["zero_probability_rows"]["value"])
    return f"{counted(count, 'row')} {'has' if count == 1 else 'have'}"


def _shown(found: dict[str, Any], look: Look, key: str = "") -> str:
    value = numbers.loss_in(value_of(found), look.unit)
    if key.startswith("ece") and look.digits is None and value.value is not None:
        return numbers.fixed(value.value, 4)
    return figure(numbers.percent(value) if key.endswith("accuracy") else value, look.digits)


def _methods(document: Document, look: Look) -> list[str]:
    """The methods that were tried, in a table; nothing where one was asked for."""
    tried = document["methods"]
    if len(tried) < 2:
        return []
    losses = [
        None if one["why"] else numbers.loss_in(value_of(one["cross_entropy"]), look.unit) for one in tried
    ]
    known = [loss.value for loss in losses if loss is not None and loss.state == "finite"]
    places = numbers.decimals(max((x for x in known if x is not None), default=1.0), look.digits or 4)
    rows = [["method", "cross-entropy", "gain", "", ""]]
    for one, loss in zip(tried, losses, strict=True):
        gain = numbers.loss_in(value_of(one["gain"]), look.unit)
        half = numbers.half_width(gain)
        note = "chosen" if one["method"] == document["method"] else ""
        rows.append([
            one["method"],
            MISSING if loss is None or loss.value is None else numbers.fixed(loss.value, places),
            MISSING if gain.value is None else numbers.fixed(gain.value, places),
            "" if half is None else f"± {numbers.fixed(half, places, 0.0)}",
            f"no map: {look.prose(one['why'])}" if one["why"] else note,
        ])  # fmt: skip
    lines = _grid(rows, frozenset({0, 4}), look)
    if _fits(lines, look):
        return lines
    rows = [[*row[:4], row[4].partition(":")[0]] for row in rows]
    why = [f"{one['method']}: no map: {look.prose(one['why'])}" for one in tried if one["why"]]
    return _grid(rows, frozenset({0, 4}), look) + [line for said in why for line in _sentence(said, look)]


def _parameters(document: Document) -> str:
    """The map in words, or how many numbers it has."""
    method, found = document["method"], document["parameters"]
    if method == "temperature":
        return f"temperature {numbers.fixed(found['temperature'], 4)}: logits divided by it"
    plain = {name: value for name, value in found.items() if isinstance(value, float)}
    if plain:
        return f"{method}: " + ", ".join(f"{name} {numbers.fixed(v, 4)}" for name, v in plain.items())
    parts = found.get("classes")
    if parts is not None:
        return f"{method}: one map for each of {len(parts):,} classes, divided by their sum"
    if method == "vector":
        return f"vector: a factor and a shift for each of {len(found['factors']):,} classes"
    steps = counted(len(found["probabilities"]), "bin" if method == "histogram" else "corner")
    return f"{method}: {steps}, p from {_ends(found['probabilities'])}"


def _ends(p: list[float]) -> str:
    """The range of what a map of steps gives."""
    return " to ".join(numbers.figure(Value(end), default=3) for end in (min(p), max(p)))


def _notes(document: Document, below: bool) -> list[str]:
    """What the figures rest on."""
    fit, level = document["fit"], document["provenance"]["ci"]
    column = f' "{numbers.shown(fit["folds_column"])}"' if fit["folds_column"] else ""
    all_of = "all rows" if fit["sample"] is None else "the whole sample"
    notes = [f"{fit['folds']} folds by {fit['folds_by']}{column}: each is judged by a map of the others; "
             f"the map to keep is fitted on {all_of}."]  # fmt: skip
    if fit["sample"] is not None:
        notes.append(f"A sample: {fit['rows']:,} of {fit['of']:,} rows, chosen by their hashes; all figures "
                     "are of these. --fit-rows all takes as many as memory has room for.")  # fmt: skip
    if level is not None:
        notes.append(f"± is the half-width of the {100 * level:.3g}{NBSP}% interval.")
    if len(document["methods"]) > 1:
        notes.append(f"Chosen: {document['chosen']}.")
    if document["warnings"]:
        notes.append(f"{counted(len(document['warnings']), 'warning')} {'below' if below else 'on stderr'}.")
    return notes
