"""ISR records put together to notifications, each proven by its totals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from parsers._checks import checked
from parsers._fixed import Record, midnight, unreadable
from parsers._fixed_statement import Statement
from parsers._rows import Rows
from parsers._v11_record import Credit, Total, credit, kind_of, total
from tieout.errors import InputError

__all__ = ["Reader"]

Row = dict[str, Any]

#: Shortest total that is whole: what stands behind it are blanks.
_TOTAL_COLUMNS: Final = {False: 87, True: 91}


class _Sum:
    """Count, sum and price of the records of one sign."""

    def __init__(self, count: int = 0, amount: Decimal = Decimal(0), price: Decimal = Decimal(0)):
        self.count, self.amount, self.price = count, amount, price

    def add(self, amount: Decimal, price: Decimal) -> None:
        """One record more."""
        self.count, self.amount, self.price = (
            self.count + 1, self.amount + amount, self.price + price,
        )  # fmt: skip

    def __add__(self, other: _Sum) -> _Sum:
        return _Sum(self.count + other.count, self.amount + other.amount, self.price + other.price)


class _Notification(Statement):
    """The credits of one participant number in one currency, until their totals agree."""

    def __init__(self, number: int, record: Record, kind: str, account: str, currency: str | None):
        super().__init__(number, record, kind, account)
        self.row |= {"kind": "notification", "currency": currency}
        self.currency = currency
        self.waiting = {1: _Sum(), -1: _Sum()}

    @property
    def unproven(self) -> bool:
        """Whether records wait for their total."""
        return any(s.count for s in self.waiting.values())

    def settle(self, said: Total) -> _Sum | None:
        """Take the records a total speaks of; what they are where it speaks of none."""
        both = self.waiting[1] + self.waiting[-1]
        for found, signs in ((both, (1, -1)), (self.waiting[said.sign], (said.sign,))):
            if (found.count, found.amount) == (said.count, said.amount):
                for sign in signs:
                    self.waiting[sign] = _Sum()
                return None if said.price in (None, abs(found.price)) else found
        self.waiting = {1: _Sum(), -1: _Sum()}
        return both

    def finish(self, rows: Rows) -> None:
        """Hand on the statement's row; there are no balances to prove it by, only totals."""
        rows.statements.append(self.row | {
            "entry_count": self.count, "incomplete": self.incomplete,
        })  # fmt: skip


class Reader:
    """Takes a file's records one by one."""

    def __init__(self, rows: Rows, kind: str, *, wide: bool) -> None:
        self.rows, self.kind, self.wide = rows, kind, wide
        self.made = 0
        self.open: dict[tuple[str, str | None], _Notification] = {}
        self.loose: Record | None = None  # the last record that is none, before any total
        self.last: Record | None = None
        self.damaged: Record | None = None

    def feed(self, record: Record) -> None:
        """Take the next record."""
        self.last = record
        kind = kind_of(record, wide=self.wide)
        if kind == "total":
            self._total(record)
        elif kind == "credit":
            self._credit(record)
        else:
            self._lost(record, "no ISR record begins so", "RECORD_UNKNOWN")

    def _lost(self, record: Record, what: str, code: str = "ENTRY_UNREADABLE") -> None:
        """A record nobody can read belongs to whatever total comes next."""
        self.damaged = record
        unreadable(record, what, self.rows, code)

    def _begun(self, record: Record, account: str, currency: str | None) -> _Notification:
        found = self.open.get((account, currency))
        if found is None:
            self.made += 1
            found = _Notification(self.made, record, self.kind, account, currency)
            self.open[account, currency] = found
            if currency is None:
                self.rows.finding(
                    "CURRENCY_UNKNOWN", "warning", record.place,
                    f"participant number {account} tells no currency (01 is CHF, 03 is EUR)",
                    "compare with the account's currency; nothing is posted in an unknown one",
                )  # fmt: skip
        return found

    def _credit(self, record: Record) -> None:
        found = credit(record, self.rows, wide=self.wide)
        now = self._begun(record, found.account, found.currency)
        if found.amount is None:
            now.lost()
            unreadable(record, "the record has no amount", self.rows)
            return
        sign = -1 if found.amount < 0 or found.code[2] in ("2" if self.wide else "45") else 1
        now.waiting[sign].add(found.amount, sign * (found.price or Decimal(0)))
        if found.price is None:
            self.rows.finding(
                "CHARGES_MALFORMED", "warning", record.place,
                f"the price is not a number: {record.text.rstrip()!r}",
                "left empty; the amount does not depend on it",
            )  # fmt: skip
        now.add_entry(_entry(found, record), [self._detail(found, record)], self.rows)

    def _detail(self, found: Credit, record: Record) -> Row:
        kind = checked(
            found.reference, "ISR", f"{record.place} columns of the reference", self.rows
        )
        own = found.price is not None and found.price_currency == found.currency
        return {
            "line_no": record.number,
            "amount": found.amount,
            "currency": found.currency,
            "reference": found.reference,
            "reference_type": kind,
            "transaction_id": found.microfilm,
            "charges": -found.price if own and found.price else None,
        }

    def _total(self, record: Record) -> None:
        if record.length < _TOTAL_COLUMNS[self.wide]:
            raise _truncated(record, "the total ends before its last column")
        said = total(record, self.rows, wide=self.wide)
        now = self._begun(record, said.account, said.currency)
        now.row |= {
            "created_at": midnight(said.created_on),
            "to_at": midnight(said.created_on),
            "statement_ref": now.row.get("statement_ref") or said.key.strip(),
        }
        if self.damaged is not None:
            now.incomplete = True
            self.damaged = None
        wrong = now.settle(said)
        if wrong is not None:
            self._mismatch(record, said, wrong, now)
        if not now.unproven:
            now.finish(self.rows)
            del self.open[said.account, said.currency]

    def _mismatch(self, record: Record, said: Total, found: _Sum, now: _Notification) -> None:
        counted = (said.count, said.amount) == (found.count, found.amount)
        if not counted:
            now.incomplete = True
        self.rows.finding(
            "TOTAL_MISMATCH", "warning" if counted else "error", record.place,
            f"the bank says {said.count} records, {said.amount} {said.currency} and {said.price} "
            f"of prices; the file has {found.count}, {found.amount} and {found.price}",
            "the amounts agree: ask the bank about its prices" if counted
            else "records are missing or foreign: ask the bank for the file again",
        )  # fmt: skip

    def end_of_file(self) -> None:
        """Refuse a file that does not end with the total of its records."""
        if self.open:
            first = next(iter(self.open.values()))
            raise InputError(
                "V11_TRUNCATED",
                f"participant {first.account}: the records that begin here have no total behind "
                "them",
                where=first.place,
                remedy="the file is cut: fetch it again; nothing of it was read",
            )
        if self.damaged is not None or not self.made:
            raise _truncated(self.last, "the file does not end with a total")


def _entry(found: Credit, record: Record) -> Row:
    return {
        "line_no": record.number,
        "currency": found.currency,
        "amount": found.amount,
        "booked_on": found.processed_on,
        "valued_on": found.credited_on,
        "reversal": found.amount is not None and found.amount < 0,
        "entry_ref": found.deposit_ref,
        "code_proprietary": found.code,
    }


def _truncated(record: Record | None, what: str) -> InputError:
    return InputError(
        "V11_TRUNCATED", what, where=record.place if record else "line 1",
        remedy="a part of the file is missing: fetch it again; nothing of it was read",
    )  # fmt: skip
