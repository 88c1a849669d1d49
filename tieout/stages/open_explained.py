"""Why something open did not match: the ladder tried again on what is open, nothing recorded.

What is open is a function of the facts, so trying again says what the last run saw, unless facts
came since. Rows that a group took are looked at too: "it was taken by" is the commonest answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

import pyarrow as pa
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from tieout.adjustments.store import standing_amounts
from tieout.ledger.models import (
    Account,
    DetailRow,
    EntryRow,
    GroupRow,
    ItemRow,
    MemberRow,
    StatementRow,
)
from tieout.matching import ladder as ladders
from tieout.matching.engine import Result
from tieout.matching.explain import Explanation, Hit, Near, State
from tieout.matching.nearest import Candidate, nearest
from tieout.stages.decided import forbidden_of
from tieout.stages.identities import among, booked_entries, entry_details, entry_of
from tieout.stages.ladder_run import run_ladder
from tieout.stages.named_rows import rows_of
from tieout.stages.open_tables import Open, open_of, tables_of
from tieout.stages.own_postings import own_lines
from tieout.stages.sync import current_items

__all__ = ["open_explanation"]

_LIMIT: Final = 3
#: Rows of other groups that are looked at.
_TAKEN: Final = 50


def open_explanation(session: Session, own: Hit) -> Explanation:
    """State, sentence, facts and candidates of an open entry or item."""
    told: list[tuple[Candidate, str]] = []
    facts: dict[str, str] = {}
    state: State = "unmatched"
    sentence = ""
    for account in _accounts(session, own):
        day = _last_day(session, account)
        facts["ladder"] = account.ladder
        if sentence := _later(session, own, day):
            continue
        open_ = _with_open(session, account, day)
        ladder = ladders.load(account.ladder)
        result = run_ladder(open_, ladder, forbidden_of(session, account.code))
        facts["ladder"] = result.ladder
        if group := _would_match(result, own):
            facts["rung"] = group["rung"]
            does = "takes" if group["state"] == "confirmed" else "would propose"
            sentence = f"rung {group['rung']} {does} it now, and no run has recorded that yet"
            return _made(own, state, f"{sentence}; run the reconciliation", facts)
        for refusal in result.refused.to_pylist():
            if own.row_id in (*refusal["entry_ids"], *refusal["item_ids"]):
                state, sentence, facts["rung"] = "refused", refusal["message"], refusal["rung"]
        told += [(c, account.code) for c in _candidates(session, account, own, open_, result)]
    told = sorted(told, key=lambda t: len(t[0].failures))[:_LIMIT]
    other = "item" if own.kind == "entry" else "entry"
    rows = rows_of(session, other, [c.other_id for c, _ in told])
    near = tuple(Near(row, c) for row, (c, _) in zip(rows, told, strict=True))
    if near and state != "refused":
        sentence = f"nearest is {rows[0].name or rows[0].row_id[:12]}: {told[0][0].by}"
    nothing = "nothing on the other side has its amount, reference or counterparty"
    return _made(own, state, sentence or nothing, facts, near)


def _made(
    own: Hit, state: State, sentence: str, facts: Mapping[str, str], near: tuple[Near, ...] = ()
) -> Explanation:
    return Explanation(own.kind, own.row_id, None, state, sentence, facts, near=near)


def _accounts(session: Session, own: Hit) -> list[Account]:
    """The account of an entry; those an item can be paid on."""
    query = select(Account).order_by(Account.code)
    if own.kind == "entry":
        code = entry_of(session, own.row_id).account_code
        return list(session.scalars(query.where(Account.code == code)))
    item = current_items(session, ItemRow.item_id == own.row_id)[own.row_id]
    query = query.where(Account.company == item.company, Account.currency == item.currency)
    if item.account_code is not None:
        query = query.where(Account.code == item.account_code)
    return list(session.scalars(query))


def _last_day(session: Session, account: Account) -> dt.date:
    newest = select(func.max(StatementRow.closed_on)).where(
        StatementRow.account_code == account.code, StatementRow.kind == "booked"
    )
    return session.scalars(newest).one() or dt.date.max


def _later(session: Session, own: Hit, day: dt.date) -> str:
    """Whether an item is of a day the bank has not told yet."""
    if own.kind == "entry":
        return ""
    item = current_items(session, ItemRow.item_id == own.row_id)[own.row_id]
    if item.booked_on is None or item.booked_on <= day:
        return ""
    return f"it is booked on {item.booked_on}, and the bank's last statement is of {day}"


def _with_open(session: Session, account: Account, day: dt.date) -> Open:
    standing = standing_amounts(session, account.code)
    explained = {subject_id for side, subject_id in standing if side == "entry"}
    return open_of(session, account, day, explained, own_lines(session, account))


def _would_match(result: Result, own: Hit) -> dict[str, Any] | None:
    """The group the ladder forms of it now."""
    for member in result.members.to_pylist():
        if (member["side"], member["member_id"]) == (own.kind, own.row_id):
            groups = {g["group_id"]: g for g in result.groups.to_pylist()}
            return groups[member["group_id"]]
    return None


def _candidates(
    session: Session, account: Account, own: Hit, open_: Open, result: Result
) -> list[Candidate]:
    entries, details, items = open_.entry_table, open_.detail_table, open_.item_table
    more: Mapping[str, EntryRow | ItemRow]
    if own.kind == "entry":
        more = taken_items = _taken_items(session, account, own, open_)
        _, _, also = tables_of(account, [], [], taken_items.values())
        items = pa.concat_tables([items, also])
    else:
        found = _taken_entries(session, account, own, open_)
        inside = entry_details(session, found)
        also, also_details, _ = tables_of(account, found.values(), inside, [])
        entries = pa.concat_tables([entries, also])
        details = pa.concat_tables([details, also_details])
        more = found
    return nearest(
        *(entries, details, items, ladders.load(account.ladder), result),
        wanted={own.row_id},
        limit=_LIMIT,
        taken=_takers(session, more),
        apart=forbidden_of(session, account.code).crossing,
    ).get(own.row_id, [])


def _takers(session: Session, rows: Iterable[str]) -> dict[str, str]:
    query = (
        select(MemberRow.member_id, GroupRow.group_id, GroupRow.rung)
        .join(GroupRow, GroupRow.group_id == MemberRow.group_id)
        .where(among(MemberRow.member_id, rows), MemberRow.live)
    )
    found = session.execute(query)
    return {own: f"group {group[:12]} (rung {rung})" for own, group, rung in found}


def _taken_items(session: Session, account: Account, own: Hit, open_: Open) -> dict[str, ItemRow]:
    """Items with the entry's amount or a reference of it that a group has taken."""
    row = open_.entries[own.row_id]
    inside = [d for d in open_.details.values() if d.entry_id == own.row_id]
    refs = {row.entry_ref, *(v for d in inside for v in (d.end_to_end_id, d.reference))} - {None}
    amounts = [row.amount_minor, *(d.amount_minor for d in inside if d.amount_minor)]
    live = select(MemberRow.member_id).where(MemberRow.side == "item", MemberRow.live)
    found = current_items(
        session,
        ItemRow.company == account.company,
        ItemRow.currency == account.currency,
        ItemRow.item_id.in_(live),
        or_(
            ItemRow.amount_minor.in_(amounts[:_TAKEN]),
            among(ItemRow.end_to_end_id, refs),  # type: ignore[arg-type]
            among(ItemRow.document_no, refs),  # type: ignore[arg-type]
        ),
    )
    day = row.booked_on or dt.date.min
    nearest_first = sorted(
        found.values(), key=lambda i: (abs(((i.booked_on or day) - day).days), i.item_id)
    )
    return {i.item_id: i for i in nearest_first[:_TAKEN]}


def _taken_entries(
    session: Session, account: Account, own: Hit, open_: Open
) -> dict[str, EntryRow]:
    """Entries with the item's amount or a reference of it that a group has taken."""
    item = open_.items[own.row_id]
    refs = {item.document_no, item.end_to_end_id, *item.reference} - {None}
    same = select(DetailRow.entry_id).where(
        or_(among(DetailRow.end_to_end_id, refs), among(DetailRow.reference, refs))  # type: ignore[arg-type]
    )
    wanted = or_(EntryRow.amount_minor == item.open_minor, EntryRow.entry_id.in_(same))
    rows = set(
        session.scalars(
            select(EntryRow.entry_id)
            .where(EntryRow.account_code == account.code, EntryRow.status == "booked", wanted)
            .order_by(EntryRow.booked_on.desc(), EntryRow.entry_id)
            .limit(_TAKEN)
        )
    )
    live = select(MemberRow.member_id).where(
        MemberRow.side == "entry", MemberRow.live, among(MemberRow.member_id, rows)
    )
    taken = set(session.scalars(live))
    told: dict[str, Any] = {
        e.entry_id: e
        for e in booked_entries(session, account.code, states=("accepted",))
        if e.entry_id in taken
    }
    return told
