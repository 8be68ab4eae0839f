"""`xent inspect` says what `xent score` would do, from the first rows, and types the line that does it."""

from __future__ import annotations

import gzip
import json
import re
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.contract.test_explanations import EXAMPLES, follow
from tests.corpus.corpus import Outcome, good, parquet, process, refused, score, strict, text, xent
from tests.corpus.test_corpus_memory import cost
from xentcli import inspecting, scoring
from xentcli.explanations import Entry
from xentcli.renderers import inspection, strip
from xentcli.renderers.table import Look
from xentcli.settings import Settings

SAMPLES = ["cancer.csv", "cancer.parquet", "digits_good.parquet", "digits_logits.parquet"]


def look(*argv: object) -> dict[str, Any]:
    """The JSON document of a look that succeeds."""
    outcome = xent("inspect", "--json", *argv)
    assert outcome.code == 0 and outcome.err == "", outcome
    found: dict[str, Any] = strict(outcome.out)
    assert found["schema"] == "xent.inspect/1"
    return found


def typed(line: str) -> Outcome:
    """Type a line that a look prints."""
    command, *words = shlex.split(line)
    assert command == "xent" and words[0] == "score"
    return xent(*words, "--json")


# -- what is there ---------------------------------------------------------------------------------
@pytest.mark.parametrize("name", SAMPLES)
def test_a_look_says_what_scoring_finds(name: str, samples: Path) -> None:
    found = look(samples / name)
    (line,) = found["commands"]
    data = typed(line).report["data"]
    for key in ("task", "kind", "pred", "label", "bound", "classes", "evidence"):
        assert found["reading"][key] == data[key]
    assert found["rows"] == data["rows"] and found["rows_exact"]
    assert found["exit_code"] == 0 and found["readings"] == []


def test_the_footer_is_told(tmp_path: Path) -> None:
    values = np.linspace(0.1, 0.9, 5000)
    path = parquet(
        tmp_path / "a.parquet",
        {"p_0": 1 - values, "p_1": values, "y": [0, 1] * 2500},
        row_group_size=2000, compression="zstd",
    )  # fmt: skip
    found = look(path)
    (file,) = found["files"]
    assert file["bytes"] == path.stat().st_size and file["rows"] == 5000 and file["format"] == "parquet"
    assert file["facts"]["row_groups"] == 3 and file["facts"]["rows_per_group"] == [1000, 2000]
    assert file["facts"]["compression"] == ["zstd"]
    assert found["sampled"] == 1000
    first = found["columns"][0]
    assert (first["name"], first["stored"], first["role"]) == ("p_0", "double", "scores")
    assert first["low"] == pytest.approx(0.1) and first["high"] == pytest.approx(0.9)  # of all rows
    assert [column["role"] for column in found["columns"]] == ["scores", "scores", "label"]


def test_labels_of_the_first_rows_are_counted(tmp_path: Path) -> None:
    rows = "".join(f"{p},{1 - p},{y}\n" for p, y in [(0.25, "b"), (0.5, "a"), (0.75, "b"), (0.5, "b")])
    found = look(text(tmp_path / "a.csv", "p_a,p_b,label\n" + rows))
    assert found["labels"] == [{"label": "b", "count": 3}, {"label": "a", "count": 1}]


def test_shards_are_one_set(tmp_path: Path) -> None:
    paths = [good(tmp_path / f"{name}.parquet") for name in "ab"]
    found = look(*paths)
    assert found["rows"] == 8 and len(found["files"]) == 2
    assert typed(found["commands"][0]).report["data"]["rows"] == 8


def test_rows_of_a_long_text_are_estimated(tmp_path: Path) -> None:
    path = text(tmp_path / "a.csv", "p_0,p_1,y\n" + "0.25,0.75,1\n" * 200_000)
    found = look(path)
    assert not found["rows_exact"] and 0.9 < found["rows"] / 200_000 < 1.1


def test_standard_input_is_looked_at(samples: Path) -> None:
    with (samples / "cancer.csv").open("rb") as file:
        outcome = process("inspect", "-", "--json", stdin=file)
    assert outcome.code == 0 and outcome.report["rows"] == 569
    assert outcome.report["commands"] == ["xent score -"]
    assert outcome.report["estimate"]["seconds"] > 0  # nothing is left to be read


