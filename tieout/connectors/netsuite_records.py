"""From a `Journal` to the record NetSuite takes: journal entry, bill, expense report, payment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from tieout.connectors.netsuite_amounts import transaction_amounts
from tieout.connectors.netsuite_masters import OPEN_TYPES, Masters, RefusedError, refused
from tieout.connectors.ports import Journal, JournalLine, Liability
from tieout.errors import MoneyError
from tieout.money import from_minor

__all__ = ["KINDS", "Records", "clean", "kind_of"]

#: Record types a document of ours can be.
KINDS: Final = ("expenseReport", "journalEntry", "vendorBill", "vendorPayment")
_REFERENCE: Final = re.compile(r"[A-Z0-9]{1,16}", re.ASCII)
_MEMO_MAX: Final = 999
_NUMBER_MAX: Final = 45


def kind_of(journal: Journal) -> str:
    """The record type a journal becomes."""
    if journal.endpoint == "clearing":
        return "vendorPayment"
    if journal.liability is not None:
        return "vendorBill" if journal.liability.kind == "supplier" else "expenseReport"
    return "journalEntry"


@dataclass(frozen=True, slots=True)
class Records:
    """Builds records; everything they refer to is looked up before anything is sent.

    Attributes:
        mapping: content of ``mappings/erp/netsuite.toml``.
        approve: whether our documents come approved, where that is ours to say.
    """

    masters: Masters
    mapping: Mapping[str, Any]
    approve: bool

    def check(self, journal: Journal) -> None:
        """Refuse what can be told without asking anyone, or is not this company's.

        Raises:
            RefusedError: with the code of the first thing wrong.
        """
        if journal.company != self.masters.company:
            message = f"{journal.company!r} is not {self.masters.company!r}"
            raise RefusedError("COMPANY_OTHER", message)
        if journal.currency != self.masters.currency:
            message = f"the books are kept in {self.masters.currency}, not {journal.currency}"
            raise refused("CURRENCY_OTHER", message, self.masters.currency)
        if not _REFERENCE.fullmatch(journal.external_ref):
            message = f"{journal.external_ref!r} is not a reference: 1 to 16 of A-Z and 0-9"
            raise RefusedError("REFERENCE_MALFORMED", message)
        if not journal.clears:
            _check_lines(journal)

    def body(self, journal: Journal) -> dict[str, Any]:
        """The record of a journal that clears nothing.

        Raises:
            RefusedError: with the code of the first thing wrong.
            ConnectorError: the masters could not be read.
        """
        self.check(journal)
        kind = kind_of(journal)
        if journal.liability is None:
            return self._journal(journal)
        build = self._bill if kind == "vendorBill" else self._report
        return build(journal, journal.liability)

    def head(self, journal: Journal) -> dict[str, Any]:
        """What all records have in common."""
        return {
            "externalId": journal.external_ref,
            "subsidiary": {"id": self.masters.subsidiary()},
            "tranDate": journal.booked_on.isoformat(),
            "postingPeriod": {"id": self.masters.period(journal.booked_on)},
            "memo": clean(journal.narrative),
        }

    def _journal(self, journal: Journal) -> dict[str, Any]:
        form = self._form(journal.journal_code)
        amounts = transaction_amounts(journal.lines, journal.currency)
        lines = [
            self._line(line, amount, amounts.currency)
            for line, amount in zip(journal.lines, amounts.signed, strict=True)
        ]
        return {
            **self.head(journal),
            **({"customForm": {"id": form}} if form else {}),
            **({"approvalStatus": {"id": "2"}} if self.approve else {}),
            "currency": {"id": self.masters.currency_id(amounts.currency)},
            "exchangeRate": amounts.rate,
            "line": {"items": lines},
        }

    def _form(self, named: str) -> str:
        journals: Mapping[str, str] = self.mapping.get("journals", {})
        if named not in journals:
            message = f"the mapping's [journals] names no {named!r}"
            raise RefusedError("JOURNAL_UNKNOWN", message, where="mappings/erp/netsuite.toml")
        return journals[named] if journals[named].isdigit() else ""

    def _line(self, line: JournalLine, amount: Decimal, currency: str) -> dict[str, Any]:
        account = self.masters.account(line.gl_account)
        if account.currency and account.currency != currency:
            message = (
                f"GL account {account.code!r} is kept in {account.currency}: the line needs its"
                f" amount in that currency"
            )
            raise refused("FOREIGN_MISSING", message, account.code)
        values: dict[str, Any] = {
            "account": {"id": account.id},
            "debit" if amount > 0 else "credit": abs(amount),
            **self.masters.dimensions(account.code),
        }
        if memo := clean(line.narrative):
            values["memo"] = memo
        if account.kind in OPEN_TYPES:
            if not line.party:
                message = f"a line on {account.code!r} needs a party"
                raise refused("PARTY_MISSING", message, account.code)
            tables = ("vendor", "employee") if account.kind == "AcctPay" else ("customer",)
            values["entity"] = {"id": self.masters.partner(line.party, tables)}
        return values

    def _bill(self, journal: Journal, liability: Liability) -> dict[str, Any]:
        owed, lines = _owed(journal, liability.party)
        amounts = transaction_amounts([owed, *lines], journal.currency)
        expenses = [
            {
                "account": {"id": self.masters.account(line.gl_account).id},
                "amount": amount,
                **self.masters.dimensions(line.gl_account),
                **({"memo": clean(line.narrative)} if clean(line.narrative) else {}),
            }
            for line, amount in zip(lines, amounts.signed[1:], strict=True)
        ]
        return {
            **self.head(journal),
            **({"approvalStatus": {"id": "2"}} if self.approve else {}),
            "entity": {"id": self.masters.partner(liability.party, ("vendor",))},
            "account": {"id": self.masters.account(owed.gl_account).id},
            "tranId": _number(liability.invoice_no),
            "dueDate": liability.due_on.isoformat(),
            "currency": {"id": self.masters.currency_id(amounts.currency)},
            "exchangeRate": amounts.rate,
            "expense": {"items": expenses},
        }

    def _report(self, journal: Journal, liability: Liability) -> dict[str, Any]:
        owed, lines = _owed(journal, liability.party)
        if any(line.foreign_currency not in (None, journal.currency) for line in lines):
            message = "an expense report is owed in the company's currency"
            raise RefusedError("CURRENCY_MIXED", message)
        currency = {"id": self.masters.currency_id(journal.currency)}
        on = liability.invoiced_on
        expenses = [self._expense(line, on, journal.currency, currency) for line in lines]
        return {
            **self.head(journal),
            "entity": {"id": self.masters.partner(liability.party, ("employee",))},
            "account": {"id": self.masters.account(owed.gl_account).id},
            "tranId": _number(liability.invoice_no),
            "duedate": liability.due_on.isoformat(),
            "expensereportcurrency": currency,
            "complete": True,
            **({"supervisorapproval": True, "accountingapproval": True} if self.approve else {}),
            "expense": {"items": expenses},
        }

    def _expense(
        self, line: JournalLine, on: date, code: str, currency: Mapping[str, str]
    ) -> dict[str, Any]:
        categories: Mapping[str, str] = self.mapping.get("expense_categories", {})
        account = self.masters.account(line.gl_account)
        if account.code not in categories:
            message = f"[expense_categories] names none for GL account {account.code!r}"
            raise refused("EXPENSE_CATEGORY_UNKNOWN", message, account.code)
        minor = line.debit_minor - line.credit_minor
        return {
            "category": {"id": categories[account.code]},
            "expenseaccount": {"id": account.id},
            "expensedate": on.isoformat(),
            "amount": from_minor(minor, code),
            "currency": currency,
            **self.masters.dimensions(account.code),
            **({"memo": clean(line.narrative)} if clean(line.narrative) else {}),
        }


def clean(text: str) -> str:
    """One printable line of at most 999 characters, as NetSuite's memos take it."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:_MEMO_MAX]


