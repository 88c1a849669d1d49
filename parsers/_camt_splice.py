"""A chunk's tables: columns made at once, with the rows the strict reader made put in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from parsers._camt_batch import Batch
from parsers._camt_parts import Details
from parsers._leaf_values import decimals
from parsers._rows import Rows
from tieout.arrays import fixed, flags, listed, table, whole
from tieout.canonical import BALANCES, DETAILS, ENTRIES, STATEMENTS, Tables

if TYPE_CHECKING:
    from parsers._camt_fast import Part

__all__ = ["tables_of"]

Array = npt.NDArray[Any]
_NONE: Final = table([], STATEMENTS), table([], BALANCES)
_DOT: Final = listed(["."])[0]
Lines = Callable[[Any], Any]


def tables_of(
    batch: Batch, details: Details, parts: Sequence[Part], collected: Rows, lines: Lines
) -> Tables:
    """Everything of a chunk, in file order.

    Args:
        batch: its entries.
        details: their details.
        parts: its statements.
        collected: rows and findings of the strict reader.
        lines: from positions to lines.
    """
    entries = _entries(batch, details, parts, lines)
    rows = _details(batch, details, entries, lines)
    odd = np.flatnonzero(batch.odd)
    if len(odd):
        entries, rows = _spliced(details, entries, rows, collected, odd)
    return Tables(
        table(collected.statements, STATEMENTS) if collected.statements else _NONE[0],
        table(collected.balances, BALANCES) if collected.balances else _NONE[1],
        entries,
        rows,
        tuple(collected.findings),
    )


def _entries(batch: Batch, details: Details, parts: Sequence[Part], lines: Lines) -> pa.Table:
    size = batch.size
    statement, ordinal = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    for number, part in enumerate(parts):
        mine = part.entries
        statement[mine] = number
        ordinal[mine] = part.ordinal + np.arange(mine.stop - mine.start)
    index = fixed(statement, pa.int64())
    ids = listed([part.open.statement.id for part in parts]).take(index)
    known = [(part.open.statement.account or (None,))[0] for part in parts]
    at = batch.rows.entry_at
    columns = batch.entry_columns() | {
        "entry_id": _joined(ids, ordinal),
        "statement_id": ids,
        "ordinal": fixed(ordinal, pa.int64()),
        "line_no": fixed(lines(at), pa.int64()),
        "account_id": listed(known).take(index),
        "amount": decimals(batch.amount),
        "reversal": flags(np.zeros(size, dtype=bool)),
        "detail_count": fixed(details.count, pa.int64()),
    }
    return pa.Table.from_arrays([columns[f.name] for f in ENTRIES], schema=ENTRIES)


def _details(batch: Batch, details: Details, entries: pa.Table, lines: Lines) -> pa.Table:
    rows = batch.rows
    ordinal = np.arange(len(details.entry)) - details.first[details.entry] + 1
    alone = np.where(rows.batch_at >= 0, rows.batch_at, rows.entry_at)[details.entry]
    own = details.spread(rows.detail_at, -1)
    at = np.where(own < 0, alone, own)
    ids = whole(entries["entry_id"]).take(fixed(details.entry, pa.int64()))
    columns = details.columns() | {
        "detail_id": _joined(ids, ordinal),
        "entry_id": ids,
        "ordinal": fixed(ordinal, pa.int64()),
        "line_no": fixed(lines(at), pa.int64()),
    }
    return pa.Table.from_arrays([columns[f.name] for f in DETAILS], schema=DETAILS)


def _joined(left: pa.Array[Any], right: Array) -> pa.Array[Any]:
    joined: pa.Array[Any] = pc.binary_join_element_wise(
        left, pc.cast(fixed(right, pa.int64()), pa.string()), _DOT
    )
    return joined


def _spliced(
    details: Details, entries: pa.Table, rows: pa.Table, collected: Rows, odd: Array
) -> tuple[pa.Table, pa.Table]:
    """The strict reader's rows in the places of those made for the odd entries."""
    own_entries, own_rows = table(collected.entries, ENTRIES), table(collected.details, DETAILS)
    made = {row["entry_id"]: number for number, row in enumerate(collected.entries)}
    ids = whole(entries["entry_id"]).take(fixed(odd, pa.int64())).to_pylist()
    own = np.array([made.get(name, -1) for name in ids], dtype=np.int64)
    of_own = [collected.entries[at]["detail_count"] if at >= 0 else 0 for at in own.tolist()]
    place = np.arange(entries.num_rows)
    place[odd] = np.where(own < 0, -1, entries.num_rows + own)
    first, count = details.first.astype(np.int64), details.count.astype(np.int64)
    count[odd] = of_own
    first[odd] = rows.num_rows + np.cumsum(of_own) - of_own
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return (
        _picked(entries, own_entries, place[place >= 0]),
        _picked(rows, own_rows, np.repeat(first, count) + within),
    )


def _picked(rows: pa.Table, more: pa.Table, places: Array) -> pa.Table:
    """Rows of two tables, by their place in one behind the other."""
    both = pa.concat_tables([rows, more]).combine_chunks()
    return both.take(fixed(places, pa.int64())).combine_chunks()
