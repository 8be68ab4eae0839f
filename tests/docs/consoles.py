"""Console blocks of a Markdown file: each command with the screen that the file shows for it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```console\n\$ (?P<command>[^\n]+)\n(?P<screen>.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(text: str) -> list[tuple[str, str]]:
    """Each command with its screen, in order."""
    return [(match["command"], match["screen"]) for match in _BLOCK.finditer(text)]


def run(command: str) -> str:
    """What a person sees: stdout and stderr together, without colour or terminal width."""
    program, *arguments = shlex.split(command)
    assert program == "xent"
    quiet = {"PYTHONIOENCODING": "utf-8", "NO_COLOR": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "xentcli", *arguments],
        cwd=ROOT, env=os.environ | quiet, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip
    return done.stdout


def refreshed(text: str) -> str:
    """The Markdown with every screen as it is today."""
    return _BLOCK.sub(lambda m: f"```console\n$ {m['command']}\n{run(m['command'])}```", text)


if __name__ == "__main__":
    for name in sys.argv[1:] or ["README.md"]:
        path = ROOT / name
        path.write_text(refreshed(path.read_text("utf-8")), "utf-8")
