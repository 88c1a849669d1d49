"""Document numbers in free text, found because the books know them.

Banks wrap, split and re-punctuate what a payer wrote: ``RE-2026-00417`` arrives as
``RE 2026/00`` and ``417`` on the next line. So texts and numbers are both brought to the normal
form, and every piece of a text that starts and ends at a boundary (a dropped sign, or letters next
to digits) and is as long as some number is looked up by a rolling hash. What is found is compared
character by character. Work is linear in the texts, for each length a number may have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tieout.matching.normal import (
    dropped,
    kept_bytes,
    kinds,
    texts_bytes,
    upper_bytes,
)

__all__ = ["Numbers", "find_known"]

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]

_NONE: Final = np.zeros(0, dtype="int64")
_NO_BYTES: Final = np.zeros(0, dtype="uint8")
_BASE: Final = 0x9E3779B97F4A7C15
_BACK: Final = pow(_BASE, -1, 1 << 64)
#: Texts are searched in blocks of so many rows, to bound memory.
_BLOCK: Final = 50_000
#: By byte, one of 64 kinds of characters; digits and letters each have their own.
_SIX: Final = bytes(
    byte - 47 if 48 <= byte < 58 else byte - 54 if 65 <= byte < 91 else 37 + byte % 27
    for byte in range(256)
)
_FIRST: Final = 3
#: Numbers longer than this are no document numbers; references end at 35.
_LONGEST: Final = 35


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers to find: their normal forms without repeats, by rolling hash.

    Attributes:
        texts: the numbers.
        raw: their characters, and in ``starts`` where each begins (one more at the end).
        codes: their hashes, ordered.
        index: whose hash each is.
        length: how long that number is.
        lengths: by length, whether a number is so long.
        likely: a bit for each of the first bits of a hash, whether a number's hash begins so: most
            pieces of a text are none, and this tells it without a search.
        heads: by fewer of its first bits, where the hashes that begin so stand.
        begins: by the first three characters, whether a number begins so: most words do not.
    """

    texts: Any
    raw: Bytes
    starts: Ints
    codes: Codes
    index: npt.NDArray[np.int32]
    length: Bytes
    lengths: npt.NDArray[np.bool_]
    likely: Bytes
    heads: npt.NDArray[np.int32]
    begins: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, texts: Any) -> Numbers:
        """Numbers from normal forms, which must differ."""
        distinct = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
        raw, starts = texts_bytes(distinct) if len(distinct) else (_NO_BYTES, np.zeros(1, "int64"))
        every = np.diff(starts)
        codes = np.zeros(len(distinct), dtype="uint64")
        short = every <= _LONGEST
        lengths = np.bincount(every[short], minlength=_LONGEST + 1) > 0
        for length in np.flatnonzero(lengths).tolist():
            at = np.flatnonzero(every == length)
            codes[at] = _whole(raw, starts[at], length)
        rows = np.flatnonzero(short)
        index: npt.NDArray[np.int32] = rows[np.argsort(codes[rows])].astype("int32")
        codes = codes[index]
        size = len(codes).bit_length()
        many = np.bincount(_heads(codes, size), minlength=1 << size)
        heads = np.zeros((1 << size) + 1, dtype="int32")
        np.cumsum(many, out=heads[1:])
        begins = np.zeros(1 << 18, dtype=bool)
        begins[_beginnings(raw, starts[:-1][every >= _FIRST])] = True
        begins |= bool((every < _FIRST).any())
        found, long = _likely(codes), every[index].astype("uint8")
        return cls(distinct, raw, starts, codes, index, long, lengths, found, heads, begins)

    def find(self, looked: Codes) -> tuple[Ints, Ints]:
        """Which of the hashes are a number's, and where each stands in ``codes``."""
        head = _heads(looked, 3 + (len(self.likely) - 1).bit_length())
        bits = self.likely[head >> 3] >> (head & 7).astype("uint8")
        some = np.flatnonzero(bits & 1)
        head = _heads(looked[some], (len(self.heads) - 2).bit_length())
        place, end = self.heads[head].astype("int64"), self.heads[head + 1]
        left = np.flatnonzero(place < end)  # of the few that begin alike one after the other
        found = np.zeros(len(some), dtype=bool)
        while len(left):
            hit = self.codes[place[left]] == looked[some[left]]
            found[left[hit]] = True
            left = left[~hit]
            place[left] += 1
            left = left[place[left] < end[left]]
        return some[found], place[found]


