"""Large camt files at the speed of arrays, equal to the strict reader's tables to the last column.

The file is taken in chunks that end behind an entry. Markup and nesting of a chunk are proven
(`parsers._markup`), its entries and details made by the column (`parsers._camt_batch`,
`parsers._camt_parts`). Entries out of the ordinary, and what stands around the entries of a
statement, go through the strict reader's own functions, from a piece of XML. Whatever is not known
for certain raises `UnsureError`: then the strict reader reads the file from its beginning, and what
was handed on already is left out of what it gives, for up to there both are equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from parsers import _camt_places as places
from parsers._camt_batch import Batch, Own
from parsers._camt_chunks import check_encoding, chunks
from parsers._camt_layout import Layout, Rows
from parsers._camt_parts import Details
from parsers._camt_shapes import identify, version_of
from parsers._camt_splice import tables_of
from parsers._camt_start import Start, start_of
from parsers._camt_statement import Statement, account_of, currency_of
from parsers._leaf_values import SCALE
from parsers._markup import PADDING, Markup, Scan
from parsers._rows import Rows as Collected
from parsers._tags import UnsureError
from parsers._xml import Node
from tieout.canonical import Tables

__all__ = ["Part", "UnsureError", "batches"]

#: Bytes read at once. Smaller is kinder to caches, larger spreads the cost of a call.
CHUNK: Final = 4 << 20
#: Bytes asked for and given back before the first chunk, untouched: from then on the C library
#: keeps arrays up to that size for the next chunk, and does not fetch zeroed pages for each.
_KEPT: Final = 31 << 20
_HELD_MAX: Final = 8  # chunks that wait for the end of their statement


@dataclass(slots=True)
class Open:
    """A statement in the making.

    Attributes:
        statement: the strict reader's.
        head: its elements but the entries, so far.
        reversed_rows: rows whose sign the balances may yet turn.
    """

    statement: Statement
    head: Node
    reversed_rows: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Part:
    """The entries of one statement in one chunk.

    Attributes:
        open: the statement.
        entries: which of the chunk's.
        ordinal: number of the first of them in the statement.
        ends: position of the statement's end tag, -1 where it goes on.
    """

    open: Open
    entries: slice
    ordinal: int
    ends: int


def batches(path: Path) -> Iterator[Tables]:
    """The file's tables, a batch for each chunk.

    Raises:
        UnsureError: the strict reader must read the file; what was handed on is right.
    """
    np.empty(_KEPT, dtype=np.uint8)
    with path.open("rb") as file:
        head = file.read(1 << 16)
        start = start_of(head)
        exact = identify(head)
        reader = _Reader(start, exact, head.count(b"\n", 0, start.offset))
        held: list[Tables] = []
        check_encoding(file)
        file.seek(start.offset)
        for raw in chunks(file, start.end, CHUNK):
            if len(held) > _HELD_MAX:
                raise UnsureError("more than may be in memory at once")
            held.append(reader.read(raw))
            if not reader.holds:
                yield from held
                held.clear()
        reader.finish()
        yield from held


class _Reader:
    """Reads chunk after chunk; knows the statement that is open between them."""

    def __init__(self, start: Start, exact: str | None, line: int) -> None:
        self._start = start
        self._exact = version_of(start.shape, start.namespace, exact)
        self._markup = Markup(start.fragments.prefixes, places.place, places.Place("outside"))
        self._context = self._markup.steps.enter(start.names)
        self._layout = Layout(self._markup)
        self._line = line  # feeds before the chunk
        self._count = 0
        self._open: Open | None = None
        self._rows = Collected()

    @property
    def holds(self) -> bool:
        """Whether what was read must wait for the end of its statement."""
        return self._open is not None and self._open.statement.held

    def finish(self) -> None:
        """The file is over.

        Raises:
            UnsureError: the document is not.
        """
        if self._context or self._open is not None or not self._count:
            raise UnsureError("the document is cut")

    def read(self, raw: bytes) -> Tables:
        """The tables of the next chunk, which is padded."""
        scan, after = self._markup.scan(raw, self._context)
        rows = self._layout.rows(scan)
        if len(rows.entry) != len(rows.entry_end):
            raise UnsureError("an entry is cut")
        parts = self._parts(raw, scan, rows)
        own = [self._own(part) for part in parts if part.entries.stop > part.entries.start]
        batch = Batch(raw, rows, self._markup, own)
        details = Details(batch)
        for part in parts:
            self._settle(part, batch, raw)
        tables = tables_of(batch, details, parts, self._rows, self.line_of(scan))
        self._rows.__init__()  # type: ignore[misc]
        self._line += len(scan.breaks)
        self._context = after
        return tables

    def line_of(self, scan: Scan) -> Any:
        """Function from positions in the chunk to lines of the file, from 1."""
        base = self._line + 1
        return lambda at: base + np.searchsorted(scan.breaks, at)

    def _parts(self, raw: bytes, scan: Scan, rows: Rows) -> list[Part]:
        """The chunk's statements in order, with what stands around their entries read."""
        events = self._layout.statements(scan)
        parts: list[Part] = []
        opened = -1, 0
        if self._open is None and (not events or not events[0][1]) and len(rows.entry):
            raise UnsureError("an entry outside a statement")
        for number, is_start, begin, stop in events:
            if is_start:
                self._begin(int(self.line_of(scan)(begin)))
                opened = number, stop
            else:
                parts.append(self._part(raw, scan, rows, opened, (number, begin)))
                parts[-1].ends = number
                self._open = None
                opened = -1, 0
        if self._open is not None:
            end = scan.tags, len(raw) - PADDING
            parts.append(self._part(raw, scan, rows, opened, end))
        return parts

    def _begin(self, line: int) -> None:
        self._count += 1
        statement = Statement(None, 0, self._start.shape)
        statement.begin(str(self._count), self._exact, self._start.header, self._rows)
        statement.place = line
        head = self._start.fragments.nodes(b"", line)
        head.line = line
        self._open = Open(statement, head)

    def _part(
        self, raw: bytes, scan: Scan, rows: Rows, begin: tuple[int, int], end: tuple[int, int]
    ) -> Part:
        """Entries between two tags; what else stands there goes to the statement's head.

        Args:
            raw: the chunk.
            scan: its arrays.
            rows: its rows.
            begin: number of the statement's start tag and where it ends; -1 and the chunk's begin.
            end: number of its end tag and where it begins, or the chunk's end.
        """
        if self._open is None:
            raise UnsureError("a statement ends that did not begin")
        first, last = (int(i) for i in np.searchsorted(rows.entry, [begin[0], end[0]]))
        statement = self._open.statement
        before = np.concatenate(([begin[0]], rows.entry_end[first:last]))
        behind = np.append(rows.entry[first:last], end[0])
        for number in np.flatnonzero(before + 1 != behind).tolist():
            start = int(rows.entry_stop[first + number - 1]) if number else begin[1]
            stop = int(rows.entry_at[first + number]) if first + number < last else end[1]
            line = int(self.line_of(scan)(start))
            found = self._start.fragments.nodes(raw[start:stop], line)
            for name, kids in found.kids.items():
                self._open.head.kids.setdefault(name, []).extend(kids)
            if number == 0 and not statement.count:
                continue
            if {"Acct", "Bal"} & found.kids.keys() and statement.count + number:
                # The strict reader knew the account and its currency from what came before.
                self._know(self._open)
        if last > first:
            self._know(self._open)
        return Part(self._open, slice(first, last), statement.count + 1, -1)

    def _know(self, opened: Open) -> None:
        head = opened.head
        known = account_of(head)[0], currency_of(head)
        if known[0] is None or opened.statement.account not in (None, known):
            raise UnsureError("the account is not known before the first entry")
        opened.statement.account = known

    def _own(self, part: Part) -> Own:
        statement = part.open.statement
        account, currency = statement.account or (None, None)
        if account is None:
            raise UnsureError("an entry before the account")
        return Own(part.entries, account, currency or statement.currency, statement.shape.status)

    def _settle(self, part: Part, batch: Batch, raw: bytes) -> None:
        """The odd entries one by one, the others' sum at once, and the end of the statement."""
        statement, mine = part.open.statement, part.entries
        size = mine.stop - mine.start
        odd = (np.flatnonzero(batch.odd[mine]) + mine.start).tolist()
        if size and statement.currency is None and not batch.odd[mine.start]:
            statement.currency = batch.codes[batch.currency[mine.start]]
        scan = batch.rows.scan
        for number in odd:
            statement.count = part.ordinal - 1 + number - mine.start
            begin = int(batch.rows.entry_at[number])
            stop = int(batch.rows.entry_stop[number])
            piece = self._start.fragments.nodes(raw[begin:stop], int(self.line_of(scan)(begin)))
            known = len(self._rows.entries)
            statement.take(piece.kids["Ntry"][0])
            part.open.reversed_rows += [r for r in self._rows.entries[known:] if r["reversal"]]
        statement.count = part.ordinal - 1 + size
        statement.moved += _moved(batch, mine, statement.shape.status)
        if part.ends >= 0:
            self._close(part.open)

    def _close(self, opened: Open) -> None:
        statement, rows = opened.statement, opened.reversed_rows
        if rows and statement.account is not None:
            self._know(opened)
        if statement.account is not None and account_of(opened.head)[0] != statement.account[0]:
            raise UnsureError("the account changes")
        amounts = [row["amount"] for row in rows]
        statement.close(opened.head, rows)
        if [row["amount"] for row in rows] != amounts:
            raise UnsureError("the balances turn a reversal")


def _moved(batch: Batch, entries: slice, silent: str | None) -> Decimal:
    """Sum of the plain booked entries, with as many decimals as adding them would give."""
    flags: npt.NDArray[Any] = ~batch.odd[entries] & batch.booked(entries, silent)
    amount = batch.amount[entries][flags]
    low, high = int((amount & 0xFFFFFF).sum()), int((amount >> 24).sum())
    total = Decimal((high << 24) + low)
    places_max = int(batch.decimals[entries][flags].max(initial=0))
    return (total / SCALE).quantize(Decimal(1).scaleb(-places_max))
