"""Payables invoices: what is owed to a supplier, or to an employee who is set up as one.

Our reference opens the description, ``[ABCDEFGHIJKLMNOP] Travel in May``. A supplier's invoice
number is unique for ever, so that the same create through REST twice is one invoice (class A); a
file that repeats one is rejected in the interface. An invoice counts as posted when it is
validated: accounting it is a scheduled job of the tenant's. Its id is ``invoice/1554382``.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final

from tieout.connectors.oracle_checks import RefusedError
from tieout.connectors.oracle_fbdi import ImportFile, clean, invoice_file
from tieout.connectors.oracle_masters import OracleMasters
from tieout.connectors.oracle_profile import OracleProfile
from tieout.connectors.oracle_report import INVOICE_REFUSALS
from tieout.connectors.oracle_session import (
    ACTION,
    OracleSession,
    Row,
    body_of,
    complaint,
    day_of,
    minor_of,
    shaped,
)
from tieout.connectors.oracle_written import answered, delivery, not_sent
from tieout.connectors.ports import (
    Delivery,
    DocumentLine,
    ErpDocument,
    Journal,
    JournalLine,
    Liability,
    is_reference,
)
from tieout.errors import ConnectorError
from tieout.money import from_minor

__all__ = ["INVOICE", "OracleInvoices"]

INVOICE: Final = "invoice/"
_DUPLICATE: Final = "DUPLICATE_INVOICE"
_QUOTABLE: Final = re.compile(r"[\w ./#:-]{1,50}")
_OURS: Final = re.compile(r"\[[A-Z0-9]{1,16}\]")


class OracleInvoices:
    """Invoices of one business unit."""

    def __init__(
        self, session: OracleSession, profile: OracleProfile, masters: OracleMasters
    ) -> None:
        self._session, self._profile, self._masters = session, profile, masters

    def create(self, journal: Journal, debt: Liability) -> Delivery:
        """One invoice by one request; a duplicate of ours EXISTS, somebody else's is a REJECT."""
        try:
            body = self._body(journal, debt)
            answer = self._session.write("POST", "invoices", body, point="create invoice")
        except ConnectorError as error:
            return not_sent(error)
        failed = answered(answer)
        if failed is not None:
            return failed
        if answer.status == 400:
            code = _code(complaint(answer))
            message = f"Payables refuses the invoice{complaint(answer)}"
            if code == _DUPLICATE:
                return self._duplicate(journal, debt, message)
            return delivery("REJECT" if code else "UNKNOWN", code or "HTTP_400", message, answer)
        found = body_of(answer)
        if isinstance(found, dict) and found.get("InvoiceNumber") == body["InvoiceNumber"]:
            number = found.get("InvoiceId")
            if isinstance(number, int) and not isinstance(number, bool):
                return delivery("OK", "CREATED", "", answer, f"{INVOICE}{number}")
        return delivery("UNKNOWN", "UNPARSABLE", "the answer names no invoice of ours", answer)

    def _duplicate(self, journal: Journal, debt: Liability, message: str) -> Delivery:
        """Payables has the number: ours already, or another invoice of this supplier's."""
        try:
            if self.find(journal.external_ref):
                return delivery("EXISTS", _DUPLICATE, "the invoice is there already")
            if self._lost_its_reference(debt):
                message = f"{message}; ours, if somebody has changed its description"
                return delivery("UNKNOWN", _DUPLICATE, message)
        except ConnectorError as error:
            return delivery("UNKNOWN", error.code, f"{message}; {error.message}")
        return delivery("REJECT", _DUPLICATE, message)

    def _lost_its_reference(self, debt: Liability) -> bool:
        """Whether an invoice of our source has the number, and no reference of ours in its text."""
        if not _QUOTABLE.fullmatch(debt.invoice_no):
            return False
        query = f"InvoiceNumber='{debt.invoice_no}';InvoiceSource='{self._profile.invoice_source}'"
        rows = self._session.rows("invoices", [("q", query)], point="find invoice")
        with shaped("invoice"):
            theirs = [row for row in rows if row["SupplierNumber"] == debt.party]
            return any(not _OURS.match(str(row["Description"] or "")) for row in theirs)

    def file(self, journal: Journal, debt: Liability) -> ImportFile:
        """The same invoice as a file to import.

        Raises:
            RefusedError, ConnectorError: as `_body`.
        """
        body = self._body(journal, debt)
        day = journal.booked_on.strftime("%Y/%m/%d")
        header = {
            2: body["BusinessUnit"],
            3: self._profile.invoice_source,
            4: body["InvoiceNumber"],
            5: f"{body['InvoiceAmount']:f}",
            6: debt.invoiced_on.strftime("%Y/%m/%d"),
            7: body["Supplier"],
            8: debt.party,
            9: body["SupplierSite"],
            10: body["InvoiceCurrency"],
            12: body["Description"],
            14: "STANDARD",
            21: debt.due_on.strftime("%Y/%m/%d"),
            24: day,
            37: body["LiabilityDistribution"],
        }
        lines = [
            {
                2: str(line["LineNumber"]),
                3: "ITEM",
                4: f"{line['LineAmount']:f}",
                8: line["Description"],
                22: line["DistributionCombination"],
                24: day,
            }
            for line in body["invoiceLines"]
        ]
        return invoice_file(journal, header, lines, self._profile)

    def _body(self, journal: Journal, debt: Liability) -> dict[str, Any]:
        """The invoice as the REST resource takes it.

        Raises:
            RefusedError: it cannot be an invoice.
            ConnectorError: the supplier cannot be read.
        """
        owed, others = _split(journal, debt)
        supplier = self._masters.suppliers()[debt.party]
        on = journal.booked_on.isoformat()
        return {
            "InvoiceNumber": debt.invoice_no,
            "InvoiceCurrency": journal.currency,
            "InvoiceAmount": from_minor(owed.credit_minor, journal.currency),
            "InvoiceDate": debt.invoiced_on.isoformat(),
            "BusinessUnit": self._profile.business_unit,
            "Supplier": str(supplier["Supplier"]),
            "SupplierSite": self._masters.site(supplier),
            "InvoiceSource": self._profile.invoice_source,
            "InvoiceType": "Standard",
            "Description": clean(f"[{journal.external_ref}] {journal.narrative}"),
            "AccountingDate": on,
            "TermsDate": debt.due_on.isoformat(),
            "LiabilityDistribution": self._profile.joined(owed.gl_account),
            "invoiceLines": [
                {
                    "LineNumber": number,
                    "LineAmount": from_minor(
                        line.debit_minor - line.credit_minor, journal.currency
                    ),
                    "LineType": "Item",
                    "AccountingDate": on,
                    "Description": clean(line.narrative or journal.narrative),
                    "DistributionCombination": self._profile.joined(line.gl_account),
                }
                for number, line in enumerate(others, 1)
            ],
        }

    def find(self, reference: str) -> tuple[ErpDocument, ...]:
        """The invoices with our reference, by id."""
        query = f"Description LIKE '[{reference}]%'"
        parameters = [("expand", "invoiceLines"), ("q", query), ("orderBy", "InvoiceId")]
        rows = self._session.rows("invoices", parameters, point="find invoice")
        found = [self.document(row) for row in rows]
        return tuple(document for document in found if document.external_ref == reference)

    def posted_since(self, since: date) -> list[ErpDocument]:
        """The validated invoices on or after a day whose text opens with a reference like ours."""
        query = f"AccountingDate>='{since.isoformat()}';Description LIKE '[%'"
        parameters = [("expand", "invoiceLines"), ("q", query), ("orderBy", "InvoiceId")]
        rows = self._session.rows("invoices", parameters, point="find invoice")
        found = [self.document(row) for row in rows if is_validated(row)]
        return [document for document in found if is_reference(document.external_ref)]

    def row(self, invoice_id: str) -> Row | None:
        """One invoice with its lines, None when Oracle has it not."""
        parameters = [("expand", "invoiceLines"), ("q", f"InvoiceId={invoice_id}")]
        found = self._session.rows("invoices", parameters, point="read invoice")
        return found[0] if found else None

    def document(self, row: Row) -> ErpDocument:
        """An invoice as a balanced document: its lines, then what is owed."""
        lines = self._session.children(row, "invoiceLines", point="read invoice")
        with shaped("invoice"):
            currency = str(row["InvoiceCurrency"])
            text = str(row["Description"] or "")
            owed = -minor_of(row, "InvoiceAmount", currency)
            account = str(row["LiabilityDistribution"])
            return ErpDocument(
                doc_id=f"{INVOICE}{int(row['InvoiceId'])}",
                state="posted" if is_validated(row) else "draft",
                number=str(row["InvoiceNumber"]) if is_validated(row) else None,
                external_ref=text[1:].partition("]")[0] if text.startswith("[") else "",
                booked_on=day_of(row["AccountingDate"]),
                lines=(
                    *(self._line(line, currency) for line in lines),
                    _signed(self._profile.account_in(account), owed, text),
                ),
            )

    def _line(self, line: Row, currency: str) -> DocumentLine:
        account = self._profile.account_in(str(line["DistributionCombination"]))
        text = str(line.get("Description") or "")
        return _signed(account, minor_of(line, "LineAmount", currency), text)

    def validate(self, doc_id: str) -> Delivery:
        """Validate an invoice; one that is validated already answers OK, one on hold PENDING."""
        number = doc_id.removeprefix(INVOICE)
        try:
            row = self.row(number)
            if row is None:
                return delivery("REJECT", "GONE", f"Oracle has no invoice {number}", doc_id=doc_id)
            if is_validated(row):
                return _done("ALREADY_POSTED", row, doc_id)
            names = ("InvoiceNumber", "BusinessUnit", "Supplier")
            body = {name: row[name] for name in names} | {"ProcessAction": "Validate"}
            path = "invoices/action/validateInvoice"
            answer = self._session.write("POST", path, body, point="post invoice", kind=ACTION)
        except ConnectorError as error:
            return not_sent(error, doc_id)
        failed = answered(answer, doc_id)
        if failed is not None:
            return failed
        if answer.status == 400:
            code = _code(complaint(answer))
            message = f"Payables does not validate the invoice{complaint(answer)}"
            return delivery(
                "REJECT" if code else "UNKNOWN", code or "HTTP_400", message, answer, doc_id
            )
        try:
            row = self.row(number)
        except ConnectorError as error:
            return delivery("UNKNOWN", "NOT_READ_BACK", error.message, answer, doc_id)
        if row is not None and is_validated(row):
            return _done("POSTED", row, doc_id)
        message = "the invoice is not validated yet; a hold may have to be released"
        return delivery("PENDING", "NOT_VALIDATED", message, answer, doc_id)


