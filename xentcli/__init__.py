"""Score files of predictions: cross-entropy, perplexity and calibration with error bars.

`score`, `calibrate` and the errors load on first use, so that importing the package, and
`xent --version`, is cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from xentcli.api import calibrate, score
    from xentcli.report import Report

__all__ = ["Report", "__version__", "calibrate", "score"]

_HOME = {"score": "xentcli.api", "calibrate": "xentcli.api", "Report": "xentcli.report"}


def __getattr__(name: str) -> Any:
    import importlib

    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
