"""Which text of a chunk belongs to which entry, detail and column."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from parsers import _camt_places as places
from parsers._camt_places import Place
from parsers._markup import Markup, Scan
from parsers._steps import Event, Step
from parsers._tags import EMPTY, START, UnsureError

__all__ = ["Layout", "Rows"]

Array = npt.NDArray[Any]

_DETAIL: Final = ("NtryDtls", "TxDtls")
#: What steps do, as bits. A mixed one does something to two rows, or something twice.
_ENTRY, _ENDED, _IN, _GROUP, _BATCH, _RETURN, _ODD, _MIXED, _HOLLOW, _STATEMENT = (
    1 << bit for bit in range(10)
)
_PATHS: Final = {
    _DETAIL: _IN,
    ("NtryDtls",): _GROUP,
    ("NtryDtls", "Btch"): _BATCH,
    (*_DETAIL, "RtrInf"): _RETURN,
}
#: Above this bit, elements that may stand in a row once are counted; below, each has its own.
_COUNT: Final = 42
_OWN: Final = (1 << _COUNT) - 1
assert max(places.SINGLES.values()) < _COUNT  # noqa: S101
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


@dataclass(slots=True)
class _Meaning:
    """What one step does to rows.

    Attributes:
        does: bits.
        column, code: of the leaf at its end.
        entry, ended: tag and place of an entry's start and end.
        detail, batch: place of its start.
        singles, own: elements that may stand once, of a detail and of an entry.
        hollow: column, place and currency of each leaf without text.
    """

    does: int = 0
    column: int = 0
    code: int = 0
    entry: tuple[int, int] = (0, 0)
    ended: tuple[int, int] = (0, 0)
    detail: int = 0
    batch: int = 0
    singles: int = 0
    own: int = 0
    hollow: tuple[tuple[int, int, int], ...] = ()


class Layout:
    """What each step of a file is; grows with its `Markup`."""

    def __init__(self, markup: Markup) -> None:
        self._steps = markup.steps
        self._locals = markup.runs.locals
        self._meanings: list[_Meaning] = []
        self._grow()

    # Steps --------------------------------------------------------------------------------

    def _grow(self) -> None:
        for step in self._steps.steps[len(self._meanings) :]:
            self._meanings.append(self._meaning(step))

        def told(name: str, kind: Any) -> Array:
            return np.array([getattr(m, name) for m in self._meanings], dtype=kind)

        self._does, self._column = told("does", np.uint16), told("column", np.uint8)
        self._code = told("code", np.int16)
        self._entry = told("entry", np.int64).reshape(-1, 2)
        self._ended = told("ended", np.int64).reshape(-1, 2)
        self._detail, self._batch = told("detail", np.int64), told("batch", np.int64)
        self._singles, self._own = told("singles", np.int64), told("own", np.int64)

    def _role(self, context: int) -> Place:
        role: Place = self._steps.contexts[context].role
        return role

    def _meaning(self, step: Step) -> _Meaning:
        out = _Meaning()
        for event in step.events:
            role = self._role(event.context)
            if event.kind == EMPTY:
                self._hollow(out, event, role)
            elif role.kind == "statement":
                out.does |= _STATEMENT
            elif event.kind == START:
                self._started(out, event, role)
            elif role.kind == "entry":
                if out.does & (_ENTRY | _ENDED):
                    raise UnsureError("an entry without text")
                out.does |= _ENDED
                out.ended = event.tag.index, event.tag.stop
        if step.leaf is not None:
            role, name = self._role(step.after), self._locals[step.leaf.name]
            out.column, out.code = places.column(role, name), step.leaf.code
        return out

    def _hollow(self, out: _Meaning, event: Event, role: Place) -> None:
        column = places.column(role, self._locals[event.tag.name])
        if column:
            out.does |= _HOLLOW
            out.hollow = (*out.hollow, (column, event.tag.stop, event.tag.code))

    def _started(self, out: _Meaning, event: Event, role: Place) -> None:
        if role.kind == "message":
            raise UnsureError("a second message")
        if role.kind == "entry":
            if out.does & _ENTRY:
                raise UnsureError("two entries without text")
            if out.does & ~(_ENDED | _STATEMENT) or out.own or out.singles:
                out.does |= _MIXED
            out.does |= _ENTRY
            out.entry = event.tag.index, event.tag.begin
        if role.kind != "inside":
            return
        bit = _PATHS.get(role.path, 0)
        if bit & out.does or (bit == _IN and (out.singles or out.does & (_HOLLOW | _ODD))):
            out.does |= _MIXED
        out.does |= bit | (_ODD if role.odd else 0)
        if bit == _IN:
            out.detail = event.tag.begin
        elif bit == _BATCH:
            out.batch = event.tag.begin
        single = places.SINGLES.get(role.path)
        if single is None:
            return
        held = out.singles if role.in_detail else out.own
        if held & (1 << single):
            out.does |= _MIXED
        if role.in_detail:
            out.singles = held + (1 << single) + (1 << _COUNT)
        else:
            out.own = held + (1 << single) + (1 << _COUNT)

    def statements(self, scan: Scan) -> list[tuple[int, bool, int, int]]:
        """Tags around a chunk's statements: number, whether it starts one, begin and stop."""
        if len(self._steps.steps) != len(self._meanings):
            self._grow()
        at = np.flatnonzero(self._does.take(scan.step) & np.uint16(_STATEMENT))
        return [
            (number + e.tag.index, e.kind == START, begin + e.tag.begin, begin + e.tag.stop)
            for number, begin, step in zip(
                scan.ordinal[at].tolist(), scan.start[at].tolist(), scan.step[at].tolist(),
                strict=True,
            )
            for e in self._steps.steps[step].events
            if e.kind != EMPTY and self._role(e.context).kind == "statement"
        ]  # fmt: skip

    # Rows ---------------------------------------------------------------------------------

    def rows(self, scan: Scan) -> Rows:
        """The rows of a chunk.

        Raises:
            UnsureError: an element stands where the strict reader gives it another meaning.
        """
        step = scan.step
        if len(self._steps.steps) != len(self._meanings):
            self._grow()
        does = self._does.take(step)

        def those(bit: int) -> Array:
            return np.flatnonzero(does & np.uint16(bit))

        entries, details, ended = those(_ENTRY), those(_IN), those(_ENDED)
        entry_of = np.cumsum(does & np.uint16(_ENTRY), dtype=np.int32) - np.int32(1)
        detail_of = np.cumsum(does & np.uint16(_IN) != 0, dtype=np.int32) - np.int32(1)
        size = len(entries)
        odd = np.zeros(size + 1, dtype=bool)  # the last is for what is in no entry
        irregular = those(_ODD | _MIXED)
        odd[entry_of[irregular]] = True
        mixed = those(_MIXED)
        odd[np.maximum(entry_of[mixed] - 1, -1)] = True
        grouped = entry_of[those(_GROUP)]
        groups = np.bincount(grouped[grouped >= 0], minlength=size)
        batch_at = np.full(size + 1, -1, dtype=np.int64)
        batches = those(_BATCH)
        batch_at[entry_of[batches]] = scan.start[batches] + self._batch[step[batches]]
        returned = np.zeros(len(details) + 1, dtype=bool)
        returned[detail_of[those(_RETURN)]] = True
        parent = entry_of[details]
        odd[parent[_repeated(self._singles.take(step), details)]] = True
        odd[np.flatnonzero(_repeated(self._own.take(step), entries))] = True
        entry, ends = self._entry[step[entries]], self._ended[step[ended]]
        leaves = self._leaves(scan, does, entry_of, detail_of, odd)
        odd[:size] |= (batch_at[:size] >= 0) & (groups > 1)
        return Rows(
            scan, scan.ordinal[entries] + entry[:, 0], scan.ordinal[ended] + ends[:, 0],
            scan.start[entries] + entry[:, 1], scan.start[ended] + ends[:, 1],
            groups, batch_at[:size], scan.start[details] + self._detail[step[details]],
            parent, returned[:-1], odd[:size], *leaves,
        )  # fmt: skip

    def _leaves(
        self, scan: Scan, does: Array, entry_of: Array, detail_of: Array, odd: Array
    ) -> tuple[list[int], Array, Array, Array, Array, Array]:
        """Leaves by column: bounds, rows, runs, where their texts stand, and currencies."""
        column = self._column.take(scan.step)
        run = np.flatnonzero(column)
        column = column.take(run)
        hollow = np.flatnonzero(does & np.uint16(_HOLLOW))
        start = codes = None
        if len(hollow):
            more = self._hollows(scan, hollow)
            column = np.concatenate((column, more[0].astype(np.uint8)))
            start = np.concatenate((scan.stop[run], more[1]))
            codes = np.concatenate((self._code[scan.step[run]], more[2].astype(np.int16)))
            run = np.concatenate((run, more[3]))
            place = np.argsort(start, kind="stable")
            order = place[np.argsort(column[place], kind="stable")]
        else:
            order = np.argsort(column, kind="stable")
        column, run = column.take(order), run.take(order)
        bounds = np.searchsorted(column, np.arange(len(places.NUMBER) + 4)).tolist()
        end = scan.start.take(run + 1)
        if start is None or codes is None:
            start = scan.stop.take(run)
            part = slice(bounds[places.AMOUNTS.start], bounds[places.AMOUNTS.stop])
            codes = self._code[scan.step[run[part]]]
        else:
            first = len(order) - len(more[0])
            start, codes = start.take(order), codes.take(order)
            end = np.where(order >= first, start, end)
            codes = codes[bounds[places.AMOUNTS.start] : bounds[places.AMOUNTS.stop]]
        row = np.where(_IS_DETAIL.take(column), detail_of.take(run), entry_of.take(run))
        again = np.flatnonzero((column[1:] == column[:-1]) & (row[1:] == row[:-1]))
        again = again[(column[again] < places.MANY.start) | (column[again] >= places.MANY.stop)]
        odd[entry_of[run[again]]] = True
        odd[entry_of[run[: bounds[places.ODD + 1]]]] = True
        many = slice(bounds[places.MANY.start], bounds[places.MANY.stop])
        self._mark_disordered(start[many], column[many], row[many], run[many], entry_of, odd)
        return bounds, row, run, start, end, codes

    def _hollows(self, scan: Scan, at: Array) -> Array:
        """Columns, places, currencies and runs of leaves without text."""
        found = (
            (column, begin + offset, code, run)
            for run, begin, step in zip(
                at.tolist(), scan.start[at].tolist(), scan.step[at].tolist(), strict=True
            )
            for column, offset, code in self._meanings[step].hollow
        )
        flat = np.fromiter(chain.from_iterable(found), dtype=np.int64)
        return flat.reshape(-1, 4).T

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
    found: Array = np.bitwise_count(held & _OWN) != held >> _COUNT
    return found
