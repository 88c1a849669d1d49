"""Conclusions: what we derived from the facts, each with the run that derived it."""

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
    text,
)
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from tieout.ledger.base import Base, now_column
from tieout.states import check_sql

__all__ = [
    "Account",
    "EntryIdentity",
    "ExceptionEvent",
    "ExceptionRow",
    "FindingRow",
    "GroupRow",
    "MemberRow",
    "Run",
    "StatementStatus",
]


class Run(Base):
    """One execution of a stage: what it was asked, with which code and mappings."""

    __tablename__ = "runs"
    run_id: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str]
    parameters: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    code_version: Mapped[str]
    started_at: Mapped[dt.datetime] = now_column()
    ended_at: Mapped[dt.datetime | None]
    outcome: Mapped[dict[str, Any] | None]


class Account(Base):
    """A bank account as its mapping describes it (`mappings/accounts`), refreshed on each sync."""

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("account_id", "currency"),)
    code: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str]  # IBAN or the bank's number, as statements name it
    currency: Mapped[str]
    exponent: Mapped[int]
    company: Mapped[str]
    name: Mapped[str]
    bank: Mapped[str]
    erp: Mapped[str]
    gl_account: Mapped[str]
    journal: Mapped[str]
    ladder: Mapped[str]
    policy: Mapped[str]
    cutover_on: Mapped[dt.date]
    cutover_minor: Mapped[int]
    cutover_sequence_no: Mapped[int | None]
    fingerprint: Mapped[str]


class StatementStatus(Base):
    """What we conclude of a statement: accepted, staged behind a gap, or superseded."""

    __tablename__ = "statement_status"
    __table_args__ = (CheckConstraint(check_sql("statement"), name="statement_state"),)
    statement_id: Mapped[str] = mapped_column(
        ForeignKey("statements.statement_id"), primary_key=True
    )
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
    superseded_by: Mapped[str | None]
    gap_minor: Mapped[int] = mapped_column(server_default="0")  # opening − previous closing
    changed_at: Mapped[dt.datetime] = now_column()


class EntryIdentity(Base):
    """Which entry of the bank a row states, where that is not the row itself.

    An entry told again (another format, a correction, a longer period, a report of the day) keeps
    the id under which it first counted.
    """

    __tablename__ = "entry_identities"
    entry_id: Mapped[str] = mapped_column(ForeignKey("entries.entry_id"), primary_key=True)
    identity: Mapped[str] = mapped_column(index=True)
    counts: Mapped[bool]  # False: another row states the same entry and counts in its place
    shared: Mapped[str]  # what the rows share: bank reference, text, value date, ...


class FindingRow(Base):
    """A failed check, as a row, with the file, statement or account it concerns."""

    __tablename__ = "findings"
    finding_id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.run_id"))
    subject_kind: Mapped[str]  # file | statement | account | rule
    subject_id: Mapped[str]
    code: Mapped[str]
    severity: Mapped[str] = mapped_column(CheckConstraint("severity IN ('error','warning','info')"))
    where: Mapped[str]
    message: Mapped[str]
    remedy: Mapped[str]
    found_at: Mapped[dt.datetime] = now_column()


class GroupRow(Base):
    """A match group: entries (or details) and items that sum together, and why."""

    __tablename__ = "groups"
    __table_args__ = (
        CheckConstraint(check_sql("group"), name="group_state"),
        CheckConstraint(
            "approver IS NULL OR lower(btrim(approver)) <> lower(btrim(maker))",
            name="group_four_eyes",
        ),
        CheckConstraint(
            "NOT (four_eyes AND state = 'confirmed' AND approver IS NULL)", name="group_second"
        ),
    )
    group_id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.run_id"))
    account_code: Mapped[str] = mapped_column(ForeignKey("accounts.code"), index=True)
    ladder: Mapped[str]
    ladder_version: Mapped[str]
    rung: Mapped[str]
    cardinality: Mapped[str]
    currency: Mapped[str]
    residual_minor: Mapped[int]
    residual_class: Mapped[str | None]
    state: Mapped[str]
    maker: Mapped[str] = mapped_column(server_default="tieout")
    four_eyes: Mapped[bool] = mapped_column(server_default="false")  # a second person must confirm
    approver: Mapped[str | None]
    evidence: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    derived_at: Mapped[dt.datetime] = now_column()


def _all_of_it(context: DefaultExecutionContext) -> int:
    """A member is taken whole unless somebody says how much of it there was."""
    amount: int = context.get_current_parameters()["amount_minor"]  # type: ignore[no-untyped-call]
    return amount


class MemberRow(Base):
    """A member of a group and what the group takes of it.

    A live member is claimed: whole (``amount_minor = of_minor``) by this group alone, or in parts
    by several which together never take more than there is (a trigger holds that). Members of a
    group that only waits for a person are live too: they are held for it.
    """

    __tablename__ = "members"
    __table_args__ = (
        PrimaryKeyConstraint("group_id", "side", "member_id"),
        CheckConstraint("side IN ('entry','detail','item')", name="member_side"),
        CheckConstraint(
            "amount_minor = of_minor OR (amount_minor <> 0 "
            "AND (amount_minor < 0) = (of_minor < 0) AND abs(amount_minor) < abs(of_minor))",
            name="member_part",
        ),
        Index(
            "one_live_group",
            "side",
            "member_id",
            unique=True,
            postgresql_where=text("(live AND (amount_minor = of_minor))"),
        ),
        Index("live_members", "side", "member_id", postgresql_where=text("live")),
    )
    group_id: Mapped[str] = mapped_column(ForeignKey("groups.group_id"))
    side: Mapped[str]
    member_id: Mapped[str]
    amount_minor: Mapped[int]
    of_minor: Mapped[int] = mapped_column(default=_all_of_it)  # what there was of it then
    live: Mapped[bool]


class ExceptionRow(Base):
    """Something a person must decide."""

    __tablename__ = "exceptions"
    __table_args__ = (CheckConstraint(check_sql("exception"), name="exception_state"),)
    exception_id: Mapped[str] = mapped_column(primary_key=True)
    account_code: Mapped[str] = mapped_column(ForeignKey("accounts.code"), index=True)
    reason_code: Mapped[str]
    reason: Mapped[str]
    subject_side: Mapped[str]  # entry | item | statement | adjustment
    subject_id: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    on: Mapped[dt.date | None]
    candidates: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    state: Mapped[str]
    owner: Mapped[str | None]
    due_at: Mapped[dt.datetime | None]
    opened_at: Mapped[dt.datetime] = now_column()
    resolved_at: Mapped[dt.datetime | None]


class ExceptionEvent(Base):
    """Each step of an exception: who, when, why."""

    __tablename__ = "exception_events"
    event_no: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    exception_id: Mapped[str] = mapped_column(ForeignKey("exceptions.exception_id"), index=True)
    event: Mapped[str]
    person: Mapped[str]
    note: Mapped[str]
    at: Mapped[dt.datetime] = now_column()
