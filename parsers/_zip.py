"""Zip files by their central directory, so strictly that no two readers see different things.

The directory, the local headers and the data must agree; no range overlaps another; members are
stored or deflated, none encrypted; no zip64 (4 GB), no parts, no prefix.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from parsers._room import MEMBERS_MAX, Room, inflate, refused

__all__ = ["members"]

_END: Final = struct.Struct("<4s4H2LH")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_TAIL: Final = 22 + 65_535
_DIRECTORY_MAX: Final = 1 << 20
_CHUNK: Final = 1 << 16
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_LATER: Final = 0x8  # sizes stand behind the data
_UTF8: Final = 0x800
_UNIX: Final = 3


@dataclass(frozen=True, slots=True)
class _Entry:
    """A member as the central directory has it."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    is_folder: bool


def members(stream: BinaryIO, room: Room) -> None:
    """Lay every file of a zip into the room.

    Raises:
        InputError: ``CONTAINER_*``.
    """
    start, entries = _directory(stream)
    end = 0
    for entry in sorted(entries, key=lambda e: e.offset):
        begin = _data_at(stream, entry)
        if entry.offset < end or begin + entry.packed > start:
            raise refused("CONTAINER_DAMAGED", "two members share the same bytes", entry.name)
        end = begin + entry.packed
    for entry in entries:
        if not entry.is_folder:
            stream.seek(_data_at(stream, entry))
            room.lay(entry.name, _checked(stream, entry))


def _directory(stream: BinaryIO) -> tuple[int, list[_Entry]]:
    """Where the central directory begins, and what it lists."""
    length = stream.seek(0, 2)
    stream.seek(max(0, length - _TAIL))
    tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise refused(
            "CONTAINER_TRUNCATED",
            "the zip has no end",
            "zip",
            "the file is cut: fetch it again; nothing of it was read",
        )
    _, disk, first, here, count, size, start, comment = _END.unpack_from(tail, at)
    if count == 0xFFFF or size == 0xFFFFFFFF or start == 0xFFFFFFFF:
        raise refused("CONTAINER_UNSUPPORTED", "zip64 is not read", "zip")
    if count > MEMBERS_MAX or size > _DIRECTORY_MAX:
        raise refused("CONTAINER_TOO_MANY", f"{count:,} members, or their names too long", "zip")
    place = length - len(tail) + at
    if disk or first or here != count or start + size != place or at + 22 + comment != len(tail):
        raise refused("CONTAINER_DAMAGED", "the zip's directory is not where it says", "zip")
    stream.seek(start)
    return start, list(_entries(stream.read(size), count))


def _entries(directory: bytes, count: int) -> Iterator[_Entry]:
    at = 0
    for _ in range(count):
        if directory[at : at + 4] != b"PK\x01\x02" or len(directory) - at < _CENTRAL.size:
            raise refused("CONTAINER_DAMAGED", "the zip's directory is broken", "zip")
        (_, made, _, flags, method, _, _, crc, packed, size, names, extra, comment, disk, _,
         outer, offset) = _CENTRAL.unpack_from(directory, at)  # fmt: skip
        raw = directory[at + _CENTRAL.size : at + _CENTRAL.size + names]
        name = raw.decode("utf-8" if flags & _UTF8 else "cp437", "replace")
        at += _CENTRAL.size + names + extra + comment
        mode = outer >> 16 if made >> 8 == _UNIX else 0
        _allowed(name, flags, method, mode, (packed, size, offset), disk)
        folder = name.endswith("/") and not size
        yield _Entry(name, flags, method, crc, packed, size, offset, folder)
    if at != len(directory):
        raise refused("CONTAINER_DAMAGED", "the zip's directory lists more than it says", "zip")


def _allowed(
    name: str, flags: int, method: int, mode: int, sizes: tuple[int, ...], disk: int
) -> None:
    if flags & _ENCRYPTED:
        raise refused(
            "CONTAINER_ENCRYPTED",
            "the member is encrypted with a password",
            name,
            "have it sent over a safe channel without, or decrypt it first",
        )
    if 0xFFFFFFFF in sizes or disk:
        raise refused("CONTAINER_UNSUPPORTED", "zip64 or a zip in parts is not read", name)
    if method not in (0, 8):
        raise refused("CONTAINER_UNSUPPORTED", f"compression method {method} is not read", name)
    if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or not stat.S_IFMT(mode)):
        raise refused("CONTAINER_MEMBER", "the member is a link or a device", name)


def _data_at(stream: BinaryIO, entry: _Entry) -> int:
    """Where a member's data begins; its local header must say what the directory says."""
    stream.seek(entry.offset)
    raw = stream.read(_LOCAL.size)
    if len(raw) < _LOCAL.size or raw[:4] != b"PK\x03\x04":
        raise refused("CONTAINER_DAMAGED", "the member is not where the zip says", entry.name)
    _, _, flags, method, _, _, crc, packed, size, *lengths = _LOCAL.unpack(raw)
    said = (entry.crc, entry.packed, entry.size)
    # Sizes that follow the data are zero here, or some of them already right.
    given = zip((crc, packed, size), said, strict=True)
    later = flags & _LATER and all(one in (0, other) for one, other in given)
    zip64 = 0xFFFFFFFF in (packed, size)  # written ahead by streaming programs
    if method != entry.method or ((crc, packed, size) != said and not later and not zip64):
        raise refused("CONTAINER_DAMAGED", "the member contradicts the zip's directory", entry.name)
    return entry.offset + _LOCAL.size + sum(map(int, lengths))


def _checked(stream: BinaryIO, entry: _Entry) -> Iterator[tuple[bytes, int]]:
    """The member's bytes, with size and checksum proven at the end."""
    size = crc = 0
    found = _stored(stream, entry) if entry.method == 0 else inflate(
        stream, entry.packed, -15, entry.name
    )  # fmt: skip
    for chunk, used in found:
        size, crc = size + len(chunk), zlib.crc32(chunk, crc)
        if size > entry.size:
            break
        yield chunk, used
    if size != entry.size or crc != entry.crc:
        raise refused(
            "CONTAINER_DAMAGED", "its size or checksum is not what the zip says", entry.name
        )


def _stored(stream: BinaryIO, entry: _Entry) -> Iterator[tuple[bytes, int]]:
    used = 0
    while used < entry.packed:
        chunk = stream.read(min(_CHUNK, entry.packed - used))
        if not chunk:
            raise refused("CONTAINER_TRUNCATED", "the member ends too early", entry.name)
        used += len(chunk)
        yield chunk, used
