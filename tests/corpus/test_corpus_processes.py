"""A run among other processes: pipes, signals, locales, interpreters, and what it may touch."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import pyarrow as pa
import pytest

from tests.corpus.corpus import (
    COMMAND,
    GOOD,
    GOOD_LOSS,
    HEADER,
    Outcome,
    check,
    environment,
    extended_table,
    good,
    leftovers,
    parquet,
    process,
    refused,
    strict,
    table,
    text,
    without_privileges,
)

ROWS = "0.25,0.75,1\n0.9,0.1,0\n0.4,0.6,1\n0.7,0.3,0\n"
CSV = HEADER + ROWS
PASSES, FAILS, UNDEFINED = "accuracy >= 0.5", "accuracy < 0.5", "auroc > 0.1"


# -- X08: pipes ------------------------------------------------------------------------------------
def unread(*argv: object) -> Outcome:
    """Run with nobody at the other end of standard output."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return process(*argv, stdout=writer, stderr=subprocess.PIPE, capture_output=False)
    finally:
        os.close(writer)


@pytest.mark.parametrize("options", [[], ["--json"], ["--only", "nll"]], ids=str)
@pytest.mark.parametrize(
    ("rules", "code"),
    [([], 141), ([PASSES], 141), ([FAILS], 1), ([UNDEFINED], 4), ([FAILS, UNDEFINED], 1)],
    ids=["no-rule", "passed", "failed", "undefined", "both"],
)
def test_x08_nobody_reads(options: list[str], rules: list[str], code: int, tmp_path: Path) -> None:
    rows = table(y=[1, 1, 1, 1]) if UNDEFINED in rules else table()
    path = parquet(tmp_path / "preds.parquet", rows)
    outcome = unread("score", path, *options, *(word for rule in rules for word in ("--require", rule)))
    assert outcome.code == code, outcome
    assert "error" not in outcome.err.lower(), outcome.err


