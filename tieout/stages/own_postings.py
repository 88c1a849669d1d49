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
from tieout.stages.claims import rest_of_entry, taken_of
from tieout.stages.groups import confirmed_again
from tieout.stages.identities import entry_of, told
from tieout.stages.sync import current_items

__all__ = ["join_own_postings", "own_lines"]


def join_own_postings(session: Session, run_id: str, account: Account) -> int:
    """Tie the cash-book lines of our own postings to what they explain; returns how many.

    The posting carries our external reference, so this needs no rung: it is the same fact seen
    from the other side, also where the delivery has not heard yet that it was posted.
    """
    posted, own = _own_lines(session, account)
    joined = 0
    for adjustment, ext_ref in posted:
        item = own.get(ext_ref)
        if item is not None:
            joined += _join(session, run_id, account, adjustment, item)
    return joined


def own_lines(session: Session, account: Account) -> set[str]:
    """Cash-book lines of our own postings that nothing has: they wait for what they explain, or
    for their reversal, and are nobody else's."""
    return {item.item_id for item in _own_lines(session, account)[1].values()}


def _own_lines(
    session: Session, account: Account
) -> tuple[list[tuple[Adjustment, str]], dict[str, ItemRow]]:
    """What was or may be posted, with its external reference; unclaimed lines by reference."""
    rows = session.execute(
        select(Adjustment, PostingIntent.ext_ref)
        .join(PostingIntent, PostingIntent.adjustment_id == Adjustment.adjustment_id)
        .where(
            Adjustment.account_code == account.code,
            Adjustment.state.in_(("approved", "posted")),
        )
        .order_by(Adjustment.adjustment_id)
    )
    posted = [(adjustment, ext_ref) for adjustment, ext_ref in rows]
    if not posted:
        return [], {}
    claimed = select(MemberRow.member_id).where(MemberRow.side == "item", MemberRow.live)
    unclaimed = current_items(
        session,
        ItemRow.kind == "cash_book",
        ItemRow.account_code == account.code,
        ItemRow.open_minor != 0,
        ItemRow.reference.overlap([ext_ref for _, ext_ref in posted]),
        ItemRow.item_id.not_in(claimed),
    )
    return posted, {reference: item for item in unclaimed.values() for reference in item.reference}


def _join(
    session: Session, run_id: str, account: Account, adjustment: Adjustment, item: ItemRow
) -> bool:
    """Join one posting's line to its subject; False where that is not told (any more)."""
    if adjustment.subject_side == "group":
        if session.get_one(GroupRow, adjustment.subject_id).state != "confirmed":
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
    members.append(("item", item.item_id, item.amount_minor, item.amount_minor))
    items = [key for side, key, *_ in members if side == "item"]
    residual = sum(amount if side == "entry" else -amount for side, _, amount, _ in members)
    group_id = content_id("group", "own_posting", *(key for _, key, *_ in members))
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
    for side, member_id, amount, of in members:
        session.add(
            MemberRow(
                group_id=group_id,
                side=side,
                member_id=member_id,
                amount_minor=amount,
                of_minor=of,
                live=True,
            )
        )
    session.flush()
    append(session, "tieout", "confirmed", "group", group_id, {"rung": "own_posting"})
    return True


def _joined_members(session: Session, adjustment: Adjustment) -> list[tuple[str, str, int, int]]:
    """What our own posting explains: its entry, or what is left of it, or the posting it reverses.

    Returns:
        Side, id, amount, and how much there was of each.
    """
    if adjustment.subject_side == "entry":
        entry = entry_of(session, adjustment.subject_id)
        if not told(session, [entry.entry_id]):
            return []
        taken = taken_of(session, "entry", ids=[entry.entry_id]).get(entry.entry_id)
        rest = rest_of_entry(entry, taken)
        amount = adjustment.amount_minor if abs(adjustment.amount_minor) < abs(rest) else rest
        return [("entry", entry.entry_id, amount, entry.amount_minor)] if amount else []
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
    return [("item", k, items[k].amount_minor, items[k].amount_minor) for k in sorted(items)]
