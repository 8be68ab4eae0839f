"""Runs the damaged files in a process of their own, and holds what came of each against what may."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.corpus.corpus import environment

SECONDS = 10.0
MEGABYTES = 1024.0
REFUSED = {2, 3, 4}
"""Codes for a file that is not scored; where it has checksums, 3 alone."""


def results(folder: Path, seed: int, *words: str, timeout: float | None = None) -> list[dict[str, Any]]:
    """What became of the files that `tests.hostile.runner` makes for the same words."""
    folder.mkdir(exist_ok=True)
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.runner", str(folder), str(seed), *words],
        env=environment(PYTHONPATH=str(root), OPENBLAS_NUM_THREADS="1"),
        cwd=root, capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def faults(found: list[dict[str, Any]]) -> list[str]:
    """What should not have happened, a line each."""
    right = {one["name"]: one["out"] for one in found if one["kind"] == "none"}
    return [
        f"{one['name']}, {one['damage']}: {what} {one['err'][-300:]}"
        for one in found
        if (what := _fault(one, right[one["name"]]))
    ]


def _fault(one: dict[str, Any], right: str) -> str:
    if one["kind"] == "none" and (one["code"] or not one["out"]):
        return "the file itself cannot be scored"
    if "Traceback" in one["err"] or one["code"] not in {0} | REFUSED:
        return f"ended with {one['code']}"
    if one["seconds"] > SECONDS:
        return f"took {one['seconds']:.1f} seconds"
    if one["megabytes"] > MEGABYTES:
        return f"took {one['megabytes']:.0f} MB"
    if one["checked"] and one["code"] not in (0, 3):
        return f"ended with {one['code']} though it has checksums"
    if one["checked"] and one["code"] == 0 and one["out"] != right:
        return f"{one['out'].split()} instead of {right.split()}"
    return ""
