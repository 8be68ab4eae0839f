"""The reliability strip, and the text it is laid out with."""

from __future__ import annotations

import pytest

from xentcli.renderers import strip
from xentcli.renderers.numbers import NBSP
from xentcli.renderers.strip import first_few, fold, grid, short, wide
from xentcli.report import Reliability


def diagram(
    *bins: tuple[int, float, float, float], pair: str = "confidence", scheme: str = "width"
) -> Reliability:
    """Bins of rows, mean p, mean outcome and gap expected by chance."""
    rows: list[dict[str, float | int | None]] = []
    for b, (n, said, was, chance) in enumerate(bins):
        row: dict[str, float | int | None] = {
            "lo": b / len(bins),
            "hi": (b + 1) / len(bins),
            "n": n,
        }
        row |= {"mean_p": said, "mean_y": was, "gap_chance": chance} if n else {}
        rows.append(row)
    return Reliability(pair, scheme, len(bins), rows)


def drawn(found: Reliability, width: int | None = None, ascii_only: bool = False) -> list[str]:
    return [line.replace(NBSP, " ") for line in strip.render(found, width, ascii_only)]


EMPTY = (0, 0.0, 0.0, 0.0)
TYPICAL = diagram(
    *[EMPTY] * 4, (12, 0.3, 0.9, 0.1), *[EMPTY] * 5, (100, 0.7, 0.72, 0.04),
    (400, 0.77, 0.5, 0.02), EMPTY, (800, 0.9, 0.93, 0.005), (8000, 0.991, 0.986, 0.001),
)  # fmt: skip


def test_the_strip_is_six_lines_that_say_how_to_read_them() -> None:
    assert drawn(TYPICAL) == [
        "reliability  (confidence, 15 bins; = within chance, · under 30 rows)",
        "rows                         ·                      ▁▁▁ ▁▁▁     ▁▁▁ ███ ",
        "gap, points                  ·                       =  -27      +3 -.5 ",
        "confidence  0                           0.5                           1",
        "fullest bin: says 0.991, right 0.986 (8,000 rows)",
        "widest gap:  says 0.77, right 0.50 (400 rows)",
    ]


def test_in_ascii_shares_of_rows_stand_for_bars() -> None:
    assert drawn(TYPICAL, ascii_only=True)[:3] == [
        "reliability  (confidence, 15 bins; = within chance, . under 30 rows)",
        "rows, %                      <1                       1   4       9  86 ",
        "gap, points                  .                       =  -27      +3 -.5 ",
    ]


@pytest.mark.parametrize("width", [12, 28, 36, 44, 60, 76, 196])
def test_the_diagram_never_outgrows_its_width(width: int) -> None:
    lines = drawn(TYPICAL, width, ascii_only=True)[1:-2]
    assert all(len(line.rstrip()) <= width for line in lines)
    assert bool(lines) == (width >= 27)


def test_a_narrow_strip_keeps_the_signs() -> None:
    assert drawn(TYPICAL, 36)[2] == "gap             ·     =- +-"


def test_a_bin_of_few_rows_is_marked_and_never_the_widest_gap() -> None:
    found = drawn(diagram((29, 0.2, 0.9, 0.01), (1000, 0.9, 0.8, 0.01)))
    assert "·" in found[1] and "+70" not in found[2]
    assert found[-1] == "fullest bin and widest gap: says 0.90, right 0.80 (1,000 rows)"


def test_a_gap_that_chance_explains_is_no_finding() -> None:
    found = drawn(diagram((1000, 0.4, 0.41, 0.01), (1000, 0.9, 0.89, 0.01)))
    assert found[2].split() == ["gap,", "points", "=", "="]
    assert found[-1] == "no gap is wider than chance explains"


def test_too_few_rows_everywhere_is_said() -> None:
    assert drawn(diagram((3, 0.4, 0.0, 0.2), (1, 0.9, 1.0, 0.1)))[-2:] == [
        "fullest bin: says 0.40, right 0.00 (3 rows)",
        "no bin has 30 rows: too few to judge",
    ]


def test_an_unknown_chance_level_excuses_nothing() -> None:
    rows: list[dict[str, float | int | None]] = [
        {"lo": 0.0, "hi": 1.0, "n": 50, "mean_p": 0.5, "mean_y": 0.49}
    ]
    assert drawn(Reliability("confidence", "width", 1, rows))[2].endswith("-1 ")


def test_a_strip_of_nothing_is_empty() -> None:
    assert drawn(diagram(EMPTY, EMPTY)) == []


def test_a_strip_of_the_positive_class_speaks_of_what_came_true() -> None:
    found = drawn(diagram((1000, 0.3, 0.2, 0.001), pair="positive"))
    assert found[0].startswith("reliability  (p(positive), 1 bin")
    assert found[-1].endswith("says 0.30, came true 0.20 (1,000 rows)")


def test_bins_of_equal_weight_have_no_middle_of_the_axis() -> None:
    found = drawn(diagram(*[(100, 0.5, 0.1, 0.01)] * 15, scheme="mass"))
    assert "0.5" not in found[3] and "of equal weight" in found[0]


def test_a_tiny_gap_keeps_its_sign_and_a_bin_of_all_rows_is_a_hundred_percent() -> None:
    found = drawn(diagram((10**7, 0.5, 0.496, 1e-5)), ascii_only=True)
    assert found[1].split() == ["rows,", "%", "100"] and found[2].split()[-1] == "-.4"
    assert ">99" in drawn(diagram((10**7, 0.5, 0.4, 1e-5), (9, 0.9, 0.9, 0.1)), ascii_only=True)[1]


def test_wide_characters_take_two_cells_in_columns_and_names() -> None:
    assert wide("猫a") == 3
    assert grid([["猫", "1"], ["cat", "10"]], frozenset({0})) == ["猫    1", "cat  10"]
    assert short("猫" * 20, 9, "…") == "猫猫…猫猫"
    assert wide(short("猫" * 20, 8, "…")) <= 8
    assert short("abcdefghij", 7, "...") == "ab...ij"
    assert short("abcdefg", 7, "...") == "abcdefg"


def test_values_are_left_out_whole_from_the_end() -> None:
    assert first_few("0.2008, 0.1174, 0.0576", 22, "…") == "0.2008, 0.1174, 0.0576"
    assert first_few("0.2008, 0.1174, 0.0576", 21, "…") == "0.2008, 0.1174, …"
    assert first_few("0.2008, 0.1174, 0.0576", 16, "…") == "0.2008, …"
    assert first_few("a long text, 1", 8, "…") == short("a long text", 8, "…")
    assert wide(first_few("猫猫, 猫猫, 猫猫", 12, "…")) <= 12


def test_folding_breaks_at_spaces_and_never_inside_a_figure() -> None:
    phrase = f"0.3782{NBSP}±{NBSP}0.0287 of something long"
    assert fold(["a", phrase, "b"], 16, " · ") == [
        "a", f"0.3782{NBSP}±{NBSP}0.0287", "of something", "long · b"
    ]  # fmt: skip
    assert fold(["a", phrase, "b"], None, " · ") == [f"a · {phrase} · b"]
