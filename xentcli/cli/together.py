"""Options of which one would undo another without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xentcli.errors import UsageError

if TYPE_CHECKING:
    from xentcli.cli.requests import Request


def check(request: Request) -> None:
    """Refuse options that cannot both be followed. Raises UsageError."""
    document = _document(request)
    refused = {
        "-f table and --json each say what to print": request.json and request.format == "table",
        f"--only prints bare values and {document} a document": request.only and document,
        "--only prints bare values and -f table a table": request.only and request.format == "table",
        "--only prints bare values and -v all of them, in a table": request.only and request.verbose,
        "-q leaves out what -v adds": request.quiet and request.verbose,
    }
    for what, found in refused.items():
        if found:
            raise UsageError(what, remedy="choose one", id="contradiction")


def unheeded(request: Request) -> list[str]:
    """Which options of the table change nothing, for none is drawn."""
    document, found = _document(request), []
    if request.digits is not None:
        found.append(f"--digits is for the table: {document or '--only'} prints all digits")
    if request.unit == "bits" and document:
        found.append(f"--unit bits is for the table: {document} is in nats")
    return found


def _document(request: Request) -> str:
    """The option that asks for a document; empty if none does."""
    return "--json" if request.json else "-f json" if request.format == "json" else ""
