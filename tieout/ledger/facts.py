"""Facts: what banks, ERPs and expense systems told us; append-only but for a file's state."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Numeric,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from tieout.ledger.base import Base, money_check, now_column
from tieout.states import check_sql

__all__ = [
    "BalanceRow",
    "BookBalance",
    "Delivery",
    "DetailRow",
    "EntryRow",
    "ExpenseRow",
    "FileRow",
    "ItemRow",
    "RateRow",
    "StatementDecision",
    "StatementRow",
]


class FileRow(Base):
    """A file is its SHA-256; the raw bytes are in the archive."""

    __tablename__ = "files"
    __table_args__ = (CheckConstraint(check_sql("file"), name="file_state"),)
    file_id: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    name: Mapped[str]
    drop: Mapped[str]
    format: Mapped[str | None]
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default="0")
    claimed_at: Mapped[dt.datetime] = now_column()
    recorded_at: Mapped[dt.datetime | None]


class Delivery(Base):
    """One appearance of a file on a drop: the same bytes under another name are another one."""

    __tablename__ = "deliveries"
    __table_args__ = (UniqueConstraint("drop", "path", "size", "modified_at"),)
    delivery_id: Mapped[str] = mapped_column(primary_key=True)
    file_id: Mapped[str] = mapped_column(ForeignKey("files.file_id"), index=True)
    drop: Mapped[str]
    path: Mapped[str]
    size: Mapped[int]
    modified_at: Mapped[dt.datetime]
    duplicate: Mapped[bool]
    seen_at: Mapped[dt.datetime] = now_column()


class StatementRow(Base):
    """What a bank says of one account for one period, version by version."""

    __tablename__ = "statements"
    __table_args__ = (Index("statements_by_account", "account_code", "kind", "closed_on"),)
    statement_id: Mapped[str] = mapped_column(primary_key=True)
    file_id: Mapped[str] = mapped_column(ForeignKey("files.file_id"), index=True)
    line_no: Mapped[int | None]
    account_code: Mapped[str] = mapped_column(ForeignKey("accounts.code"))
    currency: Mapped[str]
    servicer_bic: Mapped[str | None]
    statement_ref: Mapped[str | None]
    sequence_no: Mapped[int | None]
    page: Mapped[int | None]
    kind: Mapped[str]
    format: Mapped[str]
    opening_minor: Mapped[int | None]
    closing_minor: Mapped[int | None]
    closed_on: Mapped[dt.date | None]
    from_at: Mapped[dt.datetime | None]
    to_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime | None]
    narrative: Mapped[str | None]
    entry_count: Mapped[int]
    incomplete: Mapped[bool] = mapped_column(server_default="false")
    recorded_at: Mapped[dt.datetime] = now_column()


class StatementDecision(Base):
    """A person's word on a statement with a record that could not be read."""

    __tablename__ = "statement_decisions"
    statement_id: Mapped[str] = mapped_column(
        ForeignKey("statements.statement_id"), primary_key=True
    )
    person: Mapped[str]
    reason: Mapped[str]
    decided_at: Mapped[dt.datetime] = now_column()


class BalanceRow(Base):
    """An assertion by the bank: opening, closing, interim."""

    __tablename__ = "balances"
    __table_args__ = (PrimaryKeyConstraint("statement_id", "ordinal"), money_check("amount_minor"))
    statement_id: Mapped[str] = mapped_column(ForeignKey("statements.statement_id"))
    ordinal: Mapped[int]
    code: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    on: Mapped[dt.date | None]


class EntryRow(Base):
    """One booked line of a statement, signed from the account holder's view."""

    __tablename__ = "entries"
    __table_args__ = (money_check("amount_minor"), Index("entries_by_account", "account_code"))
    entry_id: Mapped[str] = mapped_column(primary_key=True)
    statement_id: Mapped[str] = mapped_column(ForeignKey("statements.statement_id"), index=True)
    ordinal: Mapped[int]
    line_no: Mapped[int | None]
    account_code: Mapped[str] = mapped_column(ForeignKey("accounts.code"))
    currency: Mapped[str]
    exponent: Mapped[int] = mapped_column(CheckConstraint("exponent BETWEEN 0 AND 4"))
    amount_minor: Mapped[int]
    booked_on: Mapped[dt.date | None]
    valued_on: Mapped[dt.date | None]
    status: Mapped[str]
    reversal: Mapped[bool | None]
    bank_ref: Mapped[str | None]
    entry_ref: Mapped[str | None]
    code_domain: Mapped[str | None]
    code_family: Mapped[str | None]
    code_subfamily: Mapped[str | None]
    code_proprietary: Mapped[str | None]
    swift_type: Mapped[str | None]
    narrative: Mapped[str | None]
    detail_count: Mapped[int | None]


