"""SAP's journal entry messages: requests written, confirmations read.

The same journal gives the same bytes on every day: the creation time in the headers is midnight of
the booking day, and the message's id is our reference. Confirmations come as the answer of the
synchronous service and as callbacks of the asynchronous ones; a document number of zeros is none.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from lxml import etree

from tieout.connectors.sap_odata import padded

__all__ = [
    "Amounts",
    "Confirmed",
    "Entry",
    "EntryLine",
    "OpenLine",
    "clearing_request",
    "confirmed",
    "create_request",
    "message_uuid",
]

_SFIN: Final = "http://sap.com/xi/SAPSCORE/SFIN"
_ENVELOPE: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_NAMESPACE: Final = uuid.UUID("8a9d1f0e-5d5f-5c0a-9b61-6a5f6f3b7c11")
_ZEROS: Final = frozenset("0")


@dataclass(frozen=True, slots=True)
class Amounts:
    """Signed amounts, debit above zero: in the document's currency and in the company's."""

    amount: Decimal
    currency: str
    company: Decimal
    company_currency: str
    debit: bool


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One line; ``kind`` S for a GL account, D and K for the account of a customer, supplier."""

    kind: Literal["S", "D", "K"]
    account: str
    amounts: Amounts
    text: str = ""
    cost_center: str = ""
    tax_code: str = ""
    due: tuple[date, int] | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal entry in SAP's terms; ``reverses`` is number, company code and year together."""

    message_id: str
    kind: str
    company_code: str
    posted_on: date
    document_on: date
    reference: str
    external_ref: str
    header_text: str
    created_by: str
    logical_system: str
    transaction_type: str
    lines: tuple[EntryLine, ...] = ()
    reverses: str = ""
    reversal_reason: str = ""


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line to clear."""

    kind: str
    account: str
    year: str
    document: str
    item: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What SAP says became of one document; ``document`` is empty where there is none."""

    reference: str
    document: str
    company_code: str
    year: str
    severity: str
    messages: tuple[tuple[str, str, str], ...] = field(default=())


def message_uuid(message_id: str) -> str:
    """The transport's id of a message: always the same for the same message."""
    return str(uuid.uuid5(_NAMESPACE, message_id))


def create_request(entries: Sequence[Entry], *, message_id: str, sender: str) -> bytes:
    """A ``JournalEntryBulkCreateRequest`` of one or more entries, in an envelope."""
    envelope, root = _message("JournalEntryBulkCreateRequest")
    _header(root, message_id, entries[0].posted_on, sender)
    for entry in entries:
        request = etree.SubElement(root, "JournalEntryCreateRequest")
        _header(request, entry.message_id, entry.posted_on, "")
        _entry(etree.SubElement(request, "JournalEntry"), entry)
    return etree.tostring(envelope, xml_declaration=True, encoding="utf-8")


def clearing_request(
    entry: Entry, currency: str, lines: Sequence[OpenLine], *, sender: str, rehearse: bool
) -> bytes:
    """A ``JournalEntryBulkClearingRequest`` that clears lines in full, in an envelope."""
    envelope, root = _message("JournalEntryBulkClearingRequest")
    _header(root, entry.message_id, entry.posted_on, sender, rehearse=rehearse)
    request = etree.SubElement(root, "JournalEntryClearingRequest")
    _header(request, entry.message_id, entry.posted_on, "", rehearse=rehearse)
    journal = etree.SubElement(request, "JournalEntry")
    _texts(
        journal,
        ("CompanyCode", entry.company_code),
        ("AccountingDocumentType", entry.kind),
        ("DocumentDate", entry.document_on.isoformat()),
        ("PostingDate", entry.posted_on.isoformat()),
        ("CurrencyCode", currency),
        ("DocumentHeaderText", entry.header_text),
        ("ReferenceDocument", entry.reference),
        ("CreatedByUser", entry.created_by),
    )
    places = {line: str(place) for place, line in enumerate(lines, start=1)}
    for line in sorted(lines, key=lambda one: (one.kind != "S", places[one])):
        if line.kind == "S":
            item = etree.SubElement(journal, "GLItems")
            account = [("GLAccount", padded(line.account))]
        else:
            item = etree.SubElement(journal, "APARItems")
            account = [("AccountType", line.kind), ("APARAccount", line.account)]
        _texts(
            item,
            ("ReferenceDocumentItem", places[line]),
            *account,
            ("FiscalYear", line.year),
            ("AccountingDocument", line.document),
            ("AccountingDocumentItem", line.item),
        )
    return etree.tostring(envelope, xml_declaration=True, encoding="utf-8")


def _message(name: str) -> tuple[etree._Element, etree._Element]:
    envelope = etree.Element(f"{{{_ENVELOPE}}}Envelope", nsmap={"soapenv": _ENVELOPE})
    etree.SubElement(envelope, f"{{{_ENVELOPE}}}Header")
    body = etree.SubElement(envelope, f"{{{_ENVELOPE}}}Body")
    return envelope, etree.SubElement(body, f"{{{_SFIN}}}{name}", nsmap={"sfin": _SFIN})


