"""Small canonical tables for the quality tests."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tieout import canonical
from tieout.canonical import Tables, table

DAY = date(2026, 11, 20)


def statement(key: str = "s1", **changes: Any) -> dict[str, Any]:
    """A row of STATEMENTS."""
    return {
        "statement_id": key,
        "file_id": "f1",
        "line_no": 3,
        "account_id": "DE02120300000000202051",
        "account_scheme": "IBAN",
        "currency": "EUR",
        "servicer_bic": "BYLADEM1001",
        "statement_ref": "42",
        "sequence_no": 42,
        "kind": "booked",
        "format": "camt.053.001.08",
        "from_at": datetime(2026, 11, 20, tzinfo=UTC),
        "to_at": datetime(2026, 11, 20, 23, tzinfo=UTC),
        "incomplete": False,
    } | changes


def balance(code: str, amount: str, key: str = "s1", **changes: Any) -> dict[str, Any]:
    """A row of BALANCES."""
    ordinal = 2 if code == "CLBD" else 1
    return {
        "statement_id": key,
        "ordinal": ordinal,
        "line_no": 5,
        "code": code,
        "amount": Decimal(amount),
        "currency": "EUR",
        "on": DAY,
    } | changes


def entry(key: str, amount: str, **changes: Any) -> dict[str, Any]:
    """A row of ENTRIES."""
    return {
        "entry_id": key,
        "statement_id": "s1",
        "ordinal": 1,
        "line_no": 10,
        "account_id": "DE02120300000000202051",
        "currency": "EUR",
        "amount": Decimal(amount),
        "booked_on": DAY,
        "valued_on": DAY,
        "status": "booked",
        "reversal": False,
        "narrative": "Rechnung 7",
        "detail_count": 1,
    } | changes


def detail(entry_id: str, amount: str | None = None, **changes: Any) -> dict[str, Any]:
    """A row of DETAILS."""
    return {
        "detail_id": f"{entry_id}/1",
        "entry_id": entry_id,
        "ordinal": 1,
        "line_no": 12,
        "amount": None if amount is None else Decimal(amount),
        "currency": "EUR",
    } | changes


def tables(
    statements: list[dict[str, Any]],
    balances: list[dict[str, Any]],
    entries: list[dict[str, Any]],
    details: list[dict[str, Any]] | None = None,
) -> Tables:
    """The four tables; details are made up, one an entry, where none are given."""
    made = [detail(row["entry_id"]) for row in entries] if details is None else details
    return Tables(
        table(statements, canonical.STATEMENTS),
        table(balances, canonical.BALANCES),
        table(entries, canonical.ENTRIES),
        table(made, canonical.DETAILS),
    )
