"""Import Payables Invoices in the Oracle simulator, and what a REST create checks as well.

A supplier's invoice number is unique in its business unit for ever, cancelled or not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from sandbox.simulators.oracle_books import Books, InterfaceRow, Invoice, InvoiceLine
from sandbox.simulators.oracle_import import ImportResult, report_of
from sandbox.simulators.oracle_world import CONSTANTS

__all__ = ["add_invoice", "payables_import", "refusal_of"]


def refusal_of(books: Books, invoice: Invoice) -> str:
    """Why an invoice is refused, in Payables' words; empty when it is taken."""
    suppliers = {s.number: s for s in books.world.suppliers}
    supplier = suppliers.get(invoice.supplier_number)
    if invoice.business_unit != CONSTANTS["business_unit"]:
        return "INVALID OPERATING UNIT"
    if supplier is None or not supplier.active or supplier.name != invoice.supplier:
        return "INVALID SUPPLIER"
    if supplier.site != invoice.site:
        return "INVALID SUPPLIER SITE"
    if any(
        (i.supplier_number, i.number) == (invoice.supplier_number, invoice.number)
        for i in books.invoices.values()
    ):
        return "DUPLICATE INVOICE NUMBER"
    if invoice.currency not in books.world.currencies:
        return "INVALID CURRENCY CODE"
    period = books.world.period_of(invoice.booked_on)
    if period is None or period.statuses[200] != "O":
        return "ACCT DATE NOT IN OPEN PD"
    if sum((line.amount for line in invoice.lines), Decimal(0)) != invoice.amount:
        return "INVALID INVOICE AMOUNT"
    for combination in (invoice.liability, *(line.combination for line in invoice.lines)):
        codes = combination.split("-")
        valid = len(codes) == 3 and all(
            code in values and values[code].enabled
            for code, values in zip(codes, books.world.segments(), strict=True)
        )
        if not valid:
            return "INVALID DISTRIBUTION ACCT"
    return ""


def add_invoice(books: Books, invoice: Invoice) -> str:
    """Take an invoice; returns the refusal, or nothing."""
    with books.lock:
        refusal = refusal_of(books, invoice)
        if not refusal:
            books.invoices[invoice.id] = invoice
        return refusal


def payables_import(books: Books, parameters: Sequence[str], request: int) -> ImportResult:
    """Import the invoices whose source is parameter 8 and whose group is parameter 9."""
    padded = [*parameters, *[""] * 14]
    source, group = padded[7], padded[8]
    with books.lock:
        headers = [
            row
            for row in books.rows
            if row.table == "AP_INVOICES_INTERFACE"
            and (row.get(3), row.get(13), row.status) == (source, group, "NEW")
        ]
        taken = 0
        for header in headers:
            lines = [
                row
                for row in books.rows
                if row.table == "AP_INVOICE_LINES_INTERFACE"
                and (row.get(1), row.load_request) == (header.get(1), header.load_request)
            ]
            refusal = add_invoice(books, _invoice(books, header, lines))
            header.status, header.message = (
                ("REJECTED " + refusal, refusal) if refusal else ("P", "")
            )
            taken += not refusal
        output = report_of("Payables Open Interface Import Report", request, headers, _row)
    return ImportResult(output, taken, len(headers) - taken)


def _row(row: InterfaceRow) -> str:
    return f"   {row.get(4):<40}{row.get(8):<20}{row.get(5):>14}"


def _date(row: InterfaceRow, place: int, other: str = "") -> dt.date:
    return dt.date.fromisoformat((row.get(place) or other).replace("/", "-"))


def _invoice(books: Books, row: InterfaceRow, lines: Sequence[InterfaceRow]) -> Invoice:
    invoiced = _date(row, 6)
    return Invoice(
        id=books.next_id(),
        number=row.get(4),
        supplier=row.get(7),
        supplier_number=row.get(8),
        site=row.get(9),
        business_unit=row.get(2),
        source=row.get(3),
        kind=row.get(14),
        amount=Decimal(row.get(5)),
        currency=row.get(10),
        invoiced_on=invoiced,
        booked_on=_date(row, 24, row.get(6)),
        due_on=_date(row, 21, row.get(6)),
        description=row.get(12),
        liability=row.get(37),
        lines=[
            InvoiceLine(int(line.get(2)), Decimal(line.get(4)), line.get(22), line.get(8))
            for line in lines
        ],
        updated_at=books.clock.now(),
        visible_at=books.visible_from(),
    )
