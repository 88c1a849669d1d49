"""What the ledger knows already when a statement comes: its rows get ids nobody has.

A statement told again (another format, a corrected file) is recorded beside the first; which of
them counts is a conclusion (`tieout.stages.standing`). Only a telling that says nothing else than
one already recorded is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.identity import content_id
from tieout.ledger.models import EntryRow, StatementRow
from tieout.stages.day_reports import ANNOUNCED
from tieout.stages.identities import among

__all__ = ["is_known", "renew_ids"]

#: What a telling says of an entry; one that says something else is kept beside it.
_TOLD: Final = ("amount_minor", "booked_on", "valued_on", "bank_ref", "narrative", "detail_count")

Row = dict[str, Any]
Rows = dict[str, list[Row]]


def is_known(session: Session, converted: Rows) -> bool:
    """Whether a statement of the same id, format and entries is recorded."""
    (head,) = converted["statements"]
    known = session.get(StatementRow, head["statement_id"])
    if known is None or known.format != head["format"] or known.incomplete != head["incomplete"]:
        return False
    columns = [getattr(EntryRow, name) for name in _TOLD]
    query = select(*columns).where(EntryRow.statement_id == head["statement_id"])
    before = Counter(tuple(row) for row in session.execute(query))
    return before == Counter(tuple(e[name] for name in _TOLD) for e in converted["entries"])


def renew_ids(session: Session, converted: Rows, before: Sequence[Row], taken: set[str]) -> None:
    """Give new ids to a statement and entries whose ids others have.

    Banks repeat references ("KONTOFUEHRUNG"), and two statements that each prove their balances
    are both right: the second entry is another one, unless both tell one statement.

    Rows of a report or notification always get an id of their own and remember the identity of
    the entry they announce: the statement that books it needs its row, whichever comes first.

    Args:
        converted: one statement's rows, changed in place; gets ``entry_identities``.
        before: statements of the same file, converted already.
        taken: entry ids of the same file; grows.
    """
    (head,) = converted["statements"]
    key = head["statement_id"]
    if session.get(StatementRow, key) is not None or any(
        row["statement_id"] == key for row in before
    ):
        key = content_id("statement again", key, head["file_id"], len(before))
    report = head["kind"] != "booked"
    announced = {e["entry_id"]: e["entry_id"] for e in converted["entries"]} if report else {}
    again = announced or _taken(session, converted["entries"]) | taken
    renewed: dict[str, str] = {}
    for row in (head, *converted["balances"], *converted["entries"]):
        row["statement_id"] = key
    for row in converted["entries"]:
        old = row["entry_id"]
        if old in again:
            row["entry_id"] = content_id(head["kind"] if report else "entry again", old, key)
        renewed[old] = row["entry_id"]
        taken.add(row["entry_id"])
    for row in converted["details"]:
        if renewed[row["entry_id"]] != row["entry_id"]:
            row["entry_id"] = renewed[row["entry_id"]]
            row["detail_id"] = f"{row['entry_id']}.{row['ordinal']}"
    converted["entry_identities"] = [
        {"entry_id": renewed[old], "identity": old, "counts": False, "shared": ANNOUNCED}
        for old in announced
    ]


def _taken(session: Session, entries: Sequence[Row]) -> set[str]:
    ids = [row["entry_id"] for row in entries]
    return set(session.scalars(select(EntryRow.entry_id).where(among(EntryRow.entry_id, ids))))
