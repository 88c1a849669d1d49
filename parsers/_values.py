"""Dates, instants, rates and signs as ISO 20022 files write them, and as banks bend them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

from tieout.errors import MoneyError
from tieout.money import parse_amount

__all__ = ["amount", "day", "instant", "is_true", "rate", "rate_fits", "whole_rate_fits"]

_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[TZ+-].*)?", re.ASCII | re.DOTALL)
_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:[.:](\d+))?)?\s*(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_RATE = re.compile(r"\d{1,12}(?:\.\d{0,10})?", re.ASCII)
_RATE_DECIMALS: Final = 10
_TRUE: Final = frozenset({"true", "1", "yes"})


def day(text: str | None) -> date | None:
    """The calendar date as written (of an instant: its local date), or None if impossible.

    >>> day("2026-11-20"), day("2026-11-20T23:30:00.5+02:00"), day("2026-02-30")
    (datetime.date(2026, 11, 20), datetime.date(2026, 11, 20), None)
    """
    found = _DAY.fullmatch(text) if text else None
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def instant(text: str | None) -> datetime | None:
    """An instant in UTC; one without a zone is taken as UTC; None if it cannot be read.

    >>> instant("2026-11-20T08:00:00:735+01:00")
    datetime.datetime(2026, 11, 20, 7, 0, 0, 735000, tzinfo=datetime.timezone.utc)
    """
    found = _INSTANT.fullmatch(text) if text else None
    if found is None:
        return None
    year, month, dom, hour, minute, second = (int(found[i] or 0) for i in range(1, 7))
    micro = int((found[7] or "0")[:6].ljust(6, "0"))
    zone = _zone(found[8])
    if zone is None or hour > 24 or (hour == 24 and (minute or second)):
        return None
    try:
        base = datetime(year, month, dom, hour % 24, minute, min(second, 59), micro, zone)
        return (base + timedelta(days=hour // 24)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(text: str | None) -> timezone | None:
    if text is None or text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    if offset >= timedelta(hours=24):
        return None
    return timezone(-offset if text[0] == "-" else offset)


def is_true(text: str | None) -> bool:
    """Whether an indicator says yes (``true``, ``1``, and the ``YES`` some banks write)."""
    return text is not None and text.strip().lower() in _TRUE


def rate(text: str | None) -> Decimal | None:
    """An exchange rate exactly as the bank states it; None where absent or unreadable."""
    return Decimal(text) if text and _RATE.fullmatch(text) else None


def rate_fits(money: Decimal, foreign: Decimal, stated: Decimal) -> bool:
    """Whether a rate leads from one amount to the other, in either direction.

    Rates are rounded and may be those of a hundred units; one in a hundred is allowed for that.

    >>> [rate_fits(Decimal(10), Decimal(11), Decimal(r)) for r in ("1.1", "0.909", "110", "1.2")]
    [True, True, True, False]
    """
    low, high = sorted((abs(money), abs(foreign)))
    # A sum of few cents is itself rounded: half a cent on either side.
    allowed = stated / 100 + stated * Decimal("0.005") * (1 / low + 1 / high)
    return any(
        abs(stated - unit * ratio) <= allowed
        for unit in (1, 100)
        for ratio in (low / high, high / low)
    )


def whole_rate_fits(money: int, foreign: int, stated: Decimal) -> bool:
    """As `rate_fits`, of amounts in whole units; a rate as good as exact takes no division.

    >>> [whole_rate_fits(1000, 1100, Decimal(r)) for r in ("1.1", "0.909", "110", "1.2")]
    [True, True, True, False]
    """
    low, high = sorted((abs(money), abs(foreign)))
    whole, unit = int(stated.scaleb(_RATE_DECIMALS)), 10**_RATE_DECIMALS
    if 100 * abs(whole * low - unit * high) <= whole * low:
        return True
    return rate_fits(Decimal(money), Decimal(foreign), stated)


def amount(text: str | None) -> Decimal | None:
    """An unsigned amount, zero-padded or not; None where it is not one.

    >>> amount("000000000000149.87"), amount("80"), amount("1E+999999"), amount("-5")
    (Decimal('149.87'), Decimal('80'), None, None)
    """
    if text is None or len(text) > 64:
        return None
    text = text.strip()
    if len(text) > 18:
        text = text.lstrip("0") or "0"
        text = "0" + text if text[0] in ".," else text
    try:
        value = parse_amount(text)
    except MoneyError:
        return None
    return None if value < 0 or text[0] in "+-" else value
