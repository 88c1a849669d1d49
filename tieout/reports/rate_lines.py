"""The rates as lines of text every rendering shows: all accounts, each account, each rung."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from tieout.reports import precision
from tieout.reports.figures import kind_words, percent
from tieout.reports.model import DayReport
from tieout.reports.rates import Rates

__all__ = ["RateLine", "lines_of", "rate_lines", "rung_words"]

#: Code, currency and rates of an account.
Account = tuple[str, str, Rates]

_RUNGS: Final = {"manual": "By hand", "own_posting": "Our own postings"}


@dataclass(frozen=True, slots=True)
class RateLine:
    """One line: what it is of, and the four rates with the counts behind them.

    Attributes:
        value: shares by currency, ``61.2 %`` or ``61.2 % EUR, 3.0 % USD``.
    """

    kind: Literal["all", "account", "rung"]
    name: str
    entries: str
    count: str
    value: str
    items: str
    item_share: str
    precision: str


def rung_words(rung: str) -> str:
    """A rung's name for people."""
    return _RUNGS.get(rung, kind_words(rung))


def rate_lines(report: DayReport) -> tuple[RateLine, ...]:
    """The lines of a report."""
    return lines_of([(a.code, a.currency, a.rates) for a in report.accounts])


def lines_of(accounts: Sequence[Account]) -> tuple[RateLine, ...]:
    """All accounts (where there are several), each account, then each rung over all accounts.

    Accounts on which there was nothing to match are left out.

    Args:
        accounts: code, currency and rates of each.
    """
    accounts = [a for a in accounts if a[2].entries_count or a[2].items_count or a[2].rungs]
    lines = [_account("all", "All accounts", accounts)] if len(accounts) > 1 else []
    lines += [_account("account", a[0], (a,)) for a in accounts]
    return (*lines, *_rungs(accounts))


def _account(kind: Literal["all", "account"], name: str, accounts: Sequence[Account]) -> RateLine:
    rates = [rates for _, _, rates in accounts]
    matched, entries = sum(r.matched_count for r in rates), sum(r.entries_count for r in rates)
    items, all_items = (
        sum(r.items_matched_count for r in rates),
        sum(r.items_count for r in rates),
    )
    known = _known(rates)
    return RateLine(
        kind,
        name,
        f"{matched:,} of {entries:,}",
        percent(matched, entries),
        _shares(accounts, lambda rates: rates.matched_value_minor),
        f"{items:,} of {all_items:,}" if all_items else "",
        percent(items, all_items),
        precision.said(precision.across(known.values()) if known else None),
    )


def _known(rates: Sequence[Rates]) -> dict[str, precision.Precision]:
    """What is known of each rung, over the accounts."""
    rungs: dict[str, list[precision.Precision]] = {}
    for row in (row for own in rates for row in own.rungs):
        if row.precision is not None:
            rungs.setdefault(row.rung, []).append(row.precision)
    return {rung: precision.pooled(parts) for rung, parts in sorted(rungs.items())}


def _rungs(accounts: Sequence[Account]) -> list[RateLine]:
    """Each rung that matched something or whose precision is known; the most entries first."""
    all_ = [rates for _, _, rates in accounts]
    entries = sum(rates.entries_count for rates in all_)
    items = sum(rates.items_count for rates in all_)
    found: dict[str, tuple[int, int]] = {}
    for rates in all_:
        for row in rates.rungs:
            so_far = found.get(row.rung, (0, 0))
            found[row.rung] = (so_far[0] + row.entries_count, so_far[1] + row.items_count)
    ordered = sorted(found, key=lambda rung: (-found[rung][0], -found[rung][1], rung))
    known = _known(all_)
    lines = []
    for rung in ordered:
        count, own_items = found[rung]
        lines.append(
            RateLine(
                "rung",
                rung_words(rung),
                f"{count:,}",
                percent(count, entries),
                _shares(accounts, partial(_value, rung), all_=False),
                f"{own_items:,}",
                percent(own_items, items),
                precision.said(known.get(rung)),
            )
        )
    return lines


def _value(rung: str, rates: Rates) -> int:
    return sum(row.value_minor for row in rates.rungs if row.rung == rung)


def _shares(accounts: Sequence[Account], part: Callable[[Rates], int], *, all_: bool = True) -> str:
    """Shares by currency; without ``all_`` only of those where there is something to say."""
    sums: dict[str, tuple[int, int]] = {}
    for _, currency, rates in sorted(accounts, key=lambda a: a[1]):
        have, whole = sums.get(currency, (0, 0))
        sums[currency] = (have + part(rates), whole + rates.entries_value_minor)
    several = sum(whole > 0 for _, whole in sums.values()) > 1
    known = {c: pair for c, pair in sums.items() if pair[1] and (all_ or pair[0])}
    if not several:
        return next((percent(*pair) for pair in known.values()), "–")
    return ", ".join(f"{percent(*pair)} {currency}" for currency, pair in known.items()) or "–"
