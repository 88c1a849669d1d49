"""Drops: the places where banks and expense systems leave files, read without trusting them.

A drop lists regular files and fetches one at a time into a private spool. Names and folders of
the other side are data: they are recorded and shown, and never become a local path. Whether a
file is whole is asked three times: temporary upload names are ignored, two listings must agree
(`settled`), and size and time are compared on the open handle before and after reading.

`tieout.drops.sftp.SftpDrop` and `tieout.drops.local.LocalDrop` implement `Drop`.
"""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from tieout.errors import DropError

__all__ = [
    "DEPTH_MAX",
    "FILES_MAX",
    "FILE_BYTES_MAX",
    "TEMPORARY_SUFFIXES",
    "Drop",
    "Fetched",
    "RemoteFile",
    "check_relative",
    "is_temporary",
    "name_bytes",
    "name_text",
    "receive",
    "settled",
]

#: Names under which clients upload before they rename; such files are not there yet.
TEMPORARY_SUFFIXES: Final = (".filepart", ".part", ".partial", ".tmp")
#: Directory entries looked at in one listing (files, folders and ignored things together).
FILES_MAX: Final = 20_000
#: Folders below the root.
DEPTH_MAX: Final = 8
#: Largest file fetched, in bytes.
FILE_BYTES_MAX: Final = 5 * 1024**3

_ESCAPED = re.compile(rb"\\x([89a-f][0-9a-f])")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A regular file on a drop.

    Attributes:
        path: relative to the drop's root, parts joined by ``/``; bytes that are not UTF-8 appear
            as ``\\xNN``. Data, never a local path.
        size: in bytes; 0 is reported like any other size.
        modified_at: as the other side says, UTC (SFTP: whole seconds).
    """

    path: str
    size: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file in the spool: a name of our own, mode 0600, hashed while it was written."""

    spool_path: Path
    sha256: str
    size: int


class Drop(Protocol):
    """Where files arrive. Errors of all methods are `DropError`."""

    name: str

    def list(self) -> list[RemoteFile]:
        """Regular files below the root, ordered by path; temporary names left out."""
        ...

    def fetch(self, file: RemoteFile, spool: Path) -> Fetched:
        """Copy one listed file to the spool, proven unchanged since the listing."""
        ...

    def close(self) -> None:
        """Let go of the connection; a second call does nothing."""
        ...


def is_temporary(name: str) -> bool:
    """Whether a name says that its upload is still going on (case does not matter)."""
    return name.lower().endswith(TEMPORARY_SUFFIXES)


def settled(before: Sequence[RemoteFile], after: Sequence[RemoteFile]) -> list[RemoteFile]:
    """Files that two listings show alike (path, size and time), in the later one's order."""
    seen = set(before)
    return [file for file in after if file in seen]


def name_text(name: bytes) -> str:
    """A file name as text; bytes that are not UTF-8 become ``\\xNN`` so that SQL can hold it."""
    return name.decode("utf-8", "backslashreplace")


def name_bytes(text: str) -> bytes:
    """The name on the wire again. A UTF-8 name that itself holds ``\\xe9`` cannot be told apart."""
    return _ESCAPED.sub(lambda hit: bytes([int(hit[1], 16)]), text.encode("utf-8"))


def check_relative(path: str, *, where: str) -> bytes:
    """The wire form of a path that stays below the root.

    Raises:
        DropError: ``DROP_PATH`` for absolute paths, ``..``, empty parts and NUL.
    """
    if "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise DropError(
            "DROP_PATH",
            f"{path[:200]!r} is not a path below the drop's root",
            where=where,
            remedy="fetch only what the same drop listed",
        )
    return name_bytes(path)


def receive(
    chunks: Iterable[bytes], spool: Path, *, where: str, bytes_max: int = FILE_BYTES_MAX
) -> Fetched:
    """Write chunks to a new private file while hashing them; on any error nothing stays behind.

    Args:
        chunks: the content in order.
        spool: our folder (made with mode 0700 if absent).
        where: what is being read, for messages.
        bytes_max: cap; more than that is refused whatever the listing said.

    Raises:
        DropError: ``DROP_FILE_TOO_LARGE``.
    """
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = spool / uuid.uuid4().hex
    digest, size = hashlib.sha256(), 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    handle = os.open(target, flags, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            for chunk in chunks:
                size += len(chunk)
                if size > bytes_max:
                    raise too_large(where, size, bytes_max)
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return Fetched(target, digest.hexdigest(), size)


def too_large(where: str, size: int, bytes_max: int) -> DropError:
    """The error for a file beyond the cap."""
    return DropError(
        "DROP_FILE_TOO_LARGE",
        f"the file has at least {size} bytes, the limit is {bytes_max}",
        where=where,
        remedy="ask the sender to split it, or raise the drop's limit",
    )


def too_many(where: str, files_max: int) -> DropError:
    """The error for a listing beyond the cap."""
    return DropError(
        "DROP_TOO_MANY_FILES",
        f"the drop holds more than {files_max} files and folders",
        where=where,
        remedy="clear out what was collected long ago, or raise the drop's limit",
    )


def too_deep(where: str, depth_max: int) -> DropError:
    """The error for folders nested beyond the cap."""
    return DropError(
        "DROP_TOO_DEEP",
        f"folders are nested deeper than {depth_max}",
        where=where,
        remedy="point the drop's root nearer to the files",
    )


def changed(where: str, before: tuple[int, datetime], after: tuple[int, datetime]) -> DropError:
    """The error for a file that did not hold still; the next run takes it."""
    return DropError(
        "DROP_FILE_CHANGED",
        f"the file changed while it was taken: {before[0]} bytes of {before[1].isoformat()}, "
        f"then {after[0]} bytes of {after[1].isoformat()}",
        where=where,
        remedy="nothing was kept; it is taken again once it holds still",
    )


def short(where: str, expected: int, read: int) -> DropError:
    """The error for a content that ended before (or after) the size it was given."""
    return DropError(
        "DROP_FILE_SHORT",
        f"{read} bytes could be read of {expected}",
        where=where,
        remedy="nothing was kept; it is taken again on the next run",
    )


def not_a_file(where: str) -> DropError:
    """The error for something listed as a file that no longer is one."""
    return DropError(
        "DROP_NOT_A_FILE",
        "it is no regular file (any more)",
        where=where,
        remedy="links, pipes and folders are never read; have the file itself delivered",
    )
