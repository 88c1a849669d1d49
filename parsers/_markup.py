"""The markup of a well-formed piece of XML as arrays, for files too large for a tag at a time.

Only plain markup is understood: elements without attributes but ``Ccy``, no comments, declarations
or sections. Every tag, nesting and character is checked on the way; whatever is not known for
certain raises `UnsureError`, and the caller reads the file with the strict reader instead. So
nothing here decides what an error is.

The bytes are runs of markup and the texts between them. Runs are looked up in a table that grows
with the file (`parsers._runs`), and how they nest is proven (`parsers._steps`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from parsers._runs import Runs
from parsers._steps import Steps
from parsers._tags import Array, Bytes, Ints, UnsureError, bottom, words

__all__ = ["PADDING", "Markup", "Scan"]

#: Zero bytes behind the text, so that a word can be read at its last byte.
PADDING: Final = 64

_TAGS_MAX: Final = 1_000_000  # of a chunk
_BLOCK: Final = 1 << 17
_U64 = np.uint64
_OPEN: Final = np.uint8(0x3C)
_CLOSE: Final = np.uint8(0x3E)
_ESCAPE: Final = np.uint8(0x26)
_DELETE: Final = np.uint8(0x7F)
_BLANK: Final = np.int8(0x20)
_HIGH: Final = _U64(0x8080808080808080)
_TO_HIGH: Final = _U64(0x5F5F5F5F5F5F5F5F)


@dataclass(slots=True)
class Scan:
    """Arrays of one chunk.

    Attributes:
        text: the bytes, padded.
        breaks: positions of line feeds.
        beyond: positions of DEL, of bytes beyond ASCII, and of carriage returns.
        escapes: positions of every ``&``.
        bounds: where each run of markup begins and ends, in turn, and where the last text ends.
        start, stop: the same by itself; there is one more start than there are runs.
        step: of each run, the number of its step.
        ordinal: of each run, the number of its first tag.
        tags: how many tags there are.
    """

    text: Bytes
    breaks: Ints
    beyond: Ints
    escapes: Ints
    bounds: Array
    start: Ints
    stop: Ints
    step: Array
    ordinal: Array
    tags: int


class Markup:
    """What is known of a file's markup; grows while the file is read."""

    def __init__(
        self, prefixes: Mapping[str, Any], role_of: Callable[[Any, str], Any], root: Any
    ) -> None:
        self.runs = Runs(prefixes)
        self.steps = Steps(self.runs, role_of, root)

    def scan(self, chunk: bytes, before: int) -> tuple[Scan, int]:
        """The arrays of a chunk (padded UTF-8) that starts in a context, and the one it ends in.

        Raises:
            UnsureError: the strict reader must read the file.
        """
        text = np.frombuffer(chunk, dtype=np.uint8)
        size = len(chunk) - PADDING
        first = chunk.find(b"<", 0, size)
        if first < 0 or chunk[:first].strip(b" \t\r\n"):
            raise UnsureError("text beside elements")
        found = _characters(text[: size + 1], b"\x7f" in chunk)
        if found.opens > _TAGS_MAX:
            raise UnsureError("more than may be in memory at once")
        if len(found.bounds) % 2:
            raise UnsureError("a lone angle bracket")
        breaks, beyond, escapes = _sorted_out(chunk, text, found.rare)
        bounds = np.append(found.bounds, size)
        start, stop = np.ascontiguousarray(bounds[0::2]), np.ascontiguousarray(bounds[1::2])
        run = self.runs.numbers_of(chunk, text, start[:-1], stop)
        count = self.runs.count.take(run)
        ordinal = np.cumsum(count, dtype=np.int32)
        tags = int(ordinal[-1])
        if tags != found.opens or tags != found.closes:
            raise UnsureError("a lone angle bracket")
        ordinal -= count
        leaf = np.zeros(len(run) + 1, dtype=bool)  # whether each text, from the one before, is one
        last, following = self.runs.last.take(run[:-1]), self.runs.first.take(run[1:])
        np.equal(last, following, out=leaf[1:-1])
        if ((last >= 0) & (following >= 0) & ~leaf[1:-1]).any():
            raise UnsureError("an element is closed by another's end")
        self._only_blanks(text, stop, start[1:], ~leaf[1:])
        turns = run.astype(np.int32) * 4 + leaf[1:]
        turns += np.left_shift(leaf[:-1].view(np.uint8), 1)
        step, after = self.steps.follow(turns, before)
        bounds = bounds.astype(np.int32)
        return Scan(text, breaks, beyond, escapes, bounds, start, stop, step, ordinal, tags), after

    def _only_blanks(self, text: Bytes, start: Ints, end: Ints, beside: Array) -> None:
        """Between the tags of elements with children stands nothing but blanks."""
        at = np.flatnonzero(beside)
        start, end = start[at], end[at]
        word = words(text)
        while len(start):
            left = end - start
            found = word[start] & bottom[np.minimum(left, 8)]
            if ((found | (found + _TO_HIGH)) & _HIGH).any():
                raise UnsureError("text beside elements")
            more = left > 8
            start, end = start[more] + 8, end[more]


