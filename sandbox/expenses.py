"""Invented expense reports: what employees spent, how they paid, and the tax in it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, Literal

from sandbox.day import Day
from sandbox.model import ExpenseLine, ExpenseReport
from sandbox.parties import EMPLOYEES

__all__ = ["make_reports"]

# Type, expense account, tax per cent, payment code, vendor, whole-euro bounds.
_Kind = tuple[str, str, int, Literal["CASH", "CBCP"], str, int, int]
_KINDS: Final[tuple[_Kind, ...]] = (
    ("Taxi", "6673", 7, "CASH", "Taxi Hafenstadt", 18, 70),
    ("Hotel", "6660", 7, "CBCP", "Hotel Leuchtfeuer", 95, 420),
    ("Bahnfahrt", "6673", 7, "CASH", "Nordbahn", 40, 180),
    ("Bewirtung", "6640", 19, "CASH", "Gasthaus Reusenhof", 45, 190),
    ("Mietwagen", "6673", 19, "CBCP", "Autovermietung Deich", 80, 260),
    ("Parken", "6673", 19, "CASH", "Parkhaus Speicher", 6, 35),
    ("Büromaterial", "6815", 19, "CASH", "Papeterie Falk", 12, 90),
)
_TRIPS: Final = ("Montage Wendtorf", "Messe Donauwerk", "Kundentermin Gotthelf", "Schulung Kiel")
_COST_CENTRES: Final = ("4100", "4200", "5300", "6100")


def make_reports(day: Day) -> tuple[ExpenseReport, ...]:
    """One approved report for each employee: out-of-pocket and company card lines mixed.

    The last report also has a company card credit (a cancelled hire car). What is owed to an
    employee is reserved as a unique amount of the day.
    """
    first_key = 10_048_000 + day.rng.randrange(100, 900)
    reports = []
    for number, (employee_id, first, last) in enumerate(EMPLOYEES):
        while True:
            lines = _lines(day, number)
            cash = sum(line.gross_minor for line in lines if line.payment_code == "CASH")
            if day.take(cash):
                break
        reports.append(
            ExpenseReport(
                report_key=str(first_key + 7 * number),
                report_id=f"{day.rng.randrange(16**20):020X}",
                name=_TRIPS[number],
                employee_id=employee_id,
                first_name=first,
                last_name=last,
                submitted_on=date(2026, 11, 11) + timedelta(days=number % 3),
                lines=lines,
            )
        )
    return tuple(reports)


def _lines(day: Day, number: int) -> tuple[ExpenseLine, ...]:
    first_entry = 880_000 + 100 * number
    found = []
    for offset in range(4 + number % 2):
        kind = _KINDS[(number + offset) % len(_KINDS)]
        name, account, per_cent, code, vendor, low, high = kind
        gross = day.rng.randrange(low * 20, high * 20) * 5
        centres = tuple(day.rng.sample(_COST_CENTRES, 2 if offset == 0 else 1))
        found.append(
            ExpenseLine(
                entry_id=first_entry + offset,
                expense_type=name,
                gl_account=account,
                spent_on=date(2026, 11, 2) + timedelta(days=day.rng.randrange(7)),
                gross_minor=gross,
                tax_minor=_tax(gross, per_cent),
                payment_code=code,
                vendor=vendor,
                cost_centres=centres,
            )
        )
    if number == len(EMPLOYEES) - 1:
        found.append(_credit(first_entry + len(found), found[0].spent_on))
    return tuple(found)


def _credit(entry_id: int, on: date) -> ExpenseLine:
    name, account, per_cent, code, vendor, low, _ = _KINDS[4]
    return ExpenseLine(
        entry_id=entry_id,
        expense_type=name,
        gl_account=account,
        spent_on=on,
        gross_minor=-low * 100,
        tax_minor=-_tax(low * 100, per_cent),
        payment_code=code,
        vendor=f"{vendor} Storno",
        cost_centres=(_COST_CENTRES[0],),
    )


def _tax(gross: int, per_cent: int) -> int:
    """Tax inside a gross amount, half up."""
    return (gross * per_cent * 2 + 100 + per_cent) // (2 * (100 + per_cent))
