"""Overlap: statements whose periods share days, and statements without an opening balance.

What such a statement repeats is paired with the accepted entries; what is left is new. It counts
if the balance before it and its new entries come to its own closing balance, to the cent: a wrong
pair or a missing entry would break that sum.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from tieout.ledger.models import StatementRow
from tieout.masterdata import BankAccount
from tieout.stages.pairing import EntryFact, Pair, pair
from tieout.stages.versions import Facts

__all__ = ["Accepted", "Overlap"]

#: An entry may be booked this long before the statement that has it.
_LATE: Final = dt.timedelta(days=10)


@dataclass(frozen=True, slots=True)
class Overlap:
    """How a statement overlaps the accepted ones.

    Attributes:
        pairs: its entries (left) that accepted statements have (right).
        new: its entries that none has.
        inside: the accepted statements that have the others, in their order.
    """

    pairs: tuple[Pair, ...]
    new: tuple[EntryFact, ...]
    inside: tuple[str, ...]


class Accepted:
    """The accepted statements of one account, and which of their entries count."""

    def __init__(self, account: BankAccount, facts: Facts) -> None:
        self._account = account
        self._facts = facts
        self._rows: list[StatementRow] = []
        self._repeated: set[str] = set()

    def add(self, statement: StatementRow, repeated: Sequence[Pair] = ()) -> None:
        """Accept one more; of ``repeated`` the left entries do not count."""
        self._rows.append(statement)
        self._repeated |= {p.left for p in repeated}

    def with_(self, statement: StatementRow) -> Accepted:
        """The same with one more, to try it."""
        trial = Accepted(self._account, self._facts)
        trial._rows = [*self._rows, statement]
        trial._repeated = set(self._repeated)
        return trial

    def name(self, overlap: Overlap) -> str:
        """The statements an overlap is with, in words."""
        rows = {row.statement_id: row for row in self._rows}
        named = [
            str(s.sequence_no if s.sequence_no is not None else s.statement_ref or s.closed_on)
            for s in (rows[key] for key in overlap.inside)
        ]
        return "statement " + ", ".join(named[:3]) + (" and others" if len(named) > 3 else "")

    def overlap(self, statement: StatementRow, closing: int, hole: bool) -> Overlap | None:
        """How the statement overlaps, or None where its balances do not prove it.

        Args:
            closing: the balance before it.
            hole: whether its number says that another statement is missing before it.
        """
        if statement.incomplete or statement.closing_minor is None:
            return None
        found, near, older = self._compare(statement)
        if not found.pairs and statement.opening_minor is not None:
            return None
        return found if self._proven(statement, found, closing, older, hole, near) else None

    def missing(self, statement: StatementRow, closing: int) -> int:
        """What its new entries lack between the balance before it and its own closing."""
        found, _, _ = self._compare(statement)
        return (statement.closing_minor or 0) - closing - sum(e.amount_minor for e in found.new)

    def _compare(self, statement: StatementRow) -> tuple[Overlap, list[StatementRow], bool]:
        """Its overlap, the accepted statements it may overlap, whether it reaches back further."""
        entries = self._facts(statement.statement_id)
        days = [d for e in entries if (d := e.booked_on or e.valued_on) is not None]
        since = min(days, default=statement.closed_on or dt.date.max)
        near = [r for r in self._rows if r.closed_on is None or r.closed_on >= since - _LATE]
        pool = [f for r in near for f in self._facts(r.statement_id)]
        pairs = pair(entries, [f for f in pool if f.entry_id not in self._repeated])
        paired = {p.left: p.right for p in pairs}
        cutover = self._account.cutover_on
        known = {e.entry_id for e in entries if (e.booked_on or e.valued_on or cutover) <= cutover}
        new = tuple(e for e in entries if e.entry_id not in paired and e.entry_id not in known)
        right = set(paired.values())
        inside = tuple(
            r.statement_id
            for r in near
            if any(f.entry_id in right for f in self._facts(r.statement_id))
        )
        return Overlap(tuple(pairs), new, inside), near, bool(known)

    def _proven(
        self,
        statement: StatementRow,
        found: Overlap,
        closing: int,
        older: bool,
        hole: bool,
        near: Sequence[StatementRow],
    ) -> bool:
        """New entries must lead to its closing; without any, its balances must be known ones."""
        opens, closes = statement.opening_minor, statement.closing_minor
        if found.new or (opens is None and not found.pairs):
            seen = older or opens is None or opens in self._balances(near, closing)
            return seen and closing + sum(e.amount_minor for e in found.new) == closes
        if hole and len(found.pairs) < 2:
            return False  # one fee looks like another; the number says that a statement is missing
        balances = self._balances(near, closing)
        return (older or opens is None or opens in balances) and closes in balances

    def _balances(self, near: Sequence[StatementRow], closing: int) -> set[int]:
        """Every balance the account had along the accepted statements."""
        seen = {closing, self._account.cutover_minor}
        for row in near:
            amounts = [f.amount_minor for f in self._facts(row.statement_id)]
            opens = row.opening_minor
            if opens is None:
                opens = (row.closing_minor or 0) - sum(amounts)
            seen.update(accumulate(amounts, initial=opens))
        return seen
