"""Statement controls that add up: balances, continuity, details. See `tieout.quality.controls`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from tieout.errors import Finding
from tieout.quality.codes import CONTROL_CODES, finding, place
from tieout.quality.facts import Few, StatementFacts

__all__ = [
    "KnownAccount",
    "PreviousStatement",
    "check_balance",
    "check_details",
    "check_follows",
    "closed_on",
]

Row = Mapping[str, Any]

_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """What master data says of the account, and where our own history of it begins.

    Attributes:
        cutover_on: closing day of the last statement before ours.
        cutover_balance: its closing balance.
        cutover_sequence_no: its number, if the bank numbers statements.
        sequence: ``strict`` where numbers must follow; ``loose`` where the bank leaves out days.
    """

    code: str
    currency: str
    cutover_on: date
    cutover_balance: Decimal
    cutover_sequence_no: int | None
    sequence: str = "strict"


@dataclass(frozen=True, slots=True)
class PreviousStatement:
    """The last accepted statement of the account."""

    statement_id: str
    sequence_no: int | None
    closing: Decimal
    closed_on: date
    page: int | None = None


def closed_on(statement: Row, closing: Row | None) -> date | None:
    """The day a statement closes: its closing balance's, else the end of its period."""
    if closing is not None and closing["on"] is not None:
        day: date = closing["on"]
        return day
    return statement["to_at"].date() if statement["to_at"] is not None else None


def check_balance(
    statement: Row, opening: Row | None, closing: Row | None, facts: StatementFacts
) -> list[Finding]:
    """Opening + booked entries = closing, exactly."""
    if statement["incomplete"]:
        # Its sums cannot hold, and saying so would hide the cause.
        return [finding("STATEMENT_INCOMPLETE", statement, "a record of it could not be read")]
    if opening is None or closing is None:
        missing = " and ".join(
            name for name, b in (("opening", opening), ("closing", closing)) if b is None
        )
        return [finding("STATEMENT_UNBALANCED", statement, f"no {missing} balance")]
    expected = opening["amount"] + facts.moved
    if expected == closing["amount"]:
        return []
    text = (
        f"opening {_plain(opening['amount'])} and {facts.booked} entries of {_plain(facts.moved)} "
        f"come to {_plain(expected)}, the closing balance is {_plain(closing['amount'])}: "
        f"{_plain(closing['amount'] - expected)} is missing"
    )
    return [finding("BALANCE_MISMATCH", statement, text)]


def check_follows(
    statement: Row,
    account: KnownAccount,
    previous: PreviousStatement | None,
    opening: Row,
    closing: Row | None,
) -> list[Finding]:
    """Continuity in balance and number with the statement before, or with the cutover."""
    before = previous or PreviousStatement(
        "", account.cutover_sequence_no, account.cutover_balance, account.cutover_on
    )
    day = closed_on(statement, closing)
    if day is not None and day <= account.cutover_on:
        return []
    found = []
    if opening["amount"] != before.closing:
        text = (
            f"it opens with {_plain(opening['amount'])}, the one before closed with "
            f"{_plain(before.closing)} on {before.closed_on}: "
            f"{_plain(opening['amount'] - before.closing)} is missing"
        )
        found.append(finding("STATEMENT_GAP", statement, text))
    number, last = statement["sequence_no"], before.sequence_no
    if number is None or last is None or account.sequence != "strict":
        return found
    page, last_page = statement["page"] or 1, before.page or 1
    if number == last + 1 or (number == last and page == last_page + 1):
        return found
    if number == 1 and day is not None and day.year > before.closed_on.year:
        return found  # many banks begin again each year
    if number <= last:
        text = f"number {number} comes after number {last}"
        return [*found, finding("STATEMENT_REPEATED", statement, text)]
    holes = ", ".join(str(n) for n in range(last + 1, number)[:_SHOWN])
    return [*found, finding("STATEMENT_GAP", statement, f"number {holes} is missing")]


def check_details(apart: Few) -> list[Finding]:
    """Entries whose details all have amounts in the entry's currency, and another sum."""
    control = CONTROL_CODES["DETAIL_SUM"]
    found = []
    for row in apart.rows:
        text = f"the details come to {_plain(row['total'])}, the entry is {_plain(row['amount'])}"
        found.append(Finding("DETAIL_SUM", control.severity, place(row), text, control.remedy))
    return found


def _plain(amount: Decimal) -> str:
    """At least two decimals, no more than needed."""
    text = f"{amount.normalize():f}"
    return text if len(text.partition(".")[2]) >= 2 else f"{amount:.2f}"
