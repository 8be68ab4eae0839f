"""One environment for every test: no colour or width from outside, files where tests may write."""

from __future__ import annotations

import compileall
from pathlib import Path

import pytest

import xentcli


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the package once, as pip does on installing it: many tests start processes that import it."""
    if not hasattr(session.config, "workerinput"):  # a worker of xdist finds it done
        compileall.compile_dir(Path(xentcli.__file__).parent, quiet=1)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS", "COLUMNS", "TERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of sample files."""
    return Path(__file__).resolve().parents[1] / "sample_data"
