"""A journal's lines in the one currency NetSuite keeps a transaction in, and back.

NetSuite holds a transaction in one currency with one exchange rate, and computes the company's
amount of each line from them, rounded half up. So a journal with amounts in a foreign currency is
sent in that currency, with a rate that gives each line's own company amount, or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from tieout.connectors.netsuite_masters import RefusedError
from tieout.connectors.ports import JournalLine
from tieout.money import exponent_of, from_minor

__all__ = ["Amounts", "company_minor", "transaction_amounts"]

_RATE_DECIMALS: Final = 10


@dataclass(frozen=True, slots=True)
class Amounts:
    """The lines' amounts, debit less credit, in ``currency``; ``rate`` company units for one."""

    currency: str
    rate: Decimal
    signed: tuple[Decimal, ...]


def transaction_amounts(lines: Sequence[JournalLine], currency: str) -> Amounts:
    """The amounts to send; ``currency`` is the company's.

    Raises:
        RefusedError: ``CURRENCY_MIXED``, ``EXCHANGE_RATE``.
    """
    foreign = sorted({_foreign(line, currency) for line in lines} - {""})
    own = [line.debit_minor - line.credit_minor for line in lines]
    if not foreign:
        signed = tuple(from_minor(minor, currency) for minor in own)
        return Amounts(currency, Decimal(1), signed)
    if len(foreign) > 1:
        message = f"NetSuite takes one currency a journal, not {' and '.join(foreign)}"
        raise RefusedError("CURRENCY_MIXED", message)
    amounts = [line.foreign_minor if _foreign(line, currency) else None for line in lines]
    rate = _rate(amounts, own, foreign[0], currency)
    filled = _filled(amounts, own, rate, foreign[0], currency)
    exact = all(
        company_minor(from_minor(minor, foreign[0]), rate, currency) == wanted
        for minor, wanted in zip(filled, own, strict=True)
    )
    if sum(filled) or not exact:
        message = f"no exchange rate turns the amounts in {foreign[0]} into those in {currency}"
        remedy = "book the difference in a journal of its own"
        raise RefusedError("EXCHANGE_RATE", message, remedy=remedy)
    return Amounts(foreign[0], rate, tuple(from_minor(minor, foreign[0]) for minor in filled))


def company_minor(amount: Decimal, rate: Decimal, currency: str) -> int:
    """What NetSuite makes of an amount in the company's currency."""
    return int((amount * rate).scaleb(exponent_of(currency)).to_integral_value(ROUND_HALF_UP))


def _foreign(line: JournalLine, currency: str) -> str:
    """The line's other currency, empty where it has none."""
    if line.foreign_minor is None or line.foreign_currency in (None, currency):
        return ""
    return str(line.foreign_currency)


def _rate(
    amounts: Sequence[int | None], own: Sequence[int], foreign: str, currency: str
) -> Decimal:
    """The rate of the largest amount that is known in both currencies."""
    known = [(f, c) for f, c in zip(amounts, own, strict=True) if f]
    if not known:
        raise RefusedError("EXCHANGE_RATE", f"there is no amount in {foreign}")
    largest, company = max(known, key=lambda pair: (abs(pair[0]), abs(pair[1])))
    rate = from_minor(company, currency) / from_minor(largest, foreign)
    return rate.quantize(Decimal(1).scaleb(-_RATE_DECIMALS), ROUND_HALF_UP).normalize()


def _filled(
    amounts: Sequence[int | None], own: Sequence[int], rate: Decimal, foreign: str, currency: str
) -> list[int]:
    """Amounts that are not given follow from the rate; a single one from the balance."""
    missing = [index for index, amount in enumerate(amounts) if amount is None]
    filled = [amount or 0 for amount in amounts]
    for index in missing:
        value = from_minor(own[index], currency) / rate
        filled[index] = int(value.scaleb(exponent_of(foreign)).to_integral_value(ROUND_HALF_UP))
    if len(missing) == 1:
        filled[missing[0]] -= sum(filled)
    return filled
