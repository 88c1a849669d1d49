"""Entries of a block of BAI2 as columns: those of the usual form, all at once.

Usual is a 16 record on a line of its own, with a code that has a direction, plain digits as amount,
a funds type without further fields, and 88 records of text behind it, up to the next record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from parsers._bai_account import Added
from parsers._bai_bulk16 import START, fields_16
from parsers._bai_rows import Owner, entry_tables
from parsers._columns import (
    DIGIT,
    Bools,
    Bytes,
    Column,
    Ints,
    after,
    amounts,
    arrow,
    byte_class,
    first_to_last,
    joined,
    strange_bytes,
    trimmed,
    unsaid,
    whole_numbers,
)
from tieout.arrays import flags, listed

__all__ = ["Bulk", "Run", "read_block"]

_PAD: Final = 64
_RECORD_BYTES_MAX: Final = 100_000
#: Digits of the canonical amount behind the comma.
_SCALE: Final = 5
_COMMA, _SLASH, _BLANK = b",/ "
_ENTRY, _MORE = 16, 88
_OPENING = np.zeros(100, np.bool_)
_OPENING[[1, 2, 3, 16, 49, 98, 99]] = True
#: What may follow a slash inside a line for it to be text, and no end of a record.
_NO_RECORD = ~byte_class(" 0123456789")


class Run(NamedTuple):
    """Consecutive entries of one account, and what they have in common."""

    first: int
    stop: int
    before: int  # entries of the account that stand before them
    exponent: int  # decimals of its currency
    owner: Owner


@dataclass(frozen=True, slots=True)
class Bulk:
    """The entries of a block.

    Attributes:
        content, starts, ends: the block and where its lines stand.
        first, stop: lines of each entry: its first, and behind its last.
        usual: entries read here; of the others the columns mean nothing.
        unended: length of each line that does not end with a slash, else 0.
        amount: in minor units, signed by the code.
        sums: money in, money out and debits above zero, of all usual entries before each.
        columns: text columns by name.
        plain, plain_at: the lines without ends and padding, and where each begins.
    """

    content: bytes
    starts: Ints
    ends: Ints
    first: Ints
    stop: Ints
    usual: Bools
    unended: Ints
    amount: Ints
    sums: Ints
    columns: dict[str, Column]
    plain: Bytes
    plain_at: Ints

    def runs(self) -> list[tuple[int, int]]:
        """Usual entries that follow each other: first and behind the last of each run."""
        goes_on = np.zeros(len(self.usual), np.bool_)
        goes_on[1:] = self.usual[1:] & self.usual[:-1] & (self.stop[:-1] == self.first[1:])
        first = np.flatnonzero(self.usual & ~goes_on)
        last = np.flatnonzero(self.usual & ~np.append(goes_on[1:], False))
        return list(zip(first.tolist(), (last + 1).tolist(), strict=True))

    def has_length(self, first: int, stop: int, width: int) -> bool:
        """Whether a line of these entries may have been cut at the physical record length."""
        lines = self.unended[self.first[first] : self.stop[stop - 1]]
        return bool((lines == width).any())

    def added(self, first: int, stop: int) -> Added:
        """What the entries add to their account."""
        low, high = int(self.first[first]), int(self.stop[stop - 1])
        content = self.plain[self.plain_at[low] : self.plain_at[high]].tobytes()
        money_in, money_out, debits = (self.sums[:, stop] - self.sums[:, first]).tolist()
        return Added(
            stop - first, high - low, content, Decimal(money_in), Decimal(money_out), debits
        )  # fmt: skip

    def tables(self, runs: Sequence[Run], line_no: int) -> tuple[pa.Table, pa.Table, Ints]:
        """Entries and details of the runs, and the number of each in the block."""
        rows = np.concatenate([np.arange(run.first, run.stop) for run in runs])
        owner = np.repeat(np.arange(len(runs)), [run.stop - run.first for run in runs])
        scale = np.array([10 ** (_SCALE - run.exponent) for run in runs])[owner]
        made: dict[str, Any] = dict(self.columns)
        if rows[-1] - rows[0] + 1 == len(rows):
            made = {name: column.slice(rows[0], len(rows)) for name, column in made.items()}
        else:
            chosen = whole_numbers(rows)
            made = {name: column.take(chosen) for name, column in made.items()}
        before = np.array([run.before - run.first + 1 for run in runs])[owner]
        places = whole_numbers(owner)
        kinds: tuple[pa.DataType, ...] = (pa.string(), pa.string(), pa.string(), pa.date32())
        for name, kind in zip(Owner._fields, kinds, strict=True):
            shared = listed([getattr(run.owner, name) for run in runs], kind)
            made[name] = shared.take(places)
        made["ordinal"] = whole_numbers(before + rows)
        made["line_no"] = whole_numbers(self.first[rows] + line_no)
        made["amount"] = amounts(self.amount[rows] * scale)
        made["reversal"] = flags(np.zeros(len(rows), np.bool_))
        made["valued_on"] = arrow.nulls(len(rows), pa.date32())
        return (*entry_tables(made, len(rows)), rows)


def read_block(content: bytes) -> Bulk:
    """Read the entries of a block of whole lines; the last is read only where a record follows."""
    data = np.frombuffer(content + bytes(_PAD), np.uint8)
    feeds, returns = np.flatnonzero(data == 10), np.count_nonzero(data == 13)
    paired = returns == len(feeds) and bool((data[feeds - 1] == 13).all())
    if returns and not paired:
        return read_block(content.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    starts = np.concatenate(([0], feeds[:-1] + 1)) if len(feeds) else feeds
    ends = feeds - 1 if returns else feeds
    code, odd = _codes(data, starts, ends)
    ends = _unpadded(data, starts, ends)
    ended = (ends > starts) & (data[ends - 1] == _SLASH)
    places = _odd_places(data, content, starts, ends, len(feeds) + int(returns))
    odd[np.searchsorted(starts, places, "right") - 1] = True
    opening = np.flatnonzero(_OPENING[code])
    first = np.flatnonzero(code == _ENTRY)
    stop = after(opening, first + 1, len(starts))
    bad = np.flatnonzero(odd | (~_OPENING[code] & (code != _MORE)))
    usual = (stop < len(starts)) & (np.searchsorted(bad, first) == np.searchsorted(bad, stop))
    text_ends = ends - ended
    usual &= text_ends[np.maximum(stop - 1, 0)] - starts[first] < _RECORD_BYTES_MAX
    fields = fields_16(data, starts[first] + START, text_ends[first])
    usual &= fields.usual
    return Bulk(
        content, starts, feeds if not returns else feeds - 1, first, stop, usual,
        np.where(ended, 0, ends - starts), fields.amount, _sums(fields.amount, usual),
        fields.columns | {"narrative": _narrative(data, starts, text_ends, first, stop, usual,
                                                  fields.text_at)},
        *_plain(data, starts, text_ends),
    )  # fmt: skip


def _sums(amount: Ints, usual: Bools) -> Ints:
    """Running totals; 64 bits hold a block of the largest amounts a thousand times over."""
    amount = np.where(usual, amount, 0)
    parts = np.maximum(amount, 0), np.maximum(-amount, 0), amount < 0
    return np.array([np.append(0, np.cumsum(part)) for part in parts])


def _codes(data: Bytes, starts: Ints, ends: Ints) -> tuple[Ints, Bools]:
    """Code of each line (0 where it has none); lines that may be something else to the reader."""
    tens, ones = data[starts], data[starts + 1]
    is_code = DIGIT[tens] & DIGIT[ones] & (data[starts + 2] == _COMMA) & (ends - starts > 2)
    code = np.where(is_code, (tens.astype(np.int64) - 48) * 10 + ones - 48, 0)
    return code, code == 0


def _unpadded(data: Bytes, starts: Ints, ends: Ints) -> Ints:
    ends = ends.copy()
    rows = np.flatnonzero(starts < ends)
    while len(rows := rows[data[ends[rows] - 1] == _BLANK]):
        ends[rows] -= 1
        rows = rows[starts[rows] < ends[rows]]
    return ends


def _odd_places(data: Bytes, content: bytes, starts: Ints, ends: Ints, breaks: int) -> Ints:
    """Bytes that need the strict reader: strange ones, and slashes that may end a record."""
    slashes = np.flatnonzero(data == _SLASH)
    last = np.zeros(len(data), np.bool_)
    last[ends[ends > starts] - 1] = True
    slashes = slashes[~last[slashes]]
    slashes = slashes[~_NO_RECORD[data[slashes + 1]]]
    strange = strange_bytes(data[: len(content)], content, breaks)
    if not content.isascii():  # a line's length in letters is not that in bytes
        strange = np.concatenate((strange, np.flatnonzero(data > 127)))
    return np.concatenate((slashes, strange))


def _narrative(
    data: Bytes, starts: Ints, ends: Ints, first: Ints, stop: Ints, usual: Bools, text_at: Ints
) -> Column:
    """The text of each usual entry: its own, and below it that of its 88 records."""
    count = len(first)
    rows = np.flatnonzero(usual)
    if not len(rows):
        return arrow.nulls(count, pa.string())
    many = stop[rows] - first[rows]
    offset = np.cumsum(many) - many
    lines = np.repeat(first[rows] - offset, many) + np.arange(many.sum())
    low = starts[lines] + START
    low[offset] = text_at[rows]
    low, high = trimmed(data, (np.minimum(low, ends[lines]), ends[lines]))
    more = np.ones(len(lines), np.bool_)
    more[offset] = False
    marked = data.copy()
    marked[low[more] - 1] = 10
    text, at = joined(marked, (low - more, high))
    return unsaid(text, first_to_last(np.repeat(rows, many), at, count))


def _plain(data: Bytes, starts: Ints, ends: Ints) -> tuple[Bytes, Ints]:
    """The lines without ends and padding, each with one LF, and where each begins."""
    marked = data.copy()
    marked[ends] = 10
    return joined(marked, (starts, ends + 1))
