"""Banking days: TARGET2 for the euro, a country's public holidays elsewhere.

>>> from datetime import date
>>> between(date(2026, 11, 20), date(2026, 11, 23))
1
>>> is_banking_day(date(2026, 12, 25))
False
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tieout.errors import ProfileError

__all__ = ["add", "between", "check_calendar", "is_banking_day", "numbers"]

TARGET2: Final = "TARGET2"

_FIRST: Final = date(1990, 1, 1)
_LAST: Final = date(2079, 12, 31)


def check_calendar(name: str, where: str) -> str:
    """The calendar's name itself: ``TARGET2`` or an ISO 3166 country code.

    Raises:
        ProfileError: ``CALENDAR_UNKNOWN``.
    """
    if name != TARGET2 and name not in _library().list_supported_countries():
        raise ProfileError(
            "CALENDAR_UNKNOWN",
            f"no calendar {name!r}",
            where=where,
            remedy="give TARGET2 or a country code such as DE, GB, US",
        )
    return name


@lru_cache(maxsize=16)
def _calendar(name: str) -> np.busdaycalendar:
    years = range(_FIRST.year, _LAST.year + 1)
    if name == TARGET2:
        source = {day for year in years for day in _closed(year)}
    else:
        source = set(_library().country_holidays(name, years=years))
    free = [np.datetime64(day, "D") for day in sorted(source)]
    return np.busdaycalendar(holidays=free)


def _library() -> Any:
    """The holidays of countries, loaded where one is asked for: it takes a tenth of a second."""
    import holidays

    return holidays


def _closed(year: int) -> list[date]:
    """The days on which TARGET is closed besides weekends; it began in 1999."""
    if year < 1999:
        return []
    found = [date(year, 1, 1), date(year, 12, 25)]
    if year >= 2000:
        easter = _easter(year)
        found += [easter - timedelta(days=2), easter + timedelta(days=1)]
        found += [date(year, 5, 1), date(year, 12, 26)]
    return found + [date(year, 12, 31)] * (year in (1999, 2001))


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar, by the rule of Meeus, Jones and Butcher."""
    century, rest = divmod(year, 100)
    golden = year % 19
    moon = (19 * golden + century - century // 4 - (8 * century + 13) // 25 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * late + 114, 31)
    return date(year, month, day + 1)


def is_banking_day(day: date, calendar: str = TARGET2) -> bool:
    """Whether payments settle on that day."""
    return bool(np.is_busday(np.datetime64(day, "D"), busdaycal=_calendar(calendar)))


def between(first: date, last: date, calendar: str = TARGET2) -> int:
    """Banking days from ``first`` to ``last``; negative when ``last`` is earlier.

    A day that is none counts as the banking day before it.
    """
    pair = numbers(pa.array([first, last], pa.date32()), calendar)
    return int(pair[1] - pair[0])


def add(day: date, count: int, calendar: str = TARGET2) -> date:
    """The banking day ``count`` banking days after (before, when negative) ``day``."""
    roll = "preceding" if count >= 0 else "following"
    offset: Any = np.busday_offset  # the stubs know no counted days with a calendar
    moved = offset(np.datetime64(day, "D"), count, roll=roll, busdaycal=_calendar(calendar))
    return date(1970, 1, 1) + timedelta(days=int(moved.astype("int64")))


def numbers(days: pa.Array[Any], calendar: str = TARGET2) -> npt.NDArray[np.int64]:
    """Days numbered so that a difference is a count of banking days.

    Args:
        days: date32 array without nulls; days before 1990 or after 2079 are clamped to those
            years, where no window of days could reach them.
    """
    raw = days.cast(pa.int32()).to_numpy(zero_copy_only=False).astype("int64")
    epoch = date(1970, 1, 1)
    low, high = (_FIRST - epoch).days, (_LAST - epoch).days
    span = np.arange(low, high + 1).astype("datetime64[D]")
    counted = np.cumsum(np.is_busday(span, busdaycal=_calendar(calendar)))
    result: npt.NDArray[np.int64] = counted[np.clip(raw, low, high) - low].astype("int64")
    return result
