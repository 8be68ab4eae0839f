"""CSV: lines, quotes and encodings, and the same table in other clothes (C of the catalogue)."""

from __future__ import annotations

import gzip
import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.corpus.corpus import (
    GOOD_LOSS,
    HEADER,
    Argv,
    Case,
    Catalogue,
    Outcome,
    parquet,
    refused,
    score,
    text,
    xent,
)
from tests.corpus.test_corpus_csv import CSV, LN, ROWS, write

csv = Catalogue()


def noted(*words: str) -> Any:
    """The notes of the report, and stderr, have some words."""

    def look(outcome: Outcome) -> None:
        for told in ("\n".join(outcome.report["data"]["notes"]), outcome.err):
            missing = [word for word in words if word not in told]
            assert not missing, f"{missing} not in: {told}"

    return look


# -- lines -----------------------------------------------------------------------------------------
@csv.case("C17", 0, loss=GOOD_LOSS, check=noted("trimmed"))
def spaces_in_the_header(folder: Path) -> Argv:
    return [write(folder, "p0, p1, y\n" + ROWS)]


@csv.case("C17-values", 0, loss=GOOD_LOSS)
def spaces_everywhere(folder: Path) -> Argv:
    return [write(folder, CSV.replace(",", ", "))]


@csv.case("C17-labels", 3, " b")
def spaces_before_labels(folder: Path) -> Argv:
    return [write(folder, "p_a,p_b,y\n0.2,0.8, b\n0.9,0.1, a\n")]


@csv.case("C18", 0, loss=GOOD_LOSS, check=noted("2 blank lines"))
def blank_lines(folder: Path) -> Argv:
    return [write(folder, CSV.replace("0.9", "\n\n0.9"))]


@csv.case("C18-row-number", 3, "row 3", "line 6", '"x"')
def rows_after_blank_lines(folder: Path) -> Argv:
    return [write(folder, CSV.replace("0.9", "\n\n0.9").replace("0.4,", "x,"))]


@csv.case("C18-end", 0, loss=GOOD_LOSS)
def blank_lines_at_the_end(folder: Path) -> Argv:
    return [write(folder, CSV + "\n\n\n")]


@csv.case("C19", 3, "comment", "--comment '#'")
def comment_first(folder: Path) -> Argv:
    return [write(folder, "# made by hand\n" + CSV)]


@csv.case("C19-remedy", 0, loss=GOOD_LOSS)
def comment_first_said(folder: Path) -> Argv:
    return [write(folder, "# made by hand, on Monday\n" + CSV + "# end\n"), "--comment", "#"]


def newline_shown(outcome: Outcome) -> None:
    assert sorted(outcome.report["data"]["classes"]) == ["a\nb", "c"]


@csv.case("C20", 0, loss=-LN(0.8 * 0.9) / 2, check=newline_shown)
def newline_in_a_label(folder: Path) -> Argv:
    return [write(folder, '"p_a\nb",p_c,y\n0.8,0.2,"a\nb"\n0.1,0.9,c\n')]


def test_c20_a_newline_is_shown_as_two_characters(tmp_path: Path) -> None:
    outcome = xent("score", *newline_in_a_label(tmp_path))
    assert outcome.code == 0 and "a\\nb" in outcome.out


@csv.case("C21", 3, "quote", "row 1")
def quote_never_closed(folder: Path) -> Argv:
    return [write(folder, "p_a,p_b,y\n0.2,0.8," + '"abc\n' + "0.9,0.1,a\n" * 50)]


@csv.case("C21-late", 3, "quote", "row 3,001")
def quote_never_closed_late(folder: Path) -> Argv:
    good = "0.2,0.8,b\n" * 3000
    return [write(folder, "p_a,p_b,y\n" + good + '0.2,0.8,"b\n' + "0.9,0.1,a\n" * 3000)]


@csv.case("C21-swallowed", 3, "quote", "row 2")
def two_quotes_that_swallow_rows(folder: Path) -> Argv:
    """An even number of quotes: rows 2 to 4 would become one field."""
    rows = '0.2,0.8,b\n0.2,0.8,b"\n0.9,0.1,a\n0.9,0.1,a"\n'
    return [write(folder, "p_a,p_b,y\n" + rows)]


@csv.case("C21-inside", 3, "quote", "row 1")
def quote_in_a_field(folder: Path) -> Argv:
    return [write(folder, 'p_a,p_b,y\n0.2,0.8,"a"b\n')]


@csv.case("C22", 4, "0 rows")
def header_only(folder: Path) -> Argv:
    return [write(folder, HEADER)]


@csv.case("C22-no-newline", 4, "0 rows")
def header_only_without_newline(folder: Path) -> Argv:
    return [write(folder, HEADER.strip())]


