"""Damaged copies of files: cut, flipped, spliced, repeated. Same seed, same copies."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["mutations"]

#: Longer files are left out: damage to a small one is found as well, and sooner.
_BYTES_MAX = 60_000


def mutations(paths: Sequence[Path], count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """``count`` damaged copies, each with a name that says of what and how.

    Lines and blocks are mixed between files of one folder, which are of one format.
    """
    rng = random.Random(seed)
    small = [path for path in paths if path.stat().st_size <= _BYTES_MAX]
    folders: dict[Path, list[Path]] = {}
    for path in small:
        folders.setdefault(path.parent, []).append(path)
    for number in range(count):
        path = rng.choice(small)
        content = path.read_bytes()
        how = rng.choice((_truncate, _flip, _splice, _repeat, _drop))
        other = rng.choice(folders[path.parent]).read_bytes()
        yield f"{number} {how.__name__} {path.name}", how(rng, content, other)


def _truncate(rng: random.Random, content: bytes, other: bytes) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _flip(rng: random.Random, content: bytes, other: bytes) -> bytes:
    out = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8)) if out else 0):
        out[rng.randrange(len(out))] = rng.choice((0, 10, 32, 48, 58, 60, 255, rng.randrange(256)))
    return bytes(out)


def _splice(rng: random.Random, content: bytes, other: bytes) -> bytes:
    mine, theirs = content.splitlines(True), other.splitlines(True)
    at = rng.randrange(len(mine) + 1)
    start = rng.randrange(len(theirs) + 1)
    stop = start + rng.choice((1, 2, 5, len(theirs)))
    return b"".join(mine[:at] + theirs[start:stop] + mine[at:])


def _repeat(rng: random.Random, content: bytes, other: bytes) -> bytes:
    start = rng.randrange(len(content) + 1)
    stop = min(len(content), start + rng.choice((20, 200, 2000)))
    return content[:stop] + content[start:stop] + content[stop:]


def _drop(rng: random.Random, content: bytes, other: bytes) -> bytes:
    lines = content.splitlines(True)
    start = rng.randrange(len(lines) + 1)
    return b"".join(lines[:start] + lines[start + rng.choice((1, 2, 5)) :])
