"""What every container shares: where its members are laid, how much room they get, inflating."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from tieout.errors import InputError

__all__ = ["BYTES_MAX", "MEMBERS_MAX", "Member", "Room", "inflate", "refused"]

#: Most members of a container.
MEMBERS_MAX: Final = 1_000
#: Most bytes of all members together.
BYTES_MAX: Final = 1 << 30
#: Most bytes a compressed byte may become over a whole container; a bomb reaches 1,030.
RATIO_MAX: Final = 200

_SLACK: Final = 16 << 20  # below this no ratio is asked for
_CHUNK: Final = 1 << 16
_STREAMS_MAX: Final = 10_000
_ODD_NAME = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Member:
    """A file to read.

    Attributes:
        name: what the container calls it; empty where the file stands for itself (no container, or
            the one content of a gzip).
        path: where its bytes are.
    """

    name: str
    path: Path


def refused(code: str, message: str, where: str, remedy: str = "") -> InputError:
    """The error of a container; nothing of it is read."""
    return InputError(
        code,
        message,
        where=_ODD_NAME.sub("\ufffd", where)[:255] or "container",
        remedy=remedy or "ask the sender for the files themselves; nothing of it was read",
    )


class Room:
    """Where members are laid, and how much of it they may take."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.members: list[Member] = []
        self._names: set[str] = set()
        self._written = self._used = self._made = 0

    def lay(self, name: str, chunks: Iterator[tuple[bytes, int]]) -> Path:
        """Write a member from its chunks; each comes with the compressed bytes used so far.

        Raises:
            InputError: ``CONTAINER_NAME``, ``CONTAINER_TOO_MANY``, ``CONTAINER_BOMB``.
        """
        shown = self._name(name)
        if len(self.members) >= MEMBERS_MAX:
            raise refused("CONTAINER_TOO_MANY", f"more than {MEMBERS_MAX:,} members", shown)
        path, size, used = self.folder / f"member-{self._made}", 0, 0
        self._made += 1
        with path.open("wb") as out:
            for chunk, used in chunks:
                size += len(chunk)
                taken = self._used + used
                if self._written + size > min(BYTES_MAX, max(_SLACK, RATIO_MAX * taken)):
                    raise refused(
                        "CONTAINER_BOMB",
                        f"{taken:,} bytes become more than {self._written + size:,}",
                        shown,
                        f"at most {RATIO_MAX} for one and {BYTES_MAX:,} in all; nothing was read",
                    )
                out.write(chunk)
        self._written += size
        self._used += used
        self.members.append(Member(shown, path))
        return path

    def again(self) -> None:
        """Begin anew: what was laid is itself taken apart."""
        self.members.clear()
        self._written = self._used = 0

    def _name(self, name: str) -> str:
        shown = _ODD_NAME.sub("\ufffd", name)[:255]
        parts = re.split(r"[\\/]", name)
        if name.startswith(("/", "\\")) or ".." in parts or re.match(r"[A-Za-z]:", name):
            raise refused("CONTAINER_NAME", f"a member's name leads outside: {shown!r}", shown)
        if name and name in self._names:
            raise refused("CONTAINER_NAME", f"two members have the name {shown!r}", shown)
        self._names.add(name)
        return shown


def inflate(
    stream: BinaryIO, size: int | None, wbits: int, where: str
) -> Iterator[tuple[bytes, int]]:
    """Decompressed chunks of a stream (``size`` bytes of it, or all), with the bytes used so far.

    Raises:
        InputError: ``CONTAINER_TRUNCATED``, ``CONTAINER_DAMAGED``.
    """
    used, streams = 0, 1
    engine = zlib.decompressobj(wbits)
    held = b""
    while True:
        if not held:
            held = stream.read(_CHUNK if size is None else min(_CHUNK, size - used))
            used += len(held)
        if engine.eof:
            rest = held.lstrip(b"\x00")
            if size is not None and rest:
                raise refused("CONTAINER_DAMAGED", "bytes stand behind the compressed data", where)
            if not held:
                return
            streams += bool(rest)
            if not rest:
                held = b""
                continue
            if streams > _STREAMS_MAX:
                raise refused("CONTAINER_TOO_MANY", "too many compressed parts", where)
            engine, held = zlib.decompressobj(wbits), rest
        try:
            chunk = engine.decompress(held, _CHUNK)
        except zlib.error as error:
            raise refused("CONTAINER_DAMAGED", f"it does not decompress: {error}", where) from None
        if not (held or chunk or engine.eof):
            raise refused(
                "CONTAINER_TRUNCATED",
                "the compressed data ends too early",
                where,
                "the file is cut: fetch it again; nothing of it was read",
            )
        held = engine.unconsumed_tail or engine.unused_data
        if chunk:
            yield chunk, used