def _beginnings(raw: Bytes, at: Ints) -> Ints:
    """A number below 2^18 of the three characters at each place."""
    six = np.frombuffer(raw.tobytes().translate(_SIX) + bytes(_FIRST), dtype="uint8")
    made = six[at].astype("int64")
    for step in range(1, _FIRST):
        made = (made << 6) | six[at + step]
    return made


def _likely(codes: Codes) -> Bytes:
    """Bits that tell most pieces of text from the numbers: about sixteen for each."""
    size = min(30, max(10, (16 * len(codes)).bit_length()))
    bits = np.zeros(1 << (size - 3), dtype="uint8")
    if len(codes):
        head = _heads(codes, size)
        place = head >> 3
        firsts = np.flatnonzero(np.append(True, place[1:] != place[:-1]))
        flags = np.uint8(1) << (head & 7).astype("uint8")
        bits[place[firsts]] = np.bitwise_or.reduceat(flags, firsts)
    return bits


def _heads(codes: Codes, size: int) -> Ints:
    """The first so many bits of each hash."""
    return (codes >> np.uint64(64 - size)).view("int64") if size else np.zeros(len(codes), "int64")


def _grown(base: int, count: int, known: Codes) -> Codes:
    """``base`` to the power of 0, 1, ... modulo 2^64, at least ``count`` of them."""
    if len(known) >= count:
        return known
    made = np.empty(1 << (count - 1).bit_length(), dtype="uint64")
    made[: len(known)] = known
    filled = len(known)
    while filled < len(made):
        more = min(filled, len(made) - filled)
        step = np.uint64(pow(base, filled, 1 << 64))
        np.multiply(made[:more], step, out=made[filled : filled + more])
        filled += more
    return made


class _Powers:
    """Powers used so far; blocks being of one size, they are made once."""

    def __init__(self, base: int) -> None:
        self._base = base
        self._made = np.ones(1, dtype="uint64")

    def upto(self, count: int) -> Codes:
        self._made = _grown(self._base, count, self._made)
        return self._made


def _sums(raw: Bytes, powers: _Powers) -> Codes:
    """Rolling sums: the hash of a piece is a difference of two, moved back to its start."""
    sums = np.zeros(len(raw) + 1, dtype="uint64")
    weighed = raw.astype("uint64")
    weighed += np.uint64(1)
    weighed *= powers.upto(len(raw) + 1)[: len(raw)]
    np.cumsum(weighed, out=sums[1:])
    return sums


def _mixed(hashes: Codes) -> Codes:
    return hashes ^ (hashes >> np.uint64(29))


def _whole(raw: Bytes, at: Ints, length: int) -> Codes:
    """Hashes of the pieces of a length that start at the places, character by character."""
    hashes = np.zeros(len(at), dtype="uint64")
    for step in range(length - 1, -1, -1):
        hashes *= np.uint64(_BASE)
        hashes += raw[at + step]
        hashes += np.uint64(1)
    return _mixed(hashes)


