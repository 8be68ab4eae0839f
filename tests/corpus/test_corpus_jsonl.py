"""JSON Lines from the command line: layouts, and rows that are not what they seem."""

from __future__ import annotations

import gzip
import io
import json
import math
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.corpus.corpus import (
    GOOD,
    GOOD_LOSS,
    Argv,
    Case,
    Catalogue,
    Outcome,
    process,
    refused,
    score,
    text,
)
from tests.corpus.test_corpus_same_bytes import random

jsonl = Catalogue()
LINES = [{name: values[i] for name, values in GOOD.items()} for i in range(4)]


def lines(rows: list[Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def write(folder: Path, content: str | bytes, name: str = "preds.jsonl") -> Path:
    return text(folder / name, content)


def lists(**more: Any) -> list[dict[str, Any]]:
    return [{"probs": [row["p0"], row["p1"]], "label": row["y"]} | more for row in LINES]


# -- layouts ---------------------------------------------------------------------------------------
@jsonl.case("J00", 0, loss=GOOD_LOSS)
def flat(folder: Path) -> Argv:
    return [write(folder, lines(LINES))]


@jsonl.case("J00-list", 0, loss=GOOD_LOSS)
def a_list(folder: Path) -> Argv:
    return [write(folder, lines(lists()))]


@jsonl.case("J00-object", 0, loss=GOOD_LOSS)
def an_object(folder: Path) -> Argv:
    rows = [{"probs": {"cat": r["p0"], "dog": r["p1"]}, "label": ["cat", "dog"][r["y"]]} for r in LINES]
    rows[1]["probs"] = dict(reversed(rows[1]["probs"].items()))
    return [write(folder, lines(rows))]


@jsonl.case("J00-logits", 0, loss=(math.log1p(math.exp(-2))))
def infinite_logits(folder: Path) -> Argv:
    return [write(folder, '{"logits":[1.0,3.0,-Infinity],"label":1}\n' * 3)]


@pytest.mark.parametrize(
    "name", ["p.jsonl", "p.ndjson", "p.json", "p.JSONL", "p", "p.jsonl.gz", "p.json.gz", "p.ndjson.zst"]
)
def test_the_format_is_known_by_name_or_first_byte(name: str, tmp_path: Path) -> None:
    data = lines(lists()).encode()
    if name.endswith("gz"):
        data = gzip.compress(data)
    elif name.endswith("zst"):
        data = pa.compress(data, "zstd", asbytes=True)
    outcome = score(write(tmp_path, data, name))
    assert outcome.code == 0, outcome.err
    assert abs(outcome.value() - GOOD_LOSS) < 1e-12


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    for packed, data in (("", lines(lists()).encode()), (".gz", gzip.compress(lines(lists()).encode()))):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        outcome = score("-", "--input-format", "jsonl" + packed)
        assert abs(outcome.value() - GOOD_LOSS) < 1e-12
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines(lists()).encode())))
    assert abs(score("-").value() - GOOD_LOSS) < 1e-12, "known by its first bytes"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines(lists()).encode())))
    refused(score("-", "--input-format", "csv"), 3, "JSON", "--input-format jsonl")


def test_a_pipe_into_a_process() -> None:
    outcome = process(
        "score", "--json", "-", "--input-format", "jsonl", input=lines(LINES * 500).encode(), stdin=None
    )
    assert outcome.code == 0, outcome.err
    assert abs(outcome.value() - GOOD_LOSS) < 1e-12


# -- rows that are not what they seem --------------------------------------------------------------
@jsonl.case("J01", 3, "row 2", '"p1"', "no value")
def a_null(folder: Path) -> Argv:
    return [write(folder, lines([LINES[0], LINES[1] | {"p1": None}, *LINES]))]


@jsonl.case("J01-key", 3, "row 2", '"p1"', "no value")
def a_missing_key(folder: Path) -> Argv:
    return [write(folder, lines([LINES[0], {"p0": 0.9, "y": 0}, *LINES]))]


def one_left_out(outcome: Outcome) -> None:
    assert outcome.report["data"]["skipped"] == {"score_null": 1}


@jsonl.case("J01-skip", 0, loss=GOOD_LOSS, check=one_left_out)
def a_missing_key_skipped(folder: Path) -> Argv:
    return [write(folder, lines([*LINES, {"p0": 0.9, "y": 0}])), "--on-bad", "skip"]


@jsonl.case("J01-list", 3, "row 5", '"probs"', "null")
def a_null_in_a_list(folder: Path) -> Argv:
    return [write(folder, lines([*lists(), {"probs": [0.5, None], "label": 1}]))]


@jsonl.case("J02", 3, "row 2,001", '"p1"', "twice")
def a_key_twice(folder: Path) -> Argv:
    return [write(folder, lines(LINES * 500) + '{"p0":0.5,"p1":0.4,"p1":0.5,"y":1}\n')]


@jsonl.case("J03", 3, "row 5", '"probs"', "3 values, not 2")
def a_ragged_list(folder: Path) -> Argv:
    return [write(folder, lines([*lists(), {"probs": [0.5, 0.25, 0.25], "label": 1}]))]


