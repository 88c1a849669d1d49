"""Taking one due row of the outbox, and what a new database epoch does to all of them.

Leases and due times are the database's clock and no other. A claim raises the fence, so that
nobody who held the row before can write to it again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import Session

from tieout.audit.chain import append
from tieout.connectors.ports import Capability, Journal
from tieout.ledger.ledger import Ledger, database_epoch, database_now
from tieout.ledger.models import AuditRow, Outbox, PostingAttempt, PostingIntent
from tieout.posting.pace import Limits
from tieout.posting.payload import journal_of
from tieout.posting.protocol import WORKING, claim_event
from tieout.posting.reversal import document_to_reverse
from tieout.posting.terms import Row
from tieout.states import move

__all__ = [
    "CapabilityOf",
    "Claim",
    "any_due",
    "claim_companions",
    "claim_row",
    "enter_epoch",
    "load_claim",
    "moment",
    "never_sent",
]

#: A connector's `capability`.
CapabilityOf = Callable[[Journal], Capability]

#: A new epoch starts its fences above any number lost commits of the old one can have used.
_FENCE_RANGE: Final = 1_000_000
_MOMENT: Final = "moment"  # of a session's transaction
_EPOCHS: Final = ("database", "database-epoch")  # subject of the audit rows that note epochs


@dataclass(frozen=True, slots=True)
class Claim:
    """A row this worker holds.

    Attributes:
        row: the protocol's view of it.
        fence, epoch: what every write must still find.
        attempt_id: the effect that is committed and under way, None between effects.
        looks: reads and finds made under this claim.
        failures: waits in a row, for the backoff.
        lease_until: when the claim is over, by the database's clock, without a sign of life.
    """

    intent_id: str
    adjustment_id: str
    kind: str
    ext_ref: str
    payload_sha256: str
    journal: Journal
    owner: str
    row: Row
    fence: int
    epoch: str
    lease_until: dt.datetime
    attempt_id: int | None = None
    looks: int = 0
    failures: int = 0


def moment(session: Session) -> tuple[str, dt.datetime]:
    """The database's epoch and instant, asked for once in a transaction."""
    mine, epoch, now = session.info.get(_MOMENT, (None, "", dt.datetime.min.replace(tzinfo=dt.UTC)))
    if mine is not session.get_transaction():
        epoch, now = database_epoch(session), database_now(session)
        session.info[_MOMENT] = (session.get_transaction(), epoch, now)
    return epoch, now


def enter_epoch(ledger: Ledger, erp: str, limits: Limits) -> str:
    """Note the database's epoch; on a new one send every unfinished row through recovery.

    A restore or fail-over may have lost commits: a row that reads READY may have been sent. All
    wait for `Limits.settle`, then are looked up by reference before anything is sent.
    """
    with ledger.session() as session:
        epoch = database_epoch(session)
        _note_epoch(session, epoch)
        rows = session.scalars(
            select(Outbox)
            .where(Outbox.erp == erp, Outbox.state.in_(WORKING), Outbox.epoch != epoch)
            .order_by(Outbox.intent_id)
            .with_for_update(skip_locked=True)
        ).all()
        now = database_now(session)
        moved = [(row, *_recover(row, epoch, now, limits)) for row in rows]
        session.flush()
        for row, before, event in moved:
            detail = {"from": before, "event": event, "to": row.state, "fence": row.fence}
            append(session, "tieout", f"outbox {row.state}", "intent", row.intent_id, detail)
    return epoch


def _note_epoch(session: Session, epoch: str) -> None:
    """An audit row when an epoch is first seen: the ledger remembers that it has a past."""
    if epoch not in _epochs(session):
        append(session, "tieout", "epoch seen", *_EPOCHS, {"epoch": epoch})


def _epochs(session: Session) -> list[str]:
    """Every epoch this ledger was seen in, oldest first."""
    kind, subject = _EPOCHS
    rows = session.scalars(
        select(AuditRow.detail)
        .where(AuditRow.subject_id == subject, AuditRow.subject_kind == kind)
        .order_by(AuditRow.seq)
    )
    return [detail["epoch"] for detail in rows]


