"""Match groups in the ledger, and what each leaves for the books.

A group of entries and cash-book items is in the books; one with receivables, payables or expenses
is not until its posting is. So a group's *effect* is its entries less its cash-book items: what the
bank has and the cash book does not.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tieout.audit import append
from tieout.ledger.models import (
    Account,
    EntryRow,
    GroupRow,
    ItemRow,
    MemberRow,
)
from tieout.matching.engine import Result
from tieout.money import to_minor
from tieout.stages.claims import shares
from tieout.stages.identities import claimed_entries, copy_of
from tieout.stages.sync import current_items
from tieout.states import move

__all__ = ["ENGINE", "GroupView", "confirmed_again", "group_views", "record_groups"]

#: In whose name the ladder's own groups are made.
ENGINE = "tieout"

_Row = TypeVar("_Row", EntryRow, ItemRow)


@dataclass(frozen=True, slots=True)
class GroupView:
    """A confirmed group with its members' rows; of a member taken in part, that part.

    Attributes:
        effect_minor: entries less cash-book items as the books say them now (a line that vanished
            is nothing), in the account's minor units.
        earlier_minor: what other groups that took parts of the same items left over, absolute.
    """

    group: GroupRow
    entries: tuple[EntryRow, ...]
    items: tuple[ItemRow, ...]
    effect_minor: int
    earlier_minor: int = 0

    @property
    def others(self) -> tuple[ItemRow, ...]:
        """Its items that are not in the cash book: what a posting must settle."""
        return tuple(i for i in self.items if i.kind != "cash_book")

    @property
    def vanished(self) -> tuple[ItemRow, ...]:
        """Its cash-book lines that the books do not have any more."""
        return tuple(i for i in self.items if i.kind == "cash_book" and not i.open_minor)


def record_groups(
    session: Session,
    run_id: str,
    account: Account,
    result: Result,
    parts: Mapping[tuple[str, str], int],
) -> int:
    """Record the groups of one run; a known group stays. Returns how many are new.

    Proposed groups that are not derived any more are withdrawn.

    Args:
        parts: of rows that other groups took in part, how much there was, by side and id.
    """
    new = 0
    name, _, version = result.ladder.partition("@")
    rows: dict[str, list[Mapping[str, object]]] = {}
    for member in result.members.to_pylist():
        rows.setdefault(member["group_id"], []).append(member)
    derived = result.groups.to_pylist()
    _withdraw(session, account, {group["group_id"] for group in derived})
    for group in derived:
        key = group["group_id"]
        values = {
            "group_id": key,
            "run_id": run_id,
            "account_code": account.code,
            "ladder": name,
            "ladder_version": version,
            "rung": group["rung"],
            "cardinality": group["cardinality"],
            "currency": group["currency"],
            "residual_minor": to_minor(group["residual"], group["currency"]),
            "residual_class": group["residual_class"],
            "state": group["state"],
            "evidence": group["evidence"],
            "facts": json.loads(group["facts"] or "{}"),
        }
        if _insert(session, values, rows[key], parts):
            new += 1
    return new


def _withdraw(session: Session, account: Account, derived: set[str]) -> None:
    """Withdraw what the ladder proposed and does not propose now; people's proposals stay."""
    waiting = select(GroupRow).where(
        GroupRow.account_code == account.code,
        GroupRow.state == "proposed",
        GroupRow.maker == ENGINE,
    )
    for group in session.scalars(waiting.order_by(GroupRow.group_id)):
        if group.group_id not in derived:
            group.state = move("group", group.state, "withdraw")
            reason = {"reason": "it is no longer derived"}
            append(session, ENGINE, group.state, "group", group.group_id, reason)


def _insert(
    session: Session,
    group: dict[str, object],
    members: list[Mapping[str, object]],
    parts: Mapping[tuple[str, str], int],
) -> bool:
    made = session.execute(
        insert(GroupRow).values(**group).on_conflict_do_nothing().returning(GroupRow.group_id)
    ).first()
    if made is None:
        return _again(session, str(group["group_id"]), str(group["state"]))
    for member in members:
        side, key = str(member["side"]), str(member["member_id"])
        amount = to_minor(member["amount"], str(group["currency"]))  # type: ignore[arg-type]
        there = parts.get((side, key), abs(amount))
        session.add(
            MemberRow(
                group_id=group["group_id"],
                side=side,
                member_id=key,
                amount_minor=amount,
                of_minor=there if amount >= 0 else -there,
                live=group["state"] == "confirmed",
            )
        )
    session.flush()
    detail = {"rung": group["rung"], "residual": group["residual_minor"]}
    append(session, ENGINE, str(group["state"]), "group", str(group["group_id"]), detail)
    return True


