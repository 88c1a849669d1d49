"""From an approved adjustment to an intent: what shall be in the ERP exactly once.

Intent, outbox row and audit row are one transaction, and idempotent: however often it is asked for,
an adjustment has one intent. What is approved is hashed again from the ledger's own rows; anything
that changed since (an amount, an account, the journal of the bank account) refuses the intent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Exists, Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tieout.audit.chain import append
from tieout.connectors.ports import Journal
from tieout.errors import Finding, LedgerError
from tieout.identity import content_id
from tieout.ledger.ledger import Ledger, database_epoch
from tieout.ledger.models import (
    Account,
    Adjustment,
    AdjustmentLine,
    Approval,
    ExceptionRow,
    Outbox,
    PostingIntent,
)
from tieout.posting.payload import canonical_payload, external_ref, journal_of, sha256_of
from tieout.posting.record import transaction
from tieout.posting.reversal import REVERSAL, document_to_reverse
from tieout.states import move

__all__ = ["IntentsResult", "make_intent", "make_intents", "planned_journals"]


@dataclass(frozen=True, slots=True)
class IntentsResult:
    """New intents' ids in order, and a finding for each adjustment that was refused."""

    made: tuple[str, ...]
    refused: tuple[Finding, ...]


def make_intents(ledger: Ledger, erp: str, *, actor: str) -> IntentsResult:
    """Make the missing intents of all approved adjustments of one ERP, each on its own."""
    with ledger.session() as session:
        waiting = list(session.scalars(_without_intent(erp)))
    made: list[str] = []
    refused: list[Finding] = []
    for adjustment_id in waiting:
        try:
            with transaction(ledger, "intent") as session:
                intent_id = make_intent(session, adjustment_id, erp, actor=actor)
        except LedgerError as error:
            refused.append(_finding(adjustment_id, error))
            if error.code == "APPROVAL_VOID":
                _withdraw(ledger, adjustment_id, actor)
            continue
        if intent_id is not None:
            made.append(intent_id)
    return IntentsResult(tuple(made), tuple(refused))


def _without_intent(erp: str) -> Select[str]:
    return (
        select(Adjustment.adjustment_id)
        .join(Account, Account.code == Adjustment.account_code)
        .outerjoin(PostingIntent, PostingIntent.adjustment_id == Adjustment.adjustment_id)
        .where(
            Account.erp == erp,
            Adjustment.state == "approved",
            PostingIntent.intent_id.is_(None),
            ~(Adjustment.approver.startswith("policy:") & _blocked()),
        )
        .order_by(Adjustment.adjustment_id)
    )


def _blocked() -> Exists:
    """Whether the account's statements are in doubt: then what a policy approved before waits."""
    return (
        select(ExceptionRow.exception_id)
        .where(
            ExceptionRow.account_code == Adjustment.account_code,
            ExceptionRow.reason_code.in_(("STATEMENT_DOUBTFUL", "STATEMENT_STAGED")),
            ExceptionRow.state != "resolved",
        )
        .exists()
    )


def make_intent(session: Session, adjustment_id: str, erp: str, *, actor: str) -> str | None:
    """Make one adjustment's intent in the caller's transaction.

    Returns:
        The new intent's id; None where it has one already.

    Raises:
        LedgerError: ``ADJUSTMENT_NOT_APPROVED``, ``APPROVAL_MISSING``, ``APPROVAL_VOID`` (what
            would be sent is not what was approved), ``REVERSAL_TOO_EARLY`` (what it takes back is
            not confirmed) or ``INTENT_CONFLICT`` (the same business key with another payload).
    """
    adjustment = session.get_one(Adjustment, adjustment_id, with_for_update=True)
    payload = _payload(session, adjustment)
    digest = sha256_of(payload)
    approval = _approval(session, adjustment, digest)
    kind, _ = _kind(session, adjustment)
    business_key = f"{adjustment.business_key}/{kind}"
    intent_id = content_id("intent", erp, adjustment.company, business_key)
    intent = insert(PostingIntent).values(
        intent_id=intent_id,
        adjustment_id=adjustment_id,
        erp=erp,
        company=adjustment.company,
        kind=kind,
        business_key=business_key,
        ext_ref=external_ref(erp, adjustment.company, business_key),
        payload=payload,
        payload_sha256=digest,
        amount_minor=sum(line["debit_minor"] for line in payload["lines"]),
        currency=payload["currency"],
        maker=adjustment.maker,
        approval_id=approval.approval_id,
    )
    new = session.scalar(
        intent.on_conflict_do_nothing(index_elements=["business_key"]).returning(
            PostingIntent.intent_id
        )
    )
    if new is None:
        _same(session, business_key, digest)
        return None
    epoch = database_epoch(session)
    session.add(Outbox(intent_id=intent_id, erp=erp, state="READY", epoch=epoch))
    session.flush()
    detail = {"from": "", "event": "approved", "to": "READY", "payload_sha256": digest}
    append(session, actor, "outbox READY", "intent", intent_id, detail)
    return intent_id


