"""Text of bank files as bytes of UTF-8, for the readers that work on whole blocks of it."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from parsers._text import LINE_CHARS_MAX, blocks

__all__ = ["byte_blocks"]

#: As many bytes as the characters among which `blocks` looks for ``@@`` can have.
_HEAD: Final = 1 << 18


def byte_blocks(path: Path, encoding: str, size: int) -> Iterator[bytes]:
    """The same text in pieces of about `size` bytes of UTF-8; line ends may be CRLF, LF or CR.

    A lone surrogate is three bytes, as ``surrogatepass`` makes them. Each piece but the last ends
    with a line's end.

    Raises:
        InputError: ``TEXT_LINE_TOO_LONG``.
    """
    sizes: list[int] = []
    if encoding == "utf-8-sig":
        with path.open("rb") as stream:
            held = stream.read(max(size, _HEAD)).removeprefix(codecs.BOM_UTF8)
            usual = b"@@:" not in held
            while usual and held:
                cut = held.rfind(b"\n") + 1
                if _may_have_long_line(held):
                    break
                if cut:
                    sizes.append(cut)
                    yield held[:cut]
                more = stream.read(size)
                if not more:
                    if held[cut:]:
                        yield held[cut:]
                    return
                held = held[cut:] + more
    # A line of perhaps too many characters: count them as text.
    yield from _encoded(path, encoding, size, _breaks(path, sizes))


def _may_have_long_line(piece: bytes) -> bool:
    """Whether a whole window of half the longest line has no line end."""
    window = LINE_CHARS_MAX // 2
    return any(
        piece.find(b"\n", at, at + window) < 0 for at in range(0, len(piece) - window + 1, window)
    )


def _breaks(path: Path, sizes: Sequence[int]) -> int:
    """How many lines the first pieces of a file have."""
    number = 0
    with path.open("rb") as stream:
        if stream.read(3) != codecs.BOM_UTF8:
            stream.seek(0)
        for size in sizes:
            piece = stream.read(size)
            number += piece.count(b"\n") + piece.count(b"\r") - piece.count(b"\r\n")
    return number


def _encoded(path: Path, encoding: str, size: int, skipped: int) -> Iterator[bytes]:
    """`blocks` as bytes, without the first lines."""
    held: list[str] = []
    for block in blocks(path, encoding):
        part = block
        if skipped:
            lines = part.split("\n", skipped)
            skipped -= len(lines) - 1
            part = lines[-1] if not skipped else ""
        held.append(part)
        if sum(map(len, held)) >= size:
            yield "".join(held).encode(errors="surrogatepass")
            held = []
    yield "".join(held).encode(errors="surrogatepass")
