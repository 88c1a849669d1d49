"""How the SAP simulator clears: open and open-item-managed lines against one another."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from sandbox.simulators.sap_ledger import Document, Item, Ledger, Message, Outcome, note
from sandbox.simulators.sap_world import COMPANY, padded

__all__ = ["clear"]


def clear(ledger: Ledger, entry: dict[str, Any], now: dt.datetime, *, rehearse: bool) -> Outcome:
    """Clear the named items in full; a rehearsal says what would come and changes nothing."""
    with ledger.lock:
        posted_on = dt.date.fromisoformat(entry["PostingDate"])
        problems: list[Message] = []
        if entry["CompanyCode"] != COMPANY:
            problems.append(note("165(F5)", f"Company code {entry['CompanyCode']} does not exist"))
        if not ledger.open_on(posted_on):
            problems.append(note("201(F5)", f"Posting period {posted_on:%m %Y} is not open"))
        named = [("S", raw) for raw in entry.get("GLItems", ())]
        named += [(raw["AccountType"], raw) for raw in entry.get("APARItems", ())]
        items: list[Item] = []
        touched: list[Document] = []
        for kind, raw in named:
            found = _named(ledger, kind, raw, entry["CurrencyCode"])
            if isinstance(found, Message):
                problems.append(found)
            elif any(found[1] is item for item in items):
                problems.append(note("263(F5)", f"Item {found[1].number} is named twice"))
            else:
                touched.append(found[0])
                items.append(found[1])
        if not problems and (len(items) < 2 or sum(i.amount for i in items) != 0):
            problems.append(note("263(F5)", "The difference is too large for clearing"))
        if problems:
            return Outcome(None, (note("609(RW)", "Error in document: BKPFF $"), *problems))
        if rehearse:
            return Outcome(None, (note("614(RW)", "Document check: no errors", "1"),))
        document = _document(ledger, entry, items, posted_on, now)
        for one in touched:
            one.changed_on = now.date()
        words = f"Document posted successfully: BKPFF {document.number}{COMPANY}{document.year}"
        return Outcome(document, (note("605(RW)", words, "1"),))


def _named(
    ledger: Ledger, kind: str, raw: dict[str, Any], currency: str
) -> tuple[Document, Item] | Message:
    """The open item a line of the request names, with its document."""
    key = (raw["FiscalYear"], raw["AccountingDocument"].zfill(10))
    document = ledger.documents.get(key)
    number = int(raw["AccountingDocumentItem"])
    place = f"{key[1]} {key[0]} item {number}"
    item = next((i for i in document.items if i.number == number), None) if document else None
    account = padded(raw.get("APARAccount") or raw.get("GLAccount", ""))
    if document is None or item is None or item.kind != kind or document.currency != currency:
        return note("263(F5)", f"No open item {place}")
    if account != (item.partner or item.gl_account):
        return note("263(F5)", f"No open item {place} on account {account}")
    if not item.open_item_managed:
        return note("105(F5A)", f"There are no open items managed in account {account}")
    if item.cleared_by:
        return note("263(F5)", f"Item {place} is cleared already")
    partial = ("CashDiscountAmountInDspCrcy", "OtherDeductionAmountInDspCrcy")
    if "PartialPaymentAmtInDspCrcy" in raw:
        together = any(name in raw for name in partial)
        words = "not together with discount or residual" if together else "not simulated"
        return note("840(F5)", f"Partial payment {words} ({place})")
    return document, item


def _document(
    ledger: Ledger, entry: dict[str, Any], items: list[Item], on: dt.date, now: dt.datetime
) -> Document:
    """The clearing document: for each account the lines that take its items off."""
    document = Document(
        number="",
        year=str(on.year),
        kind=entry["AccountingDocumentType"],
        posted_on=on,
        document_on=dt.date.fromisoformat(entry["DocumentDate"]),
        currency=entry["CurrencyCode"],
        created_at=now,
        created_by=entry.get("CreatedByUser", ""),
        reference=entry.get("ReferenceDocument", ""),
        header_text=entry.get("DocumentHeaderText", ""),
        clearing=True,
        period=f"{on.month:03d}",
    )
    sums: dict[tuple[str, str, str], tuple[Decimal, Decimal]] = {}
    for item in items:
        key = (item.kind, item.gl_account, item.partner)
        amount, company = sums.get(key, (Decimal(0), Decimal(0)))
        sums[key] = (amount - item.amount, company - item.company_amount)
    for place, ((kind, account, partner), (amount, company)) in enumerate(sorted(sums.items()), 1):
        side = "S" if amount >= 0 else "H"
        line = Item(place, kind, account, amount, company, side, partner=partner)
        document.items.append(line)
    ledger.book(document)
    ledger.clear([*items, *document.items], document)
    return document
