"""What the files of this folder share: run `xent`, judge what it says, and write the files it reads.

A `Catalogue` is a list of cases, each with the id it has in the catalogue of bad input: how the file
is built, the exit code, and what the message must contain. What must hold of every message (one
place, no control characters, no option that does not exist) is checked on every run, in `xent`.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import math
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xentcli.cli.app import main
from xentcli.explanations import ENTRIES

Argv = Sequence[object]
Builder = Callable[[Path], Argv]

HEADER = "p0,p1,y\n"
GOOD: dict[str, list[Any]] = {
    "p0": [0.25, 0.9, 0.4, 0.7],
    "p1": [0.75, 0.1, 0.6, 0.3],
    "y": [1, 0, 1, 0],
}
GOOD_LOSS = -math.log(0.75 * 0.9 * 0.6 * 0.7) / 4

CODES = {0, 1, 2, 3, 4, 74, 130, 141, 143}
COLOR = re.compile("\x1b\\[[0-9;]*m")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Outcome:
    """What one run did: exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """The JSON document on standard output, read strictly."""
        found: dict[str, Any] = strict(self.out)
        return found

    def value(self, metric: str = "cross_entropy") -> float:
        """A finite figure of the JSON document."""
        found = self.report["metrics"][metric]
        assert found["state"] == "finite", found
        return float(found["value"])

    def warned(self) -> list[str]:
        """The ids of the warnings of the JSON document."""
        return [warning["id"] for warning in self.report["warnings"]]


def strict(text: str) -> Any:
    """Parse JSON as the standard has it: no NaN, no Infinity, no key twice."""

    def refuse(token: str) -> None:
        raise AssertionError(f"{token} is not JSON")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({key for key, _ in pairs}) == len(pairs), "a key is there twice"
        return dict(pairs)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=once)


