"""The SAP simulator's entity sets: rows made of its books and its masters, as OData names them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.simulators.sap_ledger import Document, Item, Ledger
from sandbox.simulators.sap_world import (
    ACCOUNTS,
    CHART,
    COMPANY,
    COST_CENTERS,
    CURRENCY,
    PARTNERS,
    padded,
)

__all__ = ["KEYS", "SETS", "Row", "item_rows", "text_of"]

Row = dict[str, Any]
_AREA: Final = "A000"


def _plain(code: str) -> str:
    """As OData shows it: without leading zeros."""
    return code.lstrip("0")


def _items(ledger: Ledger) -> list[Row]:
    return item_rows(ledger.all())


def item_rows(documents: list[Document]) -> list[Row]:
    """The operational items of some documents; a carry-forward has none."""
    return [
        _item(document, item)
        for document in documents
        for item in document.items
        if document.period != "000"
    ]


def _item(document: Document, item: Item) -> Row:
    cleared = item.cleared_by or ("0000", "")
    reversal = document.reverses or document.reversed_by or ("0000", "")
    return _header(document) | {
        "AccountingDocumentItem": str(item.number),
        "AccountingDocumentItemRef": item.reference_item,
        "FinancialAccountType": item.kind,
        "GLAccount": _plain(item.gl_account),
        "GLAccountName": ACCOUNTS[item.gl_account].name,
        "Supplier": _plain(item.partner) if item.kind == "K" else "",
        "SupplierName": item.name if item.kind == "K" else "",
        "Customer": _plain(item.partner) if item.kind == "D" else "",
        "CustomerName": item.name if item.kind == "D" else "",
        "CostCenter": _plain(item.cost_center),
        "TaxCode": item.tax_code,
        "DebitCreditCode": item.side,
        "AmountInTransactionCurrency": item.amount,
        "AmountInCompanyCodeCurrency": item.company_amount,
        "DocumentItemText": item.text,
        "AssignmentReference": item.assignment,
        "HouseBank": ACCOUNTS[item.gl_account].house_bank,
        "NetDueDate": item.due_on,
        "IsOpenItemManaged": "X" if item.open_item_managed else "",
        "IsCleared": item.cleared_by is not None,
        "ClearingDate": item.cleared_on,
        "ClearingDocFiscalYear": cleared[0],
        "ClearingAccountingDocument": _plain(cleared[1]),
        "IsReversal": document.reverses is not None,
        "IsReversed": document.reversed_by is not None,
        "ReverseDocument": _plain(reversal[1]),
        "ReverseDocumentFiscalYear": reversal[0],
    }


def _header(document: Document) -> Row:
    return {
        "CompanyCode": COMPANY,
        "FiscalYear": document.year,
        "AccountingDocument": _plain(document.number),
        "AccountingDocumentType": document.kind,
        "AccountingDocumentHeaderText": document.header_text,
        "DocumentReferenceID": document.reference,
        "Reference1InDocumentHeader": document.reference1,
        "ReferenceDocumentType": document.origin,
        "PostingDate": document.posted_on,
        "DocumentDate": document.document_on,
        "FiscalPeriod": document.period,
        "TransactionCurrency": document.currency,
        "CompanyCodeCurrency": CURRENCY,
        "ReversalReason": document.reversal_reason,
        "AccountingDocumentCreationDate": document.created_at.date(),
        "AccountingDocCreatedByUser": document.created_by,
        # SAP leaves it empty until somebody changes the document.
        "LastChangeDate": document.changed_on,
    }


def _ledger_lines(ledger: Ledger) -> list[Row]:
    """The general ledger's lines, once for each of two ledgers; the first leads."""
    return [
        {
            "ID": f"{name}-{document.year}-{_plain(document.number)}-{item.number:06d}",
            "Ledger": name,
            "CompanyCode": COMPANY,
            "FiscalYear": document.year,
            "AccountingDocument": _plain(document.number),
            "AccountingDocumentItem": str(item.number),
            "LedgerGLLineItem": f"{item.number:06d}",
            "GLAccount": _plain(item.gl_account),
            "PostingDate": document.posted_on,
            "FiscalPeriod": document.period,
            "TransactionCurrency": document.currency,
            "AmountInTransactionCurrency": item.amount,
            "CompanyCodeCurrency": CURRENCY,
            "AmountInCompanyCodeCurrency": item.company_amount,
            "DocumentItemText": item.text,
            "AssignmentReference": item.assignment,
            "HouseBank": ACCOUNTS[item.gl_account].house_bank,
            "LastChangeDateTime": document.created_at,
        }
        | _balance(document, item)
        for name in ("0L", "2L")
        for document in ledger.all()
        for item in document.items
    ]


def _balance(document: Document, item: Item) -> Row:
    """The amount in the currency the account's balance is kept in."""
    own = ACCOUNTS[item.gl_account].currency == CURRENCY
    return {
        "BalanceTransactionCurrency": CURRENCY if own else document.currency,
        "AmountInBalanceTransacCrcy": item.company_amount if own else item.amount,
    }


def _companies(ledger: Ledger) -> list[Row]:
    return [
        {
            "CompanyCode": COMPANY,
            "CompanyCodeName": "Nordwerk Handels GmbH",
            "Currency": CURRENCY,
            "ChartOfAccounts": CHART,
            "ControllingArea": _AREA,
            "FiscalYearVariant": "K4",
        }
    ]


