"""Our own postings in the cash book: tied to what they explain, without a rung."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.audit import append
from tieout.identity import content_id
from tieout.ledger.models import (
    Account,
    Adjustment,
    GroupRow,
    ItemRow,
    MemberRow,
    PostingIntent,
)
from tieout.stages.groups import confirmed_again
from tieout.stages.identities import entry_of, told
from tieout.stages.sync import current_items

__all__ = ["join_own_postings"]


def join_own_postings(session: Session, run_id: str, account: Account) -> int:
    """Tie the cash-book lines of our own postings to what they explain; returns how many.

    The posting carries our external reference, so this needs no rung: it is the same fact seen
    from the other side, also where the delivery has not heard yet that it was posted.
    """
    posted = session.execute(
        select(Adjustment, PostingIntent.ext_ref)
        .join(PostingIntent, PostingIntent.adjustment_id == Adjustment.adjustment_id)
        .where(
            Adjustment.account_code == account.code,
            Adjustment.state.in_(("approved", "posted")),
        )
        .order_by(Adjustment.adjustment_id)
    ).all()
    if not posted:
        return 0
    claimed = select(MemberRow.member_id).where(MemberRow.side == "item", MemberRow.live)
    unclaimed = current_items(
        session,
        ItemRow.kind == "cash_book",
        ItemRow.account_code == account.code,
        ItemRow.open_minor != 0,
        ItemRow.reference.overlap([ext_ref for _, ext_ref in posted]),
        ItemRow.item_id.not_in(claimed),
    )
    own = {reference: item for item in unclaimed.values() for reference in item.reference}
    joined = 0
    for adjustment, ext_ref in posted:
        item = own.get(ext_ref)
        if item is not None:
            joined += _join(session, run_id, account, adjustment, item)
    return joined


def _join(
    session: Session, run_id: str, account: Account, adjustment: Adjustment, item: ItemRow
) -> bool:
    """Join one posting's line to its subject; False where that is not told (any more)."""
    if adjustment.subject_side == "group":
        if session.get_one(GroupRow, adjustment.subject_id).state == "undone":
            return False
        session.add(
            MemberRow(
                group_id=adjustment.subject_id,
                side="item",
                member_id=item.item_id,
                amount_minor=item.amount_minor,
                live=True,
            )
        )
        session.flush()
        detail = {"item": item.item_id, "document_no": adjustment.document_no}
        append(session, "tieout", "joined", "group", adjustment.subject_id, detail)
        return True
    members = _joined_members(session, adjustment)
    if not members:
        return False
    members.append(("item", item.item_id, item.amount_minor))
    items = [key for side, key, _ in members if side == "item"]
    residual = sum(amount if side == "entry" else -amount for side, _, amount in members)
    group_id = content_id("group", "own_posting", *(key for _, key, _ in members))
    if confirmed_again(session, group_id):
        return True
    session.add(
        GroupRow(
            group_id=group_id,
            run_id=run_id,
            account_code=account.code,
            ladder="own_posting",
            ladder_version="1",
            rung="own_posting",
            cardinality=f"{len(members) - len(items)}:{len(items)}",
            currency=account.currency,
            residual_minor=residual,
            residual_class=None,
            state="confirmed",
            evidence=f"Our own posting {item.document_no} ({adjustment.kind}).",
            facts={"adjustment_id": adjustment.adjustment_id},
        )
    )
    session.flush()
    for side, member_id, amount in members:
        session.add(
            MemberRow(
                group_id=group_id, side=side, member_id=member_id, amount_minor=amount, live=True
            )
        )
    session.flush()
    append(session, "tieout", "confirmed", "group", group_id, {"rung": "own_posting"})
    return True


def _joined_members(session: Session, adjustment: Adjustment) -> list[tuple[str, str, int]]:
    """What our own posting explains: its entry, or the posting it reverses; (side, id, amount)."""
    if adjustment.subject_side == "entry":
        entry = entry_of(session, adjustment.subject_id)
        # Claimed: it was brought back, and the posting waits for its reversal.
        claim = select(MemberRow.group_id).where(
            MemberRow.side == "entry", MemberRow.live, MemberRow.member_id == entry.entry_id
        )
        here = told(session, [entry.entry_id]) and session.scalars(claim).first() is None
        return [("entry", entry.entry_id, entry.amount_minor)] if here else []
    reversed_ref = select(PostingIntent.ext_ref).where(
        PostingIntent.adjustment_id == adjustment.subject_id
    )
    claimed = select(MemberRow.member_id).where(MemberRow.side == "item", MemberRow.live)
    items = current_items(
        session,
        ItemRow.kind == "cash_book",
        ItemRow.account_code == adjustment.account_code,
        ItemRow.reference.overlap(list(session.scalars(reversed_ref))),
        ItemRow.item_id.not_in(claimed),
    )
    return [("item", key, items[key].amount_minor) for key in sorted(items)]
