"""The start of a file, which tells what it is, and whether an encoding fits all of it."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Final

__all__ = ["HEAD_BYTES", "fits", "head_of"]

#: How much of a file tells what it is.
HEAD_BYTES: Final = 1 << 16

_CHUNK: Final = 1 << 16


def head_of(path: Path) -> bytes:
    """The first `HEAD_BYTES` of a file."""
    with path.open("rb") as stream:
        return stream.read(HEAD_BYTES)


def fits(path: Path, encoding: str) -> bool:
    """Whether the whole file can be read in this encoding."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    with path.open("rb") as stream:
        try:
            while chunk := stream.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeError:
            return False
    return True
