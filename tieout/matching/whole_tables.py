"""Prepared tables as they were given, each with the numbers made of it: for questions in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tieout.matching.tables import Prepared

__all__ = ["WholeTables", "whole_tables"]


@dataclass(frozen=True, slots=True)
class WholeTables:
    """All columns, and numbers beside them.

    ``entries``: eid, part, wild, amt, unit, bday; ``details``: eid, fanout, part, wild, unit, amt
    (its own, null where it does not fit), eamt (its entry's); ``items``: iid, part, amt, unit,
    tier, booked_on_no, due_on_no.
    """

    entries: pa.Table
    details: pa.Table
    items: pa.Table
    shared: bool
    absent: frozenset[str]


def whole_tables(prepared: Prepared) -> WholeTables:
    """Every column of prepared tables."""
    bank, books, lines = prepared.entries, prepared.items, prepared.details
    known, eid = lines.numbers["known"], lines.numbers["eid"]
    amount = pa.array(lines.numbers["amt"], mask=~known)
    of_entry = {name: bank.numbers[name][eid] for name in ("part", "wild", "unit")}
    more = {"eid": eid, "fanout": lines.numbers["fanout"], "amt": amount, **of_entry}
    more["eamt"] = bank.numbers["amt"][eid]
    items = {n: v for n, v in books.numbers.items() if n != "kind"}  # a column has that name
    return WholeTables(
        _with(bank.table(), {"eid": np.arange(len(bank)), **bank.numbers}),
        _with(lines.table(), more),
        _with(books.table(), {"iid": np.arange(len(books)), **items}),
        prepared.shared,
        prepared.absent,
    )


def _with(table: pa.Table, columns: dict[str, Any]) -> pa.Table:
    for name, values in columns.items():
        wide = values if isinstance(values, pa.Array) else pa.array(values.astype("int64"))
        table = table.append_column(name, wide)
    return table
