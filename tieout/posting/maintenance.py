"""When a system is down by plan: weekly, monthly and dated windows in the vendor's own time zone.

A window begins at a wall-clock time there and lasts for hours that really pass, as vendors publish
them ("third Friday, 21:00 Pacific time, for eight hours"). Where the clocks are set back and the
time occurs twice, the window covers both.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

__all__ = ["NTHS", "WEEKDAYS", "Rule", "Window", "covering"]

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: The last one of a month counts from its end.
NTHS: Final = ("first", "second", "third", "fourth", "fifth", "last")
_WEEK: Final = 7


@dataclass(frozen=True, slots=True)
class Rule:
    """On which days a window begins; the fields that are None leave the day open.

    Attributes:
        weekday: 0 is Monday.
        nth: which one of the month, 1 to 5, or -1 for the last.
        on: the one day.
    """

    weekday: int | None = None
    nth: int | None = None
    on: dt.date | None = None

    def __contains__(self, day: dt.date) -> bool:
        if self.on is not None:
            return day == self.on
        if self.weekday is not None and day.weekday() != self.weekday:
            return False
        if self.nth is None:
            return True
        if self.nth > 0:
            return (day.day - 1) // _WEEK + 1 == self.nth
        return (day + dt.timedelta(days=_WEEK)).month != day.month


@dataclass(frozen=True, slots=True)
class Window:
    """One line of a vendor's calendar; `lasts` is at most a week."""

    name: str
    rule: Rule
    at: dt.time
    lasts: dt.timedelta
    zone: ZoneInfo

    def around(self, now: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """The times (UTC) of this window that may touch a day around ``now``."""
        day = now.astimezone(self.zone).date() - self.lasts - dt.timedelta(days=1)
        last = now.astimezone(self.zone).date() + dt.timedelta(days=1)
        while day <= last:
            if day in self.rule:
                begins = dt.datetime.combine(day, self.at, self.zone)
                again = begins.replace(fold=1).astimezone(dt.UTC)
                first = begins.astimezone(dt.UTC)
                yield min(first, again), max(first, again) + self.lasts
            day += dt.timedelta(days=1)


def covering(
    windows: Sequence[Window], now: dt.datetime, margin: dt.timedelta
) -> tuple[Window, dt.datetime] | None:
    """The window that ``now`` or the margin after it falls into, and when it ends.

    Args:
        margin: how long what begins now may take, under a day: it shall not run into a window.
    """
    found = [
        (ends, window)
        for window in windows
        for begins, ends in window.around(now)
        if begins - margin <= now < ends
    ]
    if not found:
        return None
    ends, window = max(found, key=lambda pair: (pair[0], pair[1].name))
    return window, ends
