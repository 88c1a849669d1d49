"""Stories whose reference is right and whose amount is not: fees, discounts, rounding, FX."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from benchmarks.matching import numbers
from benchmarks.matching.blocks import Block, Payments
from benchmarks.matching.draw import Draw
from benchmarks.matching.text import Ints, Text, blank_where, join, pick

__all__ = ["STORIES"]

#: Euro cents, roughly, of the units FX stories meet; rates are drawn around these.
_FOREIGN: Final = ("USD", "GBP", "CHF", "SEK", "JPY", "KWD")
_RATES: Final = np.array([108_450, 85_120, 93_870, 1_128_300, 16_244_000, 33_190])  # per EUR, /1e5
_FOREIGN_PLACES: Final = np.array([2, 2, 2, 2, 0, 3])


def _keyed(
    draw: Draw, story: str, pay: Payments, paid: Ints, why: str | None = None, **more: Any
) -> Block:
    """Payments told by reference (an end-to-end id, or the invoice number in text) whose paid
    amount differs from the item's."""
    count = len(pay)
    key = draw.keys(count)
    by_text = draw.chance(count, 0.5)
    counter, style = draw.numbers(count), numbers.style_of(draw, pay.amount, pay.party)
    document = numbers.number(counter, style)
    said = numbers.worded(draw, document, pay.party, pay.booked)
    return draw.pairs(
        story,
        pay,
        entry={"amount": paid},
        detail={
            "amount": paid,
            "end_to_end_id": blank_where(by_text, key),
            "narrative": blank_where(~by_text, said),
            **more,
        },
        item={"end_to_end_id": blank_where(by_text, key), "document_no": document},
        why=why,
    )


def _large(pay: Payments, least: int) -> Payments:
    """The same with amounts no smaller than ``least`` minor units."""
    pay.amount = np.sign(pay.amount) * np.maximum(np.abs(pay.amount), least)
    return pay


def fee_withheld(draw: Draw, count: int) -> Block:
    """A bank on the way kept a fee; half of the time the bank says how much."""
    pay = _large(draw.payments(count, incoming=0.9, cash_book=0.3), 40_000)
    fees = np.array([500, 750, 1000, 1250, 1500, 1800, 2000, 2500])
    fee = fees[draw.below(len(fees), count)]
    places = draw.places[pay.acct]
    fee = np.where(places == 0, fee * 2, np.where(places == 3, fee * 3, fee))
    told = draw.chance(count, 0.5)
    return _keyed(draw, "fee_withheld", pay, pay.amount - fee, charges=(-fee, told))


def cash_discount(draw: Draw, count: int) -> Block:
    """Paid early, less two or three percent."""
    pay = _large(draw.payments(count, incoming=0.7, cash_book=0.0), 2_000)
    percent = 2 + draw.below(2, count)
    kept = np.abs(pay.amount) * (100 - percent)
    paid = np.sign(pay.amount) * ((kept + 50) // 100)
    return _keyed(draw, "cash_discount", pay, paid)


def rounding(draw: Draw, count: int) -> Block:
    """A few cents more or less."""
    pay = _large(draw.payments(count, incoming=0.6, cash_book=0.3), 2_000)
    cents = (1 + draw.below(4, count)) * np.where(draw.chance(count, 0.5), 1, -1)
    return _keyed(draw, "rounding", pay, pay.amount + cents)


def short_payment(draw: Draw, count: int) -> Block:
    """The customer kept up to four percent for something of his own."""
    pay = _large(draw.payments(count, incoming=1.0, cash_book=0.0), 5_000)
    kept: Ints = np.abs(pay.amount) * (40 + draw.below(360, count)) // 10_000
    paid = np.where(pay.amount > 0, pay.amount - kept, pay.amount + kept)
    return _keyed(draw, "short_payment", pay, paid)


def over_payment(draw: Draw, count: int) -> Block:
    """The customer paid up to one percent too much, rounding up."""
    pay = _large(draw.payments(count, incoming=1.0, cash_book=0.0), 20_000)
    more: Ints = np.abs(pay.amount) * (10 + draw.below(85, count)) // 10_000
    paid = np.where(pay.amount > 0, pay.amount + more, pay.amount - more)
    return _keyed(draw, "over_payment", pay, paid)


def instalment(draw: Draw, count: int) -> Block:
    """The first part of an invoice came and the rest did not: closing it is not for a program."""
    pay = _large(draw.payments(count, incoming=1.0, cash_book=0.0), 20_000)
    paid = pay.amount * (20 + draw.below(40, count)) // 100
    return _keyed(draw, "instalment", pay, paid, why="only a part of the item is paid")


def fx_book(draw: Draw, count: int) -> Block:
    """A foreign invoice, in the books at the book's rate, paid at the bank's: up to 1.5 % apart."""
    pay = _large(draw.payments(count, incoming=0.4, cash_book=0.2), 20_000)
    drift = draw.below(301, count) - 150
    paid = pay.amount + pay.amount * drift // 10_000
    kind, original, rate = _foreign(draw, pay, paid)
    return _keyed(
        draw, "fx_book", pay, paid, original_amount=original, original_currency=kind, fx_rate=rate
    )


def _foreign(draw: Draw, pay: Payments, paid: Ints) -> tuple[Text, tuple[Ints, Ints], Ints]:
    """Foreign currency, amount (with its decimals) and rate of what was paid."""
    which = draw.below(len(_FOREIGN), len(pay))
    rate = _RATES[which] * (9_800 + draw.below(400, len(pay))) // 10_000
    scale = _FOREIGN_PLACES[which] - draw.places[pay.acct]
    amount = paid * rate // 100_000
    amount = np.where(scale > 0, amount * 10 ** np.maximum(scale, 0), amount)
    amount = np.where(scale < 0, amount // 10 ** np.maximum(-scale, 0), amount)
    return pick(_FOREIGN, which), (amount, _FOREIGN_PLACES[which]), rate


def fx_original(draw: Draw, count: int) -> Block:
    """A foreign invoice kept in its own currency: the bank's original amount is the invoice's."""
    pay = _large(draw.payments(count, incoming=0.4, cash_book=0.0), 20_000)
    kind, original, rate = _foreign(draw, pay, pay.amount)
    counter, style = draw.numbers(count), numbers.style_of(draw, pay.amount, pay.party)
    document = numbers.number(counter, style)
    return draw.pairs(
        "fx_original",
        pay,
        detail={
            "narrative": join("INV ", document),
            "original_amount": original,
            "original_currency": kind,
            "fx_rate": rate,
        },
        item={"document_no": document, "currency": kind, "amount_in": original},
    )


STORIES: Final[dict[str, Any]] = {
    "fee_withheld": fee_withheld,
    "cash_discount": cash_discount,
    "rounding": rounding,
    "short_payment": short_payment,
    "over_payment": over_payment,
    "instalment": instalment,
    "fx_book": fx_book,
    "fx_original": fx_original,
}
