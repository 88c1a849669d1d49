"""Oracle's books read: cash book, balances, open items, rates.

Assumed, and to be checked with the tenant: a bank account has one natural account with its default
segments; posted batches are listed by period through ``journalBatches``; ``ledgerBalances`` tells
the balance at the beginning of a period; receivables come from ``receivablesInvoices``.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from tieout.connectors import reads
from tieout.connectors.oracle_journals import OracleJournals
from tieout.connectors.oracle_masters import OracleMasters
from tieout.connectors.oracle_profile import OracleProfile
from tieout.connectors.oracle_session import OracleSession, Row, day_of, minor_of, shaped
from tieout.connectors.ports import DocumentLine, ErpDocument
from tieout.errors import ConnectorError
from tieout.money import exponent_of, from_minor, to_minor

__all__ = ["OracleBooks"]

_EXPAND: Final = ("expand", "journalHeaders.journalLines")
#: A delta asks again for the last minutes: changes become visible a little out of order.
_OVERLAP: Final = timedelta(minutes=10)
_DAY: Final = timedelta(days=1)


class OracleBooks:
    """Reads of one ledger; posted batches are kept, and only changes are asked for again."""

    def __init__(
        self,
        session: OracleSession,
        profile: OracleProfile,
        masters: OracleMasters,
        journals: OracleJournals,
    ) -> None:
        self._session, self._profile = session, profile
        self._masters, self._journals = masters, journals
        self._posted: dict[str, dict[str, ErpDocument]] = {}
        self._seen_until: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def cash_book(self, gl_account: str, since: date) -> list[reads.CashBookLine]:
        """Posted lines of a natural account dated after ``since``, by date, then by id."""
        found = [
            self._cash_line(document, number, line)
            for name in self._periods(since + _DAY)
            for document in self._batches(name)
            if document.booked_on > since
            for number, line in enumerate(document.lines, 1)
            if line.gl_account == gl_account
        ]
        return sorted(found, key=lambda line: (line.booked_on, _by_number(line.line_id)))

    def posted_since(self, since: date) -> list[ErpDocument]:
        """Posted journals of ours on or after ``since``, whoever made them; nothing is kept."""
        found = [one for name in self._periods(since) for one in self._journals.posted(name)]
        return [document for document in found if document.booked_on >= since]

    def _periods(self, since: date) -> list[str]:
        """The periods that hold ``since`` or come behind it, and were ever open."""
        with shaped("periods"):
            return [
                str(row["PeriodNameId"])
                for row in self._masters.periods()
                if day_of(row["EndDate"]) >= since and row["ClosingStatus"] != "N"
            ]

    def balance(self, gl_account: str, on: date, currency: str) -> int:
        """The balance at the beginning of the period, and what was posted in it up to the day."""
        held = self._currency_of(gl_account)
        if currency != held:
            message = f"natural account {gl_account} is kept in {held}, not {currency}"
            raise ConnectorError("CURRENCY_OTHER", message, remedy="correct the mapping")
        with shaped("periods"):
            period = self._masters.period(on)
        if period is None:
            raise ConnectorError("PERIOD_UNKNOWN", f"Oracle has no period for {on}")
        name = period[0]
        wanted = {
            "accountCombination": self._profile.joined(gl_account),
            "accountingPeriod": name,
            "currency": currency,
            "ledgerName": self._profile.ledger_name,
            "mode": "Detail",
        }
        finder = "AccountBalanceFinder;" + ",".join(f"{k}={v}" for k, v in wanted.items())
        rows = self._session.rows("ledgerBalances", [("finder", finder)], point="read balance")
        with shaped("balance"):
            total = sum(minor_of(row, "BeginningBalance", currency) for row in rows)
        for document in self._batches(name):
            if document.booked_on <= on:
                total += sum(
                    _amount(line, currency, self._profile.currency)
                    for line in document.lines
                    if line.gl_account == gl_account
                )
        return total

    def open_items(self, on: date) -> list[reads.OpenItem]:
        """Validated invoices not paid yet, and receivables with a balance, up to a day."""
        query = "PaidStatus!='Paid';ValidationStatus='Validated'"
        parameters = [("onlyData", "true"), ("q", query), ("orderBy", "InvoiceId")]
        payables = self._session.rows("invoices", parameters, point="read payables")
        parameters = [("onlyData", "true"), ("q", "InvoiceBalanceAmount!=0")]
        receivables = self._session.rows(
            "receivablesInvoices", parameters, point="read receivables"
        )
        with shaped("open items"):
            items = [self._payable(row) for row in payables]
            items += [self._receivable(row) for row in receivables]
        kept = [item for item in items if item.booked_on <= on]
        return sorted(kept, key=lambda item: (item.booked_on, _by_number(item.line_id)))

    def rates(self) -> list[reads.Rate]:
        """The rates of the mapping's currencies, by currency and date."""
        found = []
        for currency in self._profile.currencies:
            query = (
                f"FromCurrency='{self._profile.currency}';ToCurrency='{currency}';"
                f"UserConversionType='{self._profile.rate_type}'"
            )
            parameters = [("onlyData", "true"), ("q", query)]
            rows = self._session.rows("currencyRates", parameters, point="read rates")
            with shaped("rates"):
                found += [
                    reads.Rate(currency, day_of(x["ConversionDate"]), Decimal(x["ConversionRate"]))
                    for x in rows
                ]
        return sorted(found, key=lambda rate: (rate.currency, rate.on))

    def _batches(self, period: str) -> Iterable[ErpDocument]:
        """The posted batches of a period, by id: all of them once, then what has changed."""
        with self._lock:
            kept = self._posted.setdefault(period, {})
            until = self._seen_until.get(period)
            query = f"Status='P';DefaultPeriodName='{period}'"
            if until is not None:
                query += f";LastUpdateDate>'{(until - _OVERLAP).isoformat()}'"
            parameters = [_EXPAND, ("q", query), ("orderBy", "JeBatchId")]
            for row in self._session.rows("journalBatches", parameters, point="read batches"):
                document = self._journals.document(row)
                kept[document.doc_id] = document
                with shaped("batches"):
                    changed = datetime.fromisoformat(row["LastUpdateDate"])
                until = changed if until is None else max(until, changed)
            if until is not None:
                self._seen_until[period] = until
            return [kept[doc_id] for doc_id in sorted(kept, key=_by_number)]

    def _currency_of(self, gl_account: str) -> str:
        return self._profile.account_currencies.get(gl_account, self._profile.currency)

    def _cash_line(
        self, document: ErpDocument, number: int, line: DocumentLine
    ) -> reads.CashBookLine:
        own, currency = self._profile.currency, self._currency_of(line.gl_account)
        ours = document.external_ref or None
        parts: dict[str, Any] = {"narrative": line.narrative or None}
        match = self._profile.text.fullmatch(line.narrative) if ours is None else None
        if match is not None:
            parts = {name: value or None for name, value in match.groupdict().items()}
        return reads.CashBookLine(
            line_id=f"{document.doc_id}/{number}",
            move_id=document.doc_id,
            move_number=document.number,
            booked_on=document.booked_on,
            amount_minor=_amount(line, currency, own),
            currency=currency,
            company_amount_minor=line.debit_minor - line.credit_minor,
            party_code=None,
            party_name=None,
            document_no=parts.get("document_no"),
            payment_batch_id=parts.get("payment_batch_id"),
            end_to_end_id=parts.get("end_to_end_id"),
            narrative=parts.get("narrative"),
            external_ref=ours,
        )

    def _payable(self, row: Row) -> reads.OpenItem:
        currency = str(row["InvoiceCurrency"])
        paid = minor_of(row, "AmountPaid", currency)
        left = paid - minor_of(row, "InvoiceAmount", currency)
        text = str(row.get("Description") or "")
        ours = re.match(r"\[([A-Z0-9]{1,16})\] ?", text)
        return reads.OpenItem(
            line_id=f"invoice/{int(row['InvoiceId'])}",
            move_id=f"invoice/{int(row['InvoiceId'])}",
            move_number=str(row["InvoiceNumber"]),
            kind="payable",
            source="invoice",
            gl_account=self._profile.account_in(str(row.get("LiabilityDistribution") or "")),
            booked_on=day_of(row["AccountingDate"]),
            due_on=day_of(row["TermsDate"]) if row.get("TermsDate") else None,
            amount_minor=left,
            currency=currency,
            company_amount_minor=self._in_company(left, currency, row),
            party_code=row.get("SupplierNumber"),
            party_name=row.get("Supplier"),
            document_no=str(row["InvoiceNumber"]),
            reference=str(row["InvoiceNumber"]),
            narrative=(text[ours.end() :] if ours else text) or None,
            external_ref=ours[1] if ours else None,
        )

    def _receivable(self, row: Row) -> reads.OpenItem:
        currency = str(row["InvoiceCurrencyCode"])
        left = minor_of(row, "InvoiceBalanceAmount", currency)
        number = str(row["TransactionNumber"])
        return reads.OpenItem(
            line_id=f"receivable/{int(row['CustomerTransactionId'])}",
            move_id=f"receivable/{int(row['CustomerTransactionId'])}",
            move_number=number,
            kind="receivable",
            source="invoice",
            gl_account=self._profile.receivable,
            booked_on=day_of(row["AccountingDate"]),
            due_on=day_of(row["DueDate"]) if row.get("DueDate") else None,
            amount_minor=left,
            currency=currency,
            company_amount_minor=self._in_company(left, currency, row),
            party_code=row.get("BillToCustomerNumber"),
            party_name=row.get("BillToCustomerName"),
            document_no=number,
            reference=row.get("PurchaseOrder"),
            narrative=row.get("Comments"),
        )

    def _in_company(self, minor: int, currency: str, row: Row) -> int:
        """An open amount at its document's own rate."""
        own = self._profile.currency
        if currency == own:
            return minor
        rate = row.get("ConversionRate")
        if rate is None:
            raise ValueError(f"an invoice in {currency} without its ConversionRate")
        exact = from_minor(minor, currency) * Decimal(rate)
        unit = Decimal(1).scaleb(-exponent_of(own))
        return to_minor(exact.quantize(unit, ROUND_HALF_EVEN), own)


def _amount(line: DocumentLine, currency: str, own: str) -> int:
    """A line in the account's currency; one in another currency moves none of it."""
    if currency == own:
        return line.debit_minor - line.credit_minor
    return (line.foreign_minor or 0) if line.foreign_currency == currency else 0


def _by_number(text: str) -> tuple[int, ...]:
    """``journal/12/3`` after ``journal/9/1``."""
    return tuple(int(part) for part in text.split("/")[1:])
