"""Judging a candidate: each rung's conditions on one pair, every failed one with by how much.

This words what the engine decides in SQL; it decides nothing itself. A rung of a shape that takes
several items at once (a payment run, a set with one key) is judged by the sum of that set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tieout.matching.apart import (
    FAR_APART,
    NEAR,
    Failure,
    Rows,
    compare,
    days_apart,
    exchanged,
    money,
    party_apart,
)
from tieout.matching.candidates import Pair
from tieout.matching.ladder import Key, Ladder, Rung
from tieout.matching.likeness import difference, formed, references_of, stands_in

__all__ = ["Judgement", "judge"]


_SINGLE: Final = ("one_to_one", "details")
#: Shapes that no single entry and item tell anything of: rows of one side, or sums without a key.
_OTHER: Final = ("cancel", "net", "transfer", "returned", "run", "subset")


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
        single = len(self.failures) == 1 and self.rank[1] < FAR_APART
        return cut or single or self.rank[1] <= NEAR + 2

    @property
    def rank(self) -> tuple[int, int, int]:
        """Nearest first: fewest failed conditions, then the lightest, then the least off."""
        return (
            len(self.failures),
            sum(f.weight for f in self.failures),
            sum(f.excess for f in self.failures),
        )


def judge(rows: Rows, pair: Pair, ladder: Ladder) -> Judgement:
    """The rung that came nearest to taking the pair; of equals, the earliest.

    Rungs that only propose, or look at other kinds of items, are asked where no other is left.
    """
    keys = {key.name: key for rung in ladder.rungs for key in rung.same}
    met = {name: _meet(key, rows) for name, key in keys.items()}
    judged = [_judge(r, rows, pair, met) for r in _looking(rows, ladder)]
    found = [j for j in judged if j] or [
        Judgement(
            ladder.rungs[0].name, (), (Failure("reference", "no rung looks at the two", FAR_APART),)
        )
    ]
    return min(found, key=lambda j: j.rank)


def _looking(rows: Rows, ladder: Ladder) -> Sequence[Rung]:
    """The rungs that one entry and one item can tell something of."""
    kind = rows.item["kind"] or "cash_book"
    several, foreign = len(rows.details) > 1, exchanged(rows)
    rungs: list[Rung] = [
        r
        for r in ladder.rungs
        if r.shape not in _OTHER
        and (r.shape != "details" or (several and r.same))
        and r.amount != "original"
        and (foreign or not r.tolerance or r.tolerance.cause != "exchange")
    ]
    rungs = [r for r in rungs if not r.kinds or kind in r.kinds] or rungs
    return [r for r in rungs if r.state == "confirmed"] or rungs


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


def _judge(
    rung: Rung, rows: Rows, pair: Pair, met: Mapping[str, str | Failure]
) -> Judgement | None:
    """One rung's view of the pair; None where it is about several items and there is one."""
    agrees: list[str] = []
    failures: list[Failure] = []
    kind = rows.item["kind"] or "cash_book"
    if rung.kinds and kind not in rung.kinds:
        looks = ", ".join(rung.kinds)
        words = f"the item is a {kind.replace('_', ' ')}; rung {rung.name} looks at {looks}"
        failures.append(Failure("kind", words, 3))
    shared = next((k for k in rung.same if isinstance(met[k.name], str)), None)
    members = _members(rows, shared) if shared else {}
    if shared:
        agrees.append(f"reference {met[shared.name]}")
        if rung.shape == "one_to_one" and len(members) > 1:
            words = f"the entry names {len(members)} open items, not this one alone"
            failures.append(Failure("reference", words, 2))
    elif rung.same:
        failures.append(_apart(rung, rows, met))
    whole = shared if rung.shape not in _SINGLE else None
    if rung.shape not in _SINGLE and len(members) < 2:
        return None
    wrong = _sum(rung, rows, members) if whole else _amount(rung, rows, shared, met)
    if wrong:
        failures.append(wrong)
    else:
        agrees.append(f"sum of the {len(members)} open items it names" if whole else "amount")
    party, days = party_apart(rung, rows, pair), days_apart(rung, rows)
    failures += [failure for failure in (party, days) if failure]
    named = pair.likeness is not None or pair.same_account or pair.in_text
    if rung.party and not party and named:
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
                return compare(rung, rows, detail["amt"], item, what, "the item")
    return compare(rung, rows, rows.entry["amt"], item, "the entry", "the item")


def _members(rows: Rows, key: Key) -> dict[int, int]:
    """All open items that share the entry's key, with their amounts."""
    members: dict[int, int] = {rows.item["iid"]: rows.item["amt"]}
    free = rows.words if key.text and not key.patterns else ()
    for plain in (*rows.bank[key.name], *free):
        for item in rows.sharing.get(plain, ()):
            if any(plain == formed(v, key) for name in key.books for v, _ in item["refs"][name]):
                members[item["iid"]] = item["amt"]
    return members


def _sum(rung: Rung, rows: Rows, members: Mapping[int, int]) -> Failure | None:
    """The set of all open items with the key against the entry."""
    whole = f"the {len(members)} open items it names"
    total, bank = sum(members.values()), rows.entry["amt"]
    found = compare(rung, rows, bank, total, "the entry", whole)
    if found:
        return Failure("sum", found.words, found.weight, found.excess)
    least = min(abs(amount) for amount in members.values())
    if least > abs(bank - total):
        return None
    small, left = (
        money(m, rows.entry["unit"], rows.entry["currency"]) for m in (least, bank - total)
    )
    words = f"the smallest of {whole} is {small} and could be the difference of {left}"
    return Failure("sum", words, 2)
