"""Text by the column: everything here takes and gives whole Arrow columns, never single rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.compute

#: The stubs know few of the overloads used here.
pa: Any = pyarrow
pc: Any = pyarrow.compute

__all__ = [
    "Flags",
    "Ints",
    "Text",
    "blank_where",
    "choose",
    "codes",
    "decimals",
    "digits",
    "grouped",
    "hex_ids",
    "join",
    "lines",
    "nulls",
    "pick",
    "spread",
    "tail",
]

Ints = npt.NDArray[np.int64]
#: A column of text; the stubs of its library know few of the calls used here.
Text: TypeAlias = Any
Flags = npt.NDArray[np.bool_]

_HEX: Final = np.array([f"{byte:02x}" for byte in range(256)], dtype="S2")


def nulls(count: int) -> Text:
    """A column of ``count`` nulls."""
    return pa.nulls(count, pa.string())


def join(*parts: Any) -> Text:
    """Columns and constants one after the other, row by row; null where a column is null."""
    return _flat(pc.binary_join_element_wise(*parts, ""))


def lines(parts: Sequence[Text], between: str = " ") -> Text:
    """Columns joined by ``between``; nulls are left out."""
    return _flat(pc.binary_join_element_wise(*parts, between, null_handling="skip"))


def digits(numbers: Ints, width: int = 0) -> Text:
    """Whole numbers in digits, with leading zeros up to ``width``."""
    text = pc.cast(pa.array(numbers), pa.string())
    return _flat(pc.utf8_lpad(text, width, "0") if width else text)


def tail(text: Text, start: int, stop: int | None = None) -> Text:
    """Characters from ``start`` (may be negative) up to ``stop``."""
    return _flat(pc.utf8_slice_codeunits(text, start, stop))


def choose(which: npt.NDArray[Any], columns: Sequence[Any]) -> Text:
    """Row by row the column that ``which`` names (0 is the first); constants are columns too."""
    ready = [pa.scalar(c, pa.string()) if isinstance(c, str) else c for c in columns]
    return _flat(pc.choose(pa.array(which.astype(np.int64)), *ready))


def pick(words: Sequence[str | None], which: npt.NDArray[Any]) -> Text:
    """The word each row names."""
    return _flat(pa.array(list(words), pa.string()).take(pa.array(which.astype(np.int64))))


def blank_where(flags: Flags, text: Text, instead: str | None = None) -> Text:
    """The column with ``instead`` (or null) in the flagged rows."""
    return _flat(pc.if_else(pa.array(flags), pa.scalar(instead, pa.string()), text))


def spread(text: Text, rows: npt.NDArray[Any]) -> Text:
    """The rows named, in that order."""
    return _flat(text.take(pa.array(rows.astype(np.int64))))


def grouped(text: Text, owner: Ints, count: int, between: str) -> Text:
    """Texts of one owner joined by ``between``; ``owner`` ascends, every owner has one or more."""
    starts = np.searchsorted(owner, np.arange(count + 1)).astype(np.int32)
    listed = pa.ListArray.from_arrays(pa.array(starts), text)
    return _flat(pc.binary_join(listed, between))


def codes(numbers: Ints, alphabet: str, width: int) -> Text:
    """Numbers written in the letters of an alphabet, ``width`` characters."""
    letters = np.frombuffer(alphabet.encode(), dtype="S1")
    left = numbers.astype(np.uint64)
    base = np.uint64(len(letters))
    columns = []
    for _ in range(width):
        columns.append(letters[(left % base).astype(np.int64)])
        left = left // base
    packed = np.ascontiguousarray(np.stack(columns[::-1], axis=1)).view(f"S{width}").ravel()
    return _fixed(packed, width)


def hex_ids(numbers: npt.NDArray[np.uint64]) -> Text:
    """64-bit numbers as 16 hexadecimal digits."""
    bytes_ = numbers.astype(">u8").view(np.uint8).reshape(-1, 8)
    packed = np.ascontiguousarray(_HEX[bytes_]).view("S16").ravel()
    return _fixed(packed, 16)


def decimals(minor: Ints, places: npt.NDArray[Any], kind: pa.DataType, scale: int = 5) -> Text:
    """Whole minor units as decimals of ``kind``, exact: ``places`` are each row's decimals."""
    low = minor * 10 ** (scale - places.astype(np.int64))
    bits = np.stack([low, np.where(low < 0, np.int64(-1), np.int64(0))], axis=1)
    return pa.Array.from_buffers(kind, len(low), [None, pa.py_buffer(np.ascontiguousarray(bits))])


def _fixed(packed: npt.NDArray[Any], width: int) -> Text:
    offsets = np.arange(len(packed) + 1, dtype=np.int32) * width
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(packed.tobytes())]
    return pa.Array.from_buffers(pa.string(), len(packed), buffers)


def _flat(column: Any) -> Text:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
