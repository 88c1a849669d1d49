"""The markup of a well-formed piece of XML as arrays, for files too large for a tag at a time.

Only plain markup is understood: elements without attributes but ``Ccy``, no comments, declarations
or sections. Every tag, nesting and character is checked on the way; whatever is not known for
certain raises `UnsureError`, and the caller reads the file with the strict reader instead. So
nothing here decides what an error is.

Tags are looked up by their bytes in a table that grows with the file. Nesting is found as a guess
(a running sum of numbers that stand for open elements) and then proven: each start must lead from
the context before it to a child, each end back to the parent, by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from parsers._tags import NAMES_MAX, Array, Bytes, Ints, Tags, UnsureError, bottom, words

__all__ = ["PADDING", "Context", "Markup", "Scan"]

#: Zero bytes behind the text, so that a word can be read at its last byte.
PADDING: Final = 64

_CONTEXTS_MAX: Final = 1_000
_DEPTH_MAX: Final = 60
_BLOCK: Final = 1 << 17
_U64 = np.uint64
_BLANK: Final = np.uint8(0x20)
_PRINTABLE: Final = np.uint8(0x7E - 0x20)
_HIGH: Final = _U64(0x8080808080808080)
_TO_HIGH: Final = _U64(0x5F5F5F5F5F5F5F5F)


@dataclass(frozen=True, slots=True)
class Context:
    """An open element: its parent's number, its name, and what the format makes of it."""

    parent: int
    name: int
    role: Any


@dataclass(slots=True)
class Scan:
    """Arrays of one chunk.

    Attributes:
        text: the bytes, padded.
        breaks: positions of line feeds.
        beyond: positions of DEL, of bytes beyond ASCII, and of carriage returns.
        opens, closes: positions of each tag's ``<`` and ``>``.
        tag: number of each tag (index into `Markup.currency_of`).
        inner: indexes of the tags of elements with children.
        is_start: for each of these, whether it is a start tag.
        context: for each of these, the context it starts or ends.
        within: for each of these, the context after it.
        leaf: indexes of the start tags of elements without children.
        owner: for each of these, its position in ``inner``; -1 before the first.
        leaf_start, leaf_end: where each leaf's text stands.
        leaf_name: number of each leaf's name.
    """

    text: Bytes
    breaks: Ints
    beyond: Ints
    opens: Ints
    closes: Ints
    tag: Array
    inner: Ints
    is_start: npt.NDArray[np.bool_]
    context: Array
    within: Array
    leaf: Ints
    owner: Array
    leaf_start: Ints
    leaf_end: Ints
    leaf_name: Array