def test_rows_of_classes_are_timed_as_items(tmp_path: Path) -> None:
    item = np.repeat(np.arange(3_000), 2)
    columns = {"id": item, "class": np.tile(["a", "b"], 3_000), "score": np.tile([0.25, 0.75], 3_000)}
    path = parquet(tmp_path / "a.parquet", {**columns, "label": np.where(item % 2, "a", "b")})
    found = look(path, "--id", "id", "--class-column", "class", "--label", "label", "--pred", "score")
    assert found["sampled"] == 500 and 0 < found["estimate"]["seconds"] < 60


def test_more_rows_take_more_time_and_no_more_memory(tmp_path: Path) -> None:
    sizes = (1_000, 1_000_000)
    found = []
    for rows in sizes:
        values = np.linspace(0.1, 0.9, rows)
        path = parquet(tmp_path / f"{rows}.parquet", {"score": values, "label": np.arange(rows) % 2})
        found.append(look(path)["estimate"])
    assert found[0]["seconds"] < found[1]["seconds"] < 60
    assert found[0]["bytes"] <= found[1]["bytes"]


def test_the_time_is_that_of_the_rows_as_they_were_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that scoring moves by 0.3 s a run and 2 µs a row, on a file for two threads."""
    rows, clock, real = 4_000_000, [0.0], scoring.fold

    def fold(what: Any, sources: Any, settings: Any) -> Any:
        clock[0] += 0.3 + 2e-6 * settings.limit
        return real(what, sources, settings)

    path = parquet(tmp_path / "a.parquet", {"score": np.full(rows, 0.5), "label": np.arange(rows) % 2})
    monkeypatch.setattr(scoring, "fold", fold)
    monkeypatch.setattr(scoring, "cores", lambda: 2)
    monkeypatch.setattr(
        inspecting, "time", SimpleNamespace(perf_counter=lambda: clock[0], process_time=lambda: 0.5)
    )
    assert look(path)["estimate"]["seconds"] == pytest.approx(0.5 + (rows - 1000) * 2e-6 / 2, rel=1e-9)


def test_the_memory_is_what_scoring_adds_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What inspect says is the least --max-memory that scoring takes with as many threads."""
    monkeypatch.setattr(scoring, "cores", lambda: 1)
    z = np.random.default_rng(0).normal(size=(70_000, 40))
    wide = parquet(tmp_path / "wide.parquet", {**{f"logit_{i}": z[:, i] for i in range(40)},
                                               "label": np.arange(70_000) % 40})  # fmt: skip
    one = parquet(
        tmp_path / "one.parquet", {"score": np.linspace(0.1, 0.9, 70_000), "label": [0, 1] * 35_000}
    )
    lines = text(tmp_path / "a.csv", "p_0,p_1,p_2,y\n" + "0.25,0.5,0.25,0\n" * 2000)
    for path in (wide, one, lines):
        told = look(path)["estimate"]["bytes"]
        enough, less = f"{told // 10**6 + 1}MB", f"{told // 10**6 - 1}MB"
        assert score(path, "--max-memory", enough).code == 0
        refused(score(path, "--max-memory", less), 3, f"at least {-(-told // 10**6)}MB")
        monkeypatch.setattr(scoring, "cores", lambda: 2)
        assert look(path)["estimate"]["bytes"] > told or path is one  # whose ranking is read with one thread
        monkeypatch.setattr(scoring, "cores", lambda: 1)


def test_a_run_stays_below_the_memory_that_is_told(tmp_path: Path) -> None:
    n = 400_000
    p, luck = np.random.default_rng(0).random((2, n))
    path = parquet(tmp_path / "a.parquet", {"p": p, "label": (luck < p).astype(int)})
    told = look(path)["estimate"]["bytes"]
    assert cost(tmp_path, path).peak < told / 10**6


# -- the line to type ------------------------------------------------------------------------------
def test_the_line_is_quoted_and_carries_the_options(tmp_path: Path) -> None:
    scores = {"p a": [0.25, 0.9], "p b": [0.75, 0.1]}
    path = parquet(tmp_path / "it's a $file.parquet", scores | {"y": ["b", "a"], "split": ["x y", "x y"]})
    found = look(path, "--pred", "p *", "--label", "y", "--where", "split=x y", "--on-bad", "skip",
                 "--renormalize", "--limit", "5")  # fmt: skip
    (line,) = found["commands"]
    report = typed(line).report
    assert report["data"]["rows"] == 2 and report["data"]["pred"] == "p *"
    assert all(option in line for option in ("--where", "--on-bad skip", "--renormalize", "--limit 5"))
    roles = {column["name"]: column["role"] for column in found["columns"]}
    assert roles == {"p a": "scores", "p b": "scores", "y": "label", "split": "filter"}


