"""A camt file in pieces that each end behind an entry, for the fast reader."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO, Final

from parsers._markup import PADDING
from parsers._tags import UnsureError

__all__ = ["check_encoding", "chunks"]

#: Bytes of the first look, whether it is UTF-8 to the end.
_CHECK: Final = 1 << 16
#: Most bytes without the end of an entry.
_CHUNK_MAX: Final = 16 << 20


def check_encoding(file: BinaryIO) -> None:
    """Refuse a file that is not UTF-8 to its end: the strict reader reads all of it otherwise."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    file.seek(0)
    try:
        while block := file.read(_CHECK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise UnsureError("not UTF-8") from None


def chunks(file: BinaryIO, end: bytes, size: int) -> Iterator[bytes]:
    """The rest of the file in padded chunks, each but the last ending behind an entry."""
    carry = b""
    while block := file.read(size):
        cut = block.rfind(end)
        if cut < 0:  # none, or one that began in the carry
            carry += block
            cut = carry.rfind(end)
            if cut < 0:
                if len(carry) > _CHUNK_MAX:
                    raise UnsureError("an entry of many megabytes")
                continue
            block, carry = carry, b""
        cut += len(end)
        yield b"".join((carry, memoryview(block)[:cut], bytes(PADDING)))
        carry = block[cut:]
    if carry:
        yield carry + bytes(PADDING)
