"""From options to a Dialect: what separates and encloses fields, and what cannot."""

from __future__ import annotations

from xentcli.errors import UsageError, clean
from xentcli.readers import Options
from xentcli.readers.csverrors import Dialect
from xentcli.readers.encodings import known

_NAMED = {"tab": "\t", "\\t": "\t"}


def dialect_of(path: str, options: Options, name: str) -> Dialect:
    """How the file at `path`, called `name` in messages, is to be read; UsageError for what cannot be."""
    base = path.lower().removesuffix(".gz").removesuffix(".zst")
    tabs = (options.input_format or "").startswith("tsv") or base.endswith(".tsv")
    delimiter = ("\t" if tabs else ",") if options.delimiter is None else options.delimiter
    delimiter = _NAMED.get(delimiter, delimiter)
    if not _separates(delimiter):
        raise UsageError(f'--delimiter "{clean(delimiter)}" cannot separate fields',
                         remedy="--delimiter ';' or tab or '|' or ,", id="delimiter")  # fmt: skip
    quote = None if options.quote == "none" else options.quote
    if quote is not None and (not _separates(quote, but="") or quote in " \t,;"):
        raise UsageError(f'--quote "{clean(quote)}" cannot enclose fields',
                         remedy="--quote \"'\" or --quote none", id="quote")  # fmt: skip
    if options.decimal not in (".", ","):
        raise UsageError(f'--decimal "{clean(options.decimal)}" is neither . nor ,', remedy="--decimal ,",
                         id="decimal")  # fmt: skip
    if delimiter in (options.decimal, quote):
        other = "decimal mark" if delimiter == options.decimal else "quote"
        raise UsageError(f'"{clean(delimiter)}" cannot be the delimiter and the {other}', where=name,
                         remedy="--delimiter ';'", id="delimiter")  # fmt: skip
    comment = options.comment
    if comment is not None and (not comment or comment[0] in (delimiter, quote, "\r", "\n")):
        raise UsageError(f'--comment "{clean(comment)}" cannot begin a comment', where=name,
                         remedy="--comment '#'", id="comment")  # fmt: skip
    missing = frozenset(text for text in options.missing if text)  # an empty cell is missing as it is
    encoding = None if options.encoding is None else known(options.encoding)
    return Dialect(name, delimiter, options.decimal, quote, missing, encoding)


def _separates(char: str, but: str = '"') -> bool:
    """One ASCII character that can stand neither in a number nor for the end of a line."""
    return len(char) == 1 and char.isascii() and not char.isalnum() and char not in but + "\r\n\0+-."
