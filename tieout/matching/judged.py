"""Judging a candidate: each rung's conditions on one pair, every failed one with by how much.

This words what the engine decides in SQL; it decides nothing itself. A rung of a shape that takes
several items at once (a payment run, a set with one key) is judged by the sum of that set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

from tieout.matching.candidates import Pair
from tieout.matching.ladder import Key, Ladder, Rung
from tieout.matching.likeness import difference, formed, references_of, stands_in
from tieout.matching.tables import FAR

__all__ = ["Condition", "Failure", "Judgement", "Rows", "judge"]

Condition = Literal["amount", "days", "kind", "party", "reference", "sum", "taken", "unique"]

#: The weight of references that differ by so little that they are meant to be the same.
NEAR: Final = 1
_SINGLE: Final = ("one_to_one", "details")
#: Shapes that no single entry and item tell anything of: rows of one side, or sums without a key.
_OTHER: Final = ("cancel", "net", "transfer", "returned", "subset")


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
class Judgement:
    """One rung's view of a pair: what agrees (``amount``), and what fails."""

    rung: str
    agrees: tuple[str, ...]
    failures: tuple[Failure, ...]

    @property
    def is_near(self) -> bool:
        """One condition failed; or the reference was cut off, or is mistyped and the rest near.

        The next invoice's number differs in one character too, so that alone says nothing.
        """
        cut = any(f.condition == "reference" and f.weight == NEAR and not f.excess
                  for f in self.failures)  # fmt: skip
        return cut or len(self.failures) == 1 or self.rank[1] <= NEAR + 2

    @property
    def rank(self) -> tuple[int, int, int]:
        """Nearest first: fewest failed conditions, then the lightest, then the least off."""
        return (
            len(self.failures),
            sum(f.weight for f in self.failures),
            sum(f.excess for f in self.failures),
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """A pair's rows as plain values.

    Attributes:
        bank: by key, the entry's references: normal form to the text as written.
        fields: every reference of the entry (normal form) with the field it stands in.
        books: by field, the item's references: (as written, normal form).
        text: what the bank wrote freely, in the normal form.
        sharing: the open items that a reference (in the normal form) is found in.
    """

    entry: Mapping[str, Any]
    details: Sequence[Mapping[str, Any]]
    item: Mapping[str, Any]
    bank: Mapping[str, Mapping[str, str]]
    fields: Mapping[str, str]
    books: Mapping[str, Sequence[tuple[str, str]]]
    text: Sequence[str]
    sharing: Mapping[str, Sequence[Mapping[str, Any]]]


def judge(rows: Rows, pair: Pair, ladder: Ladder) -> Judgement:
    """The rung that came nearest to taking the pair; of equals, the earliest.

    Rungs that look at other kinds of items are asked only where none looks at this one.
    """
    keys = {key.name: key for rung in ladder.rungs for key in rung.same}
    met = {name: _meet(key, rows) for name, key in keys.items()}
    kind = rows.item["kind"] or "cash_book"
    crossing = [r for r in ladder.rungs if r.shape not in _OTHER] or ladder.rungs
    looking = [r for r in crossing if not r.kinds or kind in r.kinds] or crossing
    return min((_judge(rung, rows, pair, met) for rung in looking), key=lambda j: j.rank)


def _meet(key: Key, rows: Rows) -> str | Failure:
    """The reference both sides have under a key, or how they differ."""
    bank = rows.bank[key.name]
    books = [value for name in key.books for value in rows.books[name]]
    free = key.text and not key.patterns
    for written, plain in books:
        if len(plain) < key.length_min:
            continue
        if formed(written, key) in bank:
            return written
        if free and any(c.isdigit() for c in plain) and any(
            stands_in(plain, text) for text in rows.text
        ):  # fmt: skip
            return written
    for written, plain in books:
        for theirs, as_written in bank.items():
            how = difference(theirs, plain)
            if how:
                words = f"the bank's reference {as_written} {how} the item's {written}"
                return Failure("reference", words, NEAR, int("character" in how))
    return Failure("reference", f"no {key.title} in common", 4)


def _judge(rung: Rung, rows: Rows, pair: Pair, met: Mapping[str, str | Failure]) -> Judgement:
    agrees: list[str] = []
    failures: list[Failure] = []
    kind = rows.item["kind"] or "cash_book"
    if rung.kinds and kind not in rung.kinds:
        looks = ", ".join(rung.kinds)
        words = f"the item is a {kind.replace('_', ' ')}; rung {rung.name} looks at {looks}"
        failures.append(Failure("kind", words, 3))
    shared = next((k for k in rung.same if isinstance(met[k.name], str)), None)
    if shared:
        agrees.append(f"reference {met[shared.name]}")
    elif rung.same:
        failures.append(_apart(rung, rows, met))
    whole = shared if rung.shape not in _SINGLE else None
    wrong = _sum(rung, rows, whole) if whole else _amount(rung, rows, shared, met)
    if wrong:
        failures.append(wrong)
    elif not whole:
        agrees.append("amount")
    for asked, found in ((rung.party, _party(rung, rows, pair)), (rung.days, _days(rung, rows))):
        if asked and found:
            failures.append(found)
        elif asked and asked is rung.party:
            agrees.append("party")
    return Judgement(rung.name, tuple(agrees), tuple(failures))


def _apart(rung: Rung, rows: Rows, met: Mapping[str, str | Failure]) -> Failure:
    """Why no key of the rung agrees: nearly equal references are named, and unjoined ones."""
    found = [f for key in rung.same if isinstance(f := met[key.name], Failure)]
    near = min(found, key=lambda f: f.weight)
    if near.weight == NEAR:
        return near
    for name, values in rows.books.items():
        for written, plain in values:
            if len(plain) >= 4 and plain in rows.fields:
                field = rows.fields[plain]
                words = f"{written} stands in the bank's {field} and in the item's {name}, "
                return Failure("reference", f"{words}which no key of rung {rung.name} joins", 3)
    titles = " or ".join(key.title for key in rung.same)
    return Failure("reference", f"no {titles} in common", 4)


def _money(minor: int, unit: int, currency: str) -> str:
    digits = len(str(unit)) - 1
    return f"{Decimal(abs(minor)).scaleb(-digits):,.{digits}f} {currency}"


def _amount(
    rung: Rung, rows: Rows, shared: Key | None, met: Mapping[str, str | Failure]
) -> Failure | None:
    """The entry, or the payment inside it that carries the reference, against the item."""
    item = rows.item["amt"]
    if rung.shape == "details" and shared and len(rows.details) > 1:
        wanted = formed(str(met[shared.name]), shared)
        for detail in rows.details:
            if detail["amt"] is not None and wanted in references_of({}, [detail], shared):
                what = "the payment inside the entry"
                return _compare(rung, rows, detail["amt"], item, what, "the item")
    return _compare(rung, rows, rows.entry["amt"], item, "the entry", "the item")


def _sum(rung: Rung, rows: Rows, key: Key) -> Failure | None:
    """The set of all open items with the key against the entry."""
    members: dict[int, int] = {rows.item["iid"]: rows.item["amt"]}
    for plain in rows.bank[key.name]:
        for item in rows.sharing.get(plain, ()):
            if any(plain == formed(v, key) for name in key.books for v, _ in item["refs"][name]):
                members[item["iid"]] = item["amt"]
    count = len(members)
    whole = f"the {count} open items with it" if count > 1 else "the only open item with it"
    found = _compare(rung, rows, rows.entry["amt"], sum(members.values()), "the entry", whole)
    return found and Failure("sum", found.words, found.weight, found.excess)


def _compare(
    rung: Rung, rows: Rows, bank: int, books: int, what: str, against: str
) -> Failure | None:
    left, unit, currency = bank - books, rows.entry["unit"], rows.entry["currency"]
    if not left:
        return None
    if (bank < 0) != (books < 0):
        way = "goes out and the item came in" if bank < 0 else "comes in and the item goes out"
        return Failure("amount", f"{what} {way}: the sign is opposite", 3, abs(left))
    more = abs(bank) > abs(books)
    off = _money(left, unit, currency)
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
    allowed = f"rung {rung.name} allows {_money(most, unit, currency)} {'more' if more else 'less'}"
    if most < int(limit * unit):
        allowed += f" ({percent.normalize():f} % of it)"
    return Failure("amount", f"{words}; {allowed}", weight, abs(left) - most)


def _exchanged(rows: Rows) -> bool:
    currency = rows.entry["currency"]
    return any((d["original_currency"] or currency) != currency for d in rows.details)


def _party(rung: Rung, rows: Rows, pair: Pair) -> Failure | None:
    asked = rung.party
    if asked is None or (pair.same_account and "account" in asked.by):
        return None
    if pair.in_text and "text" in asked.by:
        return None
    single = rows.details[0] if len(rows.details) == 1 else None
    theirs = single["counterparty_name"] if single else None
    ours = rows.item["counterparty_name"]
    if pair.likeness is not None and "name" in asked.by:
        least = int(asked.name_min * 100)
        if pair.likeness >= least:
            return None
        score = Decimal(pair.likeness).scaleb(-2)
        words = f"name similarity {score} ({theirs}, {ours}); rung {rung.name} asks "
        return Failure("party", words + f"{asked.name_min}", 2, least - pair.likeness)
    silent = "the bank" if not theirs else "the item"
    return Failure("party", f"{silent} does not say who the other party is", 3)


def _days(rung: Rung, rows: Rows) -> Failure | None:
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
    return Failure("days", f"{words}rung {rung.name} looks at most {most}", 1, abs(apart) - most)