def _accounts(ledger: Ledger) -> list[Row]:
    return [
        {
            "ChartOfAccounts": CHART,
            "GLAccount": _plain(code),
            "GLAccountType": account.kind,
            "IsBalanceSheetAccount": account.kind == "X",
            "AccountIsBlockedForPosting": account.blocked,
            "AccountIsMarkedForDeletion": False,
        }
        for code, account in ACCOUNTS.items()
    ]


def _account_texts(ledger: Ledger) -> list[Row]:
    return [
        {
            "ChartOfAccounts": CHART,
            "GLAccount": _plain(code),
            "Language": language,
            "GLAccountName": account.name[:20],
            "GLAccountLongName": account.name
            if language == "EN"
            else f"{account.name} ({language})",
        }
        for code, account in ACCOUNTS.items()
        for language in ("DE", "EN")
    ]


def _centers(ledger: Ledger) -> list[Row]:
    return [
        {
            "ControllingArea": _AREA,
            "CostCenter": padded(center.code).lstrip("0"),
            "ValidityStartDate": center.valid_from,
            "ValidityEndDate": center.valid_to,
            "CompanyCode": COMPANY,
            "IsBlkdForPrimaryCostsPosting": "X" if center.blocked else "",
        }
        for center in COST_CENTERS
    ]


def _center_texts(ledger: Ledger) -> list[Row]:
    return [
        {
            "ControllingArea": _AREA,
            "CostCenter": padded(center.code).lstrip("0"),
            "Language": "EN",
            "ValidityEndDate": center.valid_to,
            "CostCenterName": center.name,
        }
        for center in COST_CENTERS
    ]


def _partners(kind: str, name: str) -> Callable[[Ledger], list[Row]]:
    def rows(ledger: Ledger) -> list[Row]:
        return [
            {
                name: _plain(code),
                f"{name}Name": party.name,
                f"{name}AccountGroup": party.group,
                "PostingIsBlocked": party.blocked,
                "DeletionIndicator": False,
            }
            for (held, code), party in PARTNERS.items()
            if held == kind
        ]

    return rows


def _partner_companies(kind: str, name: str) -> Callable[[Ledger], list[Row]]:
    def rows(ledger: Ledger) -> list[Row]:
        return [
            {
                name: _plain(code),
                "CompanyCode": COMPANY,
                "ReconciliationAccount": party.account,
                "DeletionIndicator": False,
            }
            for (held, code), party in PARTNERS.items()
            if held == kind
        ]

    return rows


def _business_partners(ledger: Ledger) -> list[Row]:
    return [
        {
            "BusinessPartner": party.business_partner or _plain(code),
            "Supplier": _plain(code) if kind == "K" else "",
            "Customer": _plain(code) if kind == "D" else "",
        }
        for (kind, code), party in PARTNERS.items()
    ]


def _banks(ledger: Ledger) -> list[Row]:
    return [
        {
            "BusinessPartner": party.business_partner or _plain(code),
            "BankIdentification": f"{place:04d}",
            "IBAN": number if number[2:].isdigit() else "",
            "BankAccount": "" if number[2:].isdigit() else number,
        }
        for (_, code), party in PARTNERS.items()
        for place, number in enumerate(party.ibans, start=1)
    ]


#: Rows by (service, entity set).
SETS: Final[Mapping[tuple[str, str], Callable[[Ledger], list[Row]]]] = {
    ("API_OPLACCTGDOCITEMCUBE_SRV", "A_OperationalAcctgDocItemCube"): _items,
    ("API_GLACCOUNTLINEITEM", "GLAccountLineItem"): _ledger_lines,
    ("API_COMPANYCODE_SRV", "A_CompanyCode"): _companies,
    ("API_GLACCOUNTINCHARTOFACCOUNTS_SRV", "A_GLAccountInChartOfAccounts"): _accounts,
    ("API_GLACCOUNTINCHARTOFACCOUNTS_SRV", "A_GLAccountText"): _account_texts,
    ("API_COSTCENTER_SRV", "A_CostCenter"): _centers,
    ("API_COSTCENTER_SRV", "A_CostCenterText"): _center_texts,
    ("API_BUSINESS_PARTNER", "A_Supplier"): _partners("K", "Supplier"),
    ("API_BUSINESS_PARTNER", "A_SupplierCompany"): _partner_companies("K", "Supplier"),
    ("API_BUSINESS_PARTNER", "A_Customer"): _partners("D", "Customer"),
    ("API_BUSINESS_PARTNER", "A_CustomerCompany"): _partner_companies("D", "Customer"),
    ("API_BUSINESS_PARTNER", "A_BusinessPartner"): _business_partners,
    ("API_BUSINESS_PARTNER", "A_BusinessPartnerBank"): _banks,
}

#: Of the sets that add up: without one of these in ``$select`` lines are summed.
KEYS: Final = {"GLAccountLineItem": ("ID",)}


def text_of(value: object) -> object:
    """A property's value in OData V2's JSON."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, dt.datetime):
        return f"/Date({int(value.timestamp() * 1000)}+0000)/"
    if isinstance(value, dt.date):
        day = dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
        return f"/Date({int(day.timestamp()) * 1000})/"
    return str(value)
