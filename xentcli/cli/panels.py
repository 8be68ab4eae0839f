"""A command whose help has its options under headings, and which drops none of those it is given."""

from __future__ import annotations

from typing import Any

import typer.core


class Panels(typer.core.TyperCommand):
    """A command whose options are listed by their `rich_help_panel`, which plain help leaves out.

    An option of one value that is given two is refused: the parser would take the last without a word.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse, unless an option of one value is given another one, too."""
        parser: Any = self.make_parser(ctx)
        for option in (*parser._short_opt.values(), *parser._long_opt.values()):
            option.action = "append" if option.action == "store" else option.action
        given, _, _ = parser.parse_args(args=list(args))
        for param in self.get_params(ctx):
            values = given.get(param.name)
            if param.param_type_name == "argument" or getattr(param, "multiple", False):
                continue
            if isinstance(values, list) and len(set(values)) > 1:
                several = " and ".join(map(repr, dict.fromkeys(values)))
                ctx.fail(f"Option '{max(param.opts, key=len)}' takes one value, and is given {several}.")
        return super().parse_args(ctx, args)

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
