"""Exceptions about an account as a whole: its statements, its books, its stuck postings.

While one of a statement or the books is open, nothing is posted for the account by itself.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tieout.adjustments.policy import Policy
from tieout.exceptions import ExceptionDraft
from tieout.ledger.models import (
    Account,
    Adjustment,
    BookBalance,
    FindingRow,
    ItemRow,
    Outbox,
    PostingIntent,
    StatementRow,
    StatementStatus,
)
from tieout.money import format_amount
from tieout.quality.codes import CONTROL_CODES
from tieout.stages.sync import is_newest

__all__ = ["books_drafts", "manual_drafts", "statement_drafts"]


def statement_drafts(session: Session, account: Account, policy: Policy) -> list[ExceptionDraft]:
    """Staged statements and accepted ones with doubts; while one is open nothing is posted."""
    rows = session.execute(
        select(StatementRow, StatementStatus)
        .join(StatementStatus, StatementStatus.statement_id == StatementRow.statement_id)
        .where(StatementRow.account_code == account.code)
        .order_by(StatementRow.closed_on, StatementRow.sequence_no, StatementRow.statement_id)
    ).all()
    drafts = []
    for statement, status in rows:
        if status.state == "staged":
            code, reason = "STATEMENT_STAGED", status.reason
        elif status.state == "accepted" and (doubt := _doubt(session, statement.statement_id)):
            code, reason = "STATEMENT_DOUBTFUL", doubt
        else:
            continue
        drafts.append(
            ExceptionDraft(
                reason_code=code,
                reason=reason,
                subject=("statement", statement.statement_id),
                amount_minor=status.gap_minor,
                currency=account.currency,
                on=statement.closed_on,
                due_days=policy.urgent_due_days,
            )
        )
    return drafts


def books_drafts(session: Session, account: Account, day: dt.date) -> list[ExceptionDraft]:
    """Books that are not cutover plus lines: nothing is posted into them until they agree."""
    asked = (
        select(BookBalance)
        .where(BookBalance.account_code == account.code, BookBalance.on <= day)
        .order_by(BookBalance.on.desc(), BookBalance.book_balance_id.desc())
        .limit(1)
    )
    said = session.scalars(asked).first()
    if said is None:
        return []
    lines = select(func.coalesce(func.sum(ItemRow.open_minor), 0)).where(
        is_newest(),
        ItemRow.account_code == account.code,
        ItemRow.kind == "cash_book",
        ItemRow.booked_on <= said.on,
    )
    short = said.amount_minor - account.cutover_minor - int(session.execute(lines).scalar_one())
    if not short:
        return []
    left = f"{format_amount(short, account.currency)} {account.currency}"
    return [
        ExceptionDraft(
            reason_code="BOOKS_DISAGREE",
            reason=f"The ERP's balance of {said.on} is {left} more than cutover and lines make; "
            "check the cutover in the account's mapping, and what our ERP user may see",
            subject=("account", account.code),
            amount_minor=short,
            currency=account.currency,
            on=said.on,
            due_days=1,
        )
    ]


def manual_drafts(session: Session, account: Account, policy: Policy) -> list[ExceptionDraft]:
    """Postings whose delivery gave up: whether they are in the ERP, only a person can say."""
    stuck = (
        select(Adjustment, Outbox.reason, PostingIntent.ext_ref)
        .join(PostingIntent, PostingIntent.adjustment_id == Adjustment.adjustment_id)
        .join(Outbox, Outbox.intent_id == PostingIntent.intent_id)
        .where(Adjustment.account_code == account.code, Outbox.state == "MANUAL")
        .order_by(Adjustment.adjustment_id)
    )
    return [
        ExceptionDraft(
            reason_code="POSTING_STUCK",
            reason=f"The {adjustment.kind} {ext_ref} needs a person before it is posted: {reason}; "
            "see `tieout outbox`",
            subject=("adjustment", adjustment.adjustment_id),
            amount_minor=adjustment.amount_minor,
            currency=account.currency,
            on=adjustment.booked_on,
            due_days=policy.urgent_due_days,
        )
        for adjustment, reason, ext_ref in session.execute(stuck)
    ]


def _doubt(session: Session, statement_id: str) -> str:
    blocking = [code for code, control in CONTROL_CODES.items() if control.effect == "block"]
    found = select(FindingRow.message).where(
        FindingRow.subject_kind == "statement",
        FindingRow.subject_id == statement_id,
        FindingRow.code.in_(blocking),
    )
    return session.scalars(found.order_by(FindingRow.message).limit(1)).first() or ""
