"""What a run computes: the states that a Spec needs, and folding batches into them."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from xentcli import tasks
from xentcli.batch import Batch, Rows, Spec, Spots, earliest
from xentcli.records import dataclass, field
from xentcli.states import State
from xentcli.states.sample import TABLED, sampled

if TYPE_CHECKING:
    from xentcli.states.bins import ConfidenceBins, PositiveBins
    from xentcli.states.classbins import ClassBins, TopCells
    from xentcli.states.classes import Classes
    from xentcli.states.classwise import ClassWise
    from xentcli.states.clustercells import ClusterCells
    from xentcli.states.clusterclasses import ClusterClassWise, ClusterTop
    from xentcli.states.clusterlabels import ClusterLabels
    from xentcli.states.clusters import Clusters
    from xentcli.states.confusion import Confusion
    from xentcli.states.labelbins import LabelBins
    from xentcli.states.labels import Labels
    from xentcli.states.labelscores import LabelScores
    from xentcli.states.moments import Moments
    from xentcli.states.notes import Notes
    from xentcli.states.peer import Peer
    from xentcli.states.ranks import Ranks
    from xentcli.states.sample import Sample
    from xentcli.states.scores import Scores
    from xentcli.states.selfconfidence import SelfConfidence
    from xentcli.states.sliceclusters import SliceClusters
    from xentcli.states.slices import Slices
    from xentcli.states.softbins import SoftBins
    from xentcli.states.softclasses import SoftClasses
    from xentcli.states.suspects import Suspects
    from xentcli.states.tablesample import TableSample
    from xentcli.states.tail import Tail
    from xentcli.states.tally import Tally
    from xentcli.states.temperatures import Temperatures
    from xentcli.states.training import TrainingLoss
    from xentcli.states.worst import Worst

STATES = {
    "tally": "tally.Tally",
    "moments": "moments.Moments",
    "classes": "classes.Classes",
    "confusion": "confusion.Confusion",
    "ranks": "ranks.Ranks",
    "confidence": "bins.ConfidenceBins",
    "classbins": "classbins.ClassBins",
    "positive": "bins.PositiveBins",
    "scores": "scores.Scores",
    "training": "training.TrainingLoss",
    "softclasses": "softclasses.SoftClasses",
    "softbins": "softbins.SoftBins",
    "labels": "labels.Labels",
    "labelbins": "labelbins.LabelBins",
    "labelscores": "labelscores.LabelScores",
    "peer": "peer.Peer",
    "notes": "notes.Notes",
    "slices": "slices.Slices",
    "sliceclusters": "sliceclusters.SliceClusters",
    "clusters": "clusters.Clusters",
    "clustercells": "clustercells.ClusterCells",
    "classwise": "classwise.ClassWise",
    "topcells": "classbins.TopCells",
    "clusterclasswise": "clusterclasses.ClusterClassWise",
    "clustertop": "clusterclasses.ClusterTop",
    "clusterlabels": "clusterlabels.ClusterLabels",
    "tail": "tail.Tail",
    "worst": "worst.Worst",
    "selfconfidence": "selfconfidence.SelfConfidence",
    "suspects": "suspects.Suspects",
    "sample": "sample.Sample",
    "temperatures": "temperatures.Temperatures",
    "tablesample": "tablesample.TableSample",
}
"""Names of states, their modules in `states/`, imported on use, and their classes."""


def state(name: str) -> type[Any]:
    """The class of a state, imported on use: most runs need a third of them."""
    module, _, found = STATES[name].partition(".")
    kind: type[Any] = getattr(import_module(f"xentcli.states.{module}"), found)
    return kind


def common(spec: Spec) -> tuple[str, ...]:
    """Names of states that all threads add to: one for every thread takes memory, and time to merge."""
    always = ("sample", "tablesample", "clustercells", "clusterclasswise", "clustertop", "clusterlabels")
    return always + ("scores",) * spec.weighted + ("classwise", "topcells") * spec.massed


_FREE = nullcontext()

TALLIED = ("moments", "classes", "confusion", "positive", "scores")
"""What `tasks.tallied` works out from a tally."""


def needed(spec: Spec) -> list[str]:
    """Names of the states that the metrics of `spec` read.

    One-column binary keeps one calibration pair: that of the confidence is its mirror image; and its loss
    follows from the score and the label, so that the cells of both are its distribution.
    """
    if spec.thresholds:
        return ["suspects"]
    names = _needed_by_task(spec) + (["training"] if spec.training is not None else [])
    optional = {
        "slices": bool(spec.by), "peer": spec.compat is not None, "worst": spec.top > 0,
        "selfconfidence": spec.confident, "classwise": spec.classwise,
        "topcells": spec.toplabel and spec.massed, "sample": sampled(spec),
        "temperatures": sampled(spec) and spec.every_row,
        "tablesample": spec.task in TABLED and not spec.grouped,
    }  # fmt: skip
    names += [name for name, wanted in optional.items() if wanted]
    return names + _needed_by_group(spec, "labelscores" in names) if spec.grouped else names


def _needed_by_group(spec: Spec, ranked: bool) -> list[str]:
    from xentcli.states.clusterclasses import kept
    from xentcli.states.clusterlabels import buckets

    optional = {
        "sliceclusters": bool(spec.by), "clusterclasswise": spec.classwise and kept(spec),
        "clustertop": spec.toplabel and kept(spec), "clusterlabels": ranked and buckets(spec) > 0,
    }  # fmt: skip
    return ["clusters", "clustercells", *(name for name, wanted in optional.items() if wanted)]


def _needed_by_task(spec: Spec) -> list[str]:
    if spec.tallied:
        return ["tally", "notes"]
    always = ["moments", "notes"]
    if spec.task == "multilabel":
        from xentcli.states.labelscores import MOST_LABELS

        ranking = ["labelscores"] if spec.size <= MOST_LABELS else []
        return [*always, "labels", "labelbins", *ranking, "tail"]
    always += ["confusion", *(["ranks"] if spec.width >= 3 or spec.task == "topk" else [])]
    if spec.task == "soft":
        return [*always, "softclasses", "softbins", "classbins", "tail"]
    if spec.task == "topk":
        return [*always, "classes", "confidence"]
    always += ["classes", *(["confidence", "classbins", "tail"] if spec.width > 1 else [])]
    return always + (["positive", "scores"] if spec.task == "binary" else [])


def compute(batch: Batch, spec: Spec) -> Rows | None:
    """The rows of a batch, or None if it has none left; the part of folding that shares nothing."""
    return tasks.rows(batch, spec) if batch.size else None


class _ByName:
    """The states by name, for metrics."""

    __slots__ = ()
    moments: Moments
    classes: Classes
    confusion: Confusion
    ranks: Ranks
    confidence: ConfidenceBins
    classbins: ClassBins
    topcells: TopCells
    positive: PositiveBins
    scores: Scores
    training: TrainingLoss
    slices: Slices
    sliceclusters: SliceClusters
    softclasses: SoftClasses
    softbins: SoftBins
    labels: Labels
    labelbins: LabelBins
    labelscores: LabelScores
    peer: Peer
    classwise: ClassWise
    clusterclasswise: ClusterClassWise
    clusterlabels: ClusterLabels
    clustertop: ClusterTop
    sample: Sample
    tablesample: TableSample
    temperatures: Temperatures
    clusters: Clusters
    clustercells: ClusterCells
    worst: Worst
    selfconfidence: SelfConfidence
    suspects: Suspects
    tail: Tail
    notes: Notes

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> State:
            if name not in STATES:
                raise AttributeError(name)
            return self._found(name)


@dataclass(slots=True)
class StateSet(_ByName):
    """The states of some rows, and how many rows were read, ignored and skipped on the way to them.

    threads: what is worked out from them may use so many.
    """

    spec: Spec
    states: dict[str, State]
    read: int = 0
    ignored: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    spots: Spots = field(default_factory=dict)
    threads: int = 1
    turns: dict[str, AbstractContextManager[Any]] = field(default_factory=dict)
    """Of the states that are shared with other sets: one of them adds to a state at a time."""
    _derived: dict[str, State] | None = None

    @classmethod
    def empty(cls, spec: Spec) -> StateSet:
        return cls(spec, {name: state(name).empty(spec) for name in needed(spec)})

    def beside(self) -> StateSet:
        """An empty set for another thread, which shares the states with this one that all threads add to."""
        names = [name for name in common(self.spec) if name in self.states]
        self.turns = self.turns or {name: threading.Lock() for name in names}
        held = {name: self.states[name] for name in names}
        if "tally" in self.states:  # shares its tables, not what it sorts
            held["tally"] = cast("Tally", self.states["tally"]).beside()
        own = {name: state(name).empty(self.spec) for name in self.states if name not in held}
        return StateSet(self.spec, {name: (held | own)[name] for name in self.states}, turns=self.turns)

    def add(self, rows: Rows | None, batch: Batch, read: int) -> None:
        """Add the rows of a batch that came from `read` rows of its file."""
        self._derived = None
        self.read += read
        self.ignored += batch.ignored
        left = batch if rows is None else rows
        for reason, count in left.skipped.items():
            self.skipped[reason] = self.skipped.get(reason, 0) + count
        self.spots = earliest(self.spots, left.spots)
        if rows is not None and rows.size:
            if "sample" in self.turns:
                rows.hashes()  # before it is the turn of this thread
            for name, state in self.states.items():
                with self.turns.get(name, _FREE):
                    state.update(rows)

    def fold(self, batch: Batch, read: int) -> None:
        """Compute the rows of a batch and add them."""
        self.add(compute(batch, self.spec), batch, read)

    def settle(self) -> None:
        """Do what states have put off until there are no more rows."""
        tally = self.states.get("tally")
        if tally is not None:
            cast("Tally", tally).settle()

    def merge(self, other: StateSet) -> None:
        """Add the rows of another set of the same spec."""
        self._derived = None
        self.read += other.read
        self.ignored += other.ignored
        for reason, count in other.skipped.items():
            self.skipped[reason] = self.skipped.get(reason, 0) + count
        self.spots = earliest(self.spots, other.spots)
        for name, state in self.states.items():
            if state is not other.states[name]:
                state.merge(other.states[name])

    def has(self, name: str) -> bool:
        """Is a state of this name there, or can it be worked out?"""
        return name in self.states or (self.spec.tallied and name in TALLIED)

    def _found(self, name: str) -> State:
        """A state, worked out from the tally where there is one."""
        if name in self.states or not self.spec.tallied:
            return self.states[name]
        if self._derived is None:
            from xentcli.tasks.tallied import derived

            self._derived = derived(cast("Tally", self.states["tally"]), self.threads)
        return self._derived[name]

    @property
    def nbytes(self) -> int:
        return sum(state.nbytes for state in self.states.values())
