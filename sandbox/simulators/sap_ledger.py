"""The SAP simulator's own books: documents by company code, fiscal year and number."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from sandbox.simulators.sap_world import ACCOUNTS, COMPANY, PARTNERS

__all__ = ["Document", "Item", "Key", "Ledger", "Message", "Outcome", "note", "summary"]

_OPEN_YEARS: Final = (2025, 2026, 2027)
#: (fiscal year, document number of ten digits); there is one company code.
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Message:
    """One line of a log: ``605(RW)``, severity 1 to 3, words."""

    type_id: str
    severity: str
    words: str


def note(type_id: str, words: str, severity: str = "3") -> Message:
    """A message, an error where nothing else is said."""
    return Message(type_id, severity, words[:200])


@dataclass(slots=True)
class Item:
    """One line; ``amount`` in the document's currency, ``company_amount`` in the company's."""

    number: int
    kind: str
    gl_account: str
    amount: Decimal
    company_amount: Decimal
    side: str
    text: str = ""
    assignment: str = ""
    partner: str = ""
    cost_center: str = ""
    tax_code: str = ""
    reference_item: str = ""
    due_on: dt.date | None = None
    cleared_by: Key | None = None
    cleared_on: dt.date | None = None

    @property
    def open_item_managed(self) -> bool:
        """Whether it can be cleared."""
        return ACCOUNTS[self.gl_account].open_items

    @property
    def name(self) -> str:
        """Of the partner."""
        party = PARTNERS.get((self.kind, self.partner))
        return party.name if party else ""


@dataclass(slots=True)
class Document:
    """One posted document."""

    number: str
    year: str
    kind: str
    posted_on: dt.date
    document_on: dt.date
    currency: str
    created_at: dt.datetime
    created_by: str = ""
    reference: str = ""
    reference1: str = ""
    header_text: str = ""
    items: list[Item] = field(default_factory=list)
    reverses: Key | None = None
    reversed_by: Key | None = None
    reversal_reason: str = ""
    clearing: bool = False
    origin: str = "BKPFF"
    period: str = ""
    changed_on: dt.date | None = None

    @property
    def key(self) -> Key:
        """Fiscal year and number."""
        return self.year, self.number


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one requested document."""

    document: Document | None
    messages: tuple[Message, ...]


class Ledger:
    """The books; every change is made under `lock`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.documents: dict[Key, Document] = {}
        self.closed: set[tuple[int, int]] = set()
        self._numbers: dict[tuple[str, int], int] = {}
        self._referred: dict[str, list[Document]] = {}

    def book(self, document: Document, *, first: int = 100_000_000) -> Document:
        """Give a document the next number of its company code, year and range, and keep it."""
        with self.lock:
            number = self._numbers.get((document.year, first), first)
            self._numbers[document.year, first] = number + 1
            document.number = f"{number:010d}"
            self.documents[document.key] = document
            for reference in {document.reference, document.reference1} - {""}:
                self._referred.setdefault(reference, []).append(document)
            return document

    def open_on(self, on: dt.date) -> bool:
        """Whether the posting period of a day is open; those of other years never are."""
        return on.year in _OPEN_YEARS and (on.year, on.month) not in self.closed

    def find(self, reference: str) -> list[Document]:
        """The documents with a reference in one of the header's fields, by key."""
        with self.lock:
            return sorted(self._referred.get(reference, ()), key=lambda document: document.key)

    def with_number(self, number: str) -> list[Document]:
        """The documents with a number, one for each year, by key."""
        with self.lock:
            years = sorted({year for year, _ in self._numbers})
            keys = [(year, number.zfill(10)) for year in years]
            return [self.documents[key] for key in keys if key in self.documents]

    def all(self) -> list[Document]:
        """Every document, by key."""
        with self.lock:
            return [self.documents[key] for key in sorted(self.documents)]

    def clear(self, items: list[Item], by: Document) -> None:
        """Mark items as cleared by a document."""
        for item in items:
            item.cleared_by, item.cleared_on = by.key, by.posted_on


def summary(document: Document) -> dict[str, Any]:
    """A document for an independent checker, amounts as text."""
    return {
        "document": f"{COMPANY}/{document.year}/{document.number}",
        "reference": document.reference1 or document.reference,
        "booked_on": document.posted_on.isoformat(),
        "currency": document.currency,
        "reverses": "/".join(document.reverses or ()),
        "reversed_by": "/".join(document.reversed_by or ()),
        "clearing": document.clearing,
        "lines": [
            {
                "gl_account": item.gl_account.lstrip("0"),
                "amount": str(item.amount),
                "company_amount": str(item.company_amount),
                "partner": item.partner.lstrip("0"),
                "text": item.text,
                "cleared_by": "/".join(item.cleared_by or ()),
            }
            for item in document.items
        ],
    }
