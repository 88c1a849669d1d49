"""Entries, payments inside them and items, as a person knows them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.errors import LedgerError
from tieout.ledger.models import DetailRow, EntryRow, ItemRow
from tieout.matching.explain import Row
from tieout.money import from_minor
from tieout.stages.identities import among, entry_details, entry_of
from tieout.stages.sync import current_items

__all__ = ["rows_of"]


def rows_of(session: Session, kind: str, ids: Sequence[str]) -> list[Row]:
    """Rows as people know them, in the order of their ids.

    Raises:
        LedgerError: ``ENTRY_UNKNOWN``.
    """
    if kind == "item":
        items = current_items(session, among(ItemRow.item_id, ids))
        return [_item(items[i]) for i in ids]
    if kind == "detail":
        query = select(DetailRow).where(among(DetailRow.detail_id, ids))
        details = {d.detail_id: d for d in session.scalars(query)}
        missing = [i for i in ids if i not in details]
        if missing:
            raise LedgerError("DETAIL_UNKNOWN", f"no detail {missing[0]}", where="ledger")
        return [_detail(session, details[i]) for i in ids]
    inside: dict[str, list[DetailRow]] = {}
    for detail in entry_details(session, ids):
        inside.setdefault(detail.entry_id, []).append(detail)
    return [_entry(entry_of(session, i), i, inside.get(i, [])) for i in ids]


def _entry(row: EntryRow, identity: str, details: Sequence[DetailRow]) -> Row:
    only = details[0] if len(details) == 1 else None
    name = row.bank_ref or (only.end_to_end_id if only else None) or ""
    words = row.narrative or (only.narrative if only else None) or ""
    party = (only.counterparty_name if only else None) or ""
    amount = from_minor(row.amount_minor, row.currency)
    day = row.booked_on or row.valued_on
    return Row("entry", identity, name, day, amount, row.currency, party, words)


def _detail(session: Session, row: DetailRow) -> Row:
    entry = session.get_one(EntryRow, row.entry_id)
    currency = row.currency or entry.currency
    amount = None if row.amount_minor is None else from_minor(row.amount_minor, currency)
    day = entry.booked_on or entry.valued_on
    name, party = row.end_to_end_id or "", row.counterparty_name or ""
    return Row("detail", row.detail_id, name, day, amount, currency, party, row.narrative or "")


def _item(row: ItemRow) -> Row:
    amount = from_minor(row.open_minor or row.amount_minor, row.currency)
    name, party = row.document_no or "", row.counterparty_name or ""
    return Row(
        "item",
        row.item_id,
        name,
        row.booked_on,
        amount,
        row.currency,
        party,
        row.narrative or "",
    )
