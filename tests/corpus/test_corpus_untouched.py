"""A run opens no address, starts no process, runs no code of others and writes nothing else (X11)."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import xentcli
from tests.corpus.corpus import (
    GOOD,
    GOOD_LOSS,
    HEADER,
    Argv,
    Outcome,
    environment,
    extended_table,
    good,
    parquet,
    table,
    text,
)

ROWS = "0.25,0.75,1\n0.9,0.1,0\n0.4,0.6,1\n0.7,0.3,0\n"
CSV = HEADER + ROWS


WATCH = """
import os, sys
seen = []
FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn",
             "pickle.", "shutil.", "ftplib.", "smtplib.", "urllib.", "webbrowser.", "cpython.run_")
CHANGES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate",
           "os.chmod", "os.chown", "os.utime")
ours = tuple(os.path.realpath(p) for p in (sys.prefix, sys.base_prefix, ROOT, *sys.path[1:]))

def hook(event, args):
    if event.startswith(FORBIDDEN) or event in CHANGES:
        seen.append((event, str(args)[:200]))
    elif event == "open" and not isinstance(args[0], int) and isinstance(args[2], int):
        if args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            seen.append((event, str(args)[:200]))
    elif event == "exec":
        name = getattr(args[0], "co_filename", "?")
        if not name.startswith("<") and not os.path.realpath(name).startswith(ours):
            seen.append((event, name))

import contextlib, io, json
import xentcli.cli.app
sys.addaudithook(hook)
told = []
for argv in json.loads(sys.argv[1]):
    seen.clear()
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = xentcli.cli.app.main(argv)
    out.flush(), err.flush()
    targets = [word for option, word in zip(argv, argv[1:]) if option == "-o"]
    bad = [item for item in seen if not any(os.path.dirname(target) in item[1] for target in targets)]
    told.append([code, out.buffer.getvalue().decode(), err.buffer.getvalue().decode(), bad])
sys.stdout.write(json.dumps(told))
sys.stdout.flush()
os._exit(0)
"""


def watched(folder: Path, *lines: Argv) -> list[Outcome]:
    """Runs, one after the other, under an audit hook: no network, no process, no pickle, no code or file
    of others, but for the folder of an output that is asked for."""
    root = str(Path(xentcli.__file__).parents[1])
    typed = json.dumps([[str(word) for word in argv] for argv in lines])
    done = subprocess.run(
        [sys.executable, "-B", "-c", f"ROOT = {root!r}\n{WATCH}", typed],
        env=environment(),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [(argv, seen) for argv, (*_, seen) in zip(lines, told, strict=True) if seen] == []
    return [Outcome(*outcome) for *outcome, _ in told]


ADDRESSES = [
    "http://127.0.0.1:1/x.csv",
    "https://user:secret@127.0.0.1:1/x.parquet?token=secret",
    "ftp://127.0.0.1/x.csv",
    "hf://datasets/a/b.parquet",
    "simplecache::http://127.0.0.1:1/x.csv",
    "a::b",
    "HTTP://127.0.0.1:1/x.csv",
    "\\\\server\\share\\x.csv",
    "//127.0.0.1/share/x.csv",
    "data:text/csv,p0",
]


def test_x11_an_address_is_refused_and_not_opened(tmp_path: Path) -> None:
    for outcome in watched(tmp_path, *(["score", address] for address in ADDRESSES)):
        assert outcome.code == 2, outcome
        assert outcome.out == "" and "secret" not in outcome.err


@pytest.mark.parametrize("kind", ["parquet", "csv", "csv.gz", "csv.zst"])
def test_x11_a_run_touches_nothing_else(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"preds.{kind}"
    if kind == "parquet":
        good(path)
    else:
        packed = {"csv": CSV.encode(), "csv.gz": gzip.compress(CSV.encode())}
        text(path, packed.get(kind) or pa.compress(CSV.encode(), "zstd", asbytes=True))
    found = watched(
        tmp_path,
        ["score", path, "-v", "--color", "always"],
        ["score", f"file://{path}", "--json"],
        ["score", path, "--json", "-o", tmp_path / "a.json"],
        ["score", path, "--label", "none"],
    )
    assert [outcome.code for outcome in found] == [0, 0, 0, 2]


def stored_as(kind: str, folder: Path) -> Path:
    """The good rows in one of the formats that are not text."""
    import pyarrow.feather as feather
    import pyarrow.ipc as ipc

    rows, path = table(), folder / f"preds.{kind}"
    if kind in ("arrow", "arrows"):
        with (ipc.new_file if kind == "arrow" else ipc.new_stream)(path, rows.schema) as writer:
            writer.write_table(rows)
    elif kind == "feather":
        feather.write_feather(rows, str(path), compression="zstd")
    elif kind == "npz":
        np.savez(path, probs=np.stack([GOOD["p0"], GOOD["p1"]], axis=1), y=np.array(GOOD["y"]))
    elif kind == "npy":
        fields = [("p0", "f8"), ("p1", "f8"), ("y", "i8")]
        np.save(path, np.array(list(zip(*GOOD.values(), strict=True)), fields))
    elif kind == "jsonl":
        text(path, "".join(json.dumps(row) + "\n" for row in rows.to_pylist()))
    else:
        (folder / "preds" / "lang=de").mkdir(parents=True)
        good(folder / "preds" / "lang=de" / "a.parquet")
        return folder / "preds"
    return path


def test_x11_no_format_touches_anything_else(tmp_path: Path) -> None:
    paths = [
        stored_as(kind, tmp_path) for kind in ("arrow", "arrows", "feather", "npz", "npy", "jsonl", "folder")
    ]
    for found in watched(tmp_path, *(["score", path, "--json"] for path in paths)):
        assert found.code == 0, found.err
        assert found.value() == pytest.approx(GOOD_LOSS, abs=1e-12)
    refusals = watched(tmp_path, *(["score", path, "--label", "none"] for path in paths))
    assert [found.code for found in refusals] == [2] * len(paths)


def test_x11_what_could_run_code_runs_none(tmp_path: Path) -> None:
    """Arrays of objects, and names such as made readers unpickle (CVE-2023-47248, CVE-2026-41486)."""
    np.save(tmp_path / "preds.npy", np.array([{"p0": 1}, None], object), allow_pickle=True)
    paths, codes = [tmp_path / "preds.npy"], [3]
    for name in ("arrow.py_extension_type", "ray.data.arrow_tensor", "evil.type"):
        for column, code in (("extra", 0), ("p1", 3)):
            paths.append(parquet(tmp_path / f"{column}-{name}.parquet", extended_table(column, name)))
            codes.append(code)
    found = watched(tmp_path, *(["score", path] for path in paths))
    assert [outcome.code for outcome in found] == codes


def test_x11_modules_beside_the_data_are_not_imported(tmp_path: Path) -> None:
    """A folder of data may hold numpy.py; `xent` is not run from it as a script is."""
    path = good(tmp_path / "preds.parquet")
    for name in ("numpy", "pyarrow", "pandas", "rich", "xentcli", "typer", "sitecustomize"):
        text(tmp_path / f"{name}.py", "raise SystemExit('imported')\n")
    script = Path(sys.executable).with_name("xent")
    if not script.exists():
        pytest.skip("the entry point is not installed")
    command = [str(script), "score", str(path), "--only", "nll"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr
