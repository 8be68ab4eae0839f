"""The form of an explanation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One error or warning: what is the case, what to do about it, and how to meet it.

    `id` is public and stays. `code` is the exit code it ends with, 0 for a warning. `example` holds shell
    lines of which the last runs xent and meets it; empty where no few lines of shell do.
    """

    id: str
    code: int
    cause: str
    remedy: str
    example: tuple[str, ...] = ()
