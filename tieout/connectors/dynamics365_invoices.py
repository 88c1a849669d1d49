"""Liabilities as pending vendor invoices of Dynamics 365: header and lines, posted by its workflow.

Our reference is the invoice's ``HeaderReference`` while it is pending, and its ``DocumentNumber``
for ever, which the ledger keeps. A posted invoice leaves the pending ones, and its key with it: a
second create would then make a second invoice, so this endpoint is of class D. An id reads
``nord/invoice/ABCDEFGHIJKLMNOP``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tieout.connectors.dynamics365_batch import Operation
from tieout.connectors.dynamics365_changes import Changes
from tieout.connectors.dynamics365_checks import RefusedError
from tieout.connectors.dynamics365_masters import Masters
from tieout.connectors.dynamics365_outcome import (
    delivery,
    left_unposted,
    refusal,
    told,
    unsent,
)
from tieout.connectors.dynamics365_profile import Profile
from tieout.connectors.dynamics365_records import (
    day_of,
    entry_lines,
    line_of,
    narrative,
    rendered,
    shaped,
)
from tieout.connectors.dynamics365_session import Row, Session, literal
from tieout.connectors.http_wire import HttpAnswer
from tieout.connectors.ports import Delivery, ErpDocument, Journal, Trace
from tieout.errors import ConnectorError
from tieout.money import from_minor, to_minor

__all__ = ["Invoices", "invoice_id", "is_invoice"]

_HEADERS: Final = "VendorInvoiceHeaders"
_LINES: Final = "VendorInvoiceLines"
_MARK: Final = "/invoice/"
_NOTHING: Final = HttpAnswer("answered", "OK")


def is_invoice(doc_id: str) -> bool:
    """Whether an id is a pending or posted invoice's."""
    return _MARK in doc_id


def invoice_id(company: str, reference: str) -> str:
    """The id of the invoice with our reference."""
    return f"{company}{_MARK}{reference}"


