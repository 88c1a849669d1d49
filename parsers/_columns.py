"""Columns from bytes: the vector side of the fast readers.

A fast reader finds where in a block of text each value stands, with numpy, and cuts all values of
a column out at once. It takes only what the strict reader would read the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from parsers._text import _NO_TEXT
from tieout.arrays import fixed, listed, word
from tieout.canonical import AMOUNT, Tables
from tieout.identity import NO_REFERENCE

__all__ = [
    "ALNUM",
    "DIGIT",
    "NO_TEXT",
    "UPPER",
    "Bools",
    "Bytes",
    "Column",
    "Ints",
    "Spans",
    "after",
    "amounts",
    "arrow",
    "byte_class",
    "days",
    "filled",
    "first_to_last",
    "joined",
    "merged",
    "pc",
    "ranks",
    "said",
    "spread",
    "strange_bytes",
    "strings",
    "trimmed",
    "unsaid",
    "whole_numbers",
    "without",
]

#: The stubs know too few of their signatures.
arrow: Any = pa
pc: Any = pyarrow.compute

#: An Arrow array.
Column = Any

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
#: Start and end of a value for each row; the rows stand in the order of the text.
Spans = tuple[Ints, Ints]

#: No text, as a value of a column.
NO_TEXT: Final = word(None)

_NOTHING: Final = listed(sorted(NO_REFERENCE | _NO_TEXT))
_UNSAID: Final = listed(sorted(_NO_TEXT))


def byte_class(members: str) -> Bools:
    """A table to look bytes up in."""
    table = np.zeros(256, np.bool_)
    table[list(members.encode("ascii"))] = True
    return table


DIGIT: Final = byte_class("0123456789")
UPPER: Final = byte_class("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
ALNUM: Final = DIGIT | UPPER
_BLANK = np.zeros(256, np.bool_)
_BLANK[list(b" \n")] = True
_CONTROL = np.zeros(256, np.bool_)
_CONTROL[:32] = _CONTROL[127] = True
_CONTROL[[10, 13]] = False


def strange_bytes(data: Bytes, content: bytes, ends: int) -> Ints:
    """Places of bytes that need the strict reader's care.

    These are control characters, and all letters but ASCII and U+00C0 to U+00FF, for some of them
    are blanks to Python, or become others in upper case.

    Args:
        data: a text.
        content: the same as bytes.
        ends: how many CR and LF it has.
    """
    if content.isascii() and b"\x7f" not in content and np.count_nonzero(data < 32) == ends:
        return np.empty(0, np.int64)
    odd = _CONTROL[data]
    letter = data == 0xC3
    letter[1:] |= letter[:-1].copy()
    odd |= (data > 127) & ~letter
    return np.flatnonzero(odd)


def after(places: Ints, at: Ints, none: int) -> Ints:
    """For each position the first of the ordered places that is not before it, else ``none``."""
    found: Ints = np.append(places, none)[np.searchsorted(places, at)]
    return found


def whole_numbers(values: Ints, known: Bools | None = None) -> Column:
    """Numbers of 64 bits as a column, null where not known."""
    return fixed(values.astype(np.int64, copy=False), pa.int64(), known)


def strings(data: Any, spans: Spans, valid: Bools | None = None) -> Column:
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
    whole = arrow.StringArray.from_buffers(
        2 * count, arrow.py_buffer(offsets), arrow.py_buffer(data)
    )
    if valid is None:
        return whole.take(whole_numbers(np.arange(0, 2 * count, 2)))
    places = np.cumsum(valid) * 2 - 2
    return whole.take(whole_numbers(places, valid))


def ranks(places: Ints, begins: Ints) -> Ints:
    """For each of the ordered places in which part it lies; parts begin at ``begins`` (one more:
    the end of the last)."""
    counts = np.diff(np.searchsorted(places, begins))
    return np.repeat(np.arange(len(counts)), counts)


def joined(data: Any, spans: Spans, pad: int = 0) -> tuple[Bytes, Ints]:
    """The spans' bytes one behind another, and where each begins (one more: the end of all).

    Behind them stand ``pad`` zeros.
    """
    text = strings(data, spans)
    _, offsets, content = text.buffers()
    begins = np.frombuffer(offsets, np.int32)[: len(text) + 1].astype(np.int64)
    raw = np.frombuffer(content, np.uint8)[: begins[-1]] if content else np.empty(0, np.uint8)
    return (np.append(raw, np.zeros(pad, np.uint8)) if pad else raw), begins


def spread(rows: Ints, start: Ints, end: Ints, count: int) -> Spans:
    """Spans of some rows as spans of all: empty ones where a row has none."""
    starts, ends = np.zeros(count, np.int64), np.zeros(count, np.int64)
    starts[rows], ends[rows] = start, end
    return starts, ends


def first_to_last(rows: Ints, at: Ints, count: int) -> Spans:
    """From where a row's first piece begins to where its last one ends; `at` as by `joined`."""
    starts, ends = np.zeros(count, np.int64), np.zeros(count, np.int64)
    starts[rows[::-1]], ends[rows] = at[:-1][::-1], at[1:]
    return starts, ends


