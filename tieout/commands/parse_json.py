"""A read file as JSON: whole, for those who compare it, or written as it is read, of any size.

Amounts are decimal strings with at least the currency's decimals, dates ISO 8601, instants UTC;
columns that are null stay null. A payment file has ``payments`` and a status report ``statuses``
beside ``statements``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any, Final

import parsers
from parsers import Parsed, Stream
from tieout.canonical import Tables, empty
from tieout.commands import payment_view
from tieout.errors import Finding, InputError, MoneyError
from tieout.money import exponent_of
from tieout.owned_rows import grouped, next_of, owned, rows
from tieout.shelf import Shelf

__all__ = ["as_json", "plain", "refused_as_json", "write_json"]

_NO_CURRENCY_DECIMALS: Final = 2
_AS_THEY_ARE: Final = frozenset({str, int, bool})
Row = dict[str, Any]


def as_json(path: Path | str, parsed: Parsed) -> Row:
    """A read file as one JSON object: statements with balances, entries with details."""
    tables = parsed.tables
    details = grouped(tables.details, "entry_id")
    entries = grouped(tables.entries, "statement_id")
    statements = []
    for row, balances in owned(tables.statements, tables.balances, "statement_id"):
        mine = [
            plain(entry) | {"details": _plain(next_of(details, entry["entry_id"]))}
            for entry in next_of(entries, row["statement_id"])
        ]
        statements.append(plain(row) | {"balances": _plain(balances), "entries": mine})
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
        stream: its batches behind ``first``; those with statements and balances come before those
            with entries.
        write: takes pieces of text.
    """
    head = {"file": str(path), "sha256": stream.sha256, "format": stream.format}
    write(_text(head)[:-1] + ', "statements": [')
    batches = chain([first], stream.batches)
    kinds = payment_view.kinds(stream.format)
    with Shelf() as findings, Shelf() as heads:
        if kinds:
            # Payment files have no statements, and one kind of rows.
            write(f'], "{kinds[0]}": [')
            _write_list(_payments(kinds[0], batches, findings), write)
        else:
            entries = _Ahead(_entries(_behind(heads, batches), findings))
            _write_statements(heads, entries, write)
        write('], "findings": [')
        _write_list((finding.as_dict() for finding in findings.findings()), write)
    write("]}\n")


def _behind(heads: Shelf, batches: Iterator[Tables]) -> Iterator[Tables]:
    """The batches with entries; the statements before them are put away, all but their findings."""
    for batch in batches:
        if batch.statements.num_rows:
            heads.put(replace(batch, findings=()))
        yield batch


def _write_statements(heads: Shelf, entries: _Ahead, write: Callable[[str], object]) -> None:
    number = 0
    for batch in heads:
        for row, balances in owned(batch.statements, batch.balances, "statement_id"):
            told = plain(row) | {"balances": _plain(balances)}
            write((", " if number else "") + _text(told)[:-1] + ', "entries": [')
            _write_list(entries.of(row["statement_id"]), write)
            write("]}")
            number += 1


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _write_list(rows: Iterable[Row], write: Callable[[str], object]) -> None:
    for number, row in enumerate(rows):
        write((", " if number else "") + _text(row))


def _payments(kind: str, batches: Iterable[Tables], findings: Shelf) -> Iterator[Row]:
    for batch in batches:
        _keep(batch, findings)
        yield from payment_view.told(getattr(batch, kind), plain)


def _keep(batch: Tables, findings: Shelf) -> None:
    if batch.findings:
        findings.put(replace(empty(), findings=batch.findings))


def _entries(batches: Iterable[Tables], findings: Shelf) -> Iterator[Row]:
    """Entries with their details, in file order; a batch may go on with the last one's details."""
    held: Row | None = None
    for batch in batches:
        _keep(batch, findings)
        details = batch.details
        if held is not None:
            rest = _rest(batch, held)
            held["details"] += _plain(rows(details.slice(0, rest)))
            details = details.slice(rest)
        for row, own in owned(batch.entries, details, "entry_id"):
            if held is not None:
                yield held
            held = plain(row) | {"details": _plain(own)}
    if held is not None:
        yield held


def _rest(batch: Tables, entry: Row) -> int:
    """How many of a batch's first details go on with those of the entry before it."""
    last = entry["details"][-1]["ordinal"] if entry["details"] else 0
    entries = batch.entries["entry_id"]
    if not last and len(entries) and entries[0].as_py() == entry["entry_id"]:
        return 0  # they are those of a copy
    for count, row in enumerate(rows(batch.details.select(["entry_id", "ordinal"]))):
        if row["entry_id"] != entry["entry_id"] or row["ordinal"] <= last:
            return count
        last = row["ordinal"]
    return batch.details.num_rows


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


def _plain(found: Iterable[Row]) -> list[Row]:
    return [plain(row) for row in found]


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
    if value is None or type(value) in _AS_THEY_ARE:
        return value
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
