"""The fast reader of MT940 and MT942: usual entries in bulk, all else by the strict reader.

Header, balances and whatever is odd goes line by line through `parsers._mt_reader`. Where that
stands inside a statement and the lines ahead are usual entries, they are read as columns and the
strict reader goes on behind them. What comes out is what the strict reader alone would give.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from parsers import _mt_reader
from parsers._bytes import byte_blocks
from parsers._columns import (
    merged,
)
from parsers._dialects import has_layout
from parsers._field86 import unwrap
from parsers._heads import head_of
from parsers._mt_bulk import Bulk, Run, read_block
from parsers._mt_reader import Reader
from parsers._mtfields import Ahead, Field, FieldReader, message_type
from parsers._rows import BATCH_ENTRIES, Rows
from parsers._text import LINE_ENDS, encoding_of, last_byte
from tieout.canonical import Tables, concat

__all__ = ["messages"]

#: Bytes read at once: enough for the vectors to pay, little enough for any memory.
_BLOCK: Final = 1 << 21
#: Longest start of an entry kept for the next block.
_CARRY_MAX: Final = 1 << 17
_TAG: Final = len(":61:")


def messages(path: Path, encoding: str | None) -> Iterator[Tables]:
    """The messages of a file, MT940 or MT942 each, in batches, exactly as the strict reader.

    Raises:
        InputError: ``MT_TRUNCATED``, ``MT_NO_STATEMENT``, ``MT_FIELD_TOO_LONG``, ``TEXT_*``.
    """
    head = head_of(path)
    if has_layout(message_type(head) or "MT940", head):
        # A dialect that takes texts apart is the strict reader's.
        yield from _mt_reader.messages(path, encoding)
        return
    chosen, finding = encoding_of(path, encoding)
    rows = Rows()
    if finding is not None:
        rows.findings.append(finding)
    driver = _Driver(rows)
    held: bytes | None = None
    for block in byte_blocks(path, chosen, _BLOCK):
        if held is not None:
            driver.block(held, last=False)
            yield driver.take()
        held = block
    driver.block(held or b"", last=True)
    behind = driver.take()
    driver.end_of_file(last_byte(path))
    yield concat((behind, driver.take()))


class _Driver:
    """Takes blocks; knows which lines the strict reader gets and which are read in bulk."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.reader = Reader(rows)
        self.fields = FieldReader()
        self.ahead = Ahead()
        self.carry = b""
        self.line_no = self.block_line_no = 1  # of the block's first line
        self.read = 0  # entries read so far
        self.unnamed: int | None = None  # first row whose currency its statement may still name
        self.bulk: Bulk | None = None
        self.runs: list[Run] = []
        self.keys: list[int] = []  # place of each row of the strict reader among the block's

    def block(self, content: bytes, *, last: bool) -> None:
        """Take a block of whole lines."""
        content, self.carry = self.carry + content, b""
        if content and content[-1:] not in b"\r\n":
            content += b"\n"
        bulk = read_block(content)
        lines = bulk.layout
        end = len(lines.starts)
        if not last and len(lines.first) and lines.stop[-1] == end:
            start = int(lines.starts[lines.first[-1]])
            if len(lines.content) - start <= _CARRY_MAX:
                self.carry, end = lines.content[start:], int(lines.first[-1])
        self.bulk, self.block_line_no = bulk, self.line_no
        self._walk(bulk, end)
        self.line_no += end

    def _walk(self, bulk: Bulk, end: int) -> None:
        """Go through the lines of the block up to `end`: runs in bulk, the others strictly."""
        lines, at = bulk.layout, 0
        for first, stop in bulk.runs():
            start = int(lines.first[first])
            for line in range(at, start):
                self._strict(self._text(bulk, line), line)
            at = start
            if self._ready(self._text(bulk, start), start):
                self._run(bulk, first, stop)
                at = int(lines.stop[stop - 1])
        for line in range(at, end):
            self._strict(self._text(bulk, line), line)

    def _text(self, bulk: Bulk, line: int) -> str:
        lines = bulk.layout
        return lines.content[lines.starts[line] : lines.ends[line]].decode("utf-8", "surrogatepass")

    def _strict(self, text: str, line: int) -> None:
        """A line for the strict reader; ``line`` counts in the block."""
        known = self.ahead.push(self.line_no + line, text)
        if known is not None:
            for found in self.fields.take(*known):
                self._feed(found, line)

    def _feed(self, found: Field, line: int) -> None:
        self.reader.feed(found)
        self._place(line)

    def _place(self, line: int) -> None:
        """Note where in the block the strict reader's new row stands."""
        new = len(self.rows.entries) - len(self.keys)
        if new:
            if self.unnamed is None and self.rows.entries[-1]["currency"] is None:
                self.unnamed = len(self.keys)
            first = self.bulk.layout.first if self.bulk else ()
            self.keys += [2 * int(np.searchsorted(first, line))] * new
            self._count(new)

    def _count(self, new: int) -> None:
        """The strict reader hands on every 5,000 entries, and changes no row from then on."""
        before, self.read = self.read, self.read + new
        if before // BATCH_ENTRIES < self.read // BATCH_ENTRIES:
            self.rows.settled = len(self.rows.entries)

    def _ready(self, text: str, line: int) -> bool:
        """Whether the strict reader, brought up to this line, stands inside a usual statement."""
        if self.ahead.colon:
            return False
        known = self.ahead.last(text)
        if known is not None:
            for found in self.fields.take(*known):
                self._feed(found, line)
        if self.fields.current is not None:  # a statement line ends every field
            found, self.fields.current = self.fields.current, None
            self._feed(found, line)
        now = self.reader.now
        if now is None or now.closed or now.currency is None or self.fields.phase != 1:
            return False
        return self._first_unnamed() is None

    def _run(self, bulk: Bulk, first: int, stop: int) -> None:
        """Entries of the block: the usual ones in bulk, the others apart."""
        reader, now = self.reader, self.reader.now
        if now is None or now.currency is None:
            return
        reader.flush_line()
        self._place(int(bulk.layout.first[first]))
        account = now.row.get("account_id")
        self.runs.append(Run(first, stop, now.count, now.id, account, now.currency))
        before = now.count
        for which in (np.flatnonzero(~bulk.usual[first:stop]) + first).tolist():
            now.count = before + which - first
            field, texts = self._apart(bulk, which)
            reader.add_entry(now, field, texts, [])
            new = len(self.rows.entries) - len(self.keys)
            self.keys += [2 * which + 1] * new
        now.count = before + stop - first
        for kind in bulk.sums(first, stop):
            now.moved += -kind.total if kind.negative else kind.total
            more = kind.entries, kind.total
            now.interim_facts.add(kind.negative, kind.reversal, False, more)
        self._count(stop - first)

    def _apart(self, bulk: Bulk, which: int) -> tuple[Field, list[str]]:
        """The statement line and the texts of one entry, as the strict reader would have them."""
        first, stop = int(bulk.layout.first[which]), int(bulk.layout.stop[which])
        field = Field("61", self.line_no + first)
        texts: list[str] = []
        wrapped: list[str] | None = None
        for line in range(first, stop):
            text = self._text(bulk, line)
            if text.startswith(":86:"):
                texts += unwrap(wrapped or [])
                wrapped = [text[_TAG:]]
            elif wrapped is not None:
                wrapped.append(text)
            else:
                field.add(text[_TAG:] if line == first else text)
        return field, texts + unwrap(wrapped or [])

    def end_of_file(self, last: bytes) -> None:
        """All blocks are taken."""
        self.bulk = None
        known = self.ahead.last()
        if known is not None:
            for found in self.fields.take(*known):
                self._feed(found, 0)
        if self.fields.current is not None:
            self._feed(self.fields.current, 0)
        self.reader.end_of_file(bare_dash=last == b"-", ended=last in LINE_ENDS)

    def _first_unnamed(self) -> int | None:
        """First row that gets its currency when its statement ends; None where there is none."""
        if self.unnamed is None:
            return None
        ends = {one.id for one in (self.reader.waiting, self.reader.now) if one is not None}
        rows = self.rows.entries
        for at in range(max(self.unnamed, self.rows.settled), len(rows)):
            if rows[at]["currency"] is None and rows[at]["statement_id"] in ends:
                self.unnamed = at
                return at
        self.unnamed = None
        return None

    def take(self) -> Tables:
        """What is read so far, in the order of the file; rows without a currency are kept."""
        rows = self.rows
        stop = self._first_unnamed()
        stop = len(rows.entries) if stop is None else stop
        held = rows.entries[stop:], rows.details[stop:]
        del rows.entries[stop:], rows.details[stop:]
        keys, runs = self.keys[:stop], self.runs
        tables = rows.take()
        rows.entries, rows.details = held
        self.keys, self.runs = [0] * len(held[0]), []
        self.unnamed = 0 if held[0] else None
        if not runs or self.bulk is None:
            return tables
        return merged(tables, keys, *self.bulk.tables(runs, self.block_line_no))
