"""SAP S/4HANA Cloud: journal entries posted by SOAP, its books and masters read by OData V2.

A posting carries our reference in its header (``Reference1InDocumentHeader``), by which it is
found again. The synchronous service answers at once with a document for each entry, or with the
document ``0000000000`` and a log whose worst severity is an error: only that is a refusal. The
message's id is not known to be unique there, so that it is of class D. The asynchronous ones take
everything with HTTP 202, refuse an id they have seen (class B for as long as they remember it),
and post later, perhaps only when a person restarts what failed: nothing but the document itself
ends the wait.

A closed posting period is SAP's own refusal, after sending: none of its public services tells the
periods, so that this one check cannot come before (`SapReads.period_status` says "unknown").

Failures: a login or token that was not to be had sent nothing; HTTP 429 is a pause; a SOAP fault,
a page of HTML, a broken connection, silence, or an answer that contradicts itself is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from tieout.connectors import ports
from tieout.connectors.http_wire import HttpAnswer
from tieout.connectors.sap_clearing import Clearing
from tieout.connectors.sap_entries import Entries
from tieout.connectors.sap_invoices import Invoices, as_invoice
from tieout.connectors.sap_masters import RefusedError, placed, shaped
from tieout.connectors.sap_outcomes import (
    delivery_of,
    known_of,
    lost_of,
    refusal_of,
    taken_of,
    unsent_of,
)
from tieout.connectors.sap_reads import SapReads
from tieout.connectors.sap_session import Message, soap_message
from tieout.connectors.sap_soap import Entry, confirmed, create_request, message_uuid
from tieout.connectors.sap_text import OURS
from tieout.errors import ConnectorError

__all__ = ["SapConnector"]

_SINGLE: Final = ("journalentrycreaterequestconfi", "JournalEntryCreateRequestConfirmation_In")
_INVOICE_FIELD: Final = "AccountingDocumentHeaderText"
_BULK: Final = ("journalentrybulkcreationreques", "JournalEntryBulkCreationRequest_In")


class SapConnector(SapReads):
    """The books of one company code of one tenant; a `BatchWriter`, made as `SapReads` is."""

    def __init__(
        self,
        base_url: str,
        login: str,
        password: str,
        *,
        company: str,
        mapping: Mapping[str, Any],
        options: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(
            base_url,
            login,
            password,
            company=company,
            mapping=mapping,
            options=options,
            transport=transport,
        )
        self._entries = Entries(self._masters, self._profile)
        self._clearing = Clearing(self._session, self._documents, self._entries, self._profile)
        self._invoices = Invoices(self._session, str(self._profile.journals.get("invoices", "RE")))
        self._told: dict[str, str] = {}

    def capability(self, journal: ports.Journal) -> ports.Capability:
        """Class D at the synchronous service, class B at the asynchronous ones.

        A message that failed may be restarted for as long as SAP keeps it, so that nothing is
        settled before; an unanswered one is sent again under its id while SAP surely knows it, and
        never afterwards: somebody may have cancelled it there.
        """
        profile = self._profile
        if self._as_invoice(journal):
            return ports.Capability("D", settle=profile.settle)
        if self._asynchronous(journal):
            kept, margin = profile.retention, profile.key_margin
            return ports.Capability("B", settle=kept, key_lifetime=kept, key_margin=margin)
        return ports.Capability("D", settle=profile.settle, batch_max=profile.batch_max)

    def create(self, journal: ports.Journal) -> ports.Delivery:
        """Post one document; what the masters rule out is refused before anything is sent."""
        return self.create_batch((journal,))[0]

    def create_batch(self, journals: tuple[ports.Journal, ...]) -> tuple[ports.Delivery, ...]:
        """One request for all, each with its own outcome, in their order."""
        done: dict[int, ports.Delivery] = {}
        entries: dict[int, Entry] = {}
        for place, journal in enumerate(journals):
            if journal.external_ref in {entry.message_id for entry in entries.values()}:
                done[place] = unsent_of("TWICE_IN_BATCH", "the reference is in the batch already")
                continue
            if journal.clears:
                done[place] = self._clearing.create(journal)
                continue
            try:
                with shaped("master data"):
                    entries[place] = self._entries.entry(journal)
            except RefusedError as error:
                done[place] = refusal_of(error, self._profile.erp)
            except ConnectorError as error:
                done[place] = unsent_of(error.code, str(error))
        for place in [p for p in entries if self._as_invoice(journals[p])]:
            done[place] = self._enter(entries.pop(place))
        if self._profile.way == "bulk":
            done |= {place: self._send_bulk(entry) for place, entry in entries.items()}
        elif entries:
            told = self._send_single(tuple(entries.values()))
            done |= dict(zip(entries, told, strict=True))
        return tuple(done[place] for place in range(len(journals)))

    def preview(self, journal: ports.Journal) -> str:
        """The request that `create` would send now; the same checks refuse it.

        Raises:
            ConnectorError: with the code of the refusal, or the masters could not be read.
        """
        try:
            with shaped("master data"):
                return self._message(journal).rendered()
        except RefusedError as error:
            told = placed(error, self._profile.erp)
            raise ConnectorError(
                told.code, told.message, where=told.where or "SAP", remedy=told.remedy
            ) from error

    def _message(self, journal: ports.Journal) -> Message:
        if journal.clears:
            return self._clearing.message(journal)
        entry = self._entries.entry(journal)
        if self._as_invoice(journal):
            return self._invoices.message(entry)
        if self._profile.way == "bulk":
            return self._bulk(entry)
        body = create_request([entry], message_id=entry.message_id, sender=self._profile.sender)
        return soap_message(*_SINGLE, body)

    def rehearse(self, journal: ports.Journal) -> ports.Delivery:
        """Ask SAP what would come of a clearing; its callback tells, and nothing is changed."""
        return self._clearing.create(journal, rehearse=True)

    def _as_invoice(self, journal: ports.Journal) -> bool:
        return self._profile.invoices and as_invoice(journal)

    def _enter(self, entry: Entry) -> ports.Delivery:
        try:
            return self._invoices.enter(entry)
        except RefusedError as error:
            return refusal_of(error, self._profile.erp)

    def _asynchronous(self, journal: ports.Journal) -> bool:
        return bool(journal.clears) or self._profile.way == "bulk"

    def _send_single(self, entries: Sequence[Entry]) -> list[ports.Delivery]:
        ids = [entry.message_id for entry in entries]
        outer = ids[0] if len(ids) == 1 else message_uuid(" ".join(ids))[:35]
        body = create_request(entries, message_id=outer, sender=self._profile.sender)
        answer = self._session.send(soap_message(*_SINGLE, body))
        if answer.status != 200:
            return [lost_of(answer)] * len(entries)
        try:
            parts = confirmed(answer.body)
        except ValueError as error:
            return [lost_of(answer, "UNPARSABLE", f"SAP's answer is {error}")] * len(entries)
        return [delivery_of(entry, parts, answer) for entry in entries]

    def _send_bulk(self, entry: Entry) -> ports.Delivery:
        """One entry a message: the message's id is what SAP compares, so it must be the entry's."""
        return taken_of(self._session.send(self._bulk(entry)))

    def _bulk(self, entry: Entry) -> Message:
        body = create_request([entry], message_id=entry.message_id, sender=self._profile.sender)
        return soap_message(*_BULK, body, message_uuid(entry.message_id))

    def post(self, doc_id: str) -> ports.Delivery:
        """Every document SAP shows is posted: OK where it is there, else unknown."""
        try:
            document = self.read(doc_id)
        except ConnectorError as error:
            return unsent_of(error.code, str(error), doc_id)
        return known_of(document, doc_id)

    def find(self, journal: ports.Journal) -> ports.Trace:
        """The documents with the journal's reference, and what may still come of it.

        A reversal that is not there while its document was taken back by another one is refused
        for good; so is a clearing whose items another document has cleared.
        """
        with shaped("documents"):
            if journal.clears:
                found = self._clearing.find(journal)
            else:
                invoice = self._as_invoice(journal)
                field = _INVOICE_FIELD if invoice else "Reference1InDocumentHeader"
                reference = journal.external_ref
                documents = self._documents.with_reference(reference, field=field)
                found = ports.Trace(tuple(documents))
                if not documents and journal.reverses is not None:
                    found = self._taken_back(journal.reverses)
        told = self._told.get(journal.external_ref, "")
        if not found.documents and not found.refused and told:
            return ports.Trace(pending=told)
        return found

    def _taken_back(self, doc_id: str) -> ports.Trace:
        """A document that was reversed under another reference than ours cannot be any more.

        One that our own user entered without any reference of ours may be the very reversal we
        look for: it is shown, for a person to say.
        """
        by = self._documents.reversed_by(doc_id)
        other = self._documents.one(by) if by else None
        if not by:
            return ports.Trace()
        if other is None or not self._documents.entered_by(by, self._profile.created_by):
            return ports.Trace(refused=f"document {doc_id} is reversed by {by} already")
        if OURS.fullmatch(other.external_ref):
            return ports.Trace(refused=f"document {doc_id} is reversed by {by} already")
        return ports.Trace((other,))

    def read(self, doc_id: str) -> ports.ErpDocument | None:
        """One document with its lines, None when SAP has it not."""
        with shaped("document"):
            return self._documents.one(doc_id)

    def delete_draft(self, doc_id: str) -> ports.Delivery:
        """SAP has no drafts of ours."""
        message = "SAP posts at once: there is no draft to delete"
        return ports.Delivery("REJECT", doc_id, None, "NOT_OFFERED", message, "")

    def confirmation(self, body: bytes) -> tuple[tuple[str, ports.Delivery], ...]:
        """What a callback of an asynchronous service tells: (our reference, outcome), in its order.

        OK names the document, which is still to be read. Everything else is PENDING: a failed
        message may be restarted, and an id refused as known belongs to a message that may post.
        The same callback again tells the same; one that is lost leaves everything to `find`.

        Raises:
            ConnectorError: ``CALLBACK_UNPARSABLE``.
        """
        try:
            parts = confirmed(body)
        except ValueError as error:
            message = f"the callback is {error}"
            raise ConnectorError("CALLBACK_UNPARSABLE", message, remedy="look into SAP") from error
        answer = HttpAnswer("answered", "OK", status=200)
        told = [(part.reference, taken_of(answer, part)) for part in parts if part.reference]
        for reference, delivery in told:
            if delivery.outcome == "PENDING":
                self._told[reference] = delivery.message
        return tuple(told)
