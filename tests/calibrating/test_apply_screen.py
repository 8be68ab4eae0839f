"""Calibrated rows on a terminal: text from data is shown there, and not obeyed."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.corpus.corpus import parquet, xent
from xentcli.cli.app import main

NAMES = ["\x1b[2J", "\x9b31m", "\x7f", "猫"]


class Screen(io.TextIOWrapper):
    """A terminal that keeps what it is sent."""

    def __init__(self, encoding: str) -> None:
        self.sent = io.BytesIO()
        super().__init__(self.sent, encoding)

    def isatty(self) -> bool:
        return True


def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, goal: str, encoding: str) -> tuple[int, bytes]:
    p = np.random.default_rng(0).dirichlet(np.ones(4), 60)
    columns = {f"p_{name}": p[:, j] for j, name in enumerate(NAMES)}
    path = parquet(tmp_path / "a.parquet", columns | {"label": [NAMES[i % 4] for i in range(60)]})
    assert xent("calibrate", "fit", path, "--method", "temperature", "-o", tmp_path / "m.json").code == 0
    screen = Screen(encoding)
    monkeypatch.setattr(sys, "stdout", screen)
    code = main(["calibrate", "apply", str(tmp_path / "m.json"), str(path), "-q", "-o", goal])
    screen.flush()
    return code, screen.sent.getvalue()


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_terminal_obeys_nothing(
    kind: str, encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, sent = shown(tmp_path, monkeypatch, f"{kind}:-", encoding)
    text = sent.decode(encoding)
    lines = text.splitlines()
    assert code == 0 and len(lines) == 60 + (kind == "csv") and all(line.isprintable() for line in lines)
    assert ("猫" in text) == (encoding == "utf-8") and "[2J" in text


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_bytes_are_no_lines(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(tmp_path, monkeypatch, f"{kind}:-", "utf-8") == (2, b"")
