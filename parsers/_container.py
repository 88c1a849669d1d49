"""Containers: a gzip, zip or tar (also tar.gz) opened into the files it holds, one level deep.

Members go to files with names of our own; their names are data and never a path. A container is
opened whole or refused whole: nothing of a damaged, encrypted, nested or inflated one is read.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from parsers import _tar, _zip
from parsers._room import Member, Room, inflate, refused

__all__ = ["Member", "kind_of", "opened"]

_HEAD_BYTES: Final = 512


def kind_of(head: bytes) -> str | None:
    """``gzip``, ``zip`` or ``tar`` of a file that starts so (512 bytes are enough), or None."""
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return "zip"
    return "tar" if head[257:262] == b"ustar" else None


@contextmanager
def opened(path: Path, folder: Path | None = None) -> Iterator[list[Member]]:
    """The files that a file holds: those of a container, or itself.

    Args:
        path: the file; its name says nothing.
        folder: where a temporary folder for members may be made; else where the system says.

    Yields:
        The members in the container's order (folders are none); gone when the block ends.

    Raises:
        InputError: ``CONTAINER_*``, a code for each reason; nothing of the container may be used.
    """
    try:
        with path.open("rb") as stream:
            kind = kind_of(stream.read(_HEAD_BYTES))
    except OSError:
        kind = None  # reading it will say why
    if kind is None:
        yield [Member("", path)]
        return
    with tempfile.TemporaryDirectory(prefix="members-", dir=folder) as own:
        try:
            members = _unpack(path, kind, Path(own))
        except OSError as error:
            raise refused(
                "CONTAINER_UNREADABLE",
                f"it cannot be unpacked: {error.strerror or error}",
                kind,
                "check the space left in the temporary folder, and that the file can be read",
            ) from None
        yield members


def _unpack(path: Path, kind: str, folder: Path) -> list[Member]:
    room = Room(folder)
    with path.open("rb") as stream:
        if kind == "zip":
            _zip.members(stream, room)
        elif kind == "tar":
            _tar.members(stream, room)
        else:
            whole = room.lay("", inflate(stream, None, 31, "gzip"))
            if _kind_at(whole) == "tar":
                room.again()
                with whole.open("rb") as inner:
                    _tar.members(inner, room)
                whole.unlink()
    if not room.members:
        raise refused("CONTAINER_EMPTY", f"the {kind} holds no file", kind)
    for member in room.members:
        if inner_kind := _kind_at(member.path):
            raise refused(
                "CONTAINER_NESTED",
                f"a {inner_kind} inside of a {kind}; only one level is opened",
                member.name or kind,
                "unpack the outer one and deliver what is in it",
            )
    return room.members


def _kind_at(path: Path) -> str | None:
    with path.open("rb") as stream:
        return kind_of(stream.read(_HEAD_BYTES))
