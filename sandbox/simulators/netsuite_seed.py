"""The made-up company in a simulated NetSuite: chart, partners, departments, periods, openings.

Internal ids are small numbers as NetSuite gives them; a second subsidiary is there to be confused
with the first. The GL account numbers are those of ``mappings/erp/netsuite.toml``.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

__all__ = [
    "ACCOUNTS",
    "CATEGORIES",
    "CURRENCIES",
    "CURRENCY_NAMES",
    "DEPARTMENTS",
    "ENTITIES",
    "OPENINGS",
    "RATES",
    "SUBSIDIARIES",
    "Account",
    "Entity",
    "Opening",
    "periods",
]


@dataclass(frozen=True)
class Account:
    """A GL account; ``currency`` of bank accounts only; ``subsidiaries`` empty means all."""

    id: str
    number: str
    name: str
    kind: str
    currency: str = ""
    subsidiaries: tuple[str, ...] = ()
    inactive: bool = False
    summary: bool = False


@dataclass(frozen=True)
class Entity:
    """A vendor, customer or employee."""

    id: str
    table: str
    code: str
    name: str
    inactive: bool = False


@dataclass(frozen=True)
class Opening:
    """A posted transaction from before our time: type, number, day, lines (account, amount)."""

    kind: str
    number: str
    on: dt.date
    due_on: dt.date | None
    entity: str
    currency: str
    rate: str
    memo: str
    lines: tuple[tuple[str, str], ...]
    cleared: bool = False


CURRENCIES: Final = {"1": "EUR", "2": "USD", "3": "GBP"}
#: What people call them; a reference to a currency shows this, not the symbol.
CURRENCY_NAMES: Final = {"1": "Euro", "2": "US Dollar", "3": "British pound"}
#: (currency, day, EUR for one unit).
RATES: Final = (("2", "2026-11-01", Decimal("0.92")), ("3", "2026-11-01", Decimal("1.15")))
SUBSIDIARIES: Final = {"3": "Nordlicht Maschinenbau GmbH", "4": "Nordlicht Polska"}
DEPARTMENTS: Final = {"7": "Treasury", "8": "Sales"}
#: Expense categories: id, name, GL account id.
CATEGORIES: Final = {"21": ("Travel", "60"), "22": ("Meals", "61")}

ACCOUNTS: Final = (
    Account("111", "1810", "Hansebank EUR", "Bank", "1", ("3",)),
    Account("112", "1840", "Harbor Trust USD", "Bank", "2", ("3",)),
    Account("113", "1820", "Bank Polski EUR", "Bank", "1", ("4",)),
    Account("119", "1200", "Accounts Receivable", "AcctRec"),
    Account("120", "3300", "Accounts Payable", "AcctPay"),
    Account("121", "3720", "Employee Liabilities", "AcctPay"),
    Account("122", "1370", "Suspense", "OthCurrAsset"),
    Account("58", "6855", "Bank Charges", "Expense"),
    Account("59", "7310", "Interest Expense", "OthExpense"),
    Account("60", "6650", "Travel Expense", "Expense"),
    Account("61", "6640", "Meals", "Expense"),
    Account("62", "6880", "Exchange Differences", "OthExpense"),
    Account("63", "6960", "Rounding Differences", "OthExpense"),
    Account("64", "7100", "Interest Income", "OthIncome"),
    Account("65", "4400", "Sales", "Income"),
    Account("66", "5400", "Goods Bought", "COGS"),
    Account("67", "6000", "All Expenses", "Expense", summary=True),
    Account("68", "6999", "Old Charges", "Expense", inactive=True),
    Account("69", "2900", "Equity", "Equity"),
)

ENTITIES: Final = (
    Entity("902", "vendor", "V-1001", "Great Plains Bearings Inc"),
    Entity("903", "vendor", "V-1002", "Ostsee Stahl GmbH"),
    Entity("904", "vendor", "V-1003", "Gone Supplies Ltd", inactive=True),
    Entity("911", "customer", "C-2001", "Kranbau Ostsee GmbH"),
    Entity("921", "employee", "E-3001", "Ada Brandt"),
)

_DAY = dt.date(2026, 11, 2)
OPENINGS: Final = (
    Opening(
        "journalEntry",
        "JOU1",
        dt.date(2026, 10, 30),
        None,
        "",
        "1",
        "1",
        "Opening balance",
        (("111", "100000.00"), ("69", "-100000.00")),
        cleared=True,
    ),
    Opening(
        "journalEntry",
        "JOU2",
        dt.date(2026, 10, 30),
        None,
        "",
        "2",
        "0.92",
        "Opening balance",
        (("112", "50000.00"), ("69", "-50000.00")),
        cleared=True,
    ),
    Opening(
        "invoice",
        "RE-2026-0811",
        _DAY,
        dt.date(2026, 12, 2),
        "911",
        "1",
        "1",
        "Crane parts",
        (("119", "1190.00"), ("65", "-1190.00")),
    ),
    Opening(
        "vendorBill",
        "ER-7714",
        _DAY,
        dt.date(2026, 12, 2),
        "902",
        "2",
        "0.92",
        "Bearings",
        (("66", "108.50"), ("120", "-108.50")),
    ),
    Opening(
        "vendorBill",
        "OS-55",
        _DAY,
        dt.date(2026, 11, 30),
        "903",
        "1",
        "1",
        "Steel",
        (("66", "250.00"), ("120", "-250.00")),
    ),
    Opening(
        "journalEntry",
        "JOU3",
        dt.date(2026, 11, 5),
        None,
        "903",
        "1",
        "1",
        "Paid twice",
        (("120", "250.00"), ("122", "-250.00")),
    ),
    Opening(
        "journalEntry",
        "JOU4",
        dt.date(2026, 11, 19),
        None,
        "911",
        "1",
        "1",
        "PAY-2026-0117 run RUN-2026-47 e2e E2E-0117-1 | Customer run week 47",
        (("111", "2500.00"), ("122", "-2500.00")),
    ),
)


def periods() -> dict[str, tuple[str, dt.date, dt.date]]:
    """Months of 2026 and January 2027 by internal id: name, first and last day."""
    found = {}
    for index in range(13):
        year, month = 2026 + index // 12, index % 12 + 1
        first = dt.date(year, month, 1)
        following = dt.date(year + month // 12, month % 12 + 1, 1)
        name = first.strftime("%b %Y")
        found[str(204 + index)] = (name, first, following - dt.timedelta(days=1))
    return found
