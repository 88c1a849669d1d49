"""Matches, and what is open to be matched, as rows for people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.adjustments.store import standing_amounts
from tieout.errors import LedgerError
from tieout.ledger.models import (
    Account,
    Adjustment,
    AuditRow,
    EntryRow,
    GroupRow,
    ItemRow,
    MemberRow,
)
from tieout.money import format_amount
from tieout.stages.derive import narrative_of
from tieout.stages.identities import among, entry_details, entry_of
from tieout.stages.match_ids import group_of
from tieout.stages.open_tables import open_of
from tieout.stages.own_postings import own_lines
from tieout.stages.sync import current_items
from tieout.states import states_of

__all__ = ["match_detail", "match_rows", "open_rows"]


def match_rows(
    session: Session,
    account_code: str | None = None,
    state: str | None = None,
    limit: int | None = None,
) -> list[dict[str, str]]:
    """Matches with what they hold, the newest first.

    Args:
        limit: at most so many; else all.

    Raises:
        LedgerError: ``MATCH_STATE`` where no match can be in such a state.
    """
    if state is not None and state not in states_of("group"):
        raise LedgerError(
            "MATCH_STATE",
            f"no match is ever {state!r}",
            where="--state",
            remedy=f"one of {', '.join(states_of('group'))}",
        )
    query = select(GroupRow).order_by(GroupRow.derived_at.desc(), GroupRow.group_id).limit(limit)
    if account_code is not None:
        _known_account(session, account_code)
        query = query.where(GroupRow.account_code == account_code)
    if state is not None:
        query = query.where(GroupRow.state == state)
    groups = list(session.scalars(query))
    members = _members(session, [g.group_id for g in groups])
    documents = _documents(session, members)
    rows = []
    for group in groups:
        own = members.get(group.group_id, [])
        entries = sum(m.amount_minor for m in own if m.side == "entry")
        moved = entries or sum(m.amount_minor for m in own if m.side == "item")
        rows.append(
            {
                "id": group.group_id,
                "account": group.account_code,
                "state": group.state,
                "rung": group.rung,
                "kind": group.cardinality,
                "amount": _money(moved, group.currency),
                "residual": _money(group.residual_minor, group.currency),
                "items": ", ".join(documents[m.member_id] for m in own if m.side == "item"),
                "by": group.maker + (f", {group.approver}" if group.approver else ""),
                "evidence": group.evidence,
            }
        )
    return rows


def _money(minor: int, currency: str) -> str:
    return f"{format_amount(minor, currency)} {currency}"


def _known_account(session: Session, code: str) -> Account:
    account = session.get(Account, code)
    if account is None:
        known = ", ".join(session.scalars(select(Account.code).order_by(Account.code)))
        raise LedgerError(
            "ACCOUNT_UNKNOWN",
            f"no account has the code {code!r}",
            where="--account",
            remedy=f"one of {known}" if known else "run `tieout sync` first",
        )
    return account


def _members(session: Session, group_ids: Sequence[str]) -> dict[str, list[MemberRow]]:
    query = select(MemberRow).where(
        among(MemberRow.group_id, group_ids), MemberRow.side != "detail"
    )
    found: dict[str, list[MemberRow]] = {}
    for member in session.scalars(query.order_by(MemberRow.side, MemberRow.member_id)):
        found.setdefault(member.group_id, []).append(member)
    return found


def _documents(session: Session, members: dict[str, list[MemberRow]]) -> dict[str, str]:
    keys = {m.member_id for own in members.values() for m in own if m.side == "item"}
    items = current_items(session, among(ItemRow.item_id, keys))
    names = {key: item.document_no or key[:12] for key, item in items.items()}
    return dict.fromkeys(keys, "?") | names


def match_detail(session: Session, given: str) -> dict[str, Any]:
    """One match: its members, why, who did what to it, and what was posted for it.

    Raises:
        LedgerError: ``MATCH_UNKNOWN``, ``MATCH_UNCLEAR``.
    """
    group = group_of(session, given)
    own = _members(session, [group.group_id]).get(group.group_id, [])
    steps = session.scalars(
        select(AuditRow)
        .where(AuditRow.subject_kind == "group", AuditRow.subject_id == group.group_id)
        .order_by(AuditRow.seq)
    )
    postings = session.scalars(
        select(Adjustment)
        .where(Adjustment.subject_side == "group", Adjustment.subject_id == group.group_id)
        .order_by(Adjustment.proposed_at, Adjustment.adjustment_id)
    )
    return {
        "id": group.group_id,
        "account": group.account_code,
        "state": group.state,
        "rung": group.rung,
        "ladder": f"{group.ladder}@{group.ladder_version}",
        "kind": group.cardinality,
        "residual": _money(group.residual_minor, group.currency),
        "residual_class": group.residual_class or "",
        "by": group.maker,
        "confirmed_by": group.approver or "",
        "evidence": group.evidence,
        "members": [_member(session, group, m) for m in own],
        "history": [
            {
                "at": step.at.astimezone(dt.UTC).isoformat(timespec="seconds"),
                "who": step.actor,
                "what": step.action,
                "why": str(step.detail.get("reason", "")),
            }
            for step in steps
        ],
        "postings": [
            {
                "id": a.adjustment_id,
                "kind": a.kind,
                "state": a.state,
                "amount": _money(a.amount_minor, a.currency),
                "document": a.document_no or "",
            }
            for a in postings
        ],
    }


def _member(session: Session, group: GroupRow, member: MemberRow) -> dict[str, str]:
    about = {"side": member.side, "id": member.member_id}
    if member.side == "entry":
        about |= _entry(session, entry_of(session, member.member_id))
    else:
        items = current_items(session, ItemRow.item_id == member.member_id)
        about |= _item(items[member.member_id]) if items else {}
    about["taken"] = _money(member.amount_minor, group.currency)
    about["of"] = _money(member.of_minor, group.currency)
    return about


def _entry(session: Session, entry: EntryRow) -> dict[str, str]:
    details = entry_details(session, [entry.entry_id])
    names = dict.fromkeys(d.counterparty_name for d in details if d.counterparty_name)
    return {
        "name": entry.bank_ref or "",
        "day": str(entry.booked_on or ""),
        "party": ", ".join(names),
        "narrative": narrative_of(entry, details),
    }


def _item(item: ItemRow) -> dict[str, str]:
    return {
        "name": item.document_no or "",
        "day": str(item.booked_on or ""),
        "party": item.counterparty_name or "",
        "narrative": item.narrative or "",
    }


def open_rows(session: Session, account_code: str, day: dt.date) -> list[dict[str, str]]:
    """What is open on an account, bank first: ids and amounts to match by hand.

    Raises:
        LedgerError: ``ACCOUNT_UNKNOWN``.
    """
    account = _known_account(session, account_code)
    explained = {k for side, k in standing_amounts(session, account_code) if side == "entry"}
    open_ = open_of(session, account, day, explained, own_lines(session, account))
    rows = [
        {"side": "entry", "id": e.entry_id, "amount": _money(e.amount_minor, e.currency)}
        | _entry(session, e)
        for e in open_.entries.values()
    ]
    rows += [
        {"side": i.kind, "id": i.item_id, "amount": _money(i.open_minor, i.currency)} | _item(i)
        for i in open_.items.values()
    ]
    return rows
