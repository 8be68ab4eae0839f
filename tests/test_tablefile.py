"""Files of rows: how they are written, and what is left where that is cut short."""

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


def test_floats_are_written_without_a_dictionary(tmp_path: Path) -> None:
    """Each is another one, so a dictionary is filled to its limit and given up, for every row group."""
    path = tmp_path / "rows.parquet"
    assert score(good(tmp_path / "preds.parquet"), "--rows", path).code == 0
    group = parquet.ParquetFile(path).metadata.row_group(0)
    coded = {
        group.column(j).path_in_schema: group.column(j).has_dictionary_page for j in range(group.num_columns)
    }
    assert coded["label"] and coded["flags"]
    assert not any(coded[name] for name in ("loss", "confidence", "entropy", "brier_score"))
