"""`xent calibrate`: fit a map, see what it gains on rows it has not seen, apply it to files."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xentcli import gating, places, progress
from xentcli.cli import borrowed, output, score, together
from xentcli.cli.panels import Panels
from xentcli.cli.requests import Request
from xentcli.errors import UsageError, counted, listing
from xentcli.metrics.names import resolve
from xentcli.records import replace
from xentcli.renderers import numbers

if TYPE_CHECKING:
    from xentcli.calibrating.maps import CalibrationMap

app = typer.Typer(
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    no_args_is_help=True,
)

_FIT = (
    "Examples: xent calibrate fit preds.parquet -o map.json  |  "
    "xent calibrate fit preds.csv --method temperature"
)
_APPLY = (
    "Examples: xent calibrate apply map.json new.parquet -o out.parquet  |  "
    "xent score out.parquet --pred 'calibrated_*'"
)
_MAP, _ROWS, _COLUMNS, _OUTPUT = "Map", "Rows", "Columns", "Output"


def _option(panel: str, *names: str, text: str, metavar: str | None) -> Any:
    return typer.Option(*names, help=text, metavar=metavar, rich_help_panel=panel, show_default=False)


_METHOD = _option(
    _MAP, "--method", metavar="METHOD",
    text="temperature, vector, platt, beta, histogram, isotonic; auto tries all that can be. [auto]",
)  # fmt: skip
_PRIOR = _option(
    _MAP, "--prior-rows", metavar="N",
    text="Isotonic, histogram, vector: rows that the prior counts for; 0 is the plain map. [1]",
)  # fmt: skip
_BINS = _option(_MAP, "--map-bins", metavar="N", text="Bins of a histogram map, of equal weight. [15]")
_FIT_ROWS = _option(
    _MAP, "--fit-rows", metavar="N|all",
    text="Of more rows that differ, fit on a sample, chosen by hash; all: on as many as memory takes. "
    "[100000, or 2 million scores]",
)  # fmt: skip
_TO = _option(_OUTPUT, "-o", "--output", metavar="PATH", text="Write the map, as JSON.")
_ROWS_TO = _option(
    _OUTPUT, "-o", "--output", metavar="[KIND:]PATH",
    text="Where the rows go: parquet, csv, jsonl or arrow, by suffix or KIND; jsonl:- is standard output.",
)  # fmt: skip
_JSON = _option(_OUTPUT, "--json", metavar=None, text="Print the map with its figures, as one JSON document.")
_KIND = _option(
    _COLUMNS, "--kind", metavar="KIND", text="That of the map, where the values look like another kind."
)
_ITEM = _option(_COLUMNS, "--id", metavar="COL", text="With --class-column: the item of each row.")
_MAP_FILE = typer.Argument(metavar="MAP", help="A map that fit has written.")


def fit(**typed: Any) -> int:
    """Fit a calibration map, and say what it gains on rows that were held out of the fit."""
    method, prior, bins = typed.pop("method"), typed.pop("prior_rows"), typed.pop("map_bins")
    path, most = typed.pop("output"), typed.pop("fit_rows")
    request = Request(**(borrowed.DEFAULTS | typed))
    rules = gating.parse_all(request.require or [])
    settings = request.settings(rules)
    if path is not None:
        places.check(path, request.inputs(), "--output")
    from xentcli.calibrating import fitting
    from xentcli.calibrating.choosing import Asked
    from xentcli.calibrating.methods import Tuning

    with progress.line(request.quiet or request.no_progress) as tell:
        found = fitting.fit(request.files, settings, Asked(method, Tuning(prior, bins), most), tell)
    assert found.after is not None
    gating.judge(rules, found.after) if rules else None
    if path is not None:
        found.save(path)
    code = gating.exit_code(found.after)
    try:
        output.write(_text(found, request), code)
    finally:
        _remarks(found, request, path)
    return code


def _text(found: CalibrationMap, request: Request) -> str:
    if request.json:
        return found.to_json(not output.can_encode(sys.stdout))
    from xentcli.renderers import calibration
    from xentcli.renderers.table import Look

    unit: Any = request.unit
    look = Look(output.room(), not output.can_encode(sys.stdout), unit, request.digits)
    extra = [resolve(name).key for name in request.metric or []]
    return calibration.render(found.to_dict(), extra, look, request.quiet)


def _remarks(found: CalibrationMap, request: Request, path: str | None) -> None:
    """Warnings, notes and verdicts on stderr."""
    from xentcli.renderers import table

    assert found.before is not None and found.after is not None
    ascii_only = not output.can_encode(sys.stderr)
    if not request.quiet:
        for note in [] if request.drawn else together.unheeded(request):
            output.say(f"note: {note}")
        if found.before.warnings:  # what to do of them is about other commands
            bare = [replace(warning, remedy="") for warning in found.before.warnings]
            output.say(table.render_warnings(replace(found.before, warnings=bare), ascii_only))
        if path is None:
            output.say("note: no map was written; -o map.json writes it")
        else:
            shown = numbers.shown(path)
            output.say(f"note: {shown} has the map; xent calibrate apply {shown} FILE -o OUT applies it")
    if found.after.rules:
        output.say(table.render_rules(found.after, ascii_only))


borrowed.give(fit, [
    "files",
    ("method", Annotated[str, _METHOD], "auto"), ("prior_rows", Annotated[float, _PRIOR], 1.0),
    ("map_bins", Annotated[int, _BINS], 15), ("fit_rows", Annotated[str | None, _FIT_ROWS], None),
    *borrowed.of(*score.INPUT), "metric", "group", "bins", "unit", "ci", "seed", "precision",
    ("output", Annotated[str | None, _TO], None), "digits", ("json", Annotated[bool, _JSON], False),
    "quiet", "no_progress", "require", "max_memory", "chunk_rows",
])  # fmt: skip
app.command("fit", cls=Panels, no_args_is_help=True, epilog=_FIT,
            short_help="Fit a map, and say what it gains on held-out rows.")(fit)  # fmt: skip


def apply(**typed: Any) -> int:
    """Write files with calibrated probabilities beside their columns, row by row in their order."""
    path, to, kind = typed.pop("map"), typed.pop("output"), typed.pop("kind")
    layout = typed.pop("id"), typed.pop("class_column"), typed.pop("missing_class")
    request = Request(**(borrowed.DEFAULTS | typed))
    options = request.settings().reading
    if to is None:
        raise UsageError("where the rows are to go is not said", remedy="-o out.parquet", id="output_kind")
    target = output.rows_to(to, [*request.inputs(), path])
    from xentcli.calibrating import applying, maps
    from xentcli.calibrating.layouts import Layout

    found = maps.load(path)
    with progress.line(request.quiet or request.no_progress) as tell, output.stream(target) as place:
        done = applying.apply(
            found, request.files, place, pred=tuple(request.pred or ()), kind=kind, layout=Layout(*layout),
            output=target.kind or None, reading=options, skip_bad=request.on_bad == "skip",
            sha256=request.expect_sha256, progress=tell,
        )  # fmt: skip
    if not request.quiet:
        for note in done.notes:
            output.say(f"note: {note}")
        for reason, count in sorted(done.skipped.items()):
            output.say(f"note: {counted(count, done.each)} without a result: {reason}")
    if not request.quiet:
        names, where = listing([numbers.shown(name) for name in done.columns]), numbers.shown(target.path)
        said = f"{counted(done.rows, 'row')} with {names} by {found.method}"
        output.say(said) if target.path == "-" else output.write(f"{said} in {where}", 0)
    return 0


borrowed.give(apply, [
    ("map", Annotated[str, _MAP_FILE], inspect.Parameter.empty), "files",
    ("output", Annotated[str | None, _ROWS_TO], None), "quiet", "no_progress",
    "pred", ("kind", Annotated[str, _KIND], "auto"), ("id", Annotated[str | None, _ITEM], None),
    "class_column", "missing_class", "dtype", "on_bad", *borrowed.of("Files"), "max_memory", "chunk_rows",
])  # fmt: skip
app.command("apply", cls=Panels, no_args_is_help=True, epilog=_APPLY,
            short_help="Write files with calibrated probabilities.")(apply)  # fmt: skip
