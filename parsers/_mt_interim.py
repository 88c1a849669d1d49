"""What only MT942 has: floor limits ``:34F:``, its time ``:13D:``, sums ``:90D: :90C:``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from parsers._mt_entry import year_of
from parsers._mtfields import Field
from parsers._rows import Rows
from parsers._text import clean
from parsers._values import amount, instant
from tieout.money import is_currency

__all__ = ["Interim", "moment"]

_FLOOR = re.compile(r"\s*([A-Z]{3})\s*([CD])?\s*(\d[\d.,]*)\s*", re.ASCII)
_SUM = re.compile(r"\s*(\d{1,9})\s*([A-Z]{3})\s*(\d[\d.,]*)\s*", re.ASCII)
_TIME = re.compile(r"\s*(\d{6})\s*(\d\d)(\d\d)(?:\s*([+-]\d{4}))?\s*", re.ASCII)
_SIDE: Final = {"90D": "D", "90C": "C"}
_NAME: Final = {"D": "debit", "C": "credit"}

Count = tuple[int, Decimal]


def moment(text: str) -> datetime | None:
    """``:13D:`` (YYMMDDHHMM and the offset) or the older ``:13:`` as an instant, or None.

    >>> moment("1701191815+0100").isoformat(), moment("1713321815+0100")
    ('2017-01-19T17:15:00+00:00', None)
    """
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    day = f"{year_of(found[1][:2]):04}-{found[1][2:4]}-{found[1][4:]}"
    return instant(f"{day}T{found[2]}:{found[3]}:00{found[4] or 'Z'}")


@dataclass(slots=True)
class Interim:
    """Floor limits and sums of one report, and the tallies of its entries to check them by."""

    floors: int = 0
    sums: dict[str, Count] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    tallies: dict[tuple[str, bool, bool], Count] = field(default_factory=dict)

    def floor(self, found: Field, currency: str | None, rows: Rows) -> str | None:
        """Take ``:34F:``; its currency is the report's. One without mark holds for both sides."""
        raw, where = "".join(found.lines), f"line {found.line} :34F:"
        match = _FLOOR.fullmatch(raw)
        value = amount(match[3]) if match else None
        if match is None or value is None or not is_currency(match[1]):
            rows.finding(
                "FLOOR_UNREADABLE", "warning", where, f"not a floor limit: {clean(raw[:40])!r}",
                "ask the bank below which amount it reports nothing",
            )  # fmt: skip
            return currency
        self.floors += 1
        _same_currency(match[1], currency, where, rows)
        if value:
            side = f"{_NAME[match[2]]} entries" if match[2] else "entries"
            rows.finding(
                "FLOOR_LIMIT", "info", where,
                f"{side} below {value} {match[1]} are not reported",
                "they come with the booked statement",
            )  # fmt: skip
        return currency or match[1]

    def total(self, found: Field, currency: str | None, rows: Rows) -> tuple[str | None, bool]:
        """Take ``:90D:`` or ``:90C:``: the report's currency, and whether it could be read."""
        raw, where = "".join(found.lines), f"line {found.line} :{found.tag}:"
        match = _SUM.fullmatch(raw)
        value = amount(match[3]) if match else None
        if match is None or value is None:
            rows.finding(
                "SUM_UNREADABLE", "error", where, f"not a count and sum: {clean(raw[:40])!r}",
                "ask the bank for the report again",
            )  # fmt: skip
            return currency, False
        _same_currency(match[2], currency, where, rows)
        side = _SIDE[found.tag]
        self.sums[side], self.places[side] = (int(match[1]), value), found.line
        return currency or match[2], True

    def tally(self, value: Decimal, reversal: bool, expected: bool) -> None:
        """Count an entry: banks differ in whether a reversed debit is a credit or a debit."""
        self.add(value < 0, reversal, expected, (1, abs(value)))

    def add(self, negative: bool, reversal: bool, expected: bool, more: Count) -> None:
        """Count several entries of one kind at once; their sum has no sign."""
        for by_mark in (False, True):
            out = negative != (by_mark and reversal)
            key = ("D" if out else "C", by_mark, expected)
            count, total = self.tallies.get(key, (0, Decimal(0)))
            self.tallies[key] = count + more[0], total + more[1]

    def check(self, rows: Rows) -> None:
        """Counts and sums as told against the entries; every usual way of counting may fit."""
        for side, said in sorted(self.sums.items()):
            ways = [self._counted(side, w, e) for w in (False, True) for e in (True, False)]
            if said in ways:
                continue
            count, total = ways[0]
            rows.finding(
                "SUM_MISMATCH", "warning", f"line {self.places[side]} :90{side}:",
                f"the bank says {said[0]} {_NAME[side]} entries of {said[1]}, "
                f"the report has {count} of {total}",
                "entries are missing or masked: ask the bank for the report again",
            )  # fmt: skip

    def _counted(self, side: str, by_mark: bool, with_expected: bool) -> Count:
        parts: Iterable[Count] = (
            self.tallies.get((side, by_mark, expected), (0, Decimal(0)))
            for expected in ((False, True) if with_expected else (False,))
        )
        counts: Sequence[Count] = list(parts)
        return sum(n for n, _ in counts), sum((t for _, t in counts), Decimal(0))


def _same_currency(found: str, currency: str | None, where: str, rows: Rows) -> None:
    if currency is not None and found != currency:
        rows.finding(
            "CURRENCY_DIFFERS", "warning", where, f"{found} here, {currency} before",
            "ask the bank which currency the account has",
        )  # fmt: skip
