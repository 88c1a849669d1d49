"""What is open on an account, as canonical tables: the input of matching, straight from facts.

Only booked entries of accepted statements and the newest version of items count; what a live group
claims, or an approved adjustment explains, is not open. Of what groups took in part, the rest is.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
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
    GroupRow,
    ItemRow,
    MemberRow,
)
from tieout.money import from_minor
from tieout.stages.claims import Taken, rest_of_entry, rest_of_item, taken_of
from tieout.stages.identities import among, booked_entries, copy_of, entry_details
from tieout.stages.sync import is_newest

__all__ = ["Open", "joined_entries", "open_entries", "open_items", "open_of", "tables_of"]


@dataclass(frozen=True, slots=True)
class Open:
    """Open rows of one account, by id, and the same as canonical tables.

    ``parts`` says, of rows that groups took in part, how much there was (side and id to minor
    units); the rows themselves say what is left.
    """

    entries: dict[str, EntryRow]
    details: dict[str, DetailRow]
    items: dict[str, ItemRow]
    entry_table: pa.Table
    detail_table: pa.Table
    item_table: pa.Table
    parts: dict[tuple[str, str], int]


def open_of(
    session: Session,
    account: Account,
    day: dt.date,
    explained: Collection[str],
    withheld: Collection[str] = (),
) -> Open:
    """Everything open on one account up to and including a day.

    Args:
        explained: entries that an approved or posted adjustment explains.
        withheld: items that are open and nobody's to match: our own postings.

    Returns:
        Entries and details of the account; the account's own cash-book items, and the company's
        open receivables, payables and expenses in the account's currency.
    """
    taken = taken_of(session, "entry")
    joined = joined_entries(session, explained)
    rows = booked_entries(session, account.code, states=("accepted",))
    entries = {
        e.entry_id: e
        for e in open_entries(rows, taken)
        if (e.entry_id not in explained or e.entry_id in joined)
        and (e.booked_on is None or e.booked_on <= day)
    }
    details = _open_details(session, entries, taken)
    claims = taken_of(session, "item")
    found = open_items(session, account, day, claims)
    items = {k: i for k, i in found.items() if k not in withheld}
    parts = {
        ("entry", k): abs(e.amount_minor) + abs(taken[k].minor)
        for k, e in entries.items()
        if k in taken
    }
    parts |= {
        ("item", k): abs(i.open_minor) + abs(claims[k].minor)
        for k, i in items.items()
        if k in claims
    }
    return Open(
        entries,
        details,
        items,
        table([_entry(account, e) for e in entries.values()], ENTRIES),
        table([_detail(account, d) for d in details.values()], DETAILS),
        table([_item(account, i) for i in items.values()], ITEMS),
        parts,
    )


def open_entries(rows: Iterable[EntryRow], taken: Mapping[str, Taken]) -> list[EntryRow]:
    """Of these entries, what is left of each: those taken whole left out."""
    found = []
    for row in rows:
        own = taken.get(row.entry_id)
        if own is None:
            found.append(row)
        elif rest := rest_of_entry(row, own):
            found.append(copy_of(row, amount_minor=rest))
    return found


def joined_entries(session: Session, explained: Collection[str]) -> set[str]:
    """Entries whose own posting is in the cash book and tied to them: what is left is open."""
    query = (
        select(MemberRow.member_id)
        .join(GroupRow, GroupRow.group_id == MemberRow.group_id)
        .where(
            MemberRow.side == "entry",
            MemberRow.live,
            among(MemberRow.member_id, explained),
            GroupRow.rung == "own_posting",
        )
    )
    return set(session.scalars(query)) if explained else set()


def _open_details(
    session: Session, entries: Mapping[str, EntryRow], taken: Mapping[str, Taken]
) -> dict[str, DetailRow]:
    """Details of open entries. Of an entry taken in part nobody knows which of several are left;
    an only one stands for the rest."""
    claimed = taken_of(session, "detail")
    details = [d for d in entry_details(session, entries) if d.detail_id not in claimed]
    several = Counter(d.entry_id for d in details)
    found = {}
    for detail in details:
        if detail.entry_id in taken:
            if several[detail.entry_id] > 1:
                continue
            rest = entries[detail.entry_id].amount_minor
            detail = copy_of(detail, amount_minor=rest, charges_minor=None)
        found[detail.detail_id] = detail
    return found


def open_items(
    session: Session, account: Account, day: dt.date, taken: Mapping[str, Taken]
) -> dict[str, ItemRow]:
    """Open items an account's entries may meet, by id, ordered by day; what is taken left out."""
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
    found = {}
    for item in session.scalars(query):
        own = taken.get(item.item_id)
        if own is None:
            found[item.item_id] = item
        elif rest := rest_of_item(item, own):
            found[item.item_id] = copy_of(item, open_minor=rest)
    return found


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