class Markup(Tags):
    """What is known of a file's tags and contexts; grows while the file is read."""

    def __init__(
        self, prefixes: Mapping[str, Any], role_of: Callable[[Any, str], Any], root: Any
    ) -> None:
        super().__init__(prefixes)
        self._role_of = role_of
        self.contexts: list[Context] = [Context(-1, -1, root)]
        self._context_ids: dict[tuple[int, int], int] = {}
        rng = np.random.default_rng(20022)
        self._random = rng.integers(1 << 62, size=(NAMES_MAX, _DEPTH_MAX + 1), dtype=np.int64)
        self._sums: dict[int, int] = {0: 0}
        self._sum_of = [0]
        self._depth_of = [0]
        self._rebuild_contexts()

    def enter(self, names: list[str]) -> int:
        """The context inside these open elements (qualified names from the root)."""
        context = 0
        for name in names:
            context = self._child(context, self._name_id(name.encode()))
        self._rebuild_contexts()
        return context

    def _child(self, parent: int, name: int) -> int:
        known = self._context_ids.get((parent, name))
        if known is not None:
            return known
        depth = self._depth_of[parent] + 1
        if depth > _DEPTH_MAX or len(self.contexts) >= _CONTEXTS_MAX:
            raise UnsureError("too deep or too varied")
        known = len(self.contexts)
        total = int(np.int64(self._sum_of[parent]) ^ self._random[name, depth])
        if total in self._sums:
            raise UnsureError("two contexts have one number")
        self._context_ids[parent, name] = self._sums[total] = known
        self.contexts.append(
            Context(parent, name, self._role_of(self.contexts[parent].role, self.locals[name]))
        )
        self._sum_of.append(total)
        self._depth_of.append(depth)
        return known

    def _rebuild_contexts(self) -> None:
        sums = np.array(self._sum_of, dtype=np.int64)
        self._order = np.argsort(sums, kind="stable")
        self._sorted = sums[self._order]
        self.parents = np.array([c.parent for c in self.contexts], dtype=np.int16)
        self.owners = np.array([c.name for c in self.contexts], dtype=np.int16)

    def scan(self, chunk: bytes, before: int) -> tuple[Scan, int]:
        """The arrays of a chunk (padded UTF-8) that starts in a context, and the one it ends in.

        Raises:
            UnsureError: the strict reader must read the file.
        """
        text = np.frombuffer(chunk, dtype=np.uint8)
        size = len(chunk) - PADDING
        breaks, beyond, marks = _characters(chunk, text[:size])
        opens, closes = np.ascontiguousarray(marks[0::2]), np.ascontiguousarray(marks[1::2])
        if not len(opens) or len(opens) != len(closes) or (text[opens] != 0x3C).any():
            raise UnsureError("a lone angle bracket")
        if (text[closes] != 0x3E).any():
            raise UnsureError("a lone angle bracket")
        length = closes - opens - 1
        is_end = text[opens + 1] == 0x2F
        begins = np.flatnonzero(~is_end)
        tag = np.zeros(len(opens), dtype=np.int16)
        tag[begins] = self.numbers_of(chunk, text, opens[begins], length[begins])
        alone = np.zeros(len(opens), dtype=bool)
        alone[begins] = self.is_empty[tag[begins]]
        pair = np.zeros(len(opens), dtype=bool)
        pair[:-1] = is_end[1:] & ~(is_end | alone)[:-1]
        self._same_names(text, opens, length, tag, np.flatnonzero(pair))
        nested = ~(pair | alone)
        nested[1:] &= ~pair[:-1]
        self._only_blanks(text, opens, closes, pair, size)
        inner = np.flatnonzero(nested)
        ends = inner[is_end[inner]]
        tag[ends] = self.numbers_of(chunk, text, opens[ends], length[ends])
        is_start = ~is_end[inner]
        within, context = self._nesting(self.names[tag[inner]], is_start, before)
        if not before or (within[:-1] == 0).any():
            raise UnsureError("something stands behind the document")
        leaf = np.flatnonzero(pair | alone)
        if len(leaf) and len(inner) and not within[-1] and leaf[-1] > inner[-1]:
            raise UnsureError("something stands behind the document")
        leaf_start = closes[leaf] + 1
        behind = np.append(opens, np.int32(size))
        leaf_end = np.where(alone[leaf], leaf_start, behind[leaf + 1])
        owner = np.cumsum(nested, dtype=np.int32)[leaf] - 1
        after = int(within[-1]) if len(within) else before
        return Scan(
            text, breaks, beyond, opens, closes, tag, inner, is_start, context, within,
            leaf, owner, leaf_start, leaf_end, self.names[tag[leaf]],
        ), after  # fmt: skip

    def _same_names(self, text: Bytes, opens: Ints, length: Ints, tag: Array, first: Ints) -> None:
        """The end tag right behind each of these start tags has its name."""
        size = self.sizes[tag[first]]
        if (length[first + 1] != size + 1).any():
            raise UnsureError("an element is closed by another's end")
        word = words(text)
        start, end = opens[first] + 1, opens[first + 1] + 2
        while len(start):
            other = (word[start] ^ word[end]) & bottom[np.minimum(size, 8)]
            if other.any():
                raise UnsureError("an element is closed by another's end")
            more = np.flatnonzero(size > 8)
            start, end, size = start[more] + 8, end[more] + 8, size[more] - 8

    def _only_blanks(self, text: Bytes, opens: Ints, closes: Ints, pair: Array, size: int) -> None:
        """Between the tags of elements with children stands nothing but blanks."""
        start = np.concatenate(([0], closes + 1))
        end = np.append(opens, size)
        gap = end > start
        gap[1:] &= ~pair
        start, end = start[gap], end[gap]
        word = words(text)
        while len(start):
            left = end - start
            found = word[start] & bottom[np.minimum(left, 8)]
            if ((found | (found + _TO_HIGH)) & _HIGH).any():
                raise UnsureError("text beside elements")
            more = left > 8
            start, end = start[more] + 8, end[more]

    def _nesting(self, name: Array, is_start: Array, before: int) -> tuple[Array, Array]:
        """Contexts after each tag, and the one each starts or ends: guessed, then proven."""
        depth = self._depth_of[before] + np.cumsum(np.where(is_start, 1, -1))
        level = depth + ~is_start  # of the element itself
        if len(level) and (level.min() < 1 or depth.max() > _DEPTH_MAX):
            raise UnsureError("too deep, or more ends than starts")
        steps = self._random[name, level]
        sums = np.bitwise_xor.accumulate(np.concatenate(([self._sum_of[before]], steps)))[1:]
        while True:
            within = self._order[
                np.minimum(np.searchsorted(self._sorted, sums), len(self._sorted) - 1)
            ].astype(np.int16)
            known = np.array(self._sum_of, dtype=np.int64)[within] == sums
            if known.all():
                break
            at = int(np.argmin(known))
            self._walk(name[at:], is_start[at:], int(within[at - 1]) if at else before)
        previous = np.concatenate((np.array([before], dtype=np.int16), within[:-1]))
        context = np.where(is_start, within, previous)
        outer = np.where(is_start, previous, within)
        if (self.parents[context] != outer).any() or (self.owners[context] != name).any():
            raise UnsureError("an element is closed by another's end")
        return within, context

    def _walk(self, name: Array, is_start: Array, context: int) -> None:
        """Learn the contexts of the next tags one by one."""
        for number, start in zip(name[:20_000].tolist(), is_start[:20_000].tolist(), strict=True):
            if start:
                context = self._child(context, number)
            elif self.contexts[context].name != number:
                raise UnsureError("an element is closed by another's end")
            else:
                context = self.contexts[context].parent
        self._rebuild_contexts()


