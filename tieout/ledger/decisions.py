"""People's decisions on matches, the audit queue and its verdicts: facts, append-only.

A decision holds all it needs to be carried out again, so that conclusions can be thrown away and
derived anew from the facts with people's word in them.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from tieout.ledger.base import Base, now_column

__all__ = ["AuditSample", "AuditVerdict", "MatchDecision"]


class MatchDecision(Base):
    """A person's word on a match group: made, confirmed, rejected or undone, and why."""

    __tablename__ = "match_decisions"
    __table_args__ = (
        CheckConstraint("decision IN ('match','confirm','reject','undo')", name="match_decision"),
        CheckConstraint("btrim(reason) <> ''", name="decision_reason"),
        CheckConstraint("btrim(person) <> ''", name="decision_person"),
    )
    decision_no: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    group_id: Mapped[str] = mapped_column(index=True)
    account_code: Mapped[str] = mapped_column(ForeignKey("accounts.code"), index=True)
    decision: Mapped[str]
    person: Mapped[str]
    reason: Mapped[str]
    content: Mapped[dict[str, Any]]  # the group whole, with its members (`tieout.stages.decided`)
    decided_at: Mapped[dt.datetime] = now_column()


class AuditSample(Base):
    """A match drawn for a person to look at, and from how many it was drawn."""

    __tablename__ = "audit_samples"
    group_id: Mapped[str] = mapped_column(primary_key=True)
    account_code: Mapped[str] = mapped_column(ForeignKey("accounts.code"), index=True)
    rung: Mapped[str]
    seed: Mapped[int]
    value_minor: Mapped[int]
    currency: Mapped[str]
    drawn_from: Mapped[int]  # groups of its rung that nobody had looked at
    drawn_by: Mapped[str]
    drawn_at: Mapped[dt.datetime] = now_column()


class AuditVerdict(Base):
    """What a person found of a drawn match; the newest one counts."""

    __tablename__ = "audit_verdicts"
    __table_args__ = (
        CheckConstraint("verdict IN ('right','wrong')", name="audit_verdict"),
        CheckConstraint("btrim(reason) <> ''", name="verdict_reason"),
    )
    verdict_no: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    group_id: Mapped[str] = mapped_column(ForeignKey("audit_samples.group_id"), index=True)
    verdict: Mapped[str]
    person: Mapped[str]
    reason: Mapped[str]
    judged_at: Mapped[dt.datetime] = now_column()
