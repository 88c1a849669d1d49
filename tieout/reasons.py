"""ISO 20022 reason codes for returned and rejected payments, in words a treasurer uses.

Source: the external code set of status and return reasons; the ones banks of the SEPA area send.
"""

from __future__ import annotations

from typing import Final

__all__ = ["RETURN_REASONS", "reason_text"]

RETURN_REASONS: Final[dict[str, str]] = {
    "AC01": "account number wrong",
    "AC03": "creditor account number invalid",
    "AC04": "account closed",
    "AC06": "account blocked",
    "AC13": "debtor is a consumer",
    "AG01": "payment not allowed on this account",
    "AG02": "bank operation code wrong",
    "AM01": "amount is zero",
    "AM02": "amount not allowed",
    "AM03": "currency not supported",
    "AM04": "insufficient funds",
    "AM05": "duplicate",
    "AM09": "amount not as agreed",
    "BE04": "creditor address missing",
    "BE05": "initiating party not recognised",
    "CNOR": "creditor bank not reachable",
    "CUST": "requested by the customer",
    "DNOR": "debtor bank not reachable",
    "ED05": "settlement failed",
    "FF01": "file format wrong",
    "FOCR": "following a recall",
    "MD01": "no mandate",
    "MD06": "refund requested by the debtor",
    "MD07": "account holder deceased",
    "MS02": "refused by the customer, no reason given",
    "MS03": "refused by the bank, no reason given",
    "RC01": "bank identifier wrong",
    "RR04": "regulatory reason",
    "SL01": "service of the debtor's bank",
    "TECH": "technical problem",
    "TM01": "after the cut-off",
    "UPAY": "not due",
}


def reason_text(code: str) -> str:
    """``AC04: account closed``; a code we do not know is given as it is."""
    words = RETURN_REASONS.get(code)
    return f"{code}: {words}" if words else code
