"""Calibration maps: fitted on files with honest figures, kept as small documents, applied to files.

`fit`, `apply`, `load` and `CalibrationMap` come from their own files, on first use.
"""

from __future__ import annotations

from typing import Any

__all__ = ["CalibrationMap", "apply", "fit", "load"]

_HOME = {"fit": "fitting", "apply": "applying", "load": "maps", "CalibrationMap": "maps"}


def __getattr__(name: str) -> Any:
    import importlib

    if name in _HOME:
        return getattr(importlib.import_module(f"xentcli.calibrating.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
