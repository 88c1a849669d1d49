"""A file as bytes to look at, a piece at a time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO, Final

__all__ = ["View"]

_CHUNK: Final = 1 << 18


class View:
    """A file as bytes; read, not mapped, because a mapped file counts as memory and may shrink."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, io.SEEK_END)

    def cut(self, start: int, end: int) -> bytes:
        """Bytes from one place to another."""
        self._file.seek(start)
        return self._file.read(end - start)

    def blocks(self, start: int, end: int) -> Iterator[bytes]:
        """The same in blocks."""
        for at in range(start, end, _CHUNK):
            yield self.cut(at, min(at + _CHUNK, end))

    def find(self, text: bytes, start: int) -> int:
        """Where the text stands next, or -1."""
        for at in range(start, self.size, _CHUNK):
            found = self.cut(at, at + _CHUNK + len(text) - 1).find(text)
            if found >= 0:
                return at + found
        return -1
