"""The markup of a well-formed piece of XML as arrays, for files too large for a tag at a time.

Only plain markup is understood: elements without attributes but ``Ccy``, no comments, declarations
or sections. Every tag, nesting and character is checked on the way; whatever is not known for
certain raises `UnsureError`, and the caller reads the file with the strict reader instead. So nothing
here decides what an error is.

Tags are looked up by their bytes in a table that grows with the file. Nesting is found as a guess
(a running sum of numbers that stand for open elements) and then proven: each start must lead from
the context before it to a child, each end back to the parent, by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["PADDING", "Context", "Markup", "Scan", "UnsureError", "words"]

Ints = npt.NDArray[np.int64]
Array = npt.NDArray[Any]

#: Zero bytes behind the text, so that a word can be read at its last byte.
PADDING: Final = 64

_TAG = re.compile(
    rb"(/?)((?:([A-Za-z_][A-Za-z0-9_.-]*):)?([A-Za-z_][A-Za-z0-9_.-]*))"
    rb"(?: Ccy=(?:\"([A-Za-z0-9]{1,8})\"|'([A-Za-z0-9]{1,8})'))?(/?)"
)
_START, _END, _EMPTY = 1, -1, 0
_TAGS_MAX: Final = 1_000
_NAMES_MAX: Final = 600
_CONTEXTS_MAX: Final = 1_000
_DEPTH_MAX: Final = 60
_SLOTS: Final = 16  # bits
_U64 = np.uint64
_FIRST: Final = np.array([(1 << 8 * min(n, 8)) - 1 for n in range(18)], dtype=_U64)
_SECOND: Final = np.array([(1 << 8 * max(min(n - 8, 8), 0)) - 1 for n in range(18)], dtype=_U64)
_HIGH: Final = _U64(0x8080808080808080)
_TO_HIGH: Final = _U64(0x5F5F5F5F5F5F5F5F)


class UnsureError(Exception):
    """The strict reader must decide: here is something this one does not know for certain."""


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

    text: npt.NDArray[np.uint8]
    breaks: Ints
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


def words(text: npt.NDArray[np.uint8]) -> Array:
    """The eight bytes from every position on as one little-endian number (a view, no copy)."""
    return np.ndarray((len(text) - 8,), dtype="<u8", buffer=text.data, strides=(1,))


class Markup:
    """What is known of a file's tags and contexts; grows while the file is read."""

    def __init__(
        self, prefixes: Mapping[str, Any], role_of: Callable[[Any, str], Any], root: Any
    ) -> None:
        self._prefixes = frozenset(prefixes)
        self._role_of = role_of
        self._tags: list[bytes] = [b""]
        self._tag_ids: dict[bytes, int] = {}
        self._names: dict[bytes, int] = {}
        self.locals: list[str] = []
        self.contexts: list[Context] = [Context(-1, -1, root)]
        self._context_ids: dict[tuple[int, int], int] = {}
        self._kind, self._name, self.currency_of = [9], [-1], [""]
        rng = np.random.default_rng(20022)
        self._random = rng.integers(1 << 62, size=(_NAMES_MAX, _DEPTH_MAX + 1), dtype=np.int64)
        self._sums: dict[int, int] = {0: 0}
        self._sum_of = [0]
        self._depth_of = [0]
        self._multiplier = _U64(0x9E3779B97F4A7C15)
        self._rebuild()
        self._rebuild_contexts()

    def enter(self, names: list[str]) -> int:
        """The context inside these open elements (qualified names from the root)."""
        context = 0
        for name in names:
            context = self._child(context, self._name_id(name.encode()))
        self._rebuild_contexts()
        return context

    def _name_id(self, name: bytes) -> int:
        known = self._names.get(name)
        if known is None:
            if len(self._names) >= _NAMES_MAX:
                raise UnsureError("too many names")
            known = self._names[name] = len(self._names)
            self.locals.append(name.rpartition(b":")[2].decode())
        return known

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

    def _learn(self, tag: bytes) -> int:
        """The number of a tag seen for the first time."""
        found = _TAG.fullmatch(tag)
        if found is None or len(self._tags) >= _TAGS_MAX:
            raise UnsureError(f"markup {tag[:40]!r}")
        end, name, prefix, _, double, single, empty = found.groups()
        currency = double or single
        if (end and (empty or currency)) or (prefix and prefix.decode() not in self._prefixes):
            raise UnsureError(f"tag {tag[:40]!r}")
        number = self._tag_ids[tag] = len(self._tags)
        self._tags.append(tag)
        self._kind.append(_END if end else _EMPTY if empty else _START)
        self._name.append(self._name_id(name))
        self.currency_of.append(currency.decode() if currency else "")
        return number

    def _rebuild(self) -> None:
        """Lookup tables after a new tag: a multiplier that gives each short tag its own slot."""
        short = [n for n, tag in enumerate(self._tags) if n and len(tag) <= 16]
        self._first = np.zeros(len(self._tags), dtype=_U64)
        self._second = np.zeros(len(self._tags), dtype=_U64)
        for n in short:
            padded = self._tags[n].ljust(16, b"\0")
            self._first[n] = int.from_bytes(padded[:8], "little")
            self._second[n] = int.from_bytes(padded[8:], "little")
        keys = np.array(short, dtype=np.int64)
        for turn in range(500):
            slots = self._slots(self._first[keys], self._second[keys])
            if len(np.unique(slots)) == len(slots):
                break
            self._multiplier = _U64((0x9E3779B97F4A7C15 * (2 * turn + 3)) % (1 << 64) | 1)
        else:
            raise UnsureError("too many tags")
        self._slot = np.zeros(1 << _SLOTS, dtype=np.int16)
        self._slot[slots] = keys
        self.kinds = np.array(self._kind, dtype=np.int8)
        self.names = np.array(self._name, dtype=np.int16)

    def _slots(self, first: Array, second: Array) -> Array:
        mixed = (first ^ (second * _U64(0xC2B2AE3D27D4EB4F))) * self._multiplier
        return (mixed >> _U64(64 - _SLOTS)).astype(np.int64)

    def _rebuild_contexts(self) -> None:
        sums = np.array(self._sum_of, dtype=np.int64)
        self._order = np.argsort(sums, kind="stable")
        self._sorted = sums[self._order]
        self.parents = np.array([c.parent for c in self.contexts], dtype=np.int16)
        self.owners = np.array([c.name for c in self.contexts], dtype=np.int16)

    def scan(self, chunk: bytes, before: int) -> tuple[Scan, int]:
        """The arrays of a chunk (already padded) that starts in a context, and the one it ends in.

        Raises:
            UnsureError: the strict reader must read the file.
        """
        text = np.frombuffer(chunk, dtype=np.uint8)
        size = len(chunk) - PADDING
        breaks = _characters(chunk, text[:size])
        marks = np.flatnonzero((text[:size] & 0xFD) == 0x3C)
        opens, closes = np.ascontiguousarray(marks[0::2]), np.ascontiguousarray(marks[1::2])
        if not len(opens) or len(opens) != len(closes) or (text[opens] != 0x3C).any():
            raise UnsureError("a lone angle bracket")
        if (text[closes] != 0x3E).any():
            raise UnsureError("a lone angle bracket")
        tag = self._tag_numbers(chunk, text, opens, closes)
        kind, name = self.kinds[tag], self.names[tag]
        pair = np.zeros(len(tag), dtype=bool)
        pair[:-1] = (kind[:-1] == _START) & (kind[1:] == _END)
        first = np.flatnonzero(pair)
        if (name[first] != name[first + 1]).any():
            raise UnsureError("an element is closed by another's end")
        alone = kind == _EMPTY
        nested = ~(pair | alone)
        nested[1:] &= ~pair[:-1]
        self._only_blanks(text, opens, closes, pair, size)
        inner = np.flatnonzero(nested)
        is_start = kind[inner] == _START
        within, context = self._nesting(name[inner], is_start, before)
        if not before or (within[:-1] == 0).any():
            raise UnsureError("something stands behind the document")
        leaf = np.flatnonzero(pair | alone)
        if len(leaf) and len(inner) and not within[-1] and leaf[-1] > inner[-1]:
            raise UnsureError("something stands behind the document")
        leaf_start = closes[leaf] + 1
        behind = np.append(opens, size)
        leaf_end = np.where(alone[leaf], leaf_start, behind[leaf + 1])
        owner = np.cumsum(nested, dtype=np.int32)[leaf] - 1
        after = int(within[-1]) if len(within) else before
        return Scan(
            text, breaks, opens, closes, tag, inner, is_start, context, within,
            leaf, owner, leaf_start, leaf_end, name[leaf],
        ), after  # fmt: skip

    def _tag_numbers(
        self, chunk: bytes, text: npt.NDArray[np.uint8], opens: Ints, closes: Ints
    ) -> Array:
        length = closes - opens - 1
        word = words(text)
        clipped = np.minimum(length, 17)
        first = word[opens + 1] & _FIRST[clipped]
        second = word[opens + 9] & _SECOND[clipped]
        while True:
            tag = self._slot[self._slots(first, second)]
            wrong = (self._first[tag] != first) | (self._second[tag] != second)
            wrong &= length <= 16
            missing = np.flatnonzero(wrong)
            if not len(missing):
                break
            known = len(self._tags)
            for i in missing[:20_000]:
                name = chunk[opens[i] + 1 : closes[i]]
                if name not in self._tag_ids:
                    self._learn(name)
            if len(self._tags) == known:
                raise UnsureError("an empty tag")
            self._rebuild()
        long = np.flatnonzero(length > 16)
        if len(long):
            known = len(self._tags)
            for i in long:
                name = chunk[opens[i] + 1 : closes[i]]
                tag[i] = self._tag_ids.get(name) or self._learn(name)
            if len(self._tags) != known:
                self._rebuild()
        return tag

    def _only_blanks(
        self, text: npt.NDArray[np.uint8], opens: Ints, closes: Ints, pair: Array, size: int
    ) -> None:
        """Between the tags of elements with children stands nothing but blanks."""
        start = np.concatenate(([0], closes + 1))
        end = np.append(opens, size)
        gap = end > start
        gap[1:] &= ~pair
        start, end = start[gap], end[gap]
        word = words(text)
        while len(start):
            left = end - start
            found = word[start] & _FIRST[np.minimum(left, 8)]
            if ((found | (found + _TO_HIGH)) & _HIGH).any():
                raise UnsureError("text beside elements")
            more = left > 8
            start, end = start[more] + 8, end[more]

    def _nesting(self, name: Array, is_start: Array, before: int) -> tuple[Array, Array]:
        """Contexts after each tag, and the context each tag starts or ends; guessed, then proven."""
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


def _characters(chunk: bytes, text: npt.NDArray[np.uint8]) -> Ints:
    """Positions of line feeds; every character is one XML allows, in valid UTF-8."""
    breaks = np.flatnonzero(text == 10)
    others = int(np.count_nonzero(text < 32)) - len(breaks)
    if others:
        returns = int(np.count_nonzero(text == 13))
        if others != np.count_nonzero(text == 9) + returns:
            raise UnsureError("a control character")
        if returns != chunk.count(b"\r\n"):
            raise UnsureError("a lone carriage return")
    size = len(text)
    whole = pa.StringArray.from_buffers(
        1, pa.py_buffer(np.array([0, size], dtype=np.int32)), pa.py_buffer(chunk)
    )
    try:
        whole.validate(full=True)
    except pa.ArrowInvalid:
        raise UnsureError("not UTF-8") from None
    at = np.flatnonzero(text == 0xEF)
    if len(at) and (text[at + 1] == 0xBF).any():
        raise UnsureError("perhaps no character")
    return breaks
