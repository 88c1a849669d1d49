"""Pairs that met in a bucket and agree in what the bucket stands for; and in who the party may be.

Equal amounts alone meet as often as the square of the rows. So buckets are multiplied out a few at
a time, and of their pairs only those are kept whose days lie near and whose parties may be one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow.compute

from tieout.matching.ladder import Rung
from tieout.matching.meet import Meeting
from tieout.matching.sides import Sides
from tieout.matching.stated import Stated

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["Faces", "agreeing"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: Pairs that are looked at together.
_HELD: Final = 1 << 22


@dataclass(frozen=True, slots=True)
class Faces:
    """How the bank's rows meet items: (row, partition, amount), a row twice where items are
    shared by accounts."""

    row: Ints
    part: Ints
    amount: Ints


def agreeing(
    sides: Sides,
    rung: Rung,
    meeting: Meeting,
    bank: Stated,
    entry: Ints,
    faces: Faces,
    books: Stated,
    excluded: tuple[Flags, Flags] | None,
) -> tuple[Ints, Ints]:
    """Pairs (place in ``bank``, place in ``books``) that agree in partition, amount and reference.

    A rung without references also keeps only pairs that may fulfil it.

    Args:
        meeting: of the faces and the books, by bucket.
        bank: references of units (entries or details).
        entry: the entry of each.
        faces: how they meet the books.
        books: references of items.
        excluded: entries and items that are in no pair.
    """
    texts = sides.references.texts

    def same(at: Ints, other: Ints) -> Flags:
        item = books.row[other]
        found: Flags = faces.part[at] == sides.item_part[item]
        if rung.tolerance is None:
            found &= faces.amount[at] == sides.item_amount[item]
        row = faces.row[at]
        if rung.same:
            alike = pc.equal(texts.take(bank.place[row]), texts.take(books.place[other]))
            found &= np.asarray(alike.to_numpy(zero_copy_only=False), dtype=bool)
        found &= sides.allowed(entry[row], item)
        if excluded:
            found &= ~(excluded[0][entry[row]] | excluded[1][item])
        return found

    may = _possible(sides, rung, meeting) if not rung.same else None
    kept = []
    for piece in meeting.pieces(_HELD):
        at, other = piece.pairs()
        at, other = _only(at, other, same(at, other))
        at = faces.row[at]
        if may:
            unit, item = bank.row[at], books.row[other]
            at, other = _only(at, other, may(unit, entry[at], item))
        kept.append((at, other))
    if len(kept) == 1:
        return kept[0]
    at, other = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    return at, other


def _only(at: Ints, other: Ints, keep: Flags) -> tuple[Ints, Ints]:
    if keep.all():
        return at, other
    return at[keep], other[keep]


def _possible(
    sides: Sides, rung: Rung, meeting: Meeting
) -> Callable[[Ints, Ints, Ints], Flags] | None:
    """Whether (unit, entry, item) may fulfil the rung, by their days, and, where there are very
    many pairs, by the letters of the parties' names."""
    party = rung.party
    count = int((meeting.bank_count * meeting.books_count).sum())
    if party is None or party.asked != "always" or count <= _HELD:
        return None

    def may(unit: Ints, entry: Ints, item: Ints) -> Flags:
        found = np.ones(len(entry), dtype=bool)
        if rung.days:
            apart = sides.day[entry] - sides.item_day[rung.days.item][item]
            found = (apart >= -rung.days.after) & (apart <= rung.days.before)
            found |= np.abs(apart) <= rung.days.alone
        some = np.flatnonzero(found)
        detail = unit[some] if rung.shape == "details" else sides.only_detail[entry[some]]
        found[some] = sides.parties.may_agree(party, detail, item[some])
        return found

    return may
