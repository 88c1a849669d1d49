"""Rows on their way into canonical tables, and the checks every format shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from tieout.canonical import BALANCES, DETAILS, ENTRIES, STATEMENTS, Tables, table
from tieout.errors import Finding, Severity

__all__ = ["BATCH_ENTRIES", "Rows", "balance_finding", "edges"]

#: Entries a batch holds before it is handed on; keeps memory constant for a file of any size.
BATCH_ENTRIES: Final = 5_000

Row = dict[str, Any]


class Rows:
    """Collects rows and findings of a file and hands them on in batches."""

    def __init__(self) -> None:
        self.statements: list[Row] = []
        self.balances: list[Row] = []
        self.entries: list[Row] = []
        self.details: list[Row] = []
        self.findings: list[Finding] = []
        #: Entries that wait only to be handed on and must not change any more.
        self.settled = 0

    def finding(
        self, code: str, severity: Severity, where: str, message: str, remedy: str = ""
    ) -> None:
        """Record a failed check."""
        self.findings.append(Finding(code, severity, where, message, remedy))

    @property
    def full(self) -> bool:
        """Whether a batch's worth of entries waits, or of anything else a file may be full of."""
        rows = (self.entries, self.details, self.statements, self.balances)
        return max(len(self.findings), *(len(kind) for kind in rows)) >= BATCH_ENTRIES

    def take(self) -> Tables:
        """Everything collected so far as tables; the collector is empty afterwards."""
        tables = Tables(
            table(self.statements, STATEMENTS),
            table(self.balances, BALANCES),
            table(self.entries, ENTRIES),
            table(self.details, DETAILS),
            tuple(self.findings),
        )
        self.__init__()  # type: ignore[misc]
        return tables


def edges(balances: Sequence[Mapping[str, Any]], currency: str | None) -> tuple[Row, Row] | None:
    """Opening and closing booked balance of a statement, or None where one is missing.

    Opening is ``OPBD``, else ``PRCD`` (the previous closing); closing is ``CLBD``. A page of a
    statement has ``ITBD`` in place of one or both.
    """
    own = [dict(b) for b in balances if b["currency"] == currency and b["amount"] is not None]
    interim = [b for b in own if b["code"] == "ITBD"]
    openings = [b for code in ("OPBD", "PRCD") for b in own if b["code"] == code]
    closings = [b for b in own if b["code"] == "CLBD"]
    opening = openings[0] if openings else interim[0] if interim else None
    closing = closings[-1] if closings else interim[-1] if interim else None
    if opening is None or closing is None or opening["ordinal"] == closing["ordinal"]:
        return None
    return opening, closing


def balance_finding(
    balances: Sequence[Mapping[str, Any]], currency: str | None, moved: Decimal, where: str
) -> Finding | None:
    """What is wrong with opening + entries = closing, or None where it ties.

    Args:
        balances: the statement's balance rows in order.
        currency: the statement's currency.
        moved: sum of the booked entries.
        where: the statement's place in the file.
    """
    found = edges(balances, currency)
    if found is None:
        return Finding(
            "BALANCE_MISSING",
            "warning",
            where,
            "the statement has no opening and closing booked balance to prove its entries by",
            "ask the bank to send both, or confirm the balances by hand",
        )
    opening, closing = found[0]["amount"], found[1]["amount"]
    if opening + moved == closing:
        return None
    return Finding(
        "BALANCE_MISMATCH",
        "warning",
        where,
        f"opening {opening} + entries {moved} = {opening + moved}, but the closing balance "
        f"is {closing} {currency} (difference {closing - opening - moved})",
        "entries are missing, masked or wrongly signed: ask the bank for the statement again",
    )
