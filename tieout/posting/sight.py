"""What an observation is called, and what it teaches; `tieout.posting.protocol` says what follows.

Pure, and the only place that looks into answers: each function returns the name of what was seen
(the second column of `STEPS`) and the row with what is known now, not yet moved.
"""

from __future__ import annotations

from dataclasses import replace

from tieout.connectors.ports import Delivery
from tieout.posting.pace import Limits
from tieout.posting.terms import Answer, Blind, Observation, Row, Seen, SeenDocument

__all__ = ["see"]


def see(row: Row, observation: Observation, limits: Limits) -> tuple[str, Row]:
    """The name of what was seen, and the row with what it taught us, not yet moved."""
    if isinstance(observation, Blind):
        ends = row.refused or row.state == "VOIDING"  # then the ERP's reason is the one to keep
        return "blind", row if ends else replace(row, reason=observation.message)
    if isinstance(observation, Seen):
        if row.state == "UNKNOWN":
            return _see_unknown(row, observation, limits)
        return _see_ours(row, observation, limits)
    if observation.command.phase == "create":
        return _see_created(row, observation.delivery)
    return _see_effect(row, observation)


def _see_created(row: Row, delivery: Delivery) -> tuple[str, Row]:
    """An answered create; unless it surely had no effect, it may land from now on."""
    ineffective = delivery.outcome in ("NOT_SENT", "THROTTLED", "REJECT")
    after = replace(row, reason=_reason(delivery), settled=row.settled and ineffective)
    match delivery.outcome:
        case "OK" if delivery.doc_id:
            return "draft made", replace(after, doc_id=delivery.doc_id, refused=False, reason="")
        case "EXISTS":
            return "there already", after
        case "NOT_SENT":
            return "not sent", replace(after, attempts=row.attempts - 1)
        case "THROTTLED":
            return "throttled", replace(after, attempts=row.attempts - 1)
        case "PENDING":
            return "under way", replace(after, accepted=True)
        case "REJECT":
            sight = "refused, after an unknown" if row.unknown else "refused"
            return sight, replace(after, refused=True)
        case _:
            return "unanswered", after


def _see_effect(row: Row, answer: Answer) -> tuple[str, Row]:
    """An answered post, or delete of our document or an orphan."""
    delivery, doc_id = answer.delivery, answer.command.doc_id
    # What an effect did is believed only when it is seen: every answer asks for another look.
    after = replace(row, checked=False, missed=False, orphan=None)
    never_left = delivery.outcome in ("NOT_SENT", "THROTTLED")
    if never_left:
        after = replace(after, attempts=row.attempts - 1)
    if doc_id != row.doc_id:
        if never_left or delivery.outcome in ("UNKNOWN", "PENDING"):
            return "orphan unanswered", replace(after, reason=_reason(delivery))
        return "orphan answered", replace(after, swept=row.swept | {doc_id or ""})
    match delivery.outcome:
        case "OK" | "EXISTS":
            return "answered", replace(after, answered=True)
        case "REJECT" if row.state == "DRAFTED":
            return "refused", replace(after, reason=_reason(delivery))
        case "REJECT":
            return "refused", replace(after, answered=True)  # keep why it is voided
        case "NOT_SENT":
            return "not sent", _because(after, delivery)
        case "THROTTLED":
            return "throttled", _because(after, delivery)
        case "PENDING":  # the system does it itself, in its own time: asking is no attempt
            return "under way", replace(_because(after, delivery), attempts=row.attempts - 1)
        case _:
            return "unanswered", _because(after, delivery)


def _see_unknown(row: Row, seen: Seen, limits: Limits) -> tuple[str, Row]:
    """All documents with our reference, while we do not know whether we made one."""
    posted = [document for document in seen.documents if document.posted]
    if len(posted) > 1:
        return "several posted", replace(row, reason=_several(posted))
    if row.doc_id is not None:
        ours = [document for document in seen.documents if document.doc_id == row.doc_id]
        if ours or row.missed:
            return ("found", row) if ours else ("gone", replace(row, reason=_gone(row)))
        return "not shown", replace(row, missed=True)
    if seen.documents:
        # The lowest draft: two workers, or the old and the new database, adopt the same one.
        adopted = posted[0] if posted else min(seen.documents, key=_by_id)
        return "found", replace(row, doc_id=adopted.doc_id, refused=False, reason="")
    if seen.pending:
        return "under way", replace(row, reason=seen.pending)
    if seen.refused:
        row = replace(row, refused=True, reason=seen.refused)
    return _see_nothing(row, limits)


