"""The declarative base of the ledger's tables and the columns they share.

Money is ``bigint`` minor units with the currency beside it; ids are content ids
(`tieout.identity`); instants are ``timestamptz``; days are ``date``.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Text, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tieout.money import MINOR_MAX

__all__ = ["APPEND_ONLY", "Base", "money_check", "now_column"]

#: Tables of facts: a trigger refuses UPDATE, DELETE and TRUNCATE.
APPEND_ONLY = (
    "approvals",
    "audit_log",
    "audit_samples",
    "audit_verdicts",
    "balances",
    "book_balances",
    "callback_wakes",
    "callbacks",
    "deliveries",
    "details",
    "entries",
    "exception_events",
    "expenses",
    "findings",
    "items",
    "match_decisions",
    "outbox_words",
    "posting_intents",
    "rates",
    "statement_decisions",
    "statements",
)


class Base(DeclarativeBase):
    """Declarative base: text, bigint, timestamptz and JSONB for the Python types we use."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        dict[str, Any]: JSONB,
        dt.datetime: DateTime(timezone=True),
        int: BigInteger,
        list[str]: ARRAY(Text),
        str: Text,
    }


def money_check(column: str) -> CheckConstraint:
    """The CHECK that a minor-unit column stays within the ledger's bounds."""
    return CheckConstraint(f"abs({column}) <= {MINOR_MAX}", name=f"{column}_bounds")


def now_column() -> Mapped[dt.datetime]:
    """An instant the database's clock sets when the row is written."""
    return mapped_column(server_default=func.clock_timestamp())
