"""Columns from bytes: the vector side of the fast readers.

A fast reader finds where in a block of text each value stands, with numpy, and cuts all values of
a column out at once. It takes only what the strict reader would read the same way.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from parsers._text import NO_TEXT
from tieout.canonical import AMOUNT
from tieout.identity import NO_REFERENCE

__all__ = [
    "ALNUM", "DIGIT", "Bools", "Bytes", "Ints", "Spans", "UPPER", "after", "amounts",
    "byte_class", "days", "filled", "is_plain", "joined", "said", "strings", "trimmed", "unsaid", "without",
]  # fmt: skip

#: The stubs know too few of its signatures.
pc: Any = pyarrow.compute

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
#: Start and end of a value for each row; the rows stand in the order of the text.
Spans = tuple[Ints, Ints]

_SPACE: Final = 32
_NOTHING: Final = pa.array(sorted(NO_REFERENCE | NO_TEXT))
_UNSAID: Final = pa.array(sorted(NO_TEXT))


def byte_class(members: str) -> Bools:
    """A table to look bytes up in."""
    table = np.zeros(256, np.bool_)
    table[list(members.encode("ascii"))] = True
    return table


DIGIT: Final = byte_class("0123456789")
UPPER: Final = byte_class("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
ALNUM: Final = DIGIT | UPPER
_CONTROL = np.zeros(256, np.bool_)
_CONTROL[:32] = _CONTROL[127] = True
_CONTROL[10] = False


def is_plain(data: Bytes) -> Bools | None:
    """Bytes that need the strict reader's care, or None where there are none.

    Care need control characters and all letters but ASCII and U+00C0 to U+00FF, for some of them
    are blanks to Python, or become others in upper case.
    """
    odd = _CONTROL[data]
    wide = data > 127
    if wide.any():
        letter = data == 0xC3
        letter[1:] |= (data[:-1] == 0xC3) & (data[1:] < 0xC0)
        odd |= wide & ~letter
    return odd if odd.any() else None


def after(places: Ints, at: Ints, none: int) -> Ints:
    """For each position the first of the ordered places that is not before it, else ``none``."""
    found: Ints = np.append(places, none)[np.searchsorted(places, at)]
    return found


def strings(data: Any, spans: Spans, valid: Bools | None = None) -> pa.Array:
    """The texts at the spans (in order, without overlap), null where not valid.

    Args:
        data: bytes of valid UTF-8, as a numpy array.
        spans: cut between characters.
        valid: rows that have a text; None is all.
    """
    starts, ends = spans
    if valid is not None:
        starts, ends = starts[valid], ends[valid]
    count = len(starts)
    offsets = np.empty(2 * count + 1, np.int32)
    offsets[0:-1:2], offsets[1::2] = starts, ends
    offsets[-1] = ends[-1] if count else 0
    whole = pa.StringArray.from_buffers(2 * count, pa.py_buffer(offsets), pa.py_buffer(data))
    if valid is None:
        return whole.take(pa.array(np.arange(0, 2 * count, 2)))
    places = np.cumsum(valid) * 2 - 2
    return whole.take(pa.array(places, mask=~valid))


def joined(data: Any, spans: Spans) -> tuple[Bytes, Ints]:
    """The spans' bytes one behind another, and where each begins (one more: the end of all)."""
    text = strings(data, spans)
    _, offsets, content = text.buffers()
    begins = np.frombuffer(offsets, np.int32)[: len(text) + 1].astype(np.int64)
    raw = np.frombuffer(content, np.uint8) if content is not None else np.empty(0, np.uint8)
    return raw[: begins[-1]] if len(begins) else raw, begins


def trimmed(data: Bytes, spans: Spans) -> Spans:
    """The spans without blanks at both ends (of what `is_plain` lets pass, only blanks)."""
    starts, ends = spans[0].copy(), spans[1].copy()
    rows = np.flatnonzero(starts < ends)
    while len(rows := rows[data[starts[rows]] == _SPACE]):
        starts[rows] += 1
        rows = rows[starts[rows] < ends[rows]]
    rows = np.flatnonzero(starts < ends)
    while len(rows := rows[data[ends[rows] - 1] == _SPACE]):
        ends[rows] -= 1
        rows = rows[starts[rows] < ends[rows]]
    return starts, ends


def said(data: Bytes, spans: Spans, words: pa.Array = _NOTHING) -> pa.Array:
    """Trimmed texts; null where nothing is left or only a word that stands for nothing."""
    starts, ends = trimmed(data, spans)
    text = strings(data, (starts, ends), starts < ends)
    return without(text, words)


def unsaid(data: Bytes, spans: Spans) -> pa.Array:
    """As `said`, but only the words that stand for no text count as nothing."""
    return said(data, spans, _UNSAID)


def without(text: pa.Array, words: pa.Array = _UNSAID) -> pa.Array:
    """The texts, null where one is only such a word."""
    return pc.if_else(pc.is_in(pc.ascii_upper(text), words), pa.scalar(None, pa.string()), text)


def amounts(scaled: Ints) -> pa.Array:
    """Hundred-thousandths as the canonical decimal."""
    wide = np.empty((len(scaled), 2), np.int64)
    wide[:, 0], wide[:, 1] = scaled, scaled >> 63
    return pa.Array.from_buffers(AMOUNT, len(scaled), [None, pa.py_buffer(wide)])


def days(numbers: Ints, valid: Bools | None = None) -> pa.Array:
    """Days since 1970 as dates."""
    mask = None if valid is None else ~valid
    return pa.array(numbers.astype(np.int32), mask=mask).view(pa.date32())


def filled(columns: dict[str, Any], schema: pa.Schema, count: int) -> pa.Table:
    """Columns by name as a table of exactly ``schema``; those that are not there are null."""
    arrays = [columns.get(f.name) for f in schema]
    return pa.Table.from_arrays(
        [pa.nulls(count, f.type) if a is None else a for a, f in zip(arrays, schema, strict=True)],
        schema=schema,
    )
