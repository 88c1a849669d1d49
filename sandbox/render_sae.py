"""Writes expense reports as a Standard Accounting Extract, version 3.

A text file, one record a line, fields parted by ``|``::

    EXTRACT|2026-11-20|38|2411.35|117
    DETAIL|117|2026-11-20|1|10021|Petersen|Jonas|...

The header counts the detail records and sums their journal amounts (column 169, signed: debits
positive, credits negative). Each detail record has 400 positions, most of them empty; one
expense gives a journal line for the net and one for the tax of each cost centre it is allocated
to. Lines the employee paid (``CASH``) run Company → Employee, those on the company's card
(``CBCP``) Company → the card's issuer and are owed to nobody here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from sandbox.model import ExpenseLine, ExpenseReport

__all__ = ["POSITIONS", "render_sae"]

POSITIONS: Final = 400
_TAX_ACCOUNT: Final = "1406"
_LIABILITY_ACCOUNT: Final = "3720"
_PAYMENT_NAMES: Final = {"CASH": "Out of Pocket", "CBCP": "Company Card"}


def render_sae(
    reports: tuple[ExpenseReport, ...], on: date, batch_id: int, currency: str = "EUR"
) -> bytes:
    """The extract of a day, UTF-8, LF line ends."""
    records: list[dict[int, str]] = []
    total = 0
    for report in reports:
        for line in report.lines:
            for centre, share, account, amount in _journal(line):
                record = _report_columns(report, currency) | _entry_columns(line, currency)
                record |= _journal_columns(line, centre, share, account, amount)
                record |= {1: "DETAIL", 2: str(batch_id), 3: on.isoformat()}
                record |= {4: str(len(records) + 1), 26: on.isoformat()}
                record |= {170: str(550_000 + len(records) + 1)}
                records.append(record)
                total += amount
    header = f"EXTRACT|{on.isoformat()}|{len(records)}|{_money(total)}|{batch_id}"
    lines = ["|".join(record.get(n, "") for n in range(1, POSITIONS + 1)) for record in records]
    return ("\n".join([header, *lines]) + "\n").encode()


def _journal(line: ExpenseLine) -> Iterator[tuple[str, int, str, int]]:
    """Cost centre, per cent, account and signed amount of each journal line of an expense.

    Shares are whole per cents; the last cost centre takes what rounding leaves.
    """
    count = len(line.cost_centres)
    shares = [100 // count] * (count - 1)
    shares.append(100 - sum(shares))
    net_left, tax_left = line.gross_minor - line.tax_minor, line.tax_minor
    for n, (centre, share) in enumerate(zip(line.cost_centres, shares, strict=True), 1):
        last = n == count
        net = net_left if last else (line.gross_minor - line.tax_minor) * share // 100
        tax = tax_left if last else line.tax_minor * share // 100
        net_left, tax_left = net_left - net, tax_left - tax
        yield centre, share, line.gl_account, net
        if tax:
            yield centre, share, _TAX_ACCOUNT, tax


def _report_columns(report: ExpenseReport, currency: str) -> dict[int, str]:
    total, due = _money(report.total_minor), _money(report.reimbursable_minor)
    return {
        5: report.employee_id,
        6: report.last_name,
        7: report.first_name,
        10: "NORD",
        19: report.report_id,
        20: report.report_key,
        21: "NORD",
        22: currency,
        23: "GERMANY",
        24: report.submitted_on.isoformat(),
        27: report.name,
        28: "Y",
        29: "Y",
        30: "N",
        31: total,
        32: total,
        35: "NORD",
        264: f"{report.first_name}.{report.last_name}@nordlicht.example".lower(),
        312: total,
        313: due,
        314: _money(max(report.total_minor - report.reimbursable_minor, 0)),
        319: due,
        320: _money(report.total_minor - report.reimbursable_minor),
    }


def _entry_columns(line: ExpenseLine, currency: str) -> dict[int, str]:
    gross, tax = _money(line.gross_minor), _money(line.tax_minor)
    return {
        61: str(line.entry_id),
        62: "REG" if len(line.cost_centres) == 1 else "CHD",
        63: line.expense_type,
        64: line.spent_on.isoformat(),
        65: currency,
        66: "1",
        67: "M",
        68: "N",
        69: line.expense_type,
        70: line.vendor,
        72: "Y",
        73: "T",
        123: gross,
        124: gross,
        125: gross,
        126: line.payment_code,
        127: _PAYMENT_NAMES[line.payment_code],
        158: "DE",
        160: "HOME",
        225: "Germany",
        226: "VAT",
        227: tax,
        228: tax,
        229: "SYST",
        246: tax,
        247: _money(line.gross_minor - line.tax_minor),
        250: _PAYMENT_NAMES[line.payment_code],
        255: _LIABILITY_ACCOUNT,
    }


def _journal_columns(
    line: ExpenseLine, centre: str, share: int, account: str, amount: int
) -> dict[int, str]:
    cash = line.payment_code == "CASH"
    return {
        18: _money(amount),
        163: "Company",
        164: "Company",
        165: "Employee" if cash else "Company",
        166: "Employee" if cash else "Company Card",
        167: account,
        168: "DR" if amount >= 0 else "CR",
        169: _money(amount),
        189: str(line.entry_id * 10 + int(centre[0])),
        190: str(share),
        191: centre,
    }


def _money(minor: int) -> str:
    """Minor units of a two-decimal currency as text: ``-50.00``."""
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"
