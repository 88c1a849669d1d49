"""Which text of a chunk belongs to which entry, detail and column."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from parsers import _camt_places as places
from parsers import _camt_steps as does
from parsers._camt_steps import Meanings
from parsers._markup import Markup, Scan

__all__ = ["Layout", "Rows"]

Array = npt.NDArray[Any]

_DETAIL: Final = ("NtryDtls", "TxDtls")
_OWN: Final = (1 << does.COUNT) - 1
_IS_DETAIL: Final = np.zeros(256, dtype=bool)
_IS_DETAIL[[n for path, n in places.NUMBER.items() if path[:2] == _DETAIL]] = True


@dataclass(slots=True)
class Rows:
    """The entries and details of a chunk, and the leaves of each column.

    Attributes:
        scan: the chunk.
        entry, entry_end: numbers of the tags that start and end each entry.
        entry_at, entry_stop: where each entry begins and ends.
        groups: number of NtryDtls of each entry.
        batch_at: where each entry's Btch begins, -1 where it has none.
        detail_at: where each detail begins.
        parent: each detail's entry.
        returned: whether each detail has a RtrInf.
        odd: whether the strict reader must read an entry.
        bounds: where each column's leaves begin (and the last ends).
        rows: each leaf's entry or detail.
        run: the run of markup behind which each leaf's text stands.
        start, end: where it stands.
        code: number of the currency of each leaf that is an amount.
    """

    scan: Scan
    entry: Array
    entry_end: Array
    entry_at: Array
    entry_stop: Array
    groups: Array
    batch_at: Array
    detail_at: Array
    parent: Array
    returned: Array
    odd: Array
    bounds: list[int]
    rows: Array
    run: Array
    start: Array
    end: Array
    code: Array

    def column(self, number: int) -> slice:
        """The leaves of a column."""
        return slice(self.bounds[number], self.bounds[number + 1])

    def block(self, numbers: range) -> slice:
        """The leaves of columns that follow one another."""
        return slice(self.bounds[numbers.start], self.bounds[numbers.stop])

    def holding(self, at: Array) -> Array:
        """Which of the leaves hold at least one of the places."""
        found = np.zeros(len(self.scan.stop), dtype=bool)
        found[np.searchsorted(self.scan.stop, at, side="right") - 1] = True
        return found.take(self.run)


class Layout:
    """Where the rows and columns of a file's chunks are; learns its steps on the way.

    Attributes:
        statements: finds the tags around the statements of a chunk.
    """

    def __init__(self, markup: Markup) -> None:
        self._means = Meanings(markup)
        self.statements = self._means.statements

    def rows(self, scan: Scan) -> Rows:
        """The rows of a chunk.

        Raises:
            UnsureError: an element stands where the strict reader gives it another meaning.
        """
        step = scan.step
        self._means.grow()
        done = self._means.does.take(step)

        def those(bit: int) -> Array:
            return np.flatnonzero(done & np.uint16(bit))

        entries, details, ended = those(does.ENTRY), those(does.IN), those(does.ENDED)
        entry_of = np.cumsum(done & np.uint16(does.ENTRY), dtype=np.int32) - np.int32(1)
        detail_of = np.cumsum(done & np.uint16(does.IN) != 0, dtype=np.int32) - np.int32(1)
        size = len(entries)
        odd = np.zeros(size + 1, dtype=bool)  # the last is for what is in no entry
        irregular = those(does.ODD | does.MIXED)
        odd[entry_of[irregular]] = True
        mixed = those(does.MIXED)
        odd[np.maximum(entry_of[mixed] - 1, -1)] = True
        grouped = entry_of[those(does.GROUP)]
        groups = np.bincount(grouped[grouped >= 0], minlength=size)
        batch_at = np.full(size + 1, -1, dtype=np.int64)
        batches = those(does.BATCH)
        batch_at[entry_of[batches]] = scan.start[batches] + self._means.batch[step[batches]]
        returned = np.zeros(len(details) + 1, dtype=bool)
        returned[detail_of[those(does.RETURN)]] = True
        parent = entry_of[details]
        odd[parent[_repeated(self._means.singles.take(step), details)]] = True
        odd[np.flatnonzero(_repeated(self._means.own.take(step), entries))] = True
        entry, ends = self._means.entry[step[entries]], self._means.ended[step[ended]]
        leaves = self._leaves(scan, done, entry_of, detail_of, odd)
        odd[:size] |= (batch_at[:size] >= 0) & (groups > 1)
        return Rows(
            scan, scan.ordinal[entries] + entry[:, 0], scan.ordinal[ended] + ends[:, 0],
            scan.start[entries] + entry[:, 1], scan.start[ended] + ends[:, 1],
            groups, batch_at[:size], scan.start[details] + self._means.detail[step[details]],
            parent, returned[:-1], odd[:size], *leaves,
        )  # fmt: skip

    def _leaves(
        self, scan: Scan, done: Array, entry_of: Array, detail_of: Array, odd: Array
    ) -> tuple[list[int], Array, Array, Array, Array, Array]:
        """Leaves by column: bounds, rows, runs, where their texts stand, and currencies."""
        column = self._means.column.take(scan.step)
        run = np.flatnonzero(column)
        column, place, code = column.take(run), None, None
        hollow = np.flatnonzero(done & np.uint16(does.HOLLOW))
        if len(hollow):
            run, column, place, code = self._with_hollows(scan, hollow, run, column)
        order = np.argsort(column, kind="stable")
        column, run = column.take(order), run.take(order)
        bounds = np.searchsorted(column, np.arange(len(places.NUMBER) + 4)).tolist()
        start, end = scan.stop.take(run), scan.start.take(run + 1)
        amounts = slice(bounds[places.AMOUNTS.start], bounds[places.AMOUNTS.stop])
        if place is None or code is None:
            code = self._means.code[scan.step[run[amounts]]]
        else:
            place, code = place.take(order), code.take(order)[amounts]
            start, end = np.where(place < 0, start, place), np.where(place < 0, end, place)
        row = np.where(_IS_DETAIL.take(column), detail_of.take(run), entry_of.take(run))
        again = np.flatnonzero((column[1:] == column[:-1]) & (row[1:] == row[:-1]))
        again = again[(column[again] < places.MANY.start) | (column[again] >= places.MANY.stop)]
        odd[entry_of[run[again]]] = True
        odd[entry_of[run[: bounds[places.ODD + 1]]]] = True
        many = slice(bounds[places.MANY.start], bounds[places.MANY.stop])
        self._mark_disordered(start[many], column[many], row[many], run[many], entry_of, odd)
        return bounds, row, run, start, end, code

    def _with_hollows(
        self, scan: Scan, hollow: Array, run: Array, column: Array
    ) -> tuple[Array, Array, Array, Array]:
        """Leaves with those without text, in the order of the document.

        Returns:
            runs, columns, places of those without text (else -1) and currencies.
        """
        found = (
            (number, column_no, begin + offset, code)
            for number, begin, step in zip(
                hollow.tolist(), scan.start[hollow].tolist(), scan.step[hollow].tolist(),
                strict=True,
            )
            for column_no, offset, code in self._means.each[step].hollow
        )  # fmt: skip
        more = np.fromiter(chain.from_iterable(found), dtype=np.int64).reshape(-1, 4).T
        place = np.concatenate((np.full(len(run), -1), more[2]))
        at = np.where(place < 0, np.concatenate((scan.stop[run], more[2])), place)
        order = np.argsort(at, kind="stable")
        code = np.concatenate((self._means.code[scan.step[run]], more[3].astype(np.int16)))
        run = np.concatenate((run, more[0]))
        column = np.concatenate((column, more[1].astype(np.uint8)))
        return run[order], column[order], place[order], code[order]

    def _mark_disordered(
        self, at: Array, column: Array, row: Array, run: Array, entry_of: Array, odd: Array
    ) -> None:
        """The parts of a narrative stand in the order in which the strict reader joins them."""
        if not len(column) or column[0] == column[-1]:
            return
        many = np.argsort(at, kind="stable")
        wrong = (row[many[1:]] == row[many[:-1]]) & (column[many[1:]] < column[many[:-1]])
        odd[entry_of[run[many[1:][wrong]]]] = True


def _repeated(singles: Array, first: Array) -> Array:
    """Which rows, that begin with these steps, have one of the elements a second time.

    The numbers of all its elements are added: only if all differ is none of their bits carried.
    """
    if not len(first):
        return np.zeros(0, dtype=bool)
    total = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(singles)))
    held = np.append(total[first[1:]], total[-1]) - total[first]
    found: Array = np.bitwise_count(held & _OWN) != held >> does.COUNT
    return found
