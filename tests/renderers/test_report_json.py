"""The report as JSON."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from xentcli.documents import dumps
from xentcli.renderers import json as renderer
from xentcli.report import ClassRow, Report, Value


def report() -> Report:
    classes = [ClassRow(name, 1.0, None, {"share": Value(0.1)}) for name in ("é", "b", "c")]
    metrics = {"cross_entropy": Value(math.inf, "nat", why="1 row"), "ece": Value(0.1 + 0.2)}
    return Report("ce:nats", {}, {"rows": 3}, metrics, classes)


def test_numbers_keep_every_digit_and_infinity_is_null_with_a_reason() -> None:
    found = json.loads(renderer.render(report()))
    assert found["schema"] == "xent.score/1"
    assert found["metrics"]["ece"]["value"] == 0.1 + 0.2
    assert found["metrics"]["cross_entropy"]["value"] is None
    assert found["metrics"]["cross_entropy"]["why"] == "1 row"


def test_per_class_limits_the_classes_and_none_does_not() -> None:
    assert len(json.loads(renderer.render(report(), 2))["classes"]) == 2
    assert len(json.loads(renderer.render(report(), None))["classes"]) == 3


def test_ascii_only_escapes_and_loses_nothing() -> None:
    assert renderer.render(report(), ascii_only=True).isascii()
    assert "é" in renderer.render(report(), ascii_only=False)
    assert json.loads(renderer.render(report()))["classes"][0]["class"] == "é"


LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
NESTED = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(), NESTED), st.booleans())
def test_documents_are_laid_out_as_the_standard_library_does(document: dict[str, Any], ascii: bool) -> None:
    own, plain = (json.dumps(document, indent=2, ensure_ascii=each) for each in (ascii, True))
    shown = own if own.replace("\n", "").isprintable() else plain.replace("\x7f", "\\u007f")
    assert dumps(document, ascii) == shown


def test_json_csv_and_remarks_of_the_table_never_import_rich() -> None:
    code = (
        "import sys\n"
        "from xentcli.renderers import csv, json, table\n"
        "from xentcli.report import Report, Warning, Confusion\n"
        "found = Report('', {}, {}, {}, warnings=[Warning('XW1', 'é')])\n"
        "json.render(found), table.render_warnings(found)\n"
        "csv.confusion(Confusion(['a'], [[1.0]]))\n"
        "assert not [name for name in sys.modules if name.partition('.')[0] == 'rich']\n"
    )
    root = Path(renderer.__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)
