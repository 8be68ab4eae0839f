"""What all contestants share: arguments, columns and the way results are printed.

This module imports the standard library alone: what it imported would count
towards the time and memory of every contestant.
"""

from __future__ import annotations

import argparse
import json
import sys

THREADS = 2

COLUMNS: dict[str, list[str]] = {
    "binary": ["p", "label"],
    "columns": [*(f"logit_{k}" for k in range(10)), "label"],
    "list": ["logits", "label"],
    "csv": [*(f"p_{k}" for k in range(10)), "label"],
}


def arguments() -> tuple[str, str]:
    """Path and kind from the command line."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("path")
    parser.add_argument("kind", choices=sorted(COLUMNS))
    options = parser.parse_args()
    return options.path, options.kind


def report(**values: float) -> None:
    """Print the results as one line of JSON."""
    print(json.dumps(values))
