"""Effects: proposals, people's decisions, intents and their delivery, mails, and the audit log."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from tieout.ledger.base import Base, now_column
from tieout.states import check_sql

__all__ = [
    "Adjustment",
    "AdjustmentLine",
    "Approval",
    "AuditRow",
    "Mail",
    "Outbox",
    "PostingAttempt",
    "PostingIntent",
]


class Adjustment(Base):
    """A balanced journal proposal that explains a residual or an unmatched entry."""

    __tablename__ = "adjustments"
    __table_args__ = (
        CheckConstraint(check_sql("adjustment"), name="adjustment_state"),
        CheckConstraint("approver IS NULL OR approver <> maker", name="four_eyes"),
        UniqueConstraint("business_key"),
    )
    adjustment_id: Mapped[str] = mapped_column(primary_key=True)
    business_key: Mapped[str]  # account, subject, kind, seq: at most one live adjustment each
    account_code: Mapped[str] = mapped_column(ForeignKey("accounts.code"), index=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.run_id"))
    company: Mapped[str]
    kind: Mapped[str]
    subject_side: Mapped[str]  # entry | group
    subject_id: Mapped[str]
    policy: Mapped[str]
    policy_rule: Mapped[str]
    policy_version: Mapped[str]
    currency: Mapped[str]  # of the bank account
    amount_minor: Mapped[int]  # effect on the bank account, signed, in ``currency``
    booked_on: Mapped[dt.date]
    narrative: Mapped[str]
    payload_sha256: Mapped[str]
    state: Mapped[str]
    maker: Mapped[str]
    approver: Mapped[str | None]
    document_no: Mapped[str | None]
    proposed_at: Mapped[dt.datetime] = now_column()
    posted_at: Mapped[dt.datetime | None]


class AdjustmentLine(Base):
    """One line of the proposal, in the company's currency, with the account's where it differs."""

    __tablename__ = "adjustment_lines"
    __table_args__ = (
        PrimaryKeyConstraint("adjustment_id", "ordinal"),
        CheckConstraint(
            "debit_minor >= 0 AND credit_minor >= 0 AND (debit_minor = 0) <> (credit_minor = 0)",
            name="one_side",
        ),
    )
    adjustment_id: Mapped[str] = mapped_column(ForeignKey("adjustments.adjustment_id"))
    ordinal: Mapped[int]
    purpose: Mapped[str]  # bank | bank_charges | interest_income | ... (mappings/erp)
    gl_account: Mapped[str]
    debit_minor: Mapped[int]
    credit_minor: Mapped[int]
    currency: Mapped[str]
    foreign_minor: Mapped[int | None]
    foreign_currency: Mapped[str | None]
    party: Mapped[str | None]
    narrative: Mapped[str]


class Approval(Base):
    """A decision on an adjustment, bound to the hash of what was decided on."""

    __tablename__ = "approvals"
    approval_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    adjustment_id: Mapped[str] = mapped_column(ForeignKey("adjustments.adjustment_id"), index=True)
    decision: Mapped[str] = mapped_column(CheckConstraint("decision IN ('approve','reject')"))
    person: Mapped[str]
    payload_sha256: Mapped[str]
    reason: Mapped[str]
    at: Mapped[dt.datetime] = now_column()


class PostingIntent(Base):
    """What shall be in the ERP exactly once; immutable."""

    __tablename__ = "posting_intents"
    __table_args__ = (
        UniqueConstraint("erp", "company", "ext_ref"),
        CheckConstraint("kind IN ('ADJUST','REVERSE')", name="intent_kind"),
    )
    intent_id: Mapped[str] = mapped_column(primary_key=True)
    adjustment_id: Mapped[str] = mapped_column(ForeignKey("adjustments.adjustment_id"))
    erp: Mapped[str]
    company: Mapped[str]
    kind: Mapped[str]
    business_key: Mapped[str] = mapped_column(unique=True)
    ext_ref: Mapped[str] = mapped_column(CheckConstraint("length(ext_ref) = 16"))
    payload: Mapped[dict[str, Any]]
    payload_sha256: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    maker: Mapped[str]
    approval_id: Mapped[int] = mapped_column(ForeignKey("approvals.approval_id"))
    created_at: Mapped[dt.datetime] = now_column()


class Outbox(Base):
    """The delivery of one intent: state, fence, lease, and the ERP's document id, written once."""

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint(check_sql("outbox"), name="outbox_state"),
        Index("outbox_due", "erp", "state", "next_at"),
    )
    intent_id: Mapped[str] = mapped_column(
        ForeignKey("posting_intents.intent_id"), primary_key=True
    )
    erp: Mapped[str]
    state: Mapped[str]
    epoch: Mapped[str]
    fence: Mapped[int] = mapped_column(server_default="0")
    owner: Mapped[str | None]
    lease_until: Mapped[dt.datetime | None]
    send_by: Mapped[dt.datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    first_sent_at: Mapped[dt.datetime | None]
    unknown_since: Mapped[dt.datetime | None]
    erp_doc_id: Mapped[str | None]
    document_no: Mapped[str | None]
    held: Mapped[str | None]
    reason: Mapped[str] = mapped_column(server_default="")
    next_at: Mapped[dt.datetime] = now_column()
    changed_at: Mapped[dt.datetime] = now_column()


class PostingAttempt(Base):
    """One call to the ERP; the row is committed before the first byte and completed after."""

    __tablename__ = "posting_attempts"
    __table_args__ = (UniqueConstraint("intent_id", "fence", "phase", "attempt_no"),)
    attempt_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    intent_id: Mapped[str] = mapped_column(ForeignKey("posting_intents.intent_id"), index=True)
    attempt_no: Mapped[int]
    phase: Mapped[str] = mapped_column(
        CheckConstraint("phase IN ('create','post','find','read','delete')")
    )
    epoch: Mapped[str]
    fence: Mapped[int]
    owner: Mapped[str]
    ext_ref: Mapped[str]
    payload_sha256: Mapped[str]
    started_at: Mapped[dt.datetime] = now_column()
    outcome: Mapped[str | None]
    code: Mapped[str | None]
    message: Mapped[str | None]
    response_sha256: Mapped[str | None]
    ended_at: Mapped[dt.datetime | None]


class AuditRow(Base):
    """Who did what to what; each row's hash covers the one before it."""

    __tablename__ = "audit_log"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[dt.datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[str] = mapped_column(index=True)
    detail: Mapped[dict[str, Any]]
    previous_hash: Mapped[str]
    row_hash: Mapped[str]


class Mail(Base):
    """A report's mail: one effect for one content, however often the stage runs."""

    __tablename__ = "mails"
    mail_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    company: Mapped[str]
    day: Mapped[dt.date]
    subject: Mapped[str]
    recipients: Mapped[list[str]]
    message_id: Mapped[str]
    queued_at: Mapped[dt.datetime] = now_column()
    sent_at: Mapped[dt.datetime | None]
