"""Folders are sets of shards; what their paths say are columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import refused, score
from tests.readers.test_arrow import figures, table


def parts(folder: Path, rows: Any, paths: list[str]) -> None:
    """The rows in as many files, in order."""
    step = -(-rows.num_rows // len(paths))
    for number, path in enumerate(paths):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows.slice(number * step, step), folder / path)


def test_f27_a_folder_gives_the_figures_of_its_rows(tmp_path: Path) -> None:
    rows = table()
    pq.write_table(rows, tmp_path / "all.parquet")
    folder = tmp_path / "preds"
    parts(folder, rows, ["part-2.parquet", "part-10.parquet", "more/part-1.parquet"])
    for ignored in ("_SUCCESS", ".part-2.parquet.crc", "_temporary/x.parquet"):
        (folder / ignored).parent.mkdir(exist_ok=True)
        (folder / ignored).write_text("not of the set")
    found = score(folder)
    assert figures(folder) == figures(tmp_path / "all.parquet")
    assert "3 names beginning with _ or . ignored" in found.err
    names = [str(Path(path).relative_to(folder)) for path in found.report["data"]["inputs"]]
    assert names == ["more/part-1.parquet", "part-2.parquet", "part-10.parquet"]


def test_keys_of_paths_are_columns(tmp_path: Path) -> None:
    rows = table()
    folder = tmp_path / "preds"
    parts(folder, rows, [f"lang={lang}/fold={fold}/a.parquet" for lang in ("de", "e%20n") for fold in (1, 2)])
    pq.write_table(rows.slice(750, 750), tmp_path / "one.parquet")
    right = score(tmp_path / "one.parquet").report["metrics"]
    assert score(folder, "--where", "lang=de", "--where", "fold=2").report["metrics"] == right
    pq.write_table(rows.slice(1500), tmp_path / "half.parquet")
    right = score(tmp_path / "half.parquet").report["metrics"]
    assert score(folder, "--where", "lang=e n").report["metrics"] == right
    refused(score(folder, "--where", "fold=x"), 2, "fold")


def test_a_key_may_be_the_label_or_the_weight(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    p = draw.dirichlet(np.ones(2), 300)
    rows = pa.table({"p_ant": p[:, 0], "p_bee": p[:, 1]})
    parts(tmp_path / "preds", rows, ["y=ant/w=1/x.parquet", "y=bee/w=3/x.parquet"])
    found = score(tmp_path / "preds", "--label", "y", "--weight", "w")
    loss = -(np.log(p[:150, 0]).sum() + 3 * np.log(p[150:, 1]).sum()) / (150 + 450)
    assert abs(found.value() - loss) < 1e-12


def test_f28_the_column_of_the_file_goes_first(tmp_path: Path) -> None:
    parts(tmp_path / "preds", table(), ["label=emu/x.parquet"])
    pq.write_table(table(), tmp_path / "all.parquet")
    found = score(tmp_path / "preds")
    assert found.report["metrics"] == score(tmp_path / "all.parquet").report["metrics"]
    assert '"label" is that of the file' in found.err


@pytest.mark.parametrize("other", ["b.csv", "README.md"])
def test_files_of_several_kinds_are_a_question(other: str, tmp_path: Path) -> None:
    parts(tmp_path / "preds", table(), ["a.parquet"])
    (tmp_path / "preds" / other).write_text("x")
    refused(score(tmp_path / "preds"), 2, "several kinds", other)


def test_an_empty_folder(tmp_path: Path) -> None:
    refused(score(tmp_path), 2, "no file in this folder")
    (tmp_path / "_SUCCESS").touch()
    refused(score(tmp_path), 2, "1 ignored")


def test_a_link_that_leads_back_is_followed_once(tmp_path: Path) -> None:
    parts(tmp_path / "preds", table(), ["a.parquet"])
    (tmp_path / "preds" / "again").symlink_to(tmp_path / "preds")
    assert score(tmp_path / "preds").report["data"]["rows"] == 3000


def test_a_glob_may_match_folders_and_its_paths_say_as_much(tmp_path: Path) -> None:
    parts(tmp_path / "preds", table(), ["lang=de/x.parquet", "lang=en/x.parquet", "lang=en/_old.parquet"])
    whole = score(tmp_path / "preds", "--by", "lang").report
    for pattern in ("lang=*", "*/x.parquet", "**/x.parquet", "lang=*/x.parquet"):
        found = score(tmp_path / "preds" / pattern, "--by", "lang")
        assert found.report["metrics"] == whole["metrics"]
        assert found.report["slices"] == whole["slices"]
    assert score(tmp_path / "preds" / "**" / "x.*").report["metrics"] == whole["metrics"]
    assert "1 name beginning with _" in score(tmp_path / "preds" / "lang=*").err


def test_a_glob_of_folders_that_hold_no_file_or_several_kinds(tmp_path: Path) -> None:
    (tmp_path / "preds" / "a").mkdir(parents=True)
    refused(score(tmp_path / "pred*" / "*"), 2, "no file")
    parts(tmp_path / "preds", table(), ["a/x.parquet"])
    (tmp_path / "preds" / "a" / "notes.md").write_text("x")
    refused(score(tmp_path / "pred*" / "*"), 2, "several kinds", "notes.md")
