"""What a simulated NetSuite knows of its record types: properties, kinds of values, sublists.

A property is written as the API writes it; kinds are ``ref`` (``{"id": "58"}``), ``string``,
``boolean``, ``date``, ``number``, ``integer``, ``read-only``, and the name of a sublist.
"""

from __future__ import annotations

from typing import Final

__all__ = ["PREFIXES", "RECORDS", "SUBLISTS", "TYPES"]

_COMMON: Final = {
    "approvalStatus": "ref",
    "class": "ref",
    "createdDate": "read-only",
    "currency": "ref",
    "customForm": "ref",
    "department": "ref",
    "exchangeRate": "number",
    "externalId": "string",
    "id": "read-only",
    "lastModifiedDate": "read-only",
    "links": "read-only",
    "location": "ref",
    "memo": "string",
    "postingPeriod": "ref",
    "refName": "read-only",
    "subsidiary": "ref",
    "tranDate": "date",
    "tranId": "string",
    "transactionNumber": "read-only",
}

#: Properties of each record type.
RECORDS: Final[dict[str, dict[str, str]]] = {
    "journalEntry": {
        **_COMMON,
        "approved": "boolean",
        "createdFrom": "ref",
        "isReversal": "boolean",
        "line": "journalEntry-line",
        "reversalDate": "date",
        "reversalDefer": "boolean",
        "reversalEntry": "string",
        "void": "boolean",
    },
    "vendorBill": {
        **_COMMON,
        "account": "ref",
        "balance": "read-only",
        "dueDate": "date",
        "entity": "ref",
        "expense": "vendorBill-expense",
        "paymentHold": "boolean",
        "status": "read-only",
        "total": "read-only",
        "userTotal": "number",
    },
    "expenseReport": {
        **{k: v for k, v in _COMMON.items() if k not in ("currency", "exchangeRate")},
        "account": "ref",
        "accountingapproval": "boolean",
        "amount": "read-only",
        "complete": "boolean",
        "duedate": "date",
        "entity": "ref",
        "expense": "expenseReport-expense",
        "expensereportcurrency": "ref",
        "expensereportexchangerate": "number",
        "status": "read-only",
        "supervisorapproval": "boolean",
        "total": "read-only",
    },
    "vendorPayment": {
        **_COMMON,
        "account": "ref",
        "apAcct": "ref",
        "apply": "vendorPayment-apply",
        "cleared": "boolean",
        "clearedDate": "date",
        "credit": "vendorPayment-credit",
        "entity": "ref",
        "isInTransitPayment": "boolean",
        "status": "read-only",
        "total": "read-only",
        "voidJournal": "ref",
    },
}

_LINE: Final = {
    "class": "ref",
    "department": "ref",
    "links": "read-only",
    "location": "ref",
    "memo": "string",
    "refName": "read-only",
}

#: Properties of one line of each sublist.
SUBLISTS: Final[dict[str, dict[str, str]]] = {
    "journalEntry-line": {
        **_LINE,
        "account": "ref",
        "cleared": "boolean",
        "clearedDate": "date",
        "credit": "number",
        "debit": "number",
        "entity": "ref",
        "line": "integer",
    },
    "vendorBill-expense": {
        **_LINE,
        "account": "ref",
        "amount": "number",
        "category": "ref",
        "line": "integer",
        "taxCode": "ref",
    },
    "expenseReport-expense": {
        **_LINE,
        "amount": "number",
        "category": "ref",
        "corporatecreditcard": "boolean",
        "currency": "ref",
        "exchangerate": "number",
        "expenseaccount": "ref",
        "expensedate": "date",
        "foreignamount": "number",
        "isnonreimbursable": "boolean",
        "line": "string",
        "taxCode": "ref",
    },
    "vendorPayment-apply": {
        "amount": "number",
        "apply": "boolean",
        "applyDate": "date",
        "currency": "string",
        "doc": "ref",
        "due": "number",
        "line": "integer",
        "links": "read-only",
        "refNum": "string",
        "total": "number",
        "type": "string",
    },
    "vendorPayment-credit": {
        "amount": "number",
        "apply": "boolean",
        "doc": "ref",
        "line": "integer",
        "links": "read-only",
        "refNum": "string",
    },
}

#: What SuiteQL calls a transaction of each record type.
TYPES: Final = {
    "journalEntry": "Journal",
    "vendorBill": "VendBill",
    "expenseReport": "ExpRept",
    "vendorPayment": "VendPymt",
    "invoice": "CustInvc",
}

#: How the numbers of each record type begin.
PREFIXES: Final = {
    "journalEntry": "JOU",
    "vendorBill": "BILL",
    "expenseReport": "EXP",
    "vendorPayment": "PAY",
    "invoice": "INV",
}
