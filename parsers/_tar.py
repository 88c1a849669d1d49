"""Tar files (ustar, GNU and pax long names): regular files only, read front to back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

from parsers._room import Room, refused

__all__ = ["members"]

_BLOCK: Final = 512
_CHUNK: Final = 1 << 16
_EXTRA_MAX: Final = 1 << 13
_HEADERS_MAX: Final = 3_000
_FILE: Final = (b"0", b"\x00", b"7")
_FOLDER: Final = b"5"


def members(stream: BinaryIO, room: Room) -> None:
    """Lay every file of a tar into the room.

    Raises:
        InputError: ``CONTAINER_*``.
    """
    long_name = ""
    for _ in range(_HEADERS_MAX):
        header = stream.read(_BLOCK)
        if not header.strip(b"\x00") and len(header) == _BLOCK:
            return  # the end mark
        name, size, kind = _header(header)
        if kind in (b"L", b"x", b"g"):
            extra = _extra(stream, size, kind)
            long_name = extra if kind != b"g" else long_name
            continue
        name, long_name = long_name or name, ""
        if kind in _FILE:
            room.lay(name, _content(stream, size, name))
        elif kind != _FOLDER:
            raise refused("CONTAINER_MEMBER", "the member is a link or a device", name)
    raise refused("CONTAINER_TOO_MANY", f"more than {_HEADERS_MAX:,} headers", "tar")


def _header(block: bytes) -> tuple[str, int, bytes]:
    """Name, size and kind, once the checksum is proven."""
    if len(block) < _BLOCK:
        raise refused(
            "CONTAINER_TRUNCATED",
            "the tar has no end mark",
            "tar",
            "the file is cut: fetch it again; nothing of it was read",
        )
    said = _octal(block[148:156])
    if said != sum(block[:148]) + 8 * 32 + sum(block[156:]):
        raise refused("CONTAINER_DAMAGED", "a tar header has a wrong checksum", "tar")
    name, prefix = _text(block[:100]), _text(block[345:500])
    if prefix and block[257:263] == b"ustar\x00":
        name = f"{prefix}/{name}"
    size = _octal(block[124:136])
    if size is None:
        raise refused("CONTAINER_DAMAGED", "a tar header has no size", name)
    return name, size, block[156:157]


def _octal(raw: bytes) -> int | None:
    text = raw.strip(b" \x00")
    return int(text, 8) if text and not text.strip(b"01234567") else None


def _text(raw: bytes) -> str:
    return raw.partition(b"\x00")[0].decode("utf-8", "replace")


def _extra(stream: BinaryIO, size: int, kind: bytes) -> str:
    """A long name: the whole block of GNU, the ``path`` record of pax."""
    if size > _EXTRA_MAX:
        raise refused("CONTAINER_DAMAGED", "a tar header is too long", "tar")
    raw = b"".join(chunk for chunk, _ in _content(stream, size, "tar"))
    if kind == b"L":
        return _text(raw)
    return _pax(raw)


def _pax(raw: bytes) -> str:
    """The ``path`` of pax records (``length key=value`` and a line end, the length of it all)."""
    path, at = "", 0
    while at < len(raw):
        digits = raw[at : at + 6].partition(b" ")[0]
        end = at + (int(digits) if digits.isdigit() else 0)
        key, mark, value = raw[at + len(digits) + 1 : end - 1].partition(b"=")
        if not mark or end > len(raw) or raw[end - 1 : end] != b"\n":
            raise refused("CONTAINER_DAMAGED", "a pax header is broken", "tar")
        if key == b"size" or key.startswith(b"GNU.sparse"):
            raise refused("CONTAINER_UNSUPPORTED", "sparse or very large members", "tar")
        path = value.decode("utf-8", "replace") if key == b"path" else path
        at = end
    return path


def _content(stream: BinaryIO, size: int, name: str) -> Iterator[tuple[bytes, int]]:
    """A member's bytes; what fills up its last block is passed over."""
    used = 0
    while used < size:
        chunk = stream.read(min(_CHUNK, size - used))
        if not chunk:
            raise refused("CONTAINER_TRUNCATED", "the member ends too early", name)
        used += len(chunk)
        yield chunk, used
    stream.read(-size % _BLOCK)
