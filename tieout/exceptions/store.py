"""Exceptions in the ledger: opened when derived, resolved by themselves when no longer derived.

An exception is identified by what it is about, so that deriving it again finds the same row with
its owner, notes and due time. A person's resolution stands until the reason changes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tieout import banking_days
from tieout.audit import append
from tieout.identity import content_id
from tieout.ledger import database_now
from tieout.ledger.models import ExceptionEvent, ExceptionRow
from tieout.states import move

__all__ = ["ARRIVALS", "POSTINGS", "ExceptionDraft", "record_exceptions", "unresolved"]

_ENGINE = "tieout"

#: Codes that stages of their own derive; no other stage resolves them: from the calendar, and from
#: the ERP's list of our postings.
ARRIVALS: Final = frozenset({"STATEMENT_MISSING"})
POSTINGS: Final = frozenset(
    {
        "POSTING_DIFFERS",
        "POSTING_DOUBLE",
        "POSTING_MISSING",
        "POSTING_UNCONFIRMED",
        "POSTING_UNKNOWN",
    }
)


@dataclass(frozen=True, slots=True)
class ExceptionDraft:
    """One derived exception.

    Attributes:
        reason_code: stable upper-case name (``UNMATCHED_ENTRY``).
        reason: one line that says why, for a treasurer.
        subject: (side, id): what must be decided on.
        due_days: banking days from opening.
    """

    reason_code: str
    reason: str
    subject: tuple[str, str]
    amount_minor: int
    currency: str
    on: dt.date | None
    due_days: int
    candidates: dict[str, Any] = field(default_factory=dict)


def record_exceptions(
    session: Session,
    account_code: str,
    drafts: Sequence[ExceptionDraft],
    *,
    only: frozenset[str] | None = None,
) -> tuple[int, int]:
    """Write an account's derived exceptions; returns how many were opened and resolved.

    Args:
        only: the drafts are all of these codes (`ARRIVALS`, `POSTINGS`); else all of the others.
    """
    derived = {_key(account_code, d): d for d in drafts}
    code = ExceptionRow.reason_code
    ours = code.not_in(ARRIVALS | POSTINGS) if only is None else code.in_(only)
    mine = select(ExceptionRow).where(ExceptionRow.account_code == account_code, ours)
    held = mine.order_by(ExceptionRow.exception_id).with_for_update()
    rows = session.scalars(held.execution_options(populate_existing=True))
    known = {row.exception_id: row for row in rows}
    opened = 0
    for key in sorted(derived):
        draft, row = derived[key], known.get(key)
        if row is None:
            opened += 1
            _open(session, account_code, key, draft)
            continue
        stands = _stands(session, row, draft)
        row.reason, row.candidates = draft.reason, draft.candidates
        row.amount_minor, row.currency, row.on = draft.amount_minor, draft.currency, draft.on
        if row.state == "resolved" and not stands:
            opened += 1
            row.resolved_at = None
            _step(session, row, "reopen", draft.reason)
    gone = [r for k, r in sorted(known.items()) if k not in derived and r.state != "resolved"]
    for row in gone:
        row.resolved_at = database_now(session)
        _step(session, row, "resolve", "no longer derived: matched, posted or explained")
    return opened, len(gone)


def unresolved(session: Session, account_code: str, drafts: Sequence[ExceptionDraft]) -> str:
    """The reason of the first draft that no person has resolved just as it is, or empty."""
    for draft in drafts:
        row = session.get(ExceptionRow, _key(account_code, draft))
        if row is None or not _stands(session, row, draft):
            return draft.reason
    return ""


def _stands(session: Session, row: ExceptionRow, draft: ExceptionDraft) -> bool:
    """Whether a person resolved exactly this; what went by itself and came back, nobody did."""
    if row.state != "resolved" or (row.reason, row.amount_minor) != (
        draft.reason,
        draft.amount_minor,
    ):
        return False
    last = select(func.max(ExceptionEvent.event_no)).where(
        ExceptionEvent.exception_id == row.exception_id, ExceptionEvent.event == "resolve"
    )
    who = select(ExceptionEvent.person).where(ExceptionEvent.event_no == last.scalar_subquery())
    return session.scalars(who).first() not in (None, _ENGINE)


def _key(account_code: str, draft: ExceptionDraft) -> str:
    return content_id("exception", account_code, draft.reason_code, *draft.subject)


def _open(session: Session, account_code: str, key: str, draft: ExceptionDraft) -> None:
    now = database_now(session)
    due_on = banking_days.add(now.date(), draft.due_days)
    row = ExceptionRow(
        exception_id=key,
        account_code=account_code,
        reason_code=draft.reason_code,
        reason=draft.reason,
        subject_side=draft.subject[0],
        subject_id=draft.subject[1],
        amount_minor=draft.amount_minor,
        currency=draft.currency,
        on=draft.on,
        candidates=draft.candidates,
        state="open",
        due_at=dt.datetime.combine(due_on, dt.time(17), dt.UTC),
    )
    session.add(row)
    session.flush()
    _event(session, row, "open", draft.reason)


def _step(session: Session, row: ExceptionRow, event: str, note: str) -> None:
    row.state = move("exception", row.state, event)
    _event(session, row, event, note)


def _event(session: Session, row: ExceptionRow, event: str, note: str) -> None:
    session.add(
        ExceptionEvent(exception_id=row.exception_id, event=event, person=_ENGINE, note=note)
    )
    append(session, _ENGINE, f"exception {row.state}", "exception", row.exception_id, {})
