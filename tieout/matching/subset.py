"""Which open items add up to a payment when nothing else says so: exact subset search.

The answer is only *unique* when it is proven that no other choice of items has the same sum; the
first hit is never enough, and one of two equal items is never a unique choice. All in whole minor
units, signed (a credit note is negative). The work is counted in steps, never by the clock, so the
same question has the same answer everywhere; where the steps run out the answer says so.

What is asked is first made small (`tieout.matching.subset_form`), then looked through:

* up to twenty items: all sums of one half against all sums of the other, in plain Python;
* few items per solution: all sums of few against each other (`subset_few`);
* else two halves of the smallest amounts below a search through the larger ones
  (`subset_halves`), and where sums lie in a moderate range, every sum that can be reached
  (`subset_range`).

Two hundred open invoices and a payment of twenty: almost always many choices have that sum, and
two of them are found at once. Whether *one* is right is then for a key to say, not for sums.

Example::

    search(7, [1, 2, 5])          # Answer(kind='unique', solutions=((1, 2),), count=1, …)
    search(5, [5, 5, 3]).kind     # 'several': one of two equal items
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from tieout.matching import subset_few, subset_halves, subset_range
from tieout.matching.subset_form import Collector, Form, Spent, Steps, Vector, reduce

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Amounts = Sequence[int] | NDArray[np.int64]

__all__ = ["EFFORT", "Answer", "least_steps", "margin", "search", "search_each"]

#: Steps a search may take; about a second on a common machine, at worst.
EFFORT: Final = 1 << 26
#: Up to so many items are looked through in plain Python.
_PLAIN: Final = 20
#: The first, cheap look: sums a half may have (2 to this power), and its share of the steps.
_GLANCE: Final = 12
_GLANCE_STEPS: Final = 1 << 22
#: Sums a half may have at most: 2 to this power.
_HALF: Final = 20

Kind = Literal["unique", "several", "none", "unfinished"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of the choices that have the sum.

    Attributes:
        kind: unique (exactly one choice), several (more than one), none, or unfinished (the steps
            ran out first; at most one choice was seen by then).
        solutions: the choices, each the ordered positions of its items; shorter ones first; at
            most as many as asked for.
        count: how many choices there are, or were seen; at most 2^63 - 1.
        complete: whether ``count`` is all of them; otherwise there are at least so many.
        steps: the work it took.
    """

    kind: Kind
    solutions: tuple[tuple[int, ...], ...]
    count: int
    complete: bool
    steps: int


def search(
    target: int,
    amounts: Amounts,
    *,
    most: int | None = None,
    solutions_max: int = 8,
    effort: int = EFFORT,
) -> Answer:
    """All choices of at least one item whose amounts add up to the target.

    Args:
        target: the sum, in minor units, signed.
        amounts: of the items, in minor units, signed, in any order.
        most: items a choice may have; any number when not given. What is unique among small
            choices may not be unique among all.
        solutions_max: choices to list, at least two.
        effort: steps it may take.

    Returns:
        The answer; the order of the amounts changes nothing in it but the positions.
    """
    values = list(map(int, amounts))
    size = len(values) if most is None else min(most, len(values))
    listed = max(2, solutions_max)
    if len(values) <= _PLAIN:
        return _plain(int(target), values, size, listed)
    steps = Steps(effort)
    try:
        form = reduce(int(target), values, steps)
    except Spent:
        return Answer("unfinished", (), 0, False, steps.taken)
    if form is None:
        return Answer("none", (), 0, True, steps.taken)
    return _look(form, size, listed, steps)


def search_each(
    questions: Iterable[tuple[int, Amounts]],
    *,
    most: int | None = None,
    solutions_max: int = 8,
    effort: int = EFFORT,
) -> list[Answer]:
    """`search` for each (target, amounts), each with an effort of its own; in their order."""
    return [
        search(target, amounts, most=most, solutions_max=solutions_max, effort=effort)
        for target, amounts in questions
    ]


