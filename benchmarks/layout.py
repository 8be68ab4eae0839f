"""Names, files and sizes of the benchmark workloads.

Kept free of NumPy and PyArrow on purpose: ``run.py`` imports this module, and
the process that starts the contestants has to stay small (see ``launch.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Workload:
    """One file to score.

    ``kind`` tells a contestant how the predictions are laid out:

    * ``binary``: one probability column ``p``, label 0/1;
    * ``columns``: ten logit columns ``logit_0`` .. ``logit_9``;
    * ``list``: one fixed-size-list column ``logits``;
    * ``csv``: ten probability columns ``p_0`` .. ``p_9`` in a CSV file.

    Every file keeps the label in the column ``label``.
    """

    name: str
    file: str
    kind: str
    rows: int
    classes: int

    def scaled_rows(self, scale: float) -> int:
        """Rows at this scale; never so few that a class may be missing."""
        return max(int(self.rows * scale), 2_000)


WORKLOADS: tuple[Workload, ...] = (
    Workload("binary", "binary.parquet", "binary", 20_000_000, 2),
    Workload("columns", "columns.parquet", "columns", 4_000_000, 10),
    Workload("list_groups", "list_groups.parquet", "list", 200_000, 1_000),
    Workload("list_single", "list_single.parquet", "list", 200_000, 1_000),
    Workload("csv", "rows.csv", "csv", 500_000, 10),
)

DEFAULT_DIR = Path(__file__).resolve().parent / ".data"


def select(names: str | None) -> list[Workload]:
    """Workloads named in a comma-separated list, or all of them for ``None``."""
    if names is None:
        return list(WORKLOADS)
    by_name = {workload.name: workload for workload in WORKLOADS}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        raise SystemExit(f"unknown workload {unknown[0]!r}; choose from {', '.join(by_name)}")
    return [by_name[name] for name in wanted]


def folder_for(base: Path, scale: float) -> Path:
    """Folder of the files at this scale: a quick run never replaces full-size files."""
    return base if scale == 1.0 else base / f"scale-{scale:g}"
