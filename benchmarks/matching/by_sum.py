"""Stories of sums: several invoices in one payment, one invoice in several payments."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from benchmarks.matching import numbers
from benchmarks.matching.blocks import Block, Payments, block
from benchmarks.matching.draw import Draw
from benchmarks.matching.text import (
    Ints,
    Text,
    blank_where,
    choose,
    digits,
    grouped,
    join,
    pc,
    pick,
    spread,
    tail,
)

__all__ = ["STORIES", "documents", "members", "summed"]


def members(draw: Draw, lead: Payments, owner: Ints, *, one_party: bool) -> Payments:
    """Payments of groups: account, day and sign of their group's leader, own amounts.

    ``one_party``: all of a group are with the leader's party; otherwise each with its own.
    """
    own = lead.take(owner)
    own.amount = np.sign(own.amount) * draw.amounts(own.acct)
    if not one_party:
        own.party = draw.partners(own.amount > 0)
        return own
    # Invoices of one party are written and due on different days.
    back = np.where(own.kind == 0, 0, draw.below(18, len(owner)))
    own.booked, own.due = own.booked - back, own.due - back
    return own


def summed(lead: Payments, each: Payments, owner: Ints) -> Payments:
    """The leader, its amount the sum of its members."""
    total = np.bincount(owner, weights=each.amount, minlength=len(lead))
    # Sums stay far below 2^53: exact.
    lead.amount = np.rint(total).astype(np.int64)
    return lead


def documents(draw: Draw, pay: Payments) -> Text:
    """A document number of its own for each, in the range its party uses."""
    style = numbers.style_of(draw, pay.amount, pay.party)
    return numbers.number(draw.numbers(len(pay)), style)


def _invoices(
    draw: Draw, count: int, most: int, mean: int
) -> tuple[Payments, Payments, Ints, Ints, Ints]:
    """Groups of invoices of one party: leader, members, owner, counters, styles."""
    lead = draw.payments(count, incoming=0.7, cash_book=0.15)
    owner = np.repeat(np.arange(count), draw.sizes(count, 2, most, mean))
    each = members(draw, lead, owner, one_party=True)
    counter = np.sort(draw.numbers(len(owner)))
    style = numbers.style_of(draw, lead.amount, lead.party)[owner]
    return summed(lead, each, owner), each, owner, counter, style


def combined_named(draw: Draw, count: int) -> Block:
    """One payment of several invoices, all named in the text."""
    lead, each, owner, counter, style = _invoices(draw, count, 14, 3)
    document = numbers.number(counter, style)
    text = join(
        pick(("Rechnungen ", "INV ", "RG ", "", "pmt "), draw.below(5, count)),
        choose(
            draw.below(3, count),
            [grouped(document, owner, count, sep) for sep in (", ", " ", "+")],
        ),
    )
    folded = numbers.wrapped(text, 35)
    return block(
        "combined_named",
        count,
        draw.entry(lead),
        draw.detail(lead, narrative=choose(draw.below(4, count) // 3, [text, folded])),
        draw.item(each, owner, document_no=document),
    )


def combined_short(draw: Draw, count: int) -> Block:
    """One payment of several invoices; only the first number is whole (RE-2026-004711/12/15)."""
    lead, each, owner, counter, style = _invoices(draw, count, 5, 3)
    first = np.r_[True, owner[1:] != owner[:-1]]
    near = counter[np.searchsorted(owner, owner)] // 100 == counter // 100
    document = numbers.number(counter, style)
    plain = pc.replace_substring_regex(document, "/26$", "")
    named = choose((near & ~first).astype(np.int64), [plain, tail(plain, -2)])
    text = join("Rechnungen ", grouped(named, owner, count, "/"))
    return block(
        "combined_short",
        count,
        draw.entry(lead),
        draw.detail(lead, narrative=text),
        draw.item(each, owner, document_no=document),
    )


def combined_discount(draw: Draw, count: int) -> Block:
    """One payment of several named invoices, two percent cash discount taken from each."""
    lead, each, owner, counter, style = _invoices(draw, count, 8, 3)
    kept = each.amount - np.sign(each.amount) * (np.abs(each.amount) * 2 + 50) // 100
    lead.amount = np.rint(np.bincount(owner, weights=kept)).astype(np.int64)
    document = numbers.number(counter, style)
    text = join("RG ", grouped(document, owner, count, ", "), " abz. 2% Skonto")
    return block(
        "combined_discount",
        count,
        draw.entry(lead),
        draw.detail(lead, narrative=text),
        draw.item(each, owner, document_no=document),
    )


def netted(draw: Draw, count: int) -> Block:
    """A payment less a credit note, both named."""
    lead, each, owner, counter, style = _invoices(draw, count, 5, 3)
    last = np.r_[owner[1:] != owner[:-1], True]
    first = np.r_[True, owner[1:] != owner[:-1]]
    part = np.abs(each.amount[np.flatnonzero(first)]) * (5 + draw.below(60, count)) // 100
    each.amount[last] = -np.sign(lead.amount) * np.maximum(part, 1)
    document = numbers.number(counter, style)
    credit = choose(last.astype(np.int64), [document, join("GS", digits(counter, 7))])
    text = join("RE ", grouped(credit, owner, count, " "), pick(("", " ./. GS"), counter[last] % 2))
    return block(
        "netted",
        count,
        draw.entry(summed(lead, each, owner)),
        draw.detail(lead, narrative=text),
        draw.item(each, owner, document_no=credit),
    )


def partial(draw: Draw, count: int) -> Block:
    """An invoice paid in two to four parts, each naming it."""
    groups = max(1, count * 10 // 27)
    pay = draw.payments(groups, incoming=0.8, cash_book=0.0)
    pay.amount = pay.amount * 3
    owner = np.repeat(np.arange(groups), draw.sizes(groups, 2, 4, 3))
    counter, style = draw.numbers(groups), numbers.style_of(draw, pay.amount, pay.party)
    said = numbers.worded(
        draw, spread(numbers.number(counter, style), owner), pay.party[owner], pay.booked[owner]
    )
    parts = pay.take(owner)
    parts.amount = _parts(draw, pay.amount, owner)
    rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
    place = np.searchsorted(draw.business_days, parts.day)
    later = np.minimum(place + rank * (1 + draw.below(8, len(owner))), len(draw.business_days) - 1)
    parts.day = draw.business_days[later]
    return block(
        "partial",
        groups,
        draw.entry(parts, owner),
        draw.detail(
            parts, narrative=join(pick(("TZ ", "", "1. Rate "), draw.below(3, len(owner))), said)
        ),
        draw.item(pay, document_no=numbers.number(counter, style)),
    )


def _parts(draw: Draw, amount: Ints, owner: Ints) -> Ints:
    """Each group's amount in parts that sum to it, none of them nothing."""
    count = len(amount)
    weight = 20 + draw.below(80, len(owner))
    whole = np.rint(np.bincount(owner, weights=weight)).astype(np.int64)
    parts = amount[owner] * weight // whole[owner]
    last = np.r_[owner[1:] != owner[:-1], True]
    rest = amount - np.rint(np.bincount(owner, weights=parts, minlength=count)).astype(np.int64)
    parts[last] += rest
    return parts


