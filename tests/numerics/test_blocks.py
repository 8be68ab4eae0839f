"""Blocks hold every score once, in its row, whatever the layout and the cut."""

from __future__ import annotations

import numpy as np
import pytest

from xentcli.numerics import blocks as module
from xentcli.numerics.blocks import CLASS_MAJOR_BELOW, blocks


@pytest.mark.parametrize("width", [3, CLASS_MAJOR_BELOW, CLASS_MAJOR_BELOW + 5])
@pytest.mark.parametrize("size", [0, 1, 2, 11, 12, 13, 25, 36, 37, 38, 73])
def test_blocks_are_the_rows(width: int, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns are put beside each other 12 rows at once, for blocks of 4; a single last row has company."""
    monkeypatch.setattr(module, "_BLOCK", 4 * width)
    monkeypatch.setattr(module, "_TOGETHER", 10)
    matrix = np.arange(size * width, dtype=np.float32).reshape(size, width)
    columns = tuple(np.ascontiguousarray(matrix[:, i]) for i in range(width))
    for scores in (columns, matrix, matrix.astype(np.float64)):
        end = 0
        for rows, block in blocks(scores, size, width, np.dtype(np.float32)):
            assert rows.start == end and block.flags.c_contiguous and block.dtype == np.float32
            found = block if width >= CLASS_MAJOR_BELOW else block.T
            assert np.array_equal(found, matrix[rows]) and (len(found) > 1 or size == 1)
            end = rows.stop
        assert end == size