def margin(amounts: Amounts, *, most: int | None = None) -> int:
    """How much a unique choice is worth: by how many bits there are more sums than choices.

    Among amounts without any relation to the target, about ``2 ** -margin`` choices have it by
    chance. From about 10 a unique choice is hardly an accident; at 0 or below it well may be one.

    Args:
        amounts: of the items, in minor units, signed.
        most: items a choice may have.
    """
    values = list(map(int, amounts))
    size = len(values) if most is None else min(most, len(values))
    divisor = math.gcd(*values)
    if not divisor:
        return -len(values)
    up = sum(sorted((v for v in values if v > 0), reverse=True)[:size])
    down = sum(sorted(v for v in values if v < 0)[:size])
    choices = 1 << size
    if size < len(values):
        choices = sum(math.comb(len(values), n) for n in range(size + 1))
    return ((up - down) // divisor + 1).bit_length() - choices.bit_length()


def least_steps(count: int) -> int:
    """What a search through so few items takes, where none of their choices has the sum."""
    half = count // 2
    return (1 << half) + (1 << (count - half))


def _plain(target: int, values: list[int], most: int, listed: int) -> Answer:
    """Both halves' sums in full; a sum's place in its list says which items are in it."""
    order = sorted(range(len(values)), key=lambda i: (values[i], i))
    half = len(order) // 2
    left, right = [0], [0]
    for at in order[:half]:
        left += [s + values[at] for s in left]
    for at in order[half:]:
        right += [s + values[at] for s in right]
    steps = least_steps(len(order))
    wanted: dict[int, list[int]] = {}
    for mask, total in enumerate(left):
        wanted.setdefault(target - total, []).append(mask)
    found: list[tuple[int, ...]] = []
    complete = True
    for high, total in enumerate(right):
        if total not in wanted:
            continue
        for low in wanted[total]:
            mask = low | high << half
            steps += 1
            if 0 < mask.bit_count() <= most:
                found.append(tuple(sorted(at for n, at in enumerate(order) if mask >> n & 1)))
        if len(found) > listed:
            complete = high == len(right) - 1
            break
    return _answer(found, len(found), complete, listed, steps)


def _look(form: Form, most: int, listed: int, steps: Steps) -> Answer:
    """One way after the other; the first that gets to an end, or to enough, answers."""
    seen = Collector(form, most, listed, steps)
    for way, share in _ways(form, most, steps):
        now = Collector(form, most, listed, steps)
        steps.allow(share)
        try:
            complete = now.all_of(way)
        except Spent:
            seen = max(seen, now, key=lambda c: c.count)
            if seen.count > 1:
                break
            continue
        return _answer(now.choices, now.count, complete, listed, steps.taken)
    if seen.count > 1:
        return _answer(seen.choices, seen.count, False, listed, steps.taken)
    return Answer("unfinished", tuple(seen.choices), seen.count, False, steps.taken)


def _ways(form: Form, most: int, steps: Steps) -> Iterator[tuple[Iterator[Vector], int]]:
    """The ways to look, and the steps each may take; only the first one is not exhaustive."""
    if subset_few.fits(form, most):
        yield subset_few.solve(form, most, steps), steps.limit
        return
    bits = form.bits()
    if bits > 2 * _GLANCE:
        few = most < sum(len(ats) for ats, _, _ in form.classes) + len(form.certain)
        size = max(1, most - len(form.certain)) if few else 0
        yield subset_halves.solve(form, steps, _GLANCE + 2 * few, size), _GLANCE_STEPS
    half = min(_HALF, (bits + 1) // 2)
    if subset_range.fits(form) and (bits > 2 * half or subset_range.cost(form) < 8 << half):
        yield subset_range.solve(form, steps), steps.limit
    yield subset_halves.solve(form, steps, half), steps.limit


def _answer(
    choices: list[tuple[int, ...]], count: int, complete: bool, listed: int, steps: int
) -> Answer:
    kind: Kind = "several" if count > 1 else "unique" if count else "none"
    ordered = sorted(choices[:listed], key=lambda c: (len(c), c))
    return Answer(kind, tuple(ordered), count, complete, steps)
