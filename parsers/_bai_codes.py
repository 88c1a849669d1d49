"""BAI type codes: which way the money went, and which balance a code names.

The standard numbers everything with three digits and gives the direction by range, so a code that
no list knows still has a sign. Codes are kept as the bank wrote them.
"""

from __future__ import annotations

from typing import Final

__all__ = ["BALANCE_CODES", "CHEQUES", "CREDIT", "DEBIT", "DIRECTIONS", "NON_MONETARY", "TOTALS"]

CREDIT: Final = 1
DEBIT: Final = -1

#: Cheques turned back and paid: the customer reference is the cheque's number.
CHEQUES: Final = frozenset({"395", "475"})

#: Text without money.
NON_MONETARY: Final = "890"

#: From, to, direction; 0 is a status (a balance of the account, no movement).
_RANGES: Final = (
    (1, 99, 0),
    (100, 399, CREDIT),
    (400, 699, DEBIT),
    (700, 719, 0),  # loans: what is owed and due
    (720, 759, CREDIT),  # loans: payments received
    (760, 799, DEBIT),  # loans: paid out
    (900, 919, 0),  # from 900 the bank's own
    (920, 959, CREDIT),
    (960, 999, DEBIT),
)

#: Code to 1 (money in), -1 (money out), 0 (status), None (the standard gives no direction).
DIRECTIONS: Final[dict[str, int | None]] = {
    f"{number:03}": next((d for low, high, d in _RANGES if low <= number <= high), None)
    for number in range(1000)
}

#: Ledger and available balances by their ISO names; every other code is kept as it is.
BALANCE_CODES: Final = {
    "010": "OPBD",
    "015": "CLBD",
    "030": "ITBD",
    "040": "OPAV",
    "045": "CLAV",
    "060": "ITAV",
}

#: The totals of all credits and of all debits of an account.
TOTALS: Final = {"100": CREDIT, "400": DEBIT}
