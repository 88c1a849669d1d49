"""Changes that keep a file's shape, so that fuzzing gets behind the first line.

Lines for MT, BAI2 and fixed width; cells for CSV; elements for XML and OFX; members for
containers. About a third
of all changes are left to libFuzzer's own, which know what the code compares with.
"""

from __future__ import annotations

import gzip
import io
import random
import re
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from typing import Final

__all__ = ["mutator"]

Change = Callable[..., bytes]

_ELEMENT: Final = re.compile(rb"(<[^>]*>)")
_CELL: Final = re.compile(rb"([;,\t]|\r?\n)")
_NUMBER: Final = re.compile(rb"\d+(?:[.,]\d*)?")
_ODD: Final = (
    b"\x00", b"\r", b"\n", b"\xff", b"\xc3\xa4", b"\xe4", b"\xef\xbb\xbf", b"\x1a", b"\x85", b"\x01",
    b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\x0b", b"\x1c", b"\xd9\xa1", b"@@", b"$",
)  # fmt: skip
_ENCODINGS: Final = ("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "cp1252", "utf-32", "cp037")


def mutator(kind: str, words: Sequence[str], pool: Sequence[bytes], own: Change) -> Change:
    """A change by seed for inputs of a kind.

    Args:
        kind: of the target.
        words: its dictionary.
        pool: seeds whose lines and elements may be planted in others.
        own: libFuzzer's change of some bytes to at most so many.
    """
    plants = [word.encode("utf-8", "replace") for word in words]
    cut = {"xml": _ELEMENT.split, "sgml": _ELEMENT.split, "cells": _CELL.split}.get(kind, _lines)
    for seed in pool[:200]:
        plants += [piece for piece in cut(seed)[:400] if 3 < len(piece) < 400]
    plants = sorted(set(plants))

    def change(data: bytes, seed: int, most: int) -> bytes:
        rng = random.Random(seed)
        if kind == "container":
            return _container(data, rng, own, most)
        if not data or rng.random() < 0.3:
            return own(data, most)
        pieces = cut(data)
        for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
            _step(pieces, rng, plants, own)
        out = b"".join(pieces)
        if rng.random() < 0.02:
            out = _recoded(out, rng)
        return out[:most]

    return change


def _lines(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def _step(pieces: list[bytes], rng: random.Random, plants: list[bytes], own: Change) -> None:
    if not pieces:
        pieces.append(rng.choice(plants))
        return
    at = rng.randrange(len(pieces))
    piece = pieces[at]
    match rng.randrange(10):
        case 0:
            del pieces[at]
        case 1:
            pieces.insert(at, piece)
        case 2:
            other = rng.randrange(len(pieces))
            pieces[at], pieces[other] = pieces[other], pieces[at]
        case 3:
            pieces.insert(at, rng.choice(plants) + _end(piece))
        case 4:
            pieces[at] = rng.choice(plants) + _end(piece)
        case 5:
            pieces[at] = own(piece, len(piece) + 16)
        case 6:
            pieces[at] = _NUMBER.sub(lambda m: _number(m[0], rng), piece, count=rng.randint(1, 3))
        case 7:
            place = rng.randint(0, len(piece))
            pieces[at] = piece[:place] + rng.choice((*_ODD, *plants)) + piece[place:]
        case 8:
            first, last = sorted((at, min(len(pieces), at + rng.randint(1, 12))))
            pieces[first:first] = pieces[first:last]
        case _:
            place = rng.randint(0, len(piece))
            pieces[at] = piece[:place] + piece[place + rng.randint(1, 8) :]


def _end(piece: bytes) -> bytes:
    return piece[len(piece.rstrip(b"\r\n")) :]


def _number(text: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.5:
        spot = rng.randrange(len(text))
        return text[:spot] + rng.choice(b"0123456789").to_bytes() + text[spot + 1 :]
    return rng.choice(
        (b"0", b"", text + b"0", b"-" + text, text[::-1], b"9" * len(text), b"1," + text)
    )


def _recoded(data: bytes, rng: random.Random) -> bytes:
    return data.decode("utf-8", "replace").encode(rng.choice(_ENCODINGS), "replace")


_NAMES: Final = (
    "a",
    "../a",
    "a/b",
    "C:a",
    "",
    "x" * 300,
    "\u202ea",
    "a\\..\\b",
    "/a",
    "a/",
    "\u00e4",
)


def _container(data: bytes, rng: random.Random, own: Change, most: int) -> bytes:
    """Made anew from random members, or bytes of an old one changed."""
    if data and rng.random() < 0.8:
        return own(data, most)
    inner = [
        rng.choice((b"", b"x", data[:200], b"0" * 5_000, data)) for _ in range(rng.randint(0, 4))
    ]
    out = io.BytesIO()
    match rng.randrange(3):
        case 0:
            how = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
            with zipfile.ZipFile(out, "w", how) as archive:
                for number, content in enumerate(inner):
                    archive.writestr(f"{number}{rng.choice(_NAMES)}", content)
        case 1:
            with tarfile.open(fileobj=out, mode=rng.choice(("w", "w:gz"))) as tar:
                for content in inner:
                    info = tarfile.TarInfo(rng.choice(_NAMES))
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))
        case _:
            out.write(b"".join(gzip.compress(content, mtime=0) for content in inner or [b""]))
    return out.getvalue()[:most]