@functools.cache
def known_options() -> frozenset[str]:
    """Every option that the help of `xent score`, and of `xent calibrate`, shows."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        for command in (["score"], ["calibrate", "fit"], ["calibrate", "apply"]):
            main([*command, "--help"])
    return frozenset(OPTION.findall(out.getvalue())) | {"--version"}


def unknown_options(text: str) -> set[str]:
    """Options that a text names and no one can type."""
    return set(OPTION.findall(text)) - known_options()


def xent(*argv: object) -> Outcome:
    """Run `xent` in this process and check what holds of every run."""
    out_bytes, err_bytes = io.BytesIO(), io.BytesIO()
    out = io.TextIOWrapper(out_bytes, "utf-8", newline="")
    err = io.TextIOWrapper(err_bytes, "utf-8", newline="")
    before = signal.getsignal(signal.SIGTERM)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(word) for word in argv])
    finally:
        signal.signal(signal.SIGTERM, before)
    out.flush()
    err.flush()
    texts = [raw.getvalue().decode() for raw in (out_bytes, err_bytes)]
    outcome = Outcome(code, *texts)
    check(outcome, argv)
    return outcome


def check(outcome: Outcome, typed: Argv = ()) -> None:
    """What must be true of every run, whatever it was about; colours are ours and may be there.

    typed: the words of the command line, which a message may repeat.
    """
    outcome = Outcome(outcome.code, COLOR.sub("", outcome.out), COLOR.sub("", outcome.err))
    assert "Traceback" not in outcome.err, outcome.err[outcome.err.rfind("\n  File ") :].strip()
    assert "Warning: " not in outcome.err, outcome.err
    assert outcome.code in CODES, outcome
    assert not CONTROL.search(outcome.err), outcome.err
    assert not CONTROL.search(outcome.out), outcome.out
    invented = unknown_options(outcome.err) - set(OPTION.findall(" ".join(map(str, typed))))
    assert not invented, outcome.err
    assert not any(line.startswith(("::", "##")) for line in outcome.err.splitlines()), outcome.err
    told = [re.search(r"\[(\w+)\]$", x) for x in outcome.err.splitlines() if x.startswith("error: ")]
    ids = [match and match[1] for match in told] + re.findall(r"^warning (\w+): ", outcome.err, re.MULTILINE)
    assert set(ids) <= set(ENTRIES), f"not explained: {ids} in {outcome.err}"
    if outcome.code in (2, 3):
        assert outcome.out == "", outcome.out


def score(*argv: object) -> Outcome:
    """Run `xent score --json`."""
    return xent("score", "--json", *argv)


def refused(outcome: Outcome, code: int, *says: str) -> None:
    """The run ended with `code`, one error with all of `says`, a remedy, and nothing on stdout."""
    assert outcome.code == code, outcome
    assert outcome.out == "", outcome.out
    assert any(line.startswith("error: ") for line in outcome.err.splitlines()), outcome.err
    missing = [words for words in says if words.lower() not in outcome.err.lower()]
    assert not missing, f"{missing} not in: {outcome.err}"
    if code in (2, 3):
        assert "\n  try: " in outcome.err, f"no remedy in: {outcome.err}"


@dataclass(frozen=True)
class Case:
    """One line of the catalogue.

    `loss`: the cross-entropy where the run succeeds. `names_file`: the message names a file that was
    written. `check`: what else is to be true.
    """

    id: str
    build: Builder
    code: int
    says: tuple[str, ...] = ()
    loss: float | None = None
    names_file: bool = True
    check: Callable[[Outcome], None] | None = None

    def run(self, folder: Path) -> None:
        argv = self.build(folder)
        outcome = score(*argv)
        if self.code in (2, 3, 4):
            names = (Path(str(word)).name for word in argv if "/" in str(word))
            refused(outcome, self.code, *self.says)
            if self.names_file:
                assert any(name in outcome.err for name in names), outcome.err
        else:
            assert outcome.code == self.code, outcome
            missing = [words for words in self.says if words not in outcome.err]
            assert not missing, f"{missing} not in: {outcome.err}"
        if self.loss is not None:
            assert abs(outcome.value() - self.loss) <= 1e-9 * max(1.0, abs(self.loss)), outcome.value()
        if self.check is not None:
            self.check(outcome)


@dataclass
class Catalogue:
    """Cases in the order they were written."""

    cases: list[Case] = field(default_factory=list)

    def case(
        self,
        id: str,
        code: int,
        *says: str,
        loss: float | None = None,
        names_file: bool = True,
        check: Callable[[Outcome], None] | None = None,
    ) -> Callable[[Builder], Builder]:
        """The decorated function writes the file of case `id` and returns the arguments of a run."""

        def add(build: Builder) -> Builder:
            self.cases.append(Case(id, build, code, says, loss, names_file, check))
            return build

        return add

    def each(self) -> pytest.MarkDecorator:
        """A test for each case, named by its id."""
        return pytest.mark.parametrize("case", self.cases, ids=[case.id for case in self.cases])


# -- files -----------------------------------------------------------------------------------------
def parquet(path: Path, columns: Any, **options: Any) -> Path:
    """Write a table, or a dict of columns, as Parquet."""
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    pq.write_table(table, path, **options)
    return path


def good(path: Path, **options: Any) -> Path:
    """Four rows with two probabilities and a label; their cross-entropy is GOOD_LOSS."""
    return parquet(path, GOOD, **options)


def table(**changed: Any) -> Any:
    """The good table with columns changed or added; a column that is None goes."""
    return pa.table({k: v for k, v in (GOOD | changed).items() if v is not None})


def extended_table(name: str, extension: str) -> Any:
    """The good table with a column `extra`; column `name` has an extension type, with a pickle."""
    metadata = {
        b"ARROW:extension:name": extension.encode(),
        b"ARROW:extension:metadata": b"\x80\x04.",
    }
    rows = table(extra=[1.0, 2.0, 1.0, 1.0])
    fields = [f.with_metadata(metadata) if f.name == name else f for f in rows.schema]
    return pa.table(rows.columns, schema=pa.schema(fields))


def text(path: Path, content: str | bytes) -> Path:
    """Write a file byte for byte."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def fixed(rows: list[Any], width: int, kind: Any = None) -> Any:
    """A fixed-size list array."""
    return pa.array(rows, pa.list_(kind or pa.float64(), width))


# -- processes -------------------------------------------------------------------------------------
COMMAND = [sys.executable, "-m", "xentcli"]


def environment(**changed: str) -> dict[str, str]:
    """The environment of a subprocess: UTF-8, no colour, nothing of Python's own switched.

    Nor does it write bytecode: a child that is cut short, by a signal or a limit, could leave half of it.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LC_", "LANG", "XENT"))}
    return kept | {"LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"} | changed


def process(*argv: object, **options: Any) -> Outcome:
    """Run `python -m xentcli` as a user's shell does; its output is checked as that of `xent` is."""
    environ = environment(**options.pop("env", {}))
    before = options.pop("python", [])
    done: Any = subprocess.run(
        [sys.executable, *before, "-m", "xentcli", *map(str, argv)],
        env=environ,
        **({"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 120} | options),
    )
    out, err = ((stream or b"").decode("utf-8", "surrogateescape") for stream in (done.stdout, done.stderr))
    outcome = Outcome(done.returncode, out, err)
    check(outcome, argv)
    return outcome


def without_privileges() -> None:
    """In a child: permissions of files count for root as for everybody."""
    import ctypes

    bounding_set_drop = 24
    for override in (1, 2):  # write anywhere, read anywhere
        ctypes.CDLL(None).prctl(bounding_set_drop, override, 0, 0, 0)


def leftovers(folder: Path) -> list[str]:
    """Names of files that a run has left behind."""
    return [path.name for path in folder.iterdir() if path.name.startswith((".", "tmp"))]
