"""Figures: digits are added until they are true, and never taken away."""

from __future__ import annotations

import math

import pytest

from xentcli.renderers import numbers
from xentcli.renderers.headline import Headline
from xentcli.renderers.numbers import NBSP, apart, count, figure, fixed, percent, shown
from xentcli.report import Report, Value


def read(value: Value, **options: bool) -> str:
    return figure(value, **options).replace(NBSP, " ")


def test_a_figure_has_four_digits_and_its_half_width_the_same_decimals() -> None:
    assert read(Value(0.378169, lo=0.3495, hi=0.4069)) == "0.3782 ± 0.0287"


def test_a_narrow_interval_brings_more_digits_and_shows_two_of_its_own() -> None:
    assert read(Value(0.378169586, lo=0.378169586 - 9e-5, hi=0.378169586 + 9e-5)) == ("0.378170 ± 0.000090")


def test_a_wide_interval_takes_digits_that_are_noise() -> None:
    assert read(Value(0.0123456, lo=-0.5, hi=0.5246912)) == "0.012 ± 0.512"


def test_what_is_zero_but_for_rounding_is_zero_beside_its_interval() -> None:
    assert read(Value(4.3e-17, lo=-0.0281, hi=0.0281)) == "0.000 ± 0.028"
    assert read(Value(4.3e-10, lo=-0.0281, hi=0.0281)) == "4.3e-10 ± 0.0281"
    assert read(Value(4.3e-17)) == "4.300e-17"


def test_digits_override_the_interval() -> None:
    assert figure(Value(0.378169, lo=0.3495, hi=0.4068), 2).replace(NBSP, " ") == "0.38 ± 0.03"


def test_a_lopsided_interval_is_shown_in_brackets() -> None:
    assert read(percent(Value(1.0, lo=0.9996, hi=1.0))) == "100.000 %  [99.960, 100.000] %"


def test_an_inexact_figure_says_how_far_off_it_may_be() -> None:
    assert read(Value(0.9123, bound=0.0001)) == "0.9123 (within 1.0e-04)"


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.99996, "99.996 %"), (1 - 1e-9, "99.9999999 %"), (1.0, "100.0 %"), (0.0, "0 %")],
)
def test_no_share_is_rounded_to_a_perfect_one(value: float, said: str) -> None:
    assert read(percent(Value(value))) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.00004, "0.00004"), (-0.00004, "-0.00004"), (0.99999, "0.99999"), (-0.99999, "-0.99999"),
     (1.00004, "1.00004"), (0.0, "0.000"), (-0.0, "0.000"), (1.0, "1.000"), (3e-9, "3.0e-09"),
     (math.inf, "infinite"), (-math.inf, "-infinite"), (12345.678, "12,345.678"),
     (1.5e300, "1.500e+300")],
)  # fmt: skip
def test_zero_and_one_are_shown_only_where_exact(value: float, said: str) -> None:
    assert fixed(value, 3) == said


def test_a_half_width_is_never_shown_as_zero() -> None:
    assert figure(Value(0.5, lo=0.499999, hi=0.500001), 3).endswith("0.000001")


def test_an_undefined_figure_says_why_and_an_infinite_one_that_it_is() -> None:
    assert figure(Value(None, why="no row is positive")) == "undefined: no row is positive"
    assert figure(Value(None)) == "undefined"
    assert figure(Value(math.inf, why="one row")) == "infinite"


@pytest.mark.parametrize(
    ("number", "said"),
    [(10000, "10,000"), (10000.0, "10,000"), (12.5, "12.50"), (0.25, "0.2500"), (0, "0")],
)
def test_counts_have_thousands_separators_and_no_decimals_of_nothing(number: float, said: str) -> None:
    assert count(number) == said


def test_two_numbers_get_the_digits_that_tell_them_apart() -> None:
    assert apart(0.89999, 0.9) == ("0.89999", "0.90000")
    assert apart(0.5, 0.5) == ("0.5000", "0.5000")
    assert apart(0.9, math.nextafter(0.9, 1.0)) == (
        "0.9000000000000000",
        "0.9000000000000001",
    )
    assert apart(0.9971, 0.9612, 2) == ("0.997", "0.961")


def test_a_column_shares_its_decimals_and_marks_what_is_missing() -> None:
    values = [Value(1.2345), Value(0.01), Value(None), Value(math.inf), Value(0.00001)]
    assert numbers.column(values, 4) == ["1.234", "0.010", "–", "infinite", "0.00001"]


def test_the_ascii_twin_of_a_name_is_an_escape_and_of_our_own_marks_a_word() -> None:
    assert numbers.plain("1 ± 2 · … –") == "1 +/- 2 | ... -"
    assert shown("é±猫", ascii_only=True) == "\\xe9\\xb1\\u732b"


@pytest.mark.parametrize(
    ("name", "said"),
    [("::error::x", "\\x3a:error::x"), ("a ::warning::b", "a \\x3a:warning::b"),
     ("##[error]x", "#\\x23[error]x"), ("x ##vso[task]", "x #\\x23vso[task]"),
     ("std::vector", "std::vector"), ("##ing", "##ing"), ("\x1b[2J", "\\x1b[2J"),
     ("a\n::error::", "a\\n::error::")],
)  # fmt: skip
def test_no_name_gives_orders_to_a_log(name: str, said: str) -> None:
    assert shown(name) == said


def test_a_name_is_shown_whole_unless_it_is_a_book() -> None:
    assert shown("x" * 2000) == "x" * 2000
    assert shown("x" * 5000) == "x" * 1999 + "…"


def test_normalised_cross_entropy_is_said_in_words() -> None:
    def said(value: float, reference: str = "the class frequencies") -> str:
        metrics = {"normalized_cross_entropy": Value(value)}
        return Headline(metrics, reference=reference).left_open().replace(NBSP, " ")

    assert said(0.16424) == "16.4 % of what the class frequencies alone leave open"
    assert said(1.04) == "worse than the class frequencies alone (104 %)"
    assert said(1.00004) == "worse than the class frequencies alone (100.004 %)"
    assert said(1.0) == "no better than the class frequencies alone (100 %)"
    assert said(0.99996) == "99.996 % of what the class frequencies alone leave open"
    assert said(0.5, "the prior") == "50.0 % of what the prior alone leaves open"
    assert said(math.inf) == ""


def test_confidence_has_a_side_only_beyond_its_interval() -> None:
    def said(*bounds: float, unit: str = "nats") -> str:
        value, lo, hi = bounds
        metrics = {"overconfidence": Value(value, "nat", lo=lo, hi=hi)}
        return Headline(metrics, unit).confidence().replace(NBSP, " ")

    assert said(0.283, 0.26, 0.31) == "over-confident by 0.283 nats"
    assert said(-0.283, -0.31, -0.26) == "under-confident by 0.283 nats"
    assert said(0.003, -0.007, 0.013) == "neither over- nor under-confident (0.0030 ± 0.0100 nats)"
    assert said(math.log(2), 0.6, 0.8, unit="bits") == "over-confident by 1.00 bits"


def test_the_level_of_the_intervals_is_stated_or_read_off_them() -> None:
    wide = Value(0.4, "nat", se=0.1, lo=0.4 - 0.1 * 2.5758293, hi=0.4 + 0.1 * 2.5758293)
    report = Report("", {}, {}, {"cross_entropy": wide})
    assert numbers.level(report) == pytest.approx(99.0, abs=1e-4)
    assert numbers.level(Report("", {"ci": 0.9}, {}, {})) == 90.0
    assert numbers.level(Report("", {}, {}, {"cross_entropy": Value(0.4)})) is None
