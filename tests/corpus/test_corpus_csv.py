"""Text that is nearly a table (C of the catalogue)."""

from __future__ import annotations

import gzip
import json
import math
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

csv = Catalogue()
LN = math.log
ROWS = "0.25,0.75,1\n0.9,0.1,0\n0.4,0.6,1\n0.7,0.3,0\n"
CSV = HEADER + ROWS


def write(folder: Path, content: str | bytes) -> Path:
    return text(folder / "preds.csv", content)


def noted(*words: str) -> Any:
    """The notes of the report, and stderr, have some words."""

    def look(outcome: Outcome) -> None:
        for told in ("\n".join(outcome.report["data"]["notes"]), outcome.err):
            missing = [word for word in words if word not in told]
            assert not missing, f"{missing} not in: {told}"

    return look


@csv.case("C00", 0, loss=GOOD_LOSS)
def plain(folder: Path) -> Argv:
    return [write(folder, CSV)]


# -- fields ----------------------------------------------------------------------------------------
@csv.case("C01", 3, "row 1", "4 fields", "header has 3")
def trailing_comma(folder: Path) -> Argv:
    return [write(folder, HEADER + "0.2,0.8,1,\n")]


@csv.case("C01-every-row", 3, "row 1", "4 fields", "header has 3")
def trailing_comma_in_every_row(folder: Path) -> Argv:
    """pandas takes the first field for an index and shifts all others."""
    return [write(folder, HEADER + ROWS.replace("\n", ",\n"))]


@csv.case("C01-late", 3, "row 5,001", "4 fields", "header has 3")
def trailing_comma_late(folder: Path) -> Argv:
    return [write(folder, HEADER + ROWS * 1250 + "0.2,0.8,1,\n" + ROWS)]


@csv.case("C02", 3, "row 1", "4 fields", "header has 3")
def a_field_too_many(folder: Path) -> Argv:
    return [write(folder, HEADER + "0.2,0.8,1,9\n")]


@csv.case("C03", 3, "row 1", "2 fields", "header has 3")
def a_field_too_few(folder: Path) -> Argv:
    return [write(folder, HEADER + "0.9,0.1\n")]


@csv.case("C03-late", 3, "row 5", "2 fields", "header has 3")
def a_field_too_few_late(folder: Path) -> Argv:
    return [write(folder, CSV + "0.9,0.1\n" + ROWS)]


@csv.case("C04", 3, '"p"')
def duplicate_names(folder: Path) -> Argv:
    return [write(folder, "p,p,y\n0.2,0.8,1\n")]


@csv.case("C04-space", 3, '"p"')
def duplicate_names_but_for_a_space(folder: Path) -> Argv:
    return [write(folder, "p, p,y\n0.2,0.8,1\n")]


@csv.case("C04-empty", 3, "no name")
def two_columns_without_name(folder: Path) -> Argv:
    return [write(folder, "p0,p1,y,,\n0.2,0.8,1,,\n")]


# -- labels ----------------------------------------------------------------------------------------
def four_classes(outcome: Outcome) -> None:
    report = outcome.report
    assert sorted(report["data"]["classes"]) == ["NA", "None", "nan", "null"]
    assert report["data"]["scored"] == 4 and report["data"]["skipped"] == {}


@csv.case("C05", 0, loss=-LN(0.4 * 0.3 * 0.2 * 0.1) / 4, check=four_classes)
def classes_that_look_missing(folder: Path) -> Argv:
    rows = "".join(f"0.4,0.3,0.2,0.1,{name}\n" for name in ("NA", "None", "null", "nan"))
    return [write(folder, "p_NA,p_None,p_null,p_nan,label\n" + rows)]


@csv.case("C06", 3, "01")
def padded_labels(folder: Path) -> Argv:
    return [write(folder, HEADER + "0.2,0.8,01\n0.9,0.1,00\n")]


