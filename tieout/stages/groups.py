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

import pyarrow as pa
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
from tieout.money import to_minor
from tieout.stages.identities import claimed_entries
from tieout.stages.sync import current_items
from tieout.states import move

__all__ = ["GroupView", "confirmed_again", "group_views", "record_groups"]

_Row = TypeVar("_Row", EntryRow, ItemRow)


@dataclass(frozen=True, slots=True)
class GroupView:
    """A confirmed group with its members' rows.

    Attributes:
        effect_minor: entries less cash-book items as the books say them now (a line that vanished
            is nothing), in the account's minor units.
    """

    group: GroupRow
    entries: tuple[EntryRow, ...]
    items: tuple[ItemRow, ...]
    effect_minor: int

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
    ladder: str,
    groups: pa.Table,
    members: pa.Table,
) -> int:
    """Record the groups of one run; a known group stays. Returns how many are new."""
    new = 0
    name, _, version = ladder.partition("@")
    rows: dict[str, list[Mapping[str, object]]] = {}
    for member in members.to_pylist():
        rows.setdefault(member["group_id"], []).append(member)
    for group in groups.to_pylist():
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
        if _insert(session, values, rows[key]):
            new += 1
    return new


def _insert(
    session: Session, group: dict[str, object], members: list[Mapping[str, object]]
) -> bool:
    made = session.execute(
        insert(GroupRow).values(**group).on_conflict_do_nothing().returning(GroupRow.group_id)
    ).first()
    if made is None:
        return confirmed_again(session, str(group["group_id"]))
    for member in members:
        session.add(
            MemberRow(
                group_id=group["group_id"],
                side=member["side"],
                member_id=member["member_id"],
                amount_minor=to_minor(member["amount"], str(group["currency"])),  # type: ignore[arg-type]
                live=group["state"] == "confirmed",
            )
        )
    session.flush()
    detail = {"rung": group["rung"], "residual": group["residual_minor"]}
    append(session, "tieout", str(group["state"]), "group", str(group["group_id"]), detail)
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
    for group_id, item_id in session.execute(members):
        items.setdefault(group_id, []).append(current[item_id])
    return [
        _view(
            g, _until(entries.get(g.group_id, []), until), _until(items.get(g.group_id, []), until)
        )
        for g in groups
    ]


def _until(rows: list[_Row], day: dt.date | None) -> list[_Row]:
    return [r for r in rows if day is None or r.booked_on is None or r.booked_on <= day]


def _view(group: GroupRow, entries: list[EntryRow], items: list[ItemRow]) -> GroupView:
    booked = sum(i.open_minor for i in items if i.kind == "cash_book")
    effect = sum(e.amount_minor for e in entries) - booked
    return GroupView(group, tuple(entries), tuple(items), effect)


def confirmed_again(session: Session, group_id: str) -> bool:
    """Confirm a group anew that a correction undid, now that its entries are told again."""
    group = session.get(GroupRow, group_id)
    if group is None or group.state != "undone":
        return False
    group.state = move("group", group.state, "confirm again")
    for member in session.scalars(select(MemberRow).where(MemberRow.group_id == group_id)):
        member.live = True
    session.flush()
    append(session, "tieout", group.state, "group", group_id, {"reason": "its entry is told again"})
    return True
