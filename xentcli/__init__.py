"""Score files of predictions: cross-entropy, perplexity and calibration with error bars.

`score`, `inspect`, `calibrate` and the errors load on first use, so that importing the package, and
`xent --version`, is cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from xentcli import errors
    from xentcli.api import calibrate, inspect, score
    from xentcli.errors import XentError
    from xentcli.report import Report

__all__ = ["Report", "XentError", "__version__", "calibrate", "errors", "inspect", "score"]

_HOME = {"Report": "xentcli.report", "XentError": "xentcli.errors",
         **dict.fromkeys(("score", "inspect", "calibrate"), "xentcli.api")}  # fmt: skip


def __getattr__(name: str) -> Any:
    import importlib

    if name == "errors":
        return importlib.import_module("xentcli.errors")
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
