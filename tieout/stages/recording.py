"""Recording: canonical tables of one file become rows of the ledger, exactly or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute
from sqlalchemy.orm import Session

from tieout.canonical import Tables
from tieout.errors import Finding, MoneyError
from tieout.ledger import bulk_load
from tieout.ledger.models import (
    BalanceRow,
    Base,
    DetailRow,
    EntryIdentity,
    EntryRow,
    StatementRow,
)
from tieout.masterdata import BankAccount, resolve
from tieout.money import exponent_of, to_minor
from tieout.quality.controls import edges
from tieout.stages.known import is_known, renew_ids

__all__ = ["Recorded", "record_tables"]

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

_TABLES: Final[dict[str, type[Base]]] = {
    "statements": StatementRow,
    "balances": BalanceRow,
    "entries": EntryRow,
    "details": DetailRow,
    "entry_identities": EntryIdentity,
}


#: Rows made and loaded at once.
_ROWS_AT_ONCE: Final = 100_000

#: The stubs know too few of its signatures.
pc: Any = pyarrow.compute


@dataclass
class Recorded:
    """What one file added: the accounts it touched, row counts by table, findings."""

    accounts: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def record_tables(
    session: Session,
    tables: Tables,
    accounts: Sequence[BankAccount],
    refused: Collection[str],
) -> Recorded:
    """Record every statement of the tables that is neither refused nor known.

    A statement one of whose amounts does not fit its currency is left out whole, with a finding.
    """
    done = Recorded()
    balances = _by(tables.balances.to_pylist(), "statement_id")
    parts = _Parts(tables)
    rows: dict[str, list[Row]] = {name: [] for name in _TABLES}
    heads: list[Row] = []
    taken: set[str] = set()
    for statement in tables.statements.to_pylist():
        key = statement["statement_id"]
        account = resolve(accounts, statement["account_id"], statement["currency"])
        if key in refused or account is None:
            continue
        try:
            entries, details = parts.of(key)
            converted = _convert(statement, account, balances.get(key, []), entries, details)
        except MoneyError as error:
            where = error.where or f"statement {statement['statement_ref']}"
            done.findings.append(Finding(error.code, "error", where, error.message, error.remedy))
            continue
        if is_known(session, converted):
            done.findings.append(_duplicate(statement))
            continue
        renew_ids(session, converted, heads, taken)
        heads += converted["statements"]
        for name, part in converted.items():
            rows[name].extend(part)
        done.accounts.add(account.code)
        if len(rows["entries"]) + len(rows["details"]) >= _ROWS_AT_ONCE:
            _load(session, rows, done)
    _load(session, rows, done)
    return done


def _load(session: Session, rows: dict[str, list[Row]], done: Recorded) -> None:
    """Write what is converted so far, and forget it."""
    for name, model in _TABLES.items():
        done.counts[name] = done.counts.get(name, 0) + bulk_load(session, model, _arrow(rows[name]))
        rows[name] = []


class _Parts:
    """The entries and details of each statement, made rows only when it is its turn."""

    def __init__(self, tables: Tables) -> None:
        self._entries, self._details = tables.entries, tables.details
        owners = tables.entries["statement_id"]
        at = pc.index_in(tables.details["entry_id"], value_set=tables.entries["entry_id"])
        self._entry_runs = _runs(owners)
        self._detail_runs = _runs(owners.take(at))

    def of(self, statement_id: str) -> tuple[dict[str, list[Row]], dict[str, list[Row]]]:
        """Entries by statement, details by entry, of one statement."""
        entries = _rows(self._entries, self._entry_runs.get(statement_id, ()))
        details = _rows(self._details, self._detail_runs.get(statement_id, ()))
        return {statement_id: entries}, _by(details, "entry_id")


def _runs(column: Any) -> dict[str, list[tuple[int, int]]]:
    """Where each value of a column stands: (first row, rows), in order."""
    encoded = pc.run_end_encode(pa.chunked_array(column).combine_chunks())
    found: dict[str, list[tuple[int, int]]] = {}
    begin = 0
    for end, value in zip(encoded.run_ends.to_pylist(), encoded.values.to_pylist(), strict=True):
        found.setdefault(value, []).append((begin, end - begin))
        begin = end
    return found


def _rows(table: pa.Table, runs: Sequence[tuple[int, int]]) -> list[Row]:
    return [row for begin, count in runs for row in table.slice(begin, count).to_pylist()]


def _by(rows: list[Row], column: str) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row[column], []).append(row)
    return grouped


def _duplicate(statement: Mapping[str, Any]) -> Finding:
    return Finding(
        "STATEMENT_DUPLICATE",
        "info",
        f"statement {statement['statement_ref']}",
        "this statement is already in the ledger, from another file or channel",
    )


def _convert(
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


def _arrow(rows: list[Row]) -> pa.Table:
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