def trimmed(data: Bytes, spans: Spans) -> Spans:
    """The spans without blanks and line ends on both sides; `strange_bytes` lets no other pass."""
    starts, ends = spans[0].copy(), spans[1].copy()
    rows = np.flatnonzero(starts < ends)
    while len(rows := rows[_BLANK[data[starts[rows]]]]):
        starts[rows] += 1
        rows = rows[starts[rows] < ends[rows]]
    rows = np.flatnonzero(starts < ends)
    while len(rows := rows[_BLANK[data[ends[rows] - 1]]]):
        ends[rows] -= 1
        rows = rows[starts[rows] < ends[rows]]
    return starts, ends


def said(data: Bytes, spans: Spans, words: Column = _NOTHING) -> Column:
    """Trimmed texts; null where nothing is left or only a word that stands for nothing."""
    starts, ends = trimmed(data, spans)
    text = strings(data, (starts, ends), starts < ends)
    return without(text, words)


def unsaid(data: Bytes, spans: Spans) -> Column:
    """As `said`, but only the words that stand for no text count as nothing."""
    return said(data, spans, _UNSAID)


def without(text: Column, words: Column = _UNSAID) -> Column:
    """The texts, null where one is only such a word."""
    is_word = pc.is_in(pc.ascii_upper(text), words)
    if not pc.any(is_word).as_py():
        return text
    return pc.if_else(is_word, NO_TEXT, text)


def amounts(scaled: Ints) -> Column:
    """Hundred-thousandths as the canonical decimal."""
    wide = np.empty((len(scaled), 2), np.int64)
    wide[:, 0], wide[:, 1] = scaled, scaled >> 63
    return fixed(wide, AMOUNT)


def days(numbers: Ints, valid: Bools | None = None) -> Column:
    """Days since 1970 as dates."""
    return fixed(numbers.astype(np.int32), pa.date32(), valid)


def filled(columns: dict[str, Any], schema: pa.Schema, count: int) -> pa.Table:
    """Columns by name as a table of exactly ``schema``; those that are not there are null."""
    arrays = [columns.get(f.name) for f in schema]
    return pa.Table.from_arrays(
        [
            arrow.nulls(count, f.type) if a is None else a
            for a, f in zip(arrays, schema, strict=True)
        ],
        schema=schema,
    )


def merged(
    strict: Tables, keys: Sequence[int], entries: pa.Table, details: pa.Table, rows: Ints
) -> Tables:
    """The strict reader's rows at their places between those read in bulk.

    Args:
        strict: its tables.
        keys: for each of its rows twice the number of bulk rows of the block that may stand before.
        entries: read in bulk.
        details: of these.
        rows: number of each of these in the block.
    """
    if keys:
        order = whole_numbers(np.argsort(np.append(2 * rows + 1, keys), kind="stable"))
        entries = arrow.concat_tables([entries, strict.entries]).take(order)
        details = arrow.concat_tables([details, strict.details]).take(order)
    return replace(strict, entries=entries, details=details)