@csv.case("C06-late", 3, "row 2,001", '"01"')
def padded_label_late(folder: Path) -> Argv:
    return [write(folder, HEADER + ROWS * 500 + "0.2,0.8,01\n")]


@csv.case("C06-text", 0, loss=-LN(0.8 * 0.9) / 2)
def padded_labels_declared(folder: Path) -> Argv:
    return [write(folder, HEADER + "0.2,0.8,01\n0.9,0.1,00\n"), "--classes", "00,01"]


@csv.case("C06-names", 0, loss=-LN(0.8 * 0.9) / 2)
def padded_labels_and_columns(folder: Path) -> Argv:
    return [write(folder, "p_00,p_01,y\n0.2,0.8,01\n0.9,0.1,00\n")]


def hundred_and_one(label: str) -> str:
    names = ",".join(f"p{i}" for i in range(101))
    rows = [f"{','.join(['0.005'] * 100)},0.5,{y}\n" for y in ("0", label)]
    return f"{names},y\n{''.join(rows)}"


@csv.case("C07", 0, loss=-LN(0.005 * 0.5) / 2)
def label_with_exponent(folder: Path) -> Argv:
    return [write(folder, hundred_and_one("1e2"))]


@csv.case("C07-point", 0, loss=-LN(0.005 * 0.5) / 2)
def label_with_point(folder: Path) -> Argv:
    return [write(folder, hundred_and_one("100.0"))]


@csv.case("C07-fraction", 3, "--label")
def label_with_fraction(folder: Path) -> Argv:
    return [write(folder, HEADER + "0.2,0.8,1.5\n0.9,0.1,0\n")]


@csv.case("C07-fraction-asked", 3, "row 1", '"y"', "1.5")
def label_with_fraction_asked_for(folder: Path) -> Argv:
    return [write(folder, HEADER + "0.2,0.8,1.5\n0.9,0.1,0\n"), "--label", "y"]


@csv.case("C07-fraction-late", 3, "row 2,001", '"y"', "1.5")
def label_with_fraction_late(folder: Path) -> Argv:
    return [write(folder, HEADER + ROWS * 500 + "0.2,0.8,1.5\n")]


@csv.case("C08", 3, "18446744073709551616")
def label_beyond_64_bits(folder: Path) -> Argv:
    return [write(folder, CSV + "0.2,0.8,18446744073709551616\n")]


@csv.case("C08-late", 3, "row 2,001", "18446744073709551616")
def label_beyond_64_bits_late(folder: Path) -> Argv:
    return [write(folder, HEADER + ROWS * 500 + "0.2,0.8,18446744073709551616\n")]


BIG = "p_9007199254740992,p_9007199254740993,y\n"


@csv.case("C09", 0, loss=-LN(0.25 * 0.75) / 2)
def labels_beyond_float64(folder: Path) -> Argv:
    rows = "0.25,0.75,9007199254740992\n0.25,0.75,9007199254740993\n"
    return [write(folder, BIG + rows)]


@csv.case("C09-missing", 3, "row 2", '"y"', "missing")
def missing_label(folder: Path) -> Argv:
    return [write(folder, BIG + "0.25,0.75,9007199254740993\n0.25,0.75,\n")]


def one_missing(outcome: Outcome) -> None:
    data = outcome.report["data"]
    assert sum(data["skipped"].values()) == 1 and data["scored"] == 1


@csv.case("C09-skip", 0, loss=-LN(0.75), check=one_missing)
def missing_label_skipped(folder: Path) -> Argv:
    rows = "0.25,0.75,9007199254740993\n0.25,0.75,\n"
    return [write(folder, BIG + rows), "--on-bad", "skip"]


@csv.case("C09-text", 3, "row 2", '"y"', "missing")
def missing_text_label(folder: Path) -> Argv:
    return [write(folder, "p_a,p_b,y\n0.25,0.75,b\n0.25,0.75,\n")]


