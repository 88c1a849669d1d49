"""One transaction between two requests: record what was seen, move the row, commit what comes next.

Every write asks that fence, epoch and state are still what this worker holds; where they are not,
somebody else has the row and nothing is written (`StaleClaimError`). An effect's attempt is
committed here, before its first byte leaves.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from tieout import boundary
from tieout.audit.chain import append
from tieout.errors import LedgerError
from tieout.ledger.ledger import Ledger, database_now
from tieout.ledger.models import Adjustment, Outbox, PostingAttempt
from tieout.posting.claim import (
    CapabilityOf,
    Claim,
    claim_companions,
    claim_row,
    load_claim,
)
from tieout.posting.pace import Limits, backoff
from tieout.posting.protocol import Step, decide, step
from tieout.posting.terms import Answer, Command, Observation, Seen
from tieout.states import move

__all__ = ["StaleClaimError", "next_claims", "record", "set_aside", "transaction"]

#: What the end of an intent means for its adjustment: (kind, outbox state) → event.
_ADJUSTMENT_EVENT: Final = {
    ("ADJUST", "CONFIRMED"): "posted",
    ("ADJUST", "REJECTED"): "refused by ERP",
    ("REVERSE", "CONFIRMED"): "posted",
    ("REVERSE", "REJECTED"): "refused by ERP",
}


class StaleClaimError(LedgerError):
    """Another worker has taken the row; what this one knows of it is void."""


@contextmanager
def transaction(ledger: Ledger, name: str) -> Iterator[Session]:
    """One transaction whose commit is the boundary ``commit <name>``."""
    with ledger.session() as session:
        yield session
        session.flush()
        boundary.reached(f"commit {name}", "before")
    boundary.reached(f"commit {name}", "after")


def next_claims(
    ledger: Ledger, erp: str, owner: str, capability_of: CapabilityOf, limits: Limits
) -> list[Claim]:
    """Claim a row and commit its first attempt with the claim; empty when nothing is due.

    Where the row is a new journal and its endpoint takes several documents with one request,
    others like it come with it.
    """
    with transaction(ledger, "claim") as session:
        row = claim_row(session, erp, owner, limits)
        if row is None:
            return []
        claims = [load_claim(session, row, capability_of, limits)]
        journal = claims[0].journal
        most = capability_of(journal).batch_max - 1
        if row.state == "SENDING" and journal.endpoint == "journal" and most > 0:
            others = claim_companions(session, row, journal.company, owner, limits, most)
            claims += [load_claim(session, other, capability_of, limits) for other in others]
        now = database_now(session)
        return [_begin(session, claim, limits, now) for claim in claims]


def record(
    ledger: Ledger, claim: Claim, command: Command, observation: Observation, limits: Limits
) -> tuple[Claim, Step]:
    """Record an observation and what follows from it.

    Returns:
        The claim, with the next effect's attempt committed, and the step taken. After a step
        whose ``then`` is not ``go`` the row is released; so it is when somebody holds it.

    Raises:
        StaleClaimError: ``CLAIM_STALE``; nothing was written.
    """
    taken = step(claim.row, observation, limits)
    with transaction(ledger, f"after {command.phase}") as session:
        after = replace(claim, row=taken.row, attempt_id=None)
        if taken.then == "wait":
            after = replace(after, failures=claim.failures + 1)
        now = database_now(session)
        held = _write(session, claim, _values(after, taken, limits, now))
        after = _note_attempt(session, claim, after, command, observation, now)
        if held and taken.then == "go":
            _write(session, after, {"owner": None, "lease_until": None})
            taken = replace(taken, then="wait")
        elif taken.then == "go":
            after = _begin(session, after, limits, now)
        if taken.event is not None:
            _note_event(session, claim, taken, now)
    return after, taken


def set_aside(ledger: Ledger, claim: Claim, error: Exception, limits: Limits) -> None:
    """Let go of a row whose outcome the ledger refused, so that it stops nothing else.

    Its state stays as committed before the request, so that the next claim asks the ERP what is.
    """
    with transaction(ledger, "set aside") as session:
        later = database_now(session) + limits.backoff_max
        words = str(error).splitlines()[0]
        values = {"reason": words, "owner": None, "lease_until": None, "next_at": later}
        with contextlib.suppress(StaleClaimError):
            _write(session, claim, values)


def _begin(session: Session, claim: Claim, limits: Limits, now: dt.datetime) -> Claim:
    """Write the attempt of the claim's next effect; a look needs none before it."""
    command = decide(claim.row)
    if command is None or not command.effect:
        return claim
    number = claim.row.attempts + 1
    attempt = _attempt(claim, command, number)
    attempt.started_at = now
    session.add(attempt)
    values = {"attempts": number, "send_by": now + limits.send_grace}
    _write(session, claim, {**values, "first_sent_at": func.coalesce(Outbox.first_sent_at, now)})
    session.flush()
    return replace(claim, row=replace(claim.row, attempts=number), attempt_id=attempt.attempt_id)


