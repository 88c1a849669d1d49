"""Supplier invoices by OData, where the mapping wants them in SAP's own invoice ledger.

The invoice is entered with its CSRF token; SAP answers with the invoice's number and books a
journal entry by itself. Our reference travels as the header's text, by which that entry is found:
nothing there is unique, so that it is of class D like an entry of ours.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final

from tieout.connectors.http_wire import HttpAnswer
from tieout.connectors.ports import Delivery, Journal
from tieout.connectors.sap_masters import refused
from tieout.connectors.sap_odata import padded
from tieout.connectors.sap_outcomes import lost_of
from tieout.connectors.sap_session import Message, Session, odata_message
from tieout.connectors.sap_soap import Entry, EntryLine

__all__ = ["Invoices", "as_invoice"]

_SERVICE: Final = ("API_SUPPLIERINVOICE_PROCESS_SRV", "A_SupplierInvoice")


class Invoices:
    """Enters invoices of one company code, all of one document type."""

    def __init__(self, session: Session, kind: str) -> None:
        self._session, self._kind = session, kind

    def enter(self, entry: Entry) -> Delivery:
        """One invoice: PENDING when SAP has it, until its journal entry is found.

        Raises:
            RefusedError: a customer's line, which no supplier invoice has.
        """
        answer = self._session.write(self.message(entry))
        if answer.kind == "answered" and answer.status == 201:
            return Delivery("PENDING", None, None, "TAKEN", _taken(answer), answer.sha256)
        if answer.status == 403 and answer.headers.get("x-csrf-token", "").lower() == "required":
            # The token is checked before anything is looked at.
            message = "SAP wants another CSRF token"
            return Delivery("THROTTLED", None, None, "CSRF_EXPIRED", message, answer.sha256)
        return lost_of(answer)

    def message(self, entry: Entry) -> Message:
        """The invoice as it is sent.

        Raises:
            RefusedError: a customer's line, which no supplier invoice has.
        """
        content = _content(replace(entry, kind=self._kind))
        return odata_message(*_SERVICE, json.dumps(content, separators=(",", ":")).encode())


def as_invoice(journal: Journal) -> bool:
    """Whether a journal can be an invoice there: SAP converts by its own rate, never by ours."""
    supplier = journal.liability is not None and journal.liability.kind == "supplier"
    return supplier and all(line.foreign_minor is None for line in journal.lines)


def _content(entry: Entry) -> dict[str, Any]:
    owing = [line for line in entry.lines if line.kind == "K" and line.due is not None]
    others = [line for line in entry.lines if line not in owing]
    if any(line.kind != "S" for line in others):
        raise refused("LIABILITY_LINES", "a supplier invoice has lines of GL accounts only")
    (owed,) = owing
    base, days = owed.due or (entry.document_on, 0)
    return {
        "CompanyCode": entry.company_code,
        "AccountingDocumentType": entry.kind,
        "DocumentDate": _day(entry.document_on),
        "PostingDate": _day(entry.posted_on),
        "SupplierInvoiceIDByInvcgParty": entry.reference,
        "InvoicingParty": owed.account,
        "DocumentCurrency": owed.amounts.currency,
        "InvoiceGrossAmount": f"{-owed.amounts.amount:f}",
        "DocumentHeaderText": entry.external_ref,
        "DueCalculationBaseDate": _day(base),
        "NetPaymentDays": str(days),
        "TaxIsCalculatedAutomatically": False,
        "to_SupplierInvoiceItemGLAcct": {
            "results": [
                _item(entry, line, str(place)) for place, line in enumerate(others, start=1)
            ]
        },
    }


def _item(entry: Entry, line: EntryLine, place: str) -> dict[str, str]:
    values = {
        "SupplierInvoiceItem": place,
        "CompanyCode": entry.company_code,
        "GLAccount": padded(line.account),
        "CostCenter": line.cost_center,
        "DocumentCurrency": line.amounts.currency,
        "SupplierInvoiceItemAmount": f"{abs(line.amounts.amount):f}",
        "DebitCreditCode": "S" if line.amounts.debit else "H",
        "TaxCode": line.tax_code,
        "SupplierInvoiceItemText": line.text,
    }
    return {name: value for name, value in values.items() if value}


def _day(on: date) -> str:
    midnight = datetime(on.year, on.month, on.day, tzinfo=UTC)
    return f"/Date({int(midnight.timestamp()) * 1000})/"


def _taken(answer: HttpAnswer) -> str:
    try:
        told = json.loads(answer.body)["d"]
        number = f" {told['SupplierInvoice']}/{told['FiscalYear']}"
    except (ValueError, KeyError, TypeError):
        number = ""
    return f"SAP has entered the supplier invoice{number}; its journal entry is to be found"
