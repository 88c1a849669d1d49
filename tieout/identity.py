"""Identity: ids come from content, so the same fact has the same id however often it arrives.

- A file is the SHA-256 of its bytes.
- A statement is (account, currency, kind, sequence or reference and page, period, balances),
  whatever its format: the same statement in camt.053 and MT940 has one id.
- An entry is (account, currency, booked_on, amount, bank reference) where the bank gives a stable
  one, else (statement, raw facts, ordinal among equals): two genuinely identical entries of a
  statement are two entries, and a file sent again adds none.
- A detail is its entry and ordinal.
- A payment is the ids and facts we gave it, a status the report's id and the ids it speaks of;
  equal ones of a file are numbered.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from tieout.canonical import (
    BALANCES,
    DETAILS,
    ENTRIES,
    PAYMENTS,
    STATEMENTS,
    STATUSES,
    Tables,
    table,
)

__all__ = ["NO_REFERENCE", "assign_ids", "content_id", "once"]

#: What banks write where they have no reference; none of it identifies anything.
NO_REFERENCE: Final = frozenset(
    {"", "0", "NONREF", "NOTPROVIDED", "NOTAVAILABLE", "NOREF", "NONE", "N/A", "NA", "NULL"}
)

_RAW = (
    "booked_on",
    "valued_on",
    "amount",
    "status",
    "reversal",
    "entry_ref",
    "code_domain",
    "code_family",
    "code_subfamily",
    "code_proprietary",
    "swift_type",
    "narrative",
)

_PAYMENT = (
    "message_id",
    "payment_info_id",
    "instruction_id",
    "end_to_end_id",
    "uetr",
    "debtor_account",
    "creditor_account",
    "amount",
    "currency",
)
_STATUS = (
    "report_id",
    "level",
    "message_id",
    "payment_info_id",
    "instruction_id",
    "end_to_end_id",
    "transaction_id",
    "uetr",
    "status",
    "reason",
)


def content_id(*parts: object) -> str:
    """A stable 32-hex-digit id of the given parts (order and None-ness matter).

    Decimals are normalised, so that ``1.50`` and ``1.5`` are the same part.
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Decimal):
            part = format(part.normalize() if part else Decimal(0), "f")
        text = b"\x00" if part is None else b"\x01" + str(part).encode("utf-8", "surrogatepass")
        digest.update(len(text).to_bytes(4, "big") + text)
    return digest.hexdigest()[:32]


def _is_reference(value: str | None) -> bool:
    return value is not None and value.strip().upper() not in NO_REFERENCE


def assign_ids(tables: Tables, file_id: str) -> Tables:
    """Replace the reader's file-local ids by content ids.

    Args:
        tables: what a reader yielded for one whole file.
        file_id: SHA-256 (hex) of the file's bytes, written to ``statements.file_id``.

    Returns:
        The same rows in the same order with global ``statement_id``, ``entry_id``, ``detail_id``.
        Where one file holds the same statement twice, the second has the first's ids throughout;
        `once` leaves it out.
    """
    balances: dict[str, list[Mapping[str, Any]]] = {}
    for row in tables.balances.to_pylist():
        balances.setdefault(row["statement_id"], []).append(row)
    statement_ids: dict[str, str] = {}
    statements = tables.statements.to_pylist()
    for row in statements:
        local = row["statement_id"]
        statement_ids[local] = _statement_id(row, balances.get(local, []))
        row["statement_id"], row["file_id"] = statement_ids[local], file_id
    entry_ids: dict[str, str] = {}
    number = _Ordinals()
    entries = tables.entries.to_pylist()
    for row in entries:
        local, copy = row["entry_id"], row["statement_id"]
        row["statement_id"] = statement_ids[copy]
        key = _entry_key(row)
        ordinal = number.of(key, row["statement_id"], copy)
        entry_ids[local] = row["entry_id"] = content_id("entry", key, ordinal)
    details = tables.details.to_pylist()
    for row in details:
        row["entry_id"] = entry_ids[row["entry_id"]]
        row["detail_id"] = content_id("detail", row["entry_id"], row["ordinal"])
    balance_rows = tables.balances.to_pylist()
    for row in balance_rows:
        row["statement_id"] = statement_ids[row["statement_id"]]
    return Tables(
        table(statements, STATEMENTS),
        table(balance_rows, BALANCES),
        table(entries, ENTRIES),
        table(details, DETAILS),
        tables.findings,
        _numbered(tables.payments, PAYMENTS, "payment", _PAYMENT, file_id),
        _numbered(tables.statuses, STATUSES, "status", _STATUS, file_id),
    )


