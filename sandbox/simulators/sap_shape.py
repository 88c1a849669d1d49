"""What the SAP simulator takes as a message: every element, in its order, and nothing else.

The tables are written as an outline, one element a line: name, how often (``1``, ``?``, ``*``,
``+``) and the kind of its value (a length, or ``date``, ``instant``, ``flag``, ``amount``,
``days``); an element with lines under it has children instead of a value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from lxml import etree

__all__ = ["CLEARING", "CREATE", "MalformedError", "Shape", "taken"]

_HEADER: Final = """
{0}MessageHeader 1
{0}  ID ? 35
{0}  UUID ? 36
{0}  CreationDateTime 1 instant
{0}  TestDataIndicator ? flag
{0}  SenderBusinessSystemID ? 60
"""
_AMOUNTS: Final = """
      AmountInTransactionCurrency 1 amount
      AmountInCompanyCodeCurrency ? amount
      DebitCreditCode ? 1
"""
_PARTNER_ITEM: Final = f"""
      {{0}} 1 10
{_AMOUNTS}
      AltvRecnclnAccts ? 10
      DocumentItemText ? 50
      AssignmentReference ? 18
      CashDiscountTerms ?
        DueCalculationBaseDate 1 date
        NetPaymentDays 1 days
"""
_CREATE: Final = f"""
{_HEADER.format("")}
JournalEntryCreateRequest +
{_HEADER.format("  ")}
  JournalEntry 1
    OriginalReferenceDocumentType 1 5
    OriginalReferenceDocumentLogicalSystem ? 10
    BusinessTransactionType 1 4
    AccountingDocumentType 1 5
    DocumentReferenceID ? 16
    DocumentHeaderText ? 25
    ReversalReason ? 2
    ReversalReferenceDocument ? 18
    CreatedByUser 1 12
    CompanyCode 1 4
    DocumentDate 1 date
    PostingDate 1 date
    Reference1InDocumentHeader ? 20
    Reference2InDocumentHeader ? 20
    Item *
      ReferenceDocumentItem ? 10
      GLAccount 1 10
{_AMOUNTS}
      DocumentItemText ? 50
      AssignmentReference ? 18
      Tax ?
        TaxCode 1 4
        TaxItemGroup ? 6
      ValueDate ? date
      AccountAssignment ?
        ProfitCenter ? 10
        CostCenter ? 10
    DebtorItem *
      ReferenceDocumentItem 1 10
{_PARTNER_ITEM.format("Debtor")}
    CreditorItem *
      ReferenceDocumentItem 1 10
{_PARTNER_ITEM.format("Creditor")}
      PaymentDetails ?
        PaymentMethod ? 1
        PaymentReference ? 30
      HouseBank ? 5
    ProductTaxItem *
      TaxCode 1 4
      TaxItemGroup ? 6
      AmountInTransactionCurrency 1 amount
      AmountInCompanyCodeCurrency ? amount
      DebitCreditCode ? 1
      TaxBaseAmountInTransCrcy 1 amount
"""
_CLEARING: Final = f"""
{_HEADER.format("")}
JournalEntryClearingRequest +
{_HEADER.format("  ")}
  JournalEntry 1
    CompanyCode 1 4
    AccountingDocumentType 1 5
    DocumentDate 1 date
    PostingDate 1 date
    CurrencyCode 1 3
    DocumentHeaderText ? 25
    ReferenceDocument ? 16
    CreatedByUser ? 12
    GLItems *
      ReferenceDocumentItem ? 10
      GLAccount 1 10
      FiscalYear 1 4
      AccountingDocument 1 10
      AccountingDocumentItem 1 3
    APARItems *
      ReferenceDocumentItem ? 10
      AccountType 1 1
      APARAccount 1 10
      FiscalYear 1 4
      AccountingDocument 1 10
      AccountingDocumentItem 1 3
      PartialPaymentAmtInDspCrcy ? amount
      CashDiscountAmountInDspCrcy ? amount
      OtherDeductionAmountInDspCrcy ? amount
      PaymentDifferenceReason ? 3
"""
_VALUES: Final = {
    "date": re.compile(r"\d{4}-\d\d-\d\d", re.ASCII),
    "instant": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z", re.ASCII),
    "flag": re.compile(r"true|false|0|1"),
    "amount": re.compile(r"-?\d{1,22}(\.\d{1,6})?", re.ASCII),
    "days": re.compile(r"P\d{1,4}D", re.ASCII),
}


class MalformedError(Exception):
    """The message is not of the service's schema: a SOAP fault."""


@dataclass(slots=True)
class Shape:
    """One element: how often it may stand there, its value or its children in order."""

    name: str
    often: str = "1"
    value: str = ""
    children: list[Shape] = field(default_factory=list)


def _shape(root: str, outline: str) -> Shape:
    top = Shape(root)
    depths = [(-1, top)]
    for line in outline.splitlines():
        words = line.split()
        if not words:
            continue
        depth = len(line) - len(line.lstrip())
        while depths[-1][0] >= depth:
            depths.pop()
        shape = Shape(words[0], words[1], words[2] if len(words) > 2 else "")
        depths[-1][1].children.append(shape)
        depths.append((depth, shape))
    return top


CREATE: Final = _shape("JournalEntryBulkCreateRequest", _CREATE)
CLEARING: Final = _shape("JournalEntryBulkClearingRequest", _CLEARING)


def taken(element: etree._Element, shape: Shape) -> Any:
    """An element as text, (text, currency) or a dictionary; repeated children are lists.

    Raises:
        MalformedError: naming the first element that is unknown, misplaced, missing or malformed.
    """
    if shape.value:
        return _value(element, shape)
    found: dict[str, Any] = {}
    position = 0
    for child in element:
        name = etree.QName(child).localname
        if etree.QName(child).namespace is not None:
            raise MalformedError(f"element {name} stands in a namespace")
        while position < len(shape.children) and shape.children[position].name != name:
            position += 1
        if position == len(shape.children):
            raise MalformedError(f"element {name} is unknown or misplaced in {shape.name}")
        part = shape.children[position]
        if part.often in "*+":
            found.setdefault(name, []).append(taken(child, part))
        elif name in found:
            raise MalformedError(f"element {name} stands twice in {shape.name}")
        else:
            found[name] = taken(child, part)
    for part in shape.children:
        if part.often in "1+" and part.name not in found:
            raise MalformedError(f"element {part.name} is missing in {shape.name}")
    return found


def _value(element: etree._Element, shape: Shape) -> Any:
    text = element.text or ""
    if len(element):
        raise MalformedError(f"element {shape.name} has children")
    pattern = _VALUES.get(shape.value)
    if pattern is None:
        if not 1 <= len(text) <= int(shape.value):
            raise MalformedError(f"{shape.name} has 1 to {shape.value} characters")
        return text
    if not pattern.fullmatch(text):
        raise MalformedError(f"{shape.name} is no {shape.value}: {text[:40]!r}")
    if shape.value != "amount":
        return text
    currency = element.get("currencyCode", "")
    if len(currency) != 3:
        raise MalformedError(f"{shape.name} has no currencyCode")
    return Decimal(text), currency
