"""One balance of a camt statement."""

from __future__ import annotations

from typing import Any, Final

from parsers._rows import Rows
from parsers._text import clean
from parsers._values import amount, day
from parsers._xml import Node

__all__ = ["balance"]

#: Balance numbers of the BAI list that some banks send as proprietary codes.
_BAI_BALANCES: Final = {"010": "OPBD", "015": "CLBD", "040": "OPAV", "045": "CLAV"}


def balance(statement_id: str, ordinal: int, node: Node, rows: Rows) -> dict[str, Any]:
    """A statement's balance as a row; its amount is None where it cannot be read.

    Args:
        statement_id: whose it is.
        ordinal: its number there, from 1.
        node: the Bal.
        rows: takes the findings.
    """
    where = f"line {node.line} Bal"
    code = node.get("Tp", "CdOrPrtry", "Cd") or node.get("Tp", "Cd")
    if code is None:
        code = node.get("Tp", "CdOrPrtry", "Prtry") or node.get("Tp", "Prtry") or "?"
        code = _BAI_BALANCES.get(code, code)
    if (node.get("Tp", "SubTp", "Cd") or "") == "INTM" and code in ("OPBD", "CLBD"):
        code = "ITBD"
    money = node.one("Amt")
    value = amount(money.get()) if money is not None else None
    if value is None:
        raw = money.text[:40] if money is not None else ""
        rows.finding(
            "AMOUNT_MALFORMED", "error", where, f"balance {code} has no amount: {raw!r}",
            "ask the bank for the statement again",
        )  # fmt: skip
    mark = node.get("CdtDbtInd")
    if mark not in ("CRDT", "DBIT"):
        rows.finding(
            "BALANCE_SIGN_MISSING", "warning", where,
            f"balance {code} does not say credit or debit ({mark!r}); read as credit",
            "compare with the bank's own view if the account can be overdrawn",
        )  # fmt: skip
    raw_on = node.get("Dt", "Dt") or node.get("Dt", "DtTm")
    on = day(raw_on)
    if on is None:
        rows.finding(
            "DATE_MALFORMED" if raw_on else "DATE_MISSING", "warning", f"{where}/Dt",
            f"balance {code} has no usable date: {raw_on!r}",
            "the statement's own period tells the day",
        )  # fmt: skip
    return {
        "statement_id": statement_id,
        "ordinal": ordinal,
        "line_no": node.line,
        "code": clean(code),
        "amount": value if mark != "DBIT" or not value else -value,
        "currency": money.currency if money is not None else None,
        "on": on,
    }
