"""What the ledger knows already: a statement in another format, a reference that repeats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from tieout.identity import content_id
from tieout.ledger.models import EntryRow, StatementRow

__all__ = ["in_other_format", "renew_ids"]

Row = dict[str, Any]

_SAME: Final = (
    "account_code",
    "kind",
    "sequence_no",
    "closed_on",
    "opening_minor",
    "closing_minor",
)


def in_other_format(session: Session, head: Row, before: Sequence[Row]) -> bool:
    """Whether the statement is known under another name of its account (IBAN, bank's number)."""
    if any(head[name] is None for name in _SAME):
        return False
    page = head["page"] or 1
    if any(all(r[n] == head[n] for n in _SAME) and (r["page"] or 1) == page for r in before):
        return True
    same = [getattr(StatementRow, name) == head[name] for name in _SAME]
    query = select(StatementRow.page).where(*same)
    return any((found or 1) == page for found in session.scalars(query))


def renew_ids(session: Session, converted: dict[str, list[Row]]) -> None:
    """Give a new id to entries whose id an entry of another statement has.

    Banks repeat references ("KONTOFUEHRUNG"). Two statements that each prove their balances are
    both right: the second entry is another one, not the first again. Only a statement of the same
    number (a correction) shares its entries.

    Entries of a report or notification always get one, made from the id they share with the
    statement that books them: that statement needs its rows, whichever file comes first.
    """
    head = converted["statements"][0]
    if head["kind"] != "booked":
        for row in converted["entries"]:
            row["entry_id"] = content_id(head["kind"], row["entry_id"])
        for row in converted["details"]:
            row["entry_id"] = content_id(head["kind"], row["entry_id"])
            row["detail_id"] = content_id("detail", row["entry_id"], row["ordinal"])
        return
    ids = [row["entry_id"] for row in converted["entries"]]
    query = (
        select(EntryRow.entry_id)
        .join(StatementRow, StatementRow.statement_id == EntryRow.statement_id)
        .where(
            EntryRow.entry_id.in_(ids),
            StatementRow.kind == head["kind"],
            or_(
                StatementRow.sequence_no.is_(None),
                StatementRow.sequence_no != head["sequence_no"],
                func.coalesce(StatementRow.page, 1) != (head["page"] or 1),
            ),
        )
    )
    taken = set(session.scalars(query))
    for row in converted["entries"]:
        if row["entry_id"] in taken:
            row["entry_id"] = content_id("entry again", row["entry_id"], head["statement_id"])
    renewed = dict(zip(ids, (row["entry_id"] for row in converted["entries"]), strict=True))
    for row in converted["details"]:
        if row["entry_id"] in taken:
            row["entry_id"] = renewed[row["entry_id"]]
            row["detail_id"] = content_id("detail", row["entry_id"], row["ordinal"])
