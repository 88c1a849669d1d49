"""BAI2 rows on their way into canonical tables, entries as tuples: there are many of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from operator import add, sub
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from parsers._bai_codes import CHEQUES, NON_MONETARY
from parsers._columns import NO_TEXT, filled, pc, whole_numbers
from parsers._rows import BATCH_ENTRIES, Rows
from tieout.arrays import blank, listed, word
from tieout.canonical import BALANCES, DETAILS, ENTRIES, STATEMENTS, Tables, table

__all__ = ["Batch", "Entry", "Owner", "entry_tables"]

_CHEQUES: Final = listed(sorted(CHEQUES))
_NON_MONETARY, _INFO, _BOOKED, _ONE, _POINT = map(word, (NON_MONETARY, "info", "booked", "1", "."))
#: What a detail says as its entry does.
_SHARED: Final = ("entry_id", "line_no", "amount", "currency", "narrative")


class Owner(NamedTuple):
    """What all entries of an account have in common."""

    statement_id: str
    account_id: str | None
    currency: str
    booked_on: date | None


class Entry(NamedTuple):
    """One 16 record; the names are those of `tieout.canonical.ENTRIES`."""

    ordinal: int
    line_no: int
    amount: Decimal
    valued_on: date | None
    reversal: bool
    bank_ref: str | None
    entry_ref: str | None
    code_proprietary: str
    narrative: str | None


class Batch(Rows):
    """Rows whose entries are `Entry` tuples, account by account; each has one detail."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Entry] = []
        #: Each account with the place of its first entry.
        self.owners: list[tuple[int, Owner]] = []
        #: Statements of files whose trailer is read.
        self.closed: list[pa.Table] = []
        #: What waits beside the lists of `counts`; below zero where rows count as handed on.
        self.beside: tuple[int, ...] = (0, 0, 0, 0)

    @property
    def waiting(self) -> int:
        """How many entries wait to be handed on."""
        return len(self.lines) + self.beside[0]

    @property
    def counts(self) -> tuple[int, ...]:
        """How many entries, findings, statements and balances wait."""
        return tuple(map(add, self._sizes, self.beside))

    @property
    def _sizes(self) -> tuple[int, ...]:
        statements = sum(rows.num_rows for rows in self.closed)
        return len(self.lines), len(self.findings), statements, len(self.balances)

    @property
    def full(self) -> bool:
        """Whether a batch's worth of entries waits, or of anything else."""
        return max(self.counts) >= BATCH_ENTRIES

    def count(
        self, entries: int, findings: int = 0, statements: int = 0, balances: int = 0
    ) -> None:
        """Count so many as waiting, whatever the lists hold."""
        self.beside = tuple(map(sub, (entries, findings, statements, balances), self._sizes))

    def begin(self, owner: Owner) -> None:
        """The entries that follow are this account's."""
        self.owners.append((len(self.lines), owner))

    def take(self, stop: int | None = None) -> Tables:
        """Everything collected so far as tables; the last account may go on.

        Args:
            stop: entries from here on, all of the last account, are kept back.
        """
        kept = [] if stop is None else self.lines[stop:]
        entries, details = _entries(self.lines[:stop], self.owners)
        last = self.owners[-1][1] if self.owners else None
        tables = Tables(
            pa.concat_tables([blank(STATEMENTS), *self.closed]),
            table(self.balances, BALANCES),
            entries,
            details,
            tuple(self.findings),
        )
        self.__init__()  # type: ignore[misc]
        if last is not None:
            self.begin(last)
        self.lines = kept
        return tables


def _entries(
    lines: Sequence[Entry], owners: Sequence[tuple[int, Owner]]
) -> tuple[pa.Table, pa.Table]:
    """Entries and their details; what an account's entries share is made once and repeated."""
    count = len(lines)
    if not count:
        return blank(ENTRIES), blank(DETAILS)
    made: dict[str, Any] = {}
    for name, values in zip(Entry._fields, zip(*lines, strict=True), strict=True):
        made[name] = listed(values, ENTRIES.field(name).type)
    starts = [start for start, _ in owners]
    counts = [end - start for start, end in zip(starts, [*starts[1:], count], strict=True)]
    places = whole_numbers(np.repeat(np.arange(len(counts)), counts))
    for name, values in zip(Owner._fields, zip(*(o for _, o in owners), strict=True), strict=True):
        made[name] = listed(values, ENTRIES.field(name).type).take(places)
    return entry_tables(made, count)


def entry_tables(made: dict[str, Any], count: int) -> tuple[pa.Table, pa.Table]:
    """Entries and details of columns that have the names of `Entry` and `Owner`."""
    code, own_ref = made["code_proprietary"], made["entry_ref"]
    made["entry_id"] = pc.binary_join_element_wise(
        made["statement_id"], made["ordinal"].cast(pa.string()), _POINT
    )
    made["status"] = pc.if_else(pc.equal(code, _NON_MONETARY), _INFO, _BOOKED)
    made["detail_count"] = whole_numbers(np.ones(count, np.int64))
    is_cheque = pc.and_(
        pc.is_in(code, value_set=_CHEQUES),
        pc.match_substring_regex(own_ref, "^[0-9]+$"),
    )
    details = {name: made[name] for name in _SHARED} | {
        "detail_id": pc.binary_join_element_wise(made["entry_id"], _ONE, _POINT),
        "ordinal": made["detail_count"],
        "cheque_no": pc.if_else(is_cheque, own_ref, NO_TEXT),
    }
    return filled(made, ENTRIES, count), filled(details, DETAILS, count)