def many_to_many(draw: Draw, count: int) -> Block:
    """Several payments against several invoices under one settlement number, sums equal."""
    groups = max(1, count * 10 // 25)
    lead = draw.payments(groups, incoming=0.6, cash_book=0.0)
    owner = np.repeat(np.arange(groups), draw.sizes(groups, 2, 5, 3))
    each = members(draw, lead, owner, one_party=True)
    lead = summed(lead, each, owner)
    payer = np.repeat(np.arange(groups), 2 + draw.below(2, groups))
    parts = lead.take(payer)
    parts.amount = _parts(draw, lead.amount, payer)
    key = join("SETTL-", digits(draw.numbers(groups), 8))
    in_text = draw.chance(len(payer), 0.5)
    said = spread(key, payer)
    return block(
        "many_to_many",
        groups,
        draw.entry(parts, payer),
        draw.detail(
            parts,
            reference=blank_where(in_text, said),
            narrative=blank_where(~in_text, join("payment ", said)),
        ),
        draw.item(each, owner, reference=spread(key, owner), document_no=documents(draw, each)),
    )


STORIES: Final[dict[str, Any]] = {
    "combined_named": combined_named,
    "combined_short": combined_short,
    "combined_discount": combined_discount,
    "netted": netted,
    "partial": partial,
    "many_to_many": many_to_many,
}