def find_known(column: Any, numbers: Numbers) -> tuple[Ints, Ints]:
    """Which text holds which number.

    Args:
        column: texts, null where there is none.

    Returns:
        Rows of the column and indices of ``numbers.texts``, without repeats, ordered.
    """
    rows: list[Ints] = []
    found: list[Ints] = []
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    forth, back = _Powers(_BASE), _Powers(_BACK)
    for first in range(0, len(column) if len(numbers.codes) else 0, _BLOCK):
        part = column.slice(first, _BLOCK)
        known = np.flatnonzero(np.asarray(part.is_valid().to_numpy(zero_copy_only=False)))
        if len(known):
            row, number = _block(part.drop_null(), numbers, forth, back)
            rows.append(known[row] + first)
            found.append(number)
    if not rows:
        return _NONE, _NONE
    both = np.sort(np.concatenate(rows) * len(numbers.texts) + np.concatenate(found))
    both = both[np.append(True, both[1:] != both[:-1])] if len(both) else both
    return np.divmod(both, max(len(numbers.texts), 1))


def _block(texts: Any, numbers: Numbers, forth: _Powers, back: _Powers) -> tuple[Ints, Ints]:
    raw, starts = upper_bytes(texts)
    places = np.flatnonzero(~dropped(raw))
    kept = kept_bytes(raw)
    count = len(kept)
    if not count:
        return _NONE, _NONE
    edge = np.ones(count + 1, dtype=bool)  # whether a number may start or end before a place
    edge[1:-1] = (np.diff(places) > 1) | (np.diff(kinds(kept)) != 0)
    before = np.searchsorted(places, starts)  # how many places lie before each text
    edge[before] = True
    sums = _sums(kept, forth)
    away = back.upto(len(sums))
    edges = np.flatnonzero(edge)
    begin = np.flatnonzero(numbers.begins[_beginnings(kept, edges[:-1])])
    at, end = _pieces(edges, begin, before[1:], numbers.lengths)
    looked = _mixed((sums[end] - sums[at]) * away[at])
    some, place = numbers.find(looked)
    at, end = at[some], end[some]
    hit = numbers.length[place] == end - at
    at, number = at[hit], numbers.index[place[hit]].astype("int64")
    same = _same(kept, at, numbers, number, numbers.length[place[hit]])
    owner = np.searchsorted(before, at[same], side="right") - 1
    return owner, number[same]


def _pieces(
    edges: Ints, begin: Ints, ends: Ints, lengths: npt.NDArray[np.bool_]
) -> tuple[Ints, Ints]:
    """Where the pieces between two edges of one text begin and end that are as long as a number.

    Args:
        edges: where a number may start or end, ordered; every text's own start and end are some.
        begin: which edges a number may start at.
        ends: where each text ends, ordered.
        lengths: by length, whether it is one.
    """
    first = edges[begin]
    limit = ends[np.searchsorted(ends, first, side="right")]
    limit = np.minimum(limit, first + len(lengths) - 1)
    starts: list[Ints] = []
    stops: list[Ints] = []
    step = 1
    while len(begin):
        left = np.searchsorted(begin, len(edges) - step)
        begin, limit = begin[:left], limit[:left]
        stop = edges[begin + step]
        inside = np.flatnonzero(stop <= limit)
        begin, stop, limit = begin[inside], stop[inside], limit[inside]
        at = edges[begin]
        use = lengths[stop - at]
        starts.append(at[use])
        stops.append(stop[use])
        step += 1
    return np.concatenate([*starts, _NONE]), np.concatenate([*stops, _NONE])


def _same(
    kept: Bytes, at: Ints, numbers: Numbers, number: Ints, lengths: Ints
) -> npt.NDArray[np.bool_]:
    """Whether the pieces are the numbers, character by character."""
    raw, starts = numbers.raw, numbers.starts
    same = np.zeros(len(at), dtype=bool)
    for length in np.flatnonzero(np.bincount(lengths)).tolist():
        mine = np.flatnonzero(lengths == length)
        span = np.arange(length)
        piece = kept[at[mine][:, None] + span]
        same[mine] = (piece == raw[starts[number[mine]][:, None] + span]).all(axis=1)
    return same
