"""What a bank is expected to send for an account: ``[expected]`` of its mapping.

``every`` day, week or month a statement of that banking day (the last one of the week or month),
there ``days_after`` banking days later ``by`` an hour of the account's own clock; in ``formats``
(the beginnings of their names); with no single amount above ``amount_max`` and no more entries
than ``entries_max``. Every key may be left out (a statement each banking day of TARGET2, there at 9
the next one); without the table nothing is expected.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tieout.banking_days import TARGET2, add, check_calendar, is_banking_day
from tieout.errors import ProfileError
from tieout.money import parse_amount, to_minor
from tieout.profiles import allow_keys, require

__all__ = ["Expected", "expected_of", "zone_of"]

_KEYS: Final = ("amount_max", "by", "calendar", "days_after", "entries_max", "every", "formats")
_EVERY: Final = ("day", "week", "month")
_DEFAULTS: Final[dict[str, Any]] = {
    "by": dt.time(9),
    "calendar": TARGET2,
    "days_after": 1,
    "every": "day",
    "formats": [],
}


@dataclass(frozen=True, slots=True)
class Expected:
    """What should come; ``amount_max_minor`` in minor units of the account's currency."""

    every: str
    calendar: str
    days_after: int
    by: dt.time
    zone: str
    formats: tuple[str, ...]
    amount_max_minor: int | None
    entries_max: int | None

    def days(self, after: dt.date, until: dt.date) -> list[dt.date]:
        """The days in (after, until] of which a statement is expected."""
        span = range(1, (until - after).days + 1)
        days = [after + dt.timedelta(days=n) for n in span]
        return [d for d in days if is_banking_day(d, self.calendar) and self._closes(d)]

    def _closes(self, day: dt.date) -> bool:
        following = add(day, 1, self.calendar)
        if self.every == "week":
            return following.isocalendar()[:2] != day.isocalendar()[:2]
        return self.every == "day" or following.month != day.month

    def due_at(self, day: dt.date) -> dt.datetime:
        """When the statement of a day has to be there."""
        on = add(day, self.days_after, self.calendar)
        return dt.datetime.combine(on, self.by, ZoneInfo(self.zone))


def expected_of(content: dict[str, Any], currency: str, zone: str, where: str) -> Expected | None:
    """The ``[expected]`` of an account's mapping, or None where it has none.

    Raises:
        ProfileError: a key is unknown or its value is none.
    """
    if "expected" not in content:
        return None
    found = require(content, "expected", dict, where)
    where = f"{where} [expected]"
    allow_keys(found, _KEYS, where)
    given = {**_DEFAULTS, **found}
    every = require(given, "every", str, where)
    if every not in _EVERY:
        remedy = f"one of {', '.join(_EVERY)}"
        raise ProfileError("PROFILE_VALUE", f"every is {every!r}", where=where, remedy=remedy)
    amount = given.get("amount_max")
    return Expected(
        every=every,
        calendar=check_calendar(require(given, "calendar", str, where), where),
        days_after=_whole(given, "days_after", where),
        by=require(given, "by", dt.time, where),
        zone=zone,
        formats=tuple(str(name) for name in require(given, "formats", list, where)),
        amount_max_minor=None
        if amount is None
        else to_minor(parse_amount(require(given, "amount_max", str, where)), currency),
        entries_max=_whole(given, "entries_max", where) if "entries_max" in given else None,
    )


def zone_of(content: dict[str, Any], where: str) -> str:
    """The account's time zone, UTC if it names none.

    Raises:
        ProfileError: ``PROFILE_VALUE``: there is no such zone.
    """
    name = require({"timezone": "UTC", **content}, "timezone", str, where)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ProfileError(
            "PROFILE_VALUE",
            f"timezone is {name!r}",
            where=where,
            remedy="a name of the IANA database such as Europe/Berlin",
        ) from None
    return name


def _whole(found: dict[str, Any], key: str, where: str) -> int:
    value = require(found, key, int, where)
    if value < 0:
        raise ProfileError("PROFILE_VALUE", f"{key} is {value}", where=where, remedy="0 or more")
    return value
