"""What flows through the one pass: `Spec` (what is computed), `Batch` (scores in), `Rows` (numbers out).

A Batch holds the scores of some rows as they were read; a task turns it into Rows, one float64 per
row and quantity; states see nothing else. Row numbers are 1-based positions in their file.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from xentcli.errors import Spot, clean
from xentcli.numerics import grid, grouped, rowhash
from xentcli.numerics.blocks import CLASS_MAJOR_BELOW as CLASS_MAJOR_BELOW
from xentcli.numerics.blocks import blocks
from xentcli.numerics.scratch import buffer
from xentcli.records import dataclass, field
from xentcli.rowparts import Ids, Lists, Table

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Real = npt.NDArray[np.floating]

_MOST_KEYS, _LEAST_ROWS = 1 << 16, 1 << 14  # that putting rows in their order is worth its while for

EXAMPLES = 5
"""Of each kind of bad rows, so many are named."""

Spots = dict[str, list[Spot]]
"""The first bad rows of each kind, in the order of the input."""

Keys = tuple[I64, list[tuple[str | None, ...]]]
"""The slice of each row (n,) as an index into a list of keys, one text a column, None for null."""


@dataclass(frozen=True, slots=True)
class Training:
    """How the loss that a model was trained with differs from the cross-entropy.

    smoothing: the share of each target that goes evenly to all classes. weights: of the classes (C,),
    empty where there are none; `balanced` ones follow from the counts of the labels after the last row.
    per_row: the mean is over Σw of the rows, and not over the class weights of their labels too.
    within: every class has a part in the loss of a row (soft labels, multilabel), so the weights are in it,
    and the mean is over rows. positives: what a positive of each label weighs (L,); multilabel alone.
    """

    smoothing: float = 0.0
    weights: tuple[float, ...] = ()
    balanced: bool = False
    per_row: bool = False
    within: bool = False
    positives: tuple[float, ...] = ()

    @property
    def by_class(self) -> bool:
        """Does the loss of a row count by the class of its label?"""
        return not self.within and (self.balanced or bool(self.weights))

    @property
    def apart(self) -> bool:
        """Are parts of the loss kept by class until the balanced weights of all classes are known?"""
        return self.balanced and (self.within or self.smoothing > 0.0)


@dataclass(frozen=True, slots=True)
class Spec:
    """Everything that decides what is computed from a row; equal specs give comparable results.

    `width` is the number of score columns: 1 for one-column binary, else the number of classes.
    `top`: how many of the worst rows are told. `confident`: are labels to be doubted? And once it is known,
    `thresholds` (C,): from which p on a row is one of a class; see `states.suspects`. `classwise`: of all p.
    `toplabel`: is the error of each predicted class asked for? `deepest`: the largest k of top-k accuracy.
    `stored`: precision of the scores, "f2", "bf", "f4", "f8" or "text", the coarsest of all files; single:
    none holds more than float32. `every_row`: no sample of them. `binning`: of equal "width" or "mass".
    """

    task: str
    kind: str
    classes: tuple[str, ...]
    width: int
    columns: tuple[str, ...] = ()
    stored: str = "f8"
    weighted: bool = False
    threshold: float = 0.5
    bins: int = 15
    clip: float | None = None
    renormalize: bool = False
    skip_bad: bool = False
    training: Training | None = None
    by: tuple[tuple[str, ...], ...] = ()
    compat: str | None = None
    compat_bins: int = 0
    grouped: bool = False
    precision: str = "auto"
    top: int = 0
    single: bool = False
    confident: bool = False
    thresholds: tuple[float, ...] = ()
    classwise: bool = False
    toplabel: bool = False
    deepest: int = 10
    every_row: bool = False
    binning: str = "width"

    @property
    def narrow(self) -> bool:
        """Are exponentials taken in float32, because scores are stored in that or less?

        With two classes they never are, so that one column and two of them give the same figures.
        """
        stored = self.stored in ("f2", "bf", "f4") and self.kind in ("logits", "logprobs")
        return self.precision == "auto" and stored and self.width > 2 and self.task in ("multiclass", "soft")

    @property
    def size(self) -> int:
        """The number of classes."""
        return len(self.classes)

    @property
    def massed(self) -> bool:
        """Do errors by class have bins of equal mass, which are not known before the rows are?"""
        return self.binning == "mass" and self.task == "multiclass"

    @property
    def tallied(self) -> bool:
        """Is every figure a function of how often each float32 score was seen with each label?"""
        plain = self.kind == "probs" and self.clip is None and self.threshold == 0.5 and not self.weighted
        more = self.by or self.grouped or self.compat is not None or self.training is not None
        return self.single and self.task == "binary" and self.width == 1 and plain and not more

    def column(self, index: int) -> str:
        """How a message names score `index`."""
        if len(self.columns) == self.width:
            return clean(self.columns[index])
        return f"{clean(self.columns[0])}[{index}]" if self.columns else f"score {index}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows came from: the file, and the 1-based number of each row in it.

    `part`: the number of their part of the input, and of the file in that part.
    """

    source: str
    first: int
    numbers: I64 | None = None
    part: tuple[int, int] = (0, 0)

    def row(self, index: int) -> int:
        return int(self.numbers[index]) if self.numbers is not None else self.first + index

    def where(self, index: int) -> str:
        return f"{clean(self.source, 200)}, row {self.row(index):,}"

    def spot(self, index: int) -> Spot:
        return Spot(self.part, self.row(index), self.source)

    def spots(self, which: I64) -> list[Spot]:
        """The spots of the rows `which` (m,)."""
        rows = self.first + which if self.numbers is None else self.numbers[which]
        return list(map(Spot._make, zip(repeat(self.part), rows.tolist(), repeat(self.source), strict=False)))


