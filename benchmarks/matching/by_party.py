"""Stories without a reference: party and amount, keyless sums, recurring amounts."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.matching.blocks import Block, Columns, Payments, block
from benchmarks.matching.by_sum import documents, members, summed
from benchmarks.matching.draw import Draw
from benchmarks.matching.names import name_in_books, name_on_bank
from benchmarks.matching.text import Flags, Ints, Text, blank_where, join, pick

__all__ = ["STORIES", "subset_counts"]


def _say(draw: Draw, count: int) -> Text:
    """Texts that tell nothing."""
    words = ("", "Zahlung", "Rechnung", "payment", "laut Absprache", None, "Akonto", "div. RG")
    return pick(words, draw.below(len(words), count))


def party_amount(draw: Draw, count: int) -> Block:
    """In the cash book, without reference: party and amount agree, days apart at most."""
    pay = draw.payments(count, incoming=0.4, cash_book=1.0)
    return draw.pairs(
        "party_amount",
        pay,
        detail={"narrative": _say(draw, count)},
        item={"document_no": documents(draw, pay)},
        lone=True,
    )


def party_due(draw: Draw, count: int) -> Block:
    """An open document paid around the day it is due, without reference."""
    pay = draw.payments(count, incoming=0.7, cash_book=0.0)
    return draw.pairs(
        "party_due",
        pay,
        detail={"narrative": _say(draw, count)},
        item={"document_no": documents(draw, pay)},
        lone=True,
    )


def party_text(draw: Draw, count: int) -> Block:
    """The party's name stands in the bank's free text only; the entry has no details."""
    pay = draw.payments(count, incoming=0.4, cash_book=0.8)
    name = name_on_bank(name_in_books(pay.party), draw.damage(count) % 3)
    head = pick(("UEBERWEISUNG ", "CR TFR FROM ", "BETALING ", "PAYMENT "), draw.below(4, count))
    none = pay.take(np.zeros(0, dtype=np.int64))
    return block(
        "party_text",
        count,
        draw.entry(pay, narrative=join(head, name)),
        draw.detail(none),
        draw.item(pay, document_no=documents(draw, pay)),
        lone=True,
    )


def amount_only(draw: Draw, count: int) -> Block:
    """Amount and day agree and nothing else can: a true pair that no table proves."""
    pay = draw.payments(count, incoming=0.6, cash_book=1.0)
    return draw.pairs(
        "amount_only",
        pay,
        detail={"narrative": pick(["EINZAHLUNG", "CASH DEPOSIT", "SCHECKEINREICHUNG"],
                                  draw.below(3, count)),
                "damage": np.full(count, -1), "iban": draw.chance(count, 0)},
        item={"document_no": documents(draw, pay)},
        why="only amount and day agree",
    )  # fmt: skip


def payroll(draw: Draw, count: int) -> Block:
    """Salaries paid one by one, many of one amount; each employee is named."""
    pay = draw.payments(count, incoming=0.0, cash_book=1.0, fresh=True)
    pay.amount = -(200_000 + draw.below(60, count) * 5_000)
    pay.person[:] = True
    month = draw.below(3, count)
    pay.day = draw.business_days[140 + 21 * month]
    pay.booked = pay.due = pay.day - draw.below(2, count)
    return draw.pairs(
        "payroll",
        pay,
        detail={"purpose": "SALA", "narrative": "LOHN/GEHALT"},
        item={"narrative": "Salary", "document_no": join("PAY", documents(draw, pay))},
        lone=True,
    )


# several items of one party


def _pools(
    draw: Draw, count: int, least: int, most: int, step: int
) -> tuple[Payments, Payments, Ints, Flags, Flags]:
    """One payment each to a party of its own that has some items open and pays some of them.

    Returns leaders, items, owners, which items are paid, and which groups have one answer only.
    ``step``: amounts are multiples of it.
    """
    lead = draw.payments(count, incoming=0.8, cash_book=0.0, fresh=True)
    size = least + draw.below(most - least + 1, count)
    owner = np.repeat(np.arange(count), size)
    each = members(draw, lead, owner, one_party=True)
    each.amount = np.sign(each.amount) * np.maximum(np.abs(each.amount) // step, 1) * step
    rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
    take = 2 + draw.below(3, count)
    order = np.lexsort((draw.rng.random(len(owner)), owner))
    paid = np.zeros(len(owner), dtype=np.bool_)
    paid[order] = rank < np.minimum(take, size)[owner]
    total = np.bincount(owner, weights=np.where(paid, each.amount, 0), minlength=count)
    lead.amount = np.rint(total).astype(np.int64)
    # Where one item alone has the sum, it would be the one paid: such an item is made larger.
    each.amount = each.amount + np.where(
        each.amount == lead.amount[owner], np.sign(each.amount) * step, 0
    )
    found = subset_counts(each.amount, owner, lead.amount)
    return lead, each, owner, paid, found == 1


def subset_counts(amounts: Ints, owner: Ints, target: Ints) -> Ints:
    """How many sets of each owner's amounts (at most 12) sum to its target."""
    size = np.bincount(owner, minlength=len(target))
    start = np.searchsorted(owner, np.arange(len(target)))
    found = np.zeros(len(target), dtype=np.int64)
    for width in np.unique(size).tolist():
        rows = np.flatnonzero(size == width)
        sets = (np.arange(2**width)[:, None] >> np.arange(width)) & 1
        for part in np.array_split(rows, max(1, len(rows) * 2**width // 2_000_000)):
            held = amounts[start[part][:, None] + np.arange(width)]
            found[part] = (held @ sets.T == target[part][:, None]).sum(axis=1)
    return found


def _pool_block(
    draw: Draw, story: str, made: tuple[Payments, Payments, Ints, Flags, Flags]
) -> Block:
    lead, each, owner, paid, single = made
    count = len(lead)
    group = np.where(paid, owner, -1)
    return Block(
        story,
        count,
        draw.entry(lead),
        draw.detail(lead, narrative=_say(draw, count)),
        draw.item(each, group, document_no=documents(draw, each)),
        single,
        blank_where(single, pick(["several sets have this sum"], np.zeros(count))),
    )


def combined_keyless(draw: Draw, count: int) -> Block:
    """Some of a party's open items, none named; one set only has the sum."""
    return _pool_block(draw, "combined_keyless", _pools(draw, count, 3, 9, 1))


def combined_ambiguous(draw: Draw, count: int) -> Block:
    """The same among equal and round amounts, so that several sets have the sum."""
    return _pool_block(draw, "combined_ambiguous", _pools(draw, count, 7, 11, 10_000))


def combined_all(draw: Draw, count: int) -> Block:
    """All that a party has open, paid in one sum."""
    lead = draw.payments(count, incoming=0.8, cash_book=0.0, fresh=True)
    owner = np.repeat(np.arange(count), draw.sizes(count, 2, 10, 3))
    each = members(draw, lead, owner, one_party=True)
    lead = summed(lead, each, owner)
    text = pick(("lt. Kontoauszug", "statement settlement", "alle offenen Posten"), lead.party % 3)
    return block(
        "combined_all",
        count,
        draw.entry(lead),
        draw.detail(lead, narrative=text),
        draw.item(each, owner, document_no=documents(draw, each)),
    )


# one amount again and again


def _monthly(draw: Draw, count: int, *, in_books: bool) -> tuple[Payments, Ints]:
    """Three months of one amount for each party (of its own); rows of a party are neighbours."""
    chains = max(1, count // 3)
    pay = draw.payments(chains, incoming=0.5, cash_book=1.0, fresh=True)
    pay.amount = np.sign(pay.amount) * (20_000 + np.abs(pay.amount) // 5_000 * 5_000)
    chain = np.repeat(np.arange(chains), 3)
    each = pay.take(chain)
    rank = np.arange(len(chain)) % 3
    first = draw.below(14, chains)[chain] + (122 if in_books else 104)
    late = draw.below(3, len(chain)) + (0 if in_books else 8 + draw.below(23, len(chain)))
    each.due = draw.business_days[first + 21 * rank]
    each.booked = each.due if in_books else draw.business_days[first - 10]
    each.day = draw.business_days[np.clip(first + 21 * rank + late, 120, 182)]
    if not in_books:
        each.kind = np.where(each.amount > 0, 2, 1)
    return each, chain


def recurring_booked(draw: Draw, count: int) -> Block:
    """Rent or a subscription, a month apart, no reference: the cash book's day tells which."""
    each, _ = _monthly(draw, count, in_books=True)
    said = pick(("MIETE", "Abo", "Leasingrate", "rent"), each.party % 4)
    return draw.pairs("recurring_booked", each, detail={"narrative": said})


def recurring_open(draw: Draw, count: int) -> Block:
    """The same against documents issued ahead, paid weeks late, some month not at all: a payment
    lies between two that are open and equal."""
    each, chain = _monthly(draw, count, in_books=False)
    said = pick(("MIETE", "Abo", "Leasingrate", "rent"), each.party % 4)
    found = draw.pairs(
        "recurring_open",
        each,
        detail={"narrative": said},
        item={"document_no": documents(draw, each)},
        why="equal amounts of one party, paid late",
    )
    # One month of each party was never paid: an item is open and no entry stands for it.
    skipped = np.arange(len(chain)) % 3 == draw.below(3, chain.max() + 1)[chain]
    return without_entries(found, skipped)


def without_entries(found: Block, gone: Flags) -> Block:
    """A block of pairs less the entries flagged; their items belong to no group."""
    keep = np.flatnonzero(~gone)
    name = np.full(found.count, -1)
    name[keep] = np.arange(len(keep))
    found.items["group"] = name[found.items["group"]]
    found.entries = {**kept(found.entries, keep), "group": np.arange(len(keep))}
    found.details = {**kept(found.details, keep), "entry": np.arange(len(keep))}
    found.decidable = found.decidable[keep]
    found.why = [found.why[row] for row in keep.tolist()]
    found.count = len(keep)
    return found


def kept(columns: Columns, rows: npt.NDArray[Any]) -> Columns:
    """The rows named of every column."""
    taken: Columns = {}
    for name, column in columns.items():
        if isinstance(column, pa.Array):
            taken[name] = column.take(pa.array(rows))
        elif isinstance(column, str):
            taken[name] = column
        else:
            taken[name] = column[rows]
    return taken


STORIES: Final[dict[str, Any]] = {
    "party_amount": party_amount,
    "party_due": party_due,
    "party_text": party_text,
    "amount_only": amount_only,
    "payroll": payroll,
    "combined_keyless": combined_keyless,
    "combined_ambiguous": combined_ambiguous,
    "combined_all": combined_all,
    "recurring_booked": recurring_booked,
    "recurring_open": recurring_open,
}
