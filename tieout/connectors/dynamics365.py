"""Microsoft Dynamics 365 Finance over OData: its books read, journals posted and proved.

A posting is one journal, its header and lines created in one ``$batch`` change set, which the
system does whole or not at all: there is no incomplete journal to adopt. Our reference opens the
header's description, ``[ABCDEFGHIJKLMNOP] Bank charges``, and stands on every line as ``Document``,
which the ledger keeps. Nothing in OData posts a journal, so what makes a create safe follows from
who numbers, who posts and by which door it comes (the mapping's ``[posting]``):

========== ======== ====== ====================================================================
numbering  way      class
========== ======== ====== ====================================================================
ours       either   A      the number is our reference's beginning: a second create is refused
sequence   service  C      nobody posts but the company's own service, by number
sequence   batch    D      any second journal might be posted: wait, then look
packages   either   B      an execution id is taken once, while the system remembers it
invoices   workflow D      a posted invoice leaves the pending ones, and frees its key
========== ======== ====== ====================================================================

Where the system's own job posts, a voided journal keeps its number and loses its lines, so that a
create still under way finds it taken and nothing of it is ever posted.
A posted journal is told from the entries of the general ledger, not from its own lines.

    >>> from datetime import date
    >>> books = DynamicsConnector("https://nord.operations.dynamics.com", "app", "secret",
    ...                           company="nord", mapping={})
    >>> fee = ports.Journal("AAAAAAAAAAAAAAAA", "nord", "bank", date(2026, 11, 20), "", "EUR", ())
    >>> books.capability(fee).kind
    'A'
    >>> books.close()
"""

from __future__ import annotations

from datetime import date

from tieout.connectors import ports
from tieout.connectors.dynamics365_books import DynamicsBooks
from tieout.connectors.dynamics365_changes import kept_because, voiding
from tieout.connectors.dynamics365_invoices import is_invoice
from tieout.connectors.dynamics365_journals import key_path
from tieout.connectors.dynamics365_listing import posted_documents
from tieout.connectors.dynamics365_outcome import (
    Verdict,
    delivery,
    left_unposted,
    refusal_code,
    told,
    unsent,
    verdict,
)
from tieout.connectors.dynamics365_records import rendered, shaped
from tieout.connectors.dynamics365_session import parsed
from tieout.connectors.http_wire import HttpAnswer
from tieout.connectors.rehearsal import rehearse
from tieout.errors import ConnectorError

__all__ = ["DynamicsConnector"]

_CROSS = (("cross-company", "true"),)


