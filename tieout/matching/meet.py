"""Where two sides meet: equal buckets found by sorting, never by multiplying out.

A *bucket* is a 64-bit hash over everything that must be equal: account and currency, a reference,
an amount. Both sides are sorted by it and merged, so the work is that of two sorts; how many of
each side share a bucket is known before any pair is made, and a crowded bucket makes none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["CROWD", "Meeting", "among", "bucket", "distinct", "meet", "once", "ranges"]

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

#: A bucket is looked into while entries × items stays below this many times entries + items.
CROWD: Final = 64

_FIRST: Final = np.uint64(0x9E3779B97F4A7C15)
_SECOND: Final = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT: Final = np.uint64(31)


def bucket(*parts: npt.NDArray[Any]) -> Codes:
    """One number for rows that agree in all parts; whoever takes a pair compares the parts again.

    Args:
        parts: whole numbers or codes, row by row.
    """
    mixed = _codes(parts[0]) * _FIRST
    for part in parts[1:]:
        mixed ^= mixed >> _SHIFT
        mixed *= _SECOND
        mixed ^= _codes(part)
        mixed *= _FIRST
    mixed ^= mixed >> _SHIFT
    return mixed


def _codes(part: npt.NDArray[Any]) -> Codes:
    """Numbers as codes; the same number is the same code in however few bytes it is kept."""
    wide = part if part.dtype.itemsize == 8 else part.astype("int64")
    return wide.view("uint64")


@dataclass(frozen=True, slots=True)
class Meeting:
    """Buckets that both sides have: where each side's rows of it stand in that side's order.

    ``bank_order`` and ``books_order`` are row numbers sorted by bucket; bucket ``k`` has the rows
    ``bank_order[bank_at[k] : bank_at[k] + bank_count[k]]``, and likewise of the books.
    """

    bank_order: Ints
    books_order: Ints
    bank_at: Ints
    bank_count: Ints
    books_at: Ints
    books_count: Ints

    def __len__(self) -> int:
        return len(self.bank_at)

    def where(self, keep: Flags) -> Meeting:
        """Only the flagged buckets."""
        return Meeting(
            self.bank_order,
            self.books_order,
            self.bank_at[keep],
            self.bank_count[keep],
            self.books_at[keep],
            self.books_count[keep],
        )

    @property
    def single(self) -> Flags:
        """Buckets with one row of each side."""
        alone: Flags = (self.bank_count == 1) & (self.books_count == 1)
        return alone

    @property
    def crowded(self) -> Flags:
        """Buckets with too many of both to be compared one by one."""
        many = self.bank_count.astype("float64") * self.books_count
        crowd: Flags = many > CROWD * (self.bank_count + self.books_count).astype("float64")
        return crowd

    def smallest(self, most: int) -> Flags:
        """The buckets with the fewest pairs, as many as have at most so many pairs together."""
        count = self.bank_count * self.books_count
        ordered = np.sort(count)
        over = np.flatnonzero(np.cumsum(ordered.astype("float64")) > most)
        # Of equally large ones all or none, so that no order of rows decides.
        small: Flags = count < ordered[over[0]] if len(over) else count >= 0
        return small

    def pairs(self) -> tuple[Ints, Ints]:
        """Rows of both sides that share a bucket, each with each."""
        counts = self.bank_count * self.books_count
        total = int(counts.sum())
        of = np.repeat(np.arange(len(self)), counts)
        within = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        left = within // self.books_count[of]
        right = within - left * self.books_count[of]
        return (
            self.bank_order[self.bank_at[of] + left],
            self.books_order[self.books_at[of] + right],
        )

    def pieces(self, most: int) -> Iterator[Meeting]:
        """The buckets, as many at a time as have hardly more than so many pairs together."""
        done = np.cumsum(self.bank_count * self.books_count)
        total, first = int(done[-1]) if len(done) else 0, 0
        if total <= most:
            yield self
            return
        while first < len(done):
            before = int(done[first - 1]) if first else 0
            end = max(first + 1, int(np.searchsorted(done, before + most, side="right")))
            piece = np.zeros(len(done), dtype=bool)
            piece[first:end] = True
            yield self.where(piece)
            first = end

    def bank_rows(self) -> tuple[Ints, Ints]:
        """(bucket number, row of the bank), bucket by bucket."""
        of, at = ranges(self.bank_at, self.bank_count)
        return of, self.bank_order[at]

    def books_rows(self) -> tuple[Ints, Ints]:
        """(bucket number, row of the books), bucket by bucket."""
        of, at = ranges(self.books_at, self.books_count)
        return of, self.books_order[at]


def ranges(at: Ints, count: Ints) -> tuple[Ints, Ints]:
    """All places of several ranges, and which range each is of."""
    of = np.repeat(np.arange(len(at)), count)
    return of, np.repeat(at - (np.cumsum(count) - count), count) + np.arange(int(count.sum()))


def _runs(ordered: Codes) -> tuple[Codes, Ints, Ints]:
    """Distinct values of a sorted array, where each starts and how often it is there."""
    if not len(ordered):
        none = np.zeros(0, dtype="int64")
        return ordered, none, none
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    return ordered[starts], starts, np.diff(np.append(starts, len(ordered)))


def _heads(codes: Codes, bits: int) -> Ints:
    return (codes >> np.uint64(64 - bits)).view("int64")


def _likely(bank: Codes, books: Codes) -> tuple[Ints, Ints]:
    """Rows of each side whose bucket the other side may have, by its first bits.

    Most rows meet nothing, and what meets nothing need not be sorted.
    """
    bits = min(24, max(8, (8 * max(len(bank), len(books))).bit_length()))
    left, right = _heads(bank, bits), _heads(books, bits)
    seen = np.zeros(1 << bits, dtype=bool)
    seen[right] = True
    ours = np.flatnonzero(seen[left])
    seen[right] = False
    seen[left[ours]] = True
    return ours, np.flatnonzero(seen[right])


def among(values: Ints, few: Ints) -> Flags:
    """Which values are some of the few."""
    likely, _ = _likely(bucket(values), bucket(few))
    found = np.zeros(len(values), dtype=bool)
    found[likely] = np.isin(values[likely], few)
    return found


def meet(bank: Codes, books: Codes) -> Meeting:
    """The buckets that both sides have."""
    ours_too, theirs_too = _likely(bank, books)
    bank_order = ours_too[np.argsort(bank[ours_too])]
    books_order = theirs_too[np.argsort(books[theirs_too])]
    left, left_at, left_count = _runs(bank[bank_order])
    right, right_at, right_count = _runs(books[books_order])
    if not len(left) or not len(right):
        none = np.zeros(0, dtype="int64")
        return Meeting(bank_order, books_order, none, none, none, none)
    if len(left) <= len(right):
        at = np.minimum(np.searchsorted(right, left), len(right) - 1)
        ours = np.flatnonzero(right[at] == left)
        theirs = at[ours]
    else:
        at = np.minimum(np.searchsorted(left, right), len(left) - 1)
        theirs = np.flatnonzero(left[at] == right)
        ours = at[theirs]
    return Meeting(
        bank_order,
        books_order,
        left_at[ours],
        left_count[ours],
        right_at[theirs],
        right_count[theirs],
    )


def once(values: Ints, size: int) -> Flags:
    """Whether each of the values stands there only once (values are below ``size``)."""
    counted: Flags = np.bincount(values, minlength=size)[values] == 1
    return counted


def distinct(uid: Ints, iid: Ints, at: Ints) -> tuple[Ints, Ints, Ints]:
    """Pairs once each, however many references they share."""
    if not len(uid):
        return uid, iid, at
    many = np.bincount(uid)[uid] > 1  # only these can be there twice
    some = np.flatnonzero(many)
    if not len(some):
        return uid, iid, at
    size = np.int64(iid.max() + 1)
    both = uid[some] * size + iid[some]
    order = np.argsort(both)
    both = both[order]
    firsts = np.flatnonzero(np.append(True, both[1:] != both[:-1]))
    least = np.minimum.reduceat(at[some][order], firsts)
    twice, item = np.divmod(both[firsts], size)
    return (
        np.concatenate([uid[~many], twice]),
        np.concatenate([iid[~many], item]),
        np.concatenate([at[~many], least]),
    )
