"""The rows of requests: what is written before one leaves, and how its end is told."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import replace
from typing import Any

from tieout.ledger.models import PostingAttempt
from tieout.posting.claim import Claim
from tieout.posting.pace import Limits
from tieout.posting.protocol import decide
from tieout.posting.store import Unit
from tieout.posting.terms import Answer, Command, Observation, Seen

__all__ = ["add_effect", "attempt_of", "effect_of", "ending_of", "note_attempt", "sending"]


def ending_of(observation: Observation) -> dict[str, Any]:
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


def attempt_of(claim: Claim, command: Command, number: int) -> PostingAttempt:
    """The row of a request that is about to be made, or was made."""
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


def effect_of(claim: Claim) -> Command | None:
    """The claim's next request, where it is one that changes something."""
    command = decide(claim.row)
    return command if command is not None and command.effect else None


def sending(claim: Claim, limits: Limits, now: dt.datetime) -> dict[str, Any]:
    """The columns of the row before an effect."""
    return {"attempts": claim.row.attempts + 1, "send_by": now + limits.send_grace}


def add_effect(unit: Unit, claim: Claim, command: Command, now: dt.datetime) -> Claim:
    """Write the attempt of an effect whose row counts it already."""
    number = claim.row.attempts + 1
    attempt = attempt_of(claim, command, number)
    attempt.started_at = now
    attempt_id = unit.add_attempt(attempt)
    return replace(claim, row=replace(claim.row, attempts=number), attempt_id=attempt_id)


def note_attempt(
    unit: Unit,
    claim: Claim,
    after: Claim,
    command: Command,
    observation: Observation,
    now: dt.datetime,
) -> Claim:
    """Complete the effect's attempt, or write a look as one that is complete already."""
    ended = ending_of(observation) | {"ended_at": now}
    if claim.attempt_id is not None:
        unit.end_attempt(claim.attempt_id, ended)
        return after
    attempt = attempt_of(claim, command, claim.looks + 1)
    for name, value in ended.items():
        setattr(attempt, name, value)
    unit.add_attempt(attempt)
    return replace(after, looks=claim.looks + 1)
