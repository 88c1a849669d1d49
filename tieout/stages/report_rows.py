"""The report's lists: exceptions, postings, proposals and files, as rows for people."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Date, cast, func, or_, select
from sqlalchemy.orm import Session

from tieout.ledger.models import (
    Adjustment,
    Delivery,
    ExceptionRow,
    FileRow,
    FindingRow,
    ItemRow,
    PostingIntent,
    StatementRow,
)
from tieout.reports import model
from tieout.stages.derive import narrative_of
from tieout.stages.identities import entry_details, entry_of
from tieout.stages.sync import current_items

__all__ = ["exception_rows", "file_rows", "posting_rows", "proposal_rows"]


def exception_rows(session: Session, day: dt.date) -> tuple[model.ExceptionRow, ...]:
    """Open exceptions, ordered by account, reason and subject."""
    query = (
        select(ExceptionRow)
        .where(ExceptionRow.state != "resolved")
        .order_by(
            ExceptionRow.account_code,
            ExceptionRow.reason_code,
            ExceptionRow.amount_minor,
            ExceptionRow.exception_id,
        )
    )
    rows = list(session.scalars(query))
    asked = [row.subject_id for row in rows if row.subject_side == "item"]
    items = current_items(session, ItemRow.item_id.in_(asked)) if asked else {}
    return tuple(_exception(session, row, day, items) for row in rows)


def _exception(
    session: Session, row: ExceptionRow, day: dt.date, items: dict[str, ItemRow]
) -> model.ExceptionRow:
    counterparty, narrative = _about(session, row, items)
    on = row.on or day
    return model.ExceptionRow(
        exception_id=row.exception_id,
        account_code=row.account_code,
        reason_code=row.reason_code,
        reason=row.reason,
        amount_minor=row.amount_minor,
        currency=row.currency,
        on=on,
        counterparty=counterparty,
        narrative=narrative,
        age_days=max((day - on).days, 0),
        owner=row.owner or "",
        due_at=row.due_at,
    )


def _about(session: Session, row: ExceptionRow, items: dict[str, ItemRow]) -> tuple[str, str]:
    """Counterparty and narrative of what an exception is about."""
    if row.subject_side == "entry":
        entry = entry_of(session, row.subject_id)
        details = entry_details(session, [row.subject_id])
        names = dict.fromkeys(d.counterparty_name for d in details if d.counterparty_name)
        return ", ".join(list(names)[:3]), narrative_of(entry, details)
    if row.subject_side == "item" and row.subject_id in items:
        item = items[row.subject_id]
        return item.counterparty_name or "", item.narrative or ""
    return "", ""


def posting_rows(session: Session, day: dt.date) -> tuple[model.PostingRow, ...]:
    """Adjustments the ERP has confirmed for this day, with its own document numbers."""
    query = (
        select(Adjustment, PostingIntent.ext_ref)
        .join(PostingIntent, PostingIntent.adjustment_id == Adjustment.adjustment_id)
        .where(Adjustment.state == "posted", Adjustment.booked_on == day)
        .order_by(Adjustment.account_code, Adjustment.document_no, Adjustment.adjustment_id)
    )
    return tuple(
        model.PostingRow(
            adjustment_id=adjustment.adjustment_id,
            account_code=adjustment.account_code,
            kind=adjustment.kind,
            amount_minor=adjustment.amount_minor,
            currency=adjustment.currency,
            document_no=adjustment.document_no or "",
            external_ref=ext_ref,
            narrative=adjustment.narrative,
            approved_by=adjustment.approver or "",
        )
        for adjustment, ext_ref in session.execute(query)
    )


def proposal_rows(session: Session) -> tuple[model.ProposalRow, ...]:
    """Adjustments that wait for a person."""
    query = (
        select(Adjustment)
        .where(Adjustment.state == "pending")
        .order_by(Adjustment.account_code, Adjustment.booked_on, Adjustment.adjustment_id)
    )
    return tuple(
        model.ProposalRow(
            adjustment_id=a.adjustment_id,
            account_code=a.account_code,
            kind=a.kind,
            amount_minor=a.amount_minor,
            currency=a.currency,
            on=a.booked_on,
            narrative=a.narrative,
            reason=f"policy {a.policy}, rule “{a.policy_rule}”: a second person decides",
            proposed_by=a.maker,
        )
        for a in session.scalars(query)
    )


def file_rows(session: Session, day: dt.date) -> tuple[model.FileRow, ...]:
    """Every delivery of the days on which the day's statements arrived, with what became of it."""
    arrived = (
        select(cast(func.timezone("UTC", Delivery.seen_at), Date))
        .join(StatementRow, StatementRow.file_id == Delivery.file_id)
        .where(StatementRow.closed_on == day)
    )
    days = set(session.scalars(arrived.distinct()))
    seen_on = cast(func.timezone("UTC", Delivery.seen_at), Date)
    query = (
        select(Delivery, FileRow)
        .join(FileRow, FileRow.file_id == Delivery.file_id)
        .where(or_(seen_on == day, seen_on.in_(sorted(days))))
        .order_by(Delivery.drop, Delivery.path, Delivery.modified_at)
    )
    return tuple(_file(session, d, f) for d, f in session.execute(query))


def _file(session: Session, delivery: Delivery, file: FileRow) -> model.FileRow:
    if delivery.duplicate:
        note = f"the same bytes as {file.name}; nothing was taken twice"
        return model.FileRow(delivery.path, file.format or "", "duplicate", note)
    note = ""
    if file.state in ("quarantined", "duplicate"):
        found = session.scalars(
            select(FindingRow)
            .where(FindingRow.subject_kind == "file", FindingRow.subject_id == file.file_id)
            .order_by(FindingRow.severity, FindingRow.finding_id)
            .limit(1)
        ).first()
        if found is not None:
            mend = f" ({found.remedy})" if found.remedy else ""
            note = f"{found.where}: {found.message}{mend}"
    return model.FileRow(delivery.path, file.format or "", file.state, note)