def _numbered(
    rows: pa.Table, schema: pa.Schema, kind: str, facts: tuple[str, ...], file_id: str
) -> pa.Table:
    """Payments or statuses with content ids; equal ones are numbered in file order."""
    seen: Counter[tuple[Any, ...]] = Counter()
    out = rows.to_pylist()
    for row in out:
        key = tuple(row[name] for name in facts)
        seen[key] += 1
        row[f"{kind}_id"] = content_id(kind, *key, seen[key])
        row["file_id"] = file_id
    return table(out, schema)


class _Ordinals:
    """Numbers equal entries through a file; a repeated statement gets the first copy's numbers."""

    def __init__(self) -> None:
        self._last: Counter[str] = Counter()
        self._first_copy: dict[str, str] = {}
        self._given: dict[tuple[str, str], list[int]] = {}
        self._repeated: Counter[tuple[str, str]] = Counter()

    def of(self, key: str, statement_id: str, copy: str) -> int:
        given = self._given.setdefault((key, statement_id), [])
        if self._first_copy.setdefault(statement_id, copy) != copy:
            before = self._repeated[key, copy]
            self._repeated[key, copy] += 1
            if before < len(given):
                return given[before]
        self._last[key] += 1
        given.append(self._last[key])
        return self._last[key]


def once(tables: Tables) -> Tables:
    """The tables without the rows of statements that the file repeats."""
    return Tables(
        _once(tables.statements, "statement_id"),
        _once(tables.balances, "statement_id", "ordinal"),
        _once(tables.entries, "entry_id"),
        _once(tables.details, "detail_id"),
        tables.findings,
        tables.payments,
        tables.statuses,
    )


def _once(rows: pa.Table, *columns: str) -> pa.Table:
    keys = list(zip(*(rows.column(name).to_pylist() for name in columns), strict=True))
    if len(set(keys)) == len(keys):
        return rows
    first = {key: index for index, key in reversed(list(enumerate(keys)))}
    return rows.take(pa.array(sorted(first.values()), type=pa.int64()))


def _statement_id(row: Mapping[str, Any], balances: list[Mapping[str, Any]]) -> str:
    """Account, currency, kind, sequence (or reference) and page, opening and closing."""
    edges = [
        (b["code"], b["amount"], b["on"]) for b in balances if b["code"] in ("OPBD", "PRCD", "CLBD")
    ]
    opening = next((e for e in edges if e[0] in ("OPBD", "PRCD")), (None, None, None))
    closing = next((e for e in reversed(edges) if e[0] == "CLBD"), (None, None, None))
    number = row["sequence_no"] if row["sequence_no"] is not None else row["statement_ref"]
    if row["kind"] != "booked":
        # Reports of one day share number and account: their own reference tells them apart.
        number = content_id("report", number, row["statement_ref"], row["created_at"])
    # The opening's date is left out: camt says the day itself, MT940 the day before.
    return content_id(
        "statement",
        row["account_id"],
        row["currency"],
        row["kind"],
        number,
        row["page"],
        opening[1],
        closing[1],
        closing[2] or row["to_at"],
    )


def _entry_key(row: Mapping[str, Any]) -> str:
    base = (row["account_id"], row["currency"], row["booked_on"], row["amount"])
    if _is_reference(row["bank_ref"]):
        return content_id("ref", *base, row["bank_ref"])
    return content_id("raw", *base, row["statement_id"], *(row[name] for name in _RAW))
