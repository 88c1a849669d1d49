"""What tieout asks of a system of books: reads of its cash book, and safe postings to it.

Amounts are integers in minor units; `amount_minor` is always in the currency named beside it,
`company_amount_minor` in the company's. Reads raise `tieout.errors.ConnectorError`; writes never
raise: they answer with a `Delivery` whose outcome is one of `Outcome`, in the sense of the posting
protocol:

========== =====================================================================================
NOT_SENT   not one byte of the request left us: refused, unresolved, not logged in
OK         done, and the answer proves it
EXISTS     the system had it already
REJECT     the system (or a check before sending) refused the document for a reason of business
THROTTLED  refused before it was looked at; try later
UNKNOWN    anything else after the first byte: ask before you act
========== =====================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, Protocol

__all__ = [
    "BooksReader",
    "CashBookLine",
    "Delivery",
    "DocumentLine",
    "ErpDocument",
    "Journal",
    "JournalLine",
    "JournalWriter",
    "OpenItem",
    "Outcome",
    "Rate",
]

Outcome = Literal["NOT_SENT", "OK", "EXISTS", "REJECT", "THROTTLED", "UNKNOWN"]


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
class JournalLine:
    """One line to post; amounts in the company's currency, exactly one of the two above zero.

    Attributes:
        foreign_minor: the amount in ``foreign_currency``, signed like debit − credit, or None.
    """

    gl_account: str
    debit_minor: int
    credit_minor: int
    foreign_minor: int | None = None
    foreign_currency: str | None = None
    party: str | None = None
    narrative: str = ""


@dataclass(frozen=True, slots=True)
class Journal:
    """A balanced journal to post once.

    Attributes:
        external_ref: our reference, at most 16 characters of A–Z and 0–9, exactly findable.
        journal_code: the system's journal, or a purpose the mapping's ``[journals]`` names.
        currency: the company's currency.
    """

    external_ref: str
    company: str
    journal_code: str
    booked_on: date
    narrative: str
    currency: str
    lines: tuple[JournalLine, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one write.

    Attributes:
        doc_id: the system's id of the document where it is known.
        number: the number people see, once posted.
        code: stable upper-case reason, ``POSTED``, ``PERIOD_CLOSED``, ``TIMEOUT`` …
        message: a sentence, with the system's own words where it gave some.
        response_sha256: of the answer's bytes; empty when none came.
    """

    outcome: Outcome
    doc_id: str | None
    number: str | None
    code: str
    message: str
    response_sha256: str


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One line of a document read back, in the terms of `JournalLine`."""

    gl_account: str
    debit_minor: int
    credit_minor: int
    foreign_minor: int | None
    foreign_currency: str | None
    party: str | None
    narrative: str


@dataclass(frozen=True, slots=True)
class ErpDocument:
    """A document of ours read back; lines in the order they were sent."""

    doc_id: str
    state: Literal["draft", "posted"]
    number: str | None
    external_ref: str
    booked_on: date
    lines: tuple[DocumentLine, ...]


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


class JournalWriter(Protocol):
    """Postings of class C: a draft first, then posted by the id it was given."""

    @property
    def capability(self) -> Literal["C"]:
        """The class of the protocol this connector keeps."""
        ...

    def create_draft(self, journal: Journal) -> Delivery:
        """Create the draft; checked before sending against the system's own master data."""
        ...

    def post(self, doc_id: str) -> Delivery:
        """Post a draft by id; a document that is posted already answers OK."""
        ...

    def find(self, external_ref: str) -> list[ErpDocument]:
        """All documents, draft or posted, that carry our reference; raises ConnectorError."""
        ...

    def read(self, doc_id: str) -> ErpDocument | None:
        """One document, None when the system has it not; raises ConnectorError."""
        ...

    def delete_draft(self, doc_id: str) -> Delivery:
        """Delete a draft; one that is gone answers OK, one that is posted answers REJECT."""
        ...
