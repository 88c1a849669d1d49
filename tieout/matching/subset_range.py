"""Every sum that can be reached, as bits of one large number, class by class.

Adding a class shifts the number; how many classes there are hardly matters, only how far the sums
go. From the numbers kept for each class every way to the target is walked back without a step in
vain, so the walk ends exactly when all ways are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tieout.matching.subset_form import Form, Steps, Vector

__all__ = ["cost", "fits", "solve"]

#: 64-bit words that may be held.
_WORDS: Final = 1 << 23
#: Words a step goes through.
_AT_ONCE: Final = 16


def fits(form: Form) -> bool:
    """Whether the reachable sums of all classes may be held."""
    return len(form.weights) * (form.target // 64 + 1) <= _WORDS


def cost(form: Form) -> int:
    """How many steps it will take, about."""
    return 3 * len(form.weights) * (form.target // (64 * _AT_ONCE) + 1)


def solve(form: Form, steps: Steps) -> Iterator[Vector]:
    """All vectors of the form, those of the smallest weights first.

    Raises:
        Spent: the steps ran out.
    """
    classes, target = len(form.weights), form.target
    words = target // (64 * _AT_ONCE) + 1
    mask = (1 << target + 1) - 1
    reached = [1]
    if not target:
        yield [0] * classes
    for depth, (weight, span) in enumerate(zip(form.weights, form.spans, strict=True), start=1):
        # Ways whose last class is this one; without those the same ways would come again.
        for k in range(1, span + 1):
            rest = target - k * weight
            if rest < 0:
                break
            steps.take(words)
            if reached[depth - 1] >> rest & 1:
                yield from _walk(form, reached, depth - 1, rest, k, steps)
        now, left, count = reached[-1], span if weight else 0, 1
        while left:
            count = min(count, left)
            if count * weight > target:
                break
            steps.take(3 * words)
            now |= now << count * weight & mask
            left -= count
            count *= 2
        reached.append(now)


def _walk(
    form: Form, reached: list[int], depth: int, rest: int, last: int, steps: Steps
) -> Iterator[Vector]:
    """The ways to the rest with the first ``depth`` classes, then ``last`` of the one after."""
    words = form.target // (64 * _AT_ONCE) + 1
    tail = [last] + [0] * (len(form.weights) - depth - 1)
    stack: list[tuple[int, int, tuple[int, ...]]] = [(depth, rest, ())]
    while stack:
        at, left, taken = stack.pop()
        if not at:
            yield [*taken, *tail]
            continue
        weight, span = form.weights[at - 1], form.spans[at - 1]
        most = min(span, left // weight) if weight else span
        for k in range(most, -1, -1):
            steps.take(words)
            if reached[at - 1] >> (left - k * weight) & 1:
                stack.append((at - 1, left - k * weight, (k, *taken)))
