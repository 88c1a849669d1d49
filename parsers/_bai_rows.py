"""BAI2 rows on their way into canonical tables, entries as tuples: there are many of them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

import pyarrow as pa

from parsers._rows import BATCH_ENTRIES, Rows
from tieout.canonical import BALANCES, DETAILS, ENTRIES, STATEMENTS, Tables, table

__all__ = ["Batch", "Entry"]

_CONSTANT: Final = {"detail_count": 1}


class Entry(NamedTuple):
    """One 16 record; the names are those of `tieout.canonical.ENTRIES`."""

    entry_id: str
    statement_id: str
    ordinal: int
    line_no: int
    account_id: str | None
    currency: str
    amount: Decimal
    booked_on: date | None
    valued_on: date | None
    status: str
    reversal: bool
    bank_ref: str | None
    entry_ref: str | None
    code_proprietary: str
    narrative: str | None
    cheque_no: str | None


class Batch(Rows):
    """Rows whose entries are `Entry` tuples; each has one detail that says the same."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Entry] = []

    @property
    def full(self) -> bool:
        """Whether a batch's worth of entries waits."""
        return len(self.lines) >= BATCH_ENTRIES

    def take(self) -> Tables:
        """Everything collected so far as tables; the collector is empty afterwards."""
        count = len(self.lines)
        columns = dict(zip(Entry._fields, zip(*self.lines, strict=True), strict=False))
        entries = _columns(columns, ENTRIES, count)
        own = dict(zip(ENTRIES.names, entries.columns, strict=True))
        shared = {n: own[n] for n in ("entry_id", "line_no", "amount", "currency", "narrative")}
        made: dict[str, Any] = {
            "detail_id": [f"{name}.1" for name in columns.get("entry_id", ())],
            "ordinal": [1] * count,
            "cheque_no": columns.get("cheque_no", ()),
        }
        tables = Tables(
            table(self.statements, STATEMENTS),
            table(self.balances, BALANCES),
            entries,
            _columns(made | shared, DETAILS, count),
            tuple(self.findings),
        )
        self.__init__()  # type: ignore[misc]
        return tables


def _columns(columns: dict[str, Any], schema: pa.Schema, count: int) -> pa.Table:
    """Columns by name as a table of exactly ``schema``; the others are null or constant."""
    arrays = []
    for column in schema:
        values = columns.get(column.name)
        if values is None:
            constant = _CONSTANT.get(column.name) if schema is ENTRIES else None
            values = [constant] * count if constant else pa.nulls(count, column.type)
        arrays.append(
            values
            if isinstance(values, pa.Array | pa.ChunkedArray)
            else pa.array(values, type=column.type)
        )
    return pa.Table.from_arrays(arrays, schema=schema)
