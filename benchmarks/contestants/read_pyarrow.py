"""Read the columns with PyArrow over two threads and compute nothing.

This is the yardstick: a tool that scores the file has to read it too. Batches
of about two million values, a 1 MiB buffer and no pre-buffering were the
fastest of the settings tried, and need little memory.
"""

from __future__ import annotations

import pyarrow as pa
from common import COLUMNS, THREADS, arguments, report

BATCH_ROWS = {"binary": 262_144, "columns": 262_144, "list": 2_048}


def main() -> None:
    """Read and count the rows."""
    path, kind = arguments()
    pa.set_cpu_count(THREADS)
    if kind == "csv":
        import pyarrow.csv

        rows = pyarrow.csv.read_csv(path).num_rows
    else:
        import pyarrow.parquet

        file = pyarrow.parquet.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)
        batches = file.iter_batches(BATCH_ROWS[kind], columns=COLUMNS[kind], use_threads=True)
        rows = sum(batch.num_rows for batch in batches)
    report(rows=rows)


if __name__ == "__main__":
    main()
