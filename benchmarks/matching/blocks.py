"""What a story renders: columns of entries, details and items, and what belongs together.

Rows name their group by its number in the block (−1: belongs to none) and details their entry by
its row in the block. Amounts are whole minor units of the account's currency, days are days since
1970-01-01, texts are Arrow columns; a column that is left out is null. `tables` turns blocks into
canonical tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.matching.text import Flags, Ints, Text

__all__ = ["Block", "Payments", "block"]

Columns = dict[str, Any]


@dataclass(slots=True)
class Payments:
    """Movements before a story says what stands beside them; one row each.

    Attributes:
        acct: number of the own account.
        party: number of the other party.
        amount: signed, money in is positive.
        day: the bank books it.
        booked: the books did (cash book: days before; open items: date of the document).
        due: the item is due; equal to ``booked`` for the cash book.
        kind: of the item: 0 cash_book, 1 payable, 2 receivable, 3 expense, 4 payment.
        person: whether the party is a person (its name is made otherwise).
    """

    acct: Ints
    party: Ints
    amount: Ints
    day: Ints
    booked: Ints
    due: Ints
    kind: Ints
    person: Flags

    def __len__(self) -> int:
        return len(self.acct)

    def take(self, rows: npt.NDArray[Any]) -> Payments:
        """The rows named, in that order."""
        return Payments(**{name: getattr(self, name)[rows] for name in self.__slots__})


@dataclass(slots=True)
class Block:
    """A story's rows.

    Attributes:
        story: its name.
        count: how many groups.
        entries: ``group``, ``acct``, ``amount``, ``day`` and canonical columns.
        details: ``entry``, ``amount``, ``party``, ``person``, ``damage`` (−1: no name),
            ``iban`` (shown or not) and canonical columns; ``silent`` rows have no amount.
        items: ``group``, ``acct``, ``amount``, ``booked``, ``due``, ``kind``, ``party``,
            ``person`` and canonical columns.
        decidable: of each group.
        why: of each group that is not decidable: a word; else None.
        lone: whether each group stands on party and amount alone, so that no other row of the
            world may have the same party and amount.
    """

    story: str
    count: int
    entries: Columns
    details: Columns
    items: Columns
    decidable: Flags
    why: list[str | None] | Text = field(default_factory=list)
    lone: bool = False


def block(
    story: str,
    count: int,
    entries: Columns,
    details: Columns,
    items: Columns,
    *,
    why: str | None = None,
    lone: bool = False,
) -> Block:
    """A block all of whose groups are decidable, or none of them (then ``why`` says it)."""
    decidable = np.full(count, why is None)
    return Block(story, count, entries, details, items, decidable, [why] * count, lone)
