"""Open payables cleared against one another: a payment of nothing that applies bills and credits.

What this connector speaks of NetSuite offers it for vendors only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tieout.connectors.netsuite_masters import RefusedError, refused
from tieout.connectors.netsuite_records import Records
from tieout.connectors.netsuite_session import Row, Session
from tieout.connectors.ports import Journal

__all__ = ["clearing", "line_key"]


@dataclass(frozen=True, slots=True)
class _Item:
    """An open line; ``open`` is signed as the ledger's amount: a bill is negative."""

    move: str
    line: int
    open: Decimal


def line_key(line_id: str) -> tuple[int, int]:
    """Transaction and line of an open item's id, ``10452/2``.

    Raises:
        RefusedError: ``ITEM_UNKNOWN``.
    """
    move, _, line = line_id.partition("/")
    if not (move.isdigit() and line.isdigit() and line_id.isascii()):
        raise RefusedError("ITEM_UNKNOWN", f"{line_id!r} is no line of NetSuite's")
    return int(move), int(line)


def clearing(journal: Journal, records: Records, session: Session) -> dict[str, Any]:
    """The payment that clears the lines a journal names.

    Raises:
        RefusedError: ``ITEM_UNKNOWN``, ``NOT_OFFERED``, ``CLEARING_MIXED``, ``UNBALANCED``.
        ConnectorError: the lines could not be read.
    """
    keys = sorted({line_key(line_id) for line_id in journal.clears})
    rows = _rows(session, keys)
    if len(rows) != len(keys):
        there = {(int(row["move"]), int(row["line"])) for row in rows}
        missing = ", ".join(f"{move}/{line}" for move, line in keys if (move, line) not in there)
        raise RefusedError("ITEM_UNKNOWN", f"not open in NetSuite: {missing}")
    if any(row["accttype"] != "AcctPay" for row in rows):
        message = "only payables can be cleared here; receivables are applied in NetSuite"
        raise RefusedError("NOT_OFFERED", message)
    party, account, currency, symbol = _same(rows)
    items = [_Item(row["move"], int(row["line"]), _open(row)) for row in rows]
    if total := sum(item.open for item in items):
        raise RefusedError("UNBALANCED", f"what is to be cleared leaves {total} {symbol}")
    named = str(records.mapping.get("posting", {}).get("clearing_account", ""))
    if not named:
        message = "the mapping's [posting] clearing_account names no bank account"
        raise RefusedError("CLEARING_ACCOUNT_MISSING", message)
    bank = records.masters.account(named)
    if bank.currency not in ("", symbol):
        message = f"[posting] clearing_account is kept in {bank.currency}, the items in {symbol}"
        raise refused("CURRENCY_OTHER", message, bank.code)
    return {
        **records.head(journal),
        "entity": {"id": party},
        "account": {"id": bank.id},
        "apAcct": {"id": account},
        "currency": {"id": currency},
        "apply": {"items": [_applied(item) for item in items if item.open < 0]},
        "credit": {"items": [_applied(item) for item in items if item.open > 0]},
    }


def _rows(session: Session, keys: Sequence[tuple[int, int]]) -> list[Row]:
    wanted = " OR ".join(f"(tl.transaction = {move} AND tl.id = {line})" for move, line in keys)
    columns = (
        "tl.transaction AS move, tl.id AS line, a.accttype AS accttype, a.id AS account,"
        " NVL(tl.entity, t.entity) AS entity, t.currency AS currency, c.symbol AS symbol,"
        " tal.amount AS amount, tl.foreignamountunpaid AS unpaid"
    )
    source = (
        "transactionline tl JOIN transaction t ON t.id = tl.transaction"
        " JOIN transactionaccountingline tal ON tal.transaction = tl.transaction"
        " AND tal.transactionline = tl.id JOIN account a ON a.id = tal.account"
        " JOIN currency c ON c.id = t.currency"
    )
    where = [f"({wanted})", "tal.posting = 'T'", "tl.foreignamountunpaid <> 0"]
    return session.rows(columns, source, where, ("move:tl.transaction", "line:tl.id"))


def _same(rows: Sequence[Row]) -> tuple[str, str, str, str]:
    """The one party, account and currency of all lines."""
    found = {(r.get("entity", ""), r["account"], r["currency"], r["symbol"]) for r in rows}
    if len(found) != 1 or not next(iter(found))[0]:
        message = "the lines are not all of one partner, one account and one currency"
        raise RefusedError("CLEARING_MIXED", message)
    return next(iter(found))


def _open(row: Row) -> Decimal:
    """What is open, signed like the line's own amount."""
    unpaid = abs(Decimal(row["unpaid"]))
    return unpaid if Decimal(row["amount"]) > 0 else -unpaid


def _applied(item: _Item) -> dict[str, Any]:
    return {"doc": {"id": item.move}, "line": item.line, "apply": True, "amount": abs(item.open)}