def _characters(chunk: bytes, text: Bytes) -> tuple[Ints, Ints, Ints]:
    """Positions of line feeds, of what is not printable ASCII, and of angle brackets.

    Raises:
        UnsureError: a character XML does not allow.
    """
    size = len(text)
    rare: list[Array] = []
    marks: list[Array] = []
    for at in range(0, size, _BLOCK):  # a block and what is made of it fit a cache
        part = text[at : at + _BLOCK]
        rare.append(_few((part - _BLANK) > _PRINTABLE) + at)
        marks.append((np.flatnonzero((part & 0xFD) == 0x3C) + at).astype(np.int32))
    found = np.concatenate(rare)
    byte = text[found]
    is_control = byte < _BLANK
    control, beyond, byte = found[is_control], found[~is_control], byte[is_control]
    breaks, returns = control[byte == 10], control[byte == 13]
    if len(control) != len(breaks) + len(returns) + np.count_nonzero(byte == 9):
        raise UnsureError("a control character")
    if len(returns) and len(returns) != chunk.count(b"\r\n"):
        raise UnsureError("a lone carriage return")
    lead = beyond[text[beyond] == 0xEF]
    if len(lead) and (text[lead + 1] == 0xBF).any():
        raise UnsureError("perhaps no character")
    return breaks, np.concatenate((beyond, returns)), np.concatenate(marks)


def _few(flags: Array) -> Ints:
    """Where flags are set, of which few are: eight are looked at together."""
    whole = len(flags) & ~7
    at = np.flatnonzero(flags[:whole].view(_U64) != 0) * 8
    near = at[:, None] + np.arange(8)
    behind = np.flatnonzero(flags[whole:]) + whole
    return np.concatenate((near[flags[near]], behind))
