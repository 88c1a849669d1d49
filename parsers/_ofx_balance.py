"""The balances of an OFX statement, as the bank states them and no other."""

from __future__ import annotations

from datetime import date
from typing import Final

from parsers._ofx_entry import amount, day
from parsers._ofx_tree import Node
from parsers._rows import Rows
from parsers._text import clean

__all__ = ["balances"]

_CODES: Final = (("LEDGERBAL", "CLBD"), ("AVAILBAL", "CLAV"))


def balances(statement: Node, local_id: str, currency: str | None, rows: Rows) -> bool:
    """Add the statement's balance rows.

    Returns:
        False where one has an amount that cannot be read; a blank one is only missing.
    """
    whole, codes = True, []
    for name, code in _CODES:
        money = statement.one(name)
        if money is None:
            continue
        raw = money.get("BALAMT")
        value = amount(raw)
        if value is None:
            whole = whole and not raw
            rows.finding(
                "AMOUNT_MALFORMED" if raw else "BALANCE_EMPTY", "error" if raw else "warning",
                f"line {money.line} {name}/BALAMT",
                f"balance {name} has no amount that can be read: {clean(raw[:40])!r}",
                "ask the bank for the statement again, or confirm the balance by hand",
            )  # fmt: skip
            continue
        codes.append(code)
        rows.balances.append({
            "statement_id": local_id, "ordinal": len(codes), "line_no": money.line, "code": code,
            "amount": value, "currency": currency, "on": _on(money, rows),
        })  # fmt: skip
    where = f"line {statement.line} {statement.name}"
    if "CLBD" in codes:
        rows.finding(
            "OPENING_NOT_STATED", "info", where,
            "OFX states a closing balance and never an opening one",
            "the entries are proven by the closing balance of the statement before",
        )  # fmt: skip
    else:
        rows.finding(
            "BALANCE_MISSING", "warning", where,
            "the statement has no booked balance to prove its entries by",
            "ask the bank to send it, or confirm the balance by hand",
        )  # fmt: skip
    return whole


def _on(money: Node, rows: Rows) -> date | None:
    raw = money.get("DTASOF")
    found = day(raw)
    if found is None:
        rows.finding(
            "DATE_MALFORMED" if raw else "DATE_MISSING", "warning",
            f"line {money.line} {money.name}/DTASOF",
            f"balance {money.name} has no usable date: {clean(raw[:40])!r}",
            "the statement's own period tells the day",
        )  # fmt: skip
    return found
