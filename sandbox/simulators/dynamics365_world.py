"""The made-up company in the Dynamics 365 simulator: chart, partners, journals, periods.

``nord`` keeps its books in EUR with one dimension beside the main account (cost center);
``nous`` is a second company of the same environment, so that what crosses companies shows.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

__all__ = ["COMPANIES", "DELIMITER", "DIMENSIONS", "NO_DATE", "OWN", "Row", "world"]

Row = dict[str, Any]

OWN = "nord"
COMPANIES = ("nord", "nous")
#: The dimension format for data entities: what a ledger account's one text is made of.
DIMENSIONS = ("MainAccount", "CostCenter")
DELIMITER = "-"
#: How the system writes "no date".
NO_DATE = dt.date(1900, 1, 1)
_NEVER = dt.date(2154, 12, 31)

_ACCOUNTS = (
    ("1200", "Trade receivables", "Asset"),
    ("1370", "Suspense", "Asset"),
    ("1810", "Hansebank EUR", "Asset"),
    ("1820", "Alpenbank EUR", "Asset"),
    ("1830", "Rheinbank EUR", "Asset"),
    ("1840", "Harbor Trust USD", "Asset"),
    ("1850", "Elbebank EUR", "Asset"),
    ("3300", "Trade payables", "Liability"),
    ("3720", "Owed to employees", "Liability"),
    ("5400", "Goods", "Expense"),
    ("6600", "Travel", "Expense"),
    ("6855", "Bank charges", "Expense"),
    ("6880", "Exchange differences", "Expense"),
    ("6960", "Rounding differences", "Expense"),
    ("7100", "Interest income", "Revenue"),
    ("7310", "Interest expense", "Expense"),
    ("9999", "Migration", "BalanceSheet"),
)
_VENDORS = (
    ("V-100", "Ostsee Stahl GmbH", "No"),
    ("V-200", "Alster Logistik KG", "No"),
    ("V-300", "Gesperrt & Soehne", "All"),
    ("E-001", "Mara Lindqvist", "No"),
    ("E-002", "Jonas Petersen", "No"),
)
_CUSTOMERS = (("C-100", "Weser Werft AG"), ("C-200", "Harz Bergbahn GmbH"))
_WORKERS = (("E-001", "Mara Lindqvist"), ("E-002", "Jonas Petersen"))


def world() -> dict[str, list[Row]]:
    """Rows of every entity that is only read, by public collection; all rows of one are alike."""
    tables = {
        "LegalEntities": [_entity("nord", "Nordlicht Maschinenbau GmbH"), _entity("nous", "Nous")],
        "Ledgers": [_ledger(company) for company in COMPANIES],
        "MainAccounts": [_account(*account) for account in _ACCOUNTS],
        "BankAccounts": [_bank("HARBOR", "Harbor Trust", "1840", "USD")],
        "VendorBankAccounts": [_vendor_bank("V-100", "DE00TEST0001")],
        "VendorsV2": [_vendor(*vendor) for vendor in _VENDORS],
        "CustomersV3": [_customer(*customer) for customer in _CUSTOMERS],
        "EssWorkers": [{"PersonnelNumber": code, "Name": name} for code, name in _WORKERS],
        "TaxCodes": [{"dataAreaId": OWN, "TaxCode": "VAT19", "TaxName": "VAT 19 %"}],
        "FinancialDimensionValues": [_value("100"), _value("200", "Yes"), _value("300")],
        "JournalNames": [_journal_name(OWN, "BankAdj"), _journal_name(OWN, "VendInv")],
        "ExchangeRates": [_rate("USD", "92.5000", dt.date(2026, 11, 1))],
        "FiscalPeriods": [_period(2026, month) for month in range(1, 13)],
        "FiscalYears": [_year(company) for company in COMPANIES],
        "TieoutPeriodStatuses": [_status(OWN, 2026, month) for month in range(1, 13)],
        "TieoutOpenTransactions": [],
    }
    tables["TieoutOpenTransactions"] += [
        _open("C-100", "Weser Werft AG", "Cust", "1200", "FTI-1001", "119.00", "Crane 7"),
        _open("V-100", "Ostsee Stahl GmbH", "Vend", "3300", "OS-77", "-250.40", "Steel"),
    ]
    return tables


def _entity(company: str, name: str) -> Row:
    return {"LegalEntityId": company.upper(), "Name": name, "CompanyCountry": "DEU"}


def _ledger(company: str) -> Row:
    return {
        "LegalEntityId": company.upper(),
        "Name": company,
        "ChartOfAccounts": "Shared",
        "AccountingCurrency": "EUR",
        "ReportingCurrency": "EUR",
        "FiscalCalendar": "Fiscal",
        "ExchangeRateType": "Default",
    }


def _account(code: str, name: str, kind: str) -> Row:
    return {
        "ChartOfAccounts": "Shared",
        "MainAccountId": code,
        "Name": name,
        "MainAccountType": kind,
        "DefaultCurrency": "USD" if code == "1840" else "",
        "IsSuspended": "Yes" if code == "9999" else "No",
        "DoNotAllowManualEntry": "Yes" if code in ("1200", "3300", "1840") else "No",
    }


def _bank(code: str, name: str, account: str, currency: str) -> Row:
    return {
        "dataAreaId": OWN,
        "BankAccountId": code,
        "Name": name,
        "CurrencyCode": currency,
        "IBAN": "",
        "AccountNumber": "7700-1",
        "BankMainAccountIdDisplayValue": account,
    }


def _vendor(code: str, name: str, hold: str) -> Row:
    return {
        "dataAreaId": OWN,
        "VendorAccountNumber": code,
        "VendorOrganizationName": name,
        "OnHoldStatus": hold,
    }


def _vendor_bank(code: str, iban: str) -> Row:
    return {
        "dataAreaId": OWN,
        "VendorAccountNumber": code,
        "VendorBankAccountId": "MAIN",
        "IBAN": iban,
        "BankAccountNumber": "",
    }


def _customer(code: str, name: str) -> Row:
    return {
        "dataAreaId": OWN,
        "CustomerAccount": code,
        "OrganizationName": name,
        "OnHoldStatus": "No",
    }


def _value(code: str, suspended: str = "No") -> Row:
    return {
        "FinancialDimension": "CostCenter",
        "LegalEntityId": "",
        "DimensionValue": code,
        "Description": f"Cost center {code}",
        "IsSuspended": suspended,
        "IsBlockedForManualEntry": "No",
        "ActiveFrom": NO_DATE,
        "ActiveTo": dt.date(2026, 6, 30) if code == "300" else _NEVER,
    }


def _journal_name(company: str, name: str, kind: str = "Daily") -> Row:
    return {
        "dataAreaId": company,
        "Name": name,
        "Description": f"Journal {name}",
        "Type": kind,
        "NewVoucher": "OneVoucherNumberOnly",
        "DetailLevel": "Detail",
        "DeleteLinesAfterPosting": "No",
        "OffsetAccountDisplayValue": "",
        "IsWorkflowApprovalActive": "No",
        "VoucherSeriesCode": "GL",
    }


def _rate(currency: str, rate: str, start: dt.date) -> Row:
    return {
        "RateTypeName": "Default",
        "FromCurrency": currency,
        "ToCurrency": "EUR",
        "StartDate": start,
        "EndDate": _NEVER,
        "ConversionFactor": "Hundred",
        "Rate": Decimal(rate),
    }


def _days(year: int, month: int) -> tuple[dt.date, dt.date]:
    first = dt.date(year, month, 1)
    after = dt.date(year + month // 12, month % 12 + 1, 1)
    return first, after - dt.timedelta(days=1)


def _period(year: int, month: int) -> Row:
    first, last = _days(year, month)
    return {
        "Calendar": "Fiscal",
        "FiscalYear": str(year),
        "StartDate": first,
        "EndDate": last,
        "PeriodName": f"Period {month}",
        "Type": "Operating",
        "Days": (last - first).days + 1,
    }


def _year(company: str) -> Row:
    return {
        "LegalEntityId": company.upper(),
        "Calendar": "Fiscal",
        "FiscalYear": "2026",
        "Status": "Open",
    }


def _status(company: str, year: int, month: int) -> Row:
    first, last = _days(year, month)
    status = "NotYetOpened" if month == 12 else "Open"
    return {"dataAreaId": company, "StartDate": first, "EndDate": last, "Status": status}


def _open(
    partner: str, name: str, kind: str, account: str, invoice: str, amount: str, text: str
) -> Row:
    return {
        "dataAreaId": OWN,
        "RecordId": 5637144576 + sum(invoice.encode()),
        "AccountType": kind,
        "AccountNum": partner,
        "PartnerName": name,
        "MainAccountId": account,
        "Voucher": f"INV-{invoice}",
        "Invoice": invoice,
        "TransDate": dt.date(2026, 11, 9),
        "DueDate": dt.date(2026, 12, 9),
        "CurrencyCode": "EUR",
        "OpenAmountCur": Decimal(amount),
        "OpenAmountMst": Decimal(amount),
        "Text": text,
    }