def _again(session: Session, group_id: str, state: str) -> bool:
    """A known group is derived again: stands as it is, comes back, or is sure now."""
    group = session.get_one(GroupRow, group_id)
    if group.state in (state, "confirmed"):
        return False
    if state == "confirmed":
        event = "confirm" if group.state == "proposed" else "confirm again"
        return _confirm(session, group, event, "it is derived again")
    group.state = move("group", group.state, "propose again")
    append(session, ENGINE, group.state, "group", group_id, {"reason": "it is derived again"})
    return True


def _confirm(session: Session, group: GroupRow, event: str, reason: str) -> bool:
    group.state = move("group", group.state, event)
    for member in session.scalars(select(MemberRow).where(MemberRow.group_id == group.group_id)):
        member.live = True
    session.flush()
    append(session, ENGINE, group.state, "group", group.group_id, {"reason": reason})
    return True


def group_views(
    session: Session, account_code: str, until: dt.date | None = None
) -> list[GroupView]:
    """All confirmed groups of an account with their members, ordered by id.

    Args:
        until: leave out members that were booked later, to see the groups as they were on a day.
    """
    groups = session.scalars(
        select(GroupRow)
        .where(GroupRow.account_code == account_code, GroupRow.state == "confirmed")
        .order_by(GroupRow.group_id)
    ).all()
    entries: dict[str, list[EntryRow]] = {}
    for group_id, entry in claimed_entries(session, account_code):
        entries.setdefault(group_id, []).append(entry)
    items: dict[str, list[ItemRow]] = {}
    members = (
        select(MemberRow.group_id, MemberRow.member_id)
        .join(GroupRow, GroupRow.group_id == MemberRow.group_id)
        .where(MemberRow.side == "item", MemberRow.live, GroupRow.account_code == account_code)
        .order_by(MemberRow.member_id)
    )
    member_ids = members.with_only_columns(MemberRow.member_id).order_by(None)
    current = current_items(session, ItemRow.item_id.in_(member_ids))
    parts = shares(session, current)
    sharing: dict[str, set[str]] = {}
    for group_id, item_id in session.execute(members):
        item = current[item_id]
        if (share := parts.get((group_id, item_id))) is not None:
            item = copy_of(item, open_minor=share)
            sharing.setdefault(item_id, set()).add(group_id)
        items.setdefault(group_id, []).append(item)
    left = {g.group_id: abs(g.residual_minor) for g in groups}
    return [
        _view(
            g,
            _until(entries.get(g.group_id, []), until),
            _until(items.get(g.group_id, []), until),
            _earlier(g.group_id, sharing, left),
        )
        for g in groups
    ]


def _earlier(group_id: str, sharing: Mapping[str, set[str]], left: Mapping[str, int]) -> int:
    """What the other groups that share an item with this one left over."""
    others = {g for groups in sharing.values() if group_id in groups for g in groups}
    return sum(left[other] for other in others - {group_id} if other in left)


def _until(rows: list[_Row], day: dt.date | None) -> list[_Row]:
    return [r for r in rows if day is None or r.booked_on is None or r.booked_on <= day]


def _view(
    group: GroupRow, entries: list[EntryRow], items: list[ItemRow], earlier_minor: int
) -> GroupView:
    booked = sum(i.open_minor for i in items if i.kind == "cash_book")
    effect = sum(e.amount_minor for e in entries) - booked
    return GroupView(group, tuple(entries), tuple(items), effect, earlier_minor)


def confirmed_again(session: Session, group_id: str) -> bool:
    """Confirm a group anew that a correction undid, now that its entries are told again."""
    group = session.get(GroupRow, group_id)
    if group is None or group.state != "undone":
        return False
    return _confirm(session, group, "confirm again", "its entry is told again")
