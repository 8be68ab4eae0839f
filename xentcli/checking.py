"""Options that cannot be meant, found before anything is read."""

from __future__ import annotations

import hashlib
from pathlib import Path

from xentcli import topk, training
from xentcli.batch import Spec
from xentcli.errors import DataError, UsageError, clean
from xentcli.numerics.grid import EDGES
from xentcli.readers import Source
from xentcli.settings import Settings

MASSED = 100
"""So many classes, at most, have bins of equal mass: sums of their places take up to 2 MB a class."""
MOST_TOLD = 10_000
"""Rows that `--top` may ask for: they are held in memory by every thread."""


def options(settings: Settings) -> None:
    """Refuse what no file could make right. Raises UsageError."""
    training.check(settings)
    topk.check(settings)
    if settings.bins < 1 or EDGES % settings.bins:
        near = [b for b in range(1, 201) if EDGES % b == 0]
        raise UsageError(f"--bins {settings.bins}: the number of bins must divide {EDGES}",
                         remedy=f"one of {', '.join(map(str, near))}", id="bins")  # fmt: skip
    if settings.binning not in ("width", "mass"):
        raise UsageError(f"--binning {settings.binning}: no such way to make bins",
                         remedy="--binning width or --binning mass", id="binning")  # fmt: skip
    if not 0.0 <= settings.threshold <= 1.0:
        raise UsageError(f"--threshold {settings.threshold:g} is not between 0 and 1", id="threshold")
    if settings.clip is not None and not 0.0 < settings.clip < 1.0:
        raise UsageError(f"--clip {settings.clip:g} is not between 0 and 1", id="clip")
    if settings.precision not in ("auto", "float64"):
        raise UsageError(f'--precision "{clean(settings.precision)}" is neither auto nor float64',
                         remedy="--precision float64, or leave it out", id="precision_option")  # fmt: skip
    if not 0 <= settings.top <= MOST_TOLD:
        raise UsageError(f"--top {settings.top}: from 0 to {MOST_TOLD:,} rows",
                         remedy="--rows PATH writes every row", id="top")  # fmt: skip
    if settings.limit is not None and settings.limit < 1:
        raise UsageError(f"--limit {settings.limit}: at least one row", id="limit")
    if settings.jobs is not None and settings.jobs < 1:
        raise UsageError(f"--jobs {settings.jobs}: at least one", id="jobs")
    if settings.seed < 0:
        raise UsageError(f"--seed {settings.seed}: a whole number from 0 on", remedy="--seed 0", id="seed")
    if settings.level is not None and not 0.5 < 0.5 + settings.level / 2 < 1.0:  # so that it has a z
        raise UsageError(f"--ci {settings.level:g} is not between 0 and 1", remedy="--ci 0.95 or --ci none",
                         id="ci")  # fmt: skip


def of_task(spec: Spec, settings: Settings) -> None:
    """Refuse options that rows of such a task cannot follow. Raises UsageError."""
    if spec.task not in ("binary", "multilabel") and settings.threshold != 0.5:
        raise UsageError("--threshold is for binary and multilabel tasks; this one has "
                         f"{spec.size:,} classes", remedy="leave --threshold out",
                         id="threshold")  # fmt: skip
    if settings.binning != "width" and (spec.task not in ("binary", "multiclass", "soft") or spec.by):
        whose = "slices have" if spec.by else f"{spec.task} tasks have"
        raise UsageError(f"--binning {settings.binning}: {whose} bins of equal width alone",
                         remedy="leave --binning or --by out" if spec.by else "leave --binning out",
                         id="binning")  # fmt: skip
    if spec.massed and (spec.classwise or spec.toplabel) and (spec.grouped or spec.size > MASSED):
        few = "with --group" if spec.grouped else f"of more than {MASSED} classes"
        raise UsageError(f"--binning {settings.binning}: errors by class {few} have bins of equal width "
                         "alone, whose ends are known before the rows are",
                         remedy="leave --binning out, or ask for ece_mass", id="binning")  # fmt: skip
    if spec.task == "multilabel" and (settings.renormalize or spec.kind == "votes"):
        option = "--renormalize" if settings.renormalize else "--kind votes"
        raise UsageError(f"{option}: the probabilities of a multilabel row have no sum to divide by",
                         remedy=f"leave {option} out", id="renormalize")  # fmt: skip
    if spec.kind == "logits" and settings.renormalize:
        raise UsageError("--renormalize: logits have no sum to divide by, and their softmax adds up to 1",
                         remedy="leave --renormalize out, or --kind probs or logprobs if they are that",
                         id="renormalize")  # fmt: skip
    if spec.width == 1 and settings.renormalize:
        raise UsageError("--renormalize: with one score a row there is no sum to divide by",
                         remedy="leave --renormalize out", id="renormalize")  # fmt: skip


def file_hash(sources: list[Source], expected: str) -> None:
    """Refuse a file with another SHA-256. Raises UsageError and DataError."""
    if len(sources) != 1 or sources[0].path == "-" or "://" in sources[0].path:
        raise UsageError("--expect-sha256 goes with one file on this machine", id="sha256")
    digest = hashlib.sha256()
    with Path(sources[0].path).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != expected.lower():
        where = clean(sources[0].path, 200)
        what = f"its SHA-256 is {digest.hexdigest()}, not the one expected"
        raise DataError(what, where=where, remedy="fetch the file again", id="sha256")
