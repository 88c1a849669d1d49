"""One account's books as the ERP shows them: lines and balances, and whether they agree."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from tieout.connectors.reads import BooksReader, CashBookLine
from tieout.errors import Finding
from tieout.ledger import Ledger
from tieout.ledger.models import BookBalance
from tieout.masterdata import BankAccount
from tieout.money import format_amount

__all__ = ["BooksRead", "ask_balance", "check_books", "moved_days", "read_books"]


@dataclass(frozen=True, slots=True)
class BooksRead:
    """One account's books: its lines since the cutover, its balances then and on the day asked."""

    day: dt.date
    lines: Sequence[CashBookLine]
    on_cutover: int
    balance: int

    def until(self, day: dt.date) -> int:
        """What the balance of a day must be by the lines."""
        return self.on_cutover + sum(x.amount_minor for x in self.lines if x.booked_on <= day)

    @property
    def incomplete(self) -> bool:
        """Whether the lines do not add up to the balance."""
        return self.until(self.day) != self.balance


def read_books(connector: BooksReader, account: BankAccount, day: dt.date) -> BooksRead:
    """Read one account's lines and balances."""
    return BooksRead(
        day,
        connector.cash_book(account.gl_account, since=account.cutover_on),
        ask_balance(connector, account, account.cutover_on),
        ask_balance(connector, account, day),
    )


def ask_balance(connector: BooksReader, account: BankAccount, on: dt.date) -> int:
    """The balance of one day, in minor units of the account's currency."""
    return connector.book_balance(account.gl_account, on=on, currency=account.currency)


def moved_days(ledger: Ledger, account: BankAccount, read: BooksRead) -> list[dt.date]:
    """Other days asked for before whose balance a line posted with their date has moved since."""
    with ledger.session() as session:
        recorded = select(BookBalance.on, BookBalance.amount_minor).where(
            BookBalance.account_code == account.code, BookBalance.on != read.day
        )
        ordered = recorded.order_by(BookBalance.book_balance_id)
        newest = {row.on: row.amount_minor for row in session.execute(ordered)}
    return sorted(on for on, balance in newest.items() if read.until(on) != balance)


def check_books(account: BankAccount, read: BooksRead) -> list[Finding]:
    """The books must start where the cutover says, and their lines must add up to their balance."""
    findings = []
    if read.on_cutover != account.cutover_minor:
        findings.append(
            Finding(
                "CUTOVER_MISMATCH",
                "error",
                f"mappings/accounts [{account.code}] cutover",
                f"the books say {format_amount(read.on_cutover, account.currency)} on "
                f"{account.cutover_on}, the mapping says "
                f"{format_amount(account.cutover_minor, account.currency)}",
                "correct the mapping, or list what was in transit at the cutover",
            )
        )
    if read.incomplete:
        moved = read.until(read.day) - read.on_cutover
        findings.append(
            Finding(
                "BOOKS_INCOMPLETE",
                "error",
                account.code,
                f"the cash book's lines move {format_amount(moved, account.currency)}, its balance "
                f"moved {format_amount(read.balance - read.on_cutover, account.currency)}",
                "lines were posted while we read, or are hidden from our user: sync again, or give "
                "it the rights; until then the lines read before stand",
            )
        )
    return findings
