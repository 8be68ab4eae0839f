"""The confusion matrix as CSV."""

from __future__ import annotations

import csv
import io

import pytest

from xentcli.renderers.csv import confusion
from xentcli.report import Confusion


def test_rows_are_labels_and_columns_predicted_classes() -> None:
    text = confusion(Confusion(["cat", "dog"], [[9.0, 1.0], [0.5, 12345678.0]]))
    assert text == "label,cat,dog\ncat,9,1\ndog,0.5,12345678"


@pytest.mark.parametrize("name", ["=1+1", "+x", "-x", "@x", "\tx", "\rx", "=cmd|'/c calc'!A1"])
def test_no_class_name_is_a_formula(name: str) -> None:
    rows = list(csv.reader(io.StringIO(confusion(Confusion([name], [[-1.0]])), newline="")))
    assert rows == [["label", "'" + name], ["'" + name, "-1"]]


@pytest.mark.parametrize("name", ["-1", "+1", "-1e-3", "0"])
def test_a_class_named_by_a_number_keeps_its_name(name: str) -> None:
    assert confusion(Confusion([name], [[3.0]])).splitlines()[1] == f"{name},3"


def test_quotes_commas_and_newlines_survive() -> None:
    name = 'a,"b"\nc'
    rows = list(csv.reader(io.StringIO(confusion(Confusion([name], [[1.0]])))))
    assert rows[1] == [name, "1"]


def test_what_a_terminal_would_obey_is_seen_and_not_done() -> None:
    text = confusion(Confusion(["a\x1b[31m", "b\x9b1m\x00\x7f", "é\u202e"], [[1.0, 0.0, 0.0]] * 3))
    assert text.splitlines()[0] == "label,a\\x1b[31m,b\\x9b1m\\x00\\x7f,é\u202e"


def test_a_lone_surrogate_does_not_lose_the_file() -> None:
    confusion(Confusion(["a\udc80"], [[1.0]])).encode("utf-8")
