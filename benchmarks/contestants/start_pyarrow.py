"""Start Python and import PyArrow, no more: the floor under every wall time here."""

from __future__ import annotations

import pyarrow.parquet  # noqa: F401
from common import arguments, report

if __name__ == "__main__":
    arguments()
    report()