def earliest(one: Spots, other: Spots) -> Spots:
    """Of both, the first EXAMPLES of each kind."""
    return {kind: sorted([*one.get(kind, []), *other.get(kind, [])])[:EXAMPLES] for kind in one | other}


@dataclass(frozen=True, slots=True)
class Batch:
    """Scores of n rows with their labels: `columns` (width arrays of n) or `matrix` (n, width).

    `keys`: the slices of the rows, for each `--by`; `groups` (n,): their buckets for `--group`; `ids`: their
    names, where they are to be told. `lists`: the scores, where rows list only some classes.
    `targets` (n, C) is what each row says of every class, where one index does not say it: the label
    distribution of soft labels (non-negative, `labels` its argmax, the lowest index of a tie), or the
    0/1 of multilabel rows (`labels` zero). `targets_text`: they were written as decimals.
    """

    labels: I64
    place: Place
    columns: tuple[Real, ...] = ()
    matrix: Real | None = None
    weights: F64 | None = None
    skipped: dict[str, int] = field(default_factory=dict)
    spots: Spots = field(default_factory=dict)
    ignored: int = 0
    targets: F64 | None = None
    keys: tuple[Keys, ...] = ()
    groups: I64 | None = None
    targets_text: bool = False
    lists: Lists | None = None
    ids: Ids | None = None

    @property
    def size(self) -> int:
        return self.labels.size

    def column(self, index: int) -> Real:
        return self.columns[index] if self.matrix is None else self.matrix[:, index]

    def taken(self, which: I64, out: Real | None = None) -> Real:
        """`out` (k, width), or else new float64, with the scores of the rows `which` (k,)."""
        if out is None:
            out = np.empty((which.size, len(self.columns) if self.matrix is None else self.matrix.shape[1]))
        if self.matrix is not None:
            out[:] = self.matrix.take(which, axis=0)
        for index, column in enumerate(self.columns):
            out[:, index] = column.take(which)
        return out

    @property
    def dtype(self) -> np.dtype[Any]:
        """The narrowest float type that holds all scores exactly; float32 at least."""
        arrays = self.columns if self.matrix is None else (self.matrix,)
        return np.result_type(np.float32, *(array.dtype for array in arrays))

    def blocks(self, width: int) -> Iterator[tuple[slice, Real]]:
        """The scores in blocks, as `numerics.blocks` has them."""
        return blocks(self.columns if self.matrix is None else self.matrix, self.size, width, self.dtype)


