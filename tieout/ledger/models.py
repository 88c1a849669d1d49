"""All tables of the ledger, in one place to import from (SQLAlchemy 2.1, PostgreSQL only)."""

from __future__ import annotations

from tieout.ledger.base import APPEND_ONLY, Base
from tieout.ledger.conclusions import (
    Account,
    EntryIdentity,
    ExceptionEvent,
    ExceptionRow,
    FindingRow,
    GroupRow,
    MemberRow,
    Run,
    StatementStatus,
)
from tieout.ledger.decisions import AuditSample, AuditVerdict, MatchDecision
from tieout.ledger.effects import (
    Adjustment,
    AdjustmentLine,
    Approval,
    AuditRow,
    Mail,
    Outbox,
    PostingAttempt,
    PostingIntent,
)
from tieout.ledger.facts import (
    BalanceRow,
    BookBalance,
    Delivery,
    DetailRow,
    EntryRow,
    ExpenseRow,
    FileRow,
    ItemRow,
    RateRow,
    StatementDecision,
    StatementRow,
)
from tieout.ledger.operations import Callback, CallbackWake, ErpPermit, ErpTraffic, OutboxWord

__all__ = [
    "APPEND_ONLY",
    "Account",
    "Adjustment",
    "AdjustmentLine",
    "Approval",
    "AuditRow",
    "AuditSample",
    "AuditVerdict",
    "BalanceRow",
    "Base",
    "BookBalance",
    "Callback",
    "CallbackWake",
    "Delivery",
    "DetailRow",
    "EntryIdentity",
    "EntryRow",
    "ErpPermit",
    "ErpTraffic",
    "ExceptionEvent",
    "ExceptionRow",
    "ExpenseRow",
    "FileRow",
    "FindingRow",
    "GroupRow",
    "ItemRow",
    "Mail",
    "MatchDecision",
    "MemberRow",
    "Outbox",
    "OutboxWord",
    "PostingAttempt",
    "PostingIntent",
    "RateRow",
    "Run",
    "StatementDecision",
    "StatementRow",
    "StatementStatus",
]
