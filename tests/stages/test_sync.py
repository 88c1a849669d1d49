"""Sync: what the ERP says, taken as a whole or not at all, also for days asked about before."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from tests.stages.small import DAY, NEXT, Small
from tieout.connectors.reads import CashBookLine, OpenItem, Rate
from tieout.ledger import Ledger
from tieout.ledger.models import FindingRow, ItemRow
from tieout.stages.sync import sync_books

GL = "1810"


@dataclass
class Books:
    """The lines of one account's books; ``hidden`` of them are not shown, but in the balance."""

    opening: int
    lines: list[CashBookLine] = field(default_factory=list)
    hidden: int = 0

    def post(self, ref: str, amount: int, on: dt.date) -> None:
        self.lines.append(
            CashBookLine(ref, ref, None, on, amount, "EUR", amount, None, None, ref, None, None, "")
        )

    def cash_book(self, gl_account: str, *, since: dt.date) -> list[CashBookLine]:
        return self.lines[self.hidden :] if gl_account == GL else []

    def book_balance(self, gl_account: str, *, on: dt.date, currency: str) -> int:
        if gl_account != GL:
            return 0
        return self.opening + sum(x.amount_minor for x in self.lines if x.booked_on <= on)

    def open_items(self, company: str, *, on: dt.date) -> list[OpenItem]:
        return []

    def company_rates(self) -> list[Rate]:
        return []


@pytest.fixture
def small(fresh_ledger: Ledger) -> Small:
    return Small(fresh_ledger)


@pytest.fixture
def books(small: Small) -> Books:
    assert small.account.gl_account == GL
    return Books(small.account.cutover_minor)


def test_a_line_posted_later_with_an_earlier_date_moves_that_days_balance(
    small: Small, books: Books
) -> None:
    small.statement(DAY, (400, "late"))
    sync_books(small.ledger, books, "tryton")
    assert small.sections(DAY) == {"exceptions": 400}
    small.statement(NEXT)
    books.post("late", 400, DAY)
    sync_books(small.ledger, books, "tryton")
    small.reconcile(NEXT)
    for day in (DAY, NEXT):
        assert small.tie_out(day).unexplained_minor == 0
        assert small.tie_out(day).books_balance_minor == small.closing
    assert sync_books(small.ledger, books, "tryton") == 0


def test_lines_hidden_from_us_are_not_taken_for_gone(small: Small, books: Books) -> None:
    books.post("one", 100, DAY)
    books.post("two", 200, DAY)
    sync_books(small.ledger, books, "tryton", DAY)
    books.hidden = 1
    sync_books(small.ledger, books, "tryton", DAY)
    with small.ledger.session() as session:
        versions = session.execute(select(ItemRow.version, ItemRow.open_minor)).all()
        codes = select(FindingRow.code).where(FindingRow.subject_id == small.code)
        assert session.scalars(codes).all() == ["BOOKS_INCOMPLETE"]
    assert sorted(tuple(v) for v in versions) == [(1, 100), (1, 200)]
