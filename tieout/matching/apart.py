"""How far apart an entry and an item are: amounts, parties and days, in words.

Each function says by how much one condition of a rung fails, or None where it holds. Amounts are
minor units of the entry's currency; a tolerance is seen from our purse, as in the ladder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

from tieout.matching.candidates import Pair
from tieout.matching.ladder import Rung
from tieout.matching.tables import FAR

__all__ = [
    "FAR_APART",
    "NEAR",
    "Condition",
    "Failure",
    "Rows",
    "compare",
    "days_apart",
    "exchanged",
    "money",
    "party_apart",
]

Condition = Literal[
    "amount", "days", "kind", "party", "people", "reference", "sum", "taken", "unique"
]
#: The weight of what makes two rows strangers.
FAR_APART: Final = 9
#: The weight of references that differ by so little that they are meant to be the same.
NEAR: Final = 1


@dataclass(frozen=True, slots=True)
class Failure:
    """A condition that does not hold.

    Attributes:
        condition: which.
        words: by how much, as an accountant reads it.
        weight: a missing reference weighs most, a day least; of two rungs with equally many
            failed conditions the lighter is the nearer.
        excess: how far off, in the condition's own unit.
    """

    condition: Condition
    words: str
    weight: int = 0
    excess: int = 0


@dataclass(frozen=True, slots=True)
class Rows:
    """A pair's rows as plain values.

    Attributes:
        bank: by key, the entry's references: normal form to the text as written.
        fields: every reference of the entry (normal form) with the field it stands in.
        books: by field, the item's references: (as written, normal form).
        text: what the bank wrote freely, in the normal form.
        words: what in it may be a reference: words and runs of words with a digit.
        sharing: the open items that a reference (in the normal form) is found in.
    """

    entry: Mapping[str, Any]
    details: Sequence[Mapping[str, Any]]
    item: Mapping[str, Any]
    bank: Mapping[str, Mapping[str, str]]
    fields: Mapping[str, str]
    books: Mapping[str, Sequence[tuple[str, str]]]
    text: Sequence[str]
    words: Sequence[str]
    sharing: Mapping[str, Sequence[Mapping[str, Any]]]


def money(minor: int, unit: int, currency: str) -> str:
    """Minor units as an accountant writes them, without a sign."""
    digits = len(str(unit)) - 1
    return f"{Decimal(abs(minor)).scaleb(-digits):,.{digits}f} {currency}"


def compare(
    rung: Rung, rows: Rows, bank: int, books: int, what: str, against: str
) -> Failure | None:
    """The amounts, in words such as ``the entry is 12.50 EUR more than the item``."""
    left, unit, currency = bank - books, rows.entry["unit"], rows.entry["currency"]
    if not left:
        return None
    if (bank < 0) != (books < 0):
        way = "goes out and the item came in" if bank < 0 else "comes in and the item goes out"
        # With another amount too, the two have nothing to do with each other.
        weight = 3 if bank == -books else FAR_APART
        return Failure("amount", f"{what} {way}: the sign is opposite", weight, abs(left))
    more = abs(bank) > abs(books)
    off = money(left, unit, currency)
    weight = 2 if abs(left) * 10 <= abs(books) else 4  # far off is no near miss
    words = f"{what} is {off} {'more' if more else 'less'} than {against}"
    tolerance = rung.tolerance
    if tolerance is None:
        return Failure(
            "amount", f"{words}; rung {rung.name} asks for the exact amount", weight, abs(left)
        )
    ours = (tolerance.less, tolerance.less_percent)
    limit, percent = ours if left < 0 else (tolerance.more, tolerance.more_percent)
    most = min(int(limit * unit), int(abs(books) * percent / 100))
    if abs(left) <= most:
        return None
    allowed = f"rung {rung.name} allows {money(most, unit, currency)} {'more' if more else 'less'}"
    if most < int(limit * unit):
        allowed += f" ({percent.normalize():f} % of it)"
    return Failure("amount", f"{words}; {allowed}", weight, abs(left) - most)


def exchanged(rows: Rows) -> bool:
    """Whether the bank exchanged the money."""
    currency = rows.entry["currency"]
    return any((d["original_currency"] or currency) != currency for d in rows.details)


def party_apart(rung: Rung, rows: Rows, pair: Pair) -> Failure | None:
    """The other party, by account, name or text, in whichever way the rung asks."""
    asked = rung.party
    if asked is None or (pair.same_account and "account" in asked.by):
        return None
    if pair.in_text and "text" in asked.by:
        return None
    if pair.likeness is None and asked.asked == "known":
        return None
    single = rows.details[0] if len(rows.details) == 1 else None
    theirs = single["counterparty_name"] if single else None
    ours = rows.item["counterparty_name"]
    if pair.likeness is not None and "name" in asked.by:
        least = int(asked.name_min * 100)
        if pair.likeness >= least:
            return None if rung.same else _other_party(rung, pair, f"{theirs}, {ours}")
        score = Decimal(pair.likeness).scaleb(-2)
        words = f"name similarity {score} ({theirs}, {ours}); rung {rung.name} asks "
        return Failure("party", words + f"{asked.name_min}", 2, least - pair.likeness)
    silent = "the bank" if not theirs else "the item"
    return Failure("party", f"{silent} does not say who the other party is", 3)


def _other_party(rung: Rung, pair: Pair, names: str) -> Failure | None:
    """Names that are alike and may still be those of two parties; without a reference that counts.

    A likeness of 100 is that of equal names.
    """
    if pair.likeness == 100:
        return None
    asks = f"rung {rung.name} asks for"
    if not pair.same_words:
        words = f"a word of the names differs ({names}); {asks} the same words"
        return Failure("party", words, 2)
    if pair.same_account is False and "account" in (rung.party.by if rung.party else ()):
        words = (
            f"the account is another and the names are only similar ({names}); {asks} equal ones"
        )
        return Failure("party", words, 2)
    return None


def days_apart(rung: Rung, rows: Rows) -> Failure | None:
    """The days, in banking days between the entry and the item's day."""
    window = rung.days
    if window is None:
        return None
    name = "due" if window.item == "due_on" else "booked"
    apart = rows.entry["bday"] - rows.item[f"{window.item}_no"]
    if abs(apart) >= FAR // 2:
        return Failure("days", f"it is not known when one of the two was {name}", 2)
    if -window.after <= apart <= window.before:
        return None
    # ``before`` counts from the item's day to the entry's: the item lies before the entry.
    most, way = (window.before, "after") if apart > 0 else (window.after, "before")
    days = f"{abs(apart)} banking {'day' if abs(apart) == 1 else 'days'}"
    words = f"the entry is {days} {way} the item was {name}; "
    looks = f"rung {rung.name} looks at most {most}"
    if window.alone:
        looks += f", or {window.alone} where nothing else fits"
    return Failure("days", words + looks, 1, abs(apart) - most)
