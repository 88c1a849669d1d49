"""The made-up company in the SAP simulator: chart, partners, cost centers, tax codes.

Company code 1010 keeps its books in EUR by the calendar year. Codes stand as SAP stores them: GL
accounts and partners with leading zeros to ten places.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Final

__all__ = [
    "ACCOUNTS",
    "CHART",
    "COMPANY",
    "COST_CENTERS",
    "CURRENCY",
    "PARTNERS",
    "TAX_CODES",
    "Account",
    "Center",
    "Party",
    "padded",
]

COMPANY: Final = "1010"
CURRENCY: Final = "EUR"
CHART: Final = "NCOA"
_FOREVER: Final = dt.date(9999, 12, 31)


def padded(code: str) -> str:
    """A code as SAP stores it: digits filled up to ten places, anything else as it is."""
    return code.zfill(10) if code.isdigit() else code


@dataclass(frozen=True, slots=True)
class Account:
    """A GL account; ``kind`` X balance sheet, P primary costs (wants a cost center), N other.

    ``currency`` is the one its balance is kept in, empty where that is each document's own.
    """

    code: str
    name: str
    kind: str
    open_items: bool = False
    reconciles: str = ""
    blocked: bool = False
    house_bank: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """A supplier (K), employee (K of the group EMPL) or customer (D).

    ``business_partner`` is its number as one, where that is another than the code.
    """

    code: str
    name: str
    kind: str
    account: str
    group: str = "SUPL"
    blocked: bool = False
    ibans: tuple[str, ...] = field(default=())
    business_partner: str = ""


@dataclass(frozen=True, slots=True)
class Center:
    """A cost center in one of its spans of validity."""

    code: str
    name: str
    valid_from: dt.date
    valid_to: dt.date = _FOREVER
    blocked: bool = False


ACCOUNTS: Final = {
    padded(account.code): account
    for account in (
        Account("11001000", "Hansebank EUR", "X", house_bank="HANSE", currency="EUR"),
        Account("11001010", "Hansebank in transit", "X", open_items=True),
        Account("11002000", "Hansebank USD", "X", house_bank="HANSU", currency="USD"),
        Account("12100000", "Trade receivables", "X", open_items=True, reconciles="D"),
        Account("12600000", "Input tax", "X"),
        Account("19990000", "Suspense", "X", open_items=True),
        Account("21100000", "Trade payables", "X", open_items=True, reconciles="K"),
        Account("21300000", "Due to employees", "X", open_items=True, reconciles="K"),
        Account("61003000", "Travel", "P"),
        Account("65100000", "Bank charges", "P"),
        Account("65190000", "Bank charges until 2024", "P", blocked=True),
        Account("70100000", "Interest income", "N"),
        Account("71100000", "Interest expense", "N"),
        Account("72010000", "Rounding differences", "N"),
        Account("72040000", "Exchange differences", "N"),
    )
}

PARTNERS: Final = {
    (party.kind, padded(party.code)): party
    for party in (
        Party("10100001", "Kranbau Ostsee GmbH", "D", "12100000", "CUST"),
        Party("10100002", "Hafenlogistik Sued AG", "D", "12100000", "CUST"),
        Party(
            "10300001",
            "Great Plains Bearings Inc",
            "K",
            "21100000",
            ibans=("DE02120300000000202051", "US-ACCT-0099"),
            business_partner="1000042",
        ),
        Party("10300002", "Stahlhandel Nord KG", "K", "21100000", blocked=True),
        Party("90000001", "Meike Petersen", "K", "21300000", "EMPL"),
    )
}

COST_CENTERS: Final = (
    Center("10101101", "Treasury", dt.date(2020, 1, 1)),
    Center("10101201", "Sales until 2025", dt.date(2020, 1, 1), dt.date(2025, 12, 31)),
    Center("10101201", "Sales", dt.date(2026, 7, 1)),
    Center("10101901", "Closed site", dt.date(2020, 1, 1), blocked=True),
)

#: Tax code: (GL account of the tax, rate in percent).
TAX_CODES: Final = {"V0": ("0012600000", 0), "V1": ("0012600000", 19)}
