"""Claims about lists in fields of text: the numbers are those of the text, or the row is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus.corpus import xent
from xentcli.readers.arrays import text_array
from xentcli.readers.writtenlists import Form, form_of, read

N, C = 60, 4
RNG = np.random.default_rng(5)
Z = RNG.standard_normal((N, C))
P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
Y = RNG.integers(0, C, N)
LOSS = float(-np.log(P[np.arange(N), Y]).mean())
WRITERS = {
    "json": lambda row: json.dumps(row.tolist()),
    "compact": lambda row: json.dumps(row.tolist(), separators=(",", ":")),
    "tuple": lambda row: str(tuple(row.tolist())),
    "numpy 2": lambda row: str(list(row)),
    "nested": lambda row: str([row.tolist()]),
    "spaces": lambda row: " ".join(map(repr, row.tolist())),
    "semicolons": lambda row: "; ".join(map(repr, row.tolist())),
    "tensor": lambda row: f"tensor({row.tolist()}, device='cuda:0', dtype=torch.float64)",
    "lines": lambda row: np.array2string(row, max_line_width=30, floatmode="unique"),
}


def written(path: Path, lists: list[str], labels: list[str] | None = None, name: str = "probs") -> Path:
    labels = labels or [str(y) for y in Y[: len(lists)]]
    rows = [f'{i},"{text}",{label}' for i, (text, label) in enumerate(zip(lists, labels, strict=True))]
    path.write_text("\n".join([f"id,{name},label", *rows, ""]))
    return path


@pytest.mark.parametrize("form", WRITERS)
def test_each_way_to_write_them_gives_the_same_number(tmp_path: Path, form: str) -> None:
    path = written(tmp_path / "p.csv", [WRITERS[form](row) for row in P])
    for options in ([], ["--pred", "probs", "--jobs", "2"]):
        found = xent("score", path, "--json", *options)
        assert found.code == 0, found.err
        assert found.value() == pytest.approx(LOSS, rel=1e-15)
        assert "lists written as text" in found.report["data"]["evidence"]["scores"]


def test_decimal_commas_tabs_and_what_stands_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "p.tsv"
    lists = [" ".join(map(repr, row.tolist())).replace(".", ",") for row in P]
    rows = [f"{y}\t{text}" for y, text in zip(Y, lists, strict=True)]
    path.write_text("\n".join(["label\tprobs", *rows, "0\tNA", "1\t", ""]))
    found = xent("score", path, "--decimal", ",", "--na", "NA", "--on-bad", "skip", "--json")
    assert found.code == 0 and found.value() == pytest.approx(LOSS, rel=1e-15)
    assert found.report["data"]["skipped"] == {"score_null": 2}


def test_labels_that_are_lists(tmp_path: Path) -> None:
    one = [f"[{', '.join('1' if j == y else '0' for j in range(C))}]" for y in Y]
    path = written(tmp_path / "p.csv", [WRITERS["numpy 2"](row) for row in P], [f'"{text}"' for text in one])
    assert xent("score", path, "--json").value() == pytest.approx(LOSS, rel=1e-15)
    q = RNG.dirichlet(np.ones(C), N)
    soft = [f'"{WRITERS["spaces"](row)}"' for row in q]
    path = written(tmp_path / "q.csv", [WRITERS["json"](row) for row in P], soft)
    right = float(-(q * np.log(P)).sum(axis=1).mean())
    assert xent("score", path, "--json").value() == pytest.approx(right, rel=1e-14)


def test_lists_of_the_likeliest_classes(tmp_path: Path) -> None:
    order = np.argsort(-P, axis=1)[:, : C - 1]
    path = tmp_path / "p.csv"
    rows = [f'{y},"{P[i][k].tolist()}","{k.tolist()}"' for i, (y, k) in enumerate(zip(Y, order, strict=True))]
    path.write_text("\n".join(["label,p,ids", *rows, ""]))
    options = ["--pred", "p", "--pred-ids", "ids", "--classes", str(C), "--only", "accuracy"]
    assert float(xent("score", path, *options).out) == np.mean(P.argmax(axis=1) == Y)


def _stored(path: Path, columns: dict[str, Any], kind: pa.DataType | None = None) -> Path:
    """The columns as a file of the kind that its name says, texts of a type."""
    if path.suffix == ".jsonl":
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path
    table = pa.table(
        {name: pa.array(x, kind if isinstance(x[0], str) else None) for name, x in columns.items()}
    )
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=7)
    else:
        with pa.ipc.new_file(path, table.schema) as file:
            file.write_table(table, 9)
    return path


CODED = pa.dictionary(pa.int32(), pa.string())


@pytest.mark.parametrize(
    ("name", "kind"),
    [("p.jsonl", None), ("p.parquet", None), ("p.parquet", pa.large_string()), ("p.parquet", CODED),
     ("p.arrow", None), ("p.arrow", pa.string_view()), ("p.arrow", CODED)],
)  # fmt: skip
def test_files_with_types_have_them_too(tmp_path: Path, name: str, kind: pa.DataType | None) -> None:
    columns: dict[str, Any] = {"probs": [WRITERS["numpy 2"](row) for row in P], "label": Y.tolist()}
    path = _stored(tmp_path / name, columns, kind)
    for options in ((), ("--jobs", "2", "--chunk-rows", "5")):
        assert xent("score", path, "--json", *options).value() == pytest.approx(LOSS, rel=1e-15)
    one = {"y": [f"[{', '.join('1' if j == y else '0' for j in range(C))}]" for y in Y]}
    path = _stored(tmp_path / name, {"probs": columns["probs"]} | one, kind)
    assert xent("score", path, "--json", "--label", "y").value() == pytest.approx(LOSS, rel=1e-15)
    texts = [*columns["probs"][:20], "[0.7, 0.1, 0.1, x]", columns["probs"][0]]
    found = xent("score", _stored(tmp_path / name, {"probs": texts, "label": Y.tolist()[:22]}, kind))
    assert found.code == 3 and "row 21" in found.err and "x]" in found.err and "[not_a_list]" in found.err
    texts = [None if i == 3 else text for i, text in enumerate(texts) if i != 20]
    path = _stored(tmp_path / name, {"probs": texts, "label": Y.tolist()[:21]}, kind)
    found = xent("score", path, "--on-bad", "skip", "--json")
    assert found.report["data"]["skipped"] == {"score_null": 1}


def test_texts_stay_texts_where_other_columns_are_the_scores_or_they_are_keys(tmp_path: Path) -> None:
    box = ["[0.1, 0.2]", "[0.5, 0.1]"] * (N // 2)
    columns: dict[str, Any] = {"box": box, "label": (Y > 1).astype(int).tolist(), "score": P[:, 0].tolist()}
    path = _stored(tmp_path / "p.parquet", columns)
    found = xent("score", path, "--by", "box", "--json").report
    assert found["data"]["pred"] == "score" and {row["by"]["box"] for row in found["slices"]} == set(box)
    assert xent("score", path, "--pred", "box", "--kind", "logits", "--json").report["data"]["pred"] == "box"


def test_calibrated_rows_have_the_text_as_it_was(tmp_path: Path) -> None:
    columns: dict[str, Any] = {"probs": [WRITERS["spaces"](row) for row in P], "label": Y.tolist()}
    path = _stored(tmp_path / "p.parquet", columns)
    fit = ("--method", "histogram", "--label", "label", "-o", tmp_path / "map.json")
    assert xent("calibrate", "fit", path, *fit).code == 0
    for name in ("p.parquet", "p.jsonl", "p.arrow"):
        path = _stored(tmp_path / name, columns)
        assert xent("calibrate", "apply", tmp_path / "map.json", path, "-o", tmp_path / "o.parquet").code == 0
        table = pq.read_table(tmp_path / "o.parquet")
        assert table.column_names == ["probs", "label", "calibrated"]
        assert table["probs"].to_pylist() == columns["probs"] and len(table["calibrated"][0]) == C


BAD = ["[0.7, 0.1, 0.1, x]", "[0.7,, 0.1, 0.1]", "[0.7 0.1 0.1 0.1]", "[0.7, 0.1, 0.1, 0.1", "nothing",
       "[0.7, 0.1, 0.1, 0.1)", "[0.7, 0.1] [0.1, 0.1]", "[0.7, 0.1, 0.1, None]", "[0.7, 0.1, 0.1, 1e999]",
       "[0.7, 0.1, 0.1, 0.1,]", "[0.7, 0.1, 0.1 0.1]", "0.7, 0.1, 0.1, 0.1", "[[0.7], [0.3]]"]  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_a_field_that_holds_no_list_is_refused_with_its_place(tmp_path: Path, text: str) -> None:
    lists = [WRITERS["json"](row) for row in P[:9]]
    found = xent("score", written(tmp_path / "p.csv", [*lists, text]))
    assert found.code == 3 and "[not_a_list]" in found.err
    assert "row 10 (line 11)" in found.err and 'column "probs"' in found.err and text[:9] in found.err


def test_lists_of_several_lengths_and_cut_ones(tmp_path: Path) -> None:
    lists = [WRITERS["json"](row) for row in P[:9]]
    found = xent("score", written(tmp_path / "p.csv", [*lists, "[0.7, 0.3]"]))
    assert found.code == 3 and "row 10" in found.err and "holds 2 values, not 4" in found.err
    found = xent("score", written(tmp_path / "p.csv", [*lists, "[0.7, 0.1, ..., 0.1]"]))
    assert found.code == 3 and "NumPy has cut" in found.err
    assert xent("score", written(tmp_path / "p.csv", ["[0.1 ... 0.1]"])).code == 3


@pytest.mark.parametrize("text", ["(0.1, 0.9]", "[a, b]", "[1]", "2026 11 27", "10.5.2", "0.1 - 0.9", "cat"])
def test_texts_that_only_look_alike_stay_texts(text: str) -> None:
    assert form_of("when", [text, None, " "], ".") is None


def test_whole_numbers_without_brackets_need_a_name(tmp_path: Path) -> None:
    assert form_of("size", ["10 20", "3 4"], ".") is None
    assert form_of("label", ["1 0", "0 1"], ".") == Form(False, None, False, ".")
    assert form_of("box", ["10.5 20", "3 4"], ".") == Form(False, None, False, ".")


LISTS = st.lists(st.one_of(st.none(), st.lists(st.floats(), min_size=1, max_size=5)), min_size=1, max_size=6)
BETWEEN = st.sampled_from([", ", ",", " ", "\n ", ";", " | "])


@given(LISTS, BETWEEN, st.booleans())
def test_the_numbers_are_those_that_python_reads(
    lists: list[list[float] | None], between: str, brackets: bool
) -> None:
    left, right = ("[ ", "] ") if brackets else (" ", "")
    cells = [None if row is None else left + between.join(map(repr, row)) + right for row in lists]
    mark = between.strip()
    found = read(text_array(cells), Form(brackets, ord(mark) if mark else None, False, "."))
    assert found is not None
    np.testing.assert_equal(found.to_pylist(), lists)
    part = pa.concat_arrays([text_array(["x"]), text_array(cells)]).slice(1)
    again = read(part, Form(brackets, ord(mark) if mark else None, False, "."))
    assert again is not None
    np.testing.assert_equal(again.to_pylist(), lists)


def test_a_list_beyond_all_bounds_is_refused_before_it_is_read(tmp_path: Path) -> None:
    lists = [WRITERS["json"](row) for row in P[:9]]
    path = written(tmp_path / "p.csv", [*lists, "[" + "0," * 2_000_000 + "0]"])
    found = xent("score", path, "--max-memory", "450MB")
    assert found.code == 3 and "row 10" in found.err and "a list longer than 3,433 KiB" in found.err


def test_no_field_takes_long_to_look_at() -> None:
    for text in (
        "1" * 100_000,
        "[" * 100_000,
        " " * 99_999 + "x",
        "1 " * 50_000 + "x",
        "np.float64(" * 9_999,
    ):
        assert form_of("probs", [text], ".") is None


def test_lists_without_a_name_are_not_taken_before_a_column_named_score(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    rows = [
        f'"[{p}, {1 - p}]",{1 - p},{y}\n' for p, y in zip(P[:, 0].tolist(), (Y % 2).tolist(), strict=True)
    ]
    path.write_text("".join([",score,label\n", *rows]))
    asked = xent("score", path)
    assert asked.code == 3 and "--pred score --label label or --pred '' --label label" in asked.err
    assert '· probabilities in "" ·' in xent("score", path, "--pred", "").out
    path.write_text("".join([",label\n", *(row.replace(row.split(",")[2] + ",", "", 1) for row in rows)]))
    assert xent("score", path).code == 0
