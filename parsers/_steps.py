"""Nesting: the context each run of markup leads to, guessed for all at once and then proven.

A step is a run of markup in a context: it leads to one context, whatever stands elsewhere. Contexts
are guessed by a running sum of numbers that stand for open elements; then each run must lead, as
one of the steps that were walked tag by tag, from the context before it to the one behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from parsers._runs import Runs
from parsers._tags import EMPTY, END, NAMES_MAX, START, Array, Tag, UnsureError, differ, distinct

__all__ = ["Context", "Event", "Step", "Steps"]

_CONTEXTS_MAX: Final = 1_000
_DEPTH_MAX: Final = 60
_LEVELS: Final = 64
_PAIRS_MAX: Final = 8_000_000  # of a context and a run
_STEPS_MAX: Final = 30_000
_WALK: Final = 20_000
_U64 = np.uint64
_GOLDEN: Final = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class Context:
    """An open element: its parent's number, its name, and what the format makes of it."""

    parent: int
    name: int
    role: Any


@dataclass(frozen=True, slots=True)
class Event:
    """What one tag of a step does.

    Attributes:
        kind: `START` or `END` of an element with children, `EMPTY` for one without text.
        context: what is started or ended; of an empty element, what it stands in.
        tag: the tag.
    """

    kind: int
    context: int
    tag: Tag


@dataclass(frozen=True, slots=True)
class Step:
    """A run of markup in a context.

    Attributes:
        after: the context it leads to.
        events: what its tags do, but for those of the leaves at its begin and end.
        leaf: the tag that starts the leaf at its end, whose text follows; or None.
    """

    after: int
    events: tuple[Event, ...]
    leaf: Tag | None


