"""Precision: which share of what the ladder confirmed is right, and how sure that is.

Two sources: matches people undid, and matches drawn for people to judge (`tieout audit-sample`).
A match undone is known to be wrong; of those nobody undid, the sample tells. So the estimate is the
share nobody undid times the share judged right, with Wilson's 95 % interval of the latter. Where
nobody judged, the share nobody undid is only the most it can be, and said so. Rungs together weigh
by what they confirmed.

>>> Precision(confirmed=1000, undone=10, right=40, wrong=0).point
Decimal('0.9900')
>>> Precision(confirmed=1000, undone=10, right=40, wrong=0).interval
(Decimal('0.9032'), Decimal('0.9900'))
>>> said(Precision(confirmed=1000, undone=10, right=0, wrong=0))
'at most 99.0 %'
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, localcontext
from typing import Final

__all__ = ["Precision", "across", "pooled", "said", "wilson"]

#: Two-sided 95 % of the normal distribution.
_Z: Final = Decimal("1.959963984540054")
_STEP: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Precision:
    """Counts of matches the ladder confirmed by itself.

    Attributes:
        confirmed: all of them that stand, and those people undid.
        undone: those people undid as wrong, without those they had judged before.
        right: judged right, and not undone since.
        wrong: judged wrong, or judged and undone.
        strata: the rungs it is of, where it is of several: a rare rung is drawn more often than
            its share, so each counts by what it confirmed, not by how many of it were judged.
    """

    confirmed: int = 0
    undone: int = 0
    right: int = 0
    wrong: int = 0
    strata: tuple[Precision, ...] = ()

    @property
    def judged(self) -> int:
        """How many people judged."""
        return self.right + self.wrong

    @property
    def point(self) -> Decimal | None:
        """The estimate, floored to four decimals; None where the ladder confirmed nothing."""
        if not self.confirmed:
            return None
        with localcontext(Context(prec=40)):
            return _estimate(self)[0].quantize(_STEP, ROUND_FLOOR)

    @property
    def interval(self) -> tuple[Decimal, Decimal] | None:
        """The 95 % interval, rounded outwards; None where nobody judged."""
        if not self.confirmed or not self.judged:
            return None
        with localcontext(Context(prec=40)):
            _, low, high = _estimate(self)
            return low.quantize(_STEP, ROUND_FLOOR), high.quantize(_STEP, ROUND_CEILING)


def _estimate(known: Precision) -> tuple[Decimal, Decimal, Decimal]:
    """Estimate, lower and upper bound of something confirmed, at the caller's precision.

    Of several rungs: the mean of theirs, weighted by what they confirmed, and the distances of
    their bounds added as squares (the method of variance estimates recovery). A rung that nobody
    judged may be anything.
    """
    if not known.strata:
        share = Decimal(known.confirmed - known.undone) / known.confirmed
        if not known.judged:
            return share, Decimal(0), share
        low, high = wilson(known.right, known.judged)
        return share * known.right / known.judged, share * low, share * high
    point = below = above = Decimal(0)
    for part in known.strata:
        own, low, high = _estimate(part)
        # Divided at the end: thirds of everything are everything.
        point += part.confirmed * own
        below += (part.confirmed * (own - low)) ** 2
        above += (part.confirmed * (high - own)) ** 2
    point /= known.confirmed
    low, high = point - below.sqrt() / known.confirmed, point + above.sqrt() / known.confirmed
    return point, max(low, Decimal(0)), min(high, Decimal(1))


def wilson(right: int, judged: int) -> tuple[Decimal, Decimal]:
    """Wilson's score interval of ``right`` among ``judged`` (at least one), at 95 %.

    >>> [str(round(bound, 4)) for bound in wilson(9, 10)]
    ['0.5958', '0.9821']
    """
    with localcontext(Context(prec=40)):
        count, share, square = Decimal(judged), Decimal(right) / judged, _Z * _Z
        centre = share + square / (2 * count)
        spread = _Z * ((share * (1 - share) + square / (4 * count)) / count).sqrt()
        whole = 1 + square / count
        low = Decimal(0) if right == 0 else (centre - spread) / whole
        high = Decimal(1) if right == judged else (centre + spread) / whole
        return low, high


def pooled(parts: Iterable[Precision]) -> Precision:
    """One rung's counts on several accounts."""
    rows = list(parts)
    return Precision(
        sum(p.confirmed for p in rows),
        sum(p.undone for p in rows),
        sum(p.right for p in rows),
        sum(p.wrong for p in rows),
    )


def across(rungs: Iterable[Precision]) -> Precision:
    """Several rungs together, each by what it confirmed."""
    rows = tuple(p for p in rungs if p.confirmed)
    return replace(pooled(rows), strata=rows if len(rows) > 1 else ())


def said(precision: Precision | None) -> str:
    """For people: ``99.0 % (90.3 to 99.0 %)``; an en dash where there is nothing to say."""
    if precision is None or precision.point is None:
        return "–"
    point, interval = precision.point, precision.interval
    if interval is None and not precision.undone:
        return "not audited"
    if interval is None:
        return f"at most {_tenths(point, ROUND_FLOOR)} %"
    low, high = _tenths(interval[0], ROUND_FLOOR), _tenths(interval[1], ROUND_CEILING)
    return f"{_tenths(point, ROUND_FLOOR)} % ({low} to {high} %)"


def _tenths(share: Decimal, rounding: str) -> str:
    percent = (share * 100).quantize(Decimal("0.1"), rounding)
    return "100" if percent == 100 else str(percent)
