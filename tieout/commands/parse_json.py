"""A read file as JSON: whole, for those who compare it, or written as it is read, of any size.

Amounts are decimal strings with at least the currency's decimals, dates ISO 8601, instants UTC;
columns that are null stay null. A payment file has ``payments`` and a status report ``statuses``
beside ``statements``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

import parsers
from parsers import Parsed, Stream
from tieout.canonical import Tables
from tieout.commands import payment_view
from tieout.errors import Finding, InputError, MoneyError
from tieout.money import exponent_of

__all__ = ["as_json", "grouped", "next_of", "plain", "refused_as_json", "write_json"]

_NO_CURRENCY_DECIMALS: Final = 2
Row = dict[str, Any]


def as_json(path: Path | str, parsed: Parsed) -> Row:
    """A read file as one JSON object: statements with balances, entries with details."""
    tables = parsed.tables
    details = grouped(tables.details, "entry_id")
    entries = grouped(tables.entries, "statement_id")
    balances = grouped(tables.balances, "statement_id")
    statements = []
    for row in tables.statements.to_pylist():
        key = row["statement_id"]
        mine = [e | {"details": next_of(details, e["entry_id"])} for e in next_of(entries, key)]
        statements.append(plain(row) | {"balances": next_of(balances, key), "entries": mine})
    return {
        "file": str(path),
        "sha256": parsed.sha256,
        "format": parsed.format,
        "statements": statements,
        **payment_view.rows(parsed, plain),
        "findings": [finding.as_dict() for finding in tables.findings],
    }


def write_json(
    path: Path | str, stream: Stream, first: Tables, write: Callable[[str], object]
) -> None:
    """The same object as text on one line, written as the file is read.

    Args:
        stream: its batches behind ``first``, which has all statements and balances.
        write: takes pieces of text.
    """
    head = {"file": str(path), "sha256": stream.sha256, "format": stream.format}
    write(_text(head)[:-1] + ', "statements": [')
    findings = list(first.findings)
    balances = grouped(first.balances, "statement_id")
    kinds = payment_view.kinds(stream.format)
    if kinds:
        # Payment files have no statements, and one kind of rows.
        write(f'], "{kinds[0]}": [')
        _write_list(_payments(kinds[0], stream.batches, findings), write)
    else:
        entries = _Ahead(_entries(stream.batches, findings))
        for number, row in enumerate(first.statements.to_pylist()):
            told = plain(row) | {"balances": next_of(balances, row["statement_id"])}
            write((", " if number else "") + _text(told)[:-1] + ', "entries": [')
            _write_list(entries.of(row["statement_id"]), write)
            write("]}")
    write('], "findings": ' + _text([f.as_dict() for f in findings]) + "}\n")


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _write_list(rows: Iterable[Row], write: Callable[[str], object]) -> None:
    for number, row in enumerate(rows):
        write((", " if number else "") + _text(row))


def _payments(kind: str, batches: Iterable[Tables], findings: list[Finding]) -> Iterator[Row]:
    for batch in batches:
        findings += batch.findings
        yield from payment_view.told(getattr(batch, kind), plain)


def _entries(batches: Iterable[Tables], findings: list[Finding]) -> Iterator[Row]:
    """Entries with their details, in file order; a batch may go on with the last one's details."""
    held: Row | None = None
    for batch in batches:
        findings += batch.findings
        details = grouped(batch.details, "entry_id")
        if held is not None:
            for rest in details.get(held["entry_id"], [])[:1]:
                if rest[0]["ordinal"] > 1:
                    held["details"] += next_of(details, held["entry_id"])
        for row in batch.entries.to_pylist():
            if held is not None:
                yield held
            held = plain(row) | {"details": next_of(details, row["entry_id"])}
    if held is not None:
        yield held


class _Ahead:
    """Hands out the entries of one statement after the other."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def of(self, statement_id: str) -> Iterator[Row]:
        """The next entries, while they are the statement's (a copy's begin again at one)."""
        last = 0
        while self._next is not None and self._next["statement_id"] == statement_id:
            if self._next["ordinal"] <= last:
                return
            row, last = self._next, self._next["ordinal"]
            self._next = next(self._rows, None)
            yield row


def refused_as_json(path: Path, error: InputError) -> Row:
    """A refused file in the same shape: no statements, the error as a finding."""
    try:
        with path.open("rb") as stream:
            sha256: str | None = hashlib.file_digest(stream, "sha256").hexdigest()
            stream.seek(0)
            head = stream.read(parsers.HEAD_BYTES)
            exact = parsers.identify(head) or parsers.kind_of(head)
    except OSError:
        sha256 = exact = None
    finding = Finding(error.code, "error", error.where, error.message, error.remedy)
    return {
        "file": str(path),
        "sha256": sha256,
        "format": exact,
        "statements": [],
        **{kind: [] for kind in payment_view.kinds(exact)},
        "findings": [finding.as_dict()],
    }


def grouped(table: pa.Table, key: str) -> dict[str, list[list[Row]]]:
    """Rows by owner; an owner that the file holds twice has two lists (ordinals begin again)."""
    groups: dict[str, list[list[Row]]] = {}
    for row in table.to_pylist():
        mine = groups.setdefault(row[key], [])
        if not mine or row["ordinal"] <= mine[-1][-1]["ordinal"]:
            mine.append([])
        mine[-1].append(plain(row))
    return groups


def next_of(groups: dict[str, list[list[Row]]], key: str) -> list[Row]:
    """The next list of an owner."""
    mine = groups.get(key)
    return mine.pop(0) if mine else []


def plain(row: Row) -> Row:
    """A row of a table with values JSON knows."""
    currency = row.get("currency")
    return {
        name: _value(value, row["original_currency"] if name == "original_amount" else currency)
        if name != "fx_rate" or value is None
        else f"{value.normalize():f}"
        for name, value in row.items()
    }


def _value(value: Any, currency: str | None) -> Any:
    if isinstance(value, Decimal):
        return _amount(value, currency)
    if isinstance(value, dict):
        return {name: _value(each, currency) for name, each in value.items()}
    if isinstance(value, list):
        return [_value(each, currency) for each in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def _amount(value: Decimal, currency: str | None) -> str:
    """The exact amount with at least the currency's decimals: ``12.50``, ``12``, ``0.12345``."""
    try:
        places = exponent_of(currency) if currency else _NO_CURRENCY_DECIMALS
    except MoneyError:
        places = _NO_CURRENCY_DECIMALS
    whole, _, decimals = f"{value:f}".partition(".")
    decimals = decimals.rstrip("0").ljust(places, "0")
    return f"{whole}.{decimals}" if decimals else whole
