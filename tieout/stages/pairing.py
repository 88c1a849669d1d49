"""Pairing: which rows of two sources are the same entry of the bank.

A statement in a second format, a longer period that contains a shorter one, a report of the day, a
notification: each repeats entries the ledger has. A row is paired with one row of the other side
at most, so two genuinely identical entries stay two wherever a source has both.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tieout.identity import NO_REFERENCE

__all__ = ["CORRECTED", "EntryFact", "Pair", "pair", "pair_parts"]

#: What `Pair.by` says of an entry and what a corrected statement says of it now.
CORRECTED: Final = "corrected"


@dataclass(frozen=True, slots=True)
class EntryFact:
    """What tells an entry from another; ``amount_minor`` is signed from the holder's view."""

    entry_id: str
    statement_id: str
    amount_minor: int
    booked_on: dt.date | None
    valued_on: dt.date | None
    bank_ref: str | None = None
    references: tuple[str, ...] = ()  # entry reference, end-to-end id, UETR of its only detail
    narrative: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """``left`` and ``right`` (entry ids) are one entry; ``by`` says what they share."""

    left: str
    right: str
    by: str


#: The keys under which a row may pair, best first; none where it has nothing to show.
_Keys = Callable[[EntryFact], list[Hashable]]


def pair(
    left: Sequence[EntryFact], right: Sequence[EntryFact], *, same_statement: bool = False
) -> list[Pair]:
    """Pair the rows of two sources of one account, the surest evidence first.

    Args:
        same_statement: both sources are one statement of the bank, so that what remains may pair
            on its amount alone, in order.

    Returns:
        Pairs in the order of ``left``. Rows whose bank references differ never pair by day alone.
    """
    passes: list[tuple[str, _Keys, bool]] = [
        ("bank reference", _by_bank_ref, False),
        ("bank reference", _by_short_ref, False),
        ("reference", _by_reference, False),
        ("text", _by_text, False),
        ("value date", _by_value_date, not same_statement),
        ("day", _by_day, not same_statement),
    ]
    if same_statement:
        passes.append(("amount", _by_amount, False))
    found: dict[str, Pair] = {}
    taken: set[str] = set()
    for by, keys, apart in passes:
        waiting: dict[Hashable, list[EntryFact]] = defaultdict(list)
        for row in right:
            if row.entry_id not in taken:
                for key in keys(row):
                    waiting[key].append(row)
        for row in left:
            if row.entry_id in found:
                continue
            candidates = (r for key in keys(row) for r in waiting.get(key, ()))
            free = (r for r in candidates if r.entry_id not in taken)
            match = next((r for r in free if not (apart and _differ(row, r))), None)
            if match is not None:
                taken.add(match.entry_id)
                found[row.entry_id] = Pair(row.entry_id, match.entry_id, by)
    return [found[row.entry_id] for row in left if row.entry_id in found]


def pair_parts(parts: Sequence[EntryFact], wholes: Sequence[EntryFact]) -> list[Pair]:
    """Pair the parts of a batch, each an entry of its own, with the entry that books their sum.

    They share a reference, and their sum is the amount: nothing less makes them its parts.
    """
    by_reference: dict[str, list[EntryFact]] = defaultdict(list)
    for part in parts:
        for reference in _plain_all(part.bank_ref, *part.references):
            by_reference[reference].append(part)
    found: dict[str, Pair] = {}
    for whole in wholes:
        for reference in _plain_all(whole.bank_ref, *whole.references):
            own = [p for p in by_reference.get(reference, []) if p.entry_id not in found]
            if len(own) > 1 and sum(p.amount_minor for p in own) == whole.amount_minor:
                for part in own:
                    found[part.entry_id] = Pair(part.entry_id, whole.entry_id, "part of a batch")
                break
    return [found[p.entry_id] for p in parts if p.entry_id in found]


def _day(row: EntryFact) -> dt.date | None:
    return row.booked_on or row.valued_on


def _by_bank_ref(row: EntryFact) -> list[Hashable]:
    reference = _plain(row.bank_ref)
    return [(row.amount_minor, _day(row), reference)] if reference else []


def _by_short_ref(row: EntryFact) -> list[Hashable]:
    reference = _plain(row.bank_ref)[:_ROOM]
    return [(row.amount_minor, _day(row), reference)] if reference else []


def _by_reference(row: EntryFact) -> list[Hashable]:
    return [(row.amount_minor, _day(row), r) for r in _plain_all(*row.references)]


def _by_text(row: EntryFact) -> list[Hashable]:
    text = "".join((row.narrative or "").split()).upper()
    return [(row.amount_minor, _day(row), row.valued_on, text)] if text else []


def _by_value_date(row: EntryFact) -> list[Hashable]:
    return [(row.amount_minor, _day(row), row.valued_on)]


def _by_day(row: EntryFact) -> list[Hashable]:
    return [(row.amount_minor, _day(row))]


def _by_amount(row: EntryFact) -> list[Hashable]:
    return [row.amount_minor]


def _differ(one: EntryFact, other: EntryFact) -> bool:
    """Whether the bank gave both a reference of its own, and not the same."""
    mine, its = _plain(one.bank_ref)[:_ROOM], _plain(other.bank_ref)[:_ROOM]
    return bool(mine and its and mine != its)


#: MT940 has room for this many characters of a reference.
_ROOM: Final = 16


def _plain(reference: str | None) -> str:
    """A reference without blanks, or nothing where it identifies nothing."""
    text = "".join((reference or "").split()).upper()
    return "" if text in NO_REFERENCE else text


def _plain_all(*references: str | None) -> list[str]:
    found: Iterable[str] = (_plain(r) for r in references)
    return list(dict.fromkeys(r for r in found if r))
