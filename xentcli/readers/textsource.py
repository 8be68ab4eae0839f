"""What all text formats share: a file or stream that is looked at and then walked in blocks of records."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator

from xentcli.columns.schema import Preview
from xentcli.errors import DataError
from xentcli.readers import Options
from xentcli.readers.bytestream import ByteStream, Readable
from xentcli.readers.faults import shown
from xentcli.readers.textblocks import Block, Blocks, split

BLOCK_BYTES = 1 << 20
_HEAD_BYTES = 2 << 20


class TextSource(ABC):
    """One file, FIFO or stream of text.

    A regular file is opened again for the walk; what cannot be read twice keeps what the preview read.
    After a walk to the end, `blank_lines` says how many were met.
    """

    def __init__(
        self, path: str, options: Options, compression: str | None, stream: Readable | None,
        *, block_bytes: int = BLOCK_BYTES,
    ) -> None:  # fmt: skip
        self.path = path
        self.rows: int | None = None
        self.blank_lines = 0
        self._options = options
        self._compression = compression
        self._stream = stream
        self._block_bytes = block_bytes
        self._name = shown(path)
        self._encoding: str | None = None
        self._bytes: ByteStream | None = None
        self._identity: tuple[int, int] | None = None
        self._kept: Blocks | None = None
        self._preview: Preview | None = None
        self._only: Block | None = None

    # -- what a format says of itself ------------------------------------------------------------------
    @abstractmethod
    def _blocks(self, stream: ByteStream, size: int) -> Blocks:
        """How its records are found."""

    @abstractmethod
    def _begin(self, blocks: Blocks) -> None:
        """Walk to the first row."""

    @abstractmethod
    def _look(self, blocks: Blocks) -> Preview:
        """Names, types and the first rows of blocks that have not begun; no row is lost."""

    # -- looking and walking -----------------------------------------------------------------------------
    def preview(self) -> Preview:
        """Names, types and the first rows; the same whatever the size of blocks."""
        if self._preview is None:
            blocks = self._open(_HEAD_BYTES)
            try:
                self._preview = self._look(blocks)
            finally:
                if self._identity is not None:
                    blocks.stream.close()
                else:
                    self._kept, blocks.size = blocks, self._block_bytes
        return self._preview

    def rehearse(self) -> int | None:
        """Let a walk be through the first block alone, as often as is liked, of what can be read once; the
        number of its rows, None of a file."""
        if self._kept is None:
            return None
        self._only = self._kept.peek()
        return 0 if self._only is None else self._only.rows

    def _walk(self) -> Iterator[Block]:
        """All rows, in blocks of at most as many as were asked for."""
        if self._only is not None:
            yield self._only
            return
        blocks, self._kept = self._kept, None
        if blocks is None:
            if self._bytes is not None and self._identity is None:
                raise RuntimeError("a stream can be walked through once")
            blocks = self._open(self._block_bytes)
            self._begin(blocks)
        step = self._options.chunk_rows
        try:
            while (block := blocks.next()) is not None:
                self.blank_lines = blocks.blank_lines
                yield from split(block, range(step, block.rows, step)) if step else (block,)
            self.blank_lines = blocks.blank_lines
        finally:
            blocks.stream.close()

    # -- the file ----------------------------------------------------------------------------------------
    def _open(self, size: int) -> Blocks:
        opened = ByteStream(self.path, self._name, self._compression, self._stream, self._encoding)
        if self._identity not in (None, opened.identity):
            opened.close()
            raise self._changed()
        self._bytes, self._identity = opened, opened.identity
        blocks = self._blocks(opened, size)
        if self._options.max_memory is not None:  # a record is held several times while its end is sought
            blocks.longest = min(blocks.longest, self._options.max_memory // 16)
        return blocks

    def position(self) -> float | None:
        """The share of the file's bytes, as stored, that has been read; None for streams."""
        if self._identity is None or self._bytes is None or not self._identity[0]:
            return None
        return self._bytes.consumed / self._identity[0]

    @property
    def size(self) -> int | None:
        """Bytes of a file that has been opened; None of streams, and of what is packed."""
        packed = self._compression is not None or self._identity is None
        return None if packed or self._identity is None else self._identity[0]

    def check_unchanged(self) -> None:
        """Raise DataError if the file has another size or time of change than when it was opened."""
        if self._identity is None:
            return
        if "://" in self.path:
            from xentcli.readers.remote import Address, remote

            if isinstance(self.path, Address):
                remote(self.path).check_unchanged()
                return
        try:
            now = os.stat(self.path)
        except OSError as error:
            raise self._changed() from error
        if (now.st_size, now.st_mtime_ns) != self._identity:
            raise self._changed()

    def _changed(self) -> DataError:
        return DataError("the file changed while it was read", where=self._name,
                         remedy="run again when nothing writes to it", id="file_changed")  # fmt: skip