def _withdraw(ledger: Ledger, adjustment_id: str, actor: str) -> None:
    """Take back an approval that binds something else: else it would stand, and never be sent."""
    with transaction(ledger, "intent") as session:
        adjustment = session.get_one(Adjustment, adjustment_id, with_for_update=True)
        intent = select(PostingIntent.intent_id).where(PostingIntent.adjustment_id == adjustment_id)
        if adjustment.state == "approved" and session.scalars(intent).first() is None:
            adjustment.state = move("adjustment", adjustment.state, "approval void")
            detail = {"reason": "what would be sent is not what was approved"}
            append(session, actor, "withdrawn", "adjustment", adjustment_id, detail)


def planned_journals(session: Session, erp: str) -> tuple[list[tuple[str, Journal]], list[Finding]]:
    """What the next run would make intents of: (adjustment id, journal), and what it refuses."""
    planned: list[tuple[str, Journal]] = []
    refused: list[Finding] = []
    for adjustment_id in session.scalars(_without_intent(erp)):
        adjustment = session.get_one(Adjustment, adjustment_id)
        try:
            payload = _payload(session, adjustment)
            _approval(session, adjustment, sha256_of(payload))
            kind, reverses = _kind(session, adjustment)
        except LedgerError as error:
            refused.append(_finding(adjustment_id, error))
            continue
        ref = external_ref(erp, adjustment.company, f"{adjustment.business_key}/{kind}")
        planned.append((adjustment_id, replace(journal_of(payload, ref), reverses=reverses)))
    return planned, refused


def _kind(session: Session, adjustment: Adjustment) -> tuple[str, str | None]:
    """``ADJUST``, or ``REVERSE`` with the document it takes back."""
    if adjustment.kind != REVERSAL:
        return "ADJUST", None
    document = document_to_reverse(session, adjustment.adjustment_id)
    if document is None:
        raise LedgerError(
            "REVERSAL_TOO_EARLY",
            "the posting it takes back is not confirmed",
            where=adjustment.adjustment_id,
            remedy="nothing: it is sent by the run after that posting's end",
        )
    return "REVERSE", document


def _finding(adjustment_id: str, error: LedgerError) -> Finding:
    place = f"adjustment {adjustment_id}"
    return Finding(error.code, "error", place, error.message, error.remedy)


def _payload(session: Session, adjustment: Adjustment) -> dict[str, Any]:
    """The canonical payload, from the ledger's rows as they are now."""
    account = session.get_one(Account, adjustment.account_code)
    lines = session.scalars(
        select(AdjustmentLine)
        .where(AdjustmentLine.adjustment_id == adjustment.adjustment_id)
        .order_by(AdjustmentLine.ordinal)
    ).all()
    if not lines:
        raise LedgerError("ADJUSTMENT_EMPTY", "it has no lines", where=adjustment.adjustment_id)
    return canonical_payload(
        company=adjustment.company,
        journal_code=account.journal,
        booked_on=adjustment.booked_on,
        narrative=adjustment.narrative,
        currency=lines[0].currency,
        lines=lines,
    )


def _approval(session: Session, adjustment: Adjustment, digest: str) -> Approval:
    """The approval that binds exactly this payload, by another person."""
    if adjustment.state != "approved":
        raise LedgerError(
            "ADJUSTMENT_NOT_APPROVED",
            f"it is {adjustment.state}",
            where=adjustment.adjustment_id,
            remedy="approve it first",
        )
    approval = session.scalar(
        select(Approval)
        .where(
            Approval.adjustment_id == adjustment.adjustment_id,
            Approval.decision == "approve",
            Approval.person != adjustment.maker,
        )
        .order_by(Approval.approval_id.desc())
        .limit(1)
    )
    if approval is None:
        raise LedgerError(
            "APPROVAL_MISSING",
            "it is marked approved, but no other person's approval is on record",
            where=adjustment.adjustment_id,
            remedy="approve it again",
        )
    if not approval.payload_sha256 == adjustment.payload_sha256 == digest:
        raise LedgerError(
            "APPROVAL_VOID",
            "what would be sent is not what was approved: a line, the narrative, the day or the "
            "account's journal changed since",
            where=adjustment.adjustment_id,
            remedy="it is withdrawn; the next reconciliation proposes it anew for approval",
        )
    return approval


def _same(session: Session, business_key: str, digest: str) -> None:
    """An intent that exists must be the same one."""
    stored = session.scalars(
        select(PostingIntent.payload_sha256).where(PostingIntent.business_key == business_key)
    ).one()
    if stored != digest:
        raise LedgerError(
            "INTENT_CONFLICT",
            f"{business_key} has an intent with another payload",
            where=business_key,
            remedy="propose the changed adjustment under the next number of its business key",
        )
