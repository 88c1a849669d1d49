"""The life of adjustments in the ledger: proposed, decided on, withdrawn when no longer derived.

A person's decision is never overwritten: a rejected proposal is not proposed again, an approved or
posted one stays. A pending one whose journal changed is withdrawn and proposed anew, so that an
approval always binds exactly what was shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tieout.adjustments.policy import Policy
from tieout.adjustments.proposals import Proposal
from tieout.audit import append
from tieout.errors import LedgerError
from tieout.identity import content_id
from tieout.ledger.models import Adjustment, AdjustmentLine, Approval
from tieout.money import floor_minor
from tieout.posting.payload import payload_sha256
from tieout.states import move

__all__ = [
    "MAKER",
    "decide",
    "lock_undecided",
    "record_approved",
    "record_proposals",
    "standing_amounts",
    "withdraw",
    "withdraw_about",
]

MAKER = "tieout"
_STANDING = ("approved", "posted")
_DECIDED = ("rejected", "refused", "expired", "reversed")


def record_proposals(
    session: Session,
    run_id: str,
    account_code: str,
    policy: Policy,
    proposals: Sequence[Proposal],
    blocked: str,
) -> dict[tuple[str, str], str]:
    """Record what was derived for an account; withdraw pending proposals that no longer are.

    Args:
        policy: its name signs automatic approvals, its limits bound them.
        proposals: all that were derived in this run for the account.
        blocked: why nothing may be posted for this account by itself, or empty.

    Returns:
        The state of each subject's adjustment, by (side, id).
    """
    states: dict[tuple[str, str], str] = {}
    kept: set[str] = set()
    for proposal in proposals:
        adjustment = _find_or_create(session, run_id, policy, proposal)
        kept.add(adjustment.adjustment_id)
        if adjustment.state == "pending" and proposal.automatic:
            _approve_by_policy(session, policy, proposal, adjustment, blocked)
        states[proposal.subject_side, proposal.subject_id] = adjustment.state
    pending = select(Adjustment).where(
        Adjustment.account_code == account_code, Adjustment.state == "pending"
    )
    for stale in session.scalars(pending.order_by(Adjustment.adjustment_id)):
        if stale.adjustment_id not in kept:
            withdraw(session, stale, "it is no longer derived")
    return states


def record_approved(
    session: Session, run_id: str, policy: Policy, proposal: Proposal, person: str, reason: str
) -> Adjustment:
    """Record a proposal that a person has approved as part of a larger one that showed it."""
    adjustment = _find_or_create(session, run_id, policy, proposal)
    if adjustment.state == "pending":
        decide(session, adjustment, "approve", person, adjustment.payload_sha256, reason)
    return adjustment


def _find_or_create(
    session: Session, run_id: str, policy: Policy, proposal: Proposal
) -> Adjustment:
    base = "|".join(
        (
            proposal.account.code,
            proposal.subject_side,
            proposal.subject_id,
            proposal.kind,
        )
    )
    # Of any kind: a rule renamed between two runs must not book the same difference again.
    about = select(Adjustment).where(
        Adjustment.account_code == proposal.account.code,
        Adjustment.subject_side == proposal.subject_side,
        Adjustment.subject_id == proposal.subject_id,
    )
    earlier = session.scalars(
        about.order_by(Adjustment.proposed_at, Adjustment.adjustment_id)
    ).all()
    digest = payload_sha256(
        company=proposal.account.company,
        journal_code=proposal.account.journal,
        booked_on=proposal.booked_on,
        narrative=proposal.narrative,
        currency=proposal.currency,
        lines=proposal.lines,
    )
    for adjustment in earlier:
        if _decides(adjustment, digest):
            return adjustment
    for adjustment in earlier:
        if adjustment.state == "pending":
            if (adjustment.payload_sha256, adjustment.kind) == (digest, proposal.kind):
                return adjustment
            withdraw(session, adjustment, "its journal changed")
    number = 1 + sum(a.business_key.rpartition("|")[0] == base for a in earlier)
    return _create(session, run_id, policy, proposal, f"{base}|{number}", digest)


def _decides(adjustment: Adjustment, digest: str) -> bool:
    """Whether it stands in the way of a new one; the ERP's refusal does for that journal only."""
    if adjustment.state == "refused":
        return adjustment.payload_sha256 == digest
    return adjustment.state in (*_STANDING, *_DECIDED)