def head(argv: list[object], lines: int = 1) -> tuple[int, bytes]:
    """What `xent … | head -LINES` does to xent, and its first lines."""
    command = [*COMMAND, *map(str, argv)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as run:
        assert run.stdout is not None and run.stderr is not None
        first = b"".join(run.stdout.readline() for _ in range(lines))
        run.stdout.close()
        err = run.stderr.read().decode()
        code = run.wait(60)
    check(Outcome(code, "", err))
    assert "BrokenPipe" not in err and "Exception ignored" not in err, err
    return code, first


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file whose report is longer than a pipe holds."""
    p = np.random.default_rng(0).dirichlet(np.ones(1200), 1200)
    columns: dict[str, Any] = {f"p{j}": p[:, j] for j in range(1200)}
    return parquet(tmp_path_factory.mktemp("long") / "preds.parquet", columns | {"y": np.arange(1200)})


def test_x08_head(long: Path) -> None:
    assert head(["score", long, "--json"]) == (141, b"{\n")
    assert head(["score", long, "--per-class", "all"])[0] == 141
    assert head(["score", long, "--json", "--require", "accuracy > 0.99"]) == (1, b"{\n")
    assert head(["score", long, "--json", "--require", "accuracy >= 0"]) == (141, b"{\n")


def test_x08_a_file_is_written_though_nobody_reads(long: Path, tmp_path: Path) -> None:
    """`xent score … -o report.json | head -1` keeps the report."""
    target = tmp_path / "report.json"
    assert head(["score", long, "--json", "-o", target])[0] == 141
    assert target.exists() and strict(target.read_text())["schema"] == "xent.score/1"


def test_x08_help_that_nobody_reads() -> None:
    assert unread("score", "--help").code in (0, 141)
    assert unread("--version").code in (0, 141)


# -- X13: signals ----------------------------------------------------------------------------------
def _heeding() -> None:
    """Heed SIGINT, as a terminal's programs do; who runs the tests in the background ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def started(*argv: object, **options: Any) -> subprocess.Popen[bytes]:
    """A run in a group of its own, so that a signal meets it alone."""
    run: Any = subprocess.Popen(
        [*COMMAND, *map(str, argv)],
        env=environment(),
        start_new_session=True,
        **({"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options),
        preexec_fn=_heeding if os.name == "posix" else None,
    )
    return cast(subprocess.Popen[bytes], run)


def fed(pipe: IO[bytes] | None, rows: int) -> None:
    """Write rows into a run that will wait for more."""
    assert pipe is not None
    pipe.write((HEADER + "0.25,0.75,1\n" * rows).encode())
    pipe.flush()


@pytest.mark.parametrize("rows", [0, 1, 400_000], ids=["at-the-start", "at-the-look", "while-scoring"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_x13_a_signal_while_reading(number: int, code: int, rows: int, tmp_path: Path) -> None:
    with started("score", "-", "-o", tmp_path / "a.json") as run:
        if rows:
            fed(run.stdin, rows)
        time.sleep(1.0)
        run.send_signal(number)
        assert run.wait(20) == code
        assert run.stdout is not None and run.stderr is not None
        out, err = run.stdout.read().decode(), run.stderr.read().decode()
    assert out == "" and "Traceback" not in err and len(err.splitlines()) <= 1, err
    assert list(tmp_path.iterdir()) == []


def test_x13_signals_at_any_time(tmp_path: Path) -> None:
    """An old report stays, or a new one stands in its place; nothing else is left."""
    draw = random.Random(0)
    path = good(tmp_path / "preds.parquet")
    target = tmp_path / "report.json"
    assert process("score", path, "-o", target).code == 0
    whole = target.read_text()
    text(target, "old")
    codes = set()
    for number in range(14):
        kind = (signal.SIGTERM, signal.SIGINT)[number % 2]
        with started("score", path, "-q", "-o", target) as run:
            time.sleep(draw.uniform(0.0, 0.45))
            run.send_signal(kind)
            codes.add((kind.name, run.wait(20)))
            assert run.stderr is not None
            err = run.stderr.read().decode()
        assert target.read_text() in ("old", whole)
        assert leftovers(tmp_path) == []
        if number % 2 == 0:
            assert "Traceback" not in err, err
    terms = {code for name, code in codes if name == "SIGTERM"}
    assert terms <= {0, 143, -signal.SIGTERM}, "before the program begins, the signal itself ends it"
    interrupts = {code for name, code in codes if name == "SIGINT"}
    assert interrupts <= {0, 130, -signal.SIGINT, 1}, "1 is the interpreter's own, before the program begins"


# -- X12, X16: surroundings ------------------------------------------------------------------------
ASCII = {
    "io": {"PYTHONIOENCODING": "ascii"},
    "locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "latin": {"PYTHONIOENCODING": "latin-1"},
}


@pytest.mark.parametrize("how", ASCII)
@pytest.mark.parametrize("options", [[], ["-v"], ["--json"], ["-v", "--color", "always"]], ids=str)
def test_x12_a_terminal_that_knows_ascii(how: str, options: list[str], tmp_path: Path) -> None:
    rows = {"p_猫": [0.75, 0.2], "p_naïve": [0.25, 0.8], "y": ["猫", "naïve"]}
    path = parquet(tmp_path / "preds.parquet", rows)
    outcome = process("score", path, *options, env=ASCII[how])
    assert outcome.code == 0, outcome
    assert outcome.out.isascii(), "what another encoding reads wrongly"
    if "--json" in options:
        assert outcome.report["data"]["classes"] == ["猫", "naïve"]
    else:
        assert "\\u732b" in outcome.out


@pytest.mark.parametrize("how", ASCII)
def test_x12_an_error_where_only_ascii_is_known(how: str, tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", {"p_猫": [0.5], "p_犬": [0.5], "y": ["鳥"]})
    refused(process("score", path, env=ASCII[how]), 3)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_x12_a_file_name_that_the_locale_cannot_spell(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"猫.{kind}"
    good(path) if kind == "parquet" else text(path, CSV)
    outcome = process("score", path, env=ASCII["locale"])
    assert outcome.code == 0, outcome.err


SURROUNDINGS: dict[str, tuple[dict[str, str], list[str]]] = {
    "german": ({"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"}, []),
    "turkish": ({"LC_ALL": "tr_TR.UTF-8"}, []),
    "posix": ({"LC_ALL": "POSIX"}, []),
    "optimized": ({"PYTHONOPTIMIZE": "2"}, []),
    "optimized-flag": ({}, ["-OO"]),
    "warnings": ({}, ["-W", "error"]),
    "developer": ({}, ["-X", "dev"]),
    "isolated": ({}, ["-I"]),
    "utf8": ({"PYTHONUTF8": "1"}, []),
    "unbuffered": ({}, ["-u"]),
    "hash-seed": ({"PYTHONHASHSEED": "1"}, []),
    "one-thread": ({"OMP_NUM_THREADS": "1", "ARROW_NUM_THREADS": "1"}, []),
    "elsewhere": ({"TZ": "Asia/Kathmandu", "HOME": "/nonexistent", "TMPDIR": "/nonexistent"}, []),
    "arrow-allocator": ({"ARROW_DEFAULT_MEMORY_POOL": "system"}, []),
}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], list[str]]:
    """A Parquet and a CSV file, and what xent prints of them."""
    folder = tmp_path_factory.mktemp("usual")
    draw = np.random.default_rng(0)
    p = draw.dirichlet(np.ones(3), 500)
    names = np.array(["Iğdır", "straße", "I"])
    y = names[draw.integers(0, 3, 500)]
    columns: dict[str, Any] = {f"p_{name}": p[:, j] for j, name in enumerate(names)}
    paths = [parquet(folder / "preds.parquet", columns | {"y": y}), folder / "preds.csv"]
    lines = [",".join([*map(repr, row), name]) for row, name in zip(p.tolist(), y.tolist(), strict=True)]
    text(paths[1], "\n".join([",".join(columns) + ",y", *lines, ""]))
    return paths, [run_one(path) for path in paths]


def run_one(path: Path, env: dict[str, str] | None = None, python: list[str] | None = None) -> str:
    """The table of a Parquet file, all of it; the document of a CSV file."""
    option = "-v" if path.suffix == ".parquet" else "--json"
    run = process("score", path, option, env=env or {}, python=python or [])
    assert (run.code, run.err) == (0, ""), run
    return run.out


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_x16_other_surroundings_give_the_same_bytes(name: str, usual: tuple[list[Path], list[str]]) -> None:
    env, python = SURROUNDINGS[name]
    paths, right = usual
    for path, expected in zip(paths, right, strict=True):
        assert run_one(path, env, python) == expected


def test_x16_another_folder(usual: tuple[list[Path], list[str]]) -> None:
    """A relative path, and a folder that is not there any more."""
    paths, _ = usual
    outcome = process("score", paths[0].name, "--only", "nll", cwd=paths[0].parent)
    assert outcome.code == 0
    assert process("score", paths[0], "--only", "nll", cwd="/").out == outcome.out


# -- F25, F26: what may not be read ----------------------------------------------------------------
@pytest.mark.parametrize("name", ["preds.parquet", "preds.csv"])
def test_f26_a_file_that_may_not_be_read(name: str, tmp_path: Path) -> None:
    path = good(tmp_path / name) if name.endswith("parquet") else text(tmp_path / name, CSV)
    path.chmod(0)
    outcome = process("score", path, preexec_fn=without_privileges)
    refused(outcome, 3, name, "permission")


def test_f26_a_folder_that_may_not_be_entered(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    path = good(folder / "preds.parquet")
    folder.chmod(0)
    try:
        outcome = process("score", path, preexec_fn=without_privileges)
    finally:
        folder.chmod(0o755)
    assert outcome.code in (2, 3), outcome
    assert "preds.parquet" in outcome.err


# -- standard input --------------------------------------------------------------------------------
def from_stdin(data: bytes, *options: str) -> Outcome:
    return process("score", "-", "--json", *options, input=data, stdin=None)


def test_standard_input(tmp_path: Path) -> None:
    outcome = from_stdin(CSV.encode())
    assert outcome.code == 0 and abs(outcome.value() - GOOD_LOSS) < 1e-12
    assert outcome.report["data"]["inputs"] == ["-"]


def test_standard_input_compressed() -> None:
    outcome = from_stdin(gzip.compress(CSV.encode()), "--input-format", "csv.gz")
    assert outcome.code == 0 and abs(outcome.value() - GOOD_LOSS) < 1e-12
    packed = pa.compress(CSV.encode(), "zstd", asbytes=True)
    outcome = from_stdin(packed, "--input-format", "csv.zst")
    assert outcome.code == 0 and abs(outcome.value() - GOOD_LOSS) < 1e-12


def test_standard_input_of_tabs() -> None:
    outcome = from_stdin(CSV.replace(",", "\t").encode(), "--input-format", "tsv")
    assert outcome.code == 0 and abs(outcome.value() - GOOD_LOSS) < 1e-12


def test_standard_input_of_any_kind_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    stored = good(tmp_path / "preds.parquet").read_bytes()
    for data in (stored, gzip.compress(CSV.encode()), pa.compress(CSV.encode(), "zstd", asbytes=True)):
        outcome = from_stdin(data)
        assert outcome.code == 0 and abs(outcome.value() - GOOD_LOSS) < 1e-12


def test_standard_input_that_is_not_what_was_said(tmp_path: Path) -> None:
    stored = good(tmp_path / "preds.parquet").read_bytes()
    refused(from_stdin(stored, "--input-format", "csv"), 3, "standard input", "Parquet")
    refused(from_stdin(CSV.encode(), "--input-format", "parquet"), 3, "standard input", "text")
    refused(from_stdin(stored[:-9]), 3, "standard input", "cut short")
    refused(from_stdin(b""), 3, "standard input", "0 bytes")
    refused(from_stdin(b"", "--input-format", "parquet"), 3, "0 bytes")


def test_standard_input_that_comes_slowly() -> None:
    with started("score", "-", "--only", "nll") as run:
        assert run.stdin is not None and run.stdout is not None
        for byte in CSV.encode()[:60]:
            run.stdin.write(bytes([byte]))
            run.stdin.flush()
            time.sleep(0.002)
        run.stdin.write(CSV.encode()[60:])
        run.stdin.close()
        run.stdin = None
        out = run.stdout.read()
        assert run.wait(20) == 0
    assert abs(float(out) - GOOD_LOSS) < 1e-12


def test_a_shell_pipeline(tmp_path: Path) -> None:
    path = text(tmp_path / "preds.csv.gz", gzip.compress(CSV.encode()))
    line = f"gzip -dc {path} | {' '.join(COMMAND)} score - --only nll --only accuracy | tail -1"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env=environment(), check=True)
    assert done.stdout == "1.0\n" and done.stderr == ""


def test_a_file_is_read_by_name_and_by_pipe_alike(tmp_path: Path) -> None:
    path = text(tmp_path / "preds.csv", CSV)
    by_name = process("score", path, "--json").report
    by_pipe = from_stdin(path.read_bytes()).report
    for part in ("metrics", "classes", "reliability", "warnings", "definition", "provenance"):
        assert json.dumps(by_name[part]) == json.dumps(by_pipe[part])


# -- X11: addresses --------------------------------------------------------------------------------
WATCH = """
import os, sys
seen = []
FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn",
             "pickle.", "shutil.", "ftplib.", "smtplib.", "urllib.", "webbrowser.", "cpython.run_")
CHANGES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate",
           "os.chmod", "os.chown", "os.utime")
ours = tuple(os.path.realpath(p) for p in (sys.prefix, sys.base_prefix, ROOT))

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

import xentcli.cli.app
sys.addaudithook(hook)
code = xentcli.cli.app.main(sys.argv[1:])
allowed = os.environ.get("ALLOWED", "")
bad = [item for item in seen if not allowed or allowed not in item[1]]
sys.stderr.write("".join(f"SEEN {item}\\n" for item in bad))
sys.stdout.flush()
os._exit(code)
"""


def watched(folder: Path, *argv: object, allowed: str = "") -> Outcome:
    """A run under an audit hook: no network, no process, no pickle, no code or file of others."""
    import xentcli

    root = str(Path(xentcli.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-B", "-c", f"ROOT = {root!r}\n{WATCH}", *map(str, argv)],
        env=environment(ALLOWED=allowed),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "SEEN" not in done.stderr, done.stderr
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    "address",
    [
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
    ],
)
def test_x11_an_address_is_refused_and_not_opened(address: str, tmp_path: Path) -> None:
    outcome = watched(tmp_path, "score", address)
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
    assert watched(tmp_path, "score", path, "-v", "--color", "always").code == 0
    assert watched(tmp_path, "score", f"file://{path}", "--json").code == 0
    assert (
        watched(tmp_path, "score", path, "--json", "-o", tmp_path / "a.json", allowed=str(tmp_path)).code == 0
    )
    assert watched(tmp_path, "score", path, "--label", "none").code == 2


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


@pytest.mark.parametrize("kind", ["arrow", "arrows", "feather", "npz", "npy", "jsonl", "folder"])
def test_x11_no_format_touches_anything_else(kind: str, tmp_path: Path) -> None:
    path = stored_as(kind, tmp_path)
    found = watched(tmp_path, "score", path, "--json")
    assert found.code == 0, found.err
    assert found.value() == pytest.approx(GOOD_LOSS, abs=1e-12)
    assert watched(tmp_path, "score", path, "--label", "none").code == 2


def test_x11_an_array_of_objects_is_not_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "preds.npy", np.array([{"p0": 1}, None], object), allow_pickle=True)
    assert watched(tmp_path, "score", tmp_path / "preds.npy").code == 3


def test_x11_a_file_with_an_extension_type_runs_no_code(tmp_path: Path) -> None:
    """A name and metadata such as made readers unpickle (CVE-2023-47248, CVE-2026-41486)."""
    for name in ("arrow.py_extension_type", "ray.data.arrow_tensor", "evil.type"):
        path = parquet(tmp_path / "preds.parquet", extended_table("extra", name))
        assert watched(tmp_path, "score", path).code == 0
        path = parquet(tmp_path / "preds.parquet", extended_table("p1", name))
        assert watched(tmp_path, "score", path).code == 3


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