def test_c10_a_letter_after_300_000_numbers(tmp_path: Path) -> None:
    """The row is the same whatever is read at once."""
    path = write(tmp_path, HEADER + "0.2,0.8,1\n" * 300_000 + "0.2,0.8,a\n" + "0.2,0.8,b\n")
    said = set()
    for chunk in (None, 1000, 77_777, 300_000, 10**6):
        outcome = score(path, *([] if chunk is None else ["--chunk-rows", chunk]))
        refused(outcome, 3, "row 300,001", '"y"', '"a"')
        said.add(outcome.err)
    assert len(said) == 1


def test_c10_a_letter_among_300_000_scores(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + "0.2,0.8,1\n" * 300_000 + "0.2,o.8,1\n" + "0.2,x,1\n")
    for chunk in (None, 77_777):
        outcome = score(path, *([] if chunk is None else ["--chunk-rows", chunk]))
        refused(outcome, 3, "row 300,001", '"p1"', '"o.8"')


# -- numbers ---------------------------------------------------------------------------------------
LOGITS = "logit_0,logit_1,y\n"
FINITE_OF_BOTH = math.log1p(math.exp(-0.6) + math.exp(-0.8)) / 2  # the other row has p = 1


@csv.case("C11", 0, loss=(math.log1p(math.exp(-2))) / 3)
def infinite_logits(folder: Path) -> Argv:
    return [write(folder, LOGITS + "inf,0,0\n1,-Infinity,0\n1.0,3.0,1\n")]


@csv.case("C11-both", 0, loss=FINITE_OF_BOTH)
def infinities_of_both_signs_in_a_row(folder: Path) -> Argv:
    return [write(folder, "p_0,p_1,p_2,y\n0.2,0.8,0,1\ninf,-inf,0,0\n"), "--kind", "logits"]


@csv.case("C11-both-nameless", 0, loss=FINITE_OF_BOTH)
def infinities_of_both_signs_in_columns_that_share_no_name(folder: Path) -> Argv:
    options = ["--pred", "a", "--pred", "b", "--pred", "c", "--kind", "logits", "--label", "y"]
    return [write(folder, "a,b,c,y\n0.2,0.8,0,b\ninf,-inf,0,a\n"), *options]


@csv.case("C11-huge", 0, loss=(math.log(3) + math.log1p(math.exp(-0.6) + math.exp(-0.8))) / 2)
def scores_whose_sum_is_beyond_float64(folder: Path) -> Argv:
    return [write(folder, "p_0,p_1,p_2,y\n0.2,0.8,0,1\n1e308,1e308,1e308,0\n"), "--kind", "logits"]


@csv.case("C11-probability", 3, "row 1", "p_0", "inf is not a probability")
def infinite_probability(folder: Path) -> Argv:
    return [write(folder, "p_0,p_1,y\ninf,0.1,1\n0.2,0.8,1\n")]


@csv.case("C11-overflow", 3, "row 2", '"logit_1"', '"1e999"', "overflows")
def overflowing_logit(folder: Path) -> Argv:
    return [write(folder, LOGITS + "1,2,0\n1,1e999,0\n")]


@csv.case("C11-overflow-late", 3, "row 4,001", '"p1"', '"1e999"', "overflows")
def overflowing_score_late(folder: Path) -> Argv:
    return [write(folder, HEADER + ROWS * 1000 + "0,1e999,1\n")]


@csv.case("C11-underflow", 0, loss=0.0)
def underflowing_score(folder: Path) -> Argv:
    return [write(folder, HEADER + "1e-999,1,1\n1,1e-999,0\n")]


@csv.case("C12", 3, "row 2", '"logit_1"', "NaN")
def nan_as_text(folder: Path) -> Argv:
    return [write(folder, LOGITS + "1,2,0\n1,NaN,0\n")]


