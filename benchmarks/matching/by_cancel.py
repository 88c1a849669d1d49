"""Stories of one side against itself: reversals, returns, own transfers, netting in the books."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from benchmarks.matching import numbers
from benchmarks.matching.blocks import Block, Columns, Payments, block
from benchmarks.matching.by_sum import documents
from benchmarks.matching.draw import Draw
from benchmarks.matching.text import Ints, Text, blank_where, choose, digits, join, pick

__all__ = ["STORIES"]

_REASONS: Final = ("AC04", "AC01", "AM04", "MD01", "MS03", "MD06", "AC06")


def _there_and_back(
    draw: Draw, pay: Payments, *, fee: Ints | None = None, wait: int = 6
) -> tuple[Payments, Ints]:
    """Payments followed by the same money coming back; rows 2n and 2n+1 belong together."""
    count = len(pay)
    pair = np.repeat(np.arange(count), 2)
    both = pay.take(pair)
    back = np.arange(len(pair)) % 2 == 1
    both.amount = np.where(back, -both.amount, both.amount)
    if fee is not None:
        both.amount = both.amount - np.where(back, fee[pair], 0)
    place = np.searchsorted(draw.business_days, both.day)
    later = np.minimum(place + back * (1 + draw.below(wait, len(pair))), 182)
    both.day = draw.business_days[later]
    return both, pair


def _returned(draw: Draw, both: Payments, pair: Ints, key: Text) -> tuple[Columns, Columns]:
    """Columns of the two entries: the way back carries RTRN codes and a reason."""
    count = len(pair)
    back = (np.arange(count) % 2).astype(np.int64)
    sent = np.where(both.amount[pair * 2] > 0, 1, 0)
    entry = {
        "code_domain": pick(["PMNT"], np.zeros(count)),
        "code_family": pick(["ICDT", "IDDT"], sent),
        "code_subfamily": pick(["ESCT", "ESDD", "RRTN", "UPDD"], sent + 2 * back),
    }
    reason = pick([*_REASONS, None], np.where(back == 1, draw.below(7, count), 7))
    said = pick(
        ["", "Ruecklastschrift", "RETOURE", "Return of payment"], back * draw.below(4, count)
    )
    detail = {"end_to_end_id": key.take(pa.array(pair)), "return_reason": reason, "narrative": said}
    return entry, detail


def _no_items(draw: Draw, pay: Payments) -> Columns:
    return draw.item(pay.take(np.zeros(0, dtype=np.int64)))


def reversal(draw: Draw, count: int) -> Block:
    """The bank booked something by mistake and reversed it (RvslInd)."""
    groups = max(1, count // 2)
    both, pair = _there_and_back(draw, draw.payments(groups), wait=3)
    back = np.arange(len(pair)) % 2 == 1
    number = digits(draw.numbers(groups), 12).take(pa.array(pair))
    return block(
        "reversal",
        groups,
        draw.entry(both, pair, reversal=back, entry_ref=number),
        draw.detail(both, narrative=pick(["BUCHUNG", "STORNO"], back)),
        _no_items(draw, both),
    )


def return_pair(draw: Draw, count: int) -> Block:
    """A payment and its return, nothing of it in the books."""
    groups = max(1, count // 2)
    both, pair = _there_and_back(draw, draw.payments(groups))
    entry, detail = _returned(draw, both, pair, draw.keys(groups))
    return block(
        "return_pair",
        groups,
        draw.entry(both, pair, **entry),
        draw.detail(both, **detail),
        _no_items(draw, both),
    )


def return_open(draw: Draw, count: int) -> Block:
    """A payment and its return; the open document stays open, for nothing was paid."""
    groups = max(1, count // 2)
    pay = draw.payments(groups, incoming=0.7, cash_book=0.0)
    both, pair = _there_and_back(draw, pay)
    key = draw.keys(groups)
    entry, detail = _returned(draw, both, pair, key)
    return block(
        "return_open",
        groups,
        draw.entry(both, pair, **entry),
        draw.detail(both, **detail),
        draw.item(pay, np.full(groups, -1), end_to_end_id=key, document_no=documents(draw, pay)),
    )


def return_repaid(draw: Draw, count: int) -> Block:
    """A payment, its return, and the payment that came after all; all three name the invoice."""
    groups = max(1, count // 3)
    pay = draw.payments(groups, incoming=0.8, cash_book=0.0)
    both, pair = _there_and_back(draw, pay, wait=4)
    entry, detail = _returned(draw, both, pair, draw.keys(groups))
    counter = draw.numbers(groups)
    document = numbers.number(counter, numbers.style_of(draw, pay.amount, pay.party))
    said = join("RE ", document)
    place = np.searchsorted(draw.business_days, both.day[1::2])
    again = pay.take(np.arange(groups))
    again.day = draw.business_days[np.minimum(place + 1 + draw.below(8, groups), 182)]
    plain = pick(["ESCT"], np.zeros(groups))
    codes = pa.concat_arrays([entry["code_subfamily"], plain])
    return block(
        "return_repaid",
        groups * 2,
        _stack(draw.entry(both, pair), draw.entry(again, groups + np.arange(groups)))
        | {"code_subfamily": codes},
        _stack(
            draw.detail(both, end_to_end_id=detail["end_to_end_id"],
                        return_reason=detail["return_reason"],
                        narrative=said.take(pa.array(pair))),
            draw.detail(again, 2 * groups + np.arange(groups), end_to_end_id=draw.keys(groups),
                        return_reason=pick([None], np.zeros(groups)), narrative=said),
        ),
        draw.item(pay, groups + np.arange(groups), document_no=document),
    )  # fmt: skip


def _stack(first: Columns, second: Columns) -> Columns:
    """Rows of both, one below the other."""
    return {
        name: pa.concat_arrays([column, second[name]])
        if isinstance(column, pa.Array)
        else np.concatenate([column, second[name]])
        for name, column in first.items()
    }


def return_fee(draw: Draw, count: int) -> Block:
    """A payment and its return, less the bank's fee for it."""
    groups = max(1, count // 2)
    pay = draw.payments(groups, incoming=0.8, cash_book=0.0)
    pay.amount = np.sign(pay.amount) * np.maximum(np.abs(pay.amount), 5_000)
    fee = np.array([300, 350, 500, 750])[draw.below(4, groups)]
    both, pair = _there_and_back(draw, pay, fee=fee)
    entry, detail = _returned(draw, both, pair, draw.keys(groups))
    back = np.arange(len(pair)) % 2 == 1
    return block(
        "return_fee",
        groups,
        draw.entry(both, pair, **entry),
        draw.detail(both, **detail, charges=(-fee[pair], back)),
        _no_items(draw, both),
    )


def return_booked(draw: Draw, count: int) -> Block:
    """A payment and its return; the cash book has a line for each, under the same reference."""
    groups = max(1, count // 2) * 2
    pay = draw.payments(groups // 2, incoming=0.3, cash_book=1.0)
    both, pair = _there_and_back(draw, pay)
    key = draw.keys(groups // 2)
    entry, detail = _returned(draw, both, pair, key)
    line = np.where(np.arange(groups) % 2 == 1, both.day, both.booked)
    both.booked, both.due = line, line
    return block(
        "return_booked",
        groups,
        draw.entry(both, np.arange(groups), **entry),
        draw.detail(both, **detail),
        draw.item(both, end_to_end_id=key.take(pa.array(pair)), document_no=documents(draw, both)),
    )


def _transfers(draw: Draw, groups: int) -> tuple[Payments, Ints]:
    """Money from one own account to another of the same currency, a day between at most."""
    pay = draw.payments(groups, incoming=0.0, cash_book=1.0)
    paired = np.flatnonzero(draw.twin >= 0)
    pay.acct = paired[draw.below(len(paired), groups)]
    # Two sweeps of one amount could not be told apart, so no amount comes twice.
    pay.amount = -np.cumsum(1 + draw.below(9_000, groups))[draw.rng.permutation(groups)] - 250_000
    twin = draw.twin[pay.acct]
    pair = np.repeat(np.arange(groups), 2)
    both = pay.take(pair)
    back = np.arange(len(pair)) % 2 == 1
    both.acct = np.where(back, twin[pair], both.acct)
    both.amount = np.where(back, -both.amount, both.amount)
    place = np.searchsorted(draw.business_days, both.day)
    both.day = draw.business_days[np.minimum(place + back * draw.below(2, len(pair)), 182)]
    return both, pair


def _transfer_details(draw: Draw, both: Payments, key: Text | None) -> Columns:
    """Details of transfers: the other own account, our own name."""
    count = len(both.acct)
    other = np.arange(count) ^ 1
    said = pick(["Uebertrag", "Umbuchung eigenes Konto", "TRANSFER OWN ACCOUNT", "Cash Pooling"],
                draw.below(4, count // 2).repeat(2))  # fmt: skip
    more: Columns = {} if key is None else {"end_to_end_id": key}
    return draw.detail(both, own_account=both.acct[other], narrative=said, **more)


def own_transfer(draw: Draw, count: int) -> Block:
    """A transfer between two own accounts, on both statements, not in the books yet."""
    groups = max(1, count // 2)
    both, pair = _transfers(draw, groups)
    return block(
        "own_transfer",
        groups,
        draw.entry(both, pair),
        _transfer_details(draw, both, None),
        _no_items(draw, both),
    )


def own_transfer_booked(draw: Draw, count: int) -> Block:
    """A transfer between two own accounts whose two lines the cash book has, under its number."""
    groups = max(1, count // 2)
    both, pair = _transfers(draw, groups)
    key = join("TRF", digits(draw.numbers(groups), 9)).take(pa.array(pair))
    return block(
        "own_transfer_booked",
        groups * 2,
        draw.entry(both, np.arange(len(pair))),
        _transfer_details(draw, both, key),
        draw.item(both, end_to_end_id=key),
    )


def books_netting(draw: Draw, count: int) -> Block:
    """A credit note against its invoice in the books alone: no money moves."""
    pay = draw.payments(count, incoming=0.7, cash_book=0.0)
    pair = np.repeat(np.arange(count), 2)
    both = pay.take(pair)
    back = np.arange(len(pair)) % 2 == 1
    both.amount = np.where(back, -both.amount, both.amount)
    both.booked = both.booked + back * (3 + draw.below(20, len(pair)))
    counter = draw.numbers(count)
    document = numbers.number(counter, numbers.style_of(draw, pay.amount, pay.party))
    invoice = document.take(pa.array(pair))
    credit = join("GS", digits(draw.numbers(len(pair)), 7))
    none = np.zeros(0, dtype=np.int64)
    return block(
        "books_netting",
        count,
        draw.entry(pay.take(none), none),
        draw.detail(pay.take(none)),
        draw.item(
            both,
            pair,
            document_no=choose(back.astype(np.int64), [invoice, credit]),
            reference=blank_where(~back, invoice),
            narrative=blank_where(~back, join("Gutschrift zu ", invoice)),
        ),
    )


STORIES: Final[dict[str, Any]] = {
    "reversal": reversal,
    "return_pair": return_pair,
    "return_open": return_open,
    "return_repaid": return_repaid,
    "return_fee": return_fee,
    "return_booked": return_booked,
    "own_transfer": own_transfer,
    "own_transfer_booked": own_transfer_booked,
    "books_netting": books_netting,
}
