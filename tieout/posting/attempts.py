"""The rows of requests: what is written before one leaves, and how its end is told."""

from __future__ import annotations

import hashlib
from typing import Any

from tieout.ledger.models import PostingAttempt
from tieout.posting.claim import Claim
from tieout.posting.terms import Answer, Command, Observation, Seen

__all__ = ["attempt_of", "ending_of"]


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