@jsonl.case("J04", 3, "row 2,001", '"z.emu"', "first rows")
def a_class_that_comes_late(folder: Path) -> Argv:
    usual = {"z": {"cat": 1.5, "dog": -2.5}, "label": "cat"}
    late = {"z": {"cat": 1.5, "dog": -2.5, "emu": 7.5}, "label": "cat"}
    return [write(folder, lines([usual, usual | {"label": "dog"}] * 1000 + [late])), "--kind", "logits"]


@jsonl.case("J05", 3, "row 2", "NaN")
def a_nan(folder: Path) -> Argv:
    return [write(folder, '{"logit":0.5,"y":1}\n{"logit":NaN,"y":0}\n{"logit":-1.5,"y":0}\n')]


@jsonl.case("J06", 3, "row 3,001", '"y"', "18446744073709551616")
def a_label_beyond_64_bits(folder: Path) -> Argv:
    return [write(folder, lines(LINES * 750 + [LINES[0] | {"y": 2**64}]))]


@jsonl.case("J06-point", 0, loss=GOOD_LOSS)
def labels_with_a_point(folder: Path) -> Argv:
    return [write(folder, lines(LINES * 500 + [row | {"y": float(row["y"])} for row in LINES]))]


@jsonl.case("J06-fraction", 3, "row 2,001", '"y"', "1.5")
def a_label_with_a_fraction(folder: Path) -> Argv:
    return [write(folder, lines(LINES * 500 + [LINES[0] | {"y": 1.5}]))]


@jsonl.case("J07", 3, "a list begins here", "jq -c '.[]'")
def an_array(folder: Path) -> Argv:
    return [write(folder, json.dumps(LINES), "preds.json")]


@jsonl.case("J07-columns", 3, "each column", "pandas")
def an_object_of_columns(folder: Path) -> Argv:
    return [write(folder, json.dumps(GOOD), "preds.json")]


@jsonl.case("J07-pretty", 3, "does not end on its line", "jq -c .")
def an_object_over_lines(folder: Path) -> Argv:
    return [write(folder, json.dumps(LINES[0], indent=1), "preds.json")]


@jsonl.case("J08", 3, "row 2,001", '"0.5" is text')
def a_type_that_changes(folder: Path) -> Argv:
    return [write(folder, lines(LINES * 500 + [LINES[0] | {"p0": "0.5"}]))]


@jsonl.case("J09", 3, "row 5", "cut short")
def a_last_line_cut(folder: Path) -> Argv:
    return [write(folder, lines(LINES) + '{"p0":0.5,"p1":0.')]


@jsonl.case("J10", 4, "0 rows")
def empty_lines(folder: Path) -> Argv:
    return [write(folder, "\n\n")]


@jsonl.case("J11", 3, "--encoding utf-16")
def utf_16(folder: Path) -> Argv:
    return [write(folder, lines(LINES).encode("utf-16"))]


@jsonl.case("J11-remedy", 0, loss=GOOD_LOSS)
def utf_16_said(folder: Path) -> Argv:
    return [write(folder, lines(LINES).encode("utf-16")), "--encoding", "utf-16"]


@jsonl.case("J12", 2, "--delimiter", "CSV", names_file=False)
def an_option_of_csv(folder: Path) -> Argv:
    return [write(folder, lines(LINES)), "--delimiter", ";"]


@jsonl.case("J13", 3, "row 1", "2 probabilities", "adds up to 0.9")
def a_row_that_does_not_add_up(folder: Path) -> Argv:
    return [write(folder, lines([{"probs": [0.4, 0.5], "label": 1}, *lists()]))]


@jsonl.each()
def test_jsonl(case: Case, tmp_path: Path) -> None:
    case.run(tmp_path)


def test_one_line_of_100_mb(tmp_path: Path) -> None:
    path = write(
        tmp_path, lines(lists()) + '{"probs": [0.5, 0.5], "label": 1, "t": "' + "x" * 100_000_000 + '"}\n'
    )
    refused(score(path), 3, "longer than", "row 5")


def test_blank_lines_are_counted(tmp_path: Path) -> None:
    outcome = score(write(tmp_path, lines(LINES).replace("\n", "\n\n", 2)))
    assert outcome.report["data"]["notes"] == ["2 blank lines skipped"]


def test_a_byte_more_or_less_is_noticed_or_harmless(tmp_path: Path) -> None:
    draw = random(3)
    whole = lines(lists()).encode()
    for _ in range(150):
        at, how = int(draw.integers(len(whole))), int(draw.integers(3))
        new = [b"", whole[at : at + 1] * 2, bytes([int(draw.integers(256))])][how]
        outcome = score(write(tmp_path, whole[:at] + new + whole[at + 1 :]))
        assert outcome.code in (0, 3), (at, new, outcome.err)
        if outcome.code == 0:
            assert outcome.report["data"]["rows"] == 4, (at, new)
