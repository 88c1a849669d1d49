"""Reports of the day and notifications beside the statement that books their entries.

They never count. Where a statement books what they announced, both have one identity, whichever
came first; a notification's details then explain the entry, and parts of a batch its sum.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.ledger.models import EntryIdentity, EntryRow, StatementRow, StatementStatus
from tieout.stages.identities import among, facts_of
from tieout.stages.pairing import EntryFact, Pair, pair, pair_parts

__all__ = ["ANNOUNCED", "join_reports"]

#: What `EntryIdentity.shared` says of a report's row that no statement books yet.
ANNOUNCED: Final = "announced"

#: A report's entry is booked within so many days.
_DAYS: Final = dt.timedelta(days=10)


def join_reports(session: Session, account_code: str, counted: set[str]) -> int:
    """Join the rows of an account's reports to the booked entries they announced.

    Args:
        counted: statements that counted before this run: their entries keep their ids.

    Returns:
        How many rows were joined.
    """
    waiting = session.execute(
        select(EntryIdentity, EntryRow.statement_id)
        .join(EntryRow, EntryRow.entry_id == EntryIdentity.entry_id)
        .join(StatementRow, StatementRow.statement_id == EntryRow.statement_id)
        .where(StatementRow.account_code == account_code, EntryIdentity.shared == ANNOUNCED)
        .order_by(StatementRow.recorded_at, StatementRow.statement_id, EntryRow.ordinal)
    ).all()
    rows = {identity.entry_id: identity for identity, _ in waiting}
    reports = facts_of(
        session, dict.fromkeys(s for _, s in waiting), ("booked", "pending", "info", "future")
    )
    days = [d for facts in reports.values() for f in facts if (d := _day(f)) is not None]
    if not days:
        return 0
    booked = _booked(session, account_code, min(days) - _DAYS, max(days) + _DAYS)
    names = _names(session, booked)
    joined = 0
    for facts in reports.values():
        open_ = [f for f in facts if f.entry_id in rows]
        pairs = pair(open_, booked)
        left = [f for f in open_ if f.entry_id not in {p.left for p in pairs}]
        for found in (*pairs, *pair_parts(left, booked)):
            _join(session, rows[found.left], found, names, counted)
            joined += 1
    session.flush()
    return joined


def _day(fact: EntryFact) -> dt.date | None:
    return fact.booked_on or fact.valued_on


def _booked(session: Session, account_code: str, since: dt.date, until: dt.date) -> list[EntryFact]:
    """The rows that count, of statements that close in the period, in order."""
    near = (
        select(StatementRow.statement_id)
        .join(StatementStatus, StatementStatus.statement_id == StatementRow.statement_id)
        .where(
            StatementRow.account_code == account_code,
            StatementRow.kind == "booked",
            StatementStatus.state.in_(("accepted", "staged")),
            StatementRow.closed_on.between(since, until),
        )
        .order_by(StatementRow.closed_on, StatementRow.statement_id)
    )
    facts = [f for found in facts_of(session, session.scalars(near)).values() for f in found]
    repeated = select(EntryIdentity.entry_id).where(
        among(EntryIdentity.entry_id, [f.entry_id for f in facts]), ~EntryIdentity.counts
    )
    without = set(session.scalars(repeated))
    return [f for f in facts if f.entry_id not in without]


class _Names:
    """The identities of booked rows, and which of them are fixed."""

    def __init__(self, rows: Sequence[EntryIdentity], statement_of: dict[str, str]) -> None:
        self.rows = {row.entry_id: row for row in rows}
        self.statement_of = statement_of
        self.given: dict[str, str] = {}


def _names(session: Session, booked: Sequence[EntryFact]) -> _Names:
    query = select(EntryIdentity).where(among(EntryIdentity.entry_id, [f.entry_id for f in booked]))
    return _Names(list(session.scalars(query)), {f.entry_id: f.statement_id for f in booked})


def _join(
    session: Session, report: EntryIdentity, found: Pair, names: _Names, counted: set[str]
) -> None:
    row, key = names.rows.get(found.right), found.right
    if key in names.given:
        identity = names.given[key]
    elif row is not None:
        identity = row.identity
    elif names.statement_of[key] in counted or found.by == "part of a batch":
        identity = key
    else:
        # The report came first: the booked row takes its entry's place and keeps its id.
        identity = report.identity
        if identity != key:
            session.add(
                EntryIdentity(entry_id=key, identity=identity, counts=True, shared=found.by)
            )
    names.given[key] = identity
    report.identity, report.shared = identity, found.by
