"""Rows of tables as dictionaries, some at a time, each with the rows that belong to it.

A batch has few megabytes as a table and a hundred as dictionaries. Instants become ``datetime`` in
UTC here: pyarrow would import pandas for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pyarrow as pa

__all__ = ["grouped", "next_of", "owned", "rows"]

#: Rows that are dictionaries at the same time.
_AT_ONCE: Final = 1_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Row = dict[str, Any]


def rows(table: pa.Table) -> Iterator[Row]:
    """The rows in order."""
    names = table.column_names
    for start in range(0, table.num_rows, _AT_ONCE):
        part = table.slice(start, _AT_ONCE)
        for values in zip(*map(_values, part.columns), strict=True):
            yield dict(zip(names, values, strict=True))


def owned(owners: pa.Table, belongings: pa.Table, key: str) -> Iterator[tuple[Row, list[Row]]]:
    """Each owner with what is its own (of ascending ``ordinal``), in the owners' order.

    Args:
        owners: rows with an id; one that is there twice has the first of two lists first.
        belongings: rows with an ``ordinal`` and their owner's id, usually in the owners' order.
        key: the column of the id in both.
    """
    own_key, ordinal = belongings[key].to_pylist(), belongings["ordinal"].to_pylist()
    ends = _ends(owners[key].to_pylist(), own_key, ordinal)
    if ends is None:
        groups = grouped(belongings, key)
        yield from ((row, next_of(groups, row[key])) for row in rows(owners))
        return
    for start in range(0, owners.num_rows, _AT_ONCE):
        part = owners.slice(start, _AT_ONCE)
        first, stop = ends[start], ends[start + part.num_rows]
        own = rows(belongings.slice(first, stop - first))
        for at, row in enumerate(rows(part), start):
            yield row, [next(own) for _ in range(ends[at + 1] - ends[at])]


def _ends(owners: Sequence[Any], own: Sequence[Any], ordinals: Sequence[Any]) -> list[int] | None:
    """Where the first owner's rows begin and each one's end; None where the order is another."""
    at, ends = 0, [0]
    for owner in owners:
        last = 0
        while at < len(own) and own[at] == owner and ordinals[at] > last:
            last, at = ordinals[at], at + 1
        ends.append(at)
    return ends if at == len(own) else None


def grouped(table: pa.Table, key: str) -> dict[str, list[list[Row]]]:
    """Rows by owner; an owner that the file holds twice has two lists (ordinals begin again)."""
    groups: dict[str, list[list[Row]]] = {}
    for row in rows(table):
        mine = groups.setdefault(row[key], [])
        if not mine or row["ordinal"] <= mine[-1][-1]["ordinal"]:
            mine.append([])
        mine[-1].append(row)
    return groups


def next_of(groups: dict[str, list[list[Row]]], key: str) -> list[Row]:
    """The next list of an owner."""
    mine = groups.get(key)
    return mine.pop(0) if mine else []


def _values(column: Any) -> list[Any]:
    if not pa.types.is_timestamp(column.type):
        return list(column.to_pylist())
    return [
        None if number is None else _EPOCH + timedelta(microseconds=number)
        for number in column.cast(pa.int64()).to_pylist()
    ]
