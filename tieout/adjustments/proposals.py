"""Proposals: a difference on a bank account becomes a balanced journal in the company's currency.

The bank line carries the whole effect on the account; the counter lines explain it. Where the
account is kept in another currency, each line is converted at the ERP's rate of the booking day,
rounded half up to the company's minor unit, and the last counter line takes the rounding, so that
the journal always balances exactly.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from tieout.adjustments.books import Books
from tieout.errors import LedgerError
from tieout.masterdata import BankAccount
from tieout.money import exponent_of, from_minor, to_minor

__all__ = ["Counter", "Line", "Proposal", "propose"]


@dataclass(frozen=True, slots=True)
class Counter:
    """One explanation of the effect: signed like it, in the bank account's minor units."""

    purpose: str
    amount_minor: int
    party: str | None
    narrative: str


@dataclass(frozen=True, slots=True)
class Line:
    """One journal line in the company's currency; exactly one side is above zero."""

    purpose: str
    gl_account: str
    debit_minor: int
    credit_minor: int
    foreign_minor: int | None
    foreign_currency: str | None
    party: str | None
    narrative: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A balanced journal that explains ``amount_minor`` on a bank account."""

    account: BankAccount
    kind: str
    subject_side: str
    subject_id: str
    rule: str
    automatic: bool
    amount_minor: int
    booked_on: dt.date
    narrative: str
    currency: str
    lines: tuple[Line, ...]


def propose(
    account: BankAccount,
    books: Books,
    rate: Decimal | None,
    *,
    kind: str,
    subject: tuple[str, str],
    rule: str,
    automatic: bool,
    booked_on: dt.date,
    narrative: str,
    counters: Sequence[Counter],
) -> Proposal:
    """Build the journal for one subject.

    Args:
        rate: units of the account's currency for one of the company's; None where they are one.
        subject: (side, id) of what is explained.
        counters: what explains it; their sum is the effect on the bank account, not zero.

    Raises:
        LedgerError: ``RATE_MISSING`` where the account is in another currency and no rate is known,
            ``ADJUSTMENT_NIL`` where the effect is nothing in the company's currency.
    """
    foreign = account.currency != books.currency
    if foreign and not rate:
        raise LedgerError(
            "RATE_MISSING",
            f"no rate of {account.currency} on {booked_on} in {books.erp}",
            where=account.code,
            remedy="enter the rate in the ERP and sync again",
        )
    total = sum(c.amount_minor for c in counters)
    bank, converted = _convert(account, books, rate, counters)
    lines = [_line("bank", account.gl_account, bank, None, narrative, foreign, account, total)]
    lines += [
        _line(c.purpose, books.account_for(c.purpose), -minor, c.party, c.narrative)
        for c, minor in zip(counters, converted, strict=True)
        if minor
    ]
    return Proposal(
        account=account,
        kind=kind,
        subject_side=subject[0],
        subject_id=subject[1],
        rule=rule,
        automatic=automatic,
        amount_minor=total,
        booked_on=booked_on,
        narrative=narrative,
        currency=books.currency,
        lines=tuple(lines),
    )


def _convert(
    account: BankAccount, books: Books, rate: Decimal | None, counters: Sequence[Counter]
) -> tuple[int, list[int]]:
    """The effect and its explanations in the company's minor units; the last takes the rounding.

    Raises:
        LedgerError: ``ADJUSTMENT_NIL``.
    """
    total = sum(c.amount_minor for c in counters)
    converted = [_company_minor(account, books, rate, c.amount_minor) for c in counters]
    bank = _company_minor(account, books, rate, total)
    converted[-1] += bank - sum(converted)
    if not bank:
        raise LedgerError(
            "ADJUSTMENT_NIL",
            f"{from_minor(total, account.currency)} {account.currency} is nothing in "
            f"{books.currency}",
            where=account.code,
            remedy="book it by hand together with other differences of the account",
        )
    return bank, converted


def _company_minor(account: BankAccount, books: Books, rate: Decimal | None, minor: int) -> int:
    if rate is None or account.currency == books.currency:
        return minor
    step = Decimal(1).scaleb(-exponent_of(books.currency))
    company = (from_minor(minor, account.currency) / rate).quantize(step, ROUND_HALF_UP)
    return to_minor(company, books.currency)


def _line(
    purpose: str,
    gl_account: str,
    signed: int,
    party: str | None,
    narrative: str,
    foreign: bool = False,
    account: BankAccount | None = None,
    foreign_minor: int = 0,
) -> Line:
    return Line(
        purpose=purpose,
        gl_account=gl_account,
        debit_minor=max(signed, 0),
        credit_minor=max(-signed, 0),
        foreign_minor=foreign_minor if foreign else None,
        foreign_currency=account.currency if foreign and account else None,
        party=party,
        narrative=narrative,
    )