def _texts(parent: etree._Element, *pairs: tuple[str, str]) -> None:
    """Children in order, without those that have no value."""
    for name, value in pairs:
        if value:
            etree.SubElement(parent, name).text = value


def _header(
    parent: etree._Element, message_id: str, on: date, sender: str, *, rehearse: bool = False
) -> None:
    _texts(
        etree.SubElement(parent, "MessageHeader"),
        ("ID", message_id),
        ("CreationDateTime", f"{on.isoformat()}T00:00:00Z"),
        ("TestDataIndicator", "true" if rehearse else ""),
        ("SenderBusinessSystemID", sender),
    )


def _entry(parent: etree._Element, entry: Entry) -> None:
    _texts(
        parent,
        ("OriginalReferenceDocumentType", "BKPFF"),
        ("OriginalReferenceDocumentLogicalSystem", entry.logical_system),
        ("BusinessTransactionType", entry.transaction_type),
        ("AccountingDocumentType", entry.kind),
        ("DocumentReferenceID", entry.reference),
        ("DocumentHeaderText", entry.header_text),
        ("ReversalReason", entry.reversal_reason),
        ("ReversalReferenceDocument", entry.reverses),
        ("CreatedByUser", entry.created_by),
        ("CompanyCode", entry.company_code),
        ("DocumentDate", entry.document_on.isoformat()),
        ("PostingDate", entry.posted_on.isoformat()),
        ("Reference1InDocumentHeader", entry.external_ref),
    )
    places = list(enumerate(entry.lines, start=1))
    for kind, name in (("S", "Item"), ("D", "DebtorItem"), ("K", "CreditorItem")):
        for place, line in places:
            if line.kind == kind:
                _line(etree.SubElement(parent, name), line, place)
    for place, line in places:
        if line.tax_code:
            _tax(etree.SubElement(parent, "ProductTaxItem"), line, place)


def _line(item: etree._Element, line: EntryLine, place: int) -> None:
    account = {
        "S": ("GLAccount", padded(line.account)),
        "D": ("Debtor", line.account),
        "K": ("Creditor", line.account),
    }[line.kind]
    _texts(item, ("ReferenceDocumentItem", str(place)), account)
    _amounts(item, line.amounts)
    _texts(item, ("DocumentItemText", line.text))
    if line.tax_code:
        tax = etree.SubElement(item, "Tax")
        _texts(tax, ("TaxCode", line.tax_code), ("TaxItemGroup", str(place)))
    if line.cost_center:
        assigned = etree.SubElement(item, "AccountAssignment")
        _texts(assigned, ("CostCenter", line.cost_center))
    if line.due is not None:
        base, days = line.due
        terms = etree.SubElement(item, "CashDiscountTerms")
        _texts(terms, ("DueCalculationBaseDate", base.isoformat()), ("NetPaymentDays", f"P{days}D"))


def _tax(item: etree._Element, line: EntryLine, place: int) -> None:
    """A tax of rate zero, with the line's amount as its base."""
    zero = Amounts(
        Decimal(0), line.amounts.currency, Decimal(0), line.amounts.company_currency, True
    )
    _texts(item, ("TaxCode", line.tax_code), ("TaxItemGroup", str(place)))
    _amounts(item, zero)
    _amount(item, "TaxBaseAmountInTransCrcy", line.amounts.amount, line.amounts.currency)


def _amounts(item: etree._Element, amounts: Amounts) -> None:
    _amount(item, "AmountInTransactionCurrency", amounts.amount, amounts.currency)
    if amounts.currency != amounts.company_currency:
        _amount(item, "AmountInCompanyCodeCurrency", amounts.company, amounts.company_currency)
    _texts(item, ("DebitCreditCode", "S" if amounts.debit else "H"))


def _amount(item: etree._Element, name: str, amount: Decimal, currency: str) -> None:
    child = etree.SubElement(item, name, currencyCode=currency)
    child.text = f"{amount:f}"


def confirmed(body: bytes) -> tuple[Confirmed, ...]:
    """The documents a confirmation tells of, in its order; one that is no confirmation has none.

    Raises:
        ValueError: the bytes are no XML.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"no XML: {error}") from None
    found: list[Confirmed] = []
    for part in root.iter(
        "{*}JournalEntryCreateConfirmation", "{*}JournalEntryClearingConfirmation"
    ):
        if part.find("MessageHeader") is not None:
            found.append(_part(part))
    return tuple(found)


def _part(part: etree._Element) -> Confirmed:
    inner = part.find(etree.QName(part).localname)
    document, company, year = (
        (inner.findtext(name) or "" if inner is not None else "").strip()
        for name in ("AccountingDocument", "CompanyCode", "FiscalYear")
    )
    messages = tuple(
        (
            (item.findtext("TypeID") or "").strip(),
            (item.findtext("SeverityCode") or "").strip(),
            " ".join((item.findtext("Note") or "").split()),
        )
        for item in part.iterfind("Log/Item")
    )
    return Confirmed(
        reference=(part.findtext("MessageHeader/ReferenceID") or "").strip(),
        document="" if set(document) <= _ZEROS else document,
        company_code=company,
        year=year,
        severity=(part.findtext("Log/MaximumLogItemSeverityCode") or "").strip(),
        messages=messages,
    )
