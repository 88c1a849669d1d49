"""What the sandbox company's books consist of: currencies, journals and chart of accounts.

The codes are those of `mappings/erp/tryton.toml` and of the bank accounts in `mappings/accounts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = [
    "ACCOUNTS",
    "COMPANY_CODE",
    "COMPANY_CURRENCY",
    "COMPANY_NAME",
    "CURRENCIES",
    "FISCAL_YEARS",
    "JOURNALS",
    "MODULES",
    "RATES",
    "SERIES",
    "TYPES",
    "Account",
]

#: Tryton release series of the lock.
SERIES: Final = "8.2"

MODULES: Final = (
    "ir",
    "res",
    "country",
    "currency",
    "party",
    "company",
    "product",
    "account",
    "account_product",
    "account_invoice",
    "bank",
)

COMPANY_CODE: Final = "NORD"
COMPANY_NAME: Final = "Nordlicht Maschinenbau GmbH"
COMPANY_CURRENCY: Final = "EUR"

#: code, name, symbol
CURRENCIES: Final = (("EUR", "Euro", "€"), ("USD", "US Dollar", "$"))

#: currency, first day, units for one unit of the company's currency
RATES: Final = (
    ("EUR", "2026-01-01", "1"),
    ("USD", "2026-01-01", "1.0850"),
    ("USD", "2026-11-01", "1.0850"),
)

FISCAL_YEARS: Final = (2026, 2027)

#: code, name, type
JOURNALS: Final = (("BANK", "Bank", "cash"), ("OPEN", "Opening", "general"))

#: key, name, statement, flags that are set
TYPES: Final = (
    ("cash", "Cash at bank", "balance", ("assets",)),
    ("receivable", "Trade receivables", "balance", ("assets", "receivable")),
    ("assets", "Other current assets", "balance", ("assets",)),
    ("payable", "Trade payables", "balance", ("payable",)),
    ("liability", "Other liabilities", "balance", ("debt",)),
    ("equity", "Equity", "balance", ()),
    ("revenue", "Revenue", "income", ("revenue",)),
    ("expense", "Expense", "income", ("expense",)),
)


@dataclass(frozen=True, slots=True)
class Account:
    """A GL account: ``party`` wants one on each line, ``reconcile`` lets lines be settled."""

    code: str
    name: str
    type: str
    party: bool = False
    reconcile: bool = False
    second_currency: str = ""


ACCOUNTS: Final = (
    Account("1200", "Trade receivables", "receivable", party=True, reconcile=True),
    Account("1370", "Suspense, bank movements to be clarified", "assets", reconcile=True),
    Account("1460", "Cash in transit", "assets", reconcile=True),
    Account("1810", "Hansebank EUR main", "cash"),
    Account("1820", "Alpenbank EUR collections", "cash"),
    Account("1830", "Rheinbank EUR payments", "cash"),
    Account("1840", "Harbor Trust USD", "cash", second_currency="USD"),
    Account("1850", "Elbebank EUR savings", "cash"),
    Account("2900", "Equity, opening balances", "equity"),
    Account("3300", "Trade payables", "payable", party=True, reconcile=True),
    Account("3720", "Employee reimbursements payable", "liability", reconcile=True),
    Account("4400", "Sales of machines", "revenue"),
    Account("5400", "Purchases of material", "expense"),
    Account("6640", "Entertainment", "expense"),
    Account("6660", "Travel of employees, accommodation", "expense"),
    Account("6673", "Travel of employees, fares", "expense"),
    Account("6815", "Office supplies", "expense"),
    Account("6855", "Bank charges", "expense"),
    Account("6880", "Currency exchange differences", "expense"),
    Account("6960", "Rounding differences", "expense"),
    Account("7100", "Interest income", "revenue"),
    Account("7310", "Interest expense", "expense"),
)
