"""Every calibration method is explained, and every name of one that people may type."""

from __future__ import annotations

import json

import pytest

from tests.contract.conforms import faults
from tests.corpus.corpus import unknown_options, xent
from xentcli.calibrating.methods.registry import METHODS
from xentcli.explanations.methods import WAYS
from xentcli.metrics.names import METRICS
from xentcli.schemas import CALIBRATION, KINDS


def test_every_method_is_explained_in_their_order_and_no_other() -> None:
    assert [way.name for way in WAYS] == ["temperature", "vector", "platt", "beta", "histogram", "isotonic"]
    assert {way.name for way in WAYS} == set(METHODS) == set(CALIBRATION["properties"]["method"]["enum"])


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_method_can_be_asked_for(way: object) -> None:
    known = next(w for w in WAYS if w is way)
    assert unknown_options(" ".join((known.undefined, known.exact, known.reading, known.formula))) == set()
    if known.name in {name for metric in METRICS for name in (metric.key, *metric.aliases)}:
        return  # the metric of this name is explained
    shown = xent("explain", known.name)
    assert shown.code == 0 and shown.out.startswith(f"calibration method {known.name}: {known.says}")
    document = json.loads(xent("explain", known.name, "--json").out)
    assert document["kind"] == "method" and faults(document, KINDS["explain"]) == []
    assert known.says in xent("explain").out
