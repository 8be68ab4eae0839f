"""Memory that blocks of a file are read into, one after the other."""

from __future__ import annotations


class Memory:
    """What blocks are read into, used again when no block is left that shows it.

    Memory from the system comes as pages that must be zeroed first, which takes as long as to read a file
    into them; and smaller things that outlive a block would soon lie where the next ones could.
    """

    def __init__(self) -> None:
        self._held: list[bytearray] = []

    def take(self, size: int) -> bytearray:
        """So many bytes, of whatever value."""
        for held in self._held:
            if len(held) == size and _unseen(held):
                return held
        self._held = [held for held in self._held if len(held) == size]
        new = bytearray(size + 1)
        new.pop()  # leaves room to grow in place
        self._held.append(new)
        return new


def _unseen(held: bytearray) -> bool:
    """Does nothing show these bytes? What does keeps them from growing."""
    try:
        held.append(0)
    except BufferError:
        return False
    held.pop()
    return True