class DynamicsConnector(DynamicsBooks):
    """The books of one company; a `BooksReader`, a `MasterReader` and a `BatchWriter`.

    Made as `DynamicsBooks` is; every request passes through ``wire.exchange``.
    """

    @property
    def _keeps(self) -> bool:
        """Whether a voided journal must keep its number: any journal left may be posted."""
        return self._profile.ours and not self._profile.service

    def _pending(self, journal: ports.Journal) -> bool:
        """Whether a journal is to be a pending vendor invoice."""
        return journal.endpoint == "liability" and self._profile.pending_invoices

    def capability(self, journal: ports.Journal) -> ports.Capability:
        """Who numbers, who posts and the door decide; see the module."""
        if self._pending(journal):
            return ports.Capability("D", self._profile.settle)
        if self._packages is not None:
            lifetime = self._profile.key_lifetime
            return ports.Capability("B", self._profile.settle, key_lifetime=lifetime)
        if self._profile.ours:
            return ports.Capability("A", self._profile.settle, batch_max=self._profile.batch_max)
        return (
            ports.Capability("C")
            if self._profile.service
            else ports.Capability("D", self._profile.settle)
        )

    def create(self, journal: ports.Journal) -> ports.Delivery:
        """Create the journal, checked against the masters before anything is sent."""
        return self.create_batch((journal,))[0]

    def preview(self, journal: ports.Journal) -> str:
        """The request that `create` would send now; the same checks refuse it."""
        return rehearse(self.wire, self.create, journal)

    def create_batch(self, journals: tuple[ports.Journal, ...]) -> tuple[ports.Delivery, ...]:
        """Create several with one request, a change set each; at most ``batch_max``."""
        if any(self._pending(journal) for journal in journals):
            return tuple(self._invoices.create(journal) for journal in journals)
        return self._creator.create(journals)

    def post(self, doc_id: str) -> ports.Delivery:
        """Post by the company's service, or tell whether the batch job has."""
        if is_invoice(doc_id):
            return self._invoices.post(doc_id)
        if self._profile.service:
            return self._post_by_service(doc_id)
        shown = self._journals.shown(doc_id)
        if shown is not None and shown.get("IsPosted") == "No":
            return left_unposted(shown.get(self._profile.log_field), doc_id)
        answer = self._session.get(key_path(doc_id), point="post", params=_CROSS)
        if answer.status == 404:
            return told("REJECT", "GONE", "there is no such journal", answer, doc_id)
        header = parsed(answer.body)
        if answer.status != 200 or "IsPosted" not in header:
            found = verdict(answer)
            if found.outcome == "OK":
                found = Verdict("UNKNOWN", "UNPARSABLE", "the answer is no journal")
            return delivery(found, answer, doc_id)
        if header["IsPosted"] == "Yes":
            return self._proved(doc_id, answer)
        return left_unposted(header.get(self._profile.log_field), doc_id, answer.sha256)

    def find(self, journal: ports.Journal) -> ports.Trace:
        """All journals with our reference, drafts and posted ones, by number.

        Of a package that still works nothing is told but that: its journal may be incomplete.
        """
        if self._pending(journal):
            return self._invoices.find(journal)
        if self._packages is None:
            return self._journals.find(journal)
        state, why = self._packages.state(journal.external_ref)
        if state == "working":
            return ports.Trace(pending=why)
        found = self._journals.find(journal)
        if found.documents or found.refused:
            return found
        if state == "done":
            return ports.Trace(pending="the package is imported, and its journal not to be seen")
        return ports.Trace(refused=why) if state == "failed" else found

    def posted_since(self, company: str, since: date) -> list[ports.ErpDocument]:
        """Documents of the general ledger on or after ``since`` whose number has our form.

        The ledger knows no partners: the lines have none.
        """
        self._own(company)
        with shaped("general ledger"):
            return posted_documents(self._session, self._masters, self._profile, since)

    def read(self, doc_id: str) -> ports.ErpDocument | None:
        """One journal with its lines; None when there is none, or only its number is left."""
        if is_invoice(doc_id):
            return self._invoices.read(doc_id)
        return self._journals.read(doc_id)

    def delete_draft(self, doc_id: str) -> ports.Delivery:
        """Void a draft of ours: OK when it is gone, REJECT ``ALREADY_POSTED`` when posted."""
        if is_invoice(doc_id):
            return self._invoices.delete(doc_id)
        try:
            with shaped("journal"):
                header = self._journals.header(doc_id)
                lines = self._journals.lines(doc_id) if header is not None else []
                kept = kept_because(header, lines, doc_id)
        except ConnectorError as error:
            return unsent(error, doc_id)
        if kept is not None or header is None:
            return kept or ports.Delivery("OK", doc_id, None, "GONE", "no such journal", "")
        operations = voiding(doc_id, header, lines, keep=self._keeps)
        answer, (found,) = self._changes.send([operations], "delete")
        if found.outcome == "OK":
            return told("OK", "DELETED", "", answer, doc_id)
        if found.code in ("ALREADY_POSTED", "CHANGED"):
            return self._after(answer, doc_id)
        return delivery(found, answer, doc_id)

    def _post_by_service(self, doc_id: str) -> ports.Delivery:
        company, _, number = doc_id.partition("/")
        request = {"_request": {"DataAreaId": company, "JournalBatchNumber": number}}
        answer = self._session.write(
            "POST",
            self._profile.service,
            point="post",
            content=rendered(request).encode(),
            headers={"Content-Type": "application/json"},
        )
        result = parsed(answer.body)
        if answer.status == 200 and result.get("Posted") is True:
            return self._proved(doc_id, answer)
        if answer.status == 200 and result.get("Posted") is False:
            proved = self._proved(doc_id, answer)
            if proved.outcome == "OK":
                return proved
            said = str(result.get("Message") or "without a reason")
            code = refusal_code(said) or "REFUSED"
            return told("REJECT", code, f"not posted: {said}", answer, doc_id)
        found = verdict(answer)
        if found.outcome == "OK":
            found = Verdict("UNKNOWN", "UNPARSABLE", "the service's answer is not as agreed")
        return delivery(found, answer, doc_id)

    def _proved(self, doc_id: str, answer: HttpAnswer) -> ports.Delivery:
        """OK only with the document read back, posted."""
        try:
            found = self.read(doc_id)
        except ConnectorError as error:
            return told("UNKNOWN", "NOT_READ_BACK", str(error), answer, doc_id)
        if found is None or found.state != "posted":
            return told("UNKNOWN", "NOT_READ_BACK", "it reads back unposted", answer, doc_id)
        return ports.Delivery("OK", doc_id, found.number, "POSTED", "", answer.sha256)

    def _after(self, answer: HttpAnswer, doc_id: str) -> ports.Delivery:
        """The journal changed while it was to be voided."""
        try:
            found = self.read(doc_id)
        except ConnectorError as error:
            return told("UNKNOWN", "NOT_READ_BACK", str(error), answer, doc_id)
        if found is None:
            return told("OK", "GONE", "there is no such journal", answer, doc_id)
        if found.state == "posted":
            message = f"the journal is posted as {found.number}"
            return told("REJECT", "ALREADY_POSTED", message, answer, doc_id)
        return told("UNKNOWN", "CHANGED", "somebody changed the journal", answer, doc_id)
