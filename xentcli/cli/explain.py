"""`xent explain`: what a metric, a warning, an error, an exit code or a calibration method means."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xentcli.cli import output
from xentcli.errors import UsageError, clean, closest

if TYPE_CHECKING:
    from xentcli.explanations.entry import Measure
    from xentcli.metrics.names import Metric

SCHEMA = "xent.explain/1"
_HELP = (
    "A metric, a word of the screen, an id such as XW104 or row_sum, an exit code, a calibration method; "
    "all if left out."
)
_WIDTH = 92
_EPS = {"keras": "1e-07."}
_SPACING = "the spacing at 1 of the type that p is stored in, 2.22e-16 for float64."


def command(
    words: Annotated[list[str] | None, typer.Argument(metavar="NAME", show_default=False, help=_HELP)] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.", show_default=False)] = False,
) -> int:
    """Explain a metric, a warning, an error or an exit code; without a name, list them."""
    name = " ".join(words) if words else None  # the table writes "Brier score"
    document = _list() if name is None else _explain(name)
    if json:
        from xentcli.documents import dumps

        text = dumps(document)
    else:
        text = _listing() if name is None else _prose(document)
        if not output.can_encode(sys.stdout, text):
            from xentcli.renderers.numbers import plain

            text = plain(text)
    output.write(text, 0)
    return 0


def _list() -> dict[str, Any]:
    from xentcli.explanations import SUBJECTS
    from xentcli.explanations.codes import CODES
    from xentcli.explanations.methods import WAYS
    from xentcli.explanations.words import WORDS
    from xentcli.metrics.names import METRICS

    return {
        "schema": SCHEMA,
        "metrics": {m.key: {"says": m.says, "aliases": list(m.aliases)} for m in METRICS},
        "ids": {subject: [entry.id for entry in entries] for subject, entries in SUBJECTS.items()},
        "methods": {way.name: way.says for way in WAYS},
        "words": {word.name: word.says for word in WORDS},
        "exit_codes": {str(code): text for code, text in CODES.items()},
    }


def _explain(name: str) -> dict[str, Any]:
    """The explanation as a document; UsageError with a suggestion for a name that nothing has."""
    from xentcli.explanations import ENTRIES
    from xentcli.explanations.codes import CODES
    from xentcli.explanations.screen import SCREEN

    text = name.strip()
    if text.isdigit() and int(text) in CODES:
        return {"schema": SCHEMA, "kind": "exit_code", "name": str(int(text)), "cause": CODES[int(text)]}
    lowered = text.lower().replace("-", "_").replace(" ", "_")
    entry = ENTRIES.get(lowered) or ENTRIES.get(text.upper())
    if entry is not None:
        out: dict[str, Any] = {
            "schema": SCHEMA,
            "kind": "error" if entry.code else "warning",
            "name": entry.id,
        }
        out |= {"exit_code": entry.code} if entry.code else {}
        return out | {"cause": entry.cause, "remedy": entry.remedy, "example": list(entry.example)}
    return _word(lowered) or _metric(SCREEN.get(lowered, text))


def _metric(name: str) -> dict[str, Any]:
    from xentcli.explanations import ENTRIES
    from xentcli.explanations.codes import CODES
    from xentcli.explanations.coverage import COVERAGE
    from xentcli.explanations.elsewhere import ELSEWHERE
    from xentcli.explanations.intervals import INTERVALS, NONE
    from xentcli.metrics.names import METRICS, resolve

    try:
        metric = resolve(name)
    except UsageError:
        from xentcli.explanations.methods import METHODS
        from xentcli.explanations.words import BY_NAME

        if name.lower() in METHODS:
            return _method(name.lower())
        known = [text for metric in METRICS for text in (metric.key, *metric.aliases)]
        hint = closest(name, [*known, *ENTRIES, *METHODS, *BY_NAME, *map(str, CODES)])
        raise UsageError(f'nothing is called "{clean(name)}".{hint}', id="unknown_name",
                         remedy="xent explain lists all names") from None  # fmt: skip
    if "." in metric.key:
        return _of_peer(metric)
    measure = _measure(metric)
    more = {
        "interval": INTERVALS.get(measure.key) or NONE.get(measure.key),
        "coverage": COVERAGE.get(measure.key),
        "elsewhere": ELSEWHERE.get(measure.key),
    }
    return {
        "schema": SCHEMA, "kind": "metric", "name": metric.key, "says": metric.says,
        "aliases": list(metric.aliases), "formula": measure.formula, "unit": metric.unit,
        "better": metric.better, "range": measure.range, "undefined": measure.undefined,
        "tasks": list(metric.tasks), "reading": measure.reading, "source": measure.source,
        **{name: text for name, text in more.items() if text is not None},
    }  # fmt: skip


def _word(name: str) -> dict[str, Any] | None:
    """A word beside figures; None if it is none."""
    from dataclasses import asdict

    from xentcli.explanations.words import BY_NAME

    return {"schema": SCHEMA, "kind": "word", **asdict(BY_NAME[name])} if name in BY_NAME else None


def _method(name: str) -> dict[str, Any]:
    """A way to calibrate."""
    from dataclasses import asdict

    from xentcli.explanations.methods import METHODS

    return {"schema": SCHEMA, "kind": "method", **asdict(METHODS[name])}


def _of_peer(metric: Metric) -> dict[str, Any]:
    """A function of another library: its convention stands for the formula."""
    from xentcli.metrics.peernames import PEERS

    name, _, key = metric.key.partition(".")
    peer = PEERS[name]
    convention = next(figure.convention for figure in peer.figures if figure.key == key)
    reading = f"--compat {name} gives it, with the convention and its numbers beside the value."
    if "{eps}" in convention:
        reading += " eps: " + _EPS.get(name, _SPACING)
    return {
        "schema": SCHEMA, "kind": "metric", "name": metric.key, "says": metric.says, "aliases": [],
        "formula": convention.format(eps="eps", bins=f"{peer.bins} (or --bins)"), "unit": metric.unit,
        "better": metric.better, "tasks": list(metric.tasks), "reading": reading,
        "source": f"{peer.name} {peer.version}",
    }  # fmt: skip


def _measure(metric: Metric) -> Measure:
    from xentcli.explanations.calibration import companion as explained
    from xentcli.explanations.metrics import MEASURES
    from xentcli.metrics.names import companion, top_k

    found = companion(metric.key)
    if found is not None:
        return explained(found[0].key, found[1])
    key = metric.key if top_k(metric.key) is None else "topk_accuracy"
    return next(measure for measure in MEASURES if measure.key == key)


# -- as text ---------------------------------------------------------------------------------------
def _prose(document: dict[str, Any]) -> str:
    kind = document["kind"]
    if kind == "metric":
        return _metric_text(document)
    if kind in ("method", "word"):
        return _method_text(document)
    titles = {"exit_code": f"exit code {document['name']}", "warning": f"warning {document['name']}"}
    title = titles.get(kind) or f"error {document['name']} (exit code {document['exit_code']})"
    lines = [title, "", *_wrapped(document["cause"])]
    if document.get("remedy"):
        lines += ["", *_field("remedy", document["remedy"])]
    if document.get("example"):
        lines += ["", "  example"]
        lines += [f"    {line}" for line in document["example"]]
    return "\n".join(lines) + "\n"


def _metric_text(document: dict[str, Any]) -> str:
    title = document["name"] + (f" ({', '.join(document['aliases'])})" if document["aliases"] else "")
    better = {"lower": "lower is better", "higher": "higher is better", "": "neither direction is better"}
    unit = {"nat": "nats", "row": "rows", "fraction": "a fraction"}.get(document["unit"], "no unit")
    rows = {
        "formula" if "range" in document else "computed": document["formula"],
        "range": "; ".join(filter(None, (document.get("range"), unit, better[document["better"]]))),
        "no value": document.get("undefined", "not for this task and kind of scores") or "it always has one",
        "interval": document.get("interval", ""),
        "coverage": document.get("coverage", ""),
        "tasks": ", ".join(document["tasks"]),
        "reading": document["reading"],
        "elsewhere": document.get("elsewhere", ""),
        "source": document["source"],
    }
    lines = [f"{title}: {document['says']}", ""]
    return (
        "\n".join([*lines, *(line for name, text in rows.items() if text for line in _field(name, text))])
        + "\n"
    )


def _method_text(document: dict[str, Any]) -> str:
    rows = {"formula": "formula", "no map": "undefined", "exact": "exact", "reading": "reading",
            "source": "source"}  # fmt: skip
    title = "calibration method " * (document["kind"] == "method") + document["name"].replace("_", " ")
    lines = [f"{title}: {document['says']}", ""]
    lines += [line for name, key in rows.items() if key in document for line in _field(name, document[key])]
    return "\n".join(lines) + "\n"


def _field(name: str, text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=f"  {name:<10}", subsequent_indent=" " * 12)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="  ")


def _listing() -> str:
    from xentcli.explanations import SUBJECTS
    from xentcli.explanations.codes import CODES
    from xentcli.explanations.methods import WAYS
    from xentcli.explanations.words import WORDS
    from xentcli.metrics.names import METRICS

    wide = max(len(metric.key) for metric in METRICS) + 2
    lines = ["metrics", *(f"  {metric.key:<{wide}}{metric.says}" for metric in METRICS)]
    lines += ["", "words beside figures", *(f"  {word.name:<{wide}}{word.says}" for word in WORDS)]
    lines += ["", "calibration methods", *(f"  {way.name:<{wide}}{way.says}" for way in WAYS)]
    for subject, entries in SUBJECTS.items():
        lines += ["", "warnings" if subject == "warnings" else f"errors: {subject}"]
        names = ", ".join(entry.id for entry in entries)
        lines += _wrapped(names)
    lines += ["", "exit codes"]
    lines += [f"  {code:<5}{text.split('. ')[0].rstrip('.')}" for code, text in CODES.items()]
    return "\n".join([*lines, "", "xent explain NAME tells more."]) + "\n"
