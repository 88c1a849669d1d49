"""The made-up company in the Oracle simulator: its ledger, chart, suppliers and periods.

Everything a journal or an invoice may refer to; `mappings/erp/oracle.toml` is written to it.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass, field
from typing import Final

__all__ = ["CONSTANTS", "Period", "Supplier", "Value", "World"]

#: Ids and names of the tenant, by what they are.
CONSTANTS: Final = {
    "ledger_id": "300000001001",
    "ledger_name": "Nordlicht Primary Ledger",
    "data_access_set_id": "300000001002",
    "business_unit_id": "300000001003",
    "business_unit": "Nordlicht DE",
    "currency": "EUR",
    "source": "Tieout",
    "invoice_source": "Tieout",
    "login": "TIEOUT_INTEGRATION",
    "password": "sandbox",
}

_ACCOUNTS: Final = {
    "1200": "Trade receivables",
    "1370": "Suspense",
    "1810": "Hansebank current account",
    "1820": "Alpenbank collections",
    "1830": "Rheinbank payments",
    "1840": "Harbor Trust USD",
    "1850": "Elbebank savings",
    "3300": "Trade payables",
    "3720": "Owed to employees",
    "6300": "Other operating costs",
    "6855": "Bank charges",
    "6880": "Currency losses and gains",
    "6960": "Rounding differences",
    "7100": "Interest income",
    "7310": "Interest cost",
}
_COST_CENTERS: Final = {"000": "Balance sheet", "110": "Finance", "120": "Sales", "190": "Archive"}


@dataclass
class Value:
    """One value of a value set."""

    code: str
    name: str
    enabled: bool = True
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None


@dataclass
class Supplier:
    """A supplier, or an employee who is paid as one."""

    id: int
    number: str
    name: str
    site: str
    kind: str = "SUPPLIER"
    active: bool = True


@dataclass
class Period:
    """A month; ``statuses`` by application id: 101 general ledger, 200 payables."""

    name: str
    starts_on: dt.date
    ends_on: dt.date
    statuses: dict[int, str] = field(default_factory=dict)


def _periods() -> list[Period]:
    found = []
    for year, month in [(2026, m) for m in range(1, 13)] + [(2027, m) for m in range(1, 4)]:
        first = dt.date(year, month, 1)
        last = dt.date(year, month, calendar.monthrange(year, month)[1])
        status = "N" if year == 2027 else "C" if month < 10 else "F" if month == 12 else "O"
        name = f"{calendar.month_abbr[month]}-{year % 100}"
        found.append(Period(name, first, last, {101: status, 200: status}))
    return found


def _suppliers() -> list[Supplier]:
    names = ("Kranbau Ostsee GmbH", "Great Plains Bearings Inc", "Stahlhandel Weser GmbH")
    found = [
        Supplier(300000002001 + number, str(1252 + number), name, "MAIN")
        for number, name in enumerate(names)
    ]
    found[2].active = False
    found.append(Supplier(300000002010, "E1001", "Jana Petersen", "HOME", "EMPLOYEE"))
    return found


@dataclass
class World:
    """Master data, as it is now; tests change it."""

    accounts: dict[str, Value] = field(
        default_factory=lambda: {k: Value(k, v) for k, v in _ACCOUNTS.items()}
    )
    cost_centers: dict[str, Value] = field(
        default_factory=lambda: {k: Value(k, v) for k, v in _COST_CENTERS.items()}
    )
    companies: dict[str, Value] = field(
        default_factory=lambda: {"01": Value("01", "Nordlicht Maschinenbau GmbH")}
    )
    suppliers: list[Supplier] = field(default_factory=_suppliers)
    periods: list[Period] = field(default_factory=_periods)
    currencies: tuple[str, ...] = ("EUR", "USD", "CHF", "JPY")

    def __post_init__(self) -> None:
        self.cost_centers["190"].enabled = False

    def segments(self) -> tuple[dict[str, Value], ...]:
        """The value sets of the account's segments, in order: company, account, cost center."""
        return self.companies, self.accounts, self.cost_centers

    def period_of(self, on: dt.date) -> Period | None:
        """The month of a day."""
        return next((p for p in self.periods if p.starts_on <= on <= p.ends_on), None)

    def set_status(self, on: dt.date, status: str) -> None:
        """Open, close … the month of a day, in both applications."""
        period = self.period_of(on)
        if period is None:
            raise ValueError(f"no period for {on}")
        for application in period.statuses:
            period.statuses[application] = status
