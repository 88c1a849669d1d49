"""A very small world of books for the connector's tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sandbox.model import BankAccount, BookDocument, Party
from sandbox.tryton import service
from tests.services import Tryton
from tieout.connectors.http_wire import Timeouts
from tieout.connectors.ports import Delivery, ErpDocument, Journal, JournalLine
from tieout.connectors.tryton import TrytonConnector
from tieout.connectors.tryton_session import Session
from tieout.connectors.tryton_wire import Wire

__all__ = [
    "CUTOVER",
    "DAY",
    "Books",
    "administrator",
    "draft",
    "fee",
    "outcome",
    "small_books",
]

CUTOVER = date(2026, 11, 19)
DAY = date(2026, 11, 20)


@dataclass(frozen=True)
class Books:
    """What `sandbox.tryton.loading.load` wants of a world."""

    cutover_on: date
    parties: tuple[Party, ...]
    accounts: tuple[BankAccount, ...]
    documents: tuple[BookDocument, ...]


def small_books() -> Books:
    """Two accounts, two invoices (one paid), an advance, and a line nobody is named on."""
    return Books(
        CUTOVER,
        (
            Party("Kranbau Ostsee GmbH", "customer", "", ""),
            Party("Great Plains Bearings Inc", "supplier", "", ""),
        ),
        (
            _account("NORD-EUR-MAIN", "1810", "EUR", 100_000, 100_000),
            _account("NORD-USD", "1840", "USD", 108_500, 100_000),
        ),
        (
            _invoice("customer_invoice", "RE-1", 50_000, "EUR", 50_000, "Kranbau Ostsee GmbH"),
            _invoice("customer_invoice", "RE-2", 7_000, "EUR", 7_000, "Kranbau Ostsee GmbH"),
            _invoice("supplier_invoice", "ER-1", 10_850, "USD", 10_000, _SUPPLIER),
            _cash("NORD-EUR-MAIN", "CB-1", 50_000, 50_000, "Kranbau Ostsee GmbH", settles="RE-1"),
            _cash("NORD-EUR-MAIN", "CB-2", 999, 999, "", narrative="Found | in the post"),
            _cash("NORD-USD", "CB-3", -5_425, -5_000, _SUPPLIER, run="RUN-1", e2e="E2E-3"),
        ),
    )


def fee(
    reference: str = "FEE0000000000001",
    *,
    amount: int = 350,
    booked_on: date = DAY,
    expense: str = "6855",
    journal: str = "bank",
    credit: int | None = None,
    currency: str = "EUR",
    company: str = "NORD",
) -> Journal:
    """A bank charge on the main account; the arguments spoil it."""
    lines = (
        JournalLine(expense, amount, 0, narrative="Fee\nof the bank"),
        JournalLine("1810", 0, amount if credit is None else credit),
    )
    return Journal(reference, company, journal, booked_on, "Bank charges", currency, lines)


def administrator(tryton: Tryton) -> Session:
    """A session that may do anything."""
    wire = Wire(tryton.process.url, tryton.process.database, Timeouts())
    return Session(wire, "admin", service.passwords(tryton.home)["admin"], 100)


def outcome(delivery: Delivery) -> tuple[str, str]:
    """What became of a write, and why."""
    return delivery.outcome, delivery.code


def found(books: TrytonConnector, reference: str) -> list[ErpDocument]:
    """All documents of a reference."""
    return list(books.find(fee(reference)).documents)


def draft(books: TrytonConnector, journal: Journal) -> str:
    """Create a draft that must succeed; its id."""
    delivery = books.create(journal)
    assert outcome(delivery) == ("OK", "DRAFTED")
    assert delivery.doc_id is not None
    return delivery.doc_id


_SUPPLIER = "Great Plains Bearings Inc"


def _account(code: str, gl: str, currency: str, minor: int, company: int) -> BankAccount:
    bank = ("Bank", "DE0", "BIC")
    return BankAccount(code, code, *bank, currency, gl, "mt940-free", minor, 1, company)


def _invoice(
    kind: str, number: str, minor: int, currency: str, company: int, party: str
) -> BookDocument:
    return BookDocument(
        "customer_invoice" if kind == "customer_invoice" else "supplier_invoice",
        "",
        number,
        date(2026, 11, 2),
        date(2026, 12, 2),
        minor,
        currency,
        company,
        party,
        "",
        "",
        "Crane parts",
        "",
    )


def _cash(
    account: str,
    number: str,
    minor: int,
    company: int,
    party: str,
    *,
    run: str = "",
    e2e: str = "",
    narrative: str = "",
    settles: str = "",
) -> BookDocument:
    currency = "USD" if account == "NORD-USD" else "EUR"
    facts = (number, DAY, None, minor, currency, company, party, e2e, run, narrative, settles)
    return BookDocument("cash_book", account, *facts)