def _number(invoice_no: str) -> str:
    """A partner's number of an invoice, never cut."""
    if not invoice_no or len(invoice_no) > _NUMBER_MAX:
        message = f"the invoice number {invoice_no!r} has not 1 to {_NUMBER_MAX} characters"
        raise RefusedError("TEXT_TOO_LONG", message)
    return invoice_no


def _owed(journal: Journal, party: str) -> tuple[JournalLine, list[JournalLine]]:
    """The line that owes the party, and the others.

    Raises:
        RefusedError: ``LIABILITY_LINES`` where it is not exactly one credit.
    """
    owing = [line for line in journal.lines if line.credit_minor and line.party == party]
    if len(owing) != 1:
        message = f"{len(owing)} lines owe {party!r}; an invoice has one"
        raise RefusedError("LIABILITY_LINES", message)
    return owing[0], [line for line in journal.lines if line is not owing[0]]


def _check_lines(journal: Journal) -> None:
    for line in journal.lines:
        if min(line.debit_minor, line.credit_minor) != 0 or line.debit_minor == line.credit_minor:
            message = f"the line on {line.gl_account!r} is not on exactly one side"
            raise RefusedError("LINE_SIDES", message)
        signed = line.debit_minor - line.credit_minor
        if line.foreign_minor is not None and line.foreign_minor * signed <= 0:
            message = f"the line on {line.gl_account!r} has its two amounts on different sides"
            raise RefusedError("LINE_SIDES", message)
    debit = sum(line.debit_minor for line in journal.lines)
    credit = sum(line.credit_minor for line in journal.lines)
    if debit != credit or not journal.lines:
        message = f"debits {debit} and credits {credit} (minor units) differ"
        raise RefusedError("UNBALANCED", message)
    try:
        _ = [from_minor(0, line.foreign_currency or journal.currency) for line in journal.lines]
    except MoneyError as error:
        raise RefusedError(error.code, error.message) from error
