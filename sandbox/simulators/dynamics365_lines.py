"""A journal line of the Dynamics 365 simulator: its properties, and what refuses one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from sandbox.simulators.dynamics365_odata import ODataError, infolog
from sandbox.simulators.dynamics365_world import DELIMITER, DIMENSIONS, NO_DATE, Row

__all__ = ["LENGTHS", "LINE", "check_line", "main_account", "typed"]

LINE: Row = {
    "dataAreaId": "",
    "JournalBatchNumber": "",
    "LineNumber": Decimal(0),
    "Voucher": "",
    "TransDate": NO_DATE,
    "AccountType": "Ledger",
    "AccountDisplayValue": "",
    "OffsetAccountType": "Ledger",
    "OffsetAccountDisplayValue": "",
    "DebitAmount": Decimal(0),
    "CreditAmount": Decimal(0),
    "CurrencyCode": "",
    "ExchRate": Decimal(0),
    "Text": "",
    "Document": "",
    "DocumentDate": NO_DATE,
    "Invoice": "",
    "DueDate": NO_DATE,
    "PaymentReference": "",
    "SalesTaxGroup": "",
    "ItemSalesTaxGroup": "",
    "DefaultDimensionDisplayValue": "",
    "PostingProfile": "",
    "ReverseEntry": "No",
    "ReverseDate": NO_DATE,
}
LENGTHS = {
    "JournalBatchNumber": 10,
    "JournalName": 10,
    "Description": 60,
    "Text": 60,
    "Document": 20,
    "Invoice": 20,
    "InvoiceNumber": 20,
    "DocumentNumber": 20,
    "HeaderReference": 20,
    "InvoiceDescription": 60,
    "LineDescription": 60,
    "Voucher": 20,
    "PaymentReference": 20,
}
_ENUMS = {
    "AccountType": ("Ledger", "Cust", "Vend", "Project", "FixedAssets", "Bank"),
    "OffsetAccountType": ("Ledger", "Cust", "Vend", "Project", "FixedAssets", "Bank"),
    "ReverseEntry": ("No", "Yes"),
}
#: Main account of each vendor posting profile; the empty name is a vendor's own.
_PROFILES = {"": "3300", "GEN": "3300", "EMPL": "3720"}
_CURRENCIES = ("EUR", "USD", "GBP", "CHF")


def typed(columns: Row, values: Row) -> Row:
    """Values as the entity's properties have them.

    Raises:
        ODataError: an unknown property, another type, an unknown enum value, too long a text.
    """
    found: Row = {}
    for name, value in values.items():
        if name not in columns:
            message = f"The property '{name}' does not exist on type."
            raise ODataError(400, message, "ODataException")
        found[name] = _value(name, value, columns[name])
    return found


def _value(name: str, value: Any, like: Any) -> Any:
    if isinstance(like, Decimal) and isinstance(value, int | Decimal):
        return Decimal(value)
    if isinstance(like, dt.date) and isinstance(value, str):
        try:
            return dt.datetime.fromisoformat(value.replace("Z", "+00:00")).date()
        except ValueError as error:
            message = f"'{value}' of '{name}' is no Edm.DateTimeOffset."
            raise ODataError(400, message, "ODataException") from error
    if not isinstance(like, str) or not isinstance(value, str):
        raise ODataError(400, f"'{name}' has a value of another type.", "ODataException")
    if name in _ENUMS and value not in _ENUMS[name]:
        raise ODataError(400, f"'{value}' is no value of the enum of '{name}'.", "ODataException")
    if len(value) > LENGTHS.get(name, 255):
        message = f"The string value of '{name}' is longer than {LENGTHS.get(name, 255)}."
        raise ODataError(400, message, "ODataException")
    return value


def check_line(tables: dict[str, list[Row]], company: str, values: Row) -> Row:
    """A whole line.

    Raises:
        ODataError: what the entity's business logic refuses.
    """
    line = LINE | typed(LINE, values)
    debit, credit = line["DebitAmount"], line["CreditAmount"]
    if min(debit, credit) < 0 or (debit > 0) == (credit > 0):
        raise _refused("Debit or credit amount must be filled in, not both.")
    if any(amount != round(amount, 2) for amount in (debit, credit)):
        raise _refused("The amount has more decimals than the currency.")
    if line["CurrencyCode"] not in _CURRENCIES:
        raise _refused(f"Currency {line['CurrencyCode']!r} does not exist.")
    if line["TransDate"] == NO_DATE:
        raise _refused("Field 'Date' must be filled in.")
    account = line["AccountType"], line["AccountDisplayValue"], line["PostingProfile"]
    main_account(tables, company, *account)
    if line["OffsetAccountDisplayValue"]:
        offset = line["OffsetAccountDisplayValue"]
        main_account(tables, company, line["OffsetAccountType"], offset)
    return line


def main_account(
    tables: dict[str, list[Row]], company: str, kind: str, account: str, profile: str = ""
) -> tuple[str, str]:
    """The ledger account an account text is posted on, and the posting type.

    Raises:
        ODataError: an account, dimension value or partner that is not there or blocked.
    """
    match kind:
        case "Ledger":
            return _ledger(tables, account), "LedgerJournal"
        case "Bank":
            row = _own(tables["BankAccounts"], company, "BankAccountId", account, "Bank account")
            return str(row["BankMainAccountIdDisplayValue"]), "Bank"
        case "Vend":
            row = _own(tables["VendorsV2"], company, "VendorAccountNumber", account, "Vendor")
            if row["OnHoldStatus"] in ("All", "Invoice"):
                raise _refused(f"Vendor account {account} is on hold.")
            if profile not in _PROFILES:
                raise _refused(f"Posting profile {profile} does not exist.")
            return _PROFILES[profile], "VendBalance"
        case "Cust":
            _own(tables["CustomersV3"], company, "CustomerAccount", account, "Customer")
            return "1200", "CustBalance"
    raise _refused(f"Account type {kind} is not supported.")


def _ledger(tables: dict[str, list[Row]], account: str) -> str:
    parts = account.split(DELIMITER)
    if len(parts) > len(DIMENSIONS):
        raise _refused(f"Account {account} does not fit the format {DELIMITER.join(DIMENSIONS)}.")
    rows = [row for row in tables["MainAccounts"] if row["MainAccountId"] == parts[0]]
    if not rows:
        raise _refused(f"Account {parts[0]} does not exist.")
    if rows[0]["IsSuspended"] == "Yes" or rows[0]["DoNotAllowManualEntry"] == "Yes":
        raise _refused(f"Main account {parts[0]} is not allowed for manual entry.")
    if len(parts) > 1 and parts[1]:
        values = [
            row
            for row in tables["FinancialDimensionValues"]
            if row["DimensionValue"] == parts[1] and row["IsSuspended"] == "No"
        ]
        if not values:
            raise _refused(f"Value {parts[1]} of dimension CostCenter does not exist.")
    return account


def _own(rows: list[Row], company: str, field: str, value: str, what: str) -> Row:
    for row in rows:
        if row["dataAreaId"] == company and row[field] == value:
            return row
    raise _refused(f"{what} {value} does not exist.")


def _refused(text: str) -> ODataError:
    return infolog("LedgerJournalLineEntity", text)
