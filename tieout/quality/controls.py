"""Statement controls: the arithmetic and order a bank statement must satisfy. Pure functions.

The findings' codes, and what each means for the statement, are `tieout.quality.codes`; the numbers
of a statement's entries, however many, are `tieout.quality.facts`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from tieout.errors import Finding, MoneyError
from tieout.money import exponent_of, to_minor
from tieout.quality.arithmetic import (
    KnownAccount,
    PreviousStatement,
    check_balance,
    check_details,
    check_follows,
    closed_on,
)
from tieout.quality.codes import CONTROL_CODES, Effect, finding, place, worst_effect
from tieout.quality.facts import Asked, Few, StatementFacts

__all__ = [
    "CONTROL_CODES",
    "Effect",
    "KnownAccount",
    "PreviousStatement",
    "ask",
    "check_statement",
    "edges",
    "worst_effect",
]

Row = Mapping[str, Any]

#: A statement may be dated this many days ahead of today (time zones, holidays).
_DAYS_AHEAD: Final = 2
#: Entries may be booked this long before the statement's opening day, or after its closing day.
_DAYS_EARLY: Final = 10
_DAYS_LATE: Final = 5
#: Longest period of a statement whose opening day is not known.
_DAYS_PERIOD: Final = 400


def ask(statement: Row, balances: Sequence[Row], account: KnownAccount | None) -> Asked:
    """What `check_statement` asks of the statement's rows: see `tieout.quality.facts`.

    Args:
        balances: the statement's own rows of BALANCES.
    """
    first, last = _period(*edges(balances), statement)
    return Asked(
        statement["statement_id"],
        currency=statement["currency"],
        digits=_digits(_currency_of(statement, account)),
        first=first,
        last=last,
    )


def check_statement(
    statement: Row,
    balances: Sequence[Row],
    facts: StatementFacts,
    *,
    account: KnownAccount | None,
    previous: PreviousStatement | None,
    recorded: Collection[str] = frozenset(),
    today: date | None = None,
    continuity: bool = True,
) -> list[Finding]:
    """Check one statement.

    Args:
        statement: a row of `tieout.canonical.STATEMENTS`.
        balances: its rows of BALANCES; rows of other statements are left aside.
        facts: the numbers of its entries and details, asked with `ask`.
        account: from master data; None if nobody knows it.
        previous: the statement before it; None at the cutover (the account's cutover then counts).
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
    opening, closing = edges(own)
    findings = [
        *_account(statement, account),
        *_currency(statement, own, facts),
        *_amounts(statement, account, own, facts),
        *_count(statement, facts),
        *_days(statement, account, opening, closing, facts, today),
    ]
    if statement["kind"] == "booked":
        findings += check_balance(statement, opening, closing, facts)
        if continuity and account is not None and opening is not None:
            findings += check_follows(statement, account, previous, opening, closing)
    findings += check_details(facts.apart)
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


def _currency(statement: Row, balances: Sequence[Row], facts: StatementFacts) -> list[Finding]:
    currency = statement["currency"]
    if currency is None:
        return []
    found = [
        finding("ENTRY_CURRENCY", statement, f"balance {b['code']} is in {b['currency']}")
        for b in balances
        if b["currency"] not in (None, currency)
    ]
    return found + _each(
        "ENTRY_CURRENCY", statement, facts.foreign, lambda row: f"an entry is in {row['currency']}"
    )


def _currency_of(statement: Row, account: KnownAccount | None) -> str:
    return statement["currency"] or (account.currency if account is not None else "")


def _digits(currency: str) -> int | None:
    try:
        return exponent_of(currency)
    except MoneyError:
        return None


def _amounts(
    statement: Row, account: KnownAccount | None, balances: Sequence[Row], facts: StatementFacts
) -> list[Finding]:
    """Amounts that cannot become minor units exactly."""
    currency = _currency_of(statement, account)
    found = []
    try:
        exponent_of(currency)
    except MoneyError as error:
        return [finding("AMOUNT_UNFIT", statement, error.message)]
    for balance in balances:
        try:
            to_minor(balance["amount"], currency)
        except MoneyError as error:
            text = f"balance {balance['code']}: {error.message}"
            found.append(finding("AMOUNT_UNFIT", statement, text))
    return found + _each(
        "AMOUNT_UNFIT",
        statement,
        facts.unfit,
        lambda row: f"{row['amount']} does not fit {currency}",
    )


def _count(statement: Row, facts: StatementFacts) -> list[Finding]:
    announced = statement["entry_count"]
    if announced is None or announced == facts.entries or statement["incomplete"]:
        return []
    text = f"it announces {announced} entries and has {facts.entries}"
    return [finding("ENTRY_COUNT", statement, text)]


def _days(
    statement: Row,
    account: KnownAccount | None,
    opening: Row | None,
    closing: Row | None,
    facts: StatementFacts,
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
    first, last = _period(opening, closing, statement)
    return found + _each(
        "ENTRY_DATE",
        statement,
        facts.odd,
        lambda row: f"an entry is booked on {row['booked_on']}, expected {first} to {last}",
    )


def _period(
    opening: Row | None, closing: Row | None, statement: Row
) -> tuple[date, date] | tuple[None, None]:
    """The days the statement's entries may be booked on; none where its own day is not known."""
    day = closed_on(statement, closing)
    if day is None:
        return None, None
    opened_on = opening["on"] if opening is not None else None
    if opened_on is None or opened_on > day:
        first = day - timedelta(days=_DAYS_PERIOD)
    else:
        first = opened_on - timedelta(days=_DAYS_EARLY)
    return first, day + timedelta(days=_DAYS_LATE)


def _each(code: str, statement: Row, few: Few, message: Callable[[Row], str]) -> list[Finding]:
    """A finding for each of the first rows; the last one says how many more there are."""
    texts = [message(row) for row in few.rows]
    if few.count > len(few.rows):
        texts[-1] += f" (and {few.count - len(few.rows)} more)"
    pairs = zip(few.rows, texts, strict=True)
    return [finding(code, statement, text, place(row)) for row, text in pairs]
