"""Damaged files: the right number or exit 3 where there are checksums, and never worse than a refusal.

More of the same, for an hour or a night: `python -m tests.hostile.hunt`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.hostile.mutants import originals
from tests.hostile.verdicts import faults, results

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each file is read in a forked process")

FEW = ("flips=3", "footer=6", "heads=4", "smears=2")


@pytest.mark.parametrize("kind", ["columns", "lists", "text"])
@pytest.mark.parametrize("checked", [True, False])
def test_f15_f16_f17_damaged_files(tmp_path: Path, kind: str, checked: bool) -> None:
    names = [o.name for o in originals() if o.name.startswith(kind) and o.checked == checked]
    assert names
    counts = ("cuts=6", "swaps=11", *FEW) if checked or kind == "text" else FEW
    found = results(tmp_path, 1, *counts, "--", *names)
    assert len(found) > 14 * len(names)
    assert faults(found) == []
    if checked:
        assert sum(one["code"] == 3 for one in found) > len(found) / 2


def test_a_file_cut_at_every_fiftieth(tmp_path: Path) -> None:
    found = results(tmp_path, 1, "cuts=57", "--", "columns-crc.parquet")
    assert len(found) == 58
    assert faults(found) == []
    assert all(one["code"] == 3 for one in found if one["kind"] != "none")
