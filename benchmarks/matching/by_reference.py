"""Stories told by one reference: end-to-end ids, national references, numbers in free text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from benchmarks.matching import numbers, references
from benchmarks.matching.blocks import Block, Payments
from benchmarks.matching.draw import Draw
from benchmarks.matching.text import (
    Text,
    blank_where,
    choose,
    digits,
    hex_ids,
    join,
    pc,
    pick,
    tail,
)

__all__ = ["STORIES"]

_SMALL_TALK: Final = ("Danke", "SEPA-Ueberweisung", "payment", "", "Zahlung", "see advice", "div.")


def _talk(draw: Draw, count: int) -> Text:
    return pick(_SMALL_TALK, draw.below(len(_SMALL_TALK), count))


def end_to_end(draw: Draw, count: int) -> Block:
    """Plain payments: the same end-to-end id on both sides."""
    pay = draw.payments(count, incoming=0.35, cash_book=0.8)
    key = draw.keys(count)
    # Some banks fill it up with blanks, some ERPs keep it in small letters.
    kind = np.maximum(draw.below(30, count) - 27, 0)
    printed = choose(kind, [key, pc.utf8_rpad(key, 35, " "), key])
    kept = choose(kind, [key, key, pc.utf8_lower(key)])
    return draw.pairs(
        "end_to_end",
        pay,
        detail={"end_to_end_id": printed, "narrative": _talk(draw, count)},
        item={"end_to_end_id": kept, "document_no": _document(draw, pay)},
    )


def key_truncated(draw: Draw, count: int) -> Block:
    """The end-to-end id cut at sixteen characters, as MT940 does; party and amount agree."""
    pay = draw.payments(count, incoming=0.35, cash_book=0.8)
    key = draw.keys(count)
    return draw.pairs(
        "key_truncated",
        pay,
        detail={"end_to_end_id": tail(key, 0, 16)},
        item={"end_to_end_id": key, "document_no": _document(draw, pay)},
        lone=True,
    )


def _document(draw: Draw, pay: Payments) -> Text:
    return numbers.number(
        draw.numbers(len(pay)), numbers.style_of(draw, np.abs(pay.amount), pay.party)
    )


def uetr(draw: Draw, count: int) -> Block:
    """The UETR of a SWIFT payment, kept in the books as a reference."""
    pay = draw.payments(count, incoming=0.4, cash_book=0.7)
    raw = hex_ids(draw.rng.integers(0, 2**63, count, dtype=np.uint64))
    more = hex_ids(draw.rng.integers(0, 2**63, count, dtype=np.uint64))
    key = join(
        tail(raw, 0, 8), "-", tail(raw, 8, 12), "-4", tail(raw, 13, 16),
        "-a", tail(more, 1, 4), "-", tail(more, 4),
    )  # fmt: skip
    return draw.pairs(
        "uetr", pay, detail={"uetr": key, "narrative": _talk(draw, count)}, item={"reference": key}
    )


def instruction(draw: Draw, count: int) -> Block:
    """Our instruction id; the books hold it as their end-to-end id or as a reference."""
    pay = draw.payments(count, incoming=0.0, cash_book=0.8)
    key = draw.keys(count, 0)
    there = draw.chance(count, 0.5)
    return draw.pairs(
        "instruction",
        pay,
        detail={"instruction_id": key},
        item={"end_to_end_id": blank_where(~there, key), "reference": blank_where(there, key)},
    )


def cheque(draw: Draw, count: int) -> Block:
    """A cheque number; the bank prints it with leading zeros, the books without."""
    pay = draw.payments(count, incoming=0.1, cash_book=1.0)
    # A drawn cheque is cashed when its owner likes: up to three weeks later.
    pay.booked = pay.booked - draw.below(21, count)
    counter = draw.numbers(count)
    printed = choose(counter % 3 // 2, [digits(counter), digits(counter, 10)])
    return draw.pairs(
        "cheque",
        pay,
        detail={"cheque_no": printed, "damage": np.full(count, -1), "iban": draw.chance(count, 0)},
        item={"document_no": digits(counter)},
    )


def mandate(draw: Draw, count: int) -> Block:
    """Collections by mandate: each mandate serves two amounts, a receivable each."""
    pay = draw.payments(max(1, count // 2), incoming=1.0, cash_book=0.2)
    pay = pay.take(np.repeat(np.arange(len(pay)), 2))
    second = np.arange(len(pay)) % 2
    pay.amount = pay.amount + second * (100 + draw.below(90_000, len(pay)))
    key = join("MND-", digits(np.repeat(draw.numbers(len(pay) // 2), 2), 8))
    return draw.pairs(
        "mandate", pay, detail={"mandate_id": key, "purpose": "RCUR"}, item={"reference": key}
    )


def _structured(
    story: str, kind: str, make: Callable[[Any], Text], written: Callable[[Any], Text]
) -> Callable[[Draw, int], Block]:
    """A story of one national reference: in its own field, or written into the text."""

    def render(draw: Draw, count: int) -> Block:
        pay = draw.payments(count, incoming=0.75, cash_book=0.15)
        key = make(draw.numbers(count))
        in_text = draw.chance(count, 0.3)
        as_document = draw.chance(count, 0.2)
        text = join(pick(("", "Ref ", "/ROC/", "Mitteilung: "), draw.below(4, count)), written(key))
        return draw.pairs(
            story,
            pay,
            detail={
                "reference": blank_where(in_text, key),
                "reference_type": blank_where(in_text, pick([kind], np.zeros(count))),
                "narrative": blank_where(~in_text, text),
            },
            item={
                "reference": blank_where(as_document, key),
                "document_no": blank_where(~as_document, key),
            },
        )

    render.__doc__ = f"{kind} with its check digits, in the reference field or in the text."
    return render


def _ogm_written(key: Text) -> Text:
    return join("+++", tail(key, 0, 3), "/", tail(key, 3, 7), "/", tail(key, 7), "+++")


def invoice(draw: Draw, count: int) -> Block:
    """The invoice number in free text, as the books write it."""
    return _texts(draw, count, "text_invoice", numbers.number)


def spaced(draw: Draw, count: int) -> Block:
    """The number with other separators than in the books."""
    return _texts(
        draw,
        count,
        "text_separators",
        lambda counter, style: numbers.respaced(counter, style, draw.below(4, count)),
    )


def unpadded(draw: Draw, count: int) -> Block:
    """The number without its leading zeros."""
    return _texts(draw, count, "text_zeros", numbers.bare, numbers.padded)


def wrapped(draw: Draw, count: int) -> Block:
    """The number cut by a line's end or a blank, as 27- and 35-character lines do."""
    found = _texts(draw, count, "text_wrapped", numbers.number)
    text = found.details["narrative"]
    first, second = numbers.wrapped(text, 27), numbers.wrapped(text, 35)
    found.details["narrative"] = choose(
        draw.below(3, count),
        [first, second, pc.replace_substring_regex(text, r"(\d{4})(\d{2})", r"\1 \2")],
    )
    return found


