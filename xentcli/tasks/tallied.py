"""The states of a binary task from its `Tally`: what each would hold, had it seen every row itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from xentcli.batch import F64, I64, Batch, Place, Rows, Spec
from xentcli.numerics import grid
from xentcli.numerics.apart import apart
from xentcli.states import State
from xentcli.states.bins import PositiveBins
from xentcli.states.cells import Nodes
from xentcli.states.classes import Classes
from xentcli.states.confusion import Confusion
from xentcli.states.moments import Moments
from xentcli.states.scores import LEVELS, Scores
from xentcli.states.summed import Summed
from xentcli.states.tally import Tally
from xentcli.tasks import binary

_BLOCK = 1 << 14


def derived(tally: Tally, threads: int = 1) -> dict[str, State]:
    """The states that a Tally stands for, by their names in `plan.STATES`."""
    exact = tally.exact()
    parts = [(cells, part) for cells in tally.cells() for part in cells.parts()]
    shares = 2 * threads if threads > 1 and parts else 1

    def share(number: int) -> dict[str, State]:
        sums = _Sums(tally.spec)
        if number == 0:
            sums.repeat(*exact)
        for cells, part in parts[number::shares]:
            sums.spread(cells.nodes(part))
        return dict(sums.states())

    pieces: list[Callable[[], dict[str, State]]] = [partial(share, number) for number in range(shares)]
    pieces.append(lambda: {"scores": _scores(tally, *exact)})
    out, *others, scores = apart(pieces, threads if parts else 1)
    for other in others:
        for name, state in out.items():
            state.merge(other[name])
    return out | scores


class _Sums:
    """The states that are nothing but sums over rows."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.moments = Moments.empty(spec)
        self.classes = Classes.empty(spec)
        self.confusion = Confusion.empty(spec)
        self.positive = PositiveBins.empty(spec)

    def states(self) -> dict[str, Summed]:
        names = ("moments", "classes", "confusion", "positive")
        return {name: getattr(self, name) for name in names}

    def repeat(self, score: F64, label: I64, times: I64) -> None:
        """Add rows (n,), each so many times, by doubling: exactly what adding them one by one gives."""
        summed = self.states().values()
        for bit in reversed(range(int(times.max(initial=0)).bit_length())):
            for state in summed:
                state.merge(state)
            chosen = np.flatnonzero(times >> bit & 1)
            for lo in range(0, chosen.size, 4 * _BLOCK):
                part = chosen[lo : lo + 4 * _BLOCK]
                rows = _rows(score[part], label[part], self.spec)
                for state in summed:
                    state.update(rows)

    def spread(self, nodes: Nodes) -> None:
        """Add the rows that a quadrature stands for."""
        moments, sums = self.moments, self.positive.sums
        label, rows, weight = nodes.label, nodes.rows.astype(np.float64), nodes.weight
        labels, weights = np.repeat(label, weight.shape[1]), weight.reshape(-1)
        found = _rows(nodes.p.reshape(-1), labels, self.spec)
        moments.put("rows", float(rows.sum()))
        for name, x in (("loss", found.loss), ("brier", found.brier)):
            each = weights * x
            self._put(name, each, labels)
            if name == "loss":
                self._put("loss_2", each * x, labels)
            else:
                moments.put(f"{name}_2", float((each * x).sum()))
        excess = found.loss - found.entropy
        for name, x in (
            ("entropy", found.entropy), ("entropy_2", found.entropy**2), ("excess_2", excess**2),
            ("z_part", found.z_part), ("z_var", found.z_var),
        ):  # fmt: skip
            moments.put(name, float((weights * x).sum()))
        self.confusion.sums["matrix"].add_exact(2 * label + nodes.side, rows)
        offset = nodes.p - grid.edge_of_cell()[nodes.bin, None]
        sums["rows"].add_exact(2 * nodes.bin + label, rows)
        sums["offset"].add_exact(nodes.bin, _of_cells(weight * offset))
        sums["variance"].add_exact(nodes.bin, _of_cells(weight * offset * offset))

    def _put(self, name: str, x: F64, labels: I64) -> None:
        """Add totals by label that were worked out here, mostly of rows of one label."""
        alone = labels[0] == labels[-1] and (labels == labels[0]).all()
        both = np.array([x.sum() * (labels[0] == c) if alone else x[labels == c].sum() for c in (0, 1)])
        self.classes.sums[name].add_exact(np.arange(2), both)


def _of_cells(x: F64) -> F64:
    """The sum (cells,) over the nodes (cells, 4) of each; NumPy's takes five times as long over so few."""
    return x[:, 0] + x[:, 1] + x[:, 2] + x[:, 3]


def _rows(score: F64, label: I64, spec: Spec) -> Rows:
    """The quantities of rows (n,); scratch arrays."""
    return binary.quantities(Batch(label, Place("", 1), (score,)), spec)[0]


def _scores(tally: Tally, score: F64, label: I64, times: I64) -> Scores:
    """The order of all rows, of which those that are kept as they are have these scores."""
    keys = score.view(np.int64)
    if not tally.coarse:
        sides = [label == side for side in (0, 1)]
        return Scores.counted(tally.spec, [(keys[own], times[own]) for own in sides])
    rows = np.where(label == np.arange(2)[:, None], times, 0)
    keys, zeros = keys >> LEVELS[1], int(np.count_nonzero(score == 0.0))
    parts = [(keys[:zeros], rows[:, :zeros]), *(cells.scores() for cells in tally.cells()),
             (keys[zeros:], rows[:, zeros:])]  # fmt: skip
    return Scores.of(
        tally.spec, 1, np.concatenate([k for k, _ in parts]), np.concatenate([r for _, r in parts], axis=1)
    )