@dataclass(slots=True)
class Rows:
    """Plain quantities of n rows, all (n,); in nats and fractions. `None`: the task has no such thing.

    loss: -ln p of the label, inf where p = 0. top: argmax, the lowest index of a tie. predicted: top,
    or the side of the threshold. confidence: p of top. brier: sum over classes of (p - [label])**2,
    half of it for binary tasks. z_part, z_var: terms of Spiegelhalter's z. rank: of the label, from 1.
    guess, p_guess: the class that the row is confidently of, by `spec.thresholds`, or -1, and its p.
    positive: p of the positive class. score: what orders rows for AUROC. training: the loss under
    `spec.training`, per unit of the weight of the label's class unless that is `within`. parts: of it, for
    balanced weights to weigh: -ln p of every class (n, C) under a smoothed hard label; costs of every class
    of a soft label; of there and not there of every label (n, 2L). peer: the loss as `spec.compat` has it.
    `counts` and `extremes` are what warnings are made of.

    Soft labels q: the label is argmax q, and hit is q of the top class. Multilabel: loss, brier and entropy
    are means over the labels; label, predicted and top say nothing. Both have a `table`, `square` (Σq², or
    the mean of target²) and `means`, more quantities by their names in `states.moments`. `batch`: rows as
    they were read, for states that keep scores. `flags`: which rows (n,) the counts are of, where they are to
    be told; scratch. single: p of the positive class where `spec.tallied`. every: p of every class (C, n).
    """

    label: I64
    predicted: I64
    top: I64
    loss: F64
    brier: F64
    entropy: F64
    z_part: F64
    z_var: F64
    confidence: F64 | None = None
    rank: I64 | None = None
    positive: F64 | None = None
    score: F64 | None = None
    training: F64 | None = None
    parts: F64 | None = None
    peer: F64 | None = None
    hit: F64 | None = None
    guess: I64 | None = None
    p_guess: F64 | None = None
    square: F64 | None = None
    means: dict[str, F64] = field(default_factory=dict)
    table: Table | None = None
    weight: F64 | None = None
    place: Place | None = None
    skipped: dict[str, int] = field(default_factory=dict)
    spots: Spots = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    flags: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    extremes: dict[str, float] = field(default_factory=dict)
    examples: dict[str, tuple[float, str]] = field(default_factory=dict)
    keys: tuple[Keys, ...] = ()
    groups: I64 | None = None
    batch: Batch | None = None
    single: npt.NDArray[np.float32] | None = None
    every: F64 | None = None
    _located: tuple[I64, F64] | None = None
    _order: grouped.Order | None = None
    _hashes: rowhash.U64 | None = None

    @property
    def size(self) -> int:
        return self.label.size

    def located(self) -> tuple[I64, F64]:
        """`grid.locate` of the confidence, computed once; not to be written to."""
        assert self.confidence is not None
        if self._located is None:
            self._located = grid.locate(self.confidence)
        return self._located

    def ordered(self, spec: Spec) -> grouped.Order | None:
        """Their order by (label * C + top) * bins + bin of the confidence, computed once: for unweighted rows
        of which many share a key."""
        keys = spec.size**2 * spec.bins
        few = spec.size < 3 or keys > _MOST_KEYS or self.size < _LEAST_ROWS
        if few or self.weight is not None or spec.task != "multiclass":
            return None
        if self._order is None:
            key = grid.bin_of_cell(spec.bins).take(self.located()[0])
            key += (self.label * spec.size + self.top) * spec.bins
            self._order = grouped.ordered(key, keys, "rows")
        return self._order

    def hashes(self) -> rowhash.U64:
        """A hash (n,) of what each row holds, computed once: loss, entropy and weight; the score of the label
        where loss and entropy round to 0. The same in any batch and place, and for any order of the classes.
        """
        if self._hashes is None:
            loss, entropy, batch = self.loss, self.entropy, self.batch
            weight = np.zeros(1) if self.weight is None else self.weight
            parts = [rowhash.rounded(loss, "loss"), rowhash.rounded(entropy, "entropy"), weight]
            if batch is not None and batch.lists is not None:
                parts += [] if self.confidence is None else [self.confidence]
            elif batch is not None and (sure := np.flatnonzero(loss + entropy == 0.0)).size:
                scores = batch.taken(sure) + 0.0  # -0.0 is 0.0
                parts.append(np.zeros(self.size))
                parts[-1][sure] = scores[np.arange(sure.size), batch.labels[sure] * (scores.shape[1] > 1)]
            self._hashes = rowhash.hashed(*parts, out=buffer("rows.hashes", self.size, np.uint64))
        return self._hashes

    def folds(self, which: I64 | slice = slice(None)) -> I64:
        """The fold in [0, FOLDS) of each row, or of some: one for each `--group`, and for equal rows."""
        if self.groups is None:
            return rowhash.folds(self.hashes()[which])
        return rowhash.folds(rowhash.hashed(self.groups[which]))
