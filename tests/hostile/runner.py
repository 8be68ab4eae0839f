"""Scores damaged files, each in a process of its own, and says how each one ended.

    python -m tests.hostile.runner FOLDER SEED KIND=COUNT… [-- NAME…]

writes one line of JSON for each file: name, damage, exit code (negative: the signal), seconds, peak
memory in MB, what was printed. A process is forked from one that has imported everything, so that
hundreds can be tried in a few seconds and a crash is that of one file.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import resource
import signal
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

import xentcli
from tests.hostile.mutants import KINDS, Mutant, Original, originals
from xentcli.cli.app import main

LONGEST = 10


def judge(original: Original, kind: str, mutant: Mutant, folder: Path) -> dict[str, Any]:
    """How scoring a damaged file ended."""
    damage, data = mutant
    path = folder / original.name
    path.write_bytes(data)
    out, err = folder / "out", folder / "err"
    begun = time.monotonic()
    child = os.fork()
    if child == 0:
        _score(path, out, err)
    _, status, usage = os.wait4(child, 0)
    return {
        "name": original.name, "kind": kind, "damage": damage, "checked": original.checked,
        "code": os.waitstatus_to_exitcode(status), "seconds": time.monotonic() - begun,
        "megabytes": usage.ru_maxrss / 1024, "out": out.read_text(), "err": err.read_text()[-600:],
    }  # fmt: skip


def _score(path: Path, out: Path, err: Path) -> None:
    """In the child: score, and leave."""
    code = 99
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for number, target in ((1, out), (2, err)):
            os.dup2(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        signal.alarm(LONGEST)  # its default action ends the process
        named = ["--label", "y", "--jobs", "1", "--only", "nll", "--only", "ece", "--only", "accuracy"]
        code = main(["score", str(path), *named])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def run(folder: Path, seed: int, counts: dict[str, int], names: list[str]) -> None:
    """Judge so many damaged copies of each kind of each file; the files themselves come first."""
    sys.stdout.flush()
    for module in pkgutil.walk_packages(xentcli.__path__, "xentcli."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    gc.freeze()
    for original in originals():
        if names and original.name not in names:
            continue
        print(json.dumps(judge(original, "none", ("none", original.data), folder)), flush=True)  # noqa: T201
        for kind, count in counts.items():
            for mutant in islice(KINDS[kind](original, seed), count):
                print(json.dumps(judge(original, kind, mutant, folder)), flush=True)  # noqa: T201


if __name__ == "__main__":
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    pairs = (pair.partition("=") for pair in sys.argv[3:split])
    run(Path(sys.argv[1]), int(sys.argv[2]), {k: int(v) for k, _, v in pairs}, sys.argv[split + 1 :])
