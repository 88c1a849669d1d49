"""What each step of a camt file's markup does to its statements, entries and details."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from parsers import _camt_places as places
from parsers._camt_places import Place
from parsers._markup import Markup, Scan
from parsers._steps import Event, Step
from parsers._tags import EMPTY, START, UnsureError

__all__ = [
    "BATCH", "COUNT", "ENDED", "ENTRY", "GROUP", "HOLLOW", "IN", "MIXED", "ODD", "RETURN",
    "STATEMENT", "Meaning", "Meanings",
]  # fmt: skip

Array = npt.NDArray[Any]

_DETAIL: Final = ("NtryDtls", "TxDtls")
#: What steps do, as bits: begin or end an entry; begin a detail, a group of them, its batch or the
#: return of a payment; hand the entry to the strict reader; do something to two rows or twice;
#: hold leaves without text; begin or end a statement.
ENTRY: Final = 1
ENDED: Final = 2
IN: Final = 4
GROUP: Final = 8
BATCH: Final = 16
RETURN: Final = 32
ODD: Final = 64
MIXED: Final = 128
HOLLOW: Final = 256
STATEMENT: Final = 512
_PATHS: Final = {
    _DETAIL: IN,
    ("NtryDtls",): GROUP,
    ("NtryDtls", "Btch"): BATCH,
    (*_DETAIL, "RtrInf"): RETURN,
}
#: From this bit on, elements that may stand in a row once are counted; below, each has its own.
COUNT: Final = 42
assert max(places.SINGLES.values()) < COUNT  # noqa: S101


@dataclass(slots=True)
class Meaning:
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


class Meanings:
    """What each step of a file means, also as arrays by step; grows with its `Markup`.

    Attributes:
        each: of each step.
        does, column, code, entry, ended, detail, batch, singles, own: as in `Meaning`.
    """

    def __init__(self, markup: Markup) -> None:
        self._steps = markup.steps
        self._locals = markup.runs.locals
        self.each: list[Meaning] = []
        self.grow()

    def grow(self) -> None:
        """Take in the steps that are new."""
        if len(self.each) == len(self._steps.steps) and self.each:
            return
        for step in self._steps.steps[len(self.each) :]:
            self.each.append(self._meaning(step))

        def told(name: str, kind: Any) -> Array:
            return np.array([getattr(m, name) for m in self.each], dtype=kind)

        self.does, self.column = told("does", np.uint16), told("column", np.uint8)
        self.code = told("code", np.int16)
        self.entry = told("entry", np.int64).reshape(-1, 2)
        self.ended = told("ended", np.int64).reshape(-1, 2)
        self.detail, self.batch = told("detail", np.int64), told("batch", np.int64)
        self.singles, self.own = told("singles", np.int64), told("own", np.int64)

    def _role(self, context: int) -> Place:
        role: Place = self._steps.contexts[context].role
        return role

    def _meaning(self, step: Step) -> Meaning:
        out = Meaning()
        for event in step.events:
            role = self._role(event.context)
            if event.kind == EMPTY:
                self._hollow(out, event, role)
            elif role.kind == "statement":
                out.does |= STATEMENT
            elif event.kind == START:
                self._started(out, event, role)
            elif role.kind == "entry":
                if out.does & (ENTRY | ENDED):
                    raise UnsureError("an entry without text")
                out.does |= ENDED
                out.ended = event.tag.index, event.tag.stop
        if step.leaf is not None:
            role, name = self._role(step.after), self._locals[step.leaf.name]
            out.column, out.code = places.column(role, name), step.leaf.code
        return out

    def _hollow(self, out: Meaning, event: Event, role: Place) -> None:
        column = places.column(role, self._locals[event.tag.name])
        if column:
            out.does |= HOLLOW
            out.hollow = (*out.hollow, (column, event.tag.stop, event.tag.code))

    def _started(self, out: Meaning, event: Event, role: Place) -> None:
        if role.kind == "message":
            raise UnsureError("a second message")
        if role.kind == "entry":
            if out.does & ENTRY:
                raise UnsureError("two entries without text")
            if out.does & ~(ENDED | STATEMENT) or out.own or out.singles:
                out.does |= MIXED
            out.does |= ENTRY
            out.entry = event.tag.index, event.tag.begin
        if role.kind != "inside":
            return
        bit = _PATHS.get(role.path, 0)
        if bit & out.does or (bit == IN and (out.singles or out.does & (HOLLOW | ODD))):
            out.does |= MIXED
        out.does |= bit | (ODD if role.odd else 0)
        if bit == IN:
            out.detail = event.tag.begin
        elif bit == BATCH:
            out.batch = event.tag.begin
        single = places.SINGLES.get(role.path)
        if single is None:
            return
        held = out.singles if role.in_detail else out.own
        if held & (1 << single):
            out.does |= MIXED
        if role.in_detail:
            out.singles = held + (1 << single) + (1 << COUNT)
        else:
            out.own = held + (1 << single) + (1 << COUNT)

    def statements(self, scan: Scan) -> list[tuple[int, bool, int, int]]:
        """Tags around a chunk's statements: number, whether it starts one, begin and stop."""
        self.grow()
        at = np.flatnonzero(self.does.take(scan.step) & np.uint16(STATEMENT))
        return [
            (number + e.tag.index, e.kind == START, begin + e.tag.begin, begin + e.tag.stop)
            for number, begin, step in zip(
                scan.ordinal[at].tolist(), scan.start[at].tolist(), scan.step[at].tolist(),
                strict=True,
            )
            for e in self._steps.steps[step].events
            if e.kind != EMPTY and self._role(e.context).kind == "statement"
        ]  # fmt: skip
