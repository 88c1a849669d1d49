"""Supplier invoices of the SAP simulator: an OData write, and the journal entry it leaves."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from sandbox.simulators import sap_posting
from sandbox.simulators.sap_ledger import Ledger
from sandbox.simulators.sap_odata import error

__all__ = ["INVOICES", "enter_invoice"]

#: Service and entity set.
INVOICES: Final = ("API_SUPPLIERINVOICE_PROCESS_SRV", "A_SupplierInvoice")
_DATE: Final = re.compile(r"/Date\((-?\d+)\)/")
_HEADER: Final = {
    "AccountingDocumentType": 2, "CompanyCode": 4, "DocumentCurrency": 5, "DocumentDate": 0,
    "DocumentHeaderText": 25, "DueCalculationBaseDate": 0, "InvoiceGrossAmount": 0,
    "InvoicingParty": 10, "NetPaymentDays": 0, "PostingDate": 0,
    "SupplierInvoiceIDByInvcgParty": 16, "TaxIsCalculatedAutomatically": 0,
    "to_SupplierInvoiceItemGLAcct": 0,
}  # fmt: skip
_ITEM: Final = {
    "CompanyCode": 4, "CostCenter": 10, "DebitCreditCode": 1, "DocumentCurrency": 5,
    "GLAccount": 10, "SupplierInvoiceItem": 4, "SupplierInvoiceItemAmount": 0,
    "SupplierInvoiceItemText": 50, "TaxCode": 2,
}  # fmt: skip


class _RefusedError(Exception):
    """The invoice is not of the set's shape: HTTP 400."""


def enter_invoice(ledger: Ledger, body: bytes, now: dt.datetime) -> tuple[int, bytes]:
    """HTTP status and answer; the same invoice again is another one."""
    try:
        entry = _entry(json.loads(body, parse_float=Decimal))
    except (_RefusedError, ValueError, KeyError, TypeError, InvalidOperation) as problem:
        return 400, error("/IWBEP/CM_MGW_RT/022", f"Malformed request: {problem}", now)
    outcome = sap_posting.post(ledger, entry, now)
    if outcome.document is None:
        first = outcome.messages[1]
        return 400, error(first.type_id, first.words, now)
    outcome.document.origin = "RMRP"
    number = str(5_105_600_000 + int(outcome.document.number[-6:]))
    told = {"SupplierInvoice": number, "FiscalYear": outcome.document.year}
    return 201, json.dumps({"d": told | {"SupplierInvoiceStatus": "5"}}).encode()


def _known(row: dict[str, Any], shape: dict[str, int]) -> None:
    for name, value in row.items():
        if name not in shape:
            raise _RefusedError(f"Property {name} is invalid")
        if shape[name] and (not isinstance(value, str) or len(value) > shape[name]):
            raise _RefusedError(f"Property {name} has more than {shape[name]} characters")


def _day(value: str) -> str:
    found = _DATE.fullmatch(value)
    if found is None:
        raise _RefusedError(f"{value!r} is no date")
    return dt.datetime.fromtimestamp(int(found[1]) // 1000, dt.UTC).date().isoformat()


def _entry(invoice: dict[str, Any]) -> dict[str, Any]:
    """The journal entry an invoice makes, in the terms of the SOAP service."""
    _known(invoice, _HEADER)
    currency = invoice["DocumentCurrency"]
    gross = Decimal(invoice["InvoiceGrossAmount"])
    items = []
    for row in invoice["to_SupplierInvoiceItemGLAcct"]["results"]:
        _known(row, _ITEM)
        amount = Decimal(row["SupplierInvoiceItemAmount"])
        side = row["DebitCreditCode"]
        item: dict[str, Any] = {
            "GLAccount": row["GLAccount"],
            "AmountInTransactionCurrency": (amount if side == "S" else -amount, currency),
            "DebitCreditCode": side,
            "DocumentItemText": row.get("SupplierInvoiceItemText", ""),
            "AccountAssignment": {"CostCenter": row.get("CostCenter", "")},
        }
        items.append(item)
    creditor = {
        "ReferenceDocumentItem": "",
        "Creditor": invoice["InvoicingParty"],
        "AmountInTransactionCurrency": (-gross, currency),
        "DebitCreditCode": "H",
        "CashDiscountTerms": {
            "DueCalculationBaseDate": _day(invoice["DueCalculationBaseDate"]),
            "NetPaymentDays": f"P{invoice['NetPaymentDays']}D",
        },
    }
    return {
        "AccountingDocumentType": invoice["AccountingDocumentType"],
        "CreatedByUser": "ODATA",
        "CompanyCode": invoice["CompanyCode"],
        "DocumentDate": _day(invoice["DocumentDate"]),
        "PostingDate": _day(invoice["PostingDate"]),
        "DocumentReferenceID": invoice["SupplierInvoiceIDByInvcgParty"],
        "DocumentHeaderText": invoice.get("DocumentHeaderText", ""),
        "Item": items,
        "CreditorItem": [creditor],
    }
