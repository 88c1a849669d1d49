"""Columns of texts in the normal form of references, byte by byte."""

from __future__ import annotations

from string import ascii_uppercase
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.arrays import buffer
from tieout.references import DROPPED

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = [
    "dropped",
    "fold",
    "kept_bytes",
    "kinds",
    "looked_up",
    "shapes",
    "tail_digits",
    "texts_bytes",
    "upper_bytes",
]

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

_MARKS: Final = DROPPED.encode()
#: By byte, whether the normal form leaves it out; and each in upper case.
_DROPPED: Final = bytes(chr(byte) in DROPPED for byte in range(256))
_UPPER: Final = bytes(range(256)).upper()
#: Digits, letters (and whatever is not ASCII), other signs: numbers end where the kind changes.
_KIND: Final = bytes(
    0 if chr(byte) in "0123456789" else 1 if byte > 127 or chr(byte) in ascii_uppercase else 2
    for byte in range(256)
)


def texts_bytes(texts: Any) -> tuple[Bytes, Ints]:
    """The characters of all texts in a row, and where each text starts (one more at the end)."""
    count = len(texts)
    starts = np.frombuffer(texts.buffers()[1], dtype="int32", count=count + 1 + texts.offset)
    starts = starts[texts.offset :]
    data = texts.buffers()[2]
    raw = np.frombuffer(data, dtype="uint8") if data is not None else np.zeros(0, dtype="uint8")
    return raw[starts[0] : starts[-1]], (starts - starts[0]).astype("int64")


def _texts(raw: Bytes, starts: Ints) -> Any:
    offsets = buffer(np.ascontiguousarray(starts, dtype="int32"))
    return pa.StringArray.from_buffers(len(starts) - 1, offsets, buffer(raw))


def fold(texts: Any) -> tuple[Any, Ints]:
    """Texts without nulls in the normal form of references, and how many bytes each has."""
    if not len(texts):
        return pa.array([], pa.string()), np.zeros(0, dtype="int64")
    raw, starts = upper_bytes(texts)
    places = np.flatnonzero(dropped(raw))
    if len(places):
        starts = starts - np.searchsorted(places, starts)
    offsets = buffer(np.ascontiguousarray(starts, dtype="int32"))
    left = pa.py_buffer(raw.translate(_UPPER, _MARKS))
    return pa.StringArray.from_buffers(len(texts), offsets, left), np.diff(starts)


def looked_up(raw: bytes, values: bytes) -> Bytes:
    """What a table of 256 says of each byte; several times as fast as an index of numpy's."""
    return np.frombuffer(raw.translate(values), dtype="uint8")


def dropped(raw: bytes) -> Flags:
    """Whether the normal form leaves each byte out."""
    return looked_up(raw, _DROPPED).view(bool)


def kept_bytes(raw: bytes) -> Bytes:
    """The bytes that the normal form keeps, in upper case."""
    return np.frombuffer(raw.translate(_UPPER, _MARKS), dtype="uint8")


def kinds(raw: Bytes) -> Bytes:
    """What each byte is: 0 a digit, 1 a letter (or not ASCII), 2 any other sign."""
    return looked_up(raw.tobytes(), _KIND)


def upper_bytes(texts: Any) -> tuple[bytes, Ints]:
    """The bytes of texts, in upper case but for ASCII, and where each text starts."""
    raw, starts = texts_bytes(texts)
    if len(raw) and raw.max() > 127:
        raw, starts = texts_bytes(pc.utf8_upper(texts))
    return raw.tobytes(), starts


def tail_digits(texts: Any, count: int) -> npt.NDArray[np.bool_]:
    """Which texts without nulls end in at least so many digits."""
    raw, starts = texts_bytes(texts)
    lengths = np.diff(starts)
    fits = lengths >= count
    rows = np.flatnonzero(fits)
    digit = np.frombuffer(_KIND, dtype="uint8") == 0
    for back in range(1, count + 1):
        rows = rows[digit[raw[starts[1:][rows] - back]]]
    found = np.zeros(len(lengths), dtype=bool)
    found[rows] = True
    return found


_SHAPE: Final = np.arange(256, dtype="uint8")
_SHAPE[ord("0") : ord("9") + 1] = ord("0")


def shapes(texts: Any) -> Any:
    """Texts without nulls with every digit as 0, as a dictionary array."""
    raw, starts = texts_bytes(texts)
    return _texts(_SHAPE[raw], starts).dictionary_encode()