def _texts(
    draw: Draw,
    count: int,
    story: str,
    render: Callable[..., Text],
    kept: Callable[..., Text] = numbers.number,
) -> Block:
    pay = draw.payments(count, incoming=0.7, cash_book=0.25)
    counter, style = draw.numbers(count), numbers.style_of(draw, pay.amount, pay.party)
    said = numbers.worded(draw, render(counter, style), pay.party, pay.booked)
    document = kept(counter, style)
    elsewhere = draw.chance(count, 0.2)
    return draw.pairs(
        story,
        pay,
        detail={"narrative": said},
        item={
            "document_no": blank_where(elsewhere, document),
            "reference": blank_where(~elsewhere, document),
        },
    )


def truncated(draw: Draw, count: int) -> Block:
    """The number lost its end; party and amount agree with one item only."""
    return _damaged(draw, count, "text_truncated", alone=False, lost=True)


def mistyped(draw: Draw, count: int) -> Block:
    """A digit wrong or two swapped; party and amount agree with one item only."""
    return _damaged(draw, count, "text_typo", alone=False, lost=False)


def mistyped_alone(draw: Draw, count: int) -> Block:
    """A digit wrong and nobody named: only the amount agrees, which is no proof."""
    return _damaged(draw, count, "text_typo_alone", alone=True, lost=False)


def _damaged(draw: Draw, count: int, story: str, *, alone: bool, lost: bool) -> Block:
    pay = draw.payments(count, incoming=0.7, cash_book=0.25)
    counter, style = draw.numbers(count), numbers.style_of(draw, pay.amount, pay.party)
    wrong = numbers.cut(counter, style) if lost else numbers.typo(draw, counter, style)
    # What is cut stands last; a typo stands anywhere.
    # A customer or order number beside a typo would name the party after all.
    bare = lost or alone
    said = (
        join(pick(("Rechnung ", "INVOICE ", "RG NR. "), counter % 3), wrong)
        if bare
        else numbers.worded(draw, wrong, pay.party, pay.booked)
    )
    detail: dict[str, Any] = {"narrative": said}
    if alone:
        detail |= {"damage": np.full(count, -1), "iban": draw.chance(count, 0)}
    return draw.pairs(
        story,
        pay,
        detail=detail,
        item={"document_no": numbers.number(counter, style)},
        why="only the amount agrees" if alone else None,
        lone=not alone,
    )


STORIES: Final = {
    "end_to_end": end_to_end,
    "key_truncated": key_truncated,
    "uetr": uetr,
    "instruction": instruction,
    "cheque": cheque,
    "mandate": mandate,
    "ref_rf": _structured(
        "ref_rf", "SCOR", references.creditor_rf, lambda k: references.spaced(k, 4)
    ),
    "ref_qrr": _structured("ref_qrr", "QRR", references.qrr, lambda k: references.spaced(k, 5)),
    "ref_isr": _structured("ref_isr", "ISR", lambda n: references.qrr(n, 1_390), lambda k: k),
    "ref_ogm": _structured("ref_ogm", "BBA", references.ogm, _ogm_written),
    "ref_kid": _structured("ref_kid", "KID", references.kid, lambda k: join("KID ", k)),
    "ref_fik": _structured("ref_fik", "FIK", references.fik, lambda k: join("+71<", k)),
    "ref_viite": _structured(
        "ref_viite", "FI", references.viite, lambda k: references.spaced(k, 5)
    ),
    "text_invoice": invoice,
    "text_separators": spaced,
    "text_zeros": unpadded,
    "text_wrapped": wrapped,
    "text_truncated": truncated,
    "text_typo": mistyped,
    "text_typo_alone": mistyped_alone,
}
