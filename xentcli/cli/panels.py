"""Help in plain text with the options of a command under headings, in the order they first appear."""

from __future__ import annotations

from typing import Any

import typer.core


class Panels(typer.core.TyperCommand):
    """A command whose options are listed by their `rich_help_panel`, which plain help leaves out."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options; those without a panel of their own come last."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": []}
        rest: list[tuple[str, str]] = []
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None:
                continue
            panel = getattr(param, "rich_help_panel", None)
            if param.param_type_name == "argument":
                sections["Arguments"].append(record)
            elif panel:
                sections.setdefault(str(panel), []).append(record)
            else:
                rest.append(record)
        for name, records in (*sections.items(), ("Other", rest)):
            if records:
                with formatter.section(name):
                    formatter.write_dl(records)
