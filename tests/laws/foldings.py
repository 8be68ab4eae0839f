"""Rows of every shape, and the ways to cut, order and merge them that may not change a state."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, I64, Batch, Place, Spec, Training
from xentcli.plan import StateSet, state

Form = dict[str, dict[str, tuple[str, tuple[int, ...], bytes]]]
Matrix = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Case:
    """Rows of one spec: `scores` (n, width), and `targets` (n, classes) where the task has them."""

    spec: Spec
    labels: I64
    scores: Matrix
    weights: F64 | None
    targets: F64 | None = None

    @property
    def size(self) -> int:
        return self.labels.size

    def only(self, rows: npt.NDArray[np.bool_]) -> Case:
        """Those rows alone."""
        weights = None if self.weights is None else self.weights[rows]
        targets = None if self.targets is None else self.targets[rows]
        return Case(self.spec, self.labels[rows], self.scores[rows], weights, targets)


@dataclass(frozen=True)
class Shape:
    """What kind of rows: enough to draw a Case from a random generator."""

    task: str
    kind: str
    classes: int
    width: int
    weighted: bool
    stored: str = "f8"
    training: Training | None = None
    compat: str | None = None
    single: bool = False
    classwise: bool = False
    binning: str = "width"

    def __str__(self) -> str:
        tail = ("-weighted" if self.weighted else "") + (f"-{self.compat}" if self.compat else "")
        tail += "-single" if self.single else ""
        tail += "-classwise" if self.classwise else ""
        tail += "-mass" if self.binning == "mass" else ""
        if self.training is not None:
            weights = "balanced" if self.training.balanced else "given" if self.training.weights else "plain"
            tail += f"-smoothed{self.training.smoothing:g}-{weights}"
        return f"{self.task}-{self.kind}-{self.width}of{self.classes}-{self.stored}{tail}"


SIZES = [("binary", 2, 1), ("binary", 2, 2), *(("multiclass", c, c) for c in (3, 10, 12, 70))]
SHAPES = [
    Shape(task, kind, classes, width, weighted)
    for task, classes, width in SIZES
    for kind in ("probs", "logits", "logprobs")
    for weighted in (False, True)
    if classes != 12 or kind == "logits"
]
SHAPES += [Shape(task, "probs", c, width, False, "text") for task, c, width in SIZES]
SHAPES += [Shape("binary", "probs", 2, 1, False, "f4", single=True)]
SHAPES += [
    Shape("binary" if c == 2 else "multiclass", kind, c, width, weighted, "f8", training)
    for c, width, kind in ((2, 1, "probs"), (2, 2, "logits"), (3, 3, "logprobs"), (70, 70, "logits"))
    for weighted, training in (
        (False, Training(0.1)),
        (True, Training(0.2, tuple(0.5 + i % 4 for i in range(c)))),
        (c == 3, Training(0.3, balanced=True)),
        (False, Training(balanced=True)),
    )
]
SHAPES += [
    Shape(task, kind, classes, classes, weighted)
    for task, sizes in (("soft", (2, 3, 70)), ("multilabel", (1, 3, 70)))
    for classes in sizes
    for kind in ("probs", "logits", "logprobs")
    for weighted in (False, True)
    if classes == 3 or kind != "logprobs"
]
SHAPES += [
    Shape(task, kind, c, c, weighted, "f8", training)
    for task, c, kind in (
        ("soft", 2, "logits"), ("soft", 3, "probs"), ("soft", 70, "logits"),
        ("multilabel", 1, "logits"), ("multilabel", 3, "logprobs"), ("multilabel", 70, "probs"),
    )
    for weighted, training in (
        (False, Training(0.1, within=True)),
        (True, Training(0.2, tuple(0.5 + i % 4 for i in range(c)), within=True, positives=tuple(
            0.25 + 3.0 * (i % 5) for i in range(c) if task == "multilabel"))),
        (c == 3, Training(0.1, balanced=True, within=True)),
    )
]  # fmt: skip
SHAPES += [Shape("soft", "probs", 3, 3, False, "text"), Shape("multilabel", "probs", 3, 3, False, "text")]
SHAPES += [
    Shape("binary" if c == 2 else "multiclass", kind, c, width, weighted, "f8", Training(0.1), compat)
    for c, width, kind in ((2, 1, "logits"), (2, 2, "probs"), (3, 3, "logprobs"), (70, 70, "probs"))
    for weighted, compat in (
        (False, "sklearn"), (True, "keras"), (False, "torchmetrics"), (False, "netcal"), (False, "relplot"),
    )
]  # fmt: skip

SHAPES += [
    Shape("multiclass", kind, c, c, weighted, classwise=True)
    for c, kind, weighted in ((3, "probs", False), (3, "logits", True), (70, "logprobs", False))
]
SHAPES += [
    Shape("multiclass", kind, 3, 3, weighted, classwise=True, binning="mass")
    for kind, weighted in (("probs", False), ("logits", True))
]


def _every_row(shape: Shape) -> bool:
    """Some shapes have the state of all rows that costs the most."""
    soft = shape.task == "soft" and shape.weighted == (shape.classes == 70)
    return (
        shape.training is not None
        and shape.compat is None
        and (soft or (shape.width == 1 and shape.weighted))
    )


def draw(shape: Shape, n: int, seed: int) -> Case:
    """n rows: ordinary ones, ties, certain and impossible ones, and some written with two digits."""
    rng = np.random.default_rng(seed)
    names = tuple(f"c{i}" for i in range(shape.classes))
    spec = Spec(
        shape.task, shape.kind, names, shape.width, tuple(f"p_{name}" for name in names)[: shape.width],
        shape.stored, shape.weighted, training=shape.training, top=4,
        confident=shape.task in ("binary", "multiclass"),
        every_row=_every_row(shape),
        compat=shape.compat, compat_bins=15 if shape.compat in ("torchmetrics", "netcal") else 0,
        single=shape.single, classwise=shape.classwise, binning=shape.binning,
        toplabel=shape.binning == "mass",
    )  # fmt: skip
    labels = rng.integers(0, shape.classes, n)
    if shape.kind == "logits":
        scores = _logits(rng, n, shape.width)
    else:
        scores = _probabilities(rng, n, max(shape.classes, 2), shape.stored == "text")[:, -shape.width :]
        if shape.kind == "logprobs":
            with np.errstate(divide="ignore"):
                scores = np.log(scores)
    if shape.single:
        scores = scores.astype(np.float32)
    weights = _weights(rng, n) if shape.weighted else None
    if shape.task == "soft":
        targets = _distributions(rng, n, shape.classes)
        return Case(spec, targets.argmax(axis=1), scores, weights, targets)
    if shape.task == "multilabel":
        if shape.kind != "logits":
            scores = _apart(rng, scores)
        return Case(spec, np.zeros(n, np.int64), scores, weights, _memberships(rng, n, shape.classes))
    return Case(spec, labels, scores, weights)


def _apart(rng: np.random.Generator, scores: F64) -> F64:
    """The same probabilities or their logarithms, of labels that have nothing to do with each other."""
    out: F64 = rng.permuted(scores, axis=0)
    return out


def _distributions(rng: np.random.Generator, n: int, classes: int) -> F64:
    """Soft labels: any, one class alone, and votes with ties."""
    out: F64 = rng.dirichlet(np.full(classes, 0.5), n)
    alone = rng.random(n) < 0.3
    out[alone] = np.eye(classes)[rng.integers(0, classes, int(alone.sum()))]
    votes = rng.random(n) < 0.3
    out[votes] = rng.multinomial(4, np.full(classes, 1 / classes), int(votes.sum())) / 4
    return out


def _memberships(rng: np.random.Generator, n: int, labels: int) -> F64:
    """0 and 1, and in some rows what lies between."""
    out: F64 = (rng.random((n, labels)) < rng.random(labels)).astype(np.float64)
    between = rng.random(n) < 0.2
    out[between] = np.round(rng.random((int(between.sum()), labels)), 1)
    return out


def _weights(rng: np.random.Generator, n: int) -> F64:
    fine = 10.0 ** rng.uniform(-8, 8, n)
    out: F64 = np.where(rng.random(n) < 0.5, fine, rng.integers(1, 5, n).astype(np.float64))
    return out


def _logits(rng: np.random.Generator, n: int, width: int) -> F64:
    out = rng.normal(size=(n, width)) * 10.0 ** rng.uniform(-3, 2.5, (n, 1))
    whole = rng.random(n) < 0.3  # ties
    out[whole] = np.rint(out[whole])
    out[rng.random(n) < 0.05] = 0.0
    masked = rng.random((n, width)) < 0.1
    masked[np.arange(n), rng.integers(0, width, n)] = width == 1
    out[masked & (rng.random((n, 1)) < 0.3)] = -np.inf
    certain = np.flatnonzero(rng.random(n) < 0.05)
    out[certain, rng.integers(0, width, certain.size)] = np.inf
    return out


def _probabilities(rng: np.random.Generator, n: int, classes: int, text: bool) -> F64:
    sharp = rng.choice([0.01, 0.3, 1.0, 30.0], n)
    gamma = rng.standard_gamma(np.repeat(sharp[:, None], classes, axis=1)) + 1e-300
    out: F64 = gamma / gamma.sum(axis=1, keepdims=True)
    written = (rng.random(n) < 0.4) | text
    for digits in (2, 3):
        which = np.flatnonzero(written & (rng.integers(2, 4, n) == digits))
        parts = [rng.multinomial(10**digits, p / p.sum()) for p in out[which]]
        if parts:
            out[which] = np.array(parts) / 10**digits
    certain = np.flatnonzero(rng.random(n) < 0.1)
    out[certain] = 0.0
    out[certain, rng.integers(0, classes, certain.size)] = 1.0
    level = rng.random(n) < 0.05
    out[level] = 1.0 / classes
    noisy = rng.random(n) < 0.05  # as a softmax is printed: a class of almost nothing beside 1
    out[noisy] = 0.0
    out[noisy, :2] = [1.0, 1e-15]
    return out


def batch(case: Case, which: I64, layout: str = "matrix") -> Batch:
    """Rows `which` of a case as one batch, in a given memory layout."""
    scores = case.scores[which]
    place = Place("rows", 1, numbers=which + 1)
    weights = None if case.weights is None else case.weights[which]
    targets = None if case.targets is None else case.targets[which]
    out = Batch(case.labels[which], place, weights=weights, targets=targets)
    if layout == "matrix":
        return replace(out, matrix=np.ascontiguousarray(scores))
    if layout == "fortran":
        return replace(out, matrix=np.asfortranarray(scores))
    if layout == "strided":
        return replace(out, matrix=np.repeat(np.repeat(scores, 2, axis=0), 3, axis=1)[::2, ::3])
    assert layout == "columns"
    columns = tuple(np.ascontiguousarray(column) for column in scores.T)
    return replace(out, columns=columns)


def whole(case: Case, layout: str = "matrix") -> StateSet:
    """All rows of a case, folded as one batch."""
    return folded(case, [np.arange(case.size)], layout)


def folded(case: Case, parts: list[I64], layout: str = "matrix") -> StateSet:
    out = StateSet.empty(case.spec)
    for part in parts:
        out.fold(batch(case, part, layout), part.size)
    return out


def scattered(case: Case, rng: np.random.Generator, layout: str = "matrix") -> StateSet:
    """All rows in a random order, cut anywhere (single and empty batches too), merged in any tree."""
    order = rng.permutation(case.size)
    if rng.random() < 0.3:
        cuts = np.arange(1, case.size)  # one row at a time
    else:
        cuts = np.sort(rng.integers(0, case.size + 1, int(rng.integers(0, 12))))
    parts = np.split(order, cuts)
    owners = rng.integers(0, int(rng.integers(1, 7)), len(parts))
    sets = [
        folded(case, [part for part, own in zip(parts, owners, strict=True) if own == owner], layout)
        for owner in range(int(owners.max()) + 1)
    ]
    while len(sets) > 1:
        taken = sets.pop(int(rng.integers(len(sets))))
        sets[int(rng.integers(len(sets)))].merge(taken)
    return sets[0]


def form(states: StateSet) -> Form:
    """Every array of every state as type, shape and bytes."""
    return {
        name: {
            key: (array.dtype.str, array.shape, np.ascontiguousarray(array).tobytes())
            for key, array in held.to_arrays().items()
        }
        for name, held in states.states.items()
    }


def differing(found: Form, expected: Form) -> list[str]:
    """Names of the state arrays that are not the same bytes."""
    assert {name: list(arrays) for name, arrays in found.items()} == {
        name: list(arrays) for name, arrays in expected.items()
    }
    return [
        f"{name}.{key}"
        for name, arrays in expected.items()
        for key, array in arrays.items()
        if found[name][key] != array
    ]


def reloaded(states: StateSet) -> StateSet:
    """The same set, stored and loaded again."""
    loaded = {
        name: state(name).from_arrays(
            {key: array.copy() for key, array in held.to_arrays().items()}, states.spec
        )
        for name, held in states.states.items()
    }
    return StateSet(states.spec, loaded, states.read, states.ignored, dict(states.skipped))
