"""Signs of BAI2 entries: given by the type code, doubted by a minus, settled by the balances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from parsers._bai_codes import CREDIT, DEBIT
from parsers._bai_records import Record
from parsers._bai_rows import Batch, Entry
from parsers._rows import edges

__all__ = ["Signs"]

_ZERO: Final = Decimal(0)


class Signs:
    """The signed entries of one account: their sums, and which of them are in doubt.

    Attributes:
        moved: sum of the entries.
        moved_in: sum of the money in.
        doubtful: place of each entry in doubt; its record where the type gives no direction.
    """

    def __init__(self, rows: Batch) -> None:
        self.rows = rows
        self.moved = self.moved_in = _ZERO
        self.doubtful: list[tuple[int, Record | None]] = []
        self.plain_debits = 0

    def signed(self, value: Decimal, direction: int | None, text: str, record: Record) -> Decimal:
        """The amount as the account holder sees it; the entry is recorded next.

        Args:
            value: as the bank gives it.
            direction: of its type code.
            text: the amount as written.
            record: it stands in.
        """
        if direction == CREDIT or not value:
            pass
        elif direction == DEBIT:
            if value < 0:
                self.doubtful.append((len(self.rows.lines), None))
            else:
                self.plain_debits += 1
            value = -value
        elif text[:1] not in ("+", "-"):
            self.doubtful.append((len(self.rows.lines), record))
        self.moved += value
        if value > 0:
            self.moved_in += value
        return value

    def add(self, money_in: Decimal, money_out: Decimal, debits: int) -> None:
        """Count signed entries none of which is in doubt; the sums have no sign."""
        self.plain_debits += debits
        self.moved += money_in - money_out
        if money_in:
            self.moved_in += money_in

    def settle(self, balances: Sequence[Mapping[str, Any]], currency: str) -> list[Record]:
        """Settle what is in doubt: the balances decide, else the bank's habit.

        A minus before a debit turns it into money in, or only says "debit" again: the latter
        where every debit has it. A type without direction needs the balances.

        Returns:
            Records of entries that have no sign; they are taken out.
        """
        if not self.doubtful:
            return []
        known, lines = edges(balances, currency), self.rows.lines
        wanted = known[1]["amount"] - known[0]["amount"] if known else None
        turned = sum((-2 * lines[at].amount for at, _ in self.doubtful), _ZERO)
        if self.moved == wanted:
            return []
        if self.moved + turned == wanted:
            self._turn([at for at, _ in self.doubtful], "the balances prove it")
            return []
        if not self.plain_debits:
            repeated = [at for at, record in self.doubtful if record is None]
            if repeated:
                self._turn(repeated, "every debit has a minus")
        out = [(at, record) for at, record in self.doubtful if record is not None]
        for at, _ in reversed(out):
            self._forget(lines.pop(at))
        return [record for _, record in out]

    def _turn(self, places: Sequence[int], why: str) -> None:
        lines = self.rows.lines
        for at in places:
            self._forget(lines[at])
            lines[at] = lines[at]._replace(amount=-lines[at].amount, reversal=False)
            self.moved += lines[at].amount
            self.moved_in += max(lines[at].amount, _ZERO)
        self.rows.finding(
            "SIGN_PROVED", "info", f"line {lines[places[0]].line_no}",
            f"{len(places)} entries are taken as money "
            f"{'in' if lines[places[0]].amount > 0 else 'out'}: {why}",
            "nothing, if the balances tie",
        )  # fmt: skip

    def _forget(self, line: Entry) -> None:
        self.moved -= line.amount
        self.moved_in -= max(line.amount, _ZERO)
