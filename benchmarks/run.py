"""Time ``xent`` and others on the benchmark files, each run in a fresh process."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import launch
from layout import DEFAULT_DIR, Workload, folder_for, select
from roster import Contestant, choose
from summary import Row, Runs, summarise, table

PACKAGES = (
    "xentcli",
    "xent",
    "numpy",
    "pyarrow",
    "pandas",
    "scipy",
    "scikit-learn",
    "torch",
    "torchmetrics",
    "polars",
    "duckdb",
)


def environment() -> dict[str, str]:
    """The caller's environment with every thread pool set to the CPUs in use.

    Python may keep bytecode, as pip does on installing: otherwise a package that is run from its sources
    is compiled in each run, which nobody who has installed it waits for.
    """
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **dict.fromkeys(names, str(launch.CPUS))}


def make_files(names: str | None, folder: Path, scale: float) -> None:
    """Make what is missing, in a process of its own so that this one stays small."""
    script = Path(__file__).resolve().parent / "workloads.py"
    command = [sys.executable, str(script), "--dir", str(folder), "--scale", str(scale)]
    subprocess.run(command + ([] if names is None else ["--only", names]), check=True)


def measure(workload: Workload, path: Path, contestants: list[Contestant], repeat: int) -> dict[str, Runs]:
    """Run all contestants in turn, round after round; the first round only warms up."""
    results = {contestant.name: Runs() for contestant in contestants}
    env = environment()
    for round_number in range(repeat + 1):
        for contestant in contestants:
            runs = results[contestant.name]
            if runs.error is not None:
                continue
            command = contestant.command(workload, path)
            outcome = launch.run(command, env, keep_output=contestant.keeps_output)
            runs.error = outcome.error
            if outcome.error is not None or round_number == 0:
                continue
            runs.seconds.append(outcome.seconds)
            runs.peaks.append(outcome.peak_mb)
            try:
                runs.mean_loss = contestant.mean_loss(outcome.stdout)
            except (ValueError, KeyError, TypeError) as problem:
                runs.error = f"unreadable output: {problem!r}"
    return results


def cpu_model() -> str:
    """The processor's name as Linux tells it."""
    with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def about() -> dict[str, Any]:
    """The machine and the versions, so that results can be told apart later."""
    from importlib import metadata

    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "cores_used": len(os.sched_getaffinity(0)),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": versions,
        "launcher_peak_mb": round(launch.own_peak_mb(), 1),
    }


def entry(workload: Workload, path: Path, rows: list[Row], scale: float) -> dict[str, Any]:
    """One workload's part of the JSON file."""
    return {
        "name": workload.name,
        "file": workload.file,
        "bytes": path.stat().st_size,
        "rows": workload.scaled_rows(scale),
        "classes": workload.classes,
        "results": [asdict(row) for row in rows],
    }


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, default=DEFAULT_DIR, help="where the files are kept")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the rows to use")
    parser.add_argument("--repeat", type=int, default=5, help="measured rounds, after a warm-up")
    parser.add_argument("--only", help="workloads, comma-separated")
    parser.add_argument("--contestants", help="contestants, comma-separated")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    options = parser.parse_args()
    if options.repeat < 1:
        parser.error("--repeat must be at least 1")
    return options


def main() -> int:
    """Run the benchmark; exit code 1 if a contestant failed or a mean loss is off."""
    options = parse()
    workloads = select(options.only)
    contestants = choose(options.contestants)
    make_files(options.only, options.dir, options.scale)
    launch.pin()
    folder = folder_for(options.dir, options.scale)
    entries = []
    clean = True
    for workload in workloads:
        path = folder / workload.file
        rows = summarise(measure(workload, path, contestants, options.repeat))
        clean = clean and all(row.error is None and row.agrees is not False for row in rows)
        entries.append(entry(workload, path, rows, options.scale))
        size = f"{workload.scaled_rows(options.scale):,} rows, {workload.classes:,} classes"
        print(f"\n{workload.name} ({size}, {path.stat().st_size / 1e6:,.1f} MB)\n", flush=True)
        print(table(rows), flush=True)
    if options.json is not None:
        settings = {"scale": options.scale, "repeat": options.repeat}
        document = {"about": about(), "settings": settings, "workloads": entries}
        options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 0 if clean else 1


if __name__ == "__main__":
    raise SystemExit(main())