def _create(
    session: Session,
    run_id: str,
    policy: Policy,
    proposal: Proposal,
    business_key: str,
    digest: str,
) -> Adjustment:
    adjustment = Adjustment(
        adjustment_id=content_id("adjustment", business_key),
        business_key=business_key,
        account_code=proposal.account.code,
        run_id=run_id,
        company=proposal.account.company,
        kind=proposal.kind,
        subject_side=proposal.subject_side,
        subject_id=proposal.subject_id,
        policy=policy.name,
        policy_rule=proposal.rule,
        policy_version=policy.version,
        currency=proposal.account.currency,
        amount_minor=proposal.amount_minor,
        booked_on=proposal.booked_on,
        narrative=proposal.narrative,
        payload_sha256=digest,
        state=move("adjustment", "proposed", "submit"),
        maker=MAKER,
    )
    session.add(adjustment)
    session.flush()
    for ordinal, line in enumerate(proposal.lines, 1):
        session.add(
            AdjustmentLine(
                adjustment_id=adjustment.adjustment_id,
                ordinal=ordinal,
                purpose=line.purpose,
                gl_account=line.gl_account,
                debit_minor=line.debit_minor,
                credit_minor=line.credit_minor,
                currency=proposal.currency,
                foreign_minor=line.foreign_minor,
                foreign_currency=line.foreign_currency,
                party=line.party,
                narrative=line.narrative,
            )
        )
    append(
        session,
        MAKER,
        "proposed",
        "adjustment",
        adjustment.adjustment_id,
        {"rule": proposal.rule, "payload": digest},
    )
    return adjustment


def _approve_by_policy(
    session: Session, policy: Policy, proposal: Proposal, adjustment: Adjustment, blocked: str
) -> None:
    """Approve in the policy's name, unless the account is blocked or the day's limit is spent."""
    if blocked:
        return
    limit = floor_minor(policy.automatic_max, adjustment.currency)
    spent = session.execute(
        select(func.coalesce(func.sum(func.abs(Adjustment.amount_minor)), Decimal(0))).where(
            Adjustment.account_code == adjustment.account_code,
            Adjustment.booked_on == adjustment.booked_on,
            Adjustment.approver.startswith("policy:"),
            Adjustment.state.in_(("approved", "posted")),
        )
    ).scalar_one()
    if int(spent) + abs(adjustment.amount_minor) > limit:
        return
    person = f"policy:{policy.name}/{proposal.rule}"
    decide(session, adjustment, "approve", person, adjustment.payload_sha256, policy.version)


def decide(
    session: Session,
    adjustment: Adjustment,
    decision: str,
    person: str,
    shown_sha256: str,
    reason: str,
) -> Approval:
    """Approve or reject a pending adjustment, bound to the hash of what was shown.

    Raises:
        LedgerError: ``APPROVAL_SELF`` (the maker may not decide), ``APPROVAL_STALE`` (the journal
            changed since it was shown), ``STATE_ILLEGAL`` (it is not pending any more).
    """
    if person.strip().casefold() == adjustment.maker.casefold():
        raise LedgerError(
            "APPROVAL_SELF",
            f"{person} made this adjustment and may not decide on it",
            where=f"adjustment {adjustment.adjustment_id}",
            remedy="another person must decide",
        )
    if shown_sha256 != adjustment.payload_sha256:
        raise LedgerError(
            "APPROVAL_STALE",
            "the journal changed since it was shown",
            where=f"adjustment {adjustment.adjustment_id}",
            remedy="look at it again and decide anew",
        )
    adjustment.state = move("adjustment", adjustment.state, decision)
    adjustment.approver = person
    approval = Approval(
        adjustment_id=adjustment.adjustment_id,
        decision=decision,
        person=person,
        payload_sha256=shown_sha256,
        reason=reason,
    )
    session.add(approval)
    session.flush()
    append(
        session,
        person,
        adjustment.state,
        "adjustment",
        adjustment.adjustment_id,
        {"payload": shown_sha256, "reason": reason},
    )
    return approval


def withdraw(session: Session, adjustment: Adjustment, reason: str) -> None:
    """Withdraw a pending adjustment."""
    adjustment.state = move("adjustment", adjustment.state, "withdraw")
    append(session, MAKER, "withdrawn", "adjustment", adjustment.adjustment_id, {"reason": reason})


def withdraw_about(session: Session, code: str, subject: tuple[str, str], reason: str) -> None:
    """Withdraw what waits for a person about a subject (side, id) that is explained otherwise."""
    pending = select(Adjustment).where(
        Adjustment.account_code == code,
        Adjustment.subject_side == subject[0],
        Adjustment.subject_id == subject[1],
        Adjustment.state == "pending",
    )
    for stale in session.scalars(pending.order_by(Adjustment.adjustment_id).with_for_update()):
        withdraw(session, stale, reason)


def lock_undecided(session: Session, account_code: str) -> None:
    """Hold an account's pending adjustments: who decides now waits, and then sees what became of
    them. Without it a decision made during a run would be overwritten by the run's withdrawal.
    """
    pending = select(Adjustment).where(
        Adjustment.account_code == account_code, Adjustment.state == "pending"
    )
    ordered = pending.order_by(Adjustment.adjustment_id).with_for_update()
    session.scalars(ordered.execution_options(populate_existing=True)).all()


def standing_amounts(session: Session, account_code: str) -> dict[tuple[str, str], int]:
    """What approved and posted adjustments explain, in minor units, by subject.

    Their subjects are explained: they are neither matched nor proposed anew.
    """
    found = select(Adjustment).where(
        Adjustment.account_code == account_code, Adjustment.state.in_(_STANDING)
    )
    return {(a.subject_side, a.subject_id): a.amount_minor for a in session.scalars(found)}
