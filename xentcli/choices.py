"""Options with a few words to choose from, for the command line and Python alike. No NumPy here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xentcli.errors import UsageError, clean, closest

CHOICES = {
    "kind": ("auto", "probs", "logits", "logprobs", "votes"),
    "task": ("auto", "binary", "multiclass", "multilabel", "soft"),
    "on_bad": ("error", "skip"),
    "missing_class": ("error", "zero"),
}


def check(given: Mapping[str, Any], choices: Mapping[str, Sequence[str]] = CHOICES) -> None:
    """Refuse values that are none of the choices of their option. Raises UsageError."""
    for name, allowed in choices.items():
        value = given[name]
        if not isinstance(value, str) or value not in allowed:
            option, shown = "--" + name.replace("_", "-"), str(value)
            raise UsageError(f'{option} "{clean(shown)}" is not known.{closest(shown, list(allowed))}',
                             remedy=f"{option} {'|'.join(allowed)}", id="choice")  # fmt: skip
