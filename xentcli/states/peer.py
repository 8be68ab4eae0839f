"""What a figure of another library needs beside the other states: its losses, or its own bins."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, Rows, Spec
from xentcli.states.summed import Summed

BINNED = ("torchmetrics", "netcal")


def mesh_of(width: float) -> int:
    """How many points relplot puts residuals on for a kernel of this width."""
    return max(2000, round(20 / width)) // 2 + 1


MESHES = tuple(mesh_of(k / 1024) for k in range(1, 12))
"""Those of the widths that its search may come to; from 11/1024 up there is one."""

_EPSILON = {"f2": 2.0**-10, "f4": 2.0**-23}  # of the stored type, that of float64 for any other
_KERAS = 1e-7


def epsilon(spec: Spec) -> float:
    """What the peer clips probabilities with: a constant, or the spacing of the stored type at 1."""
    if spec.compat == "keras":
        return _KERAS
    return _EPSILON.get(spec.stored, 2.0**-52) if spec.kind == "probs" else 2.0**-52


def edges(spec: Spec) -> F64:
    """The M + 1 edges of the peer's bins as it rounds them; they are not j/M to the last bit."""
    bins = spec.compat_bins
    if spec.compat == "netcal":
        stored = {"f2": np.float16, "f4": np.float32}.get(spec.stored, np.float64)
        kept = stored if spec.kind == "probs" else np.float64
        return np.linspace(0.0, 1.0, bins + 1).astype(kept).astype(np.float64)
    narrow = spec.task != "binary" or (spec.kind == "probs" and spec.stored in ("f2", "f4"))
    kind: type[np.floating] = np.float32 if narrow else np.float64
    index = np.arange(bins + 1).astype(kind)
    one, step = np.ones((), kind), np.ones((), kind) / np.asarray(bins, kind)
    # torch.linspace counts from both ends to the middle.
    up, down = step * index, one - step * index[::-1]
    out: F64 = np.where(np.arange(bins + 1) < (bins + 1) // 2, up, down).astype(np.float64)
    return out


class Peer(Summed):
    """Σw·loss by label, or under one key without class weights; or, for calibration, by the peer's bin
    (M + 1, the last for p = 1): rows with y = 0 and y = 1, and Σp. Infinite losses are not summed.

    relplot: Σ(p - y) and rows on the points of each of MESHES, each row split between two of them.
    netcal rounds the edges to the type of the scores for its means (scipy's binned_statistic_dd does), but
    not for its counts, so those are kept too.
    """

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        if spec.compat in BINNED:
            cells = spec.compat_bins + 1
            return {"rows": 2 * cells, "p": cells} | ({"counts": cells} if spec.compat == "netcal" else {})
        if spec.compat == "relplot":
            return dict.fromkeys(("residual", "mass"), sum(MESHES))
        weighed = spec.training is not None and spec.training.by_class and spec.compat != "sklearn"
        return {"loss": spec.size if weighed else 1}

    def update(self, rows: Rows) -> None:
        if self.spec.compat in BINNED:
            self._update_bins(rows)
        elif self.spec.compat == "relplot":
            self._update_meshes(rows)
        elif rows.peer is not None:
            key = rows.label if self.sums["loss"].size > 1 else np.zeros(rows.size, np.int64)
            x = np.where(np.isinf(rows.peer), 0.0, rows.peer)
            if rows.weight is None:
                self.sums["loss"].add(key, x)
            else:
                self.sums["loss"].add_exact(key, x * rows.weight)

    def _pair(self, rows: Rows) -> tuple[F64, npt.NDArray[np.bool_]]:
        """p and outcome (n,) of the positive class of a binary task, else of the confidence."""
        p, hit = (rows.positive, rows.label == 1)
        if self.spec.task != "binary":
            p, hit = rows.confidence, rows.top == rows.label
        assert p is not None
        return p, hit

    def _update_meshes(self, rows: Rows) -> None:
        p, hit = self._pair(rows)
        first = 0
        for size in MESHES:
            at = p * (size - 1)
            index = at.astype(np.int64).clip(0, size - 2)
            upper = at - index
            for name, x in (("residual", p - hit), ("mass", np.ones(p.size))):
                self.sums[name].add(first + index, x * (1.0 - upper))
                self.sums[name].add(first + index + 1, x * upper)
            first += size

    def _update_bins(self, rows: Rows) -> None:
        spec = self.spec
        p, hit = self._pair(rows)
        if spec.compat == "netcal":
            p = np.clip(p, epsilon(spec), 1.0 - epsilon(spec))
            exact = np.linspace(0.0, 1.0, spec.compat_bins + 1)
            self.sums["counts"].add_counts(np.searchsorted(exact, p, side="right") - 1)
        elif spec.task != "binary":
            p = p.astype(np.float32).astype(np.float64)
        key = np.searchsorted(edges(spec), p, side="right") - 1
        self.sums["p"].add_shares(key, p)
        self.sums["rows"].add_counts(2 * key + hit)
