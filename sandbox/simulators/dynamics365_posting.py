"""Posting in the Dynamics 365 simulator: the batch job, a company's own service, and proofs.

Nothing in OData posts a journal. The batch job takes every journal that is not posted; what it
cannot post stays, with the reason in its log, and is tried again the next time. Faults of the
kind ``poster``: ``skip`` (not this time), ``error log``, ``rounding`` (a cent too much in the
ledger), each for the next journal the job takes.
"""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.simulators.dynamics365_books import Books, Key
from sandbox.simulators.dynamics365_lines import main_account
from sandbox.simulators.dynamics365_world import NO_DATE, Row
from sandbox.simulators.faults import FaultPlan

__all__ = ["Poster"]

_CENT = Decimal("0.01")


class Poster:
    """Posts journals into the general ledger.

    Attributes:
        enabled: whether the batch job runs at all.
    """

    def __init__(self, books: Books, plan: FaultPlan) -> None:
        self._books, self._plan = books, plan
        self.enabled = True

    def run(self) -> int:
        """One run of the batch job; returns how many journals it posted."""
        posted = 0
        with self._books.lock:
            for journal, header in list(self._books.headers.items()):
                if header["IsPosted"] == "No" and self._books.lines[journal]:
                    posted += self.enabled and self._one(journal)
            return posted + sum(self._invoice(key) for key in list(self._books.invoices.headers))

    def _invoice(self, key: Key) -> bool:
        """Post a pending invoice, as the workflow does that approves it."""
        header = self._books.invoices.headers[key]
        lines = self._books.invoices.lines[key]
        is_open = self._is_open(key[0], header["Date"])
        header["Log"] = "" if is_open else f"Fiscal period for {header['Date']} is not open."
        if not (lines and is_open):
            return False
        voucher = f"VI{self._books.number('voucher'):08d}"
        for entry in self._books.invoices.take(key, voucher):
            self._books.book(entry | {"Voucher": voucher, "JournalNumber": voucher})
        return True

    def post(self, journal: Key) -> str:
        """Post one journal; the reason where it cannot be posted."""
        with self._books.lock:
            header = self._books.headers[journal]
            if header["IsPosted"] == "No":
                header["TieoutPostingLog"] = self._hindrance(journal)
                if not header["TieoutPostingLog"]:
                    self._book(journal, "")
            return str(header["TieoutPostingLog"])

    def _one(self, journal: Key) -> bool:
        fault = self._plan.take("poster")
        header = self._books.headers[journal]
        if fault == "skip":
            return False
        reason = "Update conflict." if fault == "error log" else self._hindrance(journal)
        header["TieoutPostingLog"] = reason
        if not reason:
            self._book(journal, fault)
        return not reason

    def _hindrance(self, journal: Key) -> str:
        """Why a journal cannot be posted; empty where nothing is in the way."""
        lines = list(self._books.lines[journal].values())
        if not lines:
            return "The journal has no lines."
        for line in lines:
            if not self._is_open(journal[0], line["TransDate"]):
                return f"Fiscal period for {line['TransDate']} is not open."
        sums: dict[tuple[str, dt.date], Decimal] = {}
        for line in lines:
            amounts = _amounts(line)
            key = (line["Voucher"], line["TransDate"])
            if not line["OffsetAccountDisplayValue"]:
                sums[key] = sums.get(key, Decimal(0)) + amounts[1]
        for (voucher, on), rest in sums.items():
            if rest:
                return f"The transactions on voucher {voucher} do not balance as per {on}: {rest}."
        return ""

    def _is_open(self, company: str, on: dt.date) -> bool:
        return any(
            row["dataAreaId"] == company
            and row["StartDate"] <= on <= row["EndDate"]
            and row["Status"] == "Open"
            for row in self._books.tables["TieoutPeriodStatuses"]
        )

    def _book(self, journal: Key, fault: str) -> None:
        header = self._books.headers[journal]
        header["IsPosted"] = "Yes"
        name = f"{self._books.number('record')}"
        for line in self._books.lines[journal].values():
            foreign, own = _amounts(line)
            if fault == "rounding":
                own += _CENT if own > 0 else -_CENT
            account = line["AccountType"], line["AccountDisplayValue"], line["PostingProfile"]
            sides = [(account, foreign, own)]
            if line["OffsetAccountDisplayValue"]:
                offset = line["OffsetAccountType"], line["OffsetAccountDisplayValue"], ""
                sides.append((offset, -foreign, -own))
            for side, amount, company_amount in sides:
                ledger, posting = main_account(self._books.tables, journal[0], *side)
                self._books.book(
                    _entry(journal, line, ledger, posting, amount, company_amount)
                    | {"JournalNumber": name}
                )

    def documents(self, reference: str) -> list[dict[str, Any]]:
        """The checker's question: all journals with a reference, and what the ledger holds."""
        with self._books.lock:
            journals = dict.fromkeys(self._books.references.get(reference, ()))
            found = [self._document(journal, reference) for journal in journals]
            found += self._invoices(reference)
        return [document for document in found if document["lines"]]

    def _invoices(self, reference: str) -> list[dict[str, Any]]:
        """Pending and posted vendor invoices with a reference."""
        invoices = self._books.invoices
        common = {"doc_id": "", "posted": True, "reference": reference}
        found = [
            common
            | {
                "voucher": voucher,
                "lines": [_told_entry(entry) for entry in self._books.vouchers[voucher]],
            }
            for voucher in invoices.posted.get(reference, ())
        ]
        for told in invoices.told(reference):
            like = {"currency": told["Currency"], "on": told["Date"], "text": ""}
            lines = [
                {"account": account, "amount": amount, "foreign": amount} | like
                for account, amount in told["lines"]
            ]
            found.append(
                common | {"doc_id": told["doc_id"], "posted": False, "voucher": "", "lines": lines}
            )
        return found

    def _document(self, journal: Key, reference: str) -> dict[str, Any]:
        header = self._books.headers.get(journal, {})
        lines = [
            line
            for line in self._books.lines.get(journal, {}).values()
            if line["Document"] == reference
        ]
        posted = header.get("IsPosted") == "Yes"
        vouchers = {line["Voucher"] for line in lines}
        own = [e for voucher in sorted(vouchers) for e in self._books.vouchers.get(voucher, ())]
        return {
            "doc_id": "/".join(journal),
            "posted": posted,
            "voucher": min(vouchers, default=""),
            "reference": reference,
            "lines": [_told_entry(entry) for entry in own]
            if posted
            else [_told_line(self._books.tables, journal[0], line) for line in lines],
        }


