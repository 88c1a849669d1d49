"""Oracle NetSuite: its books read, journals, bills, reports and payments created once.

A posting is one record whose external id is our reference. NetSuite takes an external id once
among the records of a type, so a second create changes nothing and is answered EXISTS after
looking. It is in the ledger when its approval status says so, never because of an HTTP status.
Outcomes are told as `tieout.connectors.ports` names them: a documented refusal whose document is
not there is REJECT, the account's limit of concurrency is THROTTLED, a login that failed before
the write NOT_SENT, and everything else after the first byte UNKNOWN.

    >>> _proof("https://x/services/rest/record/v1/journalEntry/10452")
    'journalEntry/10452'
    >>> _proof("https://x/services/rest/async/v1/job/7")
    ''
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from tieout.connectors import ports
from tieout.connectors.netsuite_books import NetSuiteBooks
from tieout.connectors.netsuite_changes import changed_documents, posted_documents
from tieout.connectors.netsuite_clearing import clearing
from tieout.connectors.netsuite_jobs import BATCH_MAX, Judges, Queue
from tieout.connectors.netsuite_masters import RefusedError
from tieout.connectors.netsuite_outcomes import delivery, not_sent, outcome, refusal, told
from tieout.connectors.netsuite_readback import account_ids, approval, document, shaped
from tieout.connectors.netsuite_records import KINDS, Records, kind_of
from tieout.connectors.netsuite_session import RECORD
from tieout.connectors.netsuite_wire import Answer
from tieout.connectors.rehearsal import rehearse
from tieout.errors import ConnectorError

__all__ = ["NetSuiteConnector"]

_PROOF: Final = re.compile(rf"/record/v1/({'|'.join(KINDS)})/([0-9]{{1,18}})\Z", re.ASCII)
_DOC_ID: Final = re.compile(rf"({'|'.join(KINDS)})/([0-9]{{1,18}})", re.ASCII)
_EXPANDED: Final = (("expandSubResources", "true"),)
#: NetSuite ends a request that takes longer than this.
_REQUEST_MAX: Final = timedelta(minutes=15)
_LAG: Final = timedelta(minutes=1)


class NetSuiteConnector(NetSuiteBooks):
    """The books of one subsidiary; a `BooksReader`, a `MasterReader` and a `JournalWriter`.

    Made as `NetSuiteBooks` is; every request passes through ``wire.exchange``.
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._queue = Queue(self._session, Judges(self._created, self._by_reference))
        self._records = Records(self._masters, self._mapping, self._posting.approve)

    def capability(self, journal: ports.Journal) -> ports.Capability:
        """What the mapping's ``[posting] way`` makes of creating a document."""
        settle = _REQUEST_MAX + timedelta(seconds=self._total_seconds) + _LAG
        if self._posting.way == "create":
            return ports.Capability("A", settle)
        if self._posting.way == "upsert":
            return ports.Capability("D", settle)
        queue = timedelta(minutes=self._posting.queue_minutes)
        life = timedelta(hours=self._posting.key_hours)
        together = BATCH_MAX if journal.endpoint == "journal" else 1
        return ports.Capability("B", settle + queue, life, together)

    def create(self, journal: ports.Journal) -> ports.Delivery:
        """Create the record; what NetSuite's masters rule out is refused before it is sent."""
        kind = kind_of(journal)
        body = self._body(journal)
        if isinstance(body, ports.Delivery):
            return body
        if self._posting.way == "async":
            return self._queue.create(journal, kind, body)
        method, path = "POST", f"{RECORD}/{kind}"
        params: tuple[tuple[str, str], ...] = ()
        if self._posting.way == "upsert":
            method, path = "PUT", f"{path}/eid:{body.pop('externalId')}"
            sublists = ",".join(name for name, value in body.items() if "items" in _dict(value))
            params = (("replace", sublists),)
        answer = self._session.write(method, path, body, point="create", params=params)
        return self._created(journal, answer)

    def preview(self, journal: ports.Journal) -> str:
        """The request that `create` would send now; the same checks refuse it."""
        return rehearse(self.wire, self.create, journal)

    def create_batch(self, journals: tuple[ports.Journal, ...]) -> tuple[ports.Delivery, ...]:
        """Put several documents in the queue with one request; each has its own outcome."""
        bodies = [self._body(journal) for journal in journals]
        sent = [
            (journal, body)
            for journal, body in zip(journals, bodies, strict=True)
            if not isinstance(body, ports.Delivery)
        ]
        if self._posting.way != "async" or len({kind_of(journal) for journal in journals}) != 1:
            message = "only documents of one kind, and only NetSuite's queue, go together"
            refused = ports.Delivery("NOT_SENT", None, None, "BATCH_NOT_OFFERED", message, "")
            return (refused,) * len(journals)
        told = iter(self._queue.create_batch(kind_of(journals[0]), sent) if sent else ())
        return tuple(b if isinstance(b, ports.Delivery) else next(told) for b in bodies)

    def post(self, doc_id: str) -> ports.Delivery:
        """Approve where the mapping lets us; else PENDING until somebody in NetSuite has."""
        try:
            kind, record = self._record(doc_id)
        except ConnectorError as error:
            return not_sent(error, doc_id)
        said = told(kind, record, doc_id, "ALREADY_POSTED")
        if said is not None:
            return said
        if not self._posting.approve:
            message = "the document waits for approval in NetSuite"
            return ports.Delivery("PENDING", doc_id, None, "APPROVAL_PENDING", message, "")
        status: dict[str, Any] = {"approvalStatus": {"id": "2"}}
        if kind == "expenseReport":
            status = {"complete": True, "supervisorapproval": True, "accountingapproval": True}
        answer = self._session.write("PATCH", f"{RECORD}/{doc_id}", status, point="post")
        if answer.kind not in ("done", "refused"):
            return delivery(outcome(answer), answer, doc_id=doc_id)
        try:
            kind, record = self._record(doc_id)
        except ConnectorError:
            return delivery("UNKNOWN", answer, "NOT_READ_BACK", doc_id)
        said = told(kind, record, doc_id, "POSTED", answer)
        if said is not None:
            return said
        if answer.kind == "refused":
            return delivery("REJECT", answer, doc_id=doc_id)
        return delivery("PENDING", answer, "APPROVAL_PENDING", doc_id)

    def find(self, journal: ports.Journal) -> ports.Trace:
        """The record with our reference, else the job that may still make it."""
        found = self._by_reference(journal)
        if found is None and self._posting.way == "async":
            state = self._queue.trace(journal)
            # A job that is over may have ended between the two questions: look again.
            found = self._by_reference(journal) if state.over else None
            if found is None:
                return ports.Trace((), state.pending, state.refused)
        return ports.Trace(() if found is None else (found,))

    def read(self, doc_id: str) -> ports.ErpDocument | None:
        """One document with its lines, None when NetSuite has it not."""
        kind, record = self._record(doc_id)
        return None if record is None else self._document(kind, record)

    def changed_documents(self, since: date) -> list[ports.ErpDocument]:
        """Documents of ours entered or changed since a day, by id; a day before it too.

        They are read from the lines of the ledger, not from the records `read` tells of.
        """
        with shaped("changed documents"):
            own = self._masters.subsidiary()
            return changed_documents(self._session, own, self._masters.currency, since)

    def posted_since(self, company: str, since: date) -> list[ports.ErpDocument]:
        """Posted documents on or after ``since`` whose external id has our form, by date.

        They are read from the lines of the ledger, not from the records `read` tells of.
        """
        self._require(company)
        with shaped("posted documents"):
            own = self._masters.subsidiary()
            return posted_documents(self._session, own, self._masters.currency, since)

    def delete_draft(self, doc_id: str) -> ports.Delivery:
        """Delete a record that is not approved: OK when it is gone, REJECT when it is posted."""
        try:
            kind, record = self._record(doc_id)
        except ConnectorError as error:
            return not_sent(error, doc_id)
        if record is None:
            return ports.Delivery("OK", doc_id, None, "GONE", "there is no such document", "")
        posted = told(kind, record, doc_id, "ALREADY_POSTED")
        if posted is not None and posted.outcome == "OK":
            message = f"the document is posted as {posted.number}"
            return ports.Delivery("REJECT", doc_id, posted.number, "ALREADY_POSTED", message, "")
        if not record.get("externalId"):
            message = "the draft carries no reference of ours"
            return ports.Delivery("REJECT", doc_id, None, "NOT_OURS", message, "")
        answer = self._session.write("DELETE", f"{RECORD}/{doc_id}", point="delete")
        if answer.kind == "done":
            return delivery("OK", answer, "DELETED", doc_id)
        if answer.kind == "refused" and answer.code == "NONEXISTENT_ID":
            return delivery("OK", answer, "GONE", doc_id)
        return delivery(outcome(answer), answer, doc_id=doc_id)

    def _created(self, journal: ports.Journal, answer: Answer) -> ports.Delivery:
        """What became of a create, from its answer or from the one its job replays."""
        if answer.kind == "done":
            doc_id = _proof(answer.location) if answer.status == 204 else ""
            if doc_id.startswith(f"{kind_of(journal)}/"):
                return delivery("OK", answer, "CREATED", doc_id)
            return delivery("UNKNOWN", answer, "NO_LOCATION")
        if answer.kind != "refused":
            return delivery(outcome(answer), answer)
        # NetSuite tells a reference that is taken in the words of any other refusal: look.
        try:
            found = self._by_reference(journal)
        except ConnectorError:
            return delivery("UNKNOWN", answer, "NOT_READ_BACK")
        if found is not None:
            return delivery("EXISTS", answer, "EXISTS", found.doc_id, found.number)
        self._masters.forget_period(journal.booked_on)
        return refusal(journal, answer)

    def _body(self, journal: ports.Journal) -> dict[str, Any] | ports.Delivery:
        """The record to create, or why nothing is sent."""
        try:
            with shaped("master data"):
                if journal.clears:
                    self._records.check(journal)
                    return clearing(journal, self._records, self._session)
                self._require_reversible(journal)
                return self._records.body(journal)
        except RefusedError as error:
            return ports.Delivery("REJECT", None, None, error.code, error.message, "")
        except ConnectorError as error:
            return not_sent(error)

    def _require_reversible(self, journal: ports.Journal) -> None:
        """A reversal is a journal of ours against a document that is there and not reversed."""
        if journal.reverses is None:
            return
        kind, record = self._record(journal.reverses)
        if record is None:
            message = f"NetSuite has no document {journal.reverses!r} to reverse"
            raise RefusedError("ORIGINAL_UNKNOWN", message)
        if approval(kind, record) != "approved":
            message = f"{journal.reverses} is not posted: delete it instead"
            raise RefusedError("ORIGINAL_NOT_POSTED", message)
        by = record.get("reversalEntry") or (record.get("void") and "a void")
        if by:
            message = f"{journal.reverses} is reversed in NetSuite already, by {by}"
            raise RefusedError("ALREADY_REVERSED", message)

    def _by_reference(self, journal: ports.Journal) -> ports.ErpDocument | None:
        kind = kind_of(journal)
        path = f"{RECORD}/{kind}/eid:{journal.external_ref}"
        with shaped("record"):
            record = self._session.ask(path, point="find", params=_EXPANDED)
            return None if record is None else self._document(kind, record)

    def _record(self, doc_id: str) -> tuple[str, Mapping[str, Any] | None]:
        """Type and record of one of our document ids."""
        found = _DOC_ID.fullmatch(doc_id)
        if found is None:
            message = f"{doc_id!r} is no id of a NetSuite document"
            raise ConnectorError("DOCUMENT_ID_MALFORMED", message, remedy="expected type/number")
        record = self._session.ask(f"{RECORD}/{doc_id}", point="read", params=_EXPANDED)
        if record is not None and not isinstance(record, dict):
            raise ConnectorError("ANSWER_UNEXPECTED", "the answer is not a record", where=doc_id)
        return found[1], record

    def _document(self, kind: str, record: Mapping[str, Any]) -> ports.ErpDocument:
        with shaped("record"):
            codes = self._masters.codes(account_ids(kind, record))
            return document(kind, record, self._masters, codes)


def _proof(location: str) -> str:
    """The document id of a record's address, empty where it is none."""
    found = _PROOF.search(location)
    return f"{found[1]}/{found[2]}" if found else ""


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
