"""The ladder as people write it: ordered rungs (`tieout.matching.rungs`) from a commented mapping.

A wrong key or value names the rung, the key and the nearest right one.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from tieout import profiles
from tieout.banking_days import check_calendar
from tieout.errors import MoneyError, ProfileError
from tieout.matching.rungs import (
    AMOUNTS,
    BANK_DETAIL,
    BANK_ENTRY,
    BOOKS,
    FORMS,
    KINDS,
    RESIDUALS,
    SHAPES,
    STATES,
    TEXT,
    WAYS,
    Key,
    Ladder,
    Party,
    Rung,
    Search,
    Tolerance,
    Window,
)
from tieout.money import parse_amount
from tieout.references import check_pattern

__all__ = [
    "BANK_DETAIL",
    "BANK_ENTRY",
    "BOOKS",
    "TEXT",
    "Key",
    "Ladder",
    "Party",
    "Rung",
    "Search",
    "Tolerance",
    "Window",
    "load",
    "read",
]


def load(name: str = "default") -> Ladder:
    """The ladder ``mappings/ladders/NAME.toml``.

    Raises:
        ProfileError: it is missing, or a key or value of it is wrong.
    """
    path = profiles.mappings_dir() / "ladders" / f"{name}.toml"
    return read(name, profiles.load(path))


def read(name: str, content: Mapping[str, Any]) -> Ladder:
    """A ladder from its parsed mapping.

    Raises:
        ProfileError: names the rung and the key, and the nearest right one.
    """
    where = f"ladders/{name}.toml"
    profiles.allow_keys(content, ("kinds", "calendar", "keys", "rungs"), where)
    keys = {
        key: _key(key, body, f"{where} [keys.{key}]")
        for key, body in profiles.require(content, "keys", dict, where).items()
    }
    rungs = tuple(
        _rung(body, keys, f"{where} rung {number}")
        for number, body in enumerate(profiles.require(content, "rungs", list, where), start=1)
    )
    names = [rung.name for rung in rungs]
    for repeated in sorted({n for n in names if names.count(n) > 1}):
        raise _bad(f"two rungs are named {repeated!r}", where, "give each rung its own name")
    tiers = tuple(
        _choices(tier, KINDS, where, "kinds") for tier in content.get("kinds", [[*KINDS]])
    )
    calendar = check_calendar(content.get("calendar", "TARGET2"), where)
    return Ladder(name, profiles.fingerprint(content), calendar, tiers, rungs)


def _bad(message: str, where: str, remedy: str) -> ProfileError:
    return ProfileError("LADDER_VALUE", message, where=where, remedy=remedy)


def _choices(found: Any, allowed: tuple[str, ...], where: str, key: str) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(value, str) for value in found):
        raise _bad(f"{key} is {found!r}", where, "give a list of names")
    profiles.allow_keys(dict.fromkeys(found), allowed, f"{where} {key}")
    return tuple(found)


def _key(name: str, body: Any, where: str) -> Key:
    if not isinstance(body, dict):
        raise _bad(f"{name!r} is {body!r}", where, "write it as a table")
    allowed = ("title", "bank", "books", "text", "patterns", "length_min", "form")
    profiles.allow_keys(body, allowed, where)
    patterns = tuple(check_pattern(p, where) for p in body.get("patterns", []))
    text = _choices(body.get("text", []), TEXT, where, "text")
    if patterns and not text:
        raise _bad("patterns need text", where, 'say where to look: text = ["narrative"]')
    form = body.get("form", "plain")
    _choices([form], FORMS, where, "form")
    length_min = body.get("length_min", 4)
    if not isinstance(length_min, int) or not 1 <= length_min <= 35:
        raise _bad(f"length_min is {length_min!r}", where, "give a number from 1 to 35")
    return Key(
        name,
        str(body.get("title", name.replace("_", " "))),
        _choices(body.get("bank", []), BANK_DETAIL + BANK_ENTRY, where, "bank"),
        _choices(profiles.require(body, "books", list, where), BOOKS, where, "books"),
        text,
        patterns,
        length_min,
        form,
    )


def _rung(body: Any, keys: Mapping[str, Key], where: str) -> Rung:
    allowed = ("name", "shape", "same", "amount", "party", "days", "kinds", "state", "search")
    profiles.allow_keys(body, allowed, where)
    name = profiles.require(body, "name", str, where)
    where = f"{where} ({name})"
    shape = body.get("shape", "one_to_one")
    _choices([shape], SHAPES, where, "shape")
    same = _choices(body.get("same", []), tuple(keys), where, "same")
    state = body.get("state", "confirmed")
    _choices([state], STATES, where, "state")
    rung = Rung(
        name,
        shape,
        tuple(keys[key] for key in same),
        _tolerance(body.get("amount"), f"{where} amount"),
        _party(body.get("party"), f"{where} party"),
        _days(body.get("days"), f"{where} days"),
        _choices(body.get("kinds", []), KINDS, where, "kinds"),
        state,
        body["amount"]
        if body.get("amount") in AMOUNTS
        else "within"
        if "amount" in body
        else "exact",
        _search(body.get("search"), f"{where} search"),
    )
    _check_sense(rung, where)
    return rung


_BY_KEYS: Final = ("batch", "run", "together", "net", "returned")
_EXACT: Final = ("details", "run", "net", "returned", "transfer", "subset")


def _check_sense(rung: Rung, where: str) -> None:
    """Refuse rungs that could only guess."""
    if rung.shape in _BY_KEYS and (not rung.same or rung.party):
        raise _bad(
            f"shape {rung.shape!r} asks for shared keys, without a party",
            where,
            "give same = [...], and no party",
        )
    if rung.shape in _EXACT and rung.tolerance:
        raise _bad(f"shape {rung.shape!r} asks for exact amounts", where, 'write amount = "exact"')
    if rung.shape in ("run", "transfer") and not rung.days:
        raise _bad(f"shape {rung.shape!r} needs a window", where, "give days = {...}")
    if rung.shape in ("details", "cancel") and not (rung.same or (rung.party and rung.days)):
        raise _bad(
            f"shape {rung.shape!r} asks for shared keys, or for party and days",
            where,
            "give same = [...], or party and days",
        )
    searches = rung.shape == "subset" or (rung.shape == "one_to_one" and rung.party)
    if (rung.search is not None and not searches) or (rung.shape == "subset" and not rung.search):
        raise _bad(
            "search belongs to shape 'subset', which needs it, and to pairs by their party",
            where,
            'write search = {candidates_max = 200, items_max = 20, chance_max = "0.001"}',
        )
    if rung.shape == "subset" and not (rung.party and rung.days):
        raise _bad("a sum alone is no proof", where, "give party and days")
    if rung.shape != "one_to_one" or rung.same:
        return
    if rung.state == "proposed" and not rung.tolerance and rung.days:
        return
    alone = rung.party and rung.party.asked == "always" and rung.days
    if rung.tolerance or not alone:
        raise _bad(
            "without a shared key nothing but an exact amount with party and days is proof",
            where,
            "add same = [...], or party and days, or make its state proposed",
        )


def _search(body: Any, where: str) -> Search | None:
    if body is None:
        return None
    if not isinstance(body, dict):
        raise _bad(f"it is {body!r}", where, "write a table")
    profiles.allow_keys(body, ("candidates_max", "items_max", "chance_max"), where)
    most = profiles.require(body, "candidates_max", int, where)
    items = profiles.require(body, "items_max", int, where)
    if not (2 <= most <= 500 and 2 <= items <= most):
        raise _bad(
            f"candidates_max {most}, items_max {items}",
            where,
            "give 2 to 500 candidates, and no more items than that",
        )
    return Search(most, items, _decimal(body, "chance_max", "0.001", where))


def _decimal(body: Mapping[str, Any], key: str, default: str, where: str) -> Decimal:
    value = body.get(key, default)
    try:
        number = parse_amount(value) if isinstance(value, str) else Decimal(-1)
    except MoneyError:
        number = Decimal(-1)
    if not 0 <= number <= 1_000_000:
        raise _bad(f"{key} is {value!r}", where, f'write it as text: {key} = "0.05"')
    return number


def _tolerance(body: Any, where: str) -> Tolerance | None:
    if body is None or body in AMOUNTS:
        return None
    if not isinstance(body, dict):
        raise _bad(f"it is {body!r}", where, 'write "exact", or a table such as {less = "30.00"}')
    allowed = ("less", "less_percent", "more", "more_percent", "rounding", "cause", "residual")
    profiles.allow_keys(body, allowed, where)
    cause = body.get("cause", "")
    _choices([cause], ("", "exchange"), where, "cause")
    residual = body.get("residual", "charge")
    _choices([residual], RESIDUALS, where, "residual")
    return Tolerance(
        _decimal(body, "less", "0", where),
        _decimal(body, "less_percent", "100", where),
        _decimal(body, "more", "0", where),
        _decimal(body, "more_percent", "100", where),
        _decimal(body, "rounding", "0", where),
        cause,
        residual,
    )


def _party(body: Any, where: str) -> Party | None:
    if body is None:
        return None
    if not isinstance(body, dict):
        raise _bad(f"it is {body!r}", where, 'write a table such as {by = ["account"]}')
    profiles.allow_keys(body, ("by", "name_min", "asked"), where)
    asked = body.get("asked", "always")
    _choices([asked], ("always", "known"), where, "asked")
    least = _decimal(body, "name_min", "0.92", where)
    if not Decimal("0.5") <= least <= 1:
        raise _bad(f"name_min is {least}", where, "give a similarity from 0.5 to 1")
    return Party(_choices(body.get("by"), WAYS, where, "by"), least, asked)


def _days(body: Any, where: str) -> Window | None:
    if body is None:
        return None
    if not isinstance(body, dict):
        raise _bad(f"it is {body!r}", where, "write a table such as {before = 5, after = 5}")
    profiles.allow_keys(body, ("item", "before", "after", "alone"), where)
    item = body.get("item", "booked_on")
    _choices([item], ("booked_on", "due_on"), where, "item")
    before = profiles.require(body, "before", int, where)
    after = profiles.require(body, "after", int, where)
    if not (0 <= before <= 250 and 0 <= after <= 250):
        raise _bad(f"before {before}, after {after}", where, "give banking days from 0 to 250")
    alone = body.get("alone", 0)
    if not isinstance(alone, int) or not 0 <= alone <= 10_000:
        raise _bad(f"alone is {alone!r}", where, "give banking days from 0 to 10000")
    return Window(item, before, after, alone)
