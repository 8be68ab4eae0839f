"""How well `--label-errors` finds labels that are known to be flipped.

    python -m benchmarks.label_errors [ROWS]

Predictions as of a network for ten classes that is right in about 95 % of rows; half of the flips go to the
class it confuses most. The table is in benchmarks/README.md.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

import xentcli
from tests.peers.flipped import flipped


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    print("| labels flipped | estimated | suspected | precision | of the first half | recall |")
    print("|---:|---:|---:|---:|---:|---:|")
    for share in (0.01, 0.02, 0.05, 0.1, 0.2):
        p, labels, wrong = flipped("ten", rows, share)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "doubts.jsonl"
            found = xentcli.score(p, labels=labels, kind="probs", label_errors=path).label_errors
            listed = [json.loads(line)["row"] - 1 for line in path.read_text().splitlines()]
        assert found is not None
        hits = wrong[np.array(listed)]
        half = hits[: hits.size // 2].mean()
        print(f"| {wrong.mean():.2%} | {found['noise_rate']:.2%} | {hits.size:,} | {hits.mean():.1%} "
              f"| {half:.1%} | {hits.sum() / wrong.sum():.1%} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
