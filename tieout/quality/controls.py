"""Statement controls: the arithmetic and order a bank statement must satisfy. Pure functions.

The findings' codes, and what each means for the statement, are `tieout.quality.codes`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from tieout.canonical import AMOUNT
from tieout.errors import Finding, MoneyError
from tieout.money import MINOR_MAX, exponent_of, to_minor
from tieout.quality.arithmetic import (
    KnownAccount,
    PreviousStatement,
    check_balance,
    check_details,
    check_follows,
    closed_on,
)
from tieout.quality.codes import CONTROL_CODES, Effect, finding, place, worst_effect

__all__ = [
    "CONTROL_CODES",
    "Effect",
    "KnownAccount",
    "PreviousStatement",
    "check_statement",
    "edges",
    "worst_effect",
]

Row = Mapping[str, Any]

#: The stubs know too few of its signatures.
pc: Any = pyarrow.compute

#: Findings of one kind shown for one statement.
_SHOWN: Final = 20
#: A statement may be dated this many days ahead of today (time zones, holidays).
_DAYS_AHEAD: Final = 2
#: Entries may be booked this long before the statement's opening day, or after its closing day.
_DAYS_EARLY: Final = 10
_DAYS_LATE: Final = 5
#: Longest period of a statement whose opening day is not known.
_DAYS_PERIOD: Final = 400


def check_statement(
    statement: Row,
    balances: Sequence[Row],
    entries: pa.Table,
    *,
    account: KnownAccount | None,
    previous: PreviousStatement | None,
    details: pa.Table | None = None,
    recorded: Collection[str] = frozenset(),
    today: date | None = None,
    continuity: bool = True,
) -> list[Finding]:
    """Check one statement.

    Args:
        statement: a row of `tieout.canonical.STATEMENTS`.
        balances: its rows of BALANCES; rows of other statements are left aside.
        entries: a table of ENTRIES; rows of other statements are left aside.
        account: from master data; None if nobody knows it.
        previous: the statement before it; None at the cutover (the account's cutover then counts).
        details: a table of DETAILS, to compare with the entries; None skips that.
        recorded: ids of statements known already.
        today: the business day; None leaves out the check for the future.
        continuity: False leaves number and opening balance to a caller who sees all statements.

    Returns:
        Findings with codes of `CONTROL_CODES`, in its order. Order and continuity are asked of
        booked statements only.
    """
    key = statement["statement_id"]
    if key in recorded or (previous is not None and previous.statement_id == key):
        return [finding("STATEMENT_DUPLICATE", statement, "it is known already")]
    own = [b for b in balances if b["statement_id"] == key]
    rows = entries.filter(pc.equal(entries["statement_id"], key))
    opening, closing = edges(own)
    findings = [
        *_account(statement, account),
        *_currency(statement, own, rows),
        *_amounts(statement, account, own, rows),
        *_count(statement, rows),
        *_days(statement, account, opening, closing, rows, today),
    ]
    if statement["kind"] == "booked":
        findings += check_balance(statement, opening, closing, rows)
        if continuity and account is not None and opening is not None:
            findings += check_follows(statement, account, previous, opening, closing)
    if details is not None:
        findings += check_details(rows, details)
    order = list(CONTROL_CODES)
    return sorted(findings, key=lambda found: order.index(found.code))


def edges(balances: Sequence[Row]) -> tuple[Row | None, Row | None]:
    """Opening and closing balance; pages in between open and close with interim balances."""
    ordered = sorted(balances, key=lambda b: b["ordinal"])
    interim = [b for b in ordered if b["code"] == "ITBD"]
    opening = next((b for b in ordered if b["code"] in ("OPBD", "PRCD")), None)
    closing = next((b for b in reversed(ordered) if b["code"] == "CLBD"), None)
    if opening is None and interim and (closing is not None or len(interim) > 1):
        opening = interim[0]
    if closing is None and interim and interim[-1] is not opening:
        closing = interim[-1]
    return opening, closing


def _account(statement: Row, account: KnownAccount | None) -> list[Finding]:
    if account is None:
        return [finding("ACCOUNT_UNKNOWN", statement, "the account is in no mapping")]
    if statement["currency"] in (None, account.currency):
        return []
    text = f"it is in {statement['currency']}, account {account.code} in {account.currency}"
    return [finding("ACCOUNT_CURRENCY", statement, text)]


def _currency(statement: Row, balances: Sequence[Row], rows: pa.Table) -> list[Finding]:
    currency = statement["currency"]
    if currency is None:
        return []
    found = [
        finding("ENTRY_CURRENCY", statement, f"balance {b['code']} is in {b['currency']}")
        for b in balances
        if b["currency"] not in (None, currency)
    ]
    other = rows.filter(pc.fill_null(pc.not_equal(rows["currency"], currency), False))
    return found + _each(
        "ENTRY_CURRENCY", statement, other, lambda row: f"an entry is in {row['currency']}"
    )


def _amounts(
    statement: Row, account: KnownAccount | None, balances: Sequence[Row], rows: pa.Table
) -> list[Finding]:
    """Amounts that cannot become minor units exactly."""
    currency = statement["currency"] or (account.currency if account is not None else "")
    found = []
    try:
        digits = exponent_of(currency)
    except MoneyError as error:
        return [finding("AMOUNT_UNFIT", statement, error.message)]
    for balance in balances:
        try:
            to_minor(balance["amount"], currency)
        except MoneyError as error:
            text = f"balance {balance['code']}: {error.message}"
            found.append(finding("AMOUNT_UNFIT", statement, text))
    amounts = rows["amount"]
    limit = pa.scalar(Decimal(MINOR_MAX).scaleb(-digits), AMOUNT)
    fits = pc.and_(
        pc.equal(pc.round(amounts, ndigits=digits), amounts),
        pc.less_equal(pc.abs(amounts), limit),
    )
    unfit = rows.filter(pc.invert(pc.fill_null(fits, False)))
    return found + _each(
        "AMOUNT_UNFIT", statement, unfit, lambda row: f"{row['amount']} does not fit {currency}"
    )


def _count(statement: Row, rows: pa.Table) -> list[Finding]:
    announced = statement["entry_count"]
    if announced is None or announced == rows.num_rows or statement["incomplete"]:
        return []
    text = f"it announces {announced} entries and has {rows.num_rows}"
    return [finding("ENTRY_COUNT", statement, text)]


def _days(
    statement: Row,
    account: KnownAccount | None,
    opening: Row | None,
    closing: Row | None,
    rows: pa.Table,
    today: date | None,
) -> list[Finding]:
    """The statement's own day, and the booking days of its entries around it."""
    day = closed_on(statement, closing)
    if day is None:
        return []
    found = []
    if today is not None and day > today + timedelta(days=_DAYS_AHEAD):
        text = f"it closes on {day}, today is {today}"
        found.append(finding("STATEMENT_FUTURE", statement, text))
    if account is not None and day <= account.cutover_on:
        text = f"it closes on {day}, our history begins after {account.cutover_on}"
        found.append(finding("STATEMENT_OLD", statement, text))
    opened_on = opening["on"] if opening is not None else None
    if opened_on is None or opened_on > day:
        first = day - timedelta(days=_DAYS_PERIOD)
    else:
        first = opened_on - timedelta(days=_DAYS_EARLY)
    last = day + timedelta(days=_DAYS_LATE)
    plausible = pc.and_(
        pc.greater_equal(rows["booked_on"], pa.scalar(first)),
        pc.less_equal(rows["booked_on"], pa.scalar(last)),
    )
    booked = pc.equal(rows["status"], "booked")
    odd = rows.filter(pc.and_(booked, pc.invert(pc.fill_null(plausible, False))))
    return found + _each(
        "ENTRY_DATE",
        statement,
        odd,
        lambda row: f"an entry is booked on {row['booked_on']}, expected {first} to {last}",
    )


def _each(
    code: str, statement: Row, rows: pa.Table, message: Callable[[Row], str]
) -> list[Finding]:
    """A finding for each of the first rows; the last one says how many more there are."""
    shown = rows.slice(0, _SHOWN).to_pylist()
    texts = [message(row) for row in shown]
    if rows.num_rows > _SHOWN:
        texts[-1] += f" (and {rows.num_rows - _SHOWN} more)"
    pairs = zip(shown, texts, strict=True)
    return [finding(code, statement, text, place(row)) for row, text in pairs]
