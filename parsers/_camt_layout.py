"""Which leaf of a chunk belongs to which entry, detail and column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from parsers import _camt_places as places
from parsers._markup import Markup, Scan
from parsers._tags import UnsureError

__all__ = ["Layout", "Rows"]

Array = npt.NDArray[Any]

_SIZE: Final = (1_024, 640)  # contexts and names, more than `Markup` takes
_MESSAGE, _ENTRY, _SINGLE, _ODD, _GROUP, _HAS_BATCH, _IS_DETAIL, _RETURNS = range(8)
_DETAIL: Final = ("NtryDtls", "TxDtls")
_BATCH: Final = ("NtryDtls", "Btch")
_RETURN: Final = (*_DETAIL, "RtrInf")


@dataclass(slots=True)
class Rows:
    """The entries and details of a chunk, and the leaves of each column.

    Attributes:
        scan: the chunk.
        entry, entry_end: tag numbers of each entry's start and end.
        groups: number of NtryDtls of each entry.
        batch: tag number of each entry's Btch, -1 where it has none.
        detail: tag number of each detail's start.
        parent: each detail's entry.
        returned: whether each detail has a RtrInf.
        odd: whether the strict reader must read an entry.
        bounds: where each column's leaves begin (and the last ends).
        rows: each leaf's entry or detail.
        start, end: where each leaf's text stands.
        tag: number of each leaf's start tag.
        order: each leaf's place among them in the order of the document.
    """

    scan: Scan
    entry: Array
    entry_end: Array
    groups: Array
    batch: Array
    detail: Array
    parent: Array
    returned: Array
    odd: Array
    bounds: Array
    rows: Array
    start: Array
    end: Array
    tag: Array
    order: Array

    def column(self, number: int) -> slice:
        """The leaves of a column."""
        return slice(int(self.bounds[number]), int(self.bounds[number + 1]))

    def block(self, numbers: range) -> slice:
        """The leaves of columns that follow one another."""
        return slice(int(self.bounds[numbers.start]), int(self.bounds[numbers.stop]))


def _counted(at: Array, size: int) -> Array:
    """For each of ``size`` tags, the number of the last of these at or before it; -1 before all."""
    out = np.zeros(size, dtype=np.int32)
    out[at] = 1
    found: Array = np.cumsum(out, dtype=np.int32) - 1
    return found


class Layout:
    """What each context of a file is; grows with its `Markup`."""

    def __init__(self, markup: Markup) -> None:
        self._markup = markup
        self._columns = np.full(_SIZE, -1, dtype=np.int16)
        self._refresh()

    def _refresh(self) -> None:
        found = [context.role for context in self._markup.contexts]
        self._known = len(found)

        def flags(test: Any) -> Array:
            return np.array([test(each) for each in found], dtype=bool)

        self.statement = flags(lambda p: p.kind == "statement")
        self._in_detail = flags(lambda p: p.in_detail)
        tests = (
            (_MESSAGE, lambda p: p.kind == "message"),
            (_ENTRY, lambda p: p.kind == "entry"),
            (_SINGLE, lambda p: p.single),
            (_ODD, lambda p: p.odd),
            (_GROUP, lambda p: p.path == ("NtryDtls",)),
            (_HAS_BATCH, lambda p: p.path == _BATCH),
            (_IS_DETAIL, lambda p: p.path == _DETAIL),
            (_RETURNS, lambda p: p.path == _RETURN),
        )
        self._bits: Array = np.zeros(len(found), dtype=np.uint8)
        for bit, test in tests:
            self._bits |= flags(test).astype(np.uint8) << bit

    def rows(self, scan: Scan, before: int) -> Rows:
        """The rows of a chunk that starts in the context.

        Raises:
            UnsureError: an element stands where the strict reader gives it another meaning.
        """
        if len(self._markup.contexts) != self._known:
            self._refresh()
        context = scan.context
        start = np.flatnonzero(scan.is_start)
        bits = self._bits[context[start]]

        def those(bit: int) -> Array:
            return start[np.flatnonzero(bits & (1 << bit))]

        if len(those(_MESSAGE)):
            raise UnsureError("a second message")
        entries, details = those(_ENTRY), those(_IS_DETAIL)
        entry_of, detail_of = _counted(entries, len(context)), _counted(details, len(context))
        inner = scan.inner
        odd = np.zeros(len(entries), dtype=bool)
        odd[entry_of[those(_ODD)]] = True
        groups = np.bincount(entry_of[those(_GROUP)], minlength=len(entries))
        batches = those(_HAS_BATCH)
        batch = np.full(len(entries), -1, dtype=np.int64)
        batch[entry_of[batches]] = inner[batches]
        odd |= (batch >= 0) & (groups > 1)
        returned = np.zeros(len(details), dtype=bool)
        returned[detail_of[those(_RETURNS)]] = True
        singles = those(_SINGLE)
        self._mark_repeated(context[singles], singles, entry_of, detail_of, odd)
        ended = np.flatnonzero(~scan.is_start & (self._bits[context] & (1 << _ENTRY) != 0))
        bounds, leaf, rows, place = self._leaves(scan, before, entry_of, detail_of, odd)
        return Rows(
            scan, inner[entries], inner[ended],
            groups, batch, inner[details], entry_of[details], returned, odd,
            bounds, rows, scan.leaf_start[leaf], scan.leaf_end[leaf], scan.tag[scan.leaf[leaf]],
            place,
        )  # fmt: skip

    def _mark_repeated(
        self, context: Array, at: Array, entry_of: Array, detail_of: Array, odd: Array
    ) -> None:
        """An element of which the strict reader takes the first only, and there are two."""
        order = np.argsort(context, kind="stable")
        context, at = context[order], at[order]
        row = np.where(self._in_detail[context], detail_of[at], entry_of[at])
        again = (context[1:] == context[:-1]) & (row[1:] == row[:-1])
        odd[entry_of[at[1:][again]]] = True

    def _leaves(
        self, scan: Scan, before: int, entry_of: Array, detail_of: Array, odd: Array
    ) -> tuple[Array, Array, Array, Array]:
        """Leaves by column: where each column begins, the leaves, their rows and places."""
        within = np.append(scan.within, before)[scan.owner]  # owner -1 is the context before
        place = within.astype(np.int32) * _SIZE[1] + scan.leaf_name
        column = self._columns.ravel().take(place)
        while column.min(initial=0) < 0:
            self._learn(np.unique(place[column < 0]))
            column = self._columns.ravel().take(place)
        used = np.flatnonzero(column)
        column = column[used].astype(np.uint8)
        order = np.argsort(column, kind="stable")
        leaf, column = used[order], column[order]
        bounds = np.searchsorted(column, np.arange(len(places.NUMBER) + 4))
        owner = scan.owner[leaf]
        entry = entry_of[owner]
        row = np.where(self._in_detail[within[leaf]], detail_of[owner], entry)
        again = np.flatnonzero((column[1:] == column[:-1]) & (row[1:] == row[:-1]))
        again = again[(column[again] < places.MANY.start) | (column[again] >= places.MANY.stop)]
        odd[entry[again]] = True
        odd[entry[: bounds[places.ODD + 1]]] = True
        self._mark_disordered(leaf, column, row, entry, odd)
        return bounds, leaf, row, order

    def _mark_disordered(
        self, leaf: Array, column: Array, row: Array, entry: Array, odd: Array
    ) -> None:
        """The parts of a narrative stand in the order in which the strict reader joins them."""
        many = np.flatnonzero((column >= places.MANY.start) & (column < places.MANY.stop))
        if not len(many) or column[many[0]] == column[many[-1]]:
            return
        many = many[np.argsort(leaf[many], kind="stable")]
        wrong = (row[many[1:]] == row[many[:-1]]) & (column[many[1:]] < column[many[:-1]])
        odd[entry[many[1:][wrong]]] = True

    def _learn(self, unknown: Array) -> None:
        for place in unknown.tolist():
            context, name = divmod(place, _SIZE[1])
            role = self._markup.contexts[context].role
            self._columns[context, name] = places.column(role, self._markup.locals[name])
