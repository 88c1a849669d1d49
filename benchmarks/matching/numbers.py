"""Document numbers: how ERPs write them, how payers do, and what becomes of them on the way."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.matching.draw import Draw
from benchmarks.matching.text import Ints, Text, choose, digits, join, lines, pc, pick, tail

__all__ = [
    "RANGES",
    "bare",
    "cut",
    "number",
    "padded",
    "respaced",
    "split",
    "style_of",
    "typo",
    "worded",
    "wrapped",
]

#: Number ranges: text before, digits, text after. Our own documents use the first three.
RANGES: Final = (
    ("RE-2026-", 6, ""),
    ("90", 8, ""),
    ("AR", 7, ""),
    ("INV-", 8, ""),
    ("FA/", 6, "/26"),
    ("F2026/", 6, ""),
    ("", 7, ""),
    ("2026", 6, ""),
)
_OWN: Final = 3

_BEFORE: Final = (
    "Rechnung ",
    "RG NR. ",
    "Rg.",
    "RNr ",
    "INVOICE ",
    "inv no ",
    "Ihre Rechnung Nr. ",
    "facture ",
    "betaling factuur ",
    "faktura ",
    "Zahlung zu ",
    "payment of invoice ",
    "BELEG:",
    "",
    "your delivery, ",
    "Rechn.-Nr.: ",
)
_AFTER: Final = ("", " vielen Dank", " KUNDE", " abzgl. nichts", " thank you", " ref. Hr. Paulsen")


def style_of(draw: Draw, amount: Ints, party: Ints) -> Ints:
    """Number range of each document: our own for receipts, the supplier's for payments."""
    own = draw.below(_OWN, len(amount))
    return np.where(amount > 0, own, party % len(RANGES))


def number(counter: Ints, style: Ints) -> Text:
    """The number as the books have it."""
    forms = [join(head, digits(counter, width), end) for head, width, end in RANGES]
    return choose(style, forms)


def respaced(counter: Ints, style: Ints, how: Ints) -> Text:
    """The number with other separators: none, blanks, dashes or slashes."""
    plain = number(counter, style)
    bare_ = pc.replace_substring_regex(plain, r"[-/]", "")
    blanks = pc.replace_substring_regex(plain, r"[-/]", " ")
    swapped = pc.replace_substring_regex(plain, r"[-/]", "/")
    apart = pc.replace_substring_regex(bare_, r"^([A-Z]+)(\d)", r"\1-\2")
    return choose(how % 4, [bare_, blanks, swapped, apart])


def bare(counter: Ints, style: Ints) -> Text:
    """The number without its leading zeros, as spreadsheets make it."""
    forms = [
        join(head, digits(counter, width if head.isdigit() else 0), end)
        for head, width, end in RANGES
    ]
    return choose(style, forms)


def padded(counter: Ints, style: Ints) -> Text:
    """The number as some ERPs store it: what is all digits has zeros before it."""
    plain = number(counter, style)
    whole = np.array([head.isdigit() for head, _, _ in RANGES])[style]
    return choose(whole.astype(np.int64), [plain, join("00", plain)])


def cut(counter: Ints, style: Ints) -> Text:
    """The number without its last two or three characters."""
    plain = number(counter, style)
    return choose(counter % 2, [tail(plain, 0, -2), tail(plain, 0, -3)])


def split(text: Text, place: int = 6) -> Text:
    """The number with a blank or a line end inside it."""
    return join(tail(text, 0, place), " ", tail(text, place))


def typo(draw: Draw, counter: Ints, style: Ints) -> Text:
    """The number with two digits swapped, or one digit wrong."""
    place = draw.below(4, len(counter))
    power = 10**place
    low, high = counter // power % 10, counter // (power * 10) % 10
    swapped = counter + (low - high) * power * 10 + (high - low) * power
    wrong = counter - low * power + (low + 1 + draw.below(8, len(counter))) % 10 * power
    return number(np.where(swapped != counter, swapped, wrong), style)


def worded(draw: Draw, text: Text, party: Ints, booked: npt.NDArray[Any]) -> Text:
    """A remittance text around a number: wording, and often a date or a customer number."""
    count = len(text)
    extra = choose(
        draw.below(5, count),
        [
            pick(_AFTER, draw.below(len(_AFTER), count)),
            join(" vom ", draw.day_text(booked)),
            join(" Kd-Nr. ", digits(20_000 + party % 70_000)),
            join("/", draw.day_text(booked), "/SKONTO 0,00"),
            join(" Best. ", digits(draw.orders(party, booked))),
        ],
    )
    return join(pick(_BEFORE, draw.below(len(_BEFORE), count)), text, extra)


def wrapped(text: Text, width: int) -> Text:
    """Cut into lines of ``width``, wherever that falls."""
    return pc.replace_substring_regex(text, f"(.{{{width}}})", "\\1\n")


def listed(texts: list[Text]) -> Text:
    """Several texts in one, comma between; nulls are left out."""
    return lines(texts, ", ")
