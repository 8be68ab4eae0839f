"""Label distributions that nearly add up to 1: silent within their rounding, then counted, then refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import Outcome, refused, score, text

P = [[0.2, 0.3, 0.5]] * 4


def write(folder: Path, labels: Any, dtype: Any = np.float64, **options: Any) -> Path:
    table = np.asarray(labels, dtype)
    columns: dict[str, Any] = {f"p_{j}": [row[j] for row in P] for j in range(3)}
    columns |= {f"label_{j}": table[:, j] for j in range(3)}
    pq.write_table(pa.table(columns), folder / "preds.parquet", **options)
    return folder / "preds.parquet"


def warned(outcome: Outcome, count: int, row: int, total: str) -> None:
    [warning] = [w for w in outcome.report["warnings"] if w["id"] == "XW116"]
    assert warning["count"] == count
    assert f"row {row}," in warning["example"] and total in warning["example"]


OFF = [[0.5, 0.25, 0.25], [0.5, 0.25, 0.257], [0.5, 0.251, 0.25], [1.0, 0.0, 0.0]]


def test_rows_that_are_off_are_counted_with_the_worst(tmp_path: Path) -> None:
    outcome = score(write(tmp_path, OFF))
    warned(outcome, 2, 2, "1.007")
    expected = -(np.array(OFF) * np.log(P)).sum(axis=1).mean()
    assert outcome.value() == pytest.approx(expected, abs=1e-12)  # taken as they are
    assert "XW116" in outcome.err


def test_the_count_is_the_same_however_the_rows_are_cut(tmp_path: Path) -> None:
    path = write(tmp_path, OFF, row_group_size=1)
    whole = score(write(tmp_path, OFF)).report["warnings"]
    for options in (("--chunk-rows", "1"), ("--jobs", "2")):
        assert score(path, *options).report["warnings"] == whole


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_rounding_of_the_stored_precision_is_silent(dtype: Any, tmp_path: Path) -> None:
    labels = np.random.default_rng(1).dirichlet([1, 1, 1], 4)
    assert "XW116" not in score(write(tmp_path, labels, dtype)).warned()


def test_the_rounding_of_float32_does_not_excuse_float64(tmp_path: Path) -> None:
    labels = [[0.1, 0.2, 0.7 + 4e-7]] * 4
    warned(score(write(tmp_path, labels)), 4, 1, "1.0000004")
    assert "XW116" not in score(write(tmp_path, labels, np.float32)).warned()


def test_far_off_is_refused(tmp_path: Path) -> None:
    refused(score(write(tmp_path, [*OFF[:3], [0.5, 0.25, 0.261]])), 3, "row 4", "1.011")


HEADER = "p_0,p_1,p_2,label_0,label_1,label_2\n"


def rows(*labels: str) -> str:
    return HEADER + "".join(f"0.2,0.3,0.5,{row}\n" for row in labels)


def test_a_text_is_judged_by_the_most_decimals_written_anywhere(tmp_path: Path) -> None:
    thirds = "0.33,0.33,0.33"
    few = score(text(tmp_path / "few.csv", rows(thirds, "0.5,0.25,0.25")))
    assert few.code == 0 and "XW116" not in few.warned()
    many = score(text(tmp_path / "many.csv", rows("0.333,0.333,0.334", "0.5,0.247,0.25")))
    warned(many, 1, 2, "0.997")
    refused(score(text(tmp_path / "far.csv", rows("0.34,0.34,0.334", "0.33,0.33,0.328", "0.33,0.33,0.327",
            "0.335,0.335,0.3151"))), 3, "adds up to")  # fmt: skip


@pytest.mark.parametrize(("last", "warns"), [("0.1399993", False), ("0.1399993612345678", True)])
def test_decimals_of_float32_are_off_as_that_is(tmp_path: Path, last: str, warns: bool) -> None:
    """The label adds up to 1 - 6.6e-7; what is largest in it says of which precision it is."""
    first = "0.5600000012345678" if warns else "0.56000006"
    found = score(text(tmp_path / "p.csv", rows("0.12345679,0.37654321,0.5", f"{first},0.29999998,{last}")))
    assert found.code == 0 and ("XW116" in found.warned()) == warns


def test_votes_add_up_to_what_they_are(tmp_path: Path) -> None:
    path = write(tmp_path, [[1, 2, 4], [0, 3, 0], [5, 1, 1], [1, 1, 1]], np.int64)
    outcome = score(path, "--label", "label_*", "--task", "soft")
    assert outcome.code == 0 and "XW116" not in outcome.warned()
