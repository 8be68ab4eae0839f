"""`apply` writes what the map says of every row, in order, beside all that was there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

import xentcli
from tests.calibrating.made import binary, classes, softmax, write
from tests.corpus.corpus import Outcome, process, refused, xent
from xentcli.calibrating import CalibrationMap, apply, load
from xentcli.errors import DataError


def fitted(path: Path, to: Path, *words: str) -> CalibrationMap:
    """The map of a file, written to `to`."""
    assert xent("calibrate", "fit", path, "-o", to, *words).code == 0
    return load(str(to))


def applied(path: Path, to: Path, *words: object) -> Outcome:
    """`map.json` beside `to` applied to a file."""
    return xent("calibrate", "apply", to.parent / "map.json", path, "-o", to, *words)


@pytest.mark.parametrize("method", ["temperature", "vector", "platt", "beta", "histogram", "isotonic"])
def test_scoring_what_is_written_gives_the_figures_of_the_map(
    method: str, samples: Path, tmp_path: Path
) -> None:
    for name in ("digits_overconfident.parquet", "digits_logits.parquet", "cancer.parquet"):
        if (method, name) in (("vector", "cancer.parquet"), ("beta", "digits_logits.parquet")):
            continue
        found = fitted(samples / name, tmp_path / "map.json", "--method", method)
        assert applied(samples / name, tmp_path / "out.parquet").code == 0
        before, after = pq.read_table(samples / name), pq.read_table(tmp_path / "out.parquet")
        assert after.select(before.column_names).equals(before)
        report = xentcli.score(tmp_path / "out.parquet", pred="calibrated*", label="label", kind="probs")
        for key, value in found.found["in_sample"].items():
            assert report.metrics[key].to_dict() == value, key


def test_rows_are_in_order_however_the_file_is_cut_and_read(tmp_path: Path) -> None:
    z, y = classes(300, 4)
    text = [f"row {i}" for i in range(300)]
    path = write(tmp_path / "a.parquet", z, y, groups=41, text=text, when=np.arange(300).astype("M8[s]"))
    fitted(path, tmp_path / "map.json", "--kind", "logits", "--method", "vector")
    outputs = []
    for chunk in ("1", "7", "100000"):
        words = ["calibrate", "apply", tmp_path / "map.json", path, "-o", tmp_path / f"{chunk}.parquet"]
        assert xent(*words, "--chunk-rows", chunk).code == 0
        outputs.append(pq.read_table(tmp_path / f"{chunk}.parquet"))
    assert outputs[0].equals(outputs[1]) and outputs[0].equals(outputs[2])
    assert outputs[0]["text"].to_pylist() == text and outputs[0]["when"].equals(pq.read_table(path)["when"])
    found = load(str(tmp_path / "map.json"))
    wanted = found.probabilities(z)
    assert (
        np.stack([outputs[0][f"calibrated_{k}"].to_numpy() for k in range(4)], axis=1).tolist()
        == wanted.tolist()
    )
    assert pq.ParquetFile(tmp_path / "7.parquet", page_checksum_verification=True).read().num_rows == 300


def test_several_files_go_to_one_in_order(tmp_path: Path) -> None:
    z, y = binary(400)
    parts = [
        write(tmp_path / f"{i}.parquet", z[part], y[part])
        for i, part in enumerate(np.split(np.arange(400), 4))
    ]
    found = fitted(parts[0], tmp_path / "map.json", "--kind", "logits", "--method", "platt")
    done = apply(found, list(map(str, parts)), str(tmp_path / "out.parquet"))
    assert done.rows == 400 and done.columns == ("calibrated",)
    assert (
        pq.read_table(tmp_path / "out.parquet")["calibrated"].to_pylist() == found.probabilities(z).tolist()
    )


def test_shards_agree_in_columns_and_are_written_in_the_types_of_the_first(tmp_path: Path) -> None:
    z, y = classes(60, 3)
    found = fitted(write(tmp_path / "0.parquet", z, y), tmp_path / "map.json", "--kind", "logits")
    table = pq.read_table(tmp_path / "0.parquet")
    pq.write_table(table.select(table.column_names[::-1]), tmp_path / "1.parquet")
    narrow = table.set_column(3, "label", table["label"].cast(pa.int8()))
    pq.write_table(narrow, tmp_path / "2.parquet")
    pq.write_table(table.set_column(3, "label", pa.array(["x"] * 60)), tmp_path / "3.parquet")
    pq.write_table(table.append_column("more", table["label"]), tmp_path / "4.parquet")
    paths = [str(tmp_path / f"{i}.parquet") for i in range(5)]
    apply(found, paths[:3], str(tmp_path / "o.parquet"))
    out = pq.read_table(tmp_path / "o.parquet")
    assert out["label"].to_pylist() == y.tolist() * 3 and out["label"].type == pa.int64()
    assert out["p_0"].to_pylist() == z[:, 0].tolist() * 3
    refused(applied(tmp_path / "0.parquet", tmp_path / "p.parquet", paths[3]), 3, "string", "[shards_differ]")
    refused(applied(tmp_path / "0.parquet", tmp_path / "p.parquet", paths[4]), 3, "more", "[shards_differ]")


def test_a_type_that_parquet_has_not_is_refused(tmp_path: Path) -> None:
    z, y = classes(60, 3)
    path = write(tmp_path / "0.parquet", z, y)
    found = fitted(path, tmp_path / "map.json", "--kind", "logits")
    spans = pa.array([(1, 2, 3)] * 60, pa.month_day_nano_interval())
    table = pq.read_table(path).append_column("t", spans)
    with pa.ipc.new_file(tmp_path / "a.arrow", table.schema) as file:
        file.write_table(table)
    with pytest.raises(DataError, match=r'column "t" \(month.* cannot be written to Parquet') as error:
        apply(found, [str(tmp_path / "a.arrow")], str(tmp_path / "o.parquet"))
    assert error.value.id == "unwritable_type" and not (tmp_path / "o.parquet").exists()


def test_files_without_labels_are_enough(tmp_path: Path) -> None:
    z, y = classes(300, 3)
    fitted(write(tmp_path / "a.parquet", softmax(z), y), tmp_path / "map.json", "--method", "temperature")
    bare = pq.read_table(tmp_path / "a.parquet").drop_columns(["label"])
    pq.write_table(bare, tmp_path / "b.parquet")
    assert applied(tmp_path / "b.parquet", tmp_path / "o.parquet").code == 0


def test_text_files_keep_their_text_and_lists_stay_lists(tmp_path: Path) -> None:
    z, y = classes(200, 3)
    path = write(tmp_path / "a.parquet", z.astype(np.float32), y)
    ids = pa.array([f"{i:03}" for i in range(200)])
    pacsv.write_csv(pq.read_table(path).append_column("id", ids), tmp_path / "a.csv")
    found = fitted(path, tmp_path / "map.json", "--kind", "logits", "--method", "temperature")
    apply(found, [str(tmp_path / "a.csv")], str(tmp_path / "o.parquet"))
    out = pq.read_table(tmp_path / "o.parquet")
    assert out["id"].to_pylist() == ids.to_pylist() and out["label"].type == pa.string()
    lines = [
        json.dumps({"scores": row, "label": int(k), "name": "x"})
        for row, k in zip(z.tolist(), y, strict=True)
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n")
    found = fitted(tmp_path / "a.jsonl", tmp_path / "map.json", "--kind", "logits", "--method", "vector")
    apply(found, [str(tmp_path / "a.jsonl")], str(tmp_path / "o.parquet"))
    out = pq.read_table(tmp_path / "o.parquet")
    assert out["calibrated"].to_pylist() == found.probabilities(z).tolist()
    report = xentcli.score(tmp_path / "o.parquet", pred="calibrated", label="label")
    assert report.metrics["cross_entropy"].to_dict() == found.found["in_sample"]["cross_entropy"]


@pytest.mark.parametrize("ids", ["names", "numbers"])
def test_lists_of_the_likeliest_classes_are_refused_for_what_they_lack(ids: str, tmp_path: Path) -> None:
    z, y = classes(300, 4)
    names = ("ant", "cat", "dog", "eel")
    whole = {f"p_{name}": softmax(z)[:, k] for k, name in enumerate(names)} | {"label": np.array(names)[y]}
    pq.write_table(pa.table(whole), tmp_path / "a.parquet")
    fitted(tmp_path / "a.parquet", tmp_path / "map.json", "--method", "temperature")
    order = np.argsort(-z, axis=1)[:, :3]
    top = order if ids == "numbers" else np.array(names)[order]
    p = np.take_along_axis(softmax(z), order, axis=1)
    listed: dict[str, Any] = {"top": top.tolist(), "other": y, "p": p.tolist()}
    listed["top"][0], listed["p"][0] = listed["top"][0][:2], listed["p"][0][:2]
    pq.write_table(pa.table(listed), tmp_path / "b.parquet")
    for options in ((), ("--pred", "p", "--kind", "probs")):
        outcome = applied(tmp_path / "b.parquet", tmp_path / "o.parquet", *options)
        refused(outcome, 3, "p has the scores of the classes in top alone", "every class", "[map_differs]")
    outcome = xent("calibrate", "fit", tmp_path / "b.parquet", "--pred", "p", "--pred-ids", "top")
    refused(outcome, 2, "lists of some classes", "every class", "[calibrate_task]")


def test_columns_of_other_names_are_taken_by_class(tmp_path: Path) -> None:
    z, y = classes(300, 3)
    p = softmax(z)
    names = ("cat", "dog", "eel")
    table = {f"p_{name}": p[:, k] for k, name in enumerate(names)} | {"label": np.array(names)[y]}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    found = fitted(tmp_path / "a.parquet", tmp_path / "map.json", "--method", "vector")
    other = {f"q_{name}": p[:, names.index(name)] for name in ("eel", "cat", "dog")}
    pq.write_table(pa.table(other), tmp_path / "b.parquet")
    outcome = applied(tmp_path / "b.parquet", tmp_path / "o.parquet")
    refused(outcome, 3, "has no column p_cat", "--pred", "[map_differs]")
    apply(found, [str(tmp_path / "b.parquet")], str(tmp_path / "o.parquet"), pred=("q_*",))
    out = pq.read_table(tmp_path / "o.parquet")
    assert [out[f"calibrated_{name}"].to_pylist() for name in names] == found.probabilities(p).T.tolist()


def test_bad_rows_are_refused_or_written_without_a_result(tmp_path: Path) -> None:
    z, y = classes(100, 3)
    p = softmax(z)
    fitted(write(tmp_path / "a.parquet", p, y), tmp_path / "map.json", "--method", "temperature")
    p[10, 1], p[20, 0] = np.nan, 0.9
    columns = {f"p_{k}": pa.array(p[:, k], mask=np.arange(100) == 30) for k in range(3)}
    pq.write_table(pa.table(columns), tmp_path / "b.parquet")
    words = (tmp_path / "b.parquet", tmp_path / "o.parquet")
    refused(applied(*words), 3, "row 31", "[score_null]")
    assert not (tmp_path / "o.parquet").exists() and list(tmp_path.glob(".xent-*")) == []
    outcome = applied(*words, "--on-bad", "skip")
    assert outcome.code == 0 and "1 row without a result: row_sum" in outcome.err
    found = pq.read_table(tmp_path / "o.parquet")["calibrated_1"]
    assert np.flatnonzero(found.is_null().to_numpy()).tolist() == [10, 20, 30] and len(found) == 100


def test_one_column_of_a_certain_logit_stays_below_one(tmp_path: Path) -> None:
    z, y = binary(300)
    found = fitted(
        write(tmp_path / "a.parquet", z, y), tmp_path / "map.json", "--kind", "logits", "--method", "platt"
    )
    assert found.probabilities(np.array([100.0, -100.0]))[0] == 1.0 - 2.0**-53
    assert found.probabilities(np.array([np.inf]))[0] == 1.0


def test_a_file_without_rows_becomes_one(tmp_path: Path) -> None:
    z, y = classes(100, 3)
    path = write(tmp_path / "a.parquet", softmax(z), y)
    fitted(path, tmp_path / "map.json", "--method", "temperature")
    pq.write_table(pq.read_table(path).slice(0, 0), tmp_path / "b.parquet")
    assert applied(tmp_path / "b.parquet", tmp_path / "o.parquet").code == 0
    out = pq.read_table(tmp_path / "o.parquet")
    assert out.num_rows == 0 and out.column_names[-3:] == [f"calibrated_{k}" for k in range(3)]


def test_what_does_not_fit_the_map_is_refused_by_what_differs(samples: Path, tmp_path: Path) -> None:
    z, y = classes(200, 3)
    p = softmax(z)
    probs = write(tmp_path / "p.parquet", p, y)
    fitted(probs, tmp_path / "map.json", "--method", "temperature")
    logits = write(tmp_path / "z.parquet", z, y)
    more = write(tmp_path / "m.parquet", softmax(classes(200, 4)[0]), y)
    one = write(tmp_path / "o.parquet", p[:, 0], y)
    start = ["calibrate", "apply", tmp_path / "map.json"]
    end = ["-o", tmp_path / "out.parquet"]
    refused(xent(*start, logits, *end), 3, "probabilities", "looks like logits", "[map_differs]")
    refused(xent(*start, logits, "--kind", "logits", *end), 2, "fitted on probabilities", "[map_kind]")
    refused(xent(*start, more, "--pred", "p_*", *end), 3, "4 scores a row, the map takes 3", "[map_differs]")
    refused(xent(*start, one, *end), 3, "has no column p_0, p_1, p_2", "[map_differs]")
    refused(
        xent(*start, samples / "digits_logits.parquet", "--pred", "logits", *end), 3, "list", "[map_differs]"
    )
    refused(xent(*start, probs, "--expect-sha256", "0" * 64, *end), 3, "[sha256]")
    refused(xent(*start, probs, "--missing-class", "zero", *end), 2, "[long_form]")
    refused(xent(*start, probs, "-o", probs), 2, "[output_is_input]")
    refused(xent(*start, probs, "-o", tmp_path / "map.json"), 2, "[output_is_input]")
    refused(xent(*start, probs, "-o", tmp_path / "out.txt"), 2, "[output_kind]")
    refused(xent(*start, probs), 2, "[output_kind]")
    refused(xent(*start[:2], tmp_path / "none.json", probs, *end), 2, "[no_file]")
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "{}",
        '{"schema": "xent.score/1"}',
        '{"schema": "xent.calibration/1"}',
        "\x00",
        "[" * 100_000,
    ],
)
def test_what_is_no_map_is_refused(text: str, samples: Path, tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text(text)
    words = (samples / "cancer.parquet", tmp_path / "o.parquet")
    refused(applied(*words), 3, "calibration map", "[not_a_map]")


@pytest.mark.parametrize("method", ["temperature", "vector", "platt", "histogram", "isotonic"])
def test_a_damaged_map_is_refused_and_never_a_traceback(method: str, samples: Path, tmp_path: Path) -> None:
    good = fitted(samples / "digits_good.parquet", tmp_path / "map.json", "--method", method, "-q").to_dict()
    words = (samples / "digits_good.parquet", tmp_path / "o.parquet")
    bad: list[Any] = [{}, [], None, {"temperature": "x"}, {"temperature": 1e999}, {"temperature": -1.0},
                  {"classes": [{}]},
                  {"classes": good["parameters"].get("classes", [{}])[:2]},
                  {"factors": [1.0], "shifts": [0.0, 1.0]}]  # fmt: skip
    for wrong in bad:
        (tmp_path / "map.json").write_text(json.dumps({**good, "parameters": wrong}))
        refused(applied(*words), 3, "[not_a_map]")
    for name, value in (("width", 3), ("width", 0), ("width", "x"), ("classes", []), ("kind", 5),
                        ("task", "soft"), ("columns", ["p_0"]), ("layout", "rows"), ("new", 1),
                        ("width", True), ("clip", 2.0)):  # fmt: skip
        (tmp_path / "map.json").write_text(json.dumps({**good, "reading": {**good["reading"], name: value}}))
        refused(applied(*words), 3, "[not_a_map]")


@pytest.mark.parametrize("method", ["histogram", "isotonic"])
@pytest.mark.parametrize("name", ["cancer.parquet", "digits_good.parquet"])
def test_steps_edited_by_hand_are_probabilities_of_rising_scores(
    method: str, name: str, samples: Path, tmp_path: Path
) -> None:
    good = fitted(samples / name, tmp_path / "map.json", "--method", method, "-q").to_dict()
    at = "edges" if method == "histogram" else "scores"
    edits: list[tuple[str, Any]] = [("probabilities", lambda p: [-1.0, *p[1:]]), (at, lambda s: s[::-1]),
             ("probabilities", lambda p: [*p[:-1], 1.5]), ("probabilities", lambda p: p[1:])]  # fmt: skip
    for key, edit in edits:
        wrong = json.loads(json.dumps(good))
        steps = wrong["parameters"].get("classes", [wrong["parameters"]])[-1]
        steps[key] = edit(steps[key])
        (tmp_path / "map.json").write_text(json.dumps(wrong))
        refused(applied(samples / name, tmp_path / "o.parquet"), 3, "[not_a_map]")
        assert not (tmp_path / "o.parquet").exists()


def test_a_warning_of_the_fit_names_no_row_that_the_file_has_not(tmp_path: Path) -> None:
    lines = [f"{float(i % 2)},{1.0 - i % 2},{(i + (i % 10 > 0)) % 2}\n" for i in range(60)]
    (tmp_path / "a.csv").write_text("p_0,p_1,label\n" + "".join(lines))
    done = xent("calibrate", "fit", tmp_path / "a.csv", "-o", tmp_path / "map.json")
    assert done.code == 0 and "XW102" in done.err and "row 0" not in done.err


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    z, y = classes(1 << 15, 10)
    path = write(tmp_path / "a.parquet", z.astype(np.float32), y, groups=1 << 13)
    fitted(
        path, tmp_path / "map.json", "--kind", "logits", "--limit", "5000", "--method", "temperature", "-q"
    )
    words = ["calibrate", "apply", tmp_path / "map.json", path, "-o", tmp_path / "o.parquet", "-q"]
    assert process(*words, "--max-memory", "250MB").code == 0
    refused(process(*words, "--max-memory", "190MB"), 3, "[over_memory]")
