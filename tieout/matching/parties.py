"""The other parties of both sides as numbers: each name and account is read once a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.arrays import handles
from tieout.matching.ladder import Party
from tieout.matching.letters import Letters, shared_least
from tieout.matching.normal import fold

if TYPE_CHECKING:
    from tieout.matching.sides import Sides

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["Coded", "Parties"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of both sides in numbers: the same number is the same text.

    Attributes:
        texts: by number.
        bank: by detail handle, -1 where there is none; of details of open entries only.
        books: by item handle, likewise.
    """

    texts: Any
    bank: Ints
    books: Ints

    def of_details(self, details: Ints) -> Ints:
        """Numbers of the details; a handle of -1 has none."""
        return np.where(details >= 0, self.bank[details], -1) if len(self.bank) else details


class Parties:
    """Names and accounts of the other parties, read when first asked for.

    What is read is what is open at that time; what is open only ever shrinks.
    """

    def __init__(self, sides: Sides) -> None:
        self._sides = sides
        self._accounts: Coded | None = None
        self._names: Coded | None = None
        self._plain: tuple[Any, Any] | None = None
        self._words: tuple[Ints, Any] | None = None
        self._letters: Letters | None = None

    @property
    def accounts(self) -> Coded:
        """Accounts in the normal form of references."""
        if self._accounts is None:
            raw = self._read("counterparty_account")
            folded, _ = fold(raw.texts)
            number, texts = _numbered(folded)
            self._accounts = Coded(texts, _mapped(number, raw.bank), _mapped(number, raw.books))
        return self._accounts

    @property
    def names(self) -> Coded:
        """Names as written."""
        if self._names is None:
            self._names = self._read("counterparty_name")
        return self._names

    def plain_names(self, numbers: Ints) -> Any:
        """Names without marks, their words in the order of the alphabet; null for -1."""
        return self._both()[0].take(handles(numbers))

    def plain_texts(self, numbers: Ints) -> Any:
        """Names without marks, their words as they stand; null for -1."""
        return self._both()[1].take(handles(numbers))

    def by_text(self) -> tuple[Ints, Any]:
        """Of each name the number of its plain text, and these texts."""
        if self._words is None:
            self._words = _numbered(self._both()[1])
        return self._words

    def may_agree(self, party: Party, details: Ints, items: Ints) -> Flags:
        """Which payments and items may be of one party, by their accounts and letters alone.

        Those that are left out cannot; who says nothing may be anyone.
        """
        ours, theirs = self.names.of_details(details), self.names.books[items]
        found: Flags = (ours < 0) | (theirs < 0)
        if "account" in party.by:
            mine = self.accounts.of_details(details)
            found |= (mine >= 0) & (mine == self.accounts.books[items])
        if "name" in party.by:
            if self._letters is None:
                self._letters = Letters.of(self._both()[0])
            some = np.flatnonzero(~found)
            letters, least = self._letters, shared_least(party.name_min)
            found[some] = letters.enough(ours[some], letters, theirs[some], least)
        return found

    def _both(self) -> tuple[Any, Any]:
        if self._plain is None:
            db = self._sides.db
            db.register("distinct_names", pa.Table.from_arrays([self.names.texts], ["name"]))
            made = db.sql(
                "SELECT plain_name(name) AS sorted, plain_text(name) AS plain FROM distinct_names"
            ).to_arrow_table()
            db.unregister("distinct_names")
            sorted_, plain = (made[n].cast(pa.string()).combine_chunks() for n in made.column_names)
            self._plain = sorted_, plain
        return self._plain

    def _read(self, column: str) -> Coded:
        """A column of both sides, each distinct text numbered."""
        sides = self._sides
        lines, books = sides.prepared.details, sides.prepared.items
        own, ours = lines.known(column, sides.open_entries[sides.detail_entry])
        other, theirs = books.known(column, sides.open_items)
        coded: Any = pa.concat_arrays([ours, theirs]).dictionary_encode()
        found = coded.indices.to_numpy(zero_copy_only=False)
        bank, items = (np.full(len(table), -1, dtype="int32") for table in (lines, books))
        bank[own], items[other] = found[: len(own)], found[len(own) :]
        return Coded(coded.dictionary, bank, items)


def _numbered(texts: Any) -> tuple[Ints, Any]:
    """Of each text its number, and the distinct texts by number."""
    coded = texts.dictionary_encode()
    return coded.indices.to_numpy(zero_copy_only=False), coded.dictionary


def _mapped(number: Ints, places: Ints) -> Ints:
    """The numbers of what stands at the places; -1 where there is none."""
    return np.append(number, -1)[places]
