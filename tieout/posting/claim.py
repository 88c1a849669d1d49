"""Taking one due row of the outbox, and what a new database epoch does to all of them.

Leases and due times are the database's clock and no other. A claim raises the fence, so that
nobody who held the row before can write to it again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.orm import Session

from tieout.connectors.ports import Capability, Journal
from tieout.ledger.models import Outbox
from tieout.posting.pace import Limits
from tieout.posting.payload import journal_of
from tieout.posting.protocol import claim_event
from tieout.posting.sql_store import SqlUnit
from tieout.posting.store import Store, Unit
from tieout.posting.terms import Row
from tieout.states import move

__all__ = [
    "CapabilityOf",
    "Claim",
    "claim_companions",
    "claim_row",
    "enter_epoch",
    "load_claim",
    "never_sent",
]

#: A connector's `capability`.
CapabilityOf = Callable[[Journal], Capability]

#: A new epoch starts its fences above any number lost commits of the old one can have used.
_FENCE_RANGE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Claim:
    """A row this worker holds.

    Attributes:
        row: the protocol's view of it.
        fence, epoch: what every write must still find.
        attempt_id: the effect that is committed and under way, None between effects.
        looks: reads and finds made under this claim.
        failures: requests since the last effect that was answered, for the backoff.
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


def enter_epoch(store: Store, erp: str, limits: Limits) -> str:
    """Note the database's epoch; on a new one send every unfinished row through recovery.

    A restore or fail-over may have lost commits: a row that reads READY may have been sent. All
    wait for `Limits.settle`, then are looked up by reference before anything is sent.
    """
    with store.unit() as unit:
        epoch, now = unit.moment()
        if epoch not in unit.epochs():
            unit.note_epoch(epoch)
        rows = unit.of_other_epochs(erp, epoch)
        moved = [(row, *_recover(row, epoch, now, limits)) for row in rows]
        unit.flush()
        for row, before, event in moved:
            detail = {"from": before, "event": event, "to": row.state, "fence": row.fence}
            unit.audit("tieout", f"outbox {row.state}", "intent", row.intent_id, detail)
    return epoch


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


def _has_past(unit: Unit, epoch: str) -> bool:
    """Whether this ledger was ever restored or failed over: then even a new row may be known."""
    timeline = epoch.rpartition("/")[2]
    return timeline != "1" or any(other != epoch for other in unit.epochs())


def never_sent(session: Session, row: Outbox) -> bool:
    """Whether a locked row was surely never sent, so that it may be cancelled.

    No attempt is on record, and no fail-over or restore can have forgotten one.
    """
    unit = SqlUnit(session)
    epoch, _ = unit.moment()
    if row.state != "READY" or row.epoch != epoch or _has_past(unit, epoch):
        return False
    return not unit.attempts(row.intent_id)


def claim_row(unit: Unit, erp: str, owner: str, limits: Limits) -> Outbox | None:
    """Take the row that is due longest: lease, fence, and its state moved by the claim.

    The caller commits. None when nothing is due, or all of it is held or another's.
    """
    due = unit.due(erp)
    return _take(unit, due[0], owner, limits) if due else None


def claim_companions(
    unit: Unit, first: Outbox, company: str, owner: str, limits: Limits, most: int
) -> list[Outbox]:
    """Rows that may travel in one request with the first: plain journals of its company, new too.

    The caller commits; they are taken as `claim_row` takes one, at most ``most`` of them.
    """
    rows = unit.companions(first, company, most)
    return [_take(unit, row, owner, limits) for row in rows]


def _take(unit: Unit, row: Outbox, owner: str, limits: Limits) -> Outbox:
    """Lease and fence a locked row, and move its state."""
    epoch, now = unit.moment()
    before, event = row.state, claim_event(row.state, unknown=row.unknown_since is not None)
    if before == "READY" and _has_past(unit, epoch):
        event = "epoch changed"
    row.fence, row.owner, row.lease_until = row.fence + 1, owner, now + limits.lease
    if event is not None:
        row.state, row.changed_at = move("outbox", before, event), now
    if row.state == "UNKNOWN":
        row.unknown_since = row.unknown_since or now
    if row.first_sent_at is not None:
        unit.close_dead_attempts(row.intent_id)
    unit.flush()
    if event is not None:
        detail = {"from": before, "event": event, "to": row.state, "fence": row.fence}
        unit.audit(owner, f"outbox {row.state}", "intent", row.intent_id, detail)
    return row


def load_claim(unit: Unit, row: Outbox, capability_of: CapabilityOf, limits: Limits) -> Claim:
    """The claimed row with its intent, what its attempts tell, and what time has settled."""
    intent = unit.intent(row.intent_id)
    journal = journal_of(intent.payload, intent.ext_ref)
    if intent.kind == "REVERSE":
        journal = replace(journal, reverses=unit.reverses(intent.adjustment_id))
    capability, (_, now) = capability_of(journal), unit.moment()
    # Where nothing was sent and nothing looked for, there is no attempt to ask for.
    known = row.first_sent_at is not None or row.unknown_since is not None
    attempts = unit.attempts(row.intent_id) if known else ()
    created = [(outcome, at) for phase, outcome, at in attempts if phase == "create"]
    answered = [outcome for outcome, _ in created if outcome in ("OK", "EXISTS", "REJECT")]
    # A look that finds nothing is no progress: else what must wait would be asked for every second.
    good = (
        number
        for number, (phase, outcome, _) in enumerate(attempts)
        if phase not in ("find", "read") and outcome in ("OK", "EXISTS")
    )
    # Commits of an earlier epoch may be lost: what was sent then was sent before the change.
    latest = max([row.changed_at, *(at for _, at in created)])
    first = min([now, *(at for _, at in created)])
    # A lost first attempt cannot be older than its intent.
    key_ends = intent.created_at + (capability.key_lifetime or dt.timedelta(0))
    margin = capability.settle if capability.key_margin is None else capability.key_margin
    key_ends -= limits.lease + limits.send_grace + margin
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
            accepted=any(outcome == "PENDING" for outcome, _ in created),
            overdue=now >= first + limits.patience,
        ),
        fence=row.fence,
        epoch=row.epoch,
        lease_until=row.lease_until or now,
        failures=next(good, len(attempts)),
    )