def _see_nothing(row: Row, limits: Limits) -> tuple[str, Row]:
    """Nothing with our reference, and nothing under way: may it be sent again, and is it over?"""
    may_land = _may_land(row)
    if row.refused:
        return ("nothing yet" if may_land else "nothing, refused before"), row
    if row.kind == "E":
        return "nothing, attempts spent", replace(row, reason=_never_again(row))
    works_on_it = row.accepted and row.kind in ("B", "D")
    if works_on_it and not row.overdue:
        return "nothing yet", row
    if works_on_it or row.attempts >= limits.attempts_max:
        return "nothing, attempts spent", replace(row, reason=_spent(row))
    if row.kind == "B" and not row.key_alive:
        # What the system has forgotten may have been given up there: it is not sent once more.
        spent = replace(row, reason=_forgotten(row))
        return ("nothing yet", row) if may_land else ("nothing, attempts spent", spent)
    return ("nothing" if row.kind != "D" or not may_land else "nothing yet"), row


def _see_ours(row: Row, seen: Seen, limits: Limits) -> tuple[str, Row]:
    """Our document, whose id is known, and (from a ``find``) what stands beside it."""
    after = replace(row, checked=False, orphan=None)
    others = sorted((d for d in seen.documents if d.doc_id != row.doc_id), key=_by_id)
    posted = [document for document in others if document.posted]
    ours = next((d for d in seen.documents if d.doc_id == row.doc_id), None)
    if posted:
        return "several posted", replace(after, reason=_several(posted))
    orphans = [document.doc_id for document in others if document.doc_id not in row.swept]
    if row.attempts >= limits.attempts_max:
        orphans = []
    if others and not orphans and row.kind != "C":
        return "another stays", replace(after, reason=_stays(others))
    # In C drafts that will not go harm nobody: the end of ours does not wait for them.
    beside = ", orphan beside" if orphans else ""
    after = replace(after, orphan=orphans[0] if orphans else None)
    if ours is None:
        return _see_gone(after, beside)
    if ours.posted and (not ours.differences or row.state == "VOIDING"):
        return f"posted{beside}", replace(after, document_no=ours.number or ours.doc_id, reason="")
    after = replace(after, orphan=None)  # orphans are swept last, once ours is settled
    if ours.differences and row.state == "DRAFTED":
        return "differs", replace(after, reason=_differs(ours))
    if row.answered:
        return "draft still", after
    if row.attempts >= limits.attempts_max:
        return "draft, attempts spent", replace(after, reason=_spent(row))
    return "draft", replace(after, checked=True)


def _see_gone(row: Row, beside: str) -> tuple[str, Row]:
    """Our document is not among what was seen; a ``find`` may lag, so a ``read`` has to say so."""
    voiding = row.state == "VOIDING"
    if row.unknown and not row.missed and not (voiding and beside):
        return "not shown", replace(row, orphan=None, missed=True)
    if not beside and _may_land(row):
        return ("gone, another may land" if voiding else "not shown yet"), row
    return f"gone{beside}", row if voiding else replace(row, reason=_gone(row))


def _because(row: Row, delivery: Delivery) -> Row:
    """Why it waits; but a row being voided keeps why it was refused."""
    return row if row.state == "VOIDING" else replace(row, reason=_reason(delivery))


def _by_id(document: SeenDocument) -> tuple[int, str]:
    """Numeric ids in numeric order, others by length, then text."""
    return len(document.doc_id), document.doc_id


def _reason(delivery: Delivery) -> str:
    return f"{delivery.code}: {delivery.message}"


def _several(posted: list[SeenDocument]) -> str:
    names = ", ".join(document.number or document.doc_id for document in posted)
    return f"posted with our reference beside ours, or more than once: {names}"


def _stays(others: list[SeenDocument]) -> str:
    names = ", ".join(document.number or document.doc_id for document in others)
    return f"drafts with our reference will not go, and the ERP may post them: {names}"


def _gone(row: Row) -> str:
    return f"document {row.doc_id} is no longer in the ERP; somebody else removed it"


def _differs(document: SeenDocument) -> str:
    state = "posted" if document.posted else "draft"
    return f"{state} document {document.doc_id} differs: {'; '.join(document.differences)}"


def _may_land(row: Row) -> bool:
    """Whether a create of this intent may still have an effect that nobody has seen.

    In class C it would be a draft that nobody posts.
    """
    return row.kind != "C" and not row.settled


def _never_again(row: Row) -> str:
    return f"nobody can say whether it arrived, so it is not sent again: {row.reason}"


def _forgotten(row: Row) -> str:
    last = row.reason or "no answer"
    return f"the system no longer knows its key, so it is not sent again; the last: {last}"


def _spent(row: Row) -> str:
    return f"{row.attempts} attempts without an end; the last: {row.reason or 'no answer'}"