class Steps:
    """Contexts and steps seen so far; grows while the file is read.

    Attributes:
        contexts: by number; 0 is outside the document.
        steps: by number.
    """

    def __init__(
        self,
        runs: Runs,
        role_of: Callable[[Any, str], Any],
        root: Any,
    ) -> None:
        self._runs = runs
        self._role_of = role_of
        self.contexts: list[Context] = [Context(-1, -1, root)]
        self.steps: list[Step] = []
        self._children: dict[tuple[int, int], int] = {}
        self._known: dict[tuple[int, int], int] = {}
        rng = np.random.default_rng(20022)
        self._random = rng.integers(1 << 62, size=(NAMES_MAX, _LEVELS), dtype=np.int64)
        self._sums = {0}
        self._sum_of, self._depth_of = [0], [0]
        self._told = np.zeros(0, dtype=bool)
        self._delta: Array = np.zeros(0, dtype=np.int32)
        self._effect: Array = np.zeros((0, _LEVELS), dtype=np.int64)
        self._rebuild()

    def enter(self, names: list[str]) -> int:
        """The context inside these open elements (qualified names from the root)."""
        context = 0
        for name in names:
            context = self._child(context, self._runs.name_id(name.encode()))
        self._rebuild()
        return context

    def _child(self, parent: int, name: int) -> int:
        known = self._children.get((parent, name))
        if known is not None:
            return known
        depth = self._depth_of[parent] + 1
        if depth > _DEPTH_MAX or len(self.contexts) >= _CONTEXTS_MAX:
            raise UnsureError("too deep or too varied")
        total = int(np.int64(self._sum_of[parent]) ^ self._random[name, depth])
        if total in self._sums:
            raise UnsureError("two contexts have one number")
        known = self._children[parent, name] = len(self.contexts)
        self._sums.add(total)
        role = self._role_of(self.contexts[parent].role, self._runs.locals[name])
        self.contexts.append(Context(parent, name, role))
        self._sum_of.append(total)
        self._depth_of.append(depth)
        return known

    # Steps one by one ---------------------------------------------------------------------

    def step(self, context: int, turn: int) -> int:
        """The number of a step; a turn is four times a run, 2 if a leaf ends and 1 if one starts.

        Raises:
            UnsureError: the run is not possible there.
        """
        known = self._known.get((context, turn))
        if known is None:
            known = len(self.steps)
            self.steps.append(self._walked(context, turn))
            self._known[context, turn] = known
        return known

    def _walked(self, context: int, turn: int) -> Step:
        run, closes, opens = turn >> 2, bool(turn & 2), bool(turn & 1)
        events: list[Event] = []
        for tag in self._runs.inner(run, closes, opens):
            if tag.kind == END:
                if not context or self.contexts[context].name != tag.name:
                    raise UnsureError("an element is closed by another's end")
                events.append(Event(END, context, tag))
                context = self.contexts[context].parent
                continue
            if not context:
                raise UnsureError("something stands behind the document")
            if tag.kind == START:
                context = self._child(context, tag.name)
            events.append(Event(tag.kind, context, tag))
        if opens and not context:
            raise UnsureError("something stands behind the document")
        leaf = self._runs.tags[run][-1] if opens else None
        return Step(context, tuple(events), leaf)

    # All at once --------------------------------------------------------------------------

    def _rebuild(self) -> None:
        """Lookup tables after something new."""
        sums = np.array(self._sum_of, dtype=np.int64)
        bits = min(2 * len(sums).bit_length() + 2, 22)
        self._shift = _U64(64 - bits)
        for turn in range(500):
            self._multiplier = _U64((_GOLDEN * (2 * turn + 1)) % (1 << 64) | 1)
            slots = self._slots(sums)
            if differ(slots):
                break
        else:
            raise UnsureError("too many contexts")
        self._slot = np.zeros(1 << bits, dtype=np.int16)
        self._slot[slots] = np.arange(len(sums))
        self._sum = sums
        size = 4 * len(self._runs.tags)
        if size * len(sums) > _PAIRS_MAX or len(self.steps) > _STEPS_MAX:
            raise UnsureError("too varied")
        self._table = np.full((len(sums), size), -1, dtype=np.int16)
        if self._known:
            at, turns = np.array([*self._known], dtype=np.intp).T
            self._table[at, turns] = [*self._known.values()]
        self._after = np.array([step.after for step in self.steps], dtype=np.int16)

    def _slots(self, sums: Array) -> Array:
        return ((sums.view(_U64) * self._multiplier) >> self._shift).astype(np.intp)

    def follow(self, turns: Array, before: int) -> tuple[Array, int]:
        """The step each turn is, from a context on, and the context after the last.

        Raises:
            UnsureError: the tags do not nest, or there are too many kinds of them.
        """
        if self._table.shape != (len(self.contexts), 4 * len(self._runs.tags)):
            self._rebuild()
        self._meet_turns(turns)
        change = self._delta.take(turns)
        depth = np.cumsum(change, dtype=np.int32)
        depth += self._depth_of[before]
        if len(depth) and (depth.min() < 0 or depth.max() > _DEPTH_MAX):
            raise UnsureError("too deep, or more ends than starts")
        depth -= change
        sums = self._effect.ravel().take(turns * np.int32(_LEVELS) + depth)
        sums[:1] ^= self._sum_of[before]
        sums = np.bitwise_xor.accumulate(sums)
        while True:
            after = self._slot.take(self._slots(sums))
            known = self._sum.take(after) == sums
            if not known.all():
                at = int(np.argmin(known))
                self._walk(turns[at : at + _WALK], int(after[at - 1]) if at else before)
                continue
            within = np.empty_like(after)
            within[:1], within[1:] = before, after[:-1]
            step = self._table.ravel().take(within * np.int32(self._table.shape[1]) + turns)
            if (step < 0).any():
                self._meet(within, turns, step < 0)
                continue
            if (self._after.take(step) != after).any():
                raise UnsureError("an element is closed by another's end")
            return step, int(after[-1]) if len(after) else before

    def _walk(self, turns: Array, context: int) -> None:
        """Learn the contexts of the next turns one by one."""
        for turn in turns.tolist():
            context = self.steps[self.step(context, turn)].after
        self._rebuild()

    def _meet(self, within: Array, turns: Array, fresh: Array) -> None:
        """Learn steps between known contexts."""
        pairs = distinct(within[fresh].astype(np.int64) << 32 | turns[fresh])
        for pair in pairs.tolist():
            self.step(pair >> 32, pair & 0xFFFFFFFF)
        self._rebuild()

    def _meet_turns(self, turns: Array) -> None:
        """What turns change, for those not seen before."""
        size = 4 * len(self._runs.tags)
        if size != len(self._delta):
            more = size - len(self._delta)
            self._told = np.concatenate((self._told, np.zeros(more, dtype=bool)))
            self._delta = np.concatenate((self._delta, np.zeros(more, dtype=np.int32)))
            none = np.zeros((more, _LEVELS), dtype=np.int64)
            self._effect = np.concatenate((self._effect, none))
        told = self._told.take(turns)
        if told.all():
            return
        for turn in distinct(turns[~told]).tolist():
            self._delta[turn], self._effect[turn] = self._changes(turn)
            self._told[turn] = True

    def _changes(self, turn: int) -> tuple[int, Array]:
        """The change of depth, and by the depth before, of the sum."""
        level, sums = 0, np.zeros(_LEVELS, dtype=np.int64)
        for tag in self._runs.inner(turn >> 2, bool(turn & 2), bool(turn & 1)):
            if tag.kind == EMPTY:
                continue
            level += tag.kind == START
            own = self._random[tag.name]
            if level > 0:
                sums[:-level] ^= own[level:]
            elif level > -_LEVELS:
                sums[-level:] ^= own[: _LEVELS + level]
            level -= tag.kind == END
        return level, sums
