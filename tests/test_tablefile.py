"""Files of rows whose writing is cut short."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.corpus.corpus import good, score
from xentcli import labelerrors
from xentcli.tablefile import TableFile

ROWS = pa.RecordBatch.from_arrays([pa.array([1.0, 2.0])], ["loss"])


def half_a_batch(writer: object) -> None:
    raise OSError("Column 1 had 2 while previous column had 1")


def test_an_interruption_is_no_error_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads still bring batches then, and the writer has no end for half of one."""
    file = TableFile(str(tmp_path / "rows.parquet"), "--rows")
    with pytest.raises(KeyboardInterrupt), file.opened():
        file.write(ROWS)
        monkeypatch.setattr(parquet.ParquetWriter, "close", half_a_batch)
        raise KeyboardInterrupt
    monkeypatch.undo()
    file.write(ROWS)  # of a thread that is late
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_tells_what_it_has_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    path, rows = good(tmp_path / "preds.parquet"), tmp_path / "rows.csv"
    monkeypatch.setattr(labelerrors, "look", interrupt)
    options = ("--label-errors", tmp_path / "doubts.csv")
    nothing = score(path, *options)
    assert (nothing.code, nothing.err) == (130, "interrupted; no file was written\n")
    some = score(path, *options, "--rows", rows)
    assert some.code == 130 and some.err.startswith("interrupted; written before: ") and rows.exists()