def test_a_file_that_begins_with_a_dash_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good(tmp_path / "-a.parquet")
    monkeypatch.chdir(tmp_path)
    assert typed(look("./-a.parquet")["commands"][0]).code == 0


def test_a_question_is_a_result_with_a_line_for_each_reading(samples: Path) -> None:
    found = look(samples / "two_models.csv")
    assert found["exit_code"] == 3 and found["problems"][0]["id"] == "which_positive"
    assert len(found["readings"]) == len(found["commands"]) == 4 and found["reading"] is None
    told = set()
    for reading, line in zip(found["readings"], found["commands"], strict=True):
        report = typed(line).report
        assert report["data"]["pred"] in reading["means"]
        assert f'"{report["data"]["positive"]}"' in reading["means"]
        told.add(reading["means"])
    assert len(told) == 4


def test_a_reading_keeps_the_options_that_were_given_and_replaces_those_it_settles(tmp_path: Path) -> None:
    rows = "a_0,a_1,b_0,b_1,label,w\n0.2,0.8,0.3,0.7,1,1\n0.9,0.1,0.6,0.4,0,2\n"
    found = look(text(tmp_path / "a.csv", rows), "--label", "label", "--weight", "w")
    assert len(found["commands"]) == 2
    for line in found["commands"]:
        assert line.count("--label") == 1 and line.count("--weight w") == 1
        assert typed(line).report["data"]["weight"] == 3.0


# -- what is wrong ---------------------------------------------------------------------------------
_SHOWN = [entry for entry in EXAMPLES if entry.example[-1].startswith("xent score")]
_AFTER_ALL = ("json_type", "json_late", "usage", "sha256", "labels_unused", "XW112", "XW118", "XW121")
# all but the first need all of a file, or more than its first rows


@pytest.mark.parametrize("entry", _SHOWN, ids=lambda entry: entry.id)
def test_a_look_tells_what_scoring_would_say(
    entry: Entry, tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    *before, last = entry.example
    if any("1001" in line or "head -n 1000" in line for line in before):
        pytest.skip("the bad row comes after those that are read first")
    options = {word for word in shlex.split(last) if word.startswith("-") and len(word) > 1}
    known = set(re.findall(r"^  (--[a-z0-9-]+)", xent("inspect", "--help").out, re.MULTILINE))
    if entry.id in _AFTER_ALL or not options <= known:
        pytest.skip("not about what is read first")
    (tmp_path / "sample_data").symlink_to(samples)
    monkeypatch.chdir(tmp_path)
    outcome = follow((*before, last.replace("xent score", "xent inspect") + " --json"))
    if outcome.code:
        assert outcome.code == entry.code and f"[{entry.id}]" in outcome.err and outcome.out == ""
        return
    found = strict(outcome.out)
    assert entry.id in [problem["id"] for problem in found["problems"]]
    assert found["exit_code"] == entry.code


def test_a_bad_row_is_told_with_its_place_and_the_facts_remain(tmp_path: Path) -> None:
    path = text(tmp_path / "a.csv", "p_0,p_1,label\n0.2,0.8,1\n0.9,0.1,7\n")
    found = look(path)
    (problem,) = found["problems"]
    assert problem["id"] == "label_unknown" and "row 2" in problem["where"] and problem["remedy"]
    assert found["reading"]["kind"] == "probs" and found["rows"] == 2
    shown = xent("inspect", path).out
    assert "error label_unknown" in shown and "exit code 3" in shown


def test_what_has_no_columns_to_show_ends_as_scoring_does(tmp_path: Path) -> None:
    refused(
        xent("inspect", text(tmp_path / "a.parquet", b"PAR1\0\0\0\0 and no more")), 3, "[parquet_truncated]"
    )
    refused(xent("inspect", tmp_path / "none.parquet", "--json"), 2, "[no_file]")
    refused(xent("inspect", good(tmp_path / "b.parquet"), "--kind", "prob"), 2, "[choice]")


def test_a_file_without_rows_is_shown(tmp_path: Path) -> None:
    found = look(text(tmp_path / "a.csv", "p_0,p_1,label\n"))
    assert found["rows"] == 0 and found["exit_code"] == 4 and found["problems"][0]["id"] == "no_rows"
    assert [column["name"] for column in found["columns"]] == ["p_0", "p_1", "label"]


# -- safety and cost -------------------------------------------------------------------------------
def test_text_from_data_is_shown_and_never_obeyed(tmp_path: Path) -> None:
    names = ["[red]a", "\x1b[31mb", "::error::c"]
    columns = {f"p_{name}": [1 / 3] * 3 for name in names}
    path = parquet(tmp_path / "a.parquet", columns | {"label": names})
    shown = xent("inspect", path, "-v")  # control characters are looked for in every outcome
    assert shown.code == 0 and "[red]a" in shown.out and "\\x1b[31mb" in shown.out
    assert not any(line.lstrip().startswith("::") for line in shown.out.splitlines())
    assert look(path)["reading"]["classes"] == names


def test_many_columns_fill_no_screen(tmp_path: Path) -> None:
    scores = np.full(3, 1 / 300)
    path = parquet(tmp_path / "a.parquet", {f"p_{i}": scores for i in range(300)} | {"label": [0, 1, 2]})
    assert len(xent("inspect", path).out.splitlines()) < 30
    assert len(xent("inspect", path, "-v").out.splitlines()) > 300
    assert len(look(path)["columns"]) == 301


def test_only_the_footer_and_the_first_rows_are_read(tmp_path: Path) -> None:
    rows = 2_000_000
    values = np.random.default_rng(0).random((8, rows), np.float32)
    table = {f"logit_{i}": values[i] for i in range(8)} | {"label": np.zeros(rows, np.int8)}
    path = parquet(tmp_path / "a.parquet", pa.table(table), row_group_size=rows, use_dictionary=False)

    def done() -> int:
        lines = Path("/proc/self/io").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("rchar")))

    before = done()
    assert look(path)["rows"] == rows
    assert done() - before < path.stat().st_size / 2


