"""The fast reader of BAI2: usual entries in bulk, all else by the strict reader.

Headers, trailers and whatever is odd goes record by record through `parsers._bai_reader`. Where
that stands inside an account and the lines ahead are usual entries, they are read as columns. What
comes out is what the strict reader alone would give.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from parsers._bai_bulk import Bulk, Run, read_block
from parsers._bai_reader import Reader
from parsers._bai_records import Record, RecordReader
from parsers._bai_rows import Batch, Owner
from parsers._bytes import byte_blocks
from parsers._columns import (
    merged,
)
from parsers._rows import BATCH_ENTRIES
from parsers._text import encoding_of
from tieout.canonical import Tables

__all__ = ["records_of"]

#: Bytes read at once: enough for the vectors to pay, little enough for any memory.
_BLOCK: Final = 1 << 20
#: Longest start of an entry kept for the next block.
_CARRY_MAX: Final = 1 << 17


def records_of(path: Path, encoding: str | None) -> Iterator[Tables]:
    """The file in batches, exactly as the strict reader gives it.

    Raises:
        InputError: ``BAI_*`` and ``TEXT_*``.
    """
    chosen, finding = encoding_of(path, encoding)
    rows = Batch()
    if finding is not None:
        rows.findings.append(finding)
    driver = _Driver(rows, path)
    held: bytes | None = None
    for block in byte_blocks(path, chosen, _BLOCK):
        if held is not None:
            driver.block(held, last=False)
            yield driver.take()
        held = block
    driver.block(held or b"", last=True)
    driver.end_of_file()
    yield driver.take()


class _Driver:
    """Takes blocks; knows which lines the strict reader gets and which are read in bulk."""

    def __init__(self, rows: Batch, path: Path) -> None:
        self.rows = rows
        self.reader = Reader(rows)
        self.records = RecordReader(path)
        self.carry = b""
        self.line_no = self.block_line_no = 1  # of the block's first line
        self.bulk: Bulk | None = None
        self.runs: list[Run] = []
        self.keys: list[int] = []  # place of each row of the strict reader among the block's

    def block(self, content: bytes, *, last: bool) -> None:
        """Take a block of whole lines."""
        content, self.carry = self.carry + content, b""
        if content and content[-1:] not in b"\r\n":
            content += b"\n"
        bulk = read_block(content)
        end = len(bulk.starts)
        if not last and len(bulk.first) and bulk.stop[-1] == end:
            start = int(bulk.starts[bulk.first[-1]])
            if len(bulk.content) - start <= _CARRY_MAX:
                self.carry, end = bulk.content[start:], int(bulk.first[-1])
        self.bulk, self.block_line_no = bulk, self.line_no
        self._walk(bulk, end)
        self.line_no += end

    def _walk(self, bulk: Bulk, end: int) -> None:
        """Go through the lines of the block up to `end`: runs in bulk, the others strictly."""
        at = 0
        for first, stop in bulk.runs():
            start = int(bulk.first[first])
            for line in range(at, start):
                self._strict(bulk, line)
            at = start
            if self._ready(bulk, first, stop):
                self._run(bulk, first, stop)
                at = int(bulk.stop[stop - 1])
        for line in range(at, end):
            self._strict(bulk, line)

    def _strict(self, bulk: Bulk, line: int) -> None:
        """A line for the strict reader; ``line`` counts in the block."""
        raw = bulk.content[bulk.starts[line] : bulk.ends[line]].decode("utf-8", "surrogatepass")
        for record in self.records.take(self.line_no + line, raw):
            self._feed(record, line)

    def _feed(self, record: Record, line: int) -> None:
        self.reader.feed(record)
        new = len(self.rows.lines) - len(self.keys)
        if new > 0:
            first = self.bulk.first if self.bulk else ()
            self.keys += [2 * int(np.searchsorted(first, line))] * new
        elif new < 0:  # entries without a sign are taken out; all of them stand at one place
            del self.keys[new:]
        account = self.reader.account
        if self.rows.full and (account is None or not account.held):
            if account is not None:
                account.release()
            self.rows.count(0)

    def _ready(self, bulk: Bulk, first: int, stop: int) -> bool:
        """Whether the strict reader, brought up to this line, stands inside an account."""
        if bulk.has_length(first, stop, self.records.width):
            return False
        if self.records.current is not None:  # an entry's record ends every other
            record, self.records.current = self.records.current, None
            self._feed(record, int(bulk.first[first]))
        account = self.reader.account
        return account is not None and not account.signs.doubtful

    def _run(self, bulk: Bulk, first: int, stop: int) -> None:
        """Entries of the block, at once."""
        account = self.reader.account
        if account is None:
            return
        owner = Owner(account.id, account.number, account.currency, account.group.on)
        self.runs.append(Run(first, stop, account.count, account.exponent, owner))
        account.add(bulk.added(first, stop))
        waiting, *others = self.rows.counts
        waiting += stop - first
        if waiting >= BATCH_ENTRIES:  # the strict reader hands on all it has, each time
            waiting, others = waiting % BATCH_ENTRIES, []
        self.rows.count(waiting, *others)
        self.records.full = False

    def end_of_file(self) -> None:
        """All blocks are taken."""
        if self.records.current is not None:
            self._feed(self.records.current, len(self.bulk.starts) if self.bulk else 0)
        self.reader.end_of_file()

    def take(self) -> Tables:
        """What is read so far, in the order of the file; entries whose sign is open are kept."""
        rows, account = self.rows, self.reader.account
        stop = len(rows.lines)
        if account is not None and account.signs.doubtful:
            signs = account.signs
            stop = signs.doubtful[0][0]
            signs.doubtful = [(at - stop, record) for at, record in signs.doubtful]
        keys, counts = self.keys[:stop], rows.counts
        tables = rows.take(stop)
        rows.count(*counts)
        runs, self.runs = self.runs, []
        self.keys = [0] * len(rows.lines)
        if not runs or self.bulk is None:
            return tables
        return merged(tables, keys, *self.bulk.tables(runs, self.block_line_no))
