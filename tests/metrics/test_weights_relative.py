"""Weights are only relative: figures, errors and tests are those of weights around 1, whatever their size."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import score

ROWS = 60
FOLDED = ("metrics.calibration_loss", "metrics.refinement_loss")


def figures(report: dict[str, Any]) -> dict[str, float]:
    """Each number about metrics, classes and slices, by where it stands; weights aside."""
    found: dict[str, float] = {}

    def walk(at: str, part: Any) -> None:
        if isinstance(part, dict):
            for name, inner in part.items():
                walk(f"{at}.{name}", inner)
        elif isinstance(part, list):
            for number, inner in enumerate(part):
                walk(f"{at}[{number}]", inner)
        elif isinstance(part, float) and not at.endswith((".support", ".weight")):
            found[at] = part  # but for those of folds, in which rows are by what they hold, weights too

    for name in ("metrics", "classes", "slices", "slice_gaps"):
        walk(name, report[name])
    return {at: value for at, value in found.items() if not at.startswith(FOLDED)}


@pytest.mark.parametrize("options", [[], ["--by", "h"], ["--group", "g"], ["--group", "g", "--by", "h"]])
@pytest.mark.parametrize(("classes", "task"), [(2, "auto"), (4, "auto"), (3, "soft")])
def test_weights_of_any_size_have_the_figures_of_weights_around_one(
    options: list[str], classes: int, task: str, tmp_path: Path
) -> None:
    rng = np.random.default_rng(classes)
    p = rng.dirichlet(np.ones(classes), ROWS)
    y = [int(rng.choice(classes, p=row)) for row in p]
    columns = {f"p_{c}": p[:, c] for c in range(classes)} | {"id": np.arange(ROWS)}
    votes = rng.dirichlet(np.ones(classes), ROWS)
    columns |= {f"y_{c}": votes[:, c] for c in range(classes)} if task == "soft" else {"label": np.array(y)}
    columns |= {"g": rng.integers(0, 9, ROWS), "h": rng.integers(0, 3, ROWS)}
    weight, found = rng.choice([0.5, 1.0, 2.0, 7.25], ROWS), {}
    for scale in (0, -300, 300, -460, 460):
        table = pa.table(columns | {"w": np.ldexp(weight, scale)})
        pq.write_table(table, tmp_path / "p.parquet")
        run = score(tmp_path / "p.parquet", "--weight", "w", "--id", "id", "--task", task, *options)
        assert run.code == 0 and "Warning" not in run.err
        found[scale] = figures(run.report)
    for scale, other in found.items():
        assert other.keys() == found[0].keys()
        for name, value in found[0].items():
            # Beyond 1e100, cubes of weights tell slices nothing of their skewness.
            if abs(scale) < 400 or not name.startswith("slice") or name.endswith((".value", ".se")):
                assert math.isclose(other[name], value, rel_tol=1e-6, abs_tol=1e-12), (scale, name)