def test_neither_pandas_nor_rich_is_loaded(samples: Path) -> None:
    code = (
        "import sys; from xentcli.cli.app import main; main(['inspect', sys.argv[1]]);"
        "print(json.dumps([m for m in ('pandas', 'rich.console') if m in sys.modules]), file=sys.stderr)"
    )
    import subprocess
    import sys

    words = [sys.executable, "-c", "import json; " + code, str(samples / "cancer.parquet")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert json.loads(done.stderr) == []


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "arrows"])
def test_rows_of_unknown_number_take_so_long_a_million(tmp_path: Path, kind: str) -> None:
    path, rows = tmp_path / f"a.{kind}", 50_000
    if kind == "arrows":
        table = pa.table({"p_0": [0.25] * rows, "p_1": [0.75] * rows, "y": [1] * rows})
        with pa.ipc.new_stream(path, table.schema) as sink:
            sink.write_table(table)
    else:
        lines = b"p_0,p_1,y\n" + b"0.25,0.75,1\n" * rows
        path.write_bytes(gzip.compress(lines) if kind == "csv.gz" else lines)
    with path.open("rb") as file:
        shown = process("inspect", path if kind == "csv.gz" else "-", stdin=file).out
    assert re.search(r"to score  (about \d+ s|under 1 s) per million rows, at most", shown)


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("cells", [50, 80, 100])
def test_a_look_fits_the_terminal(samples: Path, tmp_path: Path, cells: int, ascii_only: bool) -> None:
    """Words are folded, and columns that are left out are named."""
    names = [f"p_日本語 class number {j}" for j in (1, 2)]
    wide = parquet(tmp_path / "w.parquet", {name: [0.5, 0.5] for name in names} | {"y": [1, 2]})
    for path in (samples / "digits_overconfident.parquet", samples / "two_models.csv", wide):
        found = inspecting.inspect([str(path)], Settings())
        found.commands = ["xent score"] * max(1, len(found.readings))
        text = inspection.render(found, Look(cells, ascii_only), verbose=True)
        too_wide = [line for line in text.splitlines() if strip.wide(line) > cells]
        assert all(str(path) in line for line in too_wide)  # a path is one word
        columns = ("stored as", "from", "to", "first values")
        head = next(line for line in text.splitlines() if line.startswith("  column "))
        gone = re.search("no room for: (.*)", text)
        assert text.isascii() or not ascii_only
        assert [name for name in columns if name not in head] == sorted(
            gone[1].split(", ") if gone else [], key=columns.index
        )