def _amounts(line: Row) -> tuple[Decimal, Decimal]:
    """Signed amount in the line's currency, and in the company's."""
    foreign = line["DebitAmount"] - line["CreditAmount"]
    rate = line["ExchRate"] or Decimal(100)
    return foreign, (foreign * rate / 100).quantize(_CENT, ROUND_HALF_UP)


def _entry(
    journal: Key, line: Row, ledger: str, posting: str, amount: Decimal, company_amount: Decimal
) -> Row:
    return {
        "Voucher": line["Voucher"],
        "AccountingDate": line["TransDate"],
        "LedgerAccount": ledger,
        "TransactionCurrencyCode": line["CurrencyCode"],
        "TransactionCurrencyAmount": amount,
        "AccountingCurrencyAmount": company_amount,
        "ReportingCurrencyAmount": company_amount,
        "Description": line["Text"],
        "PostingType": posting,
        "IsCredit": "Yes" if amount < 0 else "No",
        "DocumentDate": line["DocumentDate"] or NO_DATE,
        "DocumentNumber": line["Document"],
        "LedgerName": journal[0],
    }


def _told_entry(entry: Row) -> dict[str, Any]:
    return {
        "account": entry["LedgerAccount"],
        "amount": entry["AccountingCurrencyAmount"],
        "foreign": entry["TransactionCurrencyAmount"],
        "currency": entry["TransactionCurrencyCode"],
        "on": entry["AccountingDate"],
        "text": entry["Description"],
    }


def _told_line(tables: dict[str, list[Row]], company: str, line: Row) -> dict[str, Any]:
    foreign, own = _amounts(line)
    account = line["AccountType"], line["AccountDisplayValue"], line["PostingProfile"]
    return {
        "account": main_account(tables, company, *account)[0],
        "amount": own,
        "foreign": foreign,
        "currency": line["CurrencyCode"],
        "on": line["TransDate"],
        "text": line["Text"],
    }
