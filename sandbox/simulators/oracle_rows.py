"""The Oracle simulator's records as its REST resources show them: attribute names and values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.simulators.oracle_books import Batch, Books, Invoice, Line
from sandbox.simulators.oracle_jobs import Job
from sandbox.simulators.oracle_world import CONSTANTS, Value

__all__ = ["COLLECTIONS", "batch_row", "header_row", "invoice_row", "job_row", "line_row"]

Row = dict[str, Any]


def _instant(at: dt.datetime | None) -> str | None:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000+00:00") if at else None


def batch_row(batch: Batch) -> Row:
    """A journal batch without its children."""
    return {
        "JeBatchId": batch.id,
        "BatchName": batch.name,
        "BatchDescription": batch.description or None,
        "Status": batch.status,
        "StatusMeaning": "Posted" if batch.status == "P" else "Unposted",
        "ErrorMessage": batch.error or None,
        "DefaultPeriodName": batch.period,
        "UserJeSourceName": batch.source,
        "PostedDate": _instant(batch.posted_at),
        "LastUpdateDate": _instant(batch.updated_at),
    }


def header_row(batch: Batch) -> Row:
    """The batch's one journal."""
    return {
        "JeHeaderId": batch.header_id,
        "JournalName": batch.header_name,
        "Description": batch.description or None,
        "ExternalReference": batch.reference or None,
        "DefaultEffectiveDate": batch.booked_on.isoformat(),
        "PeriodName": batch.period,
        "UserJeCategoryName": batch.category,
        "LedgerName": CONSTANTS["ledger_name"],
        "LedgerCurrencyCode": CONSTANTS["currency"],
    }


def line_row(line: Line) -> Row:
    """One line of a journal."""
    return {
        "JeLineNumber": line.number,
        "AccountCombination": "-".join(line.segments),
        "CurrencyCode": line.currency,
        "EnteredDr": line.entered_dr or None,
        "EnteredCr": line.entered_cr or None,
        "AccountedDr": line.accounted_dr or None,
        "AccountedCr": line.accounted_cr or None,
        "Description": line.description or None,
    }


def invoice_row(invoice: Invoice) -> Row:
    """A payables invoice with its lines."""
    if invoice.cancelled:
        status = "Canceled"
    else:
        status = "Validated" if invoice.validated else "Not validated"
    unpaid = invoice.amount - invoice.paid
    return {
        "InvoiceId": invoice.id,
        "InvoiceNumber": invoice.number,
        "BusinessUnit": invoice.business_unit,
        "Supplier": invoice.supplier,
        "SupplierNumber": invoice.supplier_number,
        "SupplierSite": invoice.site,
        "InvoiceSource": invoice.source,
        "InvoiceType": invoice.kind.capitalize(),
        "InvoiceAmount": invoice.amount,
        "AmountPaid": invoice.paid,
        "InvoiceCurrency": invoice.currency,
        "InvoiceDate": invoice.invoiced_on.isoformat(),
        "AccountingDate": invoice.booked_on.isoformat(),
        "TermsDate": invoice.due_on.isoformat(),
        "Description": invoice.description,
        "LiabilityDistribution": invoice.liability,
        "ValidationStatus": status,
        "PaidStatus": "Paid" if not unpaid else "Partially paid" if invoice.paid else "Unpaid",
        "LastUpdateDate": _instant(invoice.updated_at),
        "invoiceLines": [
            {
                "LineNumber": line.number,
                "LineAmount": line.amount,
                "Description": line.description,
                "DistributionCombination": line.combination,
            }
            for line in invoice.lines
        ],
    }


def job_row(job: Job) -> Row:
    """A request of the scheduler; what is not known yet is null."""
    arguments = job.parameters
    if job.interface:
        arguments = (job.interface, job.file_name, *job.parameters)
    return {
        "requestId": job.id,
        "parentRequestId": job.parent or 0,
        "jobDefinitionId": job.definition,
        "requestParameters": [
            {"name": f"submit.argument{number}", "paramType": "STRING", "value": value}
            for number, value in enumerate(arguments, 1)
        ],
        "state": job.state,
        "submissionTime": _instant(job.submitted_at),
        "completedTime": _instant(job.completed_at),
        "submitter": CONSTANTS["login"],
    }


def _ledgers(books: Books) -> list[Row]:
    return [
        {
            "LedgerId": int(CONSTANTS["ledger_id"]),
            "Name": CONSTANTS["ledger_name"],
            "CurrencyCode": CONSTANTS["currency"],
        }
    ]


def _periods(books: Books) -> list[Row]:
    return [
        {
            "PeriodNameId": period.name,
            "ApplicationId": application,
            "LedgerId": int(CONSTANTS["ledger_id"]),
            "ClosingStatus": status,
            "StartDate": period.starts_on.isoformat(),
            "EndDate": period.ends_on.isoformat(),
            "AdjustmentPeriodFlag": "N",
        }
        for period in books.world.periods
        for application, status in sorted(period.statuses.items())
    ]


def _suppliers(books: Books) -> list[Row]:
    return [
        {
            "SupplierId": supplier.id,
            "Supplier": supplier.name,
            "SupplierNumber": supplier.number,
            "SupplierTypeCode": supplier.kind,
            "Status": "ACTIVE" if supplier.active else "INACTIVE",
        }
        for supplier in books.world.suppliers
    ]


def _units(books: Books) -> list[Row]:
    return [
        {
            "BusinessUnitId": int(CONSTANTS["business_unit_id"]),
            "BusinessUnitName": CONSTANTS["business_unit"],
            "PrimaryLedgerId": int(CONSTANTS["ledger_id"]),
        }
    ]


def _values(values: Mapping[str, Value]) -> list[Row]:
    return [
        {
            "Value": value.code,
            "Description": value.name,
            "EnabledFlag": "Y" if value.enabled else "N",
            "StartDateActive": value.starts_on.isoformat() if value.starts_on else None,
            "EndDateActive": value.ends_on.isoformat() if value.ends_on else None,
        }
        for value in values.values()
    ]


def _rates(books: Books) -> list[Row]:
    return [
        {
            "FromCurrency": "EUR",
            "ToCurrency": "USD",
            "ConversionDate": day,
            "ConversionRate": rate,
            "UserConversionType": "Corporate",
        }
        for day, rate in (("2026-11-19", "1.0850"), ("2026-11-20", "1.0875"))
    ]


def _receivables(books: Books) -> list[Row]:
    return [dict(row) for row in books.receivables]


#: Collections without children, by the part of the address behind the resources' base.
COLLECTIONS: Final[Mapping[str, Callable[[Books], list[Row]]]] = {
    "accountingPeriodStatusLOV": _periods,
    "currencyRates": _rates,
    "finBusinessUnitsLOV": _units,
    "ledgersLOV": _ledgers,
    "receivablesInvoices": _receivables,
    "suppliers": _suppliers,
    "valueSets/NORD_ACCOUNT/child/values": lambda books: _values(books.world.accounts),
    "valueSets/NORD_COST_CENTER/child/values": lambda books: _values(books.world.cost_centers),
}
