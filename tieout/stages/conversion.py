"""Conversion: canonical rows of one statement become rows of the ledger, exactly or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from tieout.errors import MoneyError
from tieout.masterdata import BankAccount
from tieout.money import exponent_of, to_minor
from tieout.quality.controls import edges

__all__ = ["Row", "arrow_of", "convert"]

Row = dict[str, Any]

_STATEMENT: Final = (
    "statement_id",
    "file_id",
    "line_no",
    "servicer_bic",
    "statement_ref",
    "sequence_no",
    "page",
    "kind",
    "format",
    "from_at",
    "to_at",
    "created_at",
    "narrative",
)
_ENTRY: Final = (
    "entry_id",
    "statement_id",
    "ordinal",
    "line_no",
    "booked_on",
    "valued_on",
    "status",
    "reversal",
    "bank_ref",
    "entry_ref",
    "code_domain",
    "code_family",
    "code_subfamily",
    "code_proprietary",
    "swift_type",
    "narrative",
    "detail_count",
)
_DETAIL: Final = (
    "detail_id",
    "entry_id",
    "ordinal",
    "line_no",
    "currency",
    "end_to_end_id",
    "instruction_id",
    "payment_info_id",
    "message_id",
    "transaction_id",
    "uetr",
    "mandate_id",
    "cheque_no",
    "counterparty_name",
    "counterparty_account",
    "counterparty_bic",
    "ultimate_name",
    "reference",
    "reference_type",
    "narrative",
    "purpose",
    "return_reason",
    "original_currency",
    "fx_rate",
)


def convert(
    statement: Row,
    account: BankAccount,
    balances: list[Row],
    entries: dict[str, list[Row]],
    details: dict[str, list[Row]],
) -> dict[str, list[Row]]:
    """One statement's rows with amounts in minor units.

    Raises:
        MoneyError: an amount does not fit its currency; ``where`` names the line.
    """
    currency = statement["currency"] or account.currency
    entry_rows: list[Row] = []
    detail_rows: list[Row] = []
    for entry in entries.get(statement["statement_id"], []):
        own = entry["currency"] or currency
        row = {name: entry[name] for name in _ENTRY} | {
            "account_code": account.code,
            "currency": own,
            "exponent": exponent_of(own),
            "amount_minor": _minor(entry["amount"], own, entry),
        }
        entry_rows.append(row)
        detail_rows.extend(_detail(d, currency) for d in details.get(entry["entry_id"], []))
    balance_rows = [
        {
            "statement_id": b["statement_id"],
            "ordinal": b["ordinal"],
            "code": b["code"],
            "amount_minor": _minor(b["amount"], b["currency"] or currency, b),
            "currency": b["currency"] or currency,
            "on": b["on"],
        }
        for b in balances
    ]
    opening, closing = edges(balance_rows)
    head = {name: statement[name] for name in _STATEMENT} | {
        "account_code": account.code,
        "currency": currency,
        "opening_minor": opening and opening["amount_minor"],
        "closing_minor": closing and closing["amount_minor"],
        "closed_on": _closed_on(statement, closing, entry_rows),
        "entry_count": len(entry_rows),
        "incomplete": bool(statement["incomplete"]),
    }
    return {
        "statements": [head],
        "balances": balance_rows,
        "entries": entry_rows,
        "details": detail_rows,
    }


def _detail(detail: Row, currency: str) -> Row:
    row = {name: detail[name] for name in _DETAIL}
    own = detail["currency"] or currency
    row["amount_minor"] = _optional(detail["amount"], own, detail)
    row["original_minor"] = _optional(
        detail["original_amount"], detail["original_currency"] or own, detail
    )
    row["charges_minor"] = _optional(detail["charges"], own, detail)
    return row


def _optional(amount: Decimal | None, currency: str, row: Row) -> int | None:
    return None if amount is None else _minor(amount, currency, row)


def _minor(amount: Decimal, currency: str, row: Row) -> int:
    try:
        return to_minor(amount, currency)
    except MoneyError as error:
        error.where = f"line {row['line_no']}"
        raise


def _closed_on(
    statement: Row, closing: Mapping[str, Any] | None, entries: list[Row]
) -> dt.date | None:
    if closing is not None and closing["on"] is not None:
        day: dt.date = closing["on"]
        return day
    if statement["to_at"] is not None:
        end: dt.datetime = statement["to_at"]
        return end.date()
    return max((e["booked_on"] for e in entries if e["booked_on"] is not None), default=None)


_DATES: Final = frozenset({"booked_on", "closed_on", "on", "valued_on"})
_FLAGS: Final = frozenset({"counts", "incomplete", "reversal"})


def arrow_of(rows: list[Row]) -> pa.Table:
    """Rows as an Arrow table whose types COPY understands without a guess."""
    if not rows:
        return pa.table({})
    return pa.table({n: pa.array([r[n] for r in rows], type=_type(n)) for n in rows[0]})


def _type(name: str) -> pa.DataType:
    if name.endswith(("_minor", "_no", "_count")) and name != "cheque_no":
        return pa.int64()
    if name in ("ordinal", "page", "exponent"):
        return pa.int64()
    if name.endswith("_at"):
        return pa.timestamp("us", tz="UTC")
    if name in _DATES:
        return pa.date32()
    if name in _FLAGS:
        return pa.bool_()
    return pa.decimal128(23, 10) if name == "fx_rate" else pa.string()
