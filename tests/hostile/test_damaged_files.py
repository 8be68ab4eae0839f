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


@pytest.mark.parametrize("checked", [True, False])
def test_f15_f16_f17_damaged_files(tmp_path: Path, checked: bool) -> None:
    """What is checked, and text, is cut and exchanged as well."""
    every = [o for o in originals() if o.checked == checked]
    text = [o.name for o in every if o.name.startswith("text")]
    plain = [o.name for o in every if not o.name.startswith("text")]
    assert text and plain
    found = results(tmp_path, 1, "cuts=5", "swaps=8", *FEW, "--", *text, *(plain if checked else []))
    found += [] if checked else results(tmp_path, 1, *FEW, "--", *plain)
    assert len(found) > 14 * len(every)
    assert faults(found) == []
    if checked:
        assert sum(one["code"] == 3 for one in found) > len(found) / 2


def test_a_file_cut_at_every_fiftieth(tmp_path: Path) -> None:
    found = results(tmp_path, 1, "cuts=57", "--", "columns-crc.parquet")
    assert len(found) == 58
    assert faults(found) == []
    assert all(one["code"] == 3 for one in found if one["kind"] != "none")