class Invoices:
    """Pending vendor invoices of one company."""

    def __init__(self, session: Session, masters: Masters, profile: Profile) -> None:
        self._session, self._masters, self._profile = session, masters, profile
        self._changes = Changes(session)

    def create(self, journal: Journal) -> Delivery:
        """Create the invoice with its lines in one change set, checked before."""
        try:
            with shaped("master data"):
                self._masters.check(journal, {})
                operations = self._operations(journal)
        except RefusedError as error:
            return refusal(error)
        except ConnectorError as error:
            return unsent(error)
        answer, (found,) = self._changes.send([operations], "create")
        doc_id = invoice_id(self._masters.company, journal.external_ref)
        if found.outcome == "OK":
            return told("OK", "DRAFTED", "", answer, doc_id)
        if found.outcome != "REJECT":
            return delivery(found, answer)
        # The system refuses in its user's language: what exists is looked up, not read from words.
        try:
            there = self.read(doc_id)
        except ConnectorError as error:
            return told("UNKNOWN", "NOT_READ_BACK", str(error), answer)
        if there is not None:
            return told("EXISTS", "EXISTS", "the invoice was there already", answer, doc_id)
        return delivery(found, answer)

    def find(self, journal: Journal) -> Trace:
        """The invoice, pending or posted."""
        found = self.read(invoice_id(self._masters.company, journal.external_ref))
        return Trace((found,) if found is not None else ())

    def read(self, doc_id: str) -> ErpDocument | None:
        """One invoice: pending as it was sent, posted as the ledger has it.

        The pending ones are asked first: one that is posted meanwhile is then in the ledger.
        """
        reference = doc_id.rpartition("/")[2]
        with shaped("vendor invoice"):
            header = self._header(reference)
            if header is not None:
                return self._pending(doc_id, header)
            return self._posted(doc_id, reference)

    def post(self, doc_id: str) -> Delivery:
        """Whether the system's workflow or batch job has posted the invoice."""
        reference = doc_id.rpartition("/")[2]
        try:
            with shaped("vendor invoice"):
                header = self._header(reference)
                found = self._posted(doc_id, reference) if header is None else None
        except ConnectorError as error:
            return Delivery("UNKNOWN", doc_id, None, error.code, str(error), "")
        if header is not None:
            return left_unposted(header.get("Log"), doc_id)
        if found is None:
            return told("REJECT", "GONE", "there is no such invoice", _NOTHING, doc_id)
        return Delivery("OK", doc_id, found.number, "POSTED", "", "")

    def delete(self, doc_id: str) -> Delivery:
        """Delete a pending invoice; one that is posted answers REJECT."""
        try:
            found = self.read(doc_id)
        except ConnectorError as error:
            return unsent(error, doc_id)
        if found is None:
            return told("OK", "GONE", "there is no such invoice", _NOTHING, doc_id)
        if found.state == "posted":
            message = f"the invoice is posted as {found.number}"
            return told("REJECT", "ALREADY_POSTED", message, _NOTHING, doc_id)
        key = (
            f"dataAreaId={literal(self._masters.company)},"
            f"HeaderReference={literal(found.external_ref)}"
        )
        path = f"/data/{_HEADERS}({key})?cross-company=true"
        answer, (verdict,) = self._changes.send([[Operation("DELETE", path)]], "delete")
        if verdict.outcome == "OK":
            return told("OK", "DELETED", "", answer, doc_id)
        return delivery(verdict, answer, doc_id)

    def _operations(self, journal: Journal) -> list[Operation]:
        """Header and lines.

        Raises:
            RefusedError: a pending invoice cannot say what the journal does.
        """
        owed = journal.liability
        credits = [line for line in journal.lines if line.credit_minor]
        currencies = {line.foreign_currency or journal.currency for line in journal.lines}
        party = credits[0].party if len(credits) == 1 else None
        if owed is None or party != owed.party or currencies != {journal.currency}:
            message = "a pending invoice has one credit, its vendor's, and the company's currency"
            raise RefusedError(
                "LIABILITY_SHAPE", message, remedy='book it by [liabilities] way = "journal"'
            )
        key = {"dataAreaId": self._masters.company, "HeaderReference": journal.external_ref}
        header: Row = key | {
            "InvoiceAccount": owed.party,
            "InvoiceNumber": owed.invoice_no,
            "InvoiceDate": owed.invoiced_on,
            "Date": journal.booked_on,
            "DueDate": owed.due_on,
            "Currency": journal.currency,
            "DocumentNumber": journal.external_ref,
            "InvoiceDescription": narrative(journal.narrative),
        }
        profile = self._profile.posting_profiles.get(credits[0].gl_account, "")
        header |= {"PostingProfile": profile} if profile else {}
        operations = [Operation("POST", f"/data/{_HEADERS}", rendered(header))]
        debits = [line for line in journal.lines if line.debit_minor]
        for number, line in enumerate(debits, start=1):
            values: Row = key | {
                "InvoiceLineNumber": number,
                "MainAccountDisplayValue": self._masters.account_of(line, journal.booked_on)[1],
                "NetAmount": from_minor(line.debit_minor, journal.currency),
                "LineDescription": narrative(line.narrative or journal.narrative),
            }
            operations.append(Operation("POST", f"/data/{_LINES}", rendered(values)))
        return operations

    def _header(self, reference: str) -> Row | None:
        rows = self._session.rows(_HEADERS, self._where("HeaderReference", reference))
        return rows[0] if rows else None

    def _where(self, field: str, reference: str) -> str:
        own = literal(self._masters.company)
        return f"dataAreaId eq {own} and {field} eq {literal(reference)}"

    def _pending(self, doc_id: str, header: Row) -> ErpDocument:
        reference = str(header["HeaderReference"])
        where = self._where("HeaderReference", reference)
        rows = self._session.rows(_LINES, where, order="InvoiceLineNumber")
        currency = str(header["Currency"])
        lines = []
        total = 0
        for row in rows:
            amount = to_minor(Decimal(row["NetAmount"]), currency)
            total += amount
            text = str(row["MainAccountDisplayValue"]).split(self._profile.delimiter)[0]
            lines.append(line_of(text, amount, None, str(row["LineDescription"])))
        accounts = {name: code for code, name in self._profile.posting_profiles.items()}
        account = accounts.get(str(header["PostingProfile"]), self._profile.payable)
        description = str(header["InvoiceDescription"])
        lines.append(line_of(account, -total, str(header["InvoiceAccount"]), description))
        on = day_of(header["Date"])
        return ErpDocument(doc_id, "draft", None, reference, on, tuple(lines))

    def _posted(self, doc_id: str, reference: str) -> ErpDocument | None:
        ledger = literal(str(self._masters.ledger()["Name"]))
        where = f"LedgerName eq {ledger} and DocumentNumber eq {literal(reference)}"
        order = "GeneralJournalAccountEntryRecId"
        rows = self._session.rows("GeneralJournalAccountEntries", where, order=order)
        if not rows:
            return None
        lines = entry_lines(rows, self._masters.currency(), self._profile)
        on = day_of(rows[0]["AccountingDate"])
        return ErpDocument(doc_id, "posted", str(rows[0]["Voucher"]), reference, on, lines)
