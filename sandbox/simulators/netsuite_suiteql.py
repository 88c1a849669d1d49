"""SuiteQL of a simulated NetSuite: its tables in SQLite, asked with the text of the query.

Column names come in lower case, values as text, and a column without a value is left out of its
row. Not more than 100,000 rows of a query can be reached.
"""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from sandbox.simulators import netsuite_seed as seed
from sandbox.simulators.netsuite_fields import TYPES
from sandbox.simulators.netsuite_rules import GlLine, rate_of
from sandbox.simulators.netsuite_shapes import RefusedError

__all__ = ["ROWS_MAX", "Tables"]

#: Rows of one query that can be reached.
ROWS_MAX: Final = 100_000

_SCHEMA: Final = """
CREATE TABLE account (id INTEGER PRIMARY KEY, acctnumber, fullname, accttype, currency INTEGER,
    isinactive, issummary, reconcilewithmatching);
CREATE TABLE subsidiary (id INTEGER PRIMARY KEY, name, currency INTEGER, isinactive);
CREATE TABLE currency (id INTEGER PRIMARY KEY, symbol, name);
CREATE TABLE currencyrate (id INTEGER PRIMARY KEY, basecurrency INTEGER,
    transactioncurrency INTEGER,
    effectivedate, exchangerate);
CREATE TABLE department (id INTEGER PRIMARY KEY, name, isinactive);
CREATE TABLE classification (id INTEGER PRIMARY KEY, name, isinactive);
CREATE TABLE location (id INTEGER PRIMARY KEY, name, isinactive);
CREATE TABLE vendor (id INTEGER PRIMARY KEY, entityid, companyname, isinactive);
CREATE TABLE customer (id INTEGER PRIMARY KEY, entityid, companyname, isinactive);
CREATE TABLE employee (id INTEGER PRIMARY KEY, entityid, firstname, lastname, isinactive);
CREATE TABLE accountingperiod (id INTEGER PRIMARY KEY, periodname, startdate, enddate, closed,
    isquarter, isyear);
CREATE TABLE "transaction" (id INTEGER PRIMARY KEY, type, tranid, trandate, externalid, memo,
    approvalstatus, posting, currency INTEGER, exchangerate NUMERIC, entity INTEGER, duedate,
    lastmodifieddate);
CREATE TABLE transactionline ("transaction" INTEGER, id INTEGER, memo, entity INTEGER,
    subsidiary INTEGER, department INTEGER, cleared, cleareddate, foreignamount NUMERIC,
    foreignamountunpaid NUMERIC, PRIMARY KEY ("transaction", id));
CREATE TABLE transactionaccountingline ("transaction" INTEGER, transactionline INTEGER,
    account INTEGER, debit NUMERIC, credit NUMERIC, amount NUMERIC, amountunpaid NUMERIC, posting,
    PRIMARY KEY ("transaction", transactionline));
CREATE INDEX tal_account ON transactionaccountingline (account);
"""
_OPEN_ACCOUNTS: Final = {a.id for a in seed.ACCOUNTS if a.kind in ("AcctRec", "AcctPay")}
_TEXT: Final = re.compile(r"('(?:[^']|'')*')")
_FORBIDDEN: Final = re.compile(
    r";|--|/\*|\b(insert|update|delete|drop|attach|pragma|limit)\b", re.IGNORECASE
)


class _Sum:
    """SUM that stays exact."""

    def __init__(self) -> None:
        self._total: Decimal | None = None

    def step(self, value: object) -> None:
        if value is not None:
            self._total = (self._total or Decimal(0)) + Decimal(str(value))

    def finalize(self) -> str | None:
        return None if self._total is None else str(self._total)


