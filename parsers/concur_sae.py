"""SAP Concur Standard Accounting Extract (SAE), version 3: approved expenses, a line each.

Issued by SAP Concur ("Standard Accounting Extract, version 3 specification"). Text, one record a
line, fields separated by ``|`` and without quoting, found by position alone:

- the header: ``EXTRACT|2026-11-19|2|64.30|118`` (batch date, count of detail records, sum of all
  journal amounts, batch id);
- detail lines of 400 fields starting with ``DETAIL``: employee (5-17), report (18-60), entry
  (61-126), card (129-162), journal (163-170), cash advance (177-188), allocation (189-210), tax
  (225-238). Amounts have a point and up to 8 decimals, dates are ``yyyy-MM-dd``.

A file whose count or total does not hold, or with a line that cannot be read, is refused whole:
without that line the total cannot be proven, and money is paid on it. UTF-8 with or without byte
order mark; a file that is not UTF-8 is read as Latin-1 (older sites) and says so in a finding.

>>> identify(b"EXTRACT|2026-11-19|2|64.30|118\\nDETAIL|118|2026-11-19|1|10021|Berg")
'concur.sae.v3'
>>> identify(b"EXTRACT;2026-11-19;2;64.30;118") is None
True
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from parsers._sae_fields import EXPENSES, POSITIONS, decode, detail, header, numbered
from tieout.canonical import table
from tieout.errors import Finding, InputError

__all__ = [
    "EXPENSES",
    "NAME",
    "OUT_OF_POCKET",
    "POSITIONS",
    "Expenses",
    "Reimbursement",
    "identify",
    "read",
    "reimbursements",
]

NAME: Final = "concur_sae"
#: Payment type codes of what employees paid themselves.
OUT_OF_POCKET: Final = frozenset({"CASH"})

_BYTES_MAX: Final = 512 * 1024**2
_SHOWN: Final = 5

_HEADER = re.compile(rb"(?:\xef\xbb\xbf)?EXTRACT\|")
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Expenses:
    """One extract: the proven header and its lines.

    Attributes:
        sha256: of the file's bytes; also ``file_id`` of each line.
        size: in bytes.
        batch_id, batch_on: of the header.
        journal_total: sum of all journal amounts, proven against the header.
        lines: a table of `EXPENSES`.
        findings: warnings; errors refuse the file.
    """

    sha256: str
    size: int
    batch_id: str
    batch_on: date
    journal_total: Decimal
    lines: pa.Table
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Reimbursement:
    """What the company owes one employee for one report.

    Attributes:
        amount: positive when money goes to the employee; in ``currency``.
        account_code: the liability account where all lines name the same one, else "".
        approved_on: day the report was ready for payment.
        due_employee: the report's own statement of the amount, where the extract has it.
        line_count: journal lines it sums.
    """

    report_key: str
    report_id: str
    report_name: str
    employee_id: str
    employee_name: str
    currency: str
    amount: Decimal
    account_code: str
    approved_on: date | None
    due_employee: Decimal | None
    line_count: int


def identify(head: bytes) -> str | None:
    """The exact format if the file opens with an extract header, else None."""
    if not _HEADER.match(head):
        return None
    return "concur.sae.v3" if head.split(b"\n", 1)[0].count(b"|") == 4 else None


def read(path: Path) -> Expenses:
    """Read and prove one extract.

    Raises:
        InputError: ``SAE_TOO_LARGE``, ``SAE_HEADER``, ``SAE_LINE`` (a line cannot be read),
            ``SAE_RECORD_COUNT``, ``SAE_JOURNAL_TOTAL``.
    """
    size = path.stat().st_size
    if size > _BYTES_MAX:
        raise InputError(
            "SAE_TOO_LARGE",
            f"{size} bytes; an extract has at most {_BYTES_MAX}",
            where=path.name,
            remedy="have the extract split by employee group",
        )
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    text, findings = decode(content, path.name)
    lines = numbered(text)
    batch_on, count, total, batch_id = header(next(lines, (1, ""))[1], path.name)
    rows: list[dict[str, Any]] = []
    bad: list[str] = []
    for line_no, line in lines:
        try:
            rows.append({"file_id": sha256, "line_no": line_no, **detail(line)})
        except ValueError as error:
            bad.append(f"line {line_no}: {error}")
    if bad:
        more = f" (and {len(bad) - _SHOWN} more)" if len(bad) > _SHOWN else ""
        raise InputError(
            "SAE_LINE",
            f"{len(bad)} of {len(bad) + len(rows)} lines cannot be read, so that the header's "
            f"total cannot be proven: {'; '.join(bad[:_SHOWN])}{more}",
            where=f"{path.name} {bad[0].split(':')[0]}",
            remedy="have the batch extracted again; nothing of this file was taken",
        )
    _prove(rows, count, total, path.name)
    findings += _repeated(rows, path.name)
    taken = table(rows, EXPENSES)
    findings += _dues(taken, path)
    return Expenses(sha256, size, batch_id, batch_on, total, taken, tuple(findings))


def reimbursements(expenses: Expenses) -> list[Reimbursement]:
    """What the company owes each employee, one a report, ordered by report key.

    Counted are journal lines that the company pays to the employee for what they paid themselves
    (`OUT_OF_POCKET`). Company cards (the card company is paid), company-paid bills, personal
    entries, cash advances, and what employees owe the company are not. A journal line that the
    extract repeats for a second tax is counted once. Reports that come to zero are left out.
    """
    return [owed for owed in _sums(expenses.lines) if owed.amount]


def _sums(lines: pa.Table) -> list[Reimbursement]:
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    seen: set[tuple[object, ...]] = set()
    for row in lines.to_pylist():
        key = _journal(row)
        if not _is_owed(row) or key in seen:
            continue
        if key is not None:
            seen.add(key)
        group = (row["report_key"], row["employee_id"], row["currency"])
        groups.setdefault(group, []).append(row)
    ordered = sorted(groups.items(), key=lambda item: (_natural(item[0][0]), item[0]))
    return [_reimbursement(rows) for _, rows in ordered]


def _reimbursement(rows: list[dict[str, Any]]) -> Reimbursement:
    first = rows[0]
    accounts = {row["liability_account_code"] or "" for row in rows}
    names = (first["employee_first_name"], first["employee_last_name"])
    return Reimbursement(
        report_key=first["report_key"],
        report_id=first["report_id"],
        report_name=first["report_name"] or "",
        employee_id=first["employee_id"],
        employee_name=" ".join(name for name in names if name),
        currency=first["currency"],
        amount=_short(sum((row["journal_amount"] for row in rows), Decimal(0))),
        account_code=accounts.pop() if len(accounts) == 1 else "",
        approved_on=first["approved_on"],
        due_employee=None if first["due_employee"] is None else _short(first["due_employee"]),
        line_count=len(rows),
    )


def _short(amount: Decimal) -> Decimal:
    """Without the zeros that fill up to eight decimals; two stay."""
    cents = amount.quantize(Decimal("0.01"))
    return cents if cents == amount else amount.normalize()


def _is_owed(row: dict[str, Any]) -> bool:
    return (
        (row["payer_type"] or "").casefold() == "company"
        and (row["payee_type"] or "").casefold() == "employee"
        and row["payment_type_code"] in OUT_OF_POCKET
        and not row["personal"]
        and row["cash_advance_key"] is None
    )


def _journal(row: dict[str, Any]) -> tuple[object, ...] | None:
    """Identity of a journal line; None where the extract gives no key (each line then counts)."""
    if row["journal_key"] is None:
        return None
    names = ("report_key", "entry_id", "journal_key", "allocation_key", "account_code")
    return (*(row[name] for name in names), row["journal_amount"])


def _natural(key: str) -> tuple[int, int]:
    return (0, int(key)) if _NUMBER.fullmatch(key) else (1, 0)


def _prove(rows: list[dict[str, Any]], count: int, total: Decimal, name: str) -> None:
    if len(rows) != count:
        raise InputError(
            "SAE_RECORD_COUNT",
            f"the header announces {count} detail records, the file has {len(rows)}",
            where=f"{name} line 1",
            remedy="the file is cut or was edited; have the batch extracted again",
        )
    found = sum((row["journal_amount"] for row in rows), Decimal(0))
    if found != total:
        raise InputError(
            "SAE_JOURNAL_TOTAL",
            f"the journal amounts come to {found}, the header says {total}",
            where=f"{name} line 1",
            remedy="the file is damaged or was edited; have the batch extracted again",
        )


def _repeated(rows: list[dict[str, Any]], name: str) -> list[Finding]:
    first: dict[tuple[object, ...], int] = {}
    findings = []
    for row in rows:
        key = _journal(row)
        if key is not None and first.setdefault(key, row["line_no"]) != row["line_no"]:
            findings.append(
                Finding(
                    "SAE_JOURNAL_REPEATED",
                    "warning",
                    f"{name} line {row['line_no']}",
                    f"journal {row['journal_key']} of report {row['report_key']} stands on line "
                    f"{first[key]} already; it is counted once",
                    "if both are meant, the keys of the extract must differ",
                )
            )
    return findings


def _dues(lines: pa.Table, path: Path) -> list[Finding]:
    """Where the report states what is due to the employee, it should be what the lines say."""
    return [
        Finding(
            "SAE_DUE_DIFFERS",
            "warning",
            f"{path.name} report {owed.report_key}",
            f"the lines come to {owed.amount} {owed.currency} for {owed.employee_id}, the report "
            f"says {owed.due_employee} is due to the employee",
            "look for personal card purchases or cash advances that are set off in the report",
        )
        for owed in _sums(lines)
        if owed.due_employee is not None and owed.due_employee != owed.amount
    ]
