"""Recording: canonical tables of one file become rows of the ledger, exactly or not at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
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
from tieout.stages.conversion import Row, arrow_of, convert
from tieout.stages.known import is_known, renew_ids

__all__ = ["Recorded", "record_tables"]

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
            converted = convert(statement, account, balances.get(key, []), entries, details)
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
        done.counts[name] = done.counts.get(name, 0) + bulk_load(
            session, model, arrow_of(rows[name])
        )
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