class Tables:
    """The tables SuiteQL knows; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.rows_max = ROWS_MAX
        self._base = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._base.executescript(_SCHEMA)
        self._base.create_function("to_char", 2, _to_char, deterministic=True)
        self._base.create_function("to_date", 2, _to_date, deterministic=True)
        self._base.create_function("nvl", 2, _nvl, deterministic=True)
        # The stubs want a class whose steps take no arguments, which no aggregate could use.
        self._base.create_aggregate("sum", 1, _Sum)  # type: ignore[arg-type]
        self._masters()

    def ask(self, query: str, limit: int, offset: int) -> tuple[list[dict[str, str]], int]:
        """A page of rows, and how many the query has (at most what can be reached).

        Raises:
            RefusedError: 400 ``INVALID_PARAMETER``.
        """
        text = _translated(query)
        with self._lock:
            try:
                counted = self._base.execute(f"SELECT COUNT(*) FROM ({text})").fetchone()
                total = min(int(counted[0]), self.rows_max)
                size = max(0, min(limit, total - offset))
                cursor = self._base.execute(f"SELECT * FROM ({text}) LIMIT {size} OFFSET {offset}")
                names = [column[0].lower() for column in cursor.description]
                rows = cursor.fetchall()
            except sqlite3.Error as error:
                raise RefusedError(
                    400, "INVALID_PARAMETER", f"Invalid search query. {error}", "q"
                ) from error
        told = [
            {name: f"{value}" for name, value in zip(names, row, strict=True) if value is not None}
            for row in rows
        ]
        return told, total

    def put(
        self,
        kind: str,
        record_id: str,
        record: Mapping[str, Any],
        lines: Sequence[GlLine],
        posted: bool,
    ) -> None:
        """A transaction with its lines, as new or in place of the old one."""
        flag = "T" if posted else "F"
        head = (
            int(record_id),
            TYPES[kind],
            record["tranId"],
            record["tranDate"],
            record.get("externalId"),
            record.get("memo"),
            record.get("approvalStatus", {"id": None})["id"],
            flag,
            record.get("currency", {"id": "1"})["id"],
            str(rate_of(kind, record)),
            record.get("entity", {"id": None})["id"],
            record.get("dueDate", record.get("duedate")),
            record["lastModifiedDate"],
        )
        subsidiary = record.get("subsidiary", {"id": "3"})["id"]
        with self._lock:
            self._insert('"transaction"', head)
            for number, line in enumerate(lines):
                is_open = kind != "vendorPayment" and line.account in _OPEN_ACCOUNTS
                self._put_line(record_id, number, line, subsidiary, flag, is_open)

    def _put_line(
        self, record_id: str, number: int, line: GlLine, subsidiary: str, flag: str, is_open: bool
    ) -> None:
        debit = str(line.base) if line.base > 0 else None
        credit = str(-line.base) if line.base < 0 else None
        amounts = (debit, credit, str(line.base))
        unpaid = str(abs(line.amount)) if is_open else None
        base_unpaid = str(abs(line.base)) if is_open else None
        self._insert(
            "transactionline",
            (
                int(record_id),
                number,
                line.memo or None,
                line.entity or None,
                subsidiary,
                line.department or None,
                "T" if line.cleared else "F",
                line.cleared or None,
                str(line.amount),
                unpaid,
            ),
        )
        self._insert(
            "transactionaccountingline",
            (int(record_id), number, int(line.account), *amounts, base_unpaid, flag),
        )

    def settle(self, document: str, line: int | None, amount: Decimal) -> None:
        """Take an amount in the transaction's currency off what is open of a document."""
        with self._lock:
            for number, unpaid, rate in self._open_lines(document, line)[:1]:
                left = Decimal(str(unpaid)) - amount
                base_left = (left * Decimal(str(rate))).quantize(Decimal("0.01"))
                self._base.execute(
                    "UPDATE transactionline SET foreignamountunpaid = ?"
                    ' WHERE "transaction" = ? AND id = ?',
                    (str(left), int(document), number),
                )
                self._base.execute(
                    "UPDATE transactionaccountingline SET amountunpaid = ?"
                    ' WHERE "transaction" = ? AND transactionline = ?',
                    (str(base_left), int(document), number),
                )

    def open_amount(self, document: str, line: int | None) -> Decimal:
        """What is open of a document, in its currency; 0 where nothing is."""
        with self._lock:
            found = self._open_lines(document, line)
        return Decimal(str(found[0][1])) if found else Decimal(0)

    def drop(self, record_id: str) -> None:
        """Forget a transaction."""
        with self._lock:
            for table, column in (
                ('"transaction"', "id"),
                ("transactionline", '"transaction"'),
                ("transactionaccountingline", '"transaction"'),
            ):
                self._base.execute(f"DELETE FROM {table} WHERE {column} = ?", (int(record_id),))

    def periods(
        self, periods: Mapping[str, tuple[str, dt.date, dt.date]], closed: set[str]
    ) -> None:
        """The accounting periods as they are now."""
        with self._lock:
            for period, (name, first, last) in periods.items():
                flag = "T" if period in closed else "F"
                row = (int(period), name, first.isoformat(), last.isoformat(), flag, "F", "F")
                self._insert("accountingperiod", row)

    def _open_lines(self, document: str, line: int | None) -> list[tuple[Any, ...]]:
        return self._base.execute(
            "SELECT tl.id, tl.foreignamountunpaid, t.exchangerate"
            ' FROM transactionline tl JOIN "transaction" t ON t.id = tl."transaction"'
            " WHERE t.id = ? AND tl.foreignamountunpaid IS NOT NULL"
            " AND (? IS NULL OR tl.id = ?) ORDER BY tl.id",
            (int(document), line, line),
        ).fetchall()

    def _insert(self, table: str, row: tuple[Any, ...]) -> None:
        marks = ", ".join("?" * len(row))
        self._base.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", row)

    def _masters(self) -> None:
        for a in seed.ACCOUNTS:
            flags = ("T" if a.inactive else "F", "T" if a.summary else "F", "F")
            row = (int(a.id), a.number, a.name, a.kind, a.currency or None, *flags)
            self._insert("account", row)
        for key, name in seed.SUBSIDIARIES.items():
            self._insert("subsidiary", (int(key), name, "1", "F"))
        for key, symbol in seed.CURRENCIES.items():
            self._insert("currency", (int(key), symbol, seed.CURRENCY_NAMES[key]))
        for number, (currency, on, rate) in enumerate(seed.RATES, 1):
            self._insert("currencyrate", (number, "1", currency, on, str(rate)))
        for key, name in seed.DEPARTMENTS.items():
            self._insert("department", (int(key), name, "F"))
        for e in seed.ENTITIES:
            names = tuple(e.name.split(" ", 1)) if e.table == "employee" else (e.name,)
            self._insert(e.table, (int(e.id), e.code, *names, "T" if e.inactive else "F"))


def _translated(query: str) -> str:
    """The query as SQLite takes it; ``transaction`` is a word of its own there."""
    parts = _TEXT.split(query)
    plain = " ".join(parts[::2])
    if not plain.strip().lower().startswith("select") or _FORBIDDEN.search(plain):
        raise RefusedError(
            400, "INVALID_PARAMETER", "Invalid search query. Only SELECT is taken.", "q"
        )
    for index in range(0, len(parts), 2):
        parts[index] = re.sub(r"\btransaction\b", '"transaction"', parts[index], flags=re.I)
    return "".join(parts)


def _to_char(value: object, form: str) -> str | None:
    """Dates are held in ISO form, which is what the two forms we take ask for."""
    if value is None:
        return None
    if form == "YYYY-MM-DD":
        return f"{value}"[:10]
    if form == 'YYYY-MM-DD"T"HH24:MI:SS"Z"':
        return f"{value}"
    raise ValueError(form)


def _to_date(value: str, form: str) -> str:
    if form != "YYYY-MM-DD":
        raise ValueError(form)
    return dt.date.fromisoformat(value).isoformat()


def _nvl(value: str | None, other: str | None) -> str | None:
    return other if value is None else value
