"""Runs of markup: all tags between two texts are one thing, known again by its bytes.

``</Cd></Purp><RmtInf><Ustrd>`` is one run. A file has millions of runs and some hundred different
ones, a third as many as tags, and each is taken apart once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from parsers._tags import (
    EMPTY,
    END,
    START,
    Array,
    Bytes,
    Ints,
    Tag,
    Tags,
    UnsureError,
    bottom,
    differ,
)  # fmt: skip

__all__ = ["Runs"]

_STEP: Final = 1 << 15
_RUNS_MAX: Final = 4_000
#: Longest run in words of eight bytes.
_WORDS_MAX: Final = 128
_U64 = np.uint64
_GOLDEN: Final = 0x9E3779B97F4A7C15
#: For a run of ``n + 1`` bytes, the part of its last word that is its own.
_TAIL: Final = bottom[1:9].copy()
_FOLD: Final = _U64(0xC2B2AE3D27D4EB4F)


class _Sized:
    """The known runs of one size in words, looked up by a number made of their words.

    Attributes:
        rows: their words, padded with zeros; the first row is no run.
        numbers: the number of each.
    """

    def __init__(self, size: int) -> None:
        self.rows = np.zeros((1, size), dtype=_U64)
        self.numbers = np.zeros(1, dtype=np.int16)
        self._slot = np.zeros(2, dtype=np.int16)
        self._shift, self._multiplier = _U64(63), _U64(_GOLDEN)

    def add(self, runs: dict[int, bytes]) -> None:
        """More runs, by number."""
        size = self.rows.shape[1]
        raw = b"".join(run.ljust(8 * size, b"\0") for run in runs.values())
        more = np.frombuffer(raw, dtype="<u8").reshape(-1, size)
        self.rows = np.concatenate((self.rows, more))
        self.numbers = np.concatenate((self.numbers, np.array([*runs], dtype=np.int16)))
        mixed = _mixed(self.rows[1:])
        bits = min(2 * len(mixed).bit_length() + 2, 22)
        self._shift = _U64(64 - bits)
        for turn in range(500):  # a multiplier that gives each its own slot
            self._multiplier = _U64((_GOLDEN * (2 * turn + 1)) % (1 << 64) | 1)
            slots = self._slots(mixed)
            if differ(slots):
                break
        else:
            raise UnsureError("too many runs of markup")
        self._slot = np.zeros(1 << bits, dtype=np.int16)
        self._slot[slots] = np.arange(1, len(self.rows))

    def _slots(self, mixed: Array) -> Array:
        return ((mixed * self._multiplier) >> self._shift).astype(np.intp)

    def find(self, found: Array) -> Array:
        """For each row of words, which of the known runs it may be; to be compared."""
        out: Array = self._slot.take(self._slots(_mixed(found)))
        return out


def _mixed(rows: Array) -> Array:
    mixed = rows[:, 0]
    for column in range(1, rows.shape[1]):
        mixed = mixed * _FOLD
        mixed ^= rows[:, column]
    out: Array = mixed ^ (mixed >> _U64(29))
    return out


class Runs(Tags):
    """The different runs of a file; grows while it is read.

    Attributes:
        tags: the tags of each run.
        count: how many of each.
        first: name of each run's first tag if that ends an element, else -1.
        last: name of each run's last tag if that starts an element, else -2.
    """

    def __init__(self, prefixes: Mapping[str, Any]) -> None:
        super().__init__(prefixes)
        self.tags: list[tuple[Tag, ...]] = []
        self._known: dict[bytes, int] = {}
        self._sized: dict[int, _Sized] = {}
        self._refresh()

    def _refresh(self) -> None:
        self.count = np.array([len(tags) for tags in self.tags], dtype=np.int32)
        ends = [tags[0].name if tags[0].kind == END else -1 for tags in self.tags]
        starts = [tags[-1].name if tags[-1].kind == START else -2 for tags in self.tags]
        self.first = np.array(ends, dtype=np.int16)
        self.last = np.array(starts, dtype=np.int16)

    def numbers_of(self, chunk: bytes, text: Bytes, start: Ints, stop: Ints) -> Array:
        """The numbers of runs that stand there; new ones are learnt on the way.

        Raises:
            UnsureError: one is not plain markup.
        """
        out = np.empty(len(start), dtype=np.int16)
        for at in range(0, len(start), _STEP):  # a step's arrays fit a cache
            part = slice(at, at + _STEP)
            out[part] = self._numbers_of(chunk, text, start[part], stop[part])
        return out

    def _numbers_of(self, chunk: bytes, text: Bytes, start: Ints, stop: Ints) -> Array:
        length = stop - start - 1
        if length.min() < 0 or length.max() >= 8 * _WORDS_MAX:
            raise UnsureError("markup without end")
        size = (length >> 3).astype(np.uint8)
        order = np.argsort(size, kind="stable")
        begin, tail = start.take(order), _TAIL.take((length & 7).take(order))
        number = np.empty(len(start), dtype=np.int16)
        at = 0
        for words, held in enumerate(np.bincount(size).tolist(), start=1):
            if not held:
                continue
            part = slice(at, at + held)
            at += held
            view = np.ndarray((len(text) - 8 * words,), f"V{8 * words}", text.data, strides=(1,))
            found = view[begin[part]].view("<u8").reshape(-1, words)
            found[:, -1] &= tail[part]
            number[part] = self._numbers(chunk, found, begin[part], stop, order[part])
        out = np.empty_like(number)
        out[order] = number
        return out

    def _numbers(self, chunk: bytes, found: Array, start: Ints, stop: Ints, order: Ints) -> Array:
        """The numbers of runs of as many words each."""
        size = found.shape[1]
        known = self._sized.setdefault(size, _Sized(size))
        while True:
            row = known.find(found)
            wrong = known.rows.take(row, axis=0) != found
            if not wrong.any():
                return known.numbers.take(row)
            fresh: dict[int, bytes] = {}
            for i in np.flatnonzero(wrong.any(axis=1))[:20_000].tolist():
                run = chunk[start[i] : stop[order[i]]]
                if run not in self._known:
                    fresh[self._learn(run)] = run
            if not fresh:
                raise UnsureError("two runs of markup have one number")
            known.add(fresh)
            self._refresh()

    def _learn(self, run: bytes) -> int:
        if len(self.tags) >= _RUNS_MAX:
            raise UnsureError("too many runs of markup")
        self.tags.append(self.parsed(run))
        self._known[run] = len(self.tags) - 1
        return len(self.tags) - 1

    def inner(self, run: int, closes: bool, opens: bool) -> list[Tag]:
        """The run's tags without those of a leaf at its begin or end; an empty leaf is one tag."""
        tags = list(self.tags[run])[closes : len(self.tags[run]) - opens]
        out: list[Tag] = []
        for tag in tags:
            before = out[-1] if out else None
            if tag.kind == END and before is not None and before.kind == START:
                if before.name != tag.name:
                    raise UnsureError("an element is closed by another's end")
                out[-1] = Tag(EMPTY, tag.name, before.code, before.index, before.begin, before.stop)
            else:
                out.append(tag)
        return out
