"""Stories of equal rows, of rows that belong to nothing, and of one party with very many."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from benchmarks.matching import numbers
from benchmarks.matching.blocks import Block, Columns, Payments, block
from benchmarks.matching.by_party import kept, without_entries
from benchmarks.matching.by_sum import documents
from benchmarks.matching.draw import Draw
from benchmarks.matching.text import blank_where, choose, digits, join, pick

__all__ = ["STORIES", "flood"]

_TIE: Final = "equal rows, nothing tells them apart"
_FEES: Final = (
    "Kontofuehrung",
    "Entgelt",
    "BANK CHARGES",
    "Zinsen",
    "Kartenumsatz",
    "Portokosten",
    "FX FEE",
)


def _twice(draw: Draw, count: int, *, cash_book: float) -> Payments:
    """Equal payments in pairs, rows 2n and 2n+1, a day apart at most, parties of their own."""
    pay = draw.payments(max(1, count // 2), incoming=0.6, cash_book=cash_book, fresh=True)
    return pay.take(np.repeat(np.arange(len(pay)), 2))


def twins(draw: Draw, count: int) -> Block:
    """Two equal payments of one party and day against two equal items."""
    pay = _twice(draw, count, cash_book=0.5)
    return draw.pairs(
        "twins",
        pay,
        item={"document_no": documents(draw, pay)},
        detail=_alike(draw, len(pay)),
        why=_TIE,
    )


def _alike(draw: Draw, count: int) -> Columns:
    """Name and account of both twins printed alike, as one bank does."""
    half = count // 2
    return {
        "iban": np.repeat(draw.chance(half, 0.5), 2),
        "damage": np.repeat(draw.damage(half), 2),
    }


def twins_one_item(draw: Draw, count: int) -> Block:
    """Two equal payments, one item: which of them is the second by mistake?"""
    pay = _twice(draw, count, cash_book=0.5)
    found = draw.pairs(
        "twins_one_item",
        pay,
        item={"document_no": documents(draw, pay)},
        detail=_alike(draw, len(pay)),
        why=_TIE,
    )
    second = np.arange(len(pay)) % 2 == 1
    first = np.flatnonzero(~second)
    found.entries["group"] = np.where(second, -1, np.arange(len(pay)) // 2)
    found.items = {**kept(found.items, first), "group": np.arange(len(first))}
    found.count = len(first)
    found.decidable, found.why = found.decidable[first], found.why[: len(first)]
    return found


def twins_one_entry(draw: Draw, count: int) -> Block:
    """One payment, two equal items of one day: either may be the one paid."""
    pay = _twice(draw, count * 2, cash_book=0.5)
    found = draw.pairs("twins_one_entry", pay, item={"document_no": documents(draw, pay)}, why=_TIE)
    return without_entries(found, np.arange(len(pay)) % 2 == 1)


def twins_fees(draw: Draw, count: int) -> Block:
    """Two equal fees of a day against two equal lines of the cash book."""
    pay = _twice(draw, count, cash_book=1.0)
    pay.amount = -(500 + np.repeat(draw.below(40, len(pay) // 2), 2) * 50)
    said = pick(_FEES[:3], np.repeat(draw.below(3, len(pay) // 2), 2))
    nobody = {"damage": np.full(len(pay), -1), "iban": draw.chance(len(pay), 0)}
    return draw.pairs(
        "twins_fees",
        pay,
        detail={"narrative": said, **nobody},
        item={"narrative": said, "party": np.full(len(pay), -1)},
        why=_TIE,
    )


def twins_keyed(draw: Draw, count: int) -> Block:
    """Two equal payments of one party and day, each with its own reference: no tie at all."""
    pay = _twice(draw, count, cash_book=0.7)
    key = draw.keys(len(pay))
    return draw.pairs(
        "twins_keyed",
        pay,
        detail={"end_to_end_id": key},
        item={"end_to_end_id": key, "document_no": documents(draw, pay)},
    )


def noise_entries(draw: Draw, count: int) -> Block:
    """Fees, interest, cards, and payments of strangers and of known parties that the books do not
    have: none of them has party and amount of an item, any of them may have amount and day."""
    pay = draw.payments(count, incoming=0.4)
    strange = draw.chance(count, 0.6)
    pay.party = np.where(strange, draw.fresh(count), pay.party)
    fee = draw.chance(count, 0.4)
    pay.amount = np.where(fee, -(100 + draw.below(60, count) * 25), pay.amount)
    counter, style = draw.numbers(count), numbers.style_of(draw, pay.amount, pay.party)
    foreign = numbers.worded(draw, numbers.number(counter, style), pay.party, pay.booked)
    said = choose(
        fee.astype(np.int64),
        [
            pick(("", "Spende", "privat", "Kaution", "Anzahlung", None), draw.below(6, count)),
            pick(_FEES, draw.below(len(_FEES), count)),
        ],
    )
    # The number of such a document is one that the books do not have.
    named = draw.chance(count, 0.4) & ~fee
    return block(
        "noise_entries",
        0,
        draw.entry(pay, np.full(count, -1)),
        draw.detail(
            pay,
            narrative=choose(named.astype(np.int64), [said, foreign]),
            damage=np.where(fee, -1, draw.damage(count)),
            iban=draw.chance(count, 0.5) & ~fee,
            end_to_end_id=blank_where(~draw.chance(count, 0.2), draw.keys(count)),
        ),
        draw.item(pay.take(np.zeros(0, dtype=np.int64))),
        lone=True,
    )


def noise_items(draw: Draw, count: int) -> Block:
    """Open documents nobody paid yet and cash-book lines the bank has not booked."""
    pay = draw.payments(count, incoming=0.7, cash_book=0.3)
    none = pay.take(np.zeros(0, dtype=np.int64))
    return block(
        "noise_items",
        0,
        draw.entry(none, np.zeros(0, dtype=np.int64)),
        draw.detail(none),
        draw.item(
            pay,
            np.full(count, -1),
            document_no=documents(draw, pay),
            end_to_end_id=blank_where(pay.kind != 0, draw.keys(count)),
        ),
    )


def flood(draw: Draw, count: int) -> Block:
    """One party with very many equal amounts, on few days, without any reference."""
    pay = draw.payments(count, incoming=1.0, cash_book=1.0)
    pay.party[:] = draw.fresh(1)[0]
    pay.acct[:] = 0
    pay.amount[:] = 1_990
    number = digits(draw.numbers(count), 9)
    return draw.pairs(
        "flood", pay, item={"document_no": join("TK-", number)}, detail={"narrative": "TICKET"},
        why=_TIE,
    )  # fmt: skip


STORIES: Final[dict[str, Any]] = {
    "twins": twins,
    "twins_one_item": twins_one_item,
    "twins_one_entry": twins_one_entry,
    "twins_fees": twins_fees,
    "twins_keyed": twins_keyed,
    "noise_entries": noise_entries,
    "flood": flood,
}
