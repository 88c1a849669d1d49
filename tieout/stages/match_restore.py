"""Making an undone match again as it was: its postings then stand instead of being made twice."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.ledger.models import Account, Adjustment, GroupRow, ItemRow, MemberRow, PostingIntent
from tieout.stages.decided import in_the_way
from tieout.stages.match_members import Member
from tieout.stages.sync import is_newest

__all__ = ["same_again"]


def same_again(session: Session, account: Account, members: Sequence[Member]) -> GroupRow | None:
    """The undone match of exactly these members and amounts, if there was one that can come back.

    The cash-book lines of its own postings, which it had beside them, come back with it.
    """
    wanted = {(m.side, m.key): (m.amount_minor, m.of_minor) for m in members}
    first = members[0]
    query = (
        select(GroupRow)
        .join(MemberRow, MemberRow.group_id == GroupRow.group_id)
        .where(
            GroupRow.account_code == account.code,
            GroupRow.state.in_(("undone", "rejected")),
            GroupRow.rung != "own_posting",
            MemberRow.side == first.side,
            MemberRow.member_id == first.key,
        )
        .order_by(GroupRow.derived_at, GroupRow.group_id)
    )
    for group in session.scalars(query):
        had = {
            (m.side, m.member_id): (m.amount_minor, m.of_minor)
            for m in session.scalars(select(MemberRow).where(MemberRow.group_id == group.group_id))
            if m.side != "detail"
        }
        extra = {key for side, key in had.keys() - wanted.keys() if side == "item"}
        own = extra and _own_lines(session, group.group_id)
        kept = {k: v for k, v in had.items() if not (own and k[0] == "item" and k[1] in own)}
        every = [[side, key, amount, of] for (side, key), (amount, of) in sorted(had.items())]
        if kept == wanted and not in_the_way(session, every):
            return group
    return None


def _own_lines(session: Session, group_id: str) -> set[str]:
    """Cash-book lines of the postings that were made for a group."""
    references = session.scalars(
        select(PostingIntent.ext_ref)
        .join(Adjustment, Adjustment.adjustment_id == PostingIntent.adjustment_id)
        .where(Adjustment.subject_side == "group", Adjustment.subject_id == group_id)
    ).all()
    if not references:
        return set()
    query = select(ItemRow.item_id).where(is_newest(), ItemRow.reference.overlap(list(references)))
    return set(session.scalars(query))
