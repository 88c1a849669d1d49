"""An end by two people for what the protocol gave up: one states what the ERP holds, one confirms.

* A document that can be read is read and compared at each word; then its id is written, and the
  next run goes the ordinary way: it reads, compares, and confirms it.
* Where nothing can be asked (class E), their word is the confirmation.
* That there is no document, and will be none, ends it as refused; it can then be replayed. Where
  the ERP can be asked, it must not show one.

Both say the same of the same trouble, with their evidence; the database wants both.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.audit import append
from tieout.connectors.ports import Journal, JournalWriter
from tieout.errors import LedgerError
from tieout.ledger import Ledger, database_now
from tieout.ledger.models import Adjustment, Outbox, OutboxWord, PostingIntent
from tieout.posting.payload import journal_of
from tieout.posting.readback import differences
from tieout.posting.record import transaction
from tieout.posting.reversal import document_to_reverse
from tieout.stages.outbox_words import find_intent
from tieout.states import move

__all__ = ["settle"]

#: (whether there is a document, whether it can be read) → event of the OUTBOX table.
_EVENTS = {
    (True, True): "document stated",
    (True, False): "posting stated",
    (False, True): "absence stated",
    (False, False): "absence stated",
}
_ADJUSTMENT_EVENTS = {"CONFIRMED": "posted", "REJECTED": "refused by ERP"}


def settle(
    ledger: Ledger,
    connector: JournalWriter,
    key: str,
    person: str,
    *,
    document: str,
    evidence: str,
) -> str:
    """One person's word on what became of a posting; returns what follows, for people.

    Args:
        key: the intent's id, its start, or its reference in the ERP.
        document: the ERP's id of the document; empty where there is none and will be none.
        evidence: where it was seen, or why there is none; kept in the audit log.

    Raises:
        LedgerError: ``EVIDENCE_MISSING``, ``INTENT_UNKNOWN``, ``OUTBOX_STATE`` (it is not MANUAL),
            ``SETTLE_SELF`` (who stated it may not confirm it), ``DOCUMENT_OTHER`` (another id is
            on record), ``DOCUMENT_ABSENT``, ``DOCUMENT_DIFFERS``, ``DOCUMENT_THERE`` (the ERP says
            otherwise).
        ConnectorError: the ERP could not be asked.
    """
    if not evidence.strip():
        message = "what became of a posting needs evidence"
        raise LedgerError("EVIDENCE_MISSING", message, remedy="give --evidence")
    with ledger.session() as session:
        intent = find_intent(session, key)
        _require(session.get_one(Outbox, intent.intent_id), document)
        journal = _journal(session, intent)
    readable = connector.capability(journal).kind != "E"
    if readable:
        _look(connector, journal, document)
    with transaction(ledger, "outbox settle") as session:
        intent = find_intent(session, key)
        row = session.get_one(Outbox, intent.intent_id, with_for_update=True)
        _require(row, document)
        stated = _stated(session, row)
        if stated is None or stated.document != document:
            return _state(session, row, person, document, evidence)
        if stated.person.strip().lower() == person.strip().lower():
            raise LedgerError(
                "SETTLE_SELF",
                f"{person} has stated this and may not confirm it",
                where=f"intent {row.intent_id}",
                remedy="another person must look, and confirm it",
            )
        _note(session, row, "confirm", person, document, evidence)
        return _end(session, intent, row, _EVENTS[bool(document), readable], stated, person)


def _journal(session: Session, intent: PostingIntent) -> Journal:
    journal = journal_of(intent.payload, intent.ext_ref)
    if intent.kind == "REVERSE":
        return replace(journal, reverses=document_to_reverse(session, intent.adjustment_id))
    return journal


def _look(connector: JournalWriter, journal: Journal, document: str) -> None:
    """The ERP must say the same as the person."""
    if not document:
        trace = connector.find(journal)
        if trace.documents or trace.pending:
            there = ", ".join(one.doc_id for one in trace.documents) or trace.pending
            message = f"the ERP still shows {there}"
            raise LedgerError("DOCUMENT_THERE", message, remedy="state it, or release the posting")
        return
    found = connector.read(document)
    if found is None:
        message = f"the ERP has no document {document}"
        raise LedgerError("DOCUMENT_ABSENT", message, remedy="correct the id")
    differ = differences(journal, found)
    if differ:
        message = f"document {document} is not what was approved: {'; '.join(differ)}"
        remedy = "it is another document, or somebody changed it: undo it there, or state none"
        raise LedgerError("DOCUMENT_DIFFERS", message, remedy=remedy)


def _require(row: Outbox, document: str) -> None:
    where = f"intent {row.intent_id}"
    if row.state != "MANUAL":
        raise LedgerError(
            "OUTBOX_STATE",
            f"a posting that is {row.state} is not for people to settle",
            where=where,
            remedy="`tieout outbox show ID` says what happens to it",
        )
    if document and row.erp_doc_id not in (None, document):
        raise LedgerError(
            "DOCUMENT_OTHER",
            f"document {row.erp_doc_id} is on record for it, not {document}",
            where=where,
            remedy="an id is written once; state that one, or release the posting",
        )


def _stated(session: Session, row: Outbox) -> OutboxWord | None:
    """What was said last of this trouble."""
    return session.scalar(
        select(OutboxWord)
        .where(
            OutboxWord.intent_id == row.intent_id,
            OutboxWord.verb == "state",
            OutboxWord.fence == row.fence,
        )
        .order_by(OutboxWord.word_no.desc())
        .limit(1)
    )


def _state(session: Session, row: Outbox, person: str, document: str, evidence: str) -> str:
    _note(session, row, "state", person, document, evidence)
    detail = {"document": document, "evidence": evidence}
    append(session, person, "settlement stated", "intent", row.intent_id, detail)
    what = f"document {document}" if document else "no document"
    return f"{person} states {what}; another person must state the same"


def _note(
    session: Session, row: Outbox, verb: str, person: str, document: str, evidence: str
) -> None:
    word = OutboxWord(
        intent_id=row.intent_id,
        verb=verb,
        person=person,
        reason=evidence,
        fence=row.fence,
        document=document,
    )
    session.add(word)
    session.flush()


def _end(
    session: Session,
    intent: PostingIntent,
    row: Outbox,
    event: str,
    stated: OutboxWord,
    person: str,
) -> str:
    """Move the row, and its adjustment where that is the end."""
    now = database_now(session)
    before, row.state = row.state, move("outbox", row.state, event)
    row.attempts, row.held, row.next_at, row.changed_at = 0, None, now, now
    document = stated.document or None
    row.erp_doc_id = document or row.erp_doc_id
    row.reason = f"{event} by {stated.person} and {person}: {stated.reason}"
    if row.state == "CONFIRMED":
        row.document_no = document
    session.flush()
    detail = {
        "from": before,
        "event": event,
        "to": row.state,
        "fence": row.fence,
        "doc_id": row.erp_doc_id,
        "stated": stated.person,
        "evidence": stated.reason,
    }
    adjustment_event = _ADJUSTMENT_EVENTS.get(row.state)
    adjustment = None
    if adjustment_event is not None:
        adjustment = session.get_one(Adjustment, intent.adjustment_id, with_for_update=True)
        adjustment.state = move("adjustment", adjustment.state, adjustment_event)
        if row.state == "CONFIRMED":
            adjustment.document_no, adjustment.posted_at = document, now
        session.flush()
    append(session, person, f"outbox {row.state}", "intent", row.intent_id, detail)
    if adjustment is not None:
        after = {"document_no": row.document_no, "intent": row.intent_id, "reason": row.reason}
        action = f"adjustment {adjustment_event}"
        append(session, person, action, "adjustment", adjustment.adjustment_id, after)
    return _WORDS[row.state].format(document=document)


_WORDS = {
    "DRAFTED": "document {document} is read and compared with the next run",
    "CONFIRMED": "confirmed as document {document} by two people",
    "REJECTED": "there is no document of it; `tieout outbox replay` proposes it again",
}
