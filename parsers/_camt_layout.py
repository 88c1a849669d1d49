"""Which leaf of a chunk belongs to which entry, detail and column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from parsers import _camt_places as places
from parsers._markup import Markup, Scan, UnsureError

__all__ = ["Layout", "Rows"]

Array = npt.NDArray[Any]

_SIZE: Final = (1_024, 640)  # contexts and names, more than `Markup` takes
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

        self.message = flags(lambda p: p.kind == "message")
        self.statement = flags(lambda p: p.kind == "statement")
        self.entry = flags(lambda p: p.kind == "entry")
        self._single = flags(lambda p: p.single)
        self._odd = flags(lambda p: p.odd)
        self._in_detail = flags(lambda p: p.in_detail)
        self._group = flags(lambda p: p.path == ("NtryDtls",))
        self._batch = flags(lambda p: p.path == _BATCH)
        self._detail = flags(lambda p: p.path == _DETAIL)
        self._return = flags(lambda p: p.path == _RETURN)

    def rows(self, scan: Scan, before: int) -> Rows:
        """The rows of a chunk that starts in the context.

        Raises:
            UnsureError: an element stands where the strict reader gives it another meaning.
        """
        if len(self._markup.contexts) != self._known:
            self._refresh()
        context, start = scan.context, scan.is_start
        if (start & self.message[context]).any():
            raise UnsureError("a second message")
        begins = start & self.entry[context]
        opened = start & self._detail[context]
        entry_of, detail_of = np.cumsum(begins) - 1, np.cumsum(opened) - 1
        entries, details = np.flatnonzero(begins), np.flatnonzero(opened)
        inner = scan.inner
        odd = np.zeros(len(entries), dtype=bool)
        odd[entry_of[start & self._odd[context]]] = True
        groups = np.bincount(entry_of[start & self._group[context]], minlength=len(entries))
        batches = np.flatnonzero(start & self._batch[context])
        batch = np.full(len(entries), -1, dtype=np.int64)
        batch[entry_of[batches]] = inner[batches]
        odd |= (batch >= 0) & (groups > 1)
        returned = np.zeros(len(details), dtype=bool)
        returned[detail_of[start & self._return[context]]] = True
        singles = np.flatnonzero(start & self._single[context])
        self._mark_repeated(context[singles], singles, entry_of, detail_of, odd)
        bounds, leaf, rows, place = self._leaves(scan, before, entry_of, detail_of, odd)
        return Rows(
            scan, inner[entries], inner[np.flatnonzero(~start & self.entry[context])],
            groups, batch, inner[details], entry_of[details], returned, odd,
            bounds, rows, scan.leaf_start[leaf], scan.leaf_end[leaf], scan.tag[scan.leaf[leaf]], place,
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
        column = self._columns[within, scan.leaf_name]
        while (column < 0).any():
            self._learn(within, scan.leaf_name, column)
            column = self._columns[within, scan.leaf_name]
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

    def _learn(self, within: Array, name: Array, column: Array) -> None:
        unknown = np.flatnonzero(column < 0)
        pairs = np.unique(np.stack((within[unknown], name[unknown])), axis=1)
        for context, number in pairs.T.tolist():
            role = self._markup.contexts[context].role
            self._columns[context, number] = places.column(role, self._markup.locals[number])
