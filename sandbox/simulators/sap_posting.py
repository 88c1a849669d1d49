"""How the SAP simulator posts a journal entry: its business checks, then the document."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from sandbox.simulators.sap_ledger import Document, Item, Ledger, Message, Outcome, note
from sandbox.simulators.sap_world import (
    ACCOUNTS,
    COMPANY,
    COST_CENTERS,
    CURRENCY,
    PARTNERS,
    TAX_CODES,
    padded,
)

__all__ = ["post"]

_TYPES: Final = ("AB", "DZ", "KR", "KZ", "RE", "SA")
_CENT: Final = Decimal("0.01")
Entry = dict[str, Any]


def post(ledger: Ledger, entry: Entry, now: dt.datetime, *, spoil: str = "") -> Outcome:
    """Post one journal entry or reversal, whatever its reference: nothing here is unique.

    Args:
        spoil: ``round`` books other amounts than were asked for, ``bare`` no references.
    """
    with ledger.lock:
        document = _document(entry, now)
        if spoil == "bare":
            document.reference = document.reference1 = ""
        problems = list(_header_problems(ledger, entry, document))
        if "ReversalReferenceDocument" in entry or "ReversalReason" in entry:
            return _reverse(ledger, entry, document, problems)
        document.items = _items(entry)
        problems += _problems(entry, document)
        if problems:
            return _refused(problems)
        if spoil == "round":
            _round(document)
        document.currency = _currencies(entry)[0]
        return _posted(ledger, document)


def _posted(ledger: Ledger, document: Document) -> Outcome:
    ledger.book(document)
    words = f"Document posted successfully: BKPFF {document.number}{COMPANY}{document.year}"
    return Outcome(document, (note("605(RW)", words, "1"),))


def _refused(problems: list[Message]) -> Outcome:
    return Outcome(None, (note("609(RW)", "Error in document: BKPFF $"), *problems))


def _document(entry: Entry, now: dt.datetime) -> Document:
    posted_on = dt.date.fromisoformat(entry["PostingDate"])
    return Document(
        number="",
        year=str(posted_on.year),
        kind=entry["AccountingDocumentType"],
        posted_on=posted_on,
        document_on=dt.date.fromisoformat(entry["DocumentDate"]),
        currency=CURRENCY,
        created_at=now,
        created_by=entry["CreatedByUser"],
        reference=entry.get("DocumentReferenceID", ""),
        reference1=entry.get("Reference1InDocumentHeader", ""),
        header_text=entry.get("DocumentHeaderText", ""),
        period=f"{posted_on.month:03d}",
    )


def _header_problems(ledger: Ledger, entry: Entry, document: Document) -> Iterator[Message]:
    if entry["CompanyCode"] != COMPANY:
        yield note("165(F5)", f"Company code {entry['CompanyCode']} does not exist")
    if entry["AccountingDocumentType"] not in _TYPES:
        yield note("814(F5)", f"Document type {entry['AccountingDocumentType']} is not defined")
    if not ledger.open_on(document.posted_on):
        period = f"{document.period} {document.year}"
        yield note("201(F5)", f"Posting period {period} is not open")


def _items(entry: Entry) -> list[Item]:
    """All items, in the order of the message; those of a tax carry the tax account."""
    found = [
        _item("S", padded(raw["GLAccount"]), raw, raw.get("AccountAssignment", {}))
        for raw in entry.get("Item", ())
    ]
    for group, kind, name in (("DebtorItem", "D", "Debtor"), ("CreditorItem", "K", "Creditor")):
        for raw in entry.get(group, ()):
            partner = padded(raw[name])
            party = PARTNERS.get((kind, partner))
            account = padded(party.account) if party else ""
            item = _item(kind, account, raw, {})
            item.partner = partner
            terms = raw.get("CashDiscountTerms")
            if terms:
                days = int(terms["NetPaymentDays"].strip("PD"))
                base = dt.date.fromisoformat(terms["DueCalculationBaseDate"])
                item.due_on = base + dt.timedelta(days=days)
            found.append(item)
    for raw in entry.get("ProductTaxItem", ()):
        account, _ = TAX_CODES.get(raw["TaxCode"], ("", 0))
        found.append(_item("S", account, raw, {}))
        found[-1].tax_code = raw["TaxCode"]
    return [replace(item, number=place) for place, item in enumerate(found, start=1)]


def _item(kind: str, account: str, raw: Entry, assigned: Entry) -> Item:
    amount, currency = raw["AmountInTransactionCurrency"]
    company, _ = raw.get("AmountInCompanyCodeCurrency", (amount, ""))
    return Item(
        number=0,
        kind=kind,
        gl_account=account,
        amount=amount,
        company_amount=company if currency != CURRENCY else amount,
        side=raw.get("DebitCreditCode", "S" if (amount or company) >= 0 else "H"),
        text=raw.get("DocumentItemText", ""),
        assignment=raw.get("AssignmentReference", ""),
        cost_center=padded(assigned.get("CostCenter", "")),
        tax_code=raw.get("Tax", {}).get("TaxCode", ""),
        reference_item=raw.get("ReferenceDocumentItem", ""),
    )


def _raws(entry: Entry) -> list[Entry]:
    groups = ("Item", "DebtorItem", "CreditorItem", "ProductTaxItem")
    return [raw for group in groups for raw in entry.get(group, ())]


def _currencies(entry: Entry) -> list[str]:
    return sorted({raw["AmountInTransactionCurrency"][1] for raw in _raws(entry)})


def _problems(entry: Entry, document: Document) -> Iterator[Message]:
    currencies = _currencies(entry)
    if len(document.items) < 2:
        yield note("818(F5)", "Enter at least two line items")
        return
    if len(currencies) != 1:
        yield note("727(F5)", f"Several currencies in one document: {' '.join(currencies)}")
    elif currencies != [CURRENCY] and any(
        "AmountInCompanyCodeCurrency" not in raw for raw in _raws(entry)
    ):
        yield note("105(SG)", f"Enter rate {currencies[0]}/{CURRENCY} in the system settings")
    for item, raw in zip(document.items, _raws(entry), strict=True):
        yield from _item_problems(item, raw, document)
    if sum(item.amount for item in document.items) or sum(
        item.company_amount for item in document.items
    ):
        yield note("702(F5)", "Balance in transaction currency")
    yield from _tax_problems(entry)


def _item_problems(item: Item, raw: Entry, document: Document) -> Iterator[Message]:
    place = f"item {item.number}"
    if item.kind in "DK":
        party = PARTNERS.get((item.kind, item.partner))
        if party is None:
            yield note("102(F5)", f"Account {item.partner} does not exist in {COMPANY} ({place})")
        elif party.blocked:
            yield note("351(F5)", f"Account {item.partner} is blocked for posting ({place})")
    else:
        account = ACCOUNTS.get(item.gl_account)
        if account is None:
            yield note("506(F5)", f"G/L account {raw.get('GLAccount', '?')} is not in the chart")
            return
        if account.blocked:
            yield note("351(F5)", f"Account {item.gl_account} is blocked for posting ({place})")
        if account.reconciles:
            yield note("354(F5)", f"Account {item.gl_account} cannot be posted to directly")
        if account.kind == "P":
            yield from _center_problems(item, document.posted_on)
    signed = item.amount or item.company_amount
    if item.side not in "SH" or ((signed < 0) != (item.side == "H") and signed):
        yield note("117(F5)", f"Amount and debit/credit code disagree ({place})")
    if item.amount * item.company_amount < 0:
        yield note("117(F5)", f"Amounts have different signs ({place})")


def _center_problems(item: Item, on: dt.date) -> Iterator[Message]:
    if not item.cost_center:
        yield note("235(KI)", f"Account {item.gl_account} requires an assignment to a CO object")
        return
    spans = [center for center in COST_CENTERS if padded(center.code) == item.cost_center]
    valid = [center for center in spans if center.valid_from <= on <= center.valid_to]
    if not valid:
        yield note("265(KS)", f"Cost center {item.cost_center} does not exist on {on}")
    elif valid[0].blocked:
        yield note("203(KM)", f"Cost center {item.cost_center} is blocked against direct postings")


def _tax_problems(entry: Entry) -> Iterator[Message]:
    """Each tax line against the items of its tax group."""
    for raw in entry.get("ProductTaxItem", ()):
        code, group = raw["TaxCode"], raw.get("TaxItemGroup", "")
        if code not in TAX_CODES:
            yield note("748(FF)", f"Tax code {code} does not exist")
            continue
        tax, _ = raw["AmountInTransactionCurrency"]
        base, _ = raw["TaxBaseAmountInTransCrcy"]
        carried = sum(
            (item["AmountInTransactionCurrency"][0] for item in entry.get("Item", ())
             if item.get("Tax", {}).get("TaxCode") == code
             and item["Tax"].get("TaxItemGroup", "") == group),
            Decimal(0),
        )  # fmt: skip
        expected = (base * TAX_CODES[code][1] / 100).quantize(_CENT, ROUND_HALF_UP)
        if base != carried or tax != expected:
            yield note("805(FF)", f"Tax {code}: base {base}, items {carried}, tax {tax}")


def _reverse(ledger: Ledger, entry: Entry, document: Document, problems: list[Message]) -> Outcome:
    """A document that takes back another one, once."""
    named, reason = entry.get("ReversalReferenceDocument", ""), entry.get("ReversalReason", "")
    first = ledger.documents.get((named[14:], named[:10])) if named[10:14] == COMPANY else None
    if not reason or not named:
        problems.append(note("344(F5A)", "Reversal reason and document belong together"))
    elif _raws(entry):
        problems.append(note("345(F5A)", "A reversal has no items of its own"))
    elif first is None:
        problems.append(note("397(F5)", f"Document {named} does not exist"))
    elif first.reversed_by or first.reverses:
        problems.append(note("361(F5A)", f"Document {first.number} was reversed already"))
    elif first.origin != "BKPFF":
        problems.append(note("673(F5)", f"Document {first.number} is cancelled where it came from"))
    elif any(item.cleared_by for item in first.items):
        problems.append(note("308(F5A)", f"Document {first.number} contains cleared items"))
    if problems or first is None:
        return _refused(problems)
    document.currency, document.reversal_reason, document.reverses = (
        first.currency, reason, first.key,
    )  # fmt: skip
    document.items = [
        replace(
            item,
            amount=-item.amount,
            company_amount=-item.company_amount,
            side="H" if item.side == "S" else "S",
        )
        for item in first.items
    ]
    outcome = _posted(ledger, document)
    first.reversed_by, first.changed_on = document.key, document.created_at.date()
    managed = [i for d in (first, document) for i in d.items if i.open_item_managed]
    ledger.clear(managed, document)
    return outcome


def _round(document: Document) -> None:
    """A cent more on both of the first two sides: balanced, and not what was asked for."""
    for item, cent in zip(document.items[:2], (_CENT, -_CENT), strict=False):
        sign = 1 if document.items[0].amount > 0 else -1
        item.amount += sign * cent
        item.company_amount += sign * cent
