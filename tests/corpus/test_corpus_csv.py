"""CSV: fields, labels and numbers (C of the catalogue)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.corpus import (
    GOOD_LOSS,
    HEADER,
    Argv,
    Case,
    Catalogue,
    Outcome,
    refused,
    score,
    text,
)

csv = Catalogue()
LN = math.log
ROWS = "0.25,0.75,1\n0.9,0.1,0\n0.4,0.6,1\n0.7,0.3,0\n"
CSV = HEADER + ROWS


def write(folder: Path, content: str | bytes) -> Path:
    return text(folder / "preds.csv", content)


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


@csv.case("C09-text", 3, "row 2", '"y"', "empty", "label_null")
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


@csv.each()
def test_csv(case: Case, tmp_path: Path) -> None:
    case.run(tmp_path)
