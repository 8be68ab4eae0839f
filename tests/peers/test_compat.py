"""--compat gives the figures of other libraries: frozen here, and live where they are installed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.metrics.scored import known, read
from tests.peers import inputs, make_compat
from xentcli.batch import Training
from xentcli.metrics.peernames import PEERS

FROZEN: dict[str, float] = json.loads(make_compat.FILE.read_text("utf-8"))["figures"]
STORED = {"float32": "f4", "float64": "f8"}


def near(value: float, case: str) -> object:
    """As exact as the arithmetic of the peer: torchmetrics has float32 for several classes."""
    narrow = "float32" in case or "torchmetrics.multiclass" in case
    return pytest.approx(value, rel=2e-6, abs=1e-6) if narrow else pytest.approx(value, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("case", FROZEN)
def test_a_figure_is_that_of_the_library(case: str) -> None:
    name, form, size, dtype, *rest = case.split()
    c, options = int(size), set(rest)
    numbers = [text for text in rest if text[0].isdigit()]
    peer = name.partition(".")[0]
    setup = None
    if peer == "keras" and numbers != ["0.0"]:
        setup = Training(float(numbers[0]))
    if "classes" in options:
        setup = Training(0.0, tuple(inputs.class_weights(c).tolist()))
    found = known(
        inputs.labels(max(c, 2)), make_compat.scores(form, c, dtype),
        inputs.row_weights() if "weighted" in options else None,
        stored=STORED[dtype], compat=peer, training=setup,
        compat_bins=int(numbers[0]) if PEERS[peer].bins else 0,
    )  # fmt: skip
    assert read(found, name).value == near(FROZEN[case], case)


@pytest.mark.parametrize("peer", PEERS)
def test_the_frozen_figures_are_those_of_the_library(peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")  # read when Keras is imported
    pytest.importorskip(peer)
    now = make_compat.PEERS[peer]()
    assert now.keys() == {case for case in FROZEN if case.startswith(peer + ".")}
    for case, value in now.items():
        assert value == pytest.approx(FROZEN[case], rel=1e-6 if "float32" in case else 1e-12), case


def test_the_versions_are_those_that_the_figures_name() -> None:
    versions = json.loads(make_compat.FILE.read_text("utf-8"))["versions"]
    for peer, known_as in PEERS.items():
        assert versions[peer].startswith(known_as.version)


def test_every_case_has_rows_that_the_clipping_of_a_library_changes() -> None:
    own = inputs.labels(3)
    p = make_compat.scores("smooth", 3, "float64")
    assert (p[np.arange(own.size), own] == 0).any()