@csv.case("C22-newline", 3, "empty")
def a_newline_only(folder: Path) -> Argv:
    return [write(folder, "\n")]


@csv.case("C23", 3, "header looks like numbers")
def no_header(folder: Path) -> Argv:
    return [write(folder, ROWS)]


@csv.case("C23-text", 3, "header")
def no_header_and_text_labels(folder: Path) -> Argv:
    return [write(folder, "0.25,0.75,b\n0.9,0.1,a\n0.4,0.6,b\n")]


def maybe_cut(outcome: Outcome) -> None:
    assert "XW112" in outcome.warned() and "XW112" in outcome.err and "newline" in outcome.err


@csv.case("C24", 0, check=maybe_cut)
def no_final_newline(folder: Path) -> Argv:
    """`12` became `1`: nobody can know, so it is said."""
    p = ",".join(["0.05"] * 20)
    names = ",".join(f"p{i}" for i in range(20))
    return [write(folder, f"{names},y\n{p},3\n{p},1")]


@csv.case("C24-gzip", 0, loss=GOOD_LOSS, check=maybe_cut)
def no_final_newline_compressed(folder: Path) -> Argv:
    return [text(folder / "preds.csv.gz", gzip.compress(CSV.strip().encode()))]


@csv.case("C25", 0, loss=GOOD_LOSS)
def carriage_returns(folder: Path) -> Argv:
    return [write(folder, CSV.replace("\n", "\r"))]


@csv.case("C25-both", 0, loss=GOOD_LOSS)
def carriage_returns_and_newlines(folder: Path) -> Argv:
    return [write(folder, CSV.replace("\n", "\r\n"))]


@csv.case("C25-mixed", 0, loss=GOOD_LOSS)
def mixed_line_ends(folder: Path) -> Argv:
    lines = CSV.splitlines()
    ends = ["\n", "\r\n", "\r", "\r\n", "\n"]
    return [write(folder, "".join(a + b for a, b in zip(lines, ends, strict=True)))]


@csv.case("C26", 3, "row 2", "header again")
def header_in_row_two(folder: Path) -> Argv:
    return [write(folder, HEADER + "0.25,0.75,1\n" + CSV)]


@csv.case("C26-late", 3, "row 4,001", "header again")
def header_again_late(folder: Path) -> Argv:
    return [write(folder, HEADER + ROWS * 1000 + CSV)]


@csv.case("C26-text", 3, "row 4,001", "header again")
def header_again_among_text(folder: Path) -> Argv:
    """`label` is text, so only the whole row tells."""
    header = "p_a,p_b,label\n"
    return [write(folder, header + "0.2,0.8,b\n" * 4000 + header + "0.9,0.1,a\n")]


@csv.case("C26-first", 3, "row 1", "header again")
def header_twice(folder: Path) -> Argv:
    return [write(folder, HEADER + CSV)]


# -- encodings -------------------------------------------------------------------------------------
@csv.case("C27", 0, loss=GOOD_LOSS)
def byte_order_mark(folder: Path) -> Argv:
    return [write(folder, b"\xef\xbb\xbf" + CSV.encode())]


@csv.case("C27-quoted", 0, loss=GOOD_LOSS)
def byte_order_mark_and_quotes(folder: Path) -> Argv:
    return [write(folder, b"\xef\xbb\xbf" + CSV.replace("p0", '"p0"').encode())]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_c28_wide_encodings(encoding: str, tmp_path: Path) -> None:
    path = write(tmp_path, CSV.encode(encoding))
    refused(score(path), 3, "preds.csv", encoding[:6].upper(), f"--encoding {encoding}")
    asked = encoding if encoding in ("utf-16-le", "utf-16-be") else encoding[:6]
    assert abs(score(path, "--encoding", asked).value() - GOOD_LOSS) < 1e-12


LATIN = "p_café,p_the,y\n".encode() + b"0.2,0.8,the\n0.9,0.1,caf\xe9\n"


@csv.case("C29", 3, "row 2", '"y"', "0xe9", f"byte {LATIN.index(0xE9):,}", "UTF-8", "--encoding latin-1")
def latin_label(folder: Path) -> Argv:
    return [write(folder, LATIN)]


@csv.case("C29-late", 3, "row 3,001", '"y"', "0xe9", "byte", "UTF-8")
def latin_label_late(folder: Path) -> Argv:
    head = "p_café,p_the,y\n".encode() + b"0.2,0.8,the\n" * 3000
    return [write(folder, head + b"0.9,0.1,caf\xe9\n")]


@csv.case("C29-header", 3, "header", "0xe9", "UTF-8")
def latin_header(folder: Path) -> Argv:
    return [write(folder, b"p_caf\xe9,p_the,y\n0.2,0.8,the\n")]


