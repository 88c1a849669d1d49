"""An ERP of class C in memory, to test against: strict, and as unreliable as it is told to be.

Its ledger (`FakeErp.documents`) is what an independent checker reads; it knows nothing of ours.
Faults are a plan, used up one request at a time::

    lost reply     the effect happens, the answer never arrives          (UNKNOWN)
    no effect      neither effect nor answer: a dead server              (UNKNOWN)
    late           no answer; the effect happens at `FakeErp.deliver_late`   (UNKNOWN)
    not sent       the connection was refused                            (NOT_SENT)
    throttle       refused before it was looked at                       (THROTTLED)
    reject         a closed period                                       (REJECT)
    round          the document is stored with another amount            (OK)

A hook is called around each effect (``phase, "before" | "after"``): crash tests kill the caller
there, while it waits for its answer.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from tieout.connectors.ports import (
    Capability,
    Delivery,
    DocumentLine,
    ErpDocument,
    Journal,
    JournalLine,
    Outcome,
    Trace,
    is_reference,
)
from tieout.errors import ConnectorError

__all__ = ["FakeErp", "Fault", "Hook", "document_line"]

Fault = Literal["", "lost reply", "no effect", "late", "not sent", "throttle", "reject", "round"]
Hook = Callable[[str, str], None]


def _no_hook(phase: str, moment: str) -> None:
    """Nothing happens."""


@dataclass
class FakeErp:
    """A `JournalWriter` over its own ledger; safe to call from several threads.

    Attributes:
        faults: for each phase (``create post find read delete``) the faults of its next requests;
            an empty string is a request without a fault.
        hook: called before and after each effect.
        documents: all documents by id, drafts and posted ones; deleted drafts are gone.
        requests: (phase, reference or document id) of each request, in order.
    """

    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    hook: Hook = _no_hook
    documents: dict[str, ErpDocument] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    _late: list[Callable[[], Delivery]] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _next_id: int = 1
    _next_number: int = 1

    def capability(self, journal: Journal) -> Capability:
        """Draft, then post by id."""
        return Capability("C")

    def plan(self, phase: str, *faults: Fault) -> None:
        """Add faults for the next requests of a phase."""
        self.faults.setdefault(phase, deque()).extend(faults)

    def deliver_late(self) -> None:
        """Let the effects of all late requests happen now."""
        with self._lock:
            late, self._late = self._late, []
            for effect in late:
                effect()

    def posted(self, external_ref: str) -> list[ErpDocument]:
        """The checker's question: the posted documents with a reference."""
        with self._lock:
            return [d for d in self._with(external_ref) if d.state == "posted"]

    def drafts(self) -> list[ErpDocument]:
        """The checker's other question: drafts anybody left behind."""
        with self._lock:
            return [d for d in self.documents.values() if d.state == "draft"]

    def create(self, journal: Journal) -> Delivery:
        """Store a draft, whatever its reference: nothing here is unique."""
        return self._request(
            "create", journal.external_ref, lambda fault: self._make(journal, fault)
        )

    def post(self, doc_id: str) -> Delivery:
        """Post a draft; a document posted already answers OK with its number."""
        return self._request("post", doc_id, lambda _: self._post(doc_id))

    def delete_draft(self, doc_id: str) -> Delivery:
        """Delete a draft; one that is gone answers OK, a posted one REJECT."""
        return self._request("delete", doc_id, lambda _: self._delete(doc_id))

    def find(self, journal: Journal) -> Trace:
        """All documents with the reference, by id."""
        self._look("find", journal.external_ref)
        with self._lock:
            return Trace(tuple(self._with(journal.external_ref)))

    def read(self, doc_id: str) -> ErpDocument | None:
        """One document, or None."""
        self._look("read", doc_id)
        with self._lock:
            return self.documents.get(doc_id)

    def posted_since(self, company: str, since: date) -> list[ErpDocument]:
        """All posted documents of our form from that day on, by date, then by id."""
        self._look("extract", company)
        with self._lock:
            found = [
                document
                for document in self.documents.values()
                if document.state == "posted"
                and document.booked_on >= since
                and is_reference(document.external_ref)
            ]
        return sorted(found, key=lambda document: (document.booked_on, int(document.doc_id)))

    def preview(self, journal: Journal) -> str:
        """A request that nobody else understands."""
        return f"POST /documents\n\n{journal}"

    def _with(self, external_ref: str) -> list[ErpDocument]:
        found = (d for d in self.documents.values() if d.external_ref == external_ref)
        return sorted(found, key=lambda document: int(document.doc_id))

    def _fault(self, phase: str, subject: str) -> Fault:
        with self._lock:
            self.requests.append((phase, subject))
            queue = self.faults.get(phase)
            return queue.popleft() if queue else ""

    def _look(self, phase: str, subject: str) -> None:
        fault = self._fault(phase, subject)
        if fault:
            raise ConnectorError("FAKE_UNREACHABLE", f"{phase} of {subject}: {fault}")

    def _request(self, phase: str, subject: str, effect: Callable[[Fault], Delivery]) -> Delivery:
        fault = self._fault(phase, subject)
        refused: dict[Fault, tuple[Outcome, str]] = {
            "not sent": ("NOT_SENT", "CONNECTION_REFUSED"),
            "throttle": ("THROTTLED", "TOO_MANY_REQUESTS"),
            "reject": ("REJECT", "PERIOD_CLOSED"),
            "no effect": ("UNKNOWN", "TIMEOUT"),
        }
        if fault in refused:
            outcome, code = refused[fault]
            return _answer(outcome, code)
        if fault == "late":
            self._late.append(lambda: effect(fault))
            return _answer("UNKNOWN", "TIMEOUT")
        self.hook(phase, "before")
        with self._lock:
            delivery = effect(fault)
        self.hook(phase, "after")
        return _answer("UNKNOWN", "TIMEOUT") if fault == "lost reply" else delivery

    def _make(self, journal: Journal, fault: Fault) -> Delivery:
        doc_id = str(self._next_id)
        self._next_id += 1
        lines = tuple(document_line(line) for line in journal.lines)
        if fault == "round":
            lines = (replace(lines[0], debit_minor=lines[0].debit_minor + 1), *lines[1:])
        self.documents[doc_id] = ErpDocument(
            doc_id, "draft", None, journal.external_ref, journal.booked_on, lines
        )
        return _answer("OK", "CREATED", doc_id)

    def _post(self, doc_id: str) -> Delivery:
        document = self.documents.get(doc_id)
        if document is None:
            return _answer("REJECT", "NO_SUCH_DOCUMENT", doc_id)
        if document.state == "draft":
            number = f"F{self._next_number:06d}"
            self._next_number += 1
            document = replace(document, state="posted", number=number)
            self.documents[doc_id] = document
        return _answer("OK", "POSTED", doc_id, document.number)

    def _delete(self, doc_id: str) -> Delivery:
        document = self.documents.get(doc_id)
        if document is not None and document.state == "posted":
            return _answer("REJECT", "ALREADY_POSTED", doc_id)
        self.documents.pop(doc_id, None)
        return _answer("OK", "DELETED", doc_id)


def document_line(line: JournalLine) -> DocumentLine:
    """A line as it is read back."""
    return DocumentLine(
        line.gl_account,
        line.debit_minor,
        line.credit_minor,
        line.foreign_minor,
        line.foreign_currency,
        line.party,
        line.narrative,
    )


def _answer(
    outcome: Outcome, code: str, doc_id: str | None = None, number: str | None = None
) -> Delivery:
    body = f"{outcome} {code} {doc_id} {number}"
    digest = "" if outcome == "NOT_SENT" else hashlib.sha256(body.encode()).hexdigest()
    return Delivery(outcome, doc_id, number, code, body.lower(), digest)