def reasons(**expected: int) -> Any:
    def look(outcome: Outcome) -> None:
        assert outcome.report["data"]["skipped"] == expected

    return look


@csv.case("C12-skip", 0, loss=math.log1p(math.exp(1)), check=reasons(score_nan=1, score_null=1))
def nan_and_empty_skipped(folder: Path) -> Argv:
    return [write(folder, LOGITS + "1,2,0\n1,NaN,0\n1,,0\n"), "--on-bad", "skip"]


@csv.case("C12-empty", 3, "row 2", '"p1"', "no value")
def an_empty_score(folder: Path) -> Argv:
    return [write(folder, HEADER + "0.2,0.8,1\n0.2,,0\n")]


@csv.case("C12-na", 3, "row 2", '"p1"', '"NA"')
def a_score_not_available(folder: Path) -> Argv:
    return [write(folder, HEADER + "0.2,0.8,1\n0.2,NA,0\n0.2,0.8,1\n")]


@csv.case("C13", 3, "row 2", '"logit_0"', "1,234.5", "thousands")
def thousands(folder: Path) -> Argv:
    return [write(folder, LOGITS + '1.5,2,0\n"1,234.5",2,0\n')]


@csv.case("C14", 3, "--delimiter ';'", "--decimal ,")
def semicolons_and_decimal_commas(folder: Path) -> Argv:
    return [write(folder, "p0;p1;y\n0,2;0,8;1\n")]


@csv.case("C14-remedy", 0, loss=-LN(0.8))
def semicolons_and_decimal_commas_said(folder: Path) -> Argv:
    return [write(folder, "p0;p1;y\n0,2;0,8;1\n"), "--delimiter", ";", "--decimal", ","]


@csv.case("C14-tab", 3, "--delimiter '\\t'")
def tabs_in_a_csv(folder: Path) -> Argv:
    return [write(folder, CSV.replace(",", "\t"))]


@csv.case("C14-tab-remedy", 0, loss=GOOD_LOSS)
def tabs_in_a_csv_said(folder: Path) -> Argv:
    return [write(folder, CSV.replace(",", "\t")), "--delimiter", "\\t"]


@csv.case("C14-tsv", 0, loss=GOOD_LOSS)
def tabs_in_a_tsv(folder: Path) -> Argv:
    return [text(folder / "preds.tsv", CSV.replace(",", "\t"))]


@csv.case("C14-mark", 3, "row 1", "--decimal ,")
def decimal_commas_only(folder: Path) -> Argv:
    path = write(folder, "p0;p1;y\n0,2;0,8;1\n0,5;0,5;1\n")
    return [path, "--delimiter", ";"]


@pytest.mark.parametrize("cell", ["0x1p-3", "1_0", "1.5D-3", "0x1F", "1e", "--1", "1.2.3", "(5)"])
def test_c15_no_number(cell: str, tmp_path: Path) -> None:
    path = write(tmp_path, LOGITS + f"1.5,2,0\n{cell},2,0\n0.5,1.25,1\n")
    refused(score(path), 3, "row 2", '"logit_0"', f'"{cell}"')


@csv.case("C16", 3, "row 2", '"logit_0"', "U+2212")
def mathematical_minus(folder: Path) -> Argv:
    return [write(folder, LOGITS + "1.5,2,0\n\u22121.5,2,0\n")]


@csv.case("C16-digits", 3, "row 2", '"p1"', "U+06")
def arabic_digits(folder: Path) -> Argv:
    return [write(folder, HEADER + "0.2,0.8,1\n0.2,\u0660.\u0668,1\n")]


@csv.case("C16-space", 3, "row 2", '"p1"', "U+00A0")
def no_break_space(folder: Path) -> Argv:
    return [write(folder, HEADER + "0.2,0.8,1\n0.2,0.8\u00a0,1\n")]


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


@csv.each()
def test_csv(case: Case, tmp_path: Path) -> None:
    case.run(tmp_path)


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
