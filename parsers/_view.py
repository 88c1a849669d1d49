"""A file as bytes, a piece at a time: to look at, and for a parser to read."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from tieout.errors import InputError

__all__ = ["Slice", "View"]

_CHUNK: Final = 1 << 18
#: What a parser's tree of one entry, or of a header, may weigh in memory, as `Slice` counts it.
_WEIGHT_MAX: Final = 180 << 20
_TAG_WEIGHT: Final = 400
_ATTRIBUTE_WEIGHT: Final = 150


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


class Slice(io.RawIOBase):
    """A read-only file of one document inside a file.

    Attributes:
        weight: about what the tree of the bytes read since it was set to zero takes in memory.
    """

    def __init__(self, path: Path, start: int, end: int) -> None:
        self._file = path.open("rb")
        self._file.seek(start)
        self._left = end - start
        self.weight = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes.

        Raises:
            InputError: ``XML_TOO_LARGE``.
        """
        size = self._left if size < 0 else min(size, self._left)
        data = self._file.read(size)
        self._left -= len(data)
        self.weight += len(data) + _TAG_WEIGHT * data.count(b"<")
        self.weight += _ATTRIBUTE_WEIGHT * data.count(b"=")
        if self.weight > _WEIGHT_MAX:
            raise InputError(
                "XML_TOO_LARGE",
                "one entry, or what stands around the entries, has too many elements to hold",
                where=f"byte {self._file.tell()}",
                remedy="ask the bank to split the entry's details; nothing of the file was read",
            )
        return data

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