@dataclass(slots=True)
class _Found:
    """What a look at every byte finds: positions, and how many brackets there are."""

    bounds: Array
    rare: Ints
    opens: int
    closes: int


def _characters(text: Bytes, delete: bool) -> _Found:
    """Where text meets markup, and all that is no plain character; the last byte of text is none.

    Args:
        text: the bytes, and a zero.
        delete: whether there is a DEL among them.
    """
    size = len(text)
    rare: list[Array] = []
    bounds: list[Array] = []
    opens = closes = 0
    for at in range(0, size, _BLOCK):  # a block and what is made of it fit a cache
        part = text[at : at + _BLOCK]
        is_open, is_close = part == _OPEN, part == _CLOSE
        opens += int(np.count_nonzero(is_open))
        closes += int(np.count_nonzero(is_close))
        turn = np.empty(len(part), dtype=bool)
        # Markup begins at a bracket not behind one, and ends where one is not followed by one.
        np.not_equal(is_open[1:], is_close[:-1], out=turn[1:])
        turn[0] = is_open[0] != (at > 0 and text[at - 1] == _CLOSE)
        bounds.append(np.flatnonzero(turn) + at)
        odd = part.view(np.int8) < _BLANK  # or beyond ASCII: those bytes are negative
        odd |= np.equal(part, _ESCAPE, out=is_open)
        if delete:
            odd |= part == _DELETE
        rare.append(_few(odd) + at)
    return _Found(np.concatenate(bounds), np.concatenate(rare)[:-1], opens, closes)


def _sorted_out(chunk: bytes, text: Bytes, found: Ints) -> tuple[Ints, Ints, Ints]:
    """Positions of line feeds, of what is neither that, a tab nor printable ASCII, of escapes.

    Raises:
        UnsureError: a character XML does not allow.
    """
    byte = text[found]
    is_control, is_escape = byte < 0x20, byte == _ESCAPE
    escapes = found[is_escape]
    control, beyond = found[is_control], found[~(is_control | is_escape)]
    byte = byte[is_control]
    breaks, returns = control[byte == 10], control[byte == 13]
    if len(control) != len(breaks) + len(returns) + np.count_nonzero(byte == 9):
        raise UnsureError("a control character")
    if len(returns) and len(returns) != chunk.count(b"\r\n"):
        raise UnsureError("a lone carriage return")
    lead = beyond[text[beyond] == 0xEF]
    if len(lead) and (text[lead + 1] == 0xBF).any():
        raise UnsureError("perhaps no character")
    return breaks, np.concatenate((beyond, returns)), escapes


def _few(flags: Array) -> Ints:
    """Where flags are set, of which few are: eight are looked at together."""
    whole = len(flags) & ~7
    at = np.flatnonzero(flags[:whole].view(_U64) != 0) * 8
    near = at[:, None] + np.arange(8)
    behind = np.flatnonzero(flags[whole:]) + whole
    return np.concatenate((near[flags[near]], behind))