class DetailRow(Base):
    """One underlying payment inside an entry."""

    __tablename__ = "details"
    __table_args__ = (money_check("amount_minor"), money_check("charges_minor"))
    detail_id: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(ForeignKey("entries.entry_id"), index=True)
    ordinal: Mapped[int]
    line_no: Mapped[int | None]
    amount_minor: Mapped[int | None]
    currency: Mapped[str | None]
    end_to_end_id: Mapped[str | None]
    instruction_id: Mapped[str | None]
    payment_info_id: Mapped[str | None]
    message_id: Mapped[str | None]
    transaction_id: Mapped[str | None]
    uetr: Mapped[str | None]
    mandate_id: Mapped[str | None]
    cheque_no: Mapped[str | None]
    counterparty_name: Mapped[str | None]
    counterparty_account: Mapped[str | None]
    counterparty_bic: Mapped[str | None]
    ultimate_name: Mapped[str | None]
    reference: Mapped[str | None]
    reference_type: Mapped[str | None]
    narrative: Mapped[str | None]
    purpose: Mapped[str | None]
    return_reason: Mapped[str | None]
    original_minor: Mapped[int | None]
    original_currency: Mapped[str | None]
    fx_rate: Mapped[Decimal | None] = mapped_column(Numeric(23, 10))
    charges_minor: Mapped[int | None]


class ItemRow(Base):
    """A line of the books that expects a bank movement; a change is a new version."""

    __tablename__ = "items"
    __table_args__ = (
        PrimaryKeyConstraint("item_id", "version"),
        money_check("amount_minor"),
        money_check("open_minor"),
        Index("items_by_account", "account_code", "kind"),
    )
    item_id: Mapped[str]
    version: Mapped[int]
    source: Mapped[str]
    source_ref: Mapped[str]  # the source's own line id
    company: Mapped[str]
    account_code: Mapped[str | None] = mapped_column(ForeignKey("accounts.code"))
    kind: Mapped[str] = mapped_column(
        CheckConstraint("kind IN ('cash_book','payable','receivable','expense','payment')")
    )
    document_no: Mapped[str | None]
    currency: Mapped[str]
    exponent: Mapped[int] = mapped_column(CheckConstraint("exponent BETWEEN 0 AND 4"))
    amount_minor: Mapped[int]
    open_minor: Mapped[int]
    booked_on: Mapped[dt.date | None]
    due_on: Mapped[dt.date | None]
    reference: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    payment_batch_id: Mapped[str | None]
    end_to_end_id: Mapped[str | None]
    counterparty_id: Mapped[str | None]
    counterparty_name: Mapped[str | None]
    counterparty_account: Mapped[str | None]
    narrative: Mapped[str | None]
    observed_at: Mapped[dt.datetime] = now_column()


class BookBalance(Base):
    """What the ERP said an account's books balance was, when it was asked."""

    __tablename__ = "book_balances"
    __table_args__ = (Index("book_balances_by_account", "account_code", "on", "observed_at"),)
    book_balance_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_code: Mapped[str] = mapped_column(ForeignKey("accounts.code"))
    on: Mapped[dt.date]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    observed_at: Mapped[dt.datetime] = now_column()


class RateRow(Base):
    """A currency rate of an ERP: units of ``currency`` for one unit of the company's currency."""

    __tablename__ = "rates"
    __table_args__ = (PrimaryKeyConstraint("source", "currency", "on", "rate"),)
    source: Mapped[str]
    currency: Mapped[str]
    on: Mapped[dt.date]
    rate: Mapped[Decimal] = mapped_column(Numeric(23, 10))
    observed_at: Mapped[dt.datetime] = now_column()


class ExpenseRow(Base):
    """One reimbursement an expense extract says the company owes an employee."""

    __tablename__ = "expenses"
    expense_id: Mapped[str] = mapped_column(primary_key=True)
    file_id: Mapped[str] = mapped_column(ForeignKey("files.file_id"))
    report_key: Mapped[str]
    report_id: Mapped[str]
    report_name: Mapped[str | None]
    employee_id: Mapped[str]
    employee_name: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[int]
    lines: Mapped[dict[str, Any]]
    recorded_at: Mapped[dt.datetime] = now_column()
