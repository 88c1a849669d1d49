"""Which entries and items are of the same party: by account, or by name, without comparing all."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow.compute

from tieout.arrays import handles
from tieout.matching.alike import only_likeness
from tieout.matching.ladder import Party
from tieout.matching.meet import Meeting, bucket, meet
from tieout.matching.sides import Sides

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["of_one_party"]

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

_PAIRS_MAX: Final = 1_000_000
#: Shorter names and accounts say nothing.
_SHORTEST: Final = 3


def of_one_party(
    sides: Sides, party: Party, entries: Ints, items: Ints, most: int
) -> tuple[Ints, Ints]:
    """Pairs of entries and items of the same party, by account or by name, ordered."""
    only = sides.only_detail[entries]
    found: list[tuple[Ints, Ints]] = []
    if "account" in party.by:
        accounts = sides.parties.accounts
        ours, theirs = accounts.of_details(only), accounts.books[items]
        found.append(_sharing(sides, (entries, ours), (items, theirs), accounts.texts, most))
    if "name" in party.by:
        ours, theirs, texts = one_name(sides, entries, items, party)
        found.append(_sharing(sides, (entries, ours), (items, theirs), texts, most))
    size = np.int64(len(sides.item_part) + 1)
    both = np.unique(np.concatenate([entry * size + item for entry, item in found]))
    return np.divmod(both, size)


def one_name(sides: Sides, entries: Ints, items: Ints, party: Party) -> tuple[Ints, Ints, Any]:
    """Numbers of both sides' plain names, and these by number; a name of the bank's that the books
    do not have becomes the one name of theirs that begins alike and is similar enough, where there
    is just one."""
    names = sides.parties.names
    number, texts = sides.parties.by_text()
    number = np.append(number, -1)
    ours = number[names.of_details(sides.only_detail[entries])]
    theirs = number[names.books[items]]
    known = np.zeros(len(texts) + 1, dtype=bool)  # one more: where there is no name
    known[theirs] = True
    lost = np.zeros(len(texts) + 1, dtype=bool)
    lost[ours] = True
    right, left = np.flatnonzero(known[:-1]), np.flatnonzero((lost & ~known)[:-1])
    if len(left) and len(right):
        where = _where(sides, (entries, ours), (items, theirs), len(known))
        mine, other = only_likeness(
            sides.db,
            texts.take(handles(left)),
            texts.take(handles(right)),
            party.name_min,
            (where[0][left], where[1][right]),
        )
        better = np.arange(len(texts) + 1)
        better[-1] = -1
        better[left[mine]] = right[other]
        ours = better[ours]
    return ours, theirs, texts


def _where(
    sides: Sides, bank: tuple[Ints, Ints], books: tuple[Ints, Ints], size: int
) -> tuple[Codes, Codes]:
    """By number of a name, bits for the partitions its rows are in: names without a common bit have
    no rows that could meet. Both sides are (row, number)."""
    place, part = sides.twice(bank[0], books[0])
    ours, theirs = np.zeros(size, dtype="uint64"), np.zeros(size, dtype="uint64")
    np.bitwise_or.at(ours, bank[1][place], _bit(part))
    np.bitwise_or.at(theirs, books[1], _bit(sides.item_part[books[0]]))
    return ours, theirs


def _bit(part: Ints) -> Codes:
    return np.uint64(1) << (bucket(part) >> np.uint64(58))


def _sharing(
    sides: Sides, bank: tuple[Ints, Ints], books: tuple[Ints, Ints], texts: Any, most: int
) -> tuple[Ints, Ints]:
    """Pairs of the same number, which stands for one of the texts; both sides are (row, number)."""
    long = np.append(pc.binary_length(texts).to_numpy(zero_copy_only=False) >= _SHORTEST, False)
    some, other_side = long[bank[1]], long[books[1]]
    entries, left = bank[0][some], bank[1][some]
    items, right = books[0][other_side], books[1][other_side]
    place, part = sides.twice(entries, items)
    meeting = meet(bucket(part, left[place]), bucket(sides.item_part[items], right))
    # Bounded: a party with very many items, or entries, is not even listed.
    few = (meeting.books_count <= 4 * most) & ~_vast(meeting)
    at, other = meeting.where(few).pairs()
    return entries[place[at]], items[other]


def _vast(meeting: Meeting) -> Flags:
    """Buckets of more pairs than are worth listing."""
    many: Flags = meeting.bank_count * meeting.books_count > _PAIRS_MAX
    return many