def _write(session: Session, claim: Claim, values: dict[str, Any]) -> str | None:
    """Write the row under the claim's fence, epoch and state; return who or what holds it."""
    done = session.execute(
        update(Outbox)
        .where(
            Outbox.intent_id == claim.intent_id,
            Outbox.fence == claim.fence,
            Outbox.epoch == claim.epoch,
            Outbox.state == claim.row.state,
        )
        .values(values)
        .returning(Outbox.held)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if done is None:
        raise StaleClaimError(
            "CLAIM_STALE",
            f"intent {claim.intent_id} is no longer {claim.row.state} under fence {claim.fence}",
            remedy="nothing: the worker that took it goes on",
        )
    held: str | None = done.held
    return held


def _values(after: Claim, taken: Step, limits: Limits, now: dt.datetime) -> dict[str, Any]:
    """The columns of the row after a step."""
    row = after.row
    values: dict[str, Any] = {
        "state": row.state,
        "erp_doc_id": row.doc_id,
        "document_no": row.document_no,
        "attempts": row.attempts,
        "reason": row.reason,
        "lease_until": now + limits.lease,
    }
    if taken.then != "go":
        values |= {"owner": None, "lease_until": None}
    if taken.then == "wait":
        values["next_at"] = now + backoff(limits, after.intent_id, after.failures)
    if taken.event is not None:
        values["changed_at"] = now
    if row.unknown:
        values["unknown_since"] = func.coalesce(Outbox.unknown_since, now)
    return values


def _note_attempt(
    session: Session,
    claim: Claim,
    after: Claim,
    command: Command,
    observation: Observation,
    now: dt.datetime,
) -> Claim:
    """Complete the effect's attempt, or write a look as one that is complete already."""
    ended = _ending(observation) | {"ended_at": now}
    if claim.attempt_id is not None:
        session.execute(
            update(PostingAttempt)
            .where(PostingAttempt.attempt_id == claim.attempt_id, PostingAttempt.outcome.is_(None))
            .values(ended)
        )
        return after
    attempt = _attempt(claim, command, claim.looks + 1)
    for name, value in ended.items():
        setattr(attempt, name, value)
    session.add(attempt)
    return replace(after, looks=claim.looks + 1)


def _ending(observation: Observation) -> dict[str, Any]:
    """The columns that complete an attempt."""
    if isinstance(observation, Answer):
        delivery = observation.delivery
        return {
            "outcome": delivery.outcome,
            "code": delivery.code,
            "message": delivery.message,
            "response_sha256": delivery.response_sha256,
        }
    if isinstance(observation, Seen):
        digest = hashlib.sha256(repr(observation.documents).encode()).hexdigest()
        said = "; ".join(
            f"{'posted' if d.posted else 'draft'} {d.number or d.doc_id}"
            for d in observation.documents
        )
        return {
            "outcome": "OK",
            "code": "SEEN",
            "message": said or observation.pending or observation.refused or "nothing",
            "response_sha256": digest,
        }
    return {
        "outcome": "UNKNOWN",
        "code": "BLIND",
        "message": observation.message,
    }


def _attempt(claim: Claim, command: Command, number: int) -> PostingAttempt:
    return PostingAttempt(
        intent_id=claim.intent_id,
        attempt_no=number,
        phase=command.phase,
        epoch=claim.epoch,
        fence=claim.fence,
        owner=claim.owner,
        ext_ref=claim.ext_ref,
        payload_sha256=claim.payload_sha256,
    )


def _note_event(session: Session, claim: Claim, taken: Step, now: dt.datetime) -> None:
    """Audit a state change, and move the adjustment where the delivery ended (row locks first)."""
    row = taken.row
    adjustment_event = _ADJUSTMENT_EVENT.get((claim.kind, row.state))
    if adjustment_event is not None:
        adjustment = session.get_one(Adjustment, claim.adjustment_id, with_for_update=True)
        adjustment.state = move("adjustment", adjustment.state, adjustment_event)
        if adjustment_event == "posted":
            adjustment.document_no, adjustment.posted_at = row.document_no, now
    session.flush()
    detail = {
        "from": claim.row.state,
        "event": taken.event,
        "to": row.state,
        "fence": claim.fence,
        "doc_id": row.doc_id,
        "reason": row.reason,
    }
    append(session, claim.owner, f"outbox {row.state}", "intent", claim.intent_id, detail)
    if adjustment_event is not None:
        after = {"document_no": row.document_no, "intent": claim.intent_id, "reason": row.reason}
        action = f"adjustment {adjustment_event}"
        append(session, claim.owner, action, "adjustment", claim.adjustment_id, after)
