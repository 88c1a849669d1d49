"""The fields of a Concur extract line, by position, and how each is read.

Shared part of `parsers.concur_sae`, which describes the format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from tieout.errors import Finding, InputError
from tieout.money import is_currency

__all__ = ["EXPENSES", "POSITIONS", "decode", "detail", "header", "numbered"]

#: Fields of a detail line.
POSITIONS: Final = 400

_LINE_MAX: Final = 64 * 1024

_AMOUNT = re.compile(r"[+-]?\d{1,22}(?:\.\d{0,8})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)

#: column of `EXPENSES`, position in the line (from 1), kind; ``!`` marks fields a line must have.
_COLUMNS: Final = (
    ("sequence_no", 4, "number!"),
    ("employee_id", 5, "text!"),
    ("employee_last_name", 6, "text"),
    ("employee_first_name", 7, "text"),
    ("report_id", 19, "text!"),
    ("report_key", 20, "text!"),
    ("ledger", 21, "text"),
    ("currency", 22, "currency!"),  # of the reimbursement and of the journal amount
    ("submitted_on", 24, "date"),
    ("approved_on", 26, "date"),  # all approvals done, ready for payment
    ("report_name", 27, "text"),
    ("report_posted_amount", 31, "money"),
    ("report_approved_amount", 32, "money"),
    ("org_unit_1", 35, "text"),
    ("org_unit_2", 36, "text"),
    ("org_unit_3", 37, "text"),
    ("entry_id", 61, "text"),
    ("expense_type", 63, "text"),
    ("spent_on", 64, "date"),
    ("spend_currency", 65, "currency"),
    ("personal", 68, "flag"),
    ("description", 69, "text"),
    ("vendor_name", 70, "text"),
    ("transaction_amount", 123, "money"),  # in spend_currency
    ("posted_amount", 124, "money"),
    ("approved_amount", 125, "money"),
    ("payment_type_code", 126, "text"),  # CASH, CBCP, IBCP ...
    ("payment_type_name", 127, "text"),
    ("payer_type", 163, "text"),  # Company | Employee
    ("payer_code_name", 164, "text"),
    ("payee_type", 165, "text"),
    ("payee_code_name", 166, "text"),
    ("account_code", 167, "text"),
    ("debit_credit", 168, "side!"),  # DR | CR
    ("journal_amount", 169, "money!"),  # signed: debit positive
    ("journal_key", 170, "text"),
    ("cash_advance_key", 187, "text"),
    ("allocation_key", 189, "text"),
    ("allocation_percent", 190, "money"),
    ("tax_authority", 225, "text"),
    ("tax_posted_amount", 228, "money"),
    ("tax_reclaim_posted_amount", 231, "money"),
    ("tax_code", 232, "text"),
    ("liability_account_code", 255, "text"),
    ("due_employee", 319, "money"),  # of the report; negative where the employee owes
)

_TYPES: Final = {
    "number": pa.int64(),
    "date": pa.date32(),
    "money": pa.decimal128(31, 8),
    "flag": pa.bool_(),
    "text": pa.string(),
    "currency": pa.string(),
    "side": pa.string(),
}

#: One row per journal line, in the order of the file; null where the extract is silent.
EXPENSES: Final = pa.schema(
    [
        pa.field("file_id", pa.string()),
        pa.field("line_no", pa.int64()),
        *(pa.field(name, _TYPES[kind.rstrip("!")]) for name, _, kind in _COLUMNS),
    ]
)


def header(line: str, name: str) -> tuple[date, int, Decimal, str]:
    """Batch date, count of detail records, journal total and batch id.

    Raises:
        InputError: ``SAE_HEADER``; ``name`` is the file's, for the message.
    """
    fields = line.split("|")
    try:
        if len(fields) != 5 or fields[0] != "EXTRACT":
            raise ValueError("expected EXTRACT and four fields")
        on, total = _value("date!", fields[1]), _value("money!", fields[3])
        return on, _value("number!", fields[2]), total, _value("text!", fields[4])
    except ValueError as error:
        raise InputError(
            "SAE_HEADER",
            f"the first line is no extract header: {error}: {line[:80]!r}",
            where=f"{name} line 1",
            remedy="expected EXTRACT|yyyy-MM-dd|records|journal total|batch id",
        ) from None


def detail(line: str) -> dict[str, Any]:
    """One line as a row of `EXPENSES` (without file and line number).

    Raises:
        ValueError: what is wrong with which field.
    """
    if len(line) > _LINE_MAX:
        raise ValueError(f"longer than {_LINE_MAX} characters")
    fields = line.split("|")
    if fields[0] != "DETAIL":
        raise ValueError(f"starts with {fields[0][:20]!r}, expected DETAIL")
    if len(fields) != POSITIONS:
        raise ValueError(f"{len(fields)} fields, expected {POSITIONS} (a '|' inside a text?)")
    row: dict[str, Any] = {}
    for name, position, kind in _COLUMNS:
        try:
            row[name] = _value(kind, fields[position - 1].strip())
        except ValueError as error:
            raise ValueError(f"field {position} ({name}): {error}") from None
    amount: Decimal = row["journal_amount"]
    if amount and (amount < 0) != (row["debit_credit"] == "CR"):
        raise ValueError(f"field 169 (journal_amount): {amount} is marked {row['debit_credit']}")
    return row


def _value(kind: str, text: str) -> Any:
    """One field as its kind; "" is None unless the kind is required (``!``)."""
    required, kind = kind.endswith("!"), kind.rstrip("!")
    if not text:
        if required:
            raise ValueError("is empty")
        return None
    if kind == "money":
        if not _AMOUNT.fullmatch(text):
            raise ValueError(f"{text[:40]!r} is not an amount")
        return abs(amount) if not (amount := Decimal(text)) else amount
    if kind == "date":
        if not _DATE.fullmatch(text):
            raise ValueError(f"{text[:40]!r} is not a date (yyyy-MM-dd)")
        return date.fromisoformat(text)
    if kind == "number":
        if not _NUMBER.fullmatch(text):
            raise ValueError(f"{text[:40]!r} is not a number")
        return int(text)
    if kind == "currency" and not is_currency(text):
        raise ValueError(f"{text[:40]!r} is not a currency")
    if kind == "flag" and text not in ("Y", "N"):
        raise ValueError(f"{text[:40]!r} is neither Y nor N")
    if kind == "side" and text not in ("DR", "CR"):
        raise ValueError(f"{text[:40]!r} is neither DR nor CR")
    if "\0" in text:
        raise ValueError("holds a NUL character")
    return text == "Y" if kind == "flag" else text


def decode(content: bytes, name: str) -> tuple[str, list[Finding]]:
    """The text and, where it is not UTF-8, the finding that says so."""
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line_no = content.count(b"\n", 0, error.start) + 1
        finding = Finding(
            "SAE_ENCODING",
            "warning",
            f"{name} line {line_no}",
            f"byte 0x{content[error.start]:02x} is not UTF-8; the file was read as Latin-1",
            "set the extract's encoding to UTF-8 in Concur",
        )
        return content.decode("latin-1"), [finding]


def numbered(text: str) -> Iterator[tuple[int, str]]:
    """Line numbers and lines; not `str.splitlines`, which also breaks at U+0085 and U+2028."""
    for line_no, line in enumerate(text.split("\n"), 1):
        line = line.removesuffix("\r")
        if line:
            yield line_no, line
