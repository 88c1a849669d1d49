"""A file's batches, put into order: statements with their balances, then the entries.

Readers give statements when they are complete, which is behind their entries, and some give entries
of several statements in turn. All of it waits on shelves, so that memory does not grow with a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.arrays import blank, listed, whole
from tieout.canonical import BALANCES, STATEMENTS, Tables, concat, empty
from tieout.shelf import Shelf

__all__ = ["Spool"]

#: The stubs know too few of its signatures.
pc: Any = pyarrow.compute

#: Statements given at once, and entries where they must be put into order.
_HEADS: Final = 2_000
_ENTRIES: Final = 12_000

Ids = npt.NDArray[Any]


class Spool:
    """A file's batches, taken once and given back in order."""

    def __init__(self) -> None:
        self._heads, self._rest = Shelf(), Shelf()
        self._last = dict.fromkeys(("statements", "balances", "entries"), 0)
        self._disordered: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._heads.close()
        self._rest.close()

    def add(self, batch: Tables) -> None:
        """Take one batch."""
        for name in self._last:
            rows = getattr(batch, name)
            if rows.num_rows and name not in self._disordered:
                self._follow(name, _numbers(rows))
        nothing = empty()
        if batch.statements.num_rows or batch.balances.num_rows:
            rest = nothing.entries, nothing.details
            self._heads.put(Tables(batch.statements, batch.balances, *rest))
            batch = replace(batch, statements=nothing.statements, balances=nothing.balances)
        self._rest.put(batch)

    def _follow(self, name: str, numbers: Ids | None) -> None:
        """Note whether rows are in the order of the numbers of their statements."""
        if numbers is None or numbers[0] < self._last[name] or (np.diff(numbers) < 0).any():
            self._disordered.add(name)
        else:
            self._last[name] = int(numbers[-1])

    def heads(self) -> Iterator[Tables]:
        """Statements in the order they were read, each in one batch with its balances."""
        statements, balances = self._heads.each("statements"), self._heads.each("balances")
        if self._disordered & {"statements", "balances"}:
            yield _heads(_joined(list(statements), STATEMENTS), _joined(list(balances), BALANCES))
            return
        waiting = next(balances, None)
        for rows in statements:
            for start in range(0, rows.num_rows, _HEADS):
                part = rows.slice(start, _HEADS)
                last = int(part["statement_id"][-1].as_py())
                own: list[pa.Table] = []
                while waiting is not None:
                    count = int(np.searchsorted(_known(waiting), last, "right"))
                    own.append(waiting.slice(0, count))
                    if count < waiting.num_rows:
                        waiting = waiting.slice(count)
                        break
                    waiting = next(balances, None)
                yield _heads(part, _joined(own, BALANCES))
        if waiting is not None:  # they belong to nothing, which whoever names them will say
            yield _heads(blank(STATEMENTS), waiting)

    def batches(self) -> Iterator[Tables]:
        """Entries with their details, by statement, and all that is not a statement's."""
        if "entries" not in self._disordered and "statements" not in self._disordered:
            yield from self._rest
        elif "statements" in self._disordered or any(
            _numbers(rows) is None for rows in self._rest.each("entries")
        ):
            order = whole(_joined(list(self._heads.each("statements")), STATEMENTS)["statement_id"])
            yield _by_statement(concat(self._rest), order)
        else:
            yield from self._ordered()

    def _ordered(self) -> Iterator[Tables]:
        """Pass by pass the entries of some statements: as many as fit, or one however large."""
        nothing, counts = empty(), np.zeros(0, dtype=np.int64)
        for batch in self._rest:
            yield replace(batch, entries=nothing.entries, details=nothing.details)
            if batch.entries.num_rows:
                more = np.bincount(_known(batch.entries))
                size = max(len(counts), len(more))
                counts = np.pad(counts, (0, size - len(counts)))
                counts += np.pad(more, (0, size - len(more)))
        for first, stop in _passes(counts):
            parts = self._between(first, stop)
            if stop - first == 1:
                yield from parts
            else:
                order = listed([str(number) for number in range(first, stop)])
                yield _by_statement(concat(parts), order)

    def _between(self, first: int, stop: int) -> Iterator[Tables]:
        """The rows of some statements, as they stand; a detail may come a batch behind."""
        before = listed([])
        for batch in self._rest:
            numbers = _known(batch.entries)
            chosen = np.flatnonzero((numbers >= first) & (numbers < stop))
            entries = batch.entries.take(listed(chosen.tolist(), pa.int64()))
            known = pa.concat_arrays([before, whole(entries["entry_id"])])
            details = batch.details.filter(pc.is_in(batch.details["entry_id"], value_set=known))
            before = known[-1:]
            if entries.num_rows or details.num_rows:
                yield replace(empty(), entries=entries, details=details)


def _passes(counts: Ids) -> Iterator[tuple[int, int]]:
    """Ranges of statement numbers that have together at most `_ENTRIES` entries, or are one."""
    first, held = 0, 0
    for number, count in enumerate(counts.tolist()):
        if held and held + count > _ENTRIES:
            yield first, number
            first, held = number, 0
        held += count
    if held:
        yield first, len(counts)


def _numbers(rows: pa.Table) -> Ids | None:
    """The local ids of the rows' statements as numbers; None where one is none."""
    try:
        return _known(rows)
    except pa.ArrowInvalid:
        return None


def _known(rows: pa.Table) -> Ids:
    """The same, where all of them are numbers.

    Raises:
        pa.ArrowInvalid: one is none.
    """
    numbers = whole(rows["statement_id"].cast(pa.int64()))
    if numbers.null_count:
        raise pa.ArrowInvalid("a row without a statement")
    if not len(numbers):
        return np.empty(0, np.int64)
    # Off the buffer: `to_numpy` would import pandas, 60 MB, for one array.
    known: Ids = np.frombuffer(numbers.buffers()[1], np.int64)
    return known[numbers.offset : numbers.offset + len(numbers)]


def _by_statement(tables: Tables, order: pa.Array[Any]) -> Tables:
    """The rows in the order of the statements, each with its own in the order of the file."""
    place = pc.index_in(tables.entries["statement_id"], value_set=order)
    entries = tables.entries.take(pc.sort_indices(pa.table({"at": place}), [("at", "ascending")]))
    owner = pc.index_in(tables.details["entry_id"], value_set=whole(entries["entry_id"]))
    details = tables.details.take(pc.sort_indices(pa.table({"at": owner}), [("at", "ascending")]))
    return replace(tables, entries=entries, details=details)


def _heads(statements: pa.Table, balances: pa.Table) -> Tables:
    rest = empty()
    return Tables(statements, balances, rest.entries, rest.details)


def _joined(tables: list[pa.Table], schema: pa.Schema) -> pa.Table:
    return pa.concat_tables(tables) if tables else blank(schema)
