"""Clearing in SAP: open lines taken off one another by an asynchronous message.

A line's id is its document's with the item behind it, ``1010/2026/0100000067/3``. The clearing
document carries our reference as its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tieout.connectors.ports import Delivery, ErpDocument, Journal, Trace
from tieout.connectors.sap_documents import Documents, doc_id_of
from tieout.connectors.sap_entries import Entries
from tieout.connectors.sap_masters import RefusedError, refused, shaped
from tieout.connectors.sap_odata import Row, code, day, number, parts, plain, same
from tieout.connectors.sap_outcomes import refusal_of, taken_of, unsent_of
from tieout.connectors.sap_profile import Profile
from tieout.connectors.sap_session import Message, Session, soap_message
from tieout.connectors.sap_soap import OpenLine, clearing_request, message_uuid
from tieout.errors import ConnectorError

__all__ = ["Clearing"]

_LINE: Final = re.compile(r"([A-Z0-9]{4}/(\d{4})/(\d{10}))/(\d{1,3})", re.ASCII)
_SERVICE: Final = ("journalentrybulkclearingreques", "JournalEntryBulkClearingRequest_In")


class Clearing:
    """Clears lines of one company code."""

    def __init__(
        self, session: Session, documents: Documents, entries: Entries, profile: Profile
    ) -> None:
        self._session, self._documents = session, documents
        self._entries, self._profile = entries, profile

    def create(self, journal: Journal, *, rehearse: bool = False) -> Delivery:
        """Send the message; lines that are gone, cleared or not managed are refused before.

        Args:
            rehearse: SAP says by its callback what would come of it, and changes nothing.
        """
        try:
            message = self.message(journal, rehearse=rehearse)
        except RefusedError as error:
            return refusal_of(error, self._profile.erp)
        except ConnectorError as error:
            return unsent_of(error.code, str(error))
        return taken_of(self._session.send(message))

    def message(self, journal: Journal, *, rehearse: bool = False) -> Message:
        """The message that would be sent now.

        Raises:
            RefusedError: naming the line that cannot be cleared.
            ConnectorError: the lines could not be read.
        """
        with shaped("open items"):
            body = self._request(journal, self._rows(journal), rehearse)
        return soap_message(*_SERVICE, body, message_uuid(_message_id(journal, rehearse)))

    def find(self, journal: Journal) -> Trace:
        """The clearing document with our reference, or by whom its lines were cleared else."""
        reference = journal.external_ref
        found = self._documents.with_reference(reference, field="DocumentReferenceID")
        if found:
            return Trace(tuple(found))
        try:
            cleared = [row for row in self._lines(journal) if row["IsCleared"]]
        except RefusedError as error:
            return Trace(refused=str(error))
        if not cleared:
            return Trace()
        by = doc_id_of(
            self._profile.company_code,
            str(cleared[0]["ClearingDocFiscalYear"]),
            str(cleared[0]["ClearingAccountingDocument"]),
        )
        other = self._documents.one(by)
        if other is None:
            # Its header has no lines to read it by: a person must say whose clearing it is.
            booked_on = day(cleared[0]["PostingDate"]) or journal.booked_on
            return Trace((ErpDocument(by, "posted", by[-10:], "", booked_on, ()),))
        return Trace(refused=f"line {_line_id(cleared[0])} is cleared by {by} already")

    def _lines(self, journal: Journal) -> list[Row]:
        """The rows of the lines to clear that SAP has, in the journal's order.

        Raises:
            RefusedError: ``LINE_UNKNOWN``, a line id that cannot be one.
        """
        wanted: dict[str, str] = {}
        for line in journal.clears:
            found = _LINE.fullmatch(line)
            if found is None or not line.startswith(f"{self._profile.company_code}/"):
                raise refused("LINE_UNKNOWN", f"{line!r} is no line of this company's documents")
            year, document = same("FiscalYear", found[2]), code("AccountingDocument", found[3])
            wanted[found[1]] = f"({year} and {document})"
        wheres = parts(list(wanted.values()))
        by_id = {_line_id(row): row for where in wheres for row in self._documents.rows(where)}
        return [by_id[line] for line in journal.clears if line in by_id]

    def _rows(self, journal: Journal) -> list[Row]:
        """The lines to clear, all of them open.

        Raises:
            RefusedError: naming the line.
        """
        rows = self._lines(journal)
        there = {_line_id(row) for row in rows}
        for line in journal.clears:
            if line not in there:
                raise refused("LINE_UNKNOWN", f"SAP has no line {line}")
        if len(set(journal.clears)) != len(journal.clears) or len(rows) < 2:
            raise refused("LINES_TOO_FEW", "a clearing names two lines or more, each once")
        for row in rows:
            if row["IsOpenItemManaged"] not in (True, "X") and row["FinancialAccountType"] == "S":
                account = plain(row["GLAccount"])
                message = f"line {_line_id(row)} is on {account}, which keeps no open items"
                raise refused("ITEM_NOT_MANAGED", message, account)
            if row["IsCleared"]:
                raise refused("ITEM_CLEARED", f"line {_line_id(row)} is cleared already")
        _balanced(rows)
        return rows

    def _request(self, journal: Journal, rows: Sequence[Row], rehearse: bool) -> bytes:
        if journal.company != self._profile.company:
            message = f"{journal.company!r} is not {self._profile.company!r}"
            raise refused("COMPANY_OTHER", message)
        entry = self._entries.header(journal)
        lines = [
            OpenLine(
                kind=str(row["FinancialAccountType"]),
                account=plain(row["Customer"] or row["Supplier"] or row["GLAccount"]),
                year=str(row["FiscalYear"]),
                document=str(row["AccountingDocument"]).zfill(10),
                item=str(int(row["AccountingDocumentItem"])),
            )
            for row in rows
        ]
        return clearing_request(
            replace(entry, message_id=_message_id(journal, rehearse)),
            str(rows[0]["TransactionCurrency"]),
            lines,
            sender=self._profile.sender,
            rehearse=rehearse,
        )


def _message_id(journal: Journal, rehearse: bool) -> str:
    """Our reference; a rehearsal must not use up the id of the clearing itself."""
    return f"{journal.external_ref}-REHEARSAL" if rehearse else journal.external_ref


def _line_id(row: Row) -> str:
    item = int(row["AccountingDocumentItem"])
    document = str(row["AccountingDocument"])
    return f"{doc_id_of(str(row['CompanyCode']), str(row['FiscalYear']), document)}/{item}"


def _balanced(rows: Sequence[Row]) -> None:
    currencies = sorted({str(row["TransactionCurrency"]) for row in rows})
    if len(currencies) > 1:
        raise refused("CURRENCIES_MIXED", f"lines in {' and '.join(currencies)}")
    total = sum(number(row["AmountInTransactionCurrency"]) for row in rows)
    if total:
        message = f"the lines leave {total} {currencies[0]} over; a clearing in full leaves nothing"
        raise refused("UNBALANCED", message)
