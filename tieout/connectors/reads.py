"""What tieout reads from a system of books: cash book, open items, and what a posting refers to.

Amounts are integers in minor units; `amount_minor` is always in the currency named beside it,
`company_amount_minor` in the company's. Every read raises `tieout.errors.ConnectorError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, Protocol

__all__ = [
    "BooksReader",
    "CashBookLine",
    "CostCenter",
    "GlAccount",
    "MasterReader",
    "OpenItem",
    "Partner",
    "PeriodStatus",
    "Rate",
    "TaxCode",
]

PeriodStatus = Literal["open", "closed", "future", "unknown"]


@dataclass(frozen=True, slots=True)
class CashBookLine:
    """One posted line on a bank account of the books.

    Attributes:
        line_id, move_id: the system's own ids, stable for ever.
        move_number: the number people see, ``2026/000123``.
        booked_on: the posting's effective date.
        amount_minor: signed, money in is positive, in ``currency`` (the bank account's).
        company_amount_minor: the same in the company's currency.
        document_no, payment_batch_id, end_to_end_id, narrative: taken from the line's text by the
            mapping's pattern; a text it does not know is all narrative.
        external_ref: our reference when the posting is one of ours, else None.
    """

    line_id: str
    move_id: str
    move_number: str | None
    booked_on: date
    amount_minor: int
    currency: str
    company_amount_minor: int
    party_code: str | None
    party_name: str | None
    document_no: str | None
    payment_batch_id: str | None
    end_to_end_id: str | None
    narrative: str | None
    due_on: date | None = None
    external_ref: str | None = None


@dataclass(frozen=True, slots=True)
class OpenItem:
    """One posted, unreconciled receivable or payable.

    Attributes:
        kind: ``receivable`` or ``payable``, by the GL account's type.
        source: ``invoice`` for an invoice or credit note; ``move`` for anything else, such as a
            payment on account that nothing was settled with.
        amount_minor: signed as a bank movement that settles it: a receivable is positive, a
            payable negative, a credit note the other way round; in ``currency``.
        document_no: the invoice number, or the move's number where there is no invoice.
        reference: the business partner's own reference, where known.
    """

    line_id: str
    move_id: str
    move_number: str | None
    kind: Literal["receivable", "payable"]
    source: Literal["invoice", "move"]
    gl_account: str
    booked_on: date
    due_on: date | None
    amount_minor: int
    currency: str
    company_amount_minor: int
    party_code: str | None
    party_name: str | None
    document_no: str | None
    reference: str | None
    narrative: str | None
    external_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """Units of ``currency`` for one unit of the company's currency from ``on`` onwards."""

    currency: str
    on: date
    rate: Decimal


@dataclass(frozen=True, slots=True)
class GlAccount:
    """A GL account; ``open_items`` when its lines are cleared against one another."""

    code: str
    name: str
    active: bool = True
    open_items: bool = False


@dataclass(frozen=True, slots=True)
class Partner:
    """A supplier, customer or employee; ``accounts`` are IBANs or account numbers, sorted."""

    code: str
    name: str
    kind: Literal["supplier", "customer", "employee"]
    active: bool = True
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CostCenter:
    """A cost center (or the system's dimension used as one), valid in a span of days."""

    code: str
    name: str
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class TaxCode:
    """A tax code."""

    code: str
    name: str


class BooksReader(Protocol):
    """Reads of the books; every list is ordered by date, then by the system's id.

    All methods raise `tieout.errors.ConnectorError`.
    """

    def cash_book(self, gl_account: str, *, since: date) -> list[CashBookLine]:
        """Posted lines of a bank's GL account dated after ``since``."""
        ...

    def book_balance(self, gl_account: str, *, on: date, currency: str) -> int:
        """Balance of a GL account in ``currency``, posted moves up to and including ``on``."""
        ...

    def open_items(self, company: str, *, on: date) -> list[OpenItem]:
        """Posted receivable and payable lines up to ``on`` that nothing has settled."""
        ...

    def company_rates(self) -> list[Rate]:
        """The currency rates the company keeps, oldest first."""
        ...


class MasterReader(Protocol):
    """Reads of what a posting refers to; lists are ordered by code.

    All methods raise `tieout.errors.ConnectorError`.
    """

    def gl_accounts(self, company: str) -> list[GlAccount]:
        """The company's GL accounts."""
        ...

    def partners(self, company: str) -> list[Partner]:
        """Suppliers, customers and employees."""
        ...

    def cost_centers(self, company: str) -> list[CostCenter]:
        """Cost centers; one that changed appears once for each span."""
        ...

    def tax_codes(self, company: str) -> list[TaxCode]:
        """Tax codes, empty where the system does not tell them."""
        ...

    def period_status(self, company: str, on: date) -> PeriodStatus:
        """Whether the books are open on a day."""
        ...
