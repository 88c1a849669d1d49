"""What groups take of entries and items, and what is left of each for others.

Most members are taken whole. Of one taken in parts the rest stays open, for later runs and for
people. Parts never come to more than there is: the database sees to it when they are claimed, and
here we see to it when the books change afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tieout.ledger.models import EntryRow, GroupRow, ItemRow, MemberRow
from tieout.stages.identities import among

__all__ = ["Taken", "open_minor", "rest_of_entry", "rest_of_item", "shares", "taken_of"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What groups take of one row, in minor units.

    Attributes:
        whole: one group has all of it, however much it is now.
        minor: sum of the parts, signed as the row.
        base: the most there was of it when a part was claimed; not negative.
    """

    whole: bool
    minor: int
    base: int


def taken_of(
    session: Session, side: str, *, held: bool = True, ids: Collection[str] | None = None
) -> dict[str, Taken]:
    """What live groups take of the rows of one side, by id.

    Args:
        held: also what groups that wait for a person's decision hold.
        ids: of these rows only.
    """
    row = MemberRow
    query = (
        select(
            row.member_id,
            func.bool_or(row.amount_minor == row.of_minor),
            func.sum(row.amount_minor),
            func.max(func.abs(row.of_minor)),
        )
        .where(row.side == side, row.live)
        .group_by(row.member_id)
    )
    if not held:
        query = query.join(GroupRow, GroupRow.group_id == row.group_id).where(
            GroupRow.state == "confirmed"
        )
    if ids is not None:
        query = query.where(among(row.member_id, ids))
    return {
        key: Taken(bool(whole), int(minor), int(base))
        for key, whole, minor, base in session.execute(query)
    }


def _signed(size: int, like: int) -> int:
    return size if like >= 0 else -size


def open_minor(row_minor: int, taken: Taken | None) -> int:
    """What is left of a row from which parts are taken; nothing of one taken whole."""
    if taken is None:
        return row_minor
    if taken.whole:
        return 0
    if taken.minor and (taken.minor < 0) != (row_minor < 0):
        return row_minor
    return _signed(max(0, abs(row_minor) - abs(taken.minor)), row_minor)


def rest_of_entry(entry: EntryRow, taken: Taken | None) -> int:
    """What is left of an entry."""
    return open_minor(entry.amount_minor, taken)


def rest_of_item(item: ItemRow, taken: Taken | None) -> int:
    """What is left of an item as the books say it now.

    A document that was paid in part may already be smaller in the books: what they took off since
    the first part was claimed is not taken off twice. A line of the cash book stays as it is.
    """
    if taken is None or taken.whole or item.kind == "cash_book":
        return open_minor(item.open_minor, taken)
    cleared = max(0, taken.base - abs(item.open_minor))
    size = max(0, abs(taken.minor) - cleared)
    return open_minor(item.open_minor, Taken(False, _signed(size, taken.minor), taken.base))


def shares(session: Session, items: Mapping[str, ItemRow]) -> dict[tuple[str, str], int]:
    """What confirmed groups have of items they take in part, by group and item.

    A cash-book line that became smaller serves the groups in the order of their ids until nothing
    is left of it; so groups and rest always come to the line.
    """
    row = MemberRow
    query = (
        select(row.group_id, row.member_id, row.amount_minor)
        .join(GroupRow, GroupRow.group_id == row.group_id)
        .where(
            row.side == "item",
            row.live,
            row.amount_minor != row.of_minor,
            GroupRow.state == "confirmed",
        )
        .order_by(row.member_id, row.group_id)
    )
    found: dict[tuple[str, str], int] = {}
    left: dict[str, int] = {}
    for group_id, item_id, amount in session.execute(query):
        item = items.get(item_id)
        if item is None:
            continue
        there = left.get(item_id, item.open_minor)
        fits = (there < 0) == (amount < 0)
        share = _signed(min(abs(there), abs(amount)), there) if fits else 0
        found[group_id, item_id] = share
        if item.kind == "cash_book":
            left[item_id] = there - share
    return found
