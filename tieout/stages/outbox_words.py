"""What people decide on postings: hold, release, cancel, replay; each with a reason, all audited.

* ``hold``: nothing more is sent for it until somebody releases it; a worker that has it in hand
  stops before its next request.
* ``release``: a held posting goes on. One that is MANUAL is looked up again, and may be sent again:
  one person asks for that, another one grants it, and the database wants both.
* ``cancel``: only what no worker ever took; its adjustment counts as rejected by that person.
* ``replay``: what the ERP refused is proposed again, once the cause there is mended: a new
  adjustment in the old one's place, that another person approves; the old intent stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tieout.audit import append
from tieout.errors import LedgerError
from tieout.identity import content_id
from tieout.ledger import Ledger, database_now
from tieout.ledger.models import (
    Adjustment,
    AdjustmentLine,
    Outbox,
    OutboxWord,
    PostingIntent,
)
from tieout.posting.claim import never_sent
from tieout.posting.protocol import WORKING
from tieout.posting.record import transaction
from tieout.states import move

__all__ = ["VERBS", "find_intent", "say"]

_Step = Callable[[Session, PostingIntent, Outbox, str, str], str]


def say(ledger: Ledger, verb: str, key: str, person: str, reason: str) -> str:
    """Carry out one person's word on one posting; returns what became of it, for people.

    Args:
        verb: one of `VERBS`.
        key: the intent's id, its start, or its reference in the ERP.

    Raises:
        LedgerError: ``REASON_MISSING``, ``INTENT_UNKNOWN``, ``OUTBOX_STATE`` (it is not in a state
            for that), ``OUTBOX_SENT`` (too late to cancel), ``RELEASE_SELF`` (who asked may not
            grant it).
    """
    if not reason.strip():
        raise LedgerError("REASON_MISSING", f"to {verb} needs a reason", remedy="give --reason")
    with transaction(ledger, f"outbox {verb}") as session:
        intent = find_intent(session, key)
        # Who claims it meanwhile is waited for; it passes over what we hold here.
        row = session.get_one(Outbox, intent.intent_id, with_for_update=True)
        return VERBS[verb](session, intent, row, person, reason)


def find_intent(session: Session, key: str) -> PostingIntent:
    """The one intent whose id begins so, or with this reference.

    Raises:
        LedgerError: ``INTENT_UNKNOWN``.
    """
    starts = PostingIntent.intent_id.startswith(key, autoescape=True)
    found = session.scalars(
        select(PostingIntent).where(starts | (PostingIntent.ext_ref == key)).limit(2)
    ).all()
    if len(found) != 1:
        raise LedgerError(
            "INTENT_UNKNOWN",
            f"{'no' if not found else 'more than one'} intent begins with {key!r}",
            remedy="`tieout outbox list --all` shows the ids",
        )
    return found[0]


def _hold(session: Session, intent: PostingIntent, row: Outbox, person: str, reason: str) -> str:
    if row.state not in WORKING:
        raise _state(row, "held", "only what is still to be sent can be held")
    row.held = f"{person}: {reason}"
    _record(session, row, "hold", person, reason)
    append(session, person, "held", "intent", row.intent_id, {"reason": reason})
    return f"held by {person}; it stays {row.state}"


def _release(session: Session, intent: PostingIntent, row: Outbox, person: str, reason: str) -> str:
    if row.state == "MANUAL":
        return _release_manual(session, row, person, reason)
    if row.held is None:
        raise _state(row, "released", "nobody holds it")
    row.held = None
    _record(session, row, "release", person, reason)
    append(session, person, "released", "intent", row.intent_id, {"reason": reason})
    return f"released; it is {row.state} and goes on with the next run"


def _release_manual(session: Session, row: Outbox, person: str, reason: str) -> str:
    """The first person asks, another one grants: what is found decides, nothing is sent blindly."""
    asked = session.scalar(
        select(OutboxWord)
        .where(
            OutboxWord.intent_id == row.intent_id,
            OutboxWord.verb == "ask",
            OutboxWord.fence == row.fence,
        )
        .order_by(OutboxWord.word_no)
        .limit(1)
    )
    if asked is None:
        _record(session, row, "ask", person, reason)
        append(session, person, "release asked", "intent", row.intent_id, {"reason": reason})
        return f"{person} asks for its release; another person must release it too"
    if asked.person.strip().lower() == person.strip().lower():
        raise LedgerError(
            "RELEASE_SELF",
            f"{person} asked for this release and may not grant it",
            where=f"intent {row.intent_id}",
            remedy="another person must release it: it may be sent again",
        )
    _record(session, row, "release", person, reason)
    now = database_now(session)
    before, row.state = row.state, move("outbox", row.state, "release")
    row.attempts, row.held, row.next_at, row.changed_at = 0, None, now, now
    row.unknown_since = row.unknown_since or now
    session.flush()
    people = {"asked": asked.person, "reason": reason}
    detail = {"from": before, "event": "release", "to": row.state, "fence": row.fence, **people}
    append(session, person, f"outbox {row.state}", "intent", row.intent_id, detail)
    return f"released by {asked.person} and {person}; the next run looks it up first"


def _cancel(session: Session, intent: PostingIntent, row: Outbox, person: str, reason: str) -> str:
    """Only a row that was surely never sent; after a restore nobody can know that."""
    if not never_sent(session, row):
        ready = "but a run that died, or that a restore has forgotten, may have sent it"
        known = ready if row.state == "READY" else "it is too late"
        raise LedgerError(
            "OUTBOX_SENT",
            f"it is {row.state}, {known}",
            where=f"intent {row.intent_id}",
            remedy="hold it; or let it be posted and undo the match it belongs to",
        )
    before, row.state = row.state, move("outbox", row.state, "cancel")
    row.changed_at, row.reason = database_now(session), f"cancelled by {person}: {reason}"
    adjustment = session.get_one(Adjustment, intent.adjustment_id, with_for_update=True)
    adjustment.state = move("adjustment", adjustment.state, "cancel")
    _record(session, row, "cancel", person, reason)
    detail = {"from": before, "event": "cancel", "to": row.state, "fence": row.fence}
    why = {"reason": reason}
    append(session, person, f"outbox {row.state}", "intent", row.intent_id, detail | why)
    append(session, person, adjustment.state, "adjustment", adjustment.adjustment_id, why)
    return "cancelled; its adjustment is rejected and not proposed again"


def _replay(session: Session, intent: PostingIntent, row: Outbox, person: str, reason: str) -> str:
    if row.state != "REJECTED":
        raise _state(
            row, "replayed", "only what the ERP refused for good; release what is MANUAL first"
        )
    old = session.get_one(Adjustment, intent.adjustment_id, with_for_update=True)
    old.state = move("adjustment", old.state, "replay")
    new = _again(session, old, person)
    _record(session, row, "replay", person, reason, successor=new.adjustment_id)
    gone = {"reason": reason, "superseded_by": new.adjustment_id}
    append(session, person, "replayed", "intent", row.intent_id, gone)
    append(session, person, old.state, "adjustment", old.adjustment_id, gone)
    made = {"supersedes": old.adjustment_id, "payload": new.payload_sha256}
    append(session, person, "proposed", "adjustment", new.adjustment_id, made)
    return f"proposed again as adjustment {new.adjustment_id}; another person approves it"


def _again(session: Session, old: Adjustment, person: str) -> Adjustment:
    """The same journal under the next number of its business key, to be approved anew."""
    base, bar, number = old.business_key.rpartition("|")
    base = base if bar and number.isdigit() else old.business_key
    taken = select(func.count()).where(
        Adjustment.business_key.startswith(f"{base}|", autoescape=True)
    )
    key = f"{base}|{session.scalars(taken).one() + (1 if base != old.business_key else 2)}"
    columns = {c.key: getattr(old, c.key) for c in Adjustment.__table__.columns}
    for name in ("proposed_at", "posted_at", "document_no", "approver"):
        columns.pop(name)
    adjustment_id = content_id("adjustment", key)
    columns |= {
        "adjustment_id": adjustment_id,
        "business_key": key,
        "state": move("adjustment", "proposed", "submit"),
        "maker": person,
    }
    new = Adjustment(**columns)
    session.add(new)
    session.flush()
    lines = select(AdjustmentLine).where(AdjustmentLine.adjustment_id == old.adjustment_id)
    for line in session.scalars(lines.order_by(AdjustmentLine.ordinal)).all():
        copied = {c.key: getattr(line, c.key) for c in AdjustmentLine.__table__.columns}
        session.add(AdjustmentLine(**(copied | {"adjustment_id": adjustment_id})))
    session.flush()
    return new


def _record(
    session: Session,
    row: Outbox,
    verb: str,
    person: str,
    reason: str,
    successor: str | None = None,
) -> None:
    session.add(
        OutboxWord(
            intent_id=row.intent_id,
            verb=verb,
            person=person,
            reason=reason,
            fence=row.fence,
            successor=successor,
        )
    )
    session.flush()


def _state(row: Outbox, verb: str, why: str) -> LedgerError:
    return LedgerError(
        "OUTBOX_STATE",
        f"a posting that is {row.state} cannot be {verb}: {why}",
        where=f"intent {row.intent_id}",
        remedy="`tieout outbox show ID` says what happened to it",
    )


VERBS: Final[dict[str, _Step]] = {
    "cancel": _cancel,
    "hold": _hold,
    "release": _release,
    "replay": _replay,
}
