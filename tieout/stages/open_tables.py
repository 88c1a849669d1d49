"""What is open on an account, as canonical tables: the input of matching, straight from facts.

Only booked entries of accepted statements and the newest version of items count; what a live group
claims, or an approved adjustment explains, is not open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tieout.canonical import DETAILS, ENTRIES, ITEMS, table
from tieout.ledger.models import (
    Account,
    DetailRow,
    EntryRow,
    ItemRow,
    MemberRow,
)
from tieout.money import from_minor
from tieout.stages.identities import booked_entries, entry_details
from tieout.stages.sync import is_newest

__all__ = ["Open", "live_members", "open_items", "open_of", "tables_of"]


@dataclass(frozen=True, slots=True)
class Open:
    """Open rows of one account, by id, and the same as canonical tables."""

    entries: dict[str, EntryRow]
    details: dict[str, DetailRow]
    items: dict[str, ItemRow]
    entry_table: pa.Table
    detail_table: pa.Table
    item_table: pa.Table


def live_members(session: Session, side: str) -> set[str]:
    """Ids on one side that a live group claims."""
    query = select(MemberRow.member_id).where(MemberRow.side == side, MemberRow.live)
    return set(session.scalars(query))


def open_of(session: Session, account: Account, day: dt.date, explained: Collection[str]) -> Open:
    """Everything open on one account up to and including a day.

    Args:
        explained: entries that an approved or posted adjustment explains.

    Returns:
        Entries and details of the account; the account's own cash-book items, and the company's
        open receivables, payables and expenses in the account's currency.
    """
    claimed = live_members(session, "entry")
    entries = {
        e.entry_id: e
        for e in booked_entries(session, account.code, states=("accepted",))
        if e.entry_id not in claimed
        and e.entry_id not in explained
        and (e.booked_on is None or e.booked_on <= day)
    }
    taken = live_members(session, "detail")
    details = {d.detail_id: d for d in entry_details(session, entries) if d.detail_id not in taken}
    items = open_items(session, account, day)
    return Open(
        entries,
        details,
        items,
        table([_entry(account, e) for e in entries.values()], ENTRIES),
        table([_detail(account, d) for d in details.values()], DETAILS),
        table([_item(account, i) for i in items.values()], ITEMS),
    )


def open_items(session: Session, account: Account, day: dt.date) -> dict[str, ItemRow]:
    """Open items an account's entries may meet, by id, ordered by day; claimed ones left out."""
    query = (
        select(ItemRow)
        .where(
            is_newest(),
            ItemRow.company == account.company,
            ItemRow.currency == account.currency,
            ItemRow.open_minor != 0,
            or_(ItemRow.account_code == account.code, ItemRow.account_code.is_(None)),
            or_(ItemRow.booked_on.is_(None), ItemRow.booked_on <= day),
        )
        .order_by(ItemRow.booked_on, ItemRow.item_id)
    )
    claimed = live_members(session, "item")
    return {i.item_id: i for i in session.scalars(query) if i.item_id not in claimed}


def _columns(row: Any, names: list[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names if hasattr(row, name)}


def _entry(account: Account, entry: EntryRow) -> dict[str, Any]:
    return _columns(entry, ENTRIES.names) | {
        "account_id": account.code,
        "amount": from_minor(entry.amount_minor, entry.currency),
    }


def _detail(account: Account, detail: DetailRow) -> dict[str, Any]:
    currency = detail.currency or account.currency
    original = detail.original_currency or currency
    row = _columns(detail, DETAILS.names)
    for name, minor, unit in (
        ("amount", detail.amount_minor, currency),
        ("original_amount", detail.original_minor, original),
        ("charges", detail.charges_minor, currency),
    ):
        row[name] = None if minor is None else from_minor(minor, unit)
    return row


def _item(account: Account, item: ItemRow) -> dict[str, Any]:
    return _columns(item, ITEMS.names) | {
        "account_id": account.code,
        "amount": from_minor(item.amount_minor, item.currency),
        "open_amount": from_minor(item.open_minor, item.currency),
    }


def tables_of(
    account: Account,
    entries: Iterable[EntryRow],
    details: Iterable[DetailRow],
    items: Iterable[ItemRow],
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Rows of the ledger as canonical tables."""
    return (
        table([_entry(account, e) for e in entries], ENTRIES),
        table([_detail(account, d) for d in details], DETAILS),
        table([_item(account, i) for i in items], ITEMS),
    )
