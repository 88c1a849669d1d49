"""The ladder: ordered rungs, each a few composable predicates, read from a commented mapping.

A rung says what both sides must share (``same``: keys), what the amounts may differ by
(``amount``), who the other party is (``party``) and when (``days``); what it leaves out is not
asked. Its ``shape`` says what meets:

=============  =====================================================================================
one_to_one     an entry and an item
details        each payment inside an entry and its own item
batch          an entry and all items that share the key
run            an entry and all items of a key that the bank does not state, found by their sum
together       all entries and items that are tied to each other by shared keys, many to many
subset         an entry and some of its party's items, found by their sum (``search``)
cancel         an entry and the entry that takes it back
net            an item and the item that takes it back
transfer       two entries on accounts of our own
returned       a payment, its return and its item, for a person to undo
=============  =====================================================================================

There are no flags and no SQL; a wrong key names the nearest right one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from tieout import profiles
from tieout.banking_days import check_calendar
from tieout.errors import MoneyError, ProfileError
from tieout.money import parse_amount
from tieout.references import check_pattern

__all__ = ["Key", "Ladder", "Party", "Rung", "Search", "Tolerance", "Window", "load", "read"]

BANK_ENTRY: Final = ("entry_ref", "bank_ref")
BANK_DETAIL: Final = (
    "end_to_end_id",
    "instruction_id",
    "payment_info_id",
    "message_id",
    "transaction_id",
    "uetr",
    "mandate_id",
    "cheque_no",
    "reference",
)
BOOKS: Final = ("document_no", "reference", "payment_batch_id", "end_to_end_id", "counterparty_id")
TEXT: Final = ("narrative",)
SHAPES: Final = (
    "one_to_one",
    "details",
    "batch",
    "run",
    "together",
    "subset",
    "cancel",
    "net",
    "transfer",
    "returned",
)
FORMS: Final = ("plain", "number", "structured")
RESIDUALS: Final = ("charge", "discount", "short_payment", "fx_difference")
AMOUNTS: Final = ("exact", "original")
KINDS: Final = ("cash_book", "payment", "receivable", "payable", "expense")
WAYS: Final = ("account", "name", "text")
STATES: Final = ("confirmed", "proposed")


@dataclass(frozen=True, slots=True)
class Key:
    """One reference and the fields it stands in on each side.

    ``text`` are free-text fields of the bank: ``patterns`` are looked for in them, or without
    patterns the numbers the books state. Values shorter than ``length_min`` in the normal form
    identify nothing. ``form`` says how values are compared: ``plain``, as ``number`` (the digits at
    the end, without leading zeros), or ``structured`` (only with right check digits).
    """

    name: str
    title: str
    bank: tuple[str, ...]
    books: tuple[str, ...]
    text: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    length_min: int = 4
    form: str = "plain"


@dataclass(frozen=True, slots=True)
class Search:
    """Bounds of a search for items by their sum.

    In a rung of pairs it asks that no other choice of the party's items comes to the entry. Among
    more than ``candidates_max`` items none is searched. A solution counts if it is the only
    one and if at most ``chance_max`` solutions were to be expected among sums by chance.
    """

    candidates_max: int
    items_max: int
    chance_max: Decimal


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far the bank may move less or more than the item; both limits hold where both stand.

    ``less`` and ``more`` are seen from our purse (a fee is less both in and out), in units of the
    account's currency; the percentages are of the item's amount. A residual up to ``rounding`` is
    a rounding difference. ``cause`` is ``exchange`` where only money the bank exchanged may differ.
    """

    less: Decimal
    less_percent: Decimal
    more: Decimal
    more_percent: Decimal
    rounding: Decimal
    cause: str = ""
    residual: str = "charge"  # what is called that the bank moved less than the item


@dataclass(frozen=True, slots=True)
class Party:
    """The counterparty is the same by account, by name (similarity >= ``name_min``) or in text.

    ``asked`` is ``always``, or ``known``: only where both sides name one.
    """

    by: tuple[str, ...]
    name_min: Decimal
    asked: str = "always"


@dataclass(frozen=True, slots=True)
class Window:
    """The item's day lies at most ``before`` and ``after`` banking days from the entry's.

    ``alone`` is how far, in both directions, nothing else may fit; 0 asks only within the window.
    """

    item: str
    before: int
    after: int
    alone: int = 0


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder."""

    name: str
    shape: str
    same: tuple[Key, ...] = ()
    tolerance: Tolerance | None = None
    party: Party | None = None
    days: Window | None = None
    kinds: tuple[str, ...] = ()
    state: str = "confirmed"
    amount: str = "exact"  # exact | original (the bank's own, before it exchanged) | within
    search: Search | None = None

    @property
    def plain(self) -> bool:
        """Whether everything it asks for is equality."""
        return bool(self.same) and not (self.tolerance or self.party or self.days)


@dataclass(frozen=True, slots=True)
class Ladder:
    """Ordered rungs; ``version`` is the fingerprint of the mapping, kept with what it decided."""

    name: str
    version: str
    calendar: str
    kinds: tuple[tuple[str, ...], ...]
    rungs: tuple[Rung, ...]


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
