"""Scores in a form that is not read: the message says what they are, and what it says to type works."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import which

import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import Outcome, xent

RIGHT = -(np.log(0.9) + np.log(0.3)) / 2
LISTS = {
    "json": ("[0.1, 0.9]", "[0.7, 0.3]"),
    "numpy": ("[0.1 0.9]", "[7.e-01  3.0e-1]"),
    "tuple": ("(0.1, .9)", "( 0.7, 0.3)"),
    "lines": ("[0.1\n 0.9]", "[0.7\n 0.3]"),
}


def command(found: Outcome) -> str:
    """What a message says to type."""
    return found.err.partition("try: ")[2].strip()


def jsonl(path: Path, lists: tuple[str, ...], **more: float) -> Path:
    """Rows of label 1 with a list as a text."""
    path.write_text("".join(json.dumps({"label": 1, "probs": text} | more) + "\n" for text in lists))
    return path


@pytest.mark.parametrize("form", LISTS)
def test_lists_as_text_are_read(tmp_path: Path, form: str) -> None:
    path = jsonl(tmp_path / "p.jsonl", LISTS[form])
    for options in ([], ["--pred", "probs"]):
        found = xent("score", path, *options, "--json")
        assert found.code == 0 and found.value() == pytest.approx(RIGHT, rel=1e-15)
        assert "lists written as text" in found.report["data"]["evidence"]["scores"]


def test_lists_written_in_several_ways_are_not(tmp_path: Path) -> None:
    found = xent("score", jsonl(tmp_path / "p.jsonl", ("[0.1, 0.9]", "[0.3 0.7]")))
    assert found.code == 3 and "written as text" in found.err and "in one way" in found.err


def test_lists_of_another_name_do_not_stand_in_the_way(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "p.jsonl", LISTS["json"], score=0.9)
    path.write_text(path.read_text().replace("probs", "box") + '{"label": 0, "score": 0.6}\n')
    assert xent("score", path).code == 0


def test_lists_that_numpy_cut(tmp_path: Path) -> None:
    found = xent("score", jsonl(tmp_path / "p.jsonl", ("[0.1 0.2 ... 0.3 0.1]",)))
    assert found.code == 3 and "left numbers out" in found.err and "import pandas" not in found.err


@pytest.mark.parametrize("text", ["[a, b]", "[1]", "[0.1, 0.9", "[0.1 - 0.9]"])
def test_other_texts_are_no_lists(tmp_path: Path, text: str) -> None:
    found = xent("score", jsonl(tmp_path / "p.jsonl", (text,)))
    assert found.code == 3 and "[which_scores]" in found.err


def test_a_list_of_objects(tmp_path: Path) -> None:
    pairs = [[("yes", 0.9), ("no", 0.1)], [("no", 0.7), ("yes", 0.3)]]
    rows = [
        {"truth": "yes", "output": [{"label": name, "score": p} for name, p in row]} for row in pairs
    ]  # fmt: skip
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for options in ([], ["--pred", "output"]):
        found = xent("score", path, *options)
        assert found.code == 3 and "list of objects (label, score) in each row" in found.err
    if which("jq") is None:
        pytest.skip("no jq")
    words = command(found).partition(" > ")[0].replace("FILE", str(path))
    (tmp_path / "new.jsonl").write_bytes(
        subprocess.run(words, shell=True, capture_output=True, check=True).stdout
    )
    scored = xent("score", tmp_path / "new.jsonl", "--label", "truth", "--json")
    assert scored.code == 0, scored.err
    assert scored.value() == pytest.approx(RIGHT, rel=1e-15)


def test_a_list_of_other_objects_is_told_with_its_keys(tmp_path: Path) -> None:
    """Completions, say, have no label and score that a command could take."""
    path = tmp_path / "p.jsonl"
    path.write_text('{"choices": [{"text": "a", "logprobs": {"token_logprobs": [-0.1]}}]}\n')
    assert "[which_label]" in xent("score", path).err, "not: no rows"
    found = xent("score", path, "--pred", "choices")
    assert found.code == 3 and "list of objects (text, logprobs) in each row" in found.err
    assert "jq" not in found.err and "column for each class" in found.err


P = [{"yes": 0.9, "no": 0.1}, {"no": 0.7, "yes": 0.3}]
NESTED = {
    "a map": pa.array([list(p.items()) for p in P], pa.map_(pa.string(), pa.float64())),
    "a list of objects (label, score)": pa.array(
        [[{"label": name, "score": p} for name, p in row.items()] for row in P]),
    "a list of lists": pa.array([[[p["no"], p["yes"]]] for p in P]),
    "a list of lists; fixed": pa.array(
        [[[p["no"], p["yes"]]] for p in P], pa.list_(pa.list_(pa.float64(), 2), 1)),
}  # fmt: skip


@pytest.mark.parametrize("each", NESTED)
def test_what_is_nested_in_parquet_and_what_makes_columns_of_it(
    tmp_path: Path, each: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pa.table({"id": [0.25, 0.5], "probs": NESTED[each], "truth": ["yes", "yes"]})
    pq.write_table(table, tmp_path / "FILE")
    named = ("score", tmp_path / "FILE", "--input-format", "parquet", "--label", "truth")
    for options in ([], ["--pred", "probs"]):
        found = xent(*named, *options)
        assert found.code == 3 and f'"probs" holds {each.partition(";")[0]} in each row' in found.err
    monkeypatch.chdir(tmp_path)
    exec(command(found).partition(", if each row")[0].removeprefix('python3 -c "').removesuffix('"'))
    said = ["--pred", "probs", "--classes", "no,yes"] if "lists" in each else ["--pred", "p_*"]
    scored = xent("score", tmp_path / "NEW.parquet", "--label", "truth", *said, "--json")
    assert scored.code == 0, scored.err
    assert scored.value() == pytest.approx(RIGHT, rel=1e-15)


@pytest.mark.parametrize("text", ["0.2", "1e-3", "tensor(0.2)", "1/2"])
@pytest.mark.parametrize("listed", [False, True])
def test_texts_that_are_to_be_scores_are_shown(tmp_path: Path, text: str, listed: bool) -> None:
    path = tmp_path / "p.parquet"
    pq.write_table(pa.table({"probs": [[text] * 2 if listed else text] * 2, "label": [0, 1]}), path)
    found = xent("score", path, "--kind", "probs", "--pred", "probs")
    what = "numbers written as text" if text[-1].isdigit() and "/" not in text else "text"
    assert found.code == 3 and f'"probs" holds {what} ("{text}")' in found.err
    assert (".astype(float)" in found.err) == (what != "text")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("write", [json.dumps, str])
def test_objects_as_text_and_what_makes_objects_of_them(
    tmp_path: Path, kind: str, write: Callable[[object], str]
) -> None:
    texts = [write({"yes": 0.9, "no": 0.1}), write({"no": 0.7, "yes": 0.3})]
    frame = pandas.DataFrame({"probs": texts, "truth": ["yes", "yes"]})
    path = tmp_path / f"p.{kind}"
    if kind == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    for options in ([], ["--pred", "probs"]):
        found = xent("score", path, *options)
        assert found.code == 3 and 'column "probs" holds objects written as text ("{' in found.err
    if kind == "jsonl" and write is str:
        assert "column for each class" in found.err
        return
    if kind == "jsonl" and which("jq") is None:
        pytest.skip("no jq")
    words = command(found).replace("FILE", str(path)).replace("python3", sys.executable)
    new = tmp_path / f"NEW.{'parquet' if kind == 'parquet' else 'jsonl'}"
    subprocess.run(words, shell=True, check=True, cwd=tmp_path)
    scored = xent("score", new, "--label", "truth", "--json")
    assert scored.code == 0 and scored.value() == pytest.approx(RIGHT, rel=1e-15)


@pytest.mark.parametrize(
    "text", ["{}", '{"a": 1}', '{"a": "b", "c": "d"}', "{1, 2}", "{", '{"a": 1, "b": true}']
)
def test_other_texts_are_no_objects(tmp_path: Path, text: str) -> None:
    found = xent("score", jsonl(tmp_path / "p.jsonl", (text,)))
    assert found.code == 3 and "[which_scores]" in found.err


@pytest.mark.parametrize("classes", [3, 12])
@pytest.mark.parametrize("extra", ["", "id,"])
def test_columns_with_nothing_but_numbers_are_asked_about(tmp_path: Path, classes: int, extra: str) -> None:
    z = np.random.default_rng(3).standard_normal((30, classes))
    y = np.arange(30) % classes
    names = ",".join(map(str, range(classes)))
    rows = [
        f"{'7,' if extra else ''}{k},{','.join(map(repr, row.tolist()))}" for k, row in zip(y, z, strict=True)
    ]
    path = tmp_path / "p.csv"
    path.write_text("\n".join([f"{extra}label,{names}", *rows, ""]))
    found = xent("score", path)
    assert found.code == 3 and "the scores of these classes" in found.err and "features" in found.err
    said = command(found).partition(" if they are")[0].replace("'", "").split()
    scored = xent("score", path, *said, "--json")
    assert scored.code == 0, scored.err
    right = float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(30), y]))
    assert scored.value() == pytest.approx(right, rel=1e-13)
