"""One transaction between two requests: record what was seen, move the row, commit what comes next.

Every write asks that fence, epoch and state are still what this worker holds; where they are not,
somebody else has the row and nothing is written (`StaleClaimError`). An effect's attempt is
committed here, before its first byte leaves.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from sqlalchemy.orm import Session

from tieout import boundary
from tieout.errors import LedgerError
from tieout.ledger.ledger import Ledger
from tieout.posting.attempts import add_effect, effect_of, note_attempt, sending
from tieout.posting.claim import (
    CapabilityOf,
    Claim,
    claim_companions,
    claim_row,
    load_claim,
)
from tieout.posting.gate import Gate, Permit
from tieout.posting.pace import Limits, backoff
from tieout.posting.protocol import Step, decide, step
from tieout.posting.store import Expected, Store, Unit
from tieout.posting.terms import Answer, Command, Observation
from tieout.posting.traffic import Refused
from tieout.states import move

__all__ = ["StaleClaimError", "next_claims", "record", "set_aside", "transaction", "unit_of"]

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


@contextmanager
def unit_of(store: Store, name: str) -> Iterator[Unit]:
    """One transaction over the outbox whose commit is the boundary ``commit <name>``."""
    with store.unit() as unit:
        yield unit
        unit.flush()
        boundary.reached(f"commit {name}", "before")
    boundary.reached(f"commit {name}", "after")


def next_claims(
    store: Store,
    erp: str,
    owner: str,
    capability_of: CapabilityOf,
    limits: Limits,
    gate: Gate | None = None,
) -> list[Claim] | Refused:
    """Claim a row and commit its first attempt with the claim; empty when nothing is due.

    Where the row is a new journal and its endpoint takes several documents with one request,
    others like it come with it. The permit to send is taken in the same transaction; where there
    is none, what is due stays as it is.
    """
    permit: Permit | None = None
    with unit_of(store, "claim") as unit:
        if gate is not None and not gate.ready():
            verdict = gate.reserve(unit.session) if unit.any_due(erp) else None
            if not isinstance(verdict, Permit):
                return verdict or gate.postponed() or []
            permit = verdict
        row = claim_row(unit, erp, owner, limits)
        if row is None:
            return (gate.postponed() if gate is not None and permit is None else None) or []
        claims = [load_claim(unit, row, capability_of, limits)]
        journal = claims[0].journal
        most = capability_of(journal).batch_max - 1
        if row.state == "SENDING" and journal.endpoint == "journal" and most > 0:
            others = claim_companions(unit, row, journal.company, owner, limits, most)
            claims += [load_claim(unit, other, capability_of, limits) for other in others]
        _, now = unit.moment()
        claims = [_begin(unit, claim, limits, now) for claim in claims]
    if gate is not None and permit is not None:
        gate.hold(permit)
    return claims


def record(
    store: Store,
    claim: Claim,
    command: Command,
    observation: Observation,
    limits: Limits,
    gate: Gate | None = None,
) -> tuple[Claim, Step]:
    """Record an observation and what follows from it.

    Returns:
        The claim, with the next effect's attempt committed, and the step taken. After a step
        whose ``then`` is not ``go`` the row is released; so it is when somebody holds it, where
        the next request gets no permit, and when the lease was over, though nobody took the row:
        what the claim knew of keys and settle times is too old to act on.

    Raises:
        StaleClaimError: ``CLAIM_STALE``; nothing was written.
    """
    taken = step(claim.row, observation, limits)
    permit: Permit | Refused | None = None
    with unit_of(store, f"after {command.phase}") as unit:
        now, held = _confirm(unit, claim)
        failures = claim.failures + (taken.then == "wait")
        after = replace(
            claim,
            row=taken.row,
            attempt_id=None,
            failures=failures,
            lease_until=now + limits.lease,
        )
        values, first = _values(after, taken, limits, now), {}
        if taken.row.unknown:
            first["unknown_since"] = now
        if taken.then == "wait":
            values["next_at"] = max(values["next_at"], now + _asked_for(observation))
        go = taken.then == "go" and not held and now < claim.lease_until
        if go and gate is not None and decide(after.row) is not None and not gate.ready():
            permit = gate.reserve(unit.session)
        if taken.then == "go" and (not go or isinstance(permit, Refused)):
            later = now + backoff(limits, claim.intent_id, claim.failures + 1)
            due = permit.until if isinstance(permit, Refused) else later
            values |= {"owner": None, "lease_until": None, "next_at": due}
            taken = replace(taken, then="wait")
        following = effect_of(after) if taken.then == "go" else None
        if following is not None:
            values |= sending(after, limits, now)
            first["first_sent_at"] = now
        _write(unit, claim, values, first)
        after = note_attempt(unit, claim, after, command, observation, now)
        if following is not None:
            after = add_effect(unit, after, following, now)
        if taken.event is not None:
            _note_event(unit, claim, taken, now)
    if gate is not None and isinstance(permit, Permit):
        gate.hold(permit)
    elif gate is not None and isinstance(permit, Refused):
        gate.postpone(permit)
    return after, taken


def _asked_for(observation: Observation) -> dt.timedelta:
    """How long the ERP asks us to stay away."""
    asked = observation.delivery.retry_after if isinstance(observation, Answer) else None
    return asked or dt.timedelta(0)


def set_aside(store: Store, claim: Claim, error: Exception, limits: Limits) -> None:
    """Let go of a row whose outcome the ledger refused, so that it stops nothing else.

    Its state stays as committed before the request, so that the next claim asks the ERP what is.
    """
    with unit_of(store, "set aside") as unit:
        later = unit.now() + limits.backoff_max
        words = str(error).splitlines()[0]
        values = {"reason": words, "owner": None, "lease_until": None, "next_at": later}
        with contextlib.suppress(StaleClaimError):
            _write(unit, claim, values)


def _begin(unit: Unit, claim: Claim, limits: Limits, now: dt.datetime) -> Claim:
    """Write the attempt of the claim's next effect; a look needs none before it."""
    command = effect_of(claim)
    if command is None:
        return claim
    _write(unit, claim, sending(claim, limits, now), {"first_sent_at": now})
    return add_effect(unit, claim, command, now)


