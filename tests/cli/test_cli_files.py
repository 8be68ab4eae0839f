"""Every option of `xent score` about how files are read changes what it says it changes."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
import pyarrow as pa

from tests.cli.test_cli_options import ROWS
from tests.corpus.corpus import (
    GOOD_LOSS,
    HEADER,
    good,
    parquet,
    refused,
    score,
    text,
    xent,
)


def test_input_format(tmp_path: Path) -> None:
    stored = good(tmp_path / "preds.dat")
    assert abs(score(stored, "--input-format", "parquet").value() - GOOD_LOSS) < 1e-12
    plain = text(tmp_path / "preds.txt", (HEADER + ROWS).replace(",", "\t"))
    assert abs(score(plain, "--input-format", "tsv").value() - GOOD_LOSS) < 1e-12
    refused(score(stored, "--input-format", "parkett"), 2, '"parkett"', "parquet")


def test_delimiter_and_decimal(tmp_path: Path) -> None:
    lines = (HEADER + ROWS).replace(",", ";").replace(".", ",")
    path = text(tmp_path / "preds.csv", lines)
    assert abs(score(path, "--delimiter", ";", "--decimal", ",").value() - GOOD_LOSS) < 1e-12
    refused(score(path, "--delimiter", ";;"), 2, "--delimiter")
    refused(score(path, "--delimiter", ""), 2, "--delimiter")
    refused(score(path, "--decimal", "comma"), 2, "--decimal")
    refused(score(path, "--delimiter", ",", "--decimal", ","), 2)


def test_delimiters_with_a_name(tmp_path: Path) -> None:
    path = text(tmp_path / "preds.csv", HEADER.replace(",", "\t") + "0.25\t0.75\t1\n")
    assert abs(score(path, "--delimiter", "tab").value() + math.log(0.75)) < 1e-12


def test_quote(tmp_path: Path) -> None:
    path = text(tmp_path / "preds.csv", "'p0','p1','y'\n'0.25','0.75','1'\n")
    refused(score(path), 3, '--quote "\'"')
    assert abs(score(path, "--quote", "'").value() + math.log(0.75)) < 1e-12
    path = text(tmp_path / "inch.csv", 'p_5",p_6",y\n0.25,0.75,6"\n0.25,0.75,5"\n')
    refused(score(path), 3, "--quote none")
    assert score(path, "--quote", "none").report["data"]["classes"] == ['5"', '6"']
    refused(score(path, "--quote", "ab"), 2, "--quote")


def test_na(tmp_path: Path) -> None:
    rows = "0.25,0.75,1\nNA,0.75,1\n0.25,0.75,?\n"
    path = text(tmp_path / "preds.csv", HEADER + rows)
    refused(score(path), 3, "row 2", "--na NA")
    refused(score(path, "--na", "NA"), 3, "row 2", "no value")
    outcome = score(path, "--na", "NA", "--na", "?", "--on-bad", "skip")
    assert abs(outcome.value() + math.log(0.75)) < 1e-12
    assert outcome.report["data"]["skipped"] == {"label_null": 1, "score_null": 1}
    refused(score(good(tmp_path / "preds.parquet"), "--na", "x"), 2, "--na")


def test_encoding(tmp_path: Path) -> None:
    rows = "p_café,p_the,y\n0.25,0.75,café\n0.25,0.75,the\n"
    right = score(text(tmp_path / "utf8.csv", rows)).report["metrics"]
    for encoding in ("utf-16", "latin-1", "cp1252"):
        path = text(tmp_path / "preds.csv", rows.encode(encoding))
        assert xent("score", path).code == 3
        assert score(path, "--encoding", encoding).report["metrics"] == right
    refused(score(path, "--encoding", "latin-l"), 2, "latin-1")
    refused(score(good(tmp_path / "preds.parquet"), "--encoding", "latin-1"), 2, "--encoding")


def test_dtype(tmp_path: Path) -> None:
    rows = [np.array(row, np.float16).tobytes() for row in ([0.25, 0.75], [0.5, 0.5])]
    path = parquet(tmp_path / "preds.parquet", {"probs": pa.array(rows, pa.binary(4)), "label": [0, 1]})
    refused(score(path), 3, "--dtype float16")
    right = -(math.log(0.25) + math.log(0.5)) / 2
    assert abs(score(path, "--dtype", "float16").value() - right) < 1e-12


def test_id_and_class_column_and_missing_class(tmp_path: Path) -> None:
    rows = {
        "image": ["a", "a", "b"],
        "animal": ["cat", "dog", "cat"],
        "p": [0.75, 0.25, 1.0],
        "label": ["dog", "dog", "cat"],
    }
    path = parquet(tmp_path / "preds.parquet", rows)
    said = ["--id", "image", "--class-column", "animal"]
    refused(score(path, *said), 3, 'item "b"', "dog", "--missing-class zero")
    outcome = score(path, *said, "--missing-class", "zero")
    assert abs(outcome.value() + math.log(0.25) / 2) < 1e-12
    assert outcome.report["data"]["rows"] == 2


def test_comment(tmp_path: Path) -> None:
    path = text(tmp_path / "preds.csv", "% made today\n" + HEADER + "% half\n" + ROWS)
    refused(score(path), 3, "--comment '%'")
    assert abs(score(path, "--comment", "%").value() - GOOD_LOSS) < 1e-12


def test_expect_sha256(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert score(path, "--expect-sha256", digest).code == 0
    refused(score(path, "--expect-sha256", "0" * 64), 3, digest)
    other = good(tmp_path / "other.parquet")
    refused(score(path, other, "--expect-sha256", digest), 2, "--expect-sha256")
