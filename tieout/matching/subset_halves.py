"""Sums in two halves below a search through the larger amounts.

The smallest classes make two halves; all sums of each are held in order, so that what the larger
ones leave over is looked up in one sweep. The larger ones are gone through one by one, within what
the rest can still reach and what its common divisor allows, first towards the middle of the
halves' reach, where sums lie densest: two choices, where there are many, are found at once.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tieout.matching.subset_form import Form, Steps, Vector

__all__ = ["solve"]

#: What looking a number up costs, in steps; a node of the search.
_LOOKUP: Final = 4
_NODE: Final = 128
_WIDE: Final = 1 << 62

#: How many of the first class above the halves, then the same for those after it.
_Way = tuple[()] | tuple[int, "_Way"]


class _Half:
    """All sums of some classes, class by class; from them each way to a sum."""

    def __init__(self, weights: list[int], spans: list[int], steps: Steps) -> None:
        self.weights = weights
        self.spans = spans
        self.levels: list[NDArray[np.int64]] = [np.zeros(1, np.int64)]
        for weight, span in zip(weights, spans, strict=True):
            last = self.levels[-1]
            steps.take(len(last) * (span + 1))
            several = np.concatenate([last + k * weight for k in range(span + 1)])
            several.sort(kind="stable")  # runs in order: merged
            keep = np.empty(len(several), bool)
            keep[0] = True
            np.not_equal(several[1:], several[:-1], out=keep[1:])
            self.levels.append(several[keep])

    @property
    def sums(self) -> NDArray[np.int64]:
        return self.levels[-1]

    def ways(self, total: int, steps: Steps) -> Iterator[list[int]]:
        """How many of each class, in every way that gives the sum; no way is tried in vain."""
        stack: list[tuple[int, int, list[int]]] = [(len(self.weights), total, [])]
        while stack:
            depth, rest, taken = stack.pop()
            if not depth:
                yield taken
                continue
            steps.take(_NODE)
            level, weight = self.levels[depth - 1], self.weights[depth - 1]
            for k in range(self.spans[depth - 1], -1, -1):
                below = rest - k * weight
                at = int(np.searchsorted(level, below))
                if at < len(level) and level[at] == below:
                    stack.append((depth - 1, below, [k, *taken]))


def solve(form: Form, steps: Steps, bits: int, size: int = 0) -> Iterator[Vector]:
    """All vectors of the form, one after the other.

    Args:
        form: what is asked.
        steps: counts the work.
        bits: a half has at most 2 to this power sums.
        size: how many items to spend if possible; the halves are then made of amounts around an
            even share of the target instead of the smallest.

    Raises:
        Spent: the steps ran out.
    """
    begin = 0
    if size:
        begin = bisect_left(form.weights, form.target // size)
        begin = max(0, min(begin - bits, len(form.weights) - 2 * bits))
    end = min(len(form.weights), begin + 2 * bits)
    order = [*range(begin, end), *range(begin), *range(end, len(form.weights))]
    moved = replace(
        form,
        weights=tuple(form.weights[n] for n in order),
        spans=tuple(form.spans[n] for n in order),
    )
    for vector in _solve(moved, steps, bits):
        back = [0] * len(order)
        for n, taken in zip(order, vector, strict=True):
            back[n] = taken
        yield back


def _solve(form: Form, steps: Steps, bits: int) -> Iterator[Vector]:
    where = _split(form, 1 << bits)
    low = len(where[0]) + len(where[1])
    halves = [
        _Half([form.weights[n] for n in part], [form.spans[n] for n in part], steps)
        for part in where
    ]
    reach = sum(form.weights[n] * form.spans[n] for n in range(low))
    for rest, above in _above(form, low, reach, steps):
        for left, right in _meet(halves[0].sums, halves[1].sums, rest, steps):
            for one in halves[0].ways(left, steps):
                for two in halves[1].ways(right, steps):
                    vector = [0] * low
                    link = above
                    while link:
                        taken_above, link = link
                        vector.append(taken_above)
                    for part, taken in zip(where, (one, two), strict=True):
                        for n, k in zip(part, taken, strict=True):
                            vector[n] = k
                    yield vector


def _split(form: Form, room: int) -> tuple[list[int], list[int]]:
    """The smallest classes in two halves of at most so many sums each."""
    parts: tuple[list[int], list[int]] = ([], [])
    sizes = [1, 1]
    reach = 0
    for n, (weight, span) in enumerate(zip(form.weights, form.spans, strict=True)):
        reach += weight * span
        side = 0 if sizes[0] <= sizes[1] else 1
        if sizes[side] * (span + 1) > room:
            side = 1 - side
        if sizes[side] * (span + 1) > room or reach >= _WIDE:
            break
        sizes[side] *= span + 1
        parts[side].append(n)
    return parts


def _meet(
    left: NDArray[np.int64], right: NDArray[np.int64], rest: int, steps: Steps
) -> Iterator[tuple[int, int]]:
    """Each sum of the left half with what is missing to the rest, where the right half has it."""
    first = int(np.searchsorted(left, rest - int(right[-1])))
    last = int(np.searchsorted(left, rest, side="right"))
    if first >= last:
        return
    steps.take(_LOOKUP * (last - first))
    wanted = rest - left[first:last]
    at = np.searchsorted(right, wanted)
    hit = np.flatnonzero(right[np.minimum(at, len(right) - 1)] == wanted)
    for n in hit.tolist():
        yield int(left[first + n]), int(wanted[n])


def _above(form: Form, low: int, reach: int, steps: Steps) -> Iterator[tuple[int, _Way]]:
    """Every way through the classes from ``low`` on: what is left for those below, and the way."""
    weights, spans = form.weights[low:], form.spans[low:]
    if not weights:
        yield form.target, ()
        return
    below = [*accumulate((w * s for w, s in zip(weights, spans, strict=True)), initial=reach)]
    divisors = [*accumulate(weights, math.gcd, initial=math.gcd(*form.weights[:low]))]
    stack: list[tuple[int, int, _Way]] = [(len(weights), form.target, ())]
    while stack:
        depth, rest, taken = stack.pop()
        if not depth:
            yield rest, taken
            continue
        weight, under = weights[depth - 1], below[depth - 1]
        least, most = 0, spans[depth - 1]
        if weight:
            least = max(least, -(-(rest - under) // weight))
            most = min(most, rest // weight)
        steps.take(_NODE + max(0, most - least))
        first = max(least, min(most, (rest - reach // 2) // max(weight, 1)))
        divisor = divisors[depth - 1]
        # The last pushed is looked at first.
        for k in (*range(most, first, -1), *range(least, first + 1)):
            left = rest - k * weight
            if k <= most and (left % divisor == 0 if divisor else left == 0):
                stack.append((depth - 1, left, (k, taken)))
