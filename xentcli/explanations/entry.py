"""The form of explanations: of errors and warnings, and of metrics."""

from __future__ import annotations

from xentcli.records import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One error or warning: what is the case, what to do about it, and how to meet it.

    `id` is public and stays. `code` is the exit code it ends with, 0 for a warning. `example` holds shell
    lines of which the last runs xent and meets it; empty where no few lines of shell do.
    """

    id: str
    code: int
    cause: str
    remedy: str
    example: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Measure:
    """The explanation of one metric; `key` is its name in results. `undefined` is empty if it never is."""

    key: str
    formula: str
    range: str
    undefined: str
    reading: str
    source: str


def python(columns: str) -> str:
    """A line of shell that writes preds.parquet, for what CSV cannot say."""
    write = f"pq.write_table(pa.table({columns}), 'preds.parquet')"
    return f'python3 -c "import pyarrow as pa, pyarrow.parquet as pq; {write}"'
