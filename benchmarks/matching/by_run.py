"""Stories of runs: many payments in one booked sum, with and without details and keys."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from benchmarks.matching import numbers, references
from benchmarks.matching.blocks import Block, Payments, block
from benchmarks.matching.by_sum import documents, members, summed
from benchmarks.matching.draw import Draw
from benchmarks.matching.text import (
    Ints,
    blank_where,
    choose,
    digits,
    join,
    pick,
    spread,
)

__all__ = ["STORIES"]


def _run(draw: Draw, count: int, most: int, mean: int) -> tuple[Payments, Payments, Ints]:
    lead = draw.payments(count, incoming=0.1, cash_book=0.8)
    owner = np.repeat(np.arange(count), draw.sizes(count, 2, most, mean))
    each = members(draw, lead, owner, one_party=False)
    return summed(lead, each, owner), each, owner


def run_details(draw: Draw, count: int) -> Block:
    """A payment run in one booked sum; the bank lists every payment with its reference."""
    lead, each, owner = _run(draw, count, 120, 9)
    key, run = draw.keys(len(owner)), draw.keys(count, 0)
    counter = draw.numbers(len(owner))
    style = numbers.style_of(draw, each.amount, each.party)
    by_text = draw.chance(len(owner), 0.3)
    said = join("RNr ", numbers.number(counter, style))
    return block(
        "run_details",
        count,
        draw.entry(lead, detail_count=np.bincount(owner)),
        draw.detail(
            each,
            owner,
            end_to_end_id=blank_where(by_text, key),
            payment_info_id=spread(run, owner),
            narrative=blank_where(~by_text, said),
        ),
        draw.item(
            each,
            owner,
            end_to_end_id=blank_where(by_text, key),
            document_no=numbers.number(counter, style),
            payment_batch_id=spread(run, owner),
        ),
    )


def run_charges(draw: Draw, count: int) -> Block:
    """A run whose booked sum holds the bank's fee too: the details are the fee short of it."""
    lead, each, owner = _run(draw, count, 30, 5)
    key = draw.keys(len(owner))
    fee = np.array([50, 100, 260, 500])[draw.below(4, count)]
    lead.amount = lead.amount - fee
    return block(
        "run_charges",
        count,
        draw.entry(lead, detail_count=np.bincount(owner)),
        draw.detail(each, owner, end_to_end_id=key),
        draw.item(each, owner, end_to_end_id=key, document_no=documents(draw, each)),
    )


def run_key(draw: Draw, count: int) -> Block:
    """A payment run in one booked sum without details; the run's id stands somewhere."""
    lead, each, owner = _run(draw, count, 300, 11)
    run = draw.keys(count, 0)
    where = draw.below(4, count)
    text = join("SEPA SAMMLER ", run, pick(("", " DATEI 1", "\nANZ. POSTEN"), draw.below(3, count)))
    rows = np.flatnonzero(where < 2)
    shown = lead.take(rows)
    in_group = spread(run, rows)
    return block(
        "run_key",
        count,
        draw.entry(
            lead,
            detail_count=np.bincount(owner),
            entry_ref=blank_where(where != 2, run),
            narrative=blank_where(where != 3, text),
        ),
        draw.detail(
            shown,
            rows,
            silent=np.ones(len(rows), dtype=np.bool_),
            damage=np.full(len(rows), -1),
            iban=np.zeros(len(rows), dtype=np.bool_),
            payment_info_id=blank_where(where[rows] != 0, in_group),
            message_id=blank_where(where[rows] != 1, in_group),
        ),
        draw.item(
            each,
            owner,
            payment_batch_id=spread(run, owner),
            document_no=documents(draw, each),
        ),
    )


def run_no_key(draw: Draw, count: int) -> Block:
    """A run whose id the bank lost: the sum and the number of payments agree with one run."""
    lead, each, owner = _run(draw, count, 80, 12)
    size = np.bincount(owner)
    return block(
        "run_no_key",
        count,
        draw.entry(
            lead,
            detail_count=size,
            narrative=join("SAMMELUEBERWEISUNG ", digits(size), " POSTEN"),
        ),
        draw.detail(lead.take(np.zeros(0, dtype=np.int64))),
        draw.item(
            each,
            owner,
            payment_batch_id=spread(draw.keys(count, 0), owner),
            document_no=documents(draw, each),
        ),
    )


def run_names(draw: Draw, count: int) -> Block:
    """A run whose details carry no reference: each is told by its party and amount."""
    lead, each, owner = _run(draw, count, 12, 5)
    each.party = draw.fresh(len(owner))
    blank = pick(("NOTPROVIDED", None), draw.below(2, len(owner)))
    return block(
        "run_names",
        count,
        draw.entry(lead, detail_count=np.bincount(owner)),
        draw.detail(each, owner, end_to_end_id=blank, narrative=blank),
        draw.item(each, owner, document_no=documents(draw, each)),
    )


def collective(draw: Draw, count: int) -> Block:
    """Receipts of a day in one entry (QR, KID or Bankgiro); each detail names its invoice."""
    lead = draw.payments(count, incoming=1.0, cash_book=0.0)
    owner = np.repeat(np.arange(count), draw.sizes(count, 2, 60, 7))
    each = members(draw, lead, owner, one_party=False)
    counter = draw.numbers(len(owner))
    key = choose(draw.below(2, count)[owner], [references.kid(counter), references.qrr(counter)])
    return block(
        "collective",
        count,
        draw.entry(summed(lead, each, owner), detail_count=np.bincount(owner)),
        draw.detail(each, owner, reference=key),
        draw.item(each, owner, reference=key, document_no=documents(draw, each)),
    )


def deposits(draw: Draw, count: int) -> Block:
    """The daily deposit of a card or Bankgiro service: no details, a deposit number, N items."""
    lead = draw.payments(count, incoming=1.0, cash_book=0.3)
    owner = np.repeat(np.arange(count), draw.sizes(count, 2, 200, 16))
    each = members(draw, lead, owner, one_party=False)
    number = digits(draw.numbers(count), 8)
    text = join("BG 5050-1055 INS. ", number, " ANTAL ", digits(np.bincount(owner)))
    return block(
        "deposits",
        count,
        draw.entry(summed(lead, each, owner), narrative=text, detail_count=np.bincount(owner)),
        draw.detail(lead.take(np.zeros(0, dtype=np.int64))),
        draw.item(
            each, owner, payment_batch_id=spread(number, owner), document_no=documents(draw, each)
        ),
    )


STORIES: Final[dict[str, Any]] = {
    "run_details": run_details,
    "run_charges": run_charges,
    "run_key": run_key,
    "run_no_key": run_no_key,
    "run_names": run_names,
    "collective": collective,
    "deposits": deposits,
}