@csv.case("C30", 3, "row 2", '"y"', "b\\x00")
def nul_in_a_label(folder: Path) -> Argv:
    return [write(folder, b"p_a,p_b,y\n0.2,0.8,b\n0.9,0.1,b\x00\n")]


def nul_shown(outcome: Outcome) -> None:
    assert sorted(outcome.report["data"]["classes"]) == ["a\x00", "b"]


@csv.case("C30-class", 0, loss=-LN(0.8 * 0.9) / 2, check=nul_shown)
def nul_in_a_class(folder: Path) -> Argv:
    return [write(folder, b"p_a\x00,p_b,y\n0.2,0.8,b\n0.9,0.1,a\x00\n")]


@csv.case("C30-number", 3, "row 2", '"p1"', "0.\\x001")
def nul_in_a_number(folder: Path) -> Argv:
    return [write(folder, HEADER.encode() + b"0.2,0.8,1\n0.9,0.\x001,0\n")]


@csv.case("C31", 3, "row 2", "1\\x1a")
def end_of_file_mark(folder: Path) -> Argv:
    return [write(folder, HEADER.encode() + b"0.2,0.8,0\n0.2,0.8,1\x1a\n")]


@csv.case("C31-alone", 3, "row 5", "1 field")
def end_of_file_mark_alone(folder: Path) -> Argv:
    return [write(folder, CSV.encode() + b"\x1a")]


def test_c32_every_float_is_read_to_the_last_bit(tmp_path: Path) -> None:
    """The figures from text equal those from Parquet, where every score is a double as it is."""
    draw = np.random.default_rng(8)
    z = np.concatenate([draw.normal(scale=3, size=100_000), draw.normal(size=100_000) * 1e-5])
    y = draw.integers(0, 2, z.size)
    lines = [f"{value!r},{label}\n" for value, label in zip(z.tolist(), y.tolist(), strict=True)]
    of_text = score(write(tmp_path, "logit,y\n" + "".join(lines))).report
    stored = score(parquet(tmp_path / "preds.parquet", {"logit": z, "y": y})).report
    for part in ("metrics", "classes", "reliability"):
        assert of_text[part] == stored[part]


def test_c33_one_long_line(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + "0.2,0.8," + "1" * 100_000_000 + "\n")
    refused(score(path), 3, "preds.csv", "longer than", "row 1")


def test_c33_a_long_line_in_a_column_that_is_not_read(tmp_path: Path) -> None:
    rows = ROWS.replace("\n", "," + "x" * 5_000_000 + "\n")
    outcome = score(write(tmp_path, "p0,p1,y,note\n" + rows))
    assert outcome.code == 0, outcome.err[:300]
    assert abs(outcome.value() - GOOD_LOSS) < 1e-12


# -- the same table in other clothes ---------------------------------------------------------------
@pytest.mark.parametrize("seed", range(3))
def test_a_byte_more_or_less_is_noticed_or_harmless(seed: int, tmp_path: Path) -> None:
    """One byte removed, doubled or overwritten: never a traceback, and no result without 4 rows."""
    draw = random.Random(seed)
    whole = CSV.encode()
    for _ in range(60):
        at, how = draw.randrange(len(whole)), draw.randrange(3)
        new = [b"", whole[at : at + 1] * 2, bytes([draw.randrange(256)])][how]
        outcome = score(write(tmp_path, whole[:at] + new + whole[at + 1 :]))
        assert outcome.code in (0, 2, 3, 4)
        if outcome.code == 0:
            assert outcome.report["data"]["rows"] in (3, 4, 5), (at, new)


def test_csv_and_parquet_of_the_same_rows_agree(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    p = draw.dirichlet(np.ones(4), 400)
    y = draw.integers(0, 4, 400)
    lines = [",".join(map(repr, row)) + f",{label}\n" for row, label in zip(p.tolist(), y, strict=True)]
    of_text = score(write(tmp_path, "p0,p1,p2,p3,y\n" + "".join(lines))).report
    columns: dict[str, Any] = {f"p{j}": p[:, j] for j in range(4)}
    stored = score(parquet(tmp_path / "preds.parquet", columns | {"y": y})).report
    for part in ("metrics", "classes", "reliability", "warnings"):
        assert json.dumps(of_text[part]) == json.dumps(stored[part])


def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, CSV)
    with path.open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        outcome = score("-")
    assert outcome.code == 0, outcome
    assert abs(outcome.value() - GOOD_LOSS) < 1e-12


def test_standard_input_twice(tmp_path: Path) -> None:
    refused(xent("score", "-", "-"), 2, "twice")


@csv.each()
def test_csv(case: Case, tmp_path: Path) -> None:
    case.run(tmp_path)
