"""Pending vendor invoices of the Dynamics 365 simulator: header and lines, gone once posted."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sandbox.simulators.dynamics365_lines import main_account, typed
from sandbox.simulators.dynamics365_odata import ODataError, infolog
from sandbox.simulators.dynamics365_world import COMPANIES, NO_DATE, Row

__all__ = ["HEADERS", "LINES", "Invoices"]

HEADERS, LINES = "VendorInvoiceHeaders", "VendorInvoiceLines"
_HEADER: Row = {
    "dataAreaId": "",
    "HeaderReference": "",
    "InvoiceAccount": "",
    "InvoiceNumber": "",
    "InvoiceDate": NO_DATE,
    "Date": NO_DATE,
    "DueDate": NO_DATE,
    "Currency": "",
    "DocumentNumber": "",
    "InvoiceDescription": "",
    "PostingProfile": "",
    "Log": "",
}
_LINE: Row = {
    "dataAreaId": "",
    "HeaderReference": "",
    "InvoiceLineNumber": Decimal(0),
    "MainAccountDisplayValue": "",
    "NetAmount": Decimal(0),
    "LineDescription": "",
    "DimensionDisplayValue": "",
    "ProcurementCategoryName": "",
}
Key = tuple[str, str]
Later = Callable[[Callable[[], object]], None]


class Invoices:
    """Pending invoices, and where the posted ones went.

    Attributes:
        posted: vouchers of the invoices posted with a document number.
    """

    def __init__(self, tables: dict[str, list[Row]], later: Later) -> None:
        self._tables, self._later = tables, later
        self.headers: dict[Key, Row] = {}
        self.lines: dict[Key, list[Row]] = {}
        self.posted: dict[str, list[str]] = {}

    def columns(self, name: str) -> Row:
        """A row of one of the two, to know its properties."""
        return _HEADER if name == HEADERS else _LINE

    def rows(self, name: str) -> list[Row]:
        """All rows of one of the two."""
        if name == HEADERS:
            return [dict(row) for row in self.headers.values()]
        return [dict(row) for rows in self.lines.values() for row in rows]

    def insert(self, name: str, values: Row) -> Row:
        """A new header or line.

        Raises:
            ODataError: what the business logic says.
        """
        return self._header(values) if name == HEADERS else self._line(values)

    def delete(self, key: Row) -> None:
        """Delete a pending invoice with its lines."""
        found = (str(key.get("dataAreaId")), str(key.get("HeaderReference")))
        if found not in self.headers:
            raise ODataError(404, "No invoice has this key.")
        header, lines = self.headers.pop(found), self.lines.pop(found)
        self._later(lambda: self.headers.__setitem__(found, header))
        self._later(lambda: self.lines.__setitem__(found, lines))

    def take(self, key: Key, voucher: str) -> list[Row]:
        """The entries of an invoice that is posted now; it is pending no more."""
        header, lines = self.headers.pop(key), self.lines.pop(key)
        self.posted.setdefault(header["DocumentNumber"], []).append(voucher)
        account = "Vend", header["InvoiceAccount"], header["PostingProfile"]
        owed = main_account(self._tables, key[0], *account)[0]
        total = sum((line["NetAmount"] for line in lines), Decimal(0))
        entries = [
            _entry(header, line["MainAccountDisplayValue"], line["NetAmount"], "PurchExpense")
            for line in lines
        ]
        return [*entries, _entry(header, owed, -total, "VendBalance")]

    def told(self, reference: str) -> list[dict[str, Any]]:
        """Pending invoices with a document number, for the checker."""
        found = []
        for key, header in self.headers.items():
            if header["DocumentNumber"] == reference:
                parts = [(i["MainAccountDisplayValue"], i["NetAmount"]) for i in self.lines[key]]
                parts.append(("3300", -sum((amount for _, amount in parts), Decimal(0))))
                found.append({"doc_id": f"{key[0]}/invoice/{key[1]}", "lines": parts} | header)
        return found

    def _header(self, values: Row) -> Row:
        header = _HEADER | typed(_HEADER, values)
        if header["Log"] or header["dataAreaId"] not in COMPANIES or not header["HeaderReference"]:
            raise ODataError(400, "A property is read-only, missing or of no company.")
        if not header["InvoiceNumber"] or NO_DATE in (header["InvoiceDate"], header["Date"]):
            raise infolog(
                "VendorInvoiceHeaderEntity", "Invoice number and dates must be filled in."
            )
        key = (header["dataAreaId"], header["HeaderReference"])
        account = "Vend", header["InvoiceAccount"], header["PostingProfile"]
        main_account(self._tables, key[0], *account)
        if key in self.headers:
            text = "Cannot create a record in Invoice header. The record already exists."
            raise infolog("VendorInvoiceHeaderEntity", text)
        self.headers[key], self.lines[key] = header, []
        self._later(lambda: (self.headers.pop(key, None), self.lines.pop(key, None)))
        return header

    def _line(self, values: Row) -> Row:
        line = _LINE | typed(_LINE, values)
        key = (line["dataAreaId"], line["HeaderReference"])
        if key not in self.headers:
            text = f"Invoice header {key[1]!r} does not exist."
            raise infolog("VendorInvoiceLineEntity", text)
        if any(row["InvoiceLineNumber"] == line["InvoiceLineNumber"] for row in self.lines[key]):
            raise infolog("VendorInvoiceLineEntity", "The record already exists.")
        main_account(self._tables, key[0], "Ledger", line["MainAccountDisplayValue"])
        lines = self.lines[key]
        lines.append(line)
        self._later(lambda: lines.remove(line))
        return line


def _entry(header: Row, account: str, amount: Decimal, posting: str) -> Row:
    return {
        "AccountingDate": header["Date"],
        "LedgerAccount": account,
        "TransactionCurrencyCode": header["Currency"],
        "TransactionCurrencyAmount": amount,
        "AccountingCurrencyAmount": amount,
        "ReportingCurrencyAmount": amount,
        "Description": header["InvoiceDescription"],
        "PostingType": posting,
        "IsCredit": "Yes" if amount < 0 else "No",
        "DocumentDate": header["InvoiceDate"],
        "DocumentNumber": header["DocumentNumber"],
        "LedgerName": header["dataAreaId"],
    }
