"""Matches that wait for a person: what the ladder only proposes, and what people made that needs a
second pair of eyes, or cannot stand."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tieout.adjustments.policy import Policy
from tieout.exceptions import ExceptionDraft
from tieout.ledger.models import Account, GroupRow, ItemRow, MatchDecision, MemberRow
from tieout.matching.engine import Result
from tieout.stages.exceptions import due_days
from tieout.stages.groups import ENGINE

__all__ = ["blocked_drafts", "proposed_drafts", "suggested"]


def suggested(result: Result, items: Mapping[str, ItemRow]) -> dict[str, str]:
    """What to say of each entry, detail and item that is in a group only proposed, by its id."""
    evidence = {
        row["group_id"]: row["evidence"]
        for row in result.groups.to_pylist()
        if row["state"] != "confirmed"
    }
    members: dict[str, list[str]] = {key: [] for key in evidence}
    for row in result.members.to_pylist():
        if row["group_id"] in members:
            members[row["group_id"]].append(row["member_id"])
    said: dict[str, str] = {}
    for key in sorted(members):
        known = [items[m] for m in members[key] if m in items]
        names = ", ".join(i.document_no or i.item_id[:12] for i in known[:5])
        about = f" with {names}" if names else ""
        text = (
            f"A match{about} is proposed: {evidence[key].rstrip('.')}; "
            f"`tieout matches confirm {key[:12]}` or `reject`"
        )
        said |= dict.fromkeys(members[key], text)
    return said


def proposed_drafts(session: Session, account: Account, policy: Policy) -> list[ExceptionDraft]:
    """Matches people made that a second person must confirm."""
    waiting = session.scalars(
        select(GroupRow)
        .where(
            GroupRow.account_code == account.code,
            GroupRow.state == "proposed",
            GroupRow.maker != ENGINE,
        )
        .order_by(GroupRow.group_id)
    )
    return [
        _draft(
            session,
            account,
            policy,
            group.group_id,
            "MATCH_TO_CONFIRM",
            f"{group.evidence.rstrip('.')}; a second person decides: "
            f"`tieout matches confirm {group.group_id[:12]}` or `reject`",
        )
        for group in waiting
    ]


def blocked_drafts(
    session: Session, account: Account, policy: Policy, cannot: Mapping[str, str]
) -> list[ExceptionDraft]:
    """Matches people made that cannot stand any more.

    Args:
        cannot: why, by group id; also those of other accounts.
    """
    query = select(MatchDecision.group_id).where(
        MatchDecision.account_code == account.code, MatchDecision.group_id.in_(sorted(cannot))
    )
    return [
        _draft(
            session,
            account,
            policy,
            key,
            "MATCH_BLOCKED",
            f"A match somebody made cannot stand again: {cannot[key]}; undo that one, or this one "
            f"with `tieout matches undo {key[:12]}`",
        )
        for key in sorted(set(session.scalars(query)))
    ]


def _draft(
    session: Session, account: Account, policy: Policy, key: str, code: str, reason: str
) -> ExceptionDraft:
    total = select(func.coalesce(func.sum(MemberRow.amount_minor), 0)).where(
        MemberRow.group_id == key, MemberRow.side == "entry"
    )
    amount = int(session.scalars(total).one())
    return ExceptionDraft(
        reason_code=code,
        reason=reason,
        subject=("group", key),
        amount_minor=amount,
        currency=account.currency,
        on=None,
        due_days=due_days(policy, amount, account.currency),
    )
