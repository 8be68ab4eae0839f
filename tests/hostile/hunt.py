"""Damages files for as long as one likes and prints what should not have happened.

    python -m tests.hostile.hunt [ROUNDS] [FIRST_SEED]

A round is some 9,000 files and takes about five minutes on one core. Add what it finds as a test.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.hostile.verdicts import faults, results


def hunt(rounds: int, first: int) -> int:
    """Run the rounds; the number of faults."""
    bad = 0
    for seed in range(first, first + rounds):
        with tempfile.TemporaryDirectory() as folder:
            kinds = ("cuts=57", "swaps=40", "flips=100", "footer=200", "heads=100", "smears=60")
            found = results(Path(folder), seed, *kinds)
        wrong = faults(found)
        bad += len(wrong)
        print("\n".join([f"seed {seed}: {len(found)} files, {len(wrong)} faults", *wrong]), flush=True)  # noqa: T201
    return bad


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    sys.exit(hunt(*(numbers + [1, 1][len(numbers) :])) > 0)
