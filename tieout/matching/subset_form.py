"""A question of sums, made small: equal amounts together, no signs, nothing that cannot matter.

Items of one amount are one class with so many members. Every class gets bounds, how many of it a
choice has at least and at most: an amount that would overshoot even with all that counters it is
out, one without which the rest does not reach is in; this is repeated until nothing changes, and
so also answers "all but a few" at once. What is left is counted from the bounds, so that all
weights are positive, divided by their greatest common divisor, and turned round (what is left out
instead of what is taken) where that makes the target smaller.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, product
from typing import Final

__all__ = ["COUNT_MAX", "Collector", "Form", "Spent", "Steps", "Vector", "reduce"]

#: Choices are counted up to here, so that a count is a 64-bit number.
COUNT_MAX: Final = (1 << 63) - 1
#: What turning one class of a vector into items costs, in steps.
_EACH: Final = 16

#: How many of each class of a form are taken.
Vector = Sequence[int]


class Spent(Exception):  # noqa: N818 - not an error: the answer is "unfinished"
    """The steps allowed are used up."""


class Steps:
    """Counted work.

    Attributes:
        taken: steps so far.
        limit: steps there are in all.
    """

    __slots__ = ("limit", "stop", "taken")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.stop = limit
        self.taken = 0

    @property
    def left(self) -> int:
        """What may still be taken."""
        return max(0, self.limit - self.taken)

    def allow(self, share: int) -> None:
        """Let what follows take so many, and never more than there are."""
        self.stop = min(self.limit, self.taken + share)

    def take(self, count: int) -> None:
        """Say that so much is about to be done.

        Raises:
            Spent: it may not.
        """
        if self.taken + count > self.stop:
            raise Spent
        self.taken += count


@dataclass(frozen=True, slots=True)
class Form:
    """What is left to be found: how many of each class, so that the weights add up to the target.

    Attributes:
        weights: ascending, none negative.
        spans: how many of each class there are to choose from.
        target: what they shall add up to; at most half of all weights.
        classes: per class (positions of its members, fixed, up): ``fixed`` members are in when
            none is taken here; each one taken adds a member where ``up``, else takes one away.
        certain: positions of the members of classes that are in as a whole.
        values: per class the amount of one, signed.
        amount: what the members of the classes, certain ones apart, add up to, signed.
    """

    weights: tuple[int, ...]
    spans: tuple[int, ...]
    target: int
    classes: tuple[tuple[tuple[int, ...], int, bool], ...]
    certain: tuple[int, ...]
    values: tuple[int, ...]
    amount: int

    def open_members(self) -> tuple[int, ...]:
        """How many items of each class a choice may have at most."""
        return tuple(
            fixed + span if up else fixed
            for (_, fixed, up), span in zip(self.classes, self.spans, strict=True)
        )

    def bits(self) -> int:
        """The binary logarithm of how many choices there are, rounded up."""
        return math.ceil(sum(math.log2(span + 1) for span in self.spans))


def reduce(target: int, amounts: list[int], steps: Steps) -> Form | None:
    """The question made small, or None where it is certain that nothing has the sum.

    Raises:
        Spent: there are more amounts than steps.
    """
    steps.take(len(amounts))
    by_value: dict[int, list[int]] = {}
    for at, amount in enumerate(amounts):
        by_value.setdefault(amount, []).append(at)
    values = sorted(by_value, key=lambda v: (abs(v), v))
    members = [tuple(by_value[v]) for v in values]
    bounds = _bounded(target, values, [len(m) for m in members], steps)
    if bounds is None:
        return None
    low, high = bounds
    base = sum(v * (n if v >= 0 else m) for v, n, m in zip(values, low, high, strict=True))
    spread = sum(abs(v) * (m - n) for v, n, m in zip(values, low, high, strict=True))
    rest = target - base
    turned = rest * 2 > spread
    rest = spread - rest if turned else rest
    # Some, and not all, of equal items: still several choices, though of one kind.
    free = [n for n, ats in enumerate(members) if high[n] and low[n] < len(ats)]
    divisor = math.gcd(*(abs(values[n]) for n in free if low[n] < high[n]))
    if rest % divisor if divisor else rest:
        return None
    certain = [at for n, ats in enumerate(members) if low[n] == len(ats) for at in ats]
    classes = []
    for n in free:
        up = (values[n] >= 0) != turned
        classes.append((members[n], low[n] if up else high[n], up))
    return Form(
        tuple(abs(values[n]) // (divisor or 1) for n in free),
        tuple(high[n] - low[n] for n in free),
        rest // (divisor or 1),
        tuple(classes),
        tuple(sorted(certain)),
        tuple(values[n] for n in free),
        target - sum(amounts[at] for at in certain),
    )


def _bounded(
    target: int, values: list[int], sizes: list[int], steps: Steps
) -> tuple[list[int], list[int]] | None:
    """How many of each class at least and at most; None where there is no way."""
    low, high = [0] * len(values), list(sizes)
    least = sum(v * s for v, s in zip(values, sizes, strict=True) if v < 0)
    most = sum(v * s for v, s in zip(values, sizes, strict=True) if v > 0)
    changed = True
    while changed:
        if not least <= target <= most:
            return None
        changed = False
        steps.take(len(values))
        for n, value in enumerate(values):
            if not value or low[n] == high[n]:
                continue
            weight, span = abs(value), high[n] - low[n]
            over = span - min(span, (target - least) // weight)
            under = span - min(span, (most - target) // weight)
            if over + under > span:
                return None
            if not (over or under):
                continue
            changed = True
            most -= weight * over
            least += weight * under
            up = value > 0
            high[n] -= over if up else under
            low[n] += under if up else over
    return low, high


class Collector:
    """Turns vectors into choices of items, counts all and keeps the first few.

    Attributes:
        choices: positions of items, ordered.
        count: choices seen, also those not kept.
    """

    def __init__(self, form: Form, most: int, listed: int, steps: Steps) -> None:
        self.choices: list[tuple[int, ...]] = []
        self.count = 0
        self._form = form
        self._most = most
        self._listed = listed
        self._steps = steps

    def all_of(self, vectors: Iterator[Vector]) -> bool:
        """Take vectors until there are more than are listed; whether these were all."""
        for vector in vectors:
            self._steps.take(_EACH * len(self._form.classes))
            self._add(vector)
            if self.count > self._listed:
                return False
        return True

    def _add(self, vector: Vector) -> None:
        chosen = [
            (ats, fixed + taken if up else fixed - taken)
            for (ats, fixed, up), taken in zip(self._form.classes, vector, strict=True)
        ]
        size = len(self._form.certain) + sum(count for _, count in chosen)
        if not 0 < size <= self._most:
            return
        self.count = min(COUNT_MAX, self.count + _ways(chosen))
        # Only classes that are partly taken have more than one way; product keeps all its
        # arguments, so no more ways of a class are made than can be listed.
        ways = [list(islice(combinations(a, c), self._listed)) for a, c in chosen if c]
        for picked in islice(product(*ways), self._listed - len(self.choices)):
            together = [*self._form.certain, *(at for part in picked for at in part)]
            self.choices.append(tuple(sorted(together)))


def _ways(chosen: list[tuple[tuple[int, ...], int]]) -> int:
    """How many choices take so many of each class, as far as they are counted."""
    ways = 1
    for ats, count in chosen:
        part = 1
        for n in range(min(count, len(ats) - count)):
            part = part * (len(ats) - n) // (n + 1)
            if part > COUNT_MAX:
                break
        ways = min(COUNT_MAX, ways * part)
    return ways
