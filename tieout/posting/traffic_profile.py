"""``[traffic]`` and ``[[maintenance]]`` of an ERP's mapping; what is wrong is named by its line.

[traffic]
requests = 6000            # the vendor's limit: so many in any window of per_seconds
per_seconds = 300
burst = 100                # of those, so many at once
concurrent = 8
open_after = 5             # failures in a row, then nobody sends for open_seconds

[[maintenance]]
name = "quarterly update"
every = "third friday"     # or "day", "sunday", "last saturday"; or on = 2026-12-05
at = 21:00:00
hours = 8
timezone = "America/Los_Angeles"
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from tieout.errors import ProfileError
from tieout.posting.maintenance import NTHS, WEEKDAYS, Rule, Window
from tieout.posting.traffic import Terms
from tieout.profiles import allow_keys, load, mappings_dir

__all__ = ["SECTIONS", "load_terms", "terms_of"]

#: The tables of an ERP's mapping that are ours, not its connector's.
SECTIONS: Final = ("maintenance", "traffic")

#: Key → the smallest and the largest value.
_TRAFFIC: Final = {
    "requests": (2, 1_000_000),
    "per_seconds": (1, 7 * 86_400),
    "burst": (1, 1_000_000),
    "concurrent": (1, 1_000),
    "per_permit": (1, 100),
    "open_after": (1, 1_000),
    "open_seconds": (1, 86_400),
    "open_seconds_max": (1, 7 * 86_400),
}
_MAINTENANCE: Final = ("at", "every", "hours", "minutes", "name", "on", "timezone")
_MINUTES_MAX: Final = 7 * 24 * 60
_LATE: Final = 30  # seconds between a permit and its last request; the outbox's grace to send
_TOTAL: Final = 60  # seconds a request may take where [timeouts] does not say


def load_terms(erp: str) -> Terms:
    """The terms in ``mappings/erp/ERP.toml``.

    Raises:
        ProfileError: ``PROFILE_MISSING``, ``PROFILE_SYNTAX``, ``PROFILE_KEY``, ``PROFILE_VALUE``.
    """
    path = mappings_dir() / "erp" / f"{erp}.toml"
    return terms_of(load(path), path)


def terms_of(content: Mapping[str, Any], path: Path) -> Terms:
    """The terms of a mapping that is loaded.

    Args:
        path: of the mapping, to name the lines of what is wrong in it.
    """
    places = _Places(path)
    given = content.get("traffic", {})
    if not isinstance(given, dict):
        raise places.wrong("traffic", 0, "traffic", "must be a table", "write [traffic]")
    allow_keys(given, tuple(_TRAFFIC), _first_unknown(places, "traffic", 0, given, _TRAFFIC))
    numbers = {key: _number(places, "traffic", 0, given, key, _TRAFFIC[key]) for key in given}
    total = content.get("timeouts", {}).get("total", _TOTAL)
    terms = Terms(
        late=dt.timedelta(seconds=_LATE),
        lease=dt.timedelta(seconds=_LATE + int(total)),
        maintenance=_calendar(places, content.get("maintenance", [])),
        **_renamed(numbers),
    )
    if terms.requests and terms.burst >= terms.requests:
        raise places.wrong(
            "traffic",
            0,
            "burst" if "burst" in given else "requests",
            f"burst {terms.burst} is not below requests {terms.requests}",
            "at most requests − 1 may leave at once: the rest of the window pays them back",
        )
    if ("requests" in given) != ("per_seconds" in given):
        key = "requests" if "requests" in given else "per_seconds"
        raise places.wrong(
            "traffic", 0, key, f"{key} stands alone", "give both requests and per_seconds"
        )
    return terms


def _renamed(numbers: Mapping[str, int]) -> dict[str, Any]:
    """The numbers of the table by the attributes of `Terms`."""
    seconds = {
        "per_seconds": "period",
        "open_seconds": "open_for",
        "open_seconds_max": "open_for_max",
    }
    values: dict[str, Any] = {}
    for key, number in numbers.items():
        if key in seconds:
            values[seconds[key]] = dt.timedelta(seconds=number)
        else:
            values["at_once" if key == "per_permit" else key] = number
    return values


def _calendar(places: _Places, given: object) -> tuple[Window, ...]:
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise places.wrong(
            "maintenance", 0, "maintenance", "must be a list of tables", "write [[maintenance]]"
        )
    return tuple(_window(places, number, each) for number, each in enumerate(given))


def _window(places: _Places, nth: int, given: Mapping[str, Any]) -> Window:
    where = _first_unknown(places, "maintenance", nth, given, _MAINTENANCE)
    allow_keys(given, _MAINTENANCE, where)

    def wrong(key: str, problem: str, remedy: str) -> ProfileError:
        return places.wrong("maintenance", nth, key, problem, remedy)

    name, at, zone = given.get("name", "planned"), given.get("at"), given.get("timezone")
    if not isinstance(name, str):
        raise wrong("name", f"name is {name!r}", "give it as text")
    if not isinstance(at, dt.time):
        raise wrong("at", f"at is {at!r}", "give the time it begins, at = 21:00:00")
    if not isinstance(zone, str) or not zone:
        raise wrong("timezone", f"timezone is {zone!r}", 'e.g. timezone = "America/Los_Angeles"')
    try:
        named = ZoneInfo(zone)
    except (OSError, ValueError, KeyError) as error:
        raise wrong("timezone", f"no time zone {zone!r}", "e.g. Europe/Berlin, UTC") from error
    limits = {"hours": (0, _MINUTES_MAX // 60), "minutes": (0, _MINUTES_MAX)}
    hours, minutes = (
        _number(places, "maintenance", nth, given, key, limits[key]) if key in given else 0
        for key in ("hours", "minutes")
    )
    lasts = dt.timedelta(hours=hours, minutes=minutes)
    if not dt.timedelta(0) < lasts <= dt.timedelta(minutes=_MINUTES_MAX):
        raise wrong("hours", f"it lasts {lasts}", "give hours or minutes, at most a week")
    return Window(name, _rule(given, wrong), at, lasts, named)


def _rule(given: Mapping[str, Any], wrong: Any) -> Rule:
    """On which days it begins."""
    every, on = given.get("every"), given.get("on")
    if (every is None) == (on is None):
        raise wrong("every", "give one of every and on", 'every = "sunday", or on = 2026-12-05')
    if on is not None:
        if not isinstance(on, dt.date) or isinstance(on, dt.datetime):
            raise wrong("on", f"on is {on!r}", "give a date without quotes, on = 2026-12-05")
        return Rule(on=on)
    words = every.lower().split() if isinstance(every, str) else []
    match words:
        case ["day"]:
            return Rule()
        case [weekday] if weekday in WEEKDAYS:
            return Rule(WEEKDAYS.index(weekday))
        case [nth, weekday] if nth in NTHS and weekday in WEEKDAYS:
            number = -1 if nth == "last" else NTHS.index(nth) + 1
            return Rule(WEEKDAYS.index(weekday), number)
    raise wrong("every", f"every is {every!r}", '"day", "sunday", "third friday", "last sunday"')


def _number(
    places: _Places,
    section: str,
    nth: int,
    given: Mapping[str, Any],
    key: str,
    limits: tuple[int, int],
) -> int:
    value, (least, most) = given[key], limits
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        remedy = f"a whole number from {least} to {most}"
        raise places.wrong(section, nth, key, f"{key} is {value!r}", remedy)
    return value


def _first_unknown(
    places: _Places, section: str, nth: int, given: Mapping[str, Any], allowed: Any
) -> str:
    """The place of the first key that is not allowed; of the table where all are."""
    unknown = next((key for key in given if key not in allowed), "")
    return places.of(section, nth, unknown)


class _Places:
    """Where tables and keys stand in a mapping's text."""

    def __init__(self, path: Path) -> None:
        self._name = f"mappings/erp/{path.name}"
        self._lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []

    def of(self, section: str, nth: int, key: str) -> str:
        """``mappings/erp/x.toml:12 [traffic] burst``; the table's line where the key is absent."""
        header = re.compile(rf"^\s*\[\[?\s*{section}\s*\]?\]")
        setting = re.compile(rf"""^\s*["']?{re.escape(key)}["']?\s*=""") if key else None
        seen, line = -1, 0
        for number, text in enumerate(self._lines, start=1):
            if header.match(text):
                seen += 1
                line = number if seen == nth else line
            elif text.lstrip().startswith("["):
                seen = seen if seen < nth else nth + 1
            elif seen == nth and setting is not None and setting.match(text):
                line = number
                break
        at = f":{line}" if line else ""
        return f"{self._name}{at} [{section}]" + (f" {key}" if key else "")

    def wrong(self, section: str, nth: int, key: str, problem: str, remedy: str) -> ProfileError:
        """The error that names the line."""
        place = self.of(section, nth, key)
        return ProfileError("PROFILE_VALUE", problem, where=place, remedy=remedy)