def _confirm(unit: Unit, claim: Claim) -> tuple[dt.datetime, str | None]:
    """Lock the row under the claim's fence, epoch and state; the clock, and who holds the row."""
    found = unit.confirm(_expected(claim))
    if found is None:
        raise _stale(claim)
    return found


def _expected(claim: Claim) -> Expected:
    return claim.intent_id, claim.fence, claim.epoch, claim.row.state


def _stale(claim: Claim) -> StaleClaimError:
    return StaleClaimError(
        "CLAIM_STALE",
        f"intent {claim.intent_id} is no longer {claim.row.state} under fence {claim.fence}",
        remedy="nothing: the worker that took it goes on",
    )


def _write(
    unit: Unit, claim: Claim, values: dict[str, Any], first: dict[str, Any] | None = None
) -> None:
    """Write the row under the claim's fence, epoch and state."""
    if unit.write(_expected(claim), values, first or {}) is None:
        raise _stale(claim)


def _values(after: Claim, taken: Step, limits: Limits, now: dt.datetime) -> dict[str, Any]:
    """The columns of the row after a step."""
    row = after.row
    values: dict[str, Any] = {
        "state": row.state,
        "erp_doc_id": row.doc_id,
        "document_no": row.document_no,
        "attempts": row.attempts,
        "reason": row.reason,
        "lease_until": after.lease_until,
    }
    if taken.then != "go":
        values |= {"owner": None, "lease_until": None}
    if taken.then == "wait":
        values["next_at"] = now + backoff(limits, after.intent_id, after.failures)
    if taken.event is not None:
        values["changed_at"] = now
    return values


def _note_event(unit: Unit, claim: Claim, taken: Step, now: dt.datetime) -> None:
    """Audit a state change, and move the adjustment where the delivery ended (row locks first)."""
    row = taken.row
    adjustment_event = _ADJUSTMENT_EVENT.get((claim.kind, row.state))
    if adjustment_event is not None:
        adjustment = unit.adjustment(claim.adjustment_id)
        adjustment.state = move("adjustment", adjustment.state, adjustment_event)
        if adjustment_event == "posted":
            adjustment.document_no, adjustment.posted_at = row.document_no, now
    unit.flush()
    detail = {
        "from": claim.row.state,
        "event": taken.event,
        "to": row.state,
        "fence": claim.fence,
        "doc_id": row.doc_id,
        "reason": row.reason,
    }
    unit.audit(claim.owner, f"outbox {row.state}", "intent", claim.intent_id, detail)
    if adjustment_event is not None:
        after = {"document_no": row.document_no, "intent": claim.intent_id, "reason": row.reason}
        action = f"adjustment {adjustment_event}"
        unit.audit(claim.owner, action, "adjustment", claim.adjustment_id, after)
