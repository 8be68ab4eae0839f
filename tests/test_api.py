"""`xentcli.score`: what the command line does, as a function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import xentcli
from tests.contract.conforms import faults
from tests.corpus.corpus import xent
from xentcli.errors import CannotDecide, DataError, UsageError
from xentcli.schemas import KINDS


def _frame(rows: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    p = rng.dirichlet(np.ones(3), rows)
    names = ["cat", "dog", "owl"]
    frame = pd.DataFrame(p, columns=[f"p_{name}" for name in names])
    frame["label"] = rng.choice(names, rows)
    frame["w"] = rng.integers(1, 4, rows).astype(float)
    return frame


def _write(frame: pd.DataFrame, folder: Path, name: str = "preds.parquet") -> Path:
    path = folder / name
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False)
    return path


def test_one_file_and_its_shards_give_the_same_report(tmp_path: Path) -> None:
    frame = _frame()
    whole = xentcli.score(_write(frame, tmp_path))
    shards = [_write(frame[i::4], tmp_path, f"part-{i}.parquet") for i in range(4)]
    parts = xentcli.score(shards)
    for key in ("metrics", "classes", "reliability", "warnings"):
        assert whole.to_dict()[key] == parts.to_dict()[key]


def test_csv_and_parquet_of_the_same_numbers_give_the_same_figures(tmp_path: Path) -> None:
    frame = _frame()
    parquet = xentcli.score(_write(frame, tmp_path), weight="w")
    csv = xentcli.score(_write(frame, tmp_path, "preds.csv"), weight="w")
    assert parquet.to_dict()["metrics"] == csv.to_dict()["metrics"]


def test_a_filter_scores_the_rows_it_keeps(tmp_path: Path) -> None:
    frame = _frame()
    path = _write(frame, tmp_path)
    some = xentcli.score(path, where={"w": 2.0})
    alone = xentcli.score(_write(frame[frame.w == 2.0], tmp_path, "some.parquet"))
    assert some.to_dict()["metrics"] == alone.to_dict()["metrics"]
    assert some.data["rows"] == 60


@pytest.mark.parametrize("weight", [float("nan"), -1.0, float("inf"), 1e-200, 1e155])
def test_a_weight_that_is_none_is_refused_with_its_row(weight: float, tmp_path: Path) -> None:
    frame = _frame()
    frame.loc[41, "w"] = weight
    with pytest.raises(DataError, match='column "w"') as caught:
        xentcli.score(_write(frame, tmp_path), weight="w")
    assert "row 42" in caught.value.where


def test_rows_of_weight_zero_count_for_nothing_even_if_they_are_broken(tmp_path: Path) -> None:
    frame = _frame()
    kept = xentcli.score(_write(frame[5:], tmp_path), weight="w")
    frame.loc[:4, "w"] = 0.0
    frame.loc[2, "p_cat"] = 7.0
    all_rows = xentcli.score(_write(frame, tmp_path, "zero.parquet"), weight="w")
    assert all_rows.to_dict()["metrics"] == kept.to_dict()["metrics"]
    assert all_rows.data["skipped"] == {"zero_weight": 5}


def test_weights_that_are_all_zero_decide_nothing(tmp_path: Path) -> None:
    with pytest.raises(CannotDecide):
        xentcli.score(_write(_frame().assign(w=0.0), tmp_path), weight="w")


def test_limit_reads_the_first_rows_only(tmp_path: Path) -> None:
    frame = _frame()
    first = xentcli.score(_write(frame, tmp_path), limit=25)
    alone = xentcli.score(_write(frame[:25], tmp_path, "first.parquet"))
    assert first.to_dict()["metrics"] == alone.to_dict()["metrics"]
    assert first.data["rows"] == 25


def test_a_missing_file_is_an_error_of_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        xentcli.score(tmp_path / "nothing.parquet")


def test_the_hash_of_the_labels_does_not_depend_on_their_order(tmp_path: Path) -> None:
    frame = _frame()
    one = xentcli.score(_write(frame, tmp_path))
    other = xentcli.score(_write(frame[::-1], tmp_path, "turned.parquet"))
    assert one.provenance == other.provenance


def test_a_report_a_map_and_a_look_print_what_the_commands_do(samples: Path) -> None:
    path = samples / "digits_overconfident.parquet"
    report = xentcli.score(path, require="accuracy >= 80%")
    outcome = xent("score", path, "--require", "accuracy >= 80%")
    assert str(report) + "\n" == outcome.out.replace("on stderr", "below") + outcome.err
    words = ["-q", "--unit", "bits", "--digits", 3, "-m", "mce"]
    short = report.table(quiet=True, unit="bits", digits=3, metric="mce")
    assert short.startswith(xent("score", path, *words).out.rstrip("\n"))
    assert (
        report.table(ascii_only=True).isascii()
        and max(map(len, report.table(width=70).split("\n")[:9])) <= 70
    )
    fitted = xentcli.calibrate(samples / "cancer.parquet", method="isotonic")
    told = xent("calibrate", "fit", samples / "cancer.parquet", "--method", "isotonic").out
    assert str(fitted).startswith(told.replace("on stderr", "below").rstrip("\n"))
    look = xentcli.inspect(path)
    assert str(look).rpartition("\n")[0] == xent("inspect", path).out.rstrip("\n").rpartition("\n")[0]
    assert look.commands == [f"xentcli.score({str(path)!r})"]
    empty = xentcli.inspect(path, na=[], pred=("p_*",)).commands
    assert empty == [f"xentcli.score({str(path)!r}, na=[], pred=['p_*'])"]
    for options in ({"unit": "bit"}, {"digits": 0}, {"digits": 3.0}, {"per_class": -1}, {"per_class": "all"}):
        with pytest.raises(UsageError):
            report.table(**options)


def test_a_look_at_a_frame_says_what_to_call(samples: Path) -> None:
    frame = pd.read_csv(samples / "two_models.csv")
    found = xentcli.inspect(frame, pred=["trees"], limit=500)
    assert [problem.id for problem in found.problems] == ["which_positive"]
    ways = "xentcli.score(source, pred='trees', limit=500, label='label', positive='{}')"
    assert found.commands == [ways.format("benign"), ways.format("malignant")]
    for call in found.commands:
        assert eval(call, {"xentcli": xentcli, "source": frame}).data["task"] == "binary"
    document = found.to_dict()
    assert document["commands"] == found.commands and faults(document, KINDS["inspect"]) == []
    with pytest.raises(TypeError, match="bins"):
        xentcli.inspect(frame, bins=10)


def test_progress_is_told_of_all_rows(samples: Path, tmp_path: Path) -> None:
    told: list[tuple[int, float | None]] = []
    for make in (xentcli.score, xentcli.calibrate):
        told.clear()
        make(samples / "cancer.parquet", progress=lambda *so_far: told.append(so_far))
        assert told[-1][0] == 569 and [rows for rows, _ in told] == sorted(rows for rows, _ in told)
    with pytest.raises(UsageError, match="progress: 3 is"):
        xentcli.score(samples / "cancer.parquet", progress=3)  # type: ignore[arg-type]