def _recover(row: Outbox, epoch: str, now: dt.datetime, limits: Limits) -> tuple[str, str]:
    """Move one row into the new epoch; return its state before, and the event."""
    before, event = row.state, "epoch changed"
    if before in ("READY", "RETRY_WAIT", "SENDING"):
        row.state = move("outbox", before, event)
    row.epoch, row.owner, row.lease_until = epoch, None, None
    row.fence = (row.fence // _FENCE_RANGE + 1) * _FENCE_RANGE
    row.unknown_since = row.unknown_since or now
    row.next_at, row.changed_at = now + limits.settle, now
    return before, event


def _has_past(session: Session, epoch: str) -> bool:
    """Whether this ledger was ever restored or failed over: then even a new row may be known."""
    timeline = epoch.rpartition("/")[2]
    return timeline != "1" or any(other != epoch for other in _epochs(session))


def never_sent(session: Session, row: Outbox) -> bool:
    """Whether a locked row was surely never sent, so that it may be cancelled.

    No attempt is on record, and no fail-over or restore can have forgotten one.
    """
    epoch = database_epoch(session)
    if row.state != "READY" or row.epoch != epoch or _has_past(session, epoch):
        return False
    attempt = select(PostingAttempt.attempt_id).where(PostingAttempt.intent_id == row.intent_id)
    return session.scalars(attempt.limit(1)).first() is None


def claim_row(session: Session, erp: str, owner: str, limits: Limits) -> Outbox | None:
    """Take the row that is due longest: lease, fence, and its state moved by the claim.

    The caller commits. None when nothing is due, or all of it is held or another's.
    """
    row = session.scalar(_due(session, erp, WORKING).limit(1))
    return None if row is None else _take(session, row, owner, limits)


def any_due(session: Session, erp: str) -> bool:
    """Whether a claim would find a row now; nothing is locked."""
    return session.scalar(_rows_due(session, erp, WORKING).limit(1)) is not None


def claim_companions(
    session: Session, first: Outbox, company: str, owner: str, limits: Limits, most: int
) -> list[Outbox]:
    """Rows that may travel in one request with the first: plain journals of its company, new too.

    The caller commits; they are taken as `claim_row` takes one, at most ``most`` of them.
    """
    due = (
        _due(session, first.erp, ("READY", "RETRY_WAIT"))
        .join(PostingIntent, PostingIntent.intent_id == Outbox.intent_id)
        .where(
            PostingIntent.company == company,
            PostingIntent.kind == "ADJUST",
            Outbox.intent_id != first.intent_id,
        )
    )
    return [_take(session, row, owner, limits) for row in session.scalars(due.limit(most)).all()]


def _due(session: Session, erp: str, states: Sequence[str]) -> Select[Outbox]:
    """`_rows_due`, each locked; what others have locked is passed over."""
    return _rows_due(session, erp, states).with_for_update(skip_locked=True, of=Outbox)


def _rows_due(session: Session, erp: str, states: Sequence[str]) -> Select[Outbox]:
    """What is due, nobody's and not held, in the order in which it is taken."""
    epoch, now = moment(session)
    return (
        select(Outbox)
        .where(
            Outbox.erp == erp,
            Outbox.epoch == epoch,
            Outbox.state.in_(states),
            Outbox.held.is_(None),
            Outbox.next_at <= now,
            or_(Outbox.lease_until.is_(None), Outbox.lease_until < now),
        )
        .order_by(Outbox.next_at, Outbox.intent_id)
    )


def _take(session: Session, row: Outbox, owner: str, limits: Limits) -> Outbox:
    """Lease and fence a locked row, and move its state."""
    epoch, now = moment(session)
    before, event = row.state, claim_event(row.state, unknown=row.unknown_since is not None)
    if before == "READY" and _has_past(session, epoch):
        event = "epoch changed"
    row.fence, row.owner, row.lease_until = row.fence + 1, owner, now + limits.lease
    if event is not None:
        row.state, row.changed_at = move("outbox", before, event), now
    if row.state == "UNKNOWN":
        row.unknown_since = row.unknown_since or now
    _close_dead_attempts(session, row.intent_id)
    session.flush()
    if event is not None:
        detail = {"from": before, "event": event, "to": row.state, "fence": row.fence}
        append(session, owner, f"outbox {row.state}", "intent", row.intent_id, detail)
    return row


def _close_dead_attempts(session: Session, intent_id: str) -> None:
    """An attempt without an outcome is its worker's death: nobody knows what became of it."""
    session.execute(
        update(PostingAttempt)
        .where(PostingAttempt.intent_id == intent_id, PostingAttempt.outcome.is_(None))
        .values(
            outcome="UNKNOWN",
            code="WORKER_LOST",
            message="the worker ended before it recorded an answer",
            ended_at=func.clock_timestamp(),
        )
    )


def load_claim(session: Session, row: Outbox, capability_of: CapabilityOf, limits: Limits) -> Claim:
    """The claimed row with its intent, what its attempts tell, and what time has settled."""
    intent = session.get_one(PostingIntent, row.intent_id)
    journal = journal_of(intent.payload, intent.ext_ref)
    if intent.kind == "REVERSE":
        journal = replace(journal, reverses=document_to_reverse(session, intent.adjustment_id))
    capability, (_, now) = capability_of(journal), moment(session)
    attempts = session.execute(
        select(PostingAttempt.phase, PostingAttempt.outcome, PostingAttempt.started_at)
        .where(PostingAttempt.intent_id == row.intent_id)
        .order_by(PostingAttempt.attempt_id.desc())
    ).all()
    created = [attempt for attempt in attempts if attempt.phase == "create"]
    answered = [a.outcome for a in created if a.outcome in ("OK", "EXISTS", "REJECT")]
    good = (n for n, attempt in enumerate(attempts) if attempt.outcome in ("OK", "EXISTS"))
    # Commits of an earlier epoch may be lost: what was sent then was sent before the change.
    latest = max([row.changed_at, *(attempt.started_at for attempt in created)])
    first = min([now, *(attempt.started_at for attempt in created)])
    # A lost first attempt cannot be older than its intent.
    key_ends = intent.created_at + (capability.key_lifetime or dt.timedelta(0))
    key_ends -= limits.lease + limits.send_grace + capability.settle
    return Claim(
        intent_id=row.intent_id,
        adjustment_id=intent.adjustment_id,
        kind=intent.kind,
        ext_ref=intent.ext_ref,
        payload_sha256=intent.payload_sha256,
        journal=journal,
        owner=row.owner or "",
        row=Row(
            state=row.state,
            doc_id=row.erp_doc_id,
            attempts=row.attempts,
            unknown=row.unknown_since is not None,
            refused=answered[:1] == ["REJECT"],
            reason=row.reason,
            document_no=row.document_no,
            kind=capability.kind,
            settled=now >= latest + limits.send_grace + capability.settle,
            key_alive=now < key_ends,
            accepted=any(attempt.outcome == "PENDING" for attempt in created),
            overdue=now >= first + limits.patience,
        ),
        fence=row.fence,
        epoch=row.epoch,
        lease_until=row.lease_until or now,
        failures=next(good, len(attempts)),
    )
