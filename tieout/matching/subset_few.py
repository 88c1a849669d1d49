"""Choices of few items out of many: all sums of half as many against each other.

A choice of up to six out of two hundred is three and three, and there are 1.3 million threes. The
items stand in a fixed order, equal ones beside each other; a choice is cut in its middle, so that
it comes once: everything in its lower part stands before everything in its upper part. Of equal
items only the first so many are taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tieout.matching.subset_form import Form, Steps, Vector

__all__ = ["fits", "solve"]

#: Choices of half the items that may be held.
_HELD: Final = 3 << 19
#: Pairs looked at together.
_BLOCK: Final = 1 << 18
_LOOKUP: Final = 4
_WIDE: Final = 1 << 61

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Parts:
    """All choices of one size, in order of their sums: first and last item, and what was added."""

    sums: Ints
    first: Ints
    last: Ints
    before: Ints


def fits(form: Form, most: int) -> bool:
    """Whether looking at few items costs less than looking at all sums."""
    free = most - len(form.certain)
    units = sum(min(span, max(0, free)) for span in form.open_members())
    half = (min(free, units) + 1) // 2
    held = sum(math.comb(units, size) for size in range(1, half + 1)) if half < 8 else _HELD + 1
    wide = max((abs(value) for value in form.values), default=0) * max(1, half)
    return wide < _WIDE and held <= _HELD and held.bit_length() <= form.bits() // 2


def solve(form: Form, most: int, steps: Steps) -> Iterator[Vector]:
    """All vectors of the form with at most so many items in all, fewer items first.

    Raises:
        Spent: the steps ran out.
    """
    free = most - len(form.certain)
    classes = [
        n for n, count in enumerate(form.open_members()) for _ in range(min(count, max(0, free)))
    ]
    units = np.array([form.values[n] for n in classes], np.int64)
    head = np.array([n == 0 or classes[n] != classes[n - 1] for n in range(len(classes))], bool)
    sizes = [_none()]
    if free >= 0 and not form.amount:
        yield _vector(form, [])
    for size in range(1, min(free, len(classes)) + 1):
        while len(sizes) <= (size + 1) // 2:
            sizes.append(_longer(sizes[-1], units, head, steps))
        low, high = (size + 1) // 2, size // 2
        for one, two in _pairs(sizes[low], sizes[high], form.amount, head, steps):
            chosen = [*_units(sizes[: low + 1], one), *_units(sizes[: high + 1], two)]
            yield _vector(form, [classes[unit] for unit in chosen])


def _vector(form: Form, chosen: list[int]) -> Vector:
    """The classes of the items chosen, counted from where the form counts."""
    members = [0] * len(form.classes)
    for n in chosen:
        members[n] += 1
    return [
        count - fixed if up else fixed - count
        for count, (_, fixed, up) in zip(members, form.classes, strict=True)
    ]


def _none() -> _Parts:
    nothing = np.array([-1], np.int64)
    return _Parts(np.zeros(1, np.int64), nothing, nothing, nothing)


def _longer(parts: _Parts, units: Ints, head: NDArray[np.bool_], steps: Steps) -> _Parts:
    """Every choice with one more item at its end."""
    heads = np.flatnonzero(head)
    start = np.searchsorted(heads, parts.last, side="right")
    counts = len(heads) - start
    total = int(counts.sum())
    steps.take(_LOOKUP * (total + len(parts.sums)))
    before = np.repeat(np.arange(len(parts.sums)), counts)
    offset = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    last = heads[np.repeat(start, counts) + offset]
    # The next of the same class, right after the one before it; a choice may also begin there.
    follow = parts.last + 1
    more = np.flatnonzero((follow < len(units)) & ~head[np.minimum(follow, len(units) - 1)])
    if len(parts.sums) == 1 and parts.last[0] < 0:
        more, follow_last = np.zeros(int((~head).sum()), np.int64), np.flatnonzero(~head)
    else:
        follow_last = follow[more]
    before, last = np.concatenate([before, more]), np.concatenate([last, follow_last])
    sums = parts.sums[before] + units[last]
    order = np.argsort(sums, kind="stable")
    before, last, sums = before[order], last[order], sums[order]
    begun = parts.first[before]
    return _Parts(sums, np.where(begun < 0, last, begun), last, before)


def _pairs(
    lower: _Parts, upper: _Parts, target: int, head: NDArray[np.bool_], steps: Steps
) -> Iterator[tuple[int, int]]:
    """Which lower and upper parts make a choice with the sum, as places in their lists."""
    whole = np.flatnonzero(head[lower.first])
    steps.take(_LOOKUP * len(whole))
    wanted = target - lower.sums[whole]
    start = np.searchsorted(upper.sums, wanted)
    counts = np.searchsorted(upper.sums, wanted, side="right") - start
    hit = np.flatnonzero(counts)
    ends = np.cumsum(counts[hit])
    at = 0
    while at < len(hit):
        done = int(ends[at - 1]) if at else 0
        stop = max(at + 1, int(np.searchsorted(ends, done + _BLOCK, side="right")))
        some = hit[at:stop]
        steps.take(_LOOKUP * int(counts[some].sum()))
        one = np.repeat(whole[some], counts[some])
        run = np.arange(len(one)) - np.repeat(ends[at:stop] - counts[some] - done, counts[some])
        two = np.repeat(start[some], counts[some]) + run
        last, first = lower.last[one], upper.first[two]
        sound = (first < 0) | ((first > last) & (head[first] | (first == last + 1)))
        for n in np.flatnonzero(sound).tolist():
            yield int(one[n]), int(two[n])
        at = stop


def _units(sizes: list[_Parts], place: int) -> list[int]:
    """The items of a choice."""
    units = []
    for parts in reversed(sizes[1:]):
        units.append(int(parts.last[place]))
        place = int(parts.before[place])
    return units
