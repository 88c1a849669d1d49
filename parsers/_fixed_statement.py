"""One statement of a fixed-width format: its rows, balances and the proof that they tie."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from parsers._fixed import Record, unreadable
from parsers._rows import Rows, balance_finding, edges

__all__ = ["Statement"]

Row = dict[str, Any]


class Statement:
    """A statement being read; entries leave it at once, the rest when it ends."""

    def __init__(self, local_id: int, record: Record, kind: str, account: str | None) -> None:
        self.id, self.place, self.account = str(local_id), record.place, account
        self.currency: str | None = None
        self.row: Row = {
            "statement_id": self.id, "line_no": record.number, "account_id": account,
            "account_scheme": "other", "kind": "booked", "format": kind,
        }  # fmt: skip
        self.balances: list[Row] = []
        self.count, self.moved = 0, Decimal(0)
        self.incomplete = self.closed = False
        self.doubts: list[tuple[str, str]] = []  # place and what; the balances decide

    def add_balance(
        self, code: str, value: Decimal | None, on: date | None, record: Record, rows: Rows
    ) -> None:
        """Take a balance; one without amount makes the statement incomplete."""
        if value is None:
            self.incomplete = True
            unreadable(record, f"the balance {code} has no amount", rows, "BALANCE_UNREADABLE")
            return
        self.balances.append({
            "statement_id": self.id, "ordinal": len(self.balances) + 1, "line_no": record.number,
            "code": code, "amount": value, "currency": self.currency, "on": on,
        })  # fmt: skip

    def add_entry(self, row: Row, details: list[Row], rows: Rows) -> None:
        """Give an entry and its details their ids and hand them on."""
        self.count += 1
        local = f"{self.id}.{self.count}"
        row.setdefault("currency", self.currency)
        row |= {
            "entry_id": local, "statement_id": self.id, "ordinal": self.count,
            "account_id": self.account, "status": "booked", "detail_count": len(details),
        }  # fmt: skip
        for ordinal, detail in enumerate(details, 1):
            detail.setdefault("currency", row["currency"])
            detail |= {"entry_id": local, "ordinal": ordinal, "detail_id": f"{local}.{ordinal}"}
        if row["currency"] == self.currency:
            self.moved += row["amount"]
        else:
            rows.finding(
                "CURRENCY_DIFFERS", "warning", f"line {row['line_no']}",
                f"the entry is in {row['currency']}, the account in {self.currency}",
                "it is left out of the balance proof: ask the bank for the account's amount",
            )  # fmt: skip
        rows.entries.append(row)
        rows.details.extend(details)

    def lost(self) -> None:
        """Count an entry that could not be read."""
        self.count += 1
        self.incomplete = True

    def finish(self, rows: Rows) -> None:
        """Hand on the statement row and balances, with the proof and what it settles."""
        finding = balance_finding(self.balances, self.currency, self.moved, self.place)
        known = edges(self.balances, self.currency)
        proven = finding is None and known is not None and not self.incomplete
        for place, message in self.doubts:
            self.incomplete = self.incomplete or not proven
            rows.finding(
                "STATEMENT_DOUBTFUL", "warning" if proven else "error", place, message,
                "the balances tie, so nothing is missing; tell the bank" if proven
                else "records are missing or foreign: ask the bank for the file again",
            )  # fmt: skip
        if finding is not None:
            rows.findings.append(finding)
        rows.balances.extend(self.balances)
        rows.statements.append(self.row | {
            "currency": self.currency, "entry_count": self.count, "incomplete": self.incomplete,
        })  # fmt: skip