def is_validated(row: Row) -> bool:
    """Whether an invoice has been validated."""
    return row.get("ValidationStatus") == "Validated"


def _done(code: str, row: Row, doc_id: str) -> Delivery:
    number = str(row["InvoiceNumber"])
    return delivery("OK", code, f"invoice {number} is validated", doc_id=doc_id, number=number)


def _signed(account: str, signed: int, text: str) -> DocumentLine:
    return DocumentLine(account, max(signed, 0), max(-signed, 0), None, None, None, text)


def _split(journal: Journal, debt: Liability) -> tuple[JournalLine, list[JournalLine]]:
    """The one line that owes the party, and all others.

    Raises:
        RefusedError: ``LIABILITY_LINES``, ``FOREIGN_NOT_OFFERED``.
    """
    if any(line.foreign_currency not in (None, journal.currency) for line in journal.lines):
        message = "an invoice in another currency than the ledger's is not offered"
        raise RefusedError("FOREIGN_NOT_OFFERED", message)
    credits = [line for line in journal.lines if line.credit_minor]
    owed = [x for x in credits if x.party == debt.party] or credits
    if len(owed) != 1:
        message = f"{len(owed)} lines owe the party, an invoice has one"
        raise RefusedError("LIABILITY_LINES", message)
    return owed[0], [line for line in journal.lines if line is not owed[0]]


def _code(words: str) -> str:
    """Our code of a refusal in Payables' words, the longest that fits; empty for others."""
    upper = words.upper()
    fitting = [text for text in INVOICE_REFUSALS if text in upper]
    return INVOICE_REFUSALS[max(fitting, key=len)] if fitting else ""
