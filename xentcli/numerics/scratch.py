"""Reused work arrays, one set a thread: the hot loop allocates nothing."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

_local = threading.local()


def buffer(name: str, size: int, dtype: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
    """An uninitialised array of `size` under `name`, valid until the same thread asks for it again."""
    store: dict[str, npt.NDArray[Any]] = _local.__dict__.setdefault("store", {})
    held = store.get(name)
    if held is None or held.size < size:
        held = store[name] = np.empty(size, dtype)
    return held[:size]


def counting(size: int) -> npt.NDArray[np.int64]:
    """0, 1, 2 ... (size,), not to be written to."""
    held: npt.NDArray[np.int64] | None = _local.__dict__.get("counting")
    if held is None or held.size < size:
        held = _local.counting = np.arange(size)
    return held[:size]
