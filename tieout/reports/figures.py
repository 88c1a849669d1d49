"""Figures and sentences every rendering of the report shares: shares, sums, headline, subline.

Percentages are floored to a tenth by integer arithmetic, so 100 % is only ever said of
everything; sums never mix currencies.

>>> percent(9999, 10000)
'99.9 %'
>>> percent(0, 0)
'–'
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Final, Protocol

from tieout.money import format_amount
from tieout.reports.model import AccountTieOut, DayReport, ExceptionRow, FileRow, Status
from tieout.reports.plain import clip

__all__ = [
    "STATUS_WORDS",
    "counted",
    "exception_counts",
    "file_counts",
    "gross_by_currency",
    "headline",
    "instant",
    "kind_words",
    "long_day",
    "matched_by_currency",
    "matched_counts",
    "oldest_first",
    "percent",
    "said_iban",
    "signed",
    "tied_count",
    "troubles",
    "with_currency",
    "worst_first",
]

STATUS_WORDS: Final[dict[Status, str]] = {
    "tied": "Tied out",
    "explained": "Explained",
    "broken": "Broken",
    "no_statement": "No statement",
}

_FILE_RANKS: Final = ("quarantined", "staged", "duplicate")
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


class _Amount(Protocol):
    @property
    def amount_minor(self) -> int: ...
    @property
    def currency(self) -> str: ...


def percent(part: int, whole: int) -> str:
    """``part`` of ``whole`` with one decimal, floored; an en dash when there is no whole."""
    if whole == 0:
        return "–"
    tenths = part * 1000 // whole
    return "100 %" if tenths == 1000 else f"{tenths // 10}.{tenths % 10} %"


def counted(count: int, singular: str, plural: str = "") -> str:
    """``1 entry``, ``2 entries``, ``no entries``."""
    words = plural or singular + "s"
    return (
        f"{count:,} {singular}" if count == 1 else f"{count:,} {words}" if count else f"no {words}"
    )


def with_currency(minor: int, currency: str) -> str:
    """``1,234.50 EUR``."""
    return f"{format_amount(minor, currency)} {currency}"


def signed(minor: int, currency: str) -> str:
    """``+1,234.50``, ``-0.50``, ``0.00``."""
    return f"{'+' if minor > 0 else ''}{format_amount(minor, currency)}"


def long_day(on: date) -> str:
    """``Friday, 20 November 2026``, whatever the process' locale."""
    return f"{_DAYS[on.weekday()]}, {on.day} {_MONTHS[on.month - 1]} {on.year}"


def instant(at: datetime) -> str:
    """``2026-11-21 05:30 UTC`` (or the numeric offset)."""
    offset = at.strftime("%z")
    zone = "UTC" if offset == "+0000" else f"{offset[:3]}:{offset[3:5]}"
    return f"{at:%Y-%m-%d %H:%M} {zone}"


def said_iban(iban: str) -> str:
    """An IBAN in groups of four; other account numbers as they are."""
    if len(iban) < 15 or not iban[:2].isalpha() or not iban.isalnum():
        return iban
    return " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))


def tied_count(report: DayReport) -> int:
    """Accounts whose unexplained difference is zero (tied or explained)."""
    return sum(account.unexplained_minor == 0 for account in report.accounts)


def headline(report: DayReport) -> str:
    """The day in one sentence."""
    tied, all_ = tied_count(report), len(report.accounts)
    if all_ == 0:
        return "No bank accounts to tie out"
    if all_ == 1:
        return "The account ties out to the cent" if tied else "The account does not tie out"
    return f"{'All' if tied == all_ else f'{tied} of'} {all_} accounts tie out to the cent"


def troubles(report: DayReport) -> list[tuple[str, str]]:
    """Account code and one sentence for each account that does not tie out."""
    return [(a.code, _trouble(a)) for a in report.accounts if a.unexplained_minor != 0]


def _trouble(account: AccountTieOut) -> str:
    if account.unexplained_minor is None:
        said = "the bank has sent no statement."
    else:
        said = f"{with_currency(account.unexplained_minor, account.currency)} unexplained."
    return f"{said} {clip(account.remark, 240)}".rstrip()


def oldest_first(rows: Iterable[ExceptionRow]) -> tuple[ExceptionRow, ...]:
    """Exceptions in the order a person should take them: age, then account and id."""
    return tuple(sorted(rows, key=lambda row: (-row.age_days, row.account_code, row.exception_id)))


def worst_first(files: Iterable[FileRow]) -> tuple[FileRow, ...]:
    """Quarantined files first, then staged, duplicate, all others; by name within a state."""
    return tuple(sorted(files, key=lambda row: (_file_rank(row.state), row.state, row.name)))


def file_counts(files: Iterable[FileRow]) -> str:
    """``5 recorded, 1 duplicate, 1 quarantined``: counts by state, most first."""
    counts = Counter(row.state for row in files)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{count:,} {state}" for state, count in ordered)


def _file_rank(state: str) -> int:
    return _FILE_RANKS.index(state) if state in _FILE_RANKS else len(_FILE_RANKS)


def kind_words(kind: str) -> str:
    """A code for people: ``bank_charges`` is ``Bank charges``."""
    words = kind.replace("_", " ")
    return words[:1].upper() + words[1:]


def matched_counts(report: DayReport) -> tuple[int, int]:
    """Matched entries and all entries, over all accounts."""
    matched = sum(account.rates.matched_count for account in report.accounts)
    return matched, sum(account.rates.entries_count for account in report.accounts)


def matched_by_currency(report: DayReport) -> dict[str, tuple[int, int]]:
    """Matched and total value (absolute, minor units) for each currency, in order of code."""
    sums: dict[str, tuple[int, int]] = {}
    for account in sorted(report.accounts, key=lambda each: each.currency):
        part, whole = sums.get(account.currency, (0, 0))
        sums[account.currency] = (
            part + account.rates.matched_value_minor,
            whole + account.rates.entries_value_minor,
        )
    return sums


def gross_by_currency(rows: Iterable[_Amount]) -> dict[str, int]:
    """Sum of absolute amounts for each currency, in order of code."""
    sums: dict[str, int] = {}
    for row in sorted(rows, key=lambda each: each.currency):
        sums[row.currency] = sums.get(row.currency, 0) + abs(row.amount_minor)
    return sums


def exception_counts(report: DayReport) -> dict[str, int]:
    """Open exceptions for each account code."""
    counts = {account.code: 0 for account in report.accounts}
    for row in report.exceptions:
        counts[row.account_code] = counts.get(row.account_code, 0) + 1
    return counts
