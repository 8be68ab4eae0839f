"""Who takes part in the benchmark, and how each is called."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from layout import Workload

FOLDER = Path(__file__).resolve().parent / "contestants"
YARDSTICK = "read"


@dataclass(frozen=True)
class Contestant:
    """A script of the ``contestants`` folder, or ``xent`` itself when there is none."""

    name: str
    script: str | None
    needs: tuple[str, ...]
    arguments: tuple[str, ...] = ()

    @property
    def keeps_output(self) -> bool:
        """Only the table of ``xent`` is thrown away: the benchmark cannot read it."""
        return self.name != "xent-table"

    def missing(self) -> str | None:
        """What is not installed of what this contestant needs, if anything."""
        if self.script is None and xent_path() is None:
            return "xent"
        for module in self.needs:
            if importlib.util.find_spec(module) is None:
                return module
        return None

    def command(self, workload: Workload, path: Path) -> list[str]:
        """The command line that scores ``path``."""
        if self.script is None:
            return [str(xent_path()), "score", str(path), *self.arguments]
        return [sys.executable, str(FOLDER / self.script), str(path), workload.kind]

    def mean_loss(self, stdout: str) -> float | None:
        """The mean loss that the contestant printed; some have none."""
        if not self.keeps_output:
            return None
        printed = json.loads(stdout)
        value = (
            printed["metrics"]["cross_entropy"]["value"] if self.script is None else printed.get("mean_loss")
        )
        return None if value is None else float(value)


def xent_path() -> Path | None:
    """The command of this environment before any other on the path."""
    beside = Path(sys.executable).parent / "xent"
    if beside.exists():
        return beside
    found = shutil.which("xent")
    return None if found is None else Path(found)


CONTESTANTS: tuple[Contestant, ...] = (
    Contestant("start", "start_pyarrow.py", ("pyarrow",)),
    Contestant(YARDSTICK, "read_pyarrow.py", ("pyarrow",)),
    Contestant("xent", None, (), ("--json",)),
    Contestant("xent-table", None, ()),
    Contestant("sklearn", "sklearn_report.py", ("pyarrow", "scipy", "sklearn")),
    Contestant("torchmetrics", "torchmetrics_report.py", ("pyarrow", "torch", "torchmetrics")),
    Contestant("polars", "polars_mean_loss.py", ("polars",)),
    Contestant("duckdb", "duckdb_mean_loss.py", ("duckdb",)),
)


def choose(names: str | None) -> list[Contestant]:
    """Those named in a comma-separated list, or all for ``None``; says who has to sit out."""
    by_name = {contestant.name: contestant for contestant in CONTESTANTS}
    wanted = list(by_name)
    if names is not None:
        wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        raise SystemExit(f"unknown contestant {unknown[0]!r}; choose from {', '.join(by_name)}")
    present = []
    for contestant in (by_name[name] for name in wanted):
        lacking = contestant.missing()
        if lacking is None:
            present.append(contestant)
        else:
            print(f"skipped {contestant.name}: {lacking} is not installed")
    return present
