"""What entries say in words: the open documents they name, and numbers like the books' own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute

from tieout.matching.meet import bucket, meet
from tieout.matching.number_ranges import learn, speaks_against

if TYPE_CHECKING:
    from tieout.matching.sides import Sides

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["Words"]

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]


class Words:
    """The words of a run's entries, read when first asked for."""

    def __init__(self, sides: Sides) -> None:
        self._sides = sides
        self._counts: Ints = np.zeros(0, dtype="int64")
        self._ranges: tuple[str, ...] | None = None
        self._named: tuple[Flags, Codes] | None = None

    def not_contradicted(self, entry: Ints, item: Ints) -> Flags:
        """Which pairs the entry's own words do not speak against.

        An entry that names open documents is not explained by another one that happens to have the
        same amount.
        """
        names, pairs = self.named()
        own = bucket(entry, item)
        kept: Flags = ~names[entry]
        kept[names[entry]] = np.isin(own[names[entry]], pairs)
        rows = np.flatnonzero(~names[entry])
        kept[rows[self.other_document(entry[rows], item[rows])]] = False
        return kept

    def other_document(self, entry: Ints, item: Ints) -> Flags:
        """Which entries' texts state a number like the books' own that is not the item's."""
        sides = self._sides
        if self._ranges is None:
            _, numbers = sides.prepared.items.known("document_no", sides.open_items)
            self._ranges = learn(numbers)
        only = sides.only_detail[entry]
        said = sides.prepared.entries.take("narrative", entry)
        own = sides.prepared.details.take("narrative", only)
        documents = sides.prepared.items.take("document_no", item)
        return speaks_against(sides.db, self._ranges, pc.coalesce(own, said), documents)

    def named(self) -> tuple[Flags, Codes]:
        """Entries that name open items by a document's reference, and a code of each such pair."""
        if self._named is None:
            sides = self._sides
            names = np.zeros(len(sides.part), dtype=bool)
            books = sides.references.books(sides.naming, sides.open_items, sides.open_items)
            bank = sides.references.bank(
                sides.naming, "entries", sides.open_entries, sides.open_items
            )
            place, part = sides.twice(bank.row, books.row)
            meeting = meet(
                bucket(part, bank.code[place]), bucket(sides.item_part[books.row], books.code)
            )
            at, other = meeting.where(~meeting.crowded).pairs()
            entry = bank.row[place[at]]
            names[entry] = True
            pairs = np.unique(np.stack([entry, books.row[other]]), axis=1)
            self._counts = np.bincount(pairs[0], minlength=len(names))
            self._named = names, np.sort(bucket(pairs[0], pairs[1]))
        return self._named

    def named_count(self, entry: int) -> int:
        """How many open items an entry names."""
        self.named()
        return int(self._counts[entry])
