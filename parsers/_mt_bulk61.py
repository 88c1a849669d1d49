"""The statement lines ``:61:`` of many entries at once, where they have the usual form.

Usual are a value date, perhaps an entry date, C D RC or RD, perhaps a letter of the currency, an
amount with a comma, a type, and references without blanks. All else is for the strict reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

import numpy as np

from parsers._columns import (
    ALNUM,
    DIGIT,
    UPPER,
    Bools,
    Bytes,
    Ints,
    Spans,
    after,
    byte_class,
    joined,
)
from parsers._mt_entry import entry_date, short_date
from parsers._mt_lines import Layout

__all__ = ["EXPONENT", "WHOLE_DIGITS", "Line", "lines_61"]

#: Amounts are kept as hundred-thousandths.
EXPONENT: Final = 5
#: Digits before the comma that are read here.
WHOLE_DIGITS: Final = 11

_TAG: Final = 4
_PAD: Final = 64
_EPOCH: Final = date(1970, 1, 1).toordinal()
_C, _R, _COMMA, _BLANK, _SLASH = b"CR, /"
_MARK: Final = byte_class("CD")
_TYPE: Final = byte_class("NSF")
#: Types that are rather the first letters of a reference without a type.
_WORDS: Final = [int.from_bytes(word, "big") for word in (b"NONR", b"NOTP")]
_IBAN_MIN: Final = 15
_NO_ENTRY_DATE: Final = -1


@dataclass(frozen=True, slots=True)
class Line:
    """Columns of statement lines, a row for each entry of the block.

    Attributes:
        data: the text of the lines; `kind`, `own` and `bank` are spans of it.
        usual: rows that could be read; the others mean nothing.
        amount: signed, in hundred-thousandths.
        decimals: digits behind the comma as written.
        reversal: RC and RD.
        booked, valued: days since 1970.
        kind, own, bank: where type and references stand.
    """

    data: Bytes
    usual: Bools
    amount: Ints
    decimals: Ints
    reversal: Bools
    booked: Ints
    valued: Ints
    kind: Spans
    own: Spans
    bank: Spans


def lines_61(block: Layout) -> Line:
    """Read the statement lines of a block."""
    low, high = block.starts[block.first] + _TAG, block.ends[block.first]
    data, begins = joined(block.data, (low, high), _PAD)
    low, high = begins[:-1], begins[1:]
    booked, valued, mark, usual = _dates(data, low)
    reversal = data[mark] == _R
    mark = mark + reversal
    usual &= _MARK[data[mark]]
    money_in = (data[mark] == _C) != reversal
    start = mark + 1
    start = start + UPPER[data[start]]
    amount, decimals, behind, readable = _amount(data, start)
    usual &= readable & _TYPE[data[behind]] & (behind + 4 <= high)
    word = data[behind].astype(np.int64)
    for at in (1, 2, 3):
        usual &= ALNUM[data[behind + at]]
        word = word << 8 | data[behind + at]
    usual &= ~np.isin(word, _WORDS)
    usual &= after(np.flatnonzero(data == _BLANK), low, len(data)) >= high
    rest = np.minimum(behind + 4, high)
    slashes = np.flatnonzero((data[:-1] == _SLASH) & (data[1:] == _SLASH))
    split = after(slashes, rest, len(data))
    has_bank = split + 1 < high
    own_end = np.where(has_bank, split, high)
    bank_start = np.where(has_bank, split + 2, high)
    usual &= ~_like_iban(data, rest, own_end)
    return Line(
        data, usual, np.where(money_in, amount, -amount), decimals, reversal, booked, valued,
        (behind, rest), (rest, own_end), (bank_start, high),
    )  # fmt: skip


def _dates(data: Bytes, low: Ints) -> tuple[Ints, Ints, Ints, Bools]:
    """Booking and value day, where the mark stands, and whether these days exist."""
    key = np.zeros(len(low), np.int64)
    usual = np.ones(len(low), np.bool_)
    for at in range(6):
        digit = data[low + at]
        usual &= DIGIT[digit]
        key = key * 10 + (digit - 48)
    own, dated = np.zeros(len(low), np.int64), np.ones(len(low), np.bool_)
    for at in range(6, 10):
        digit = data[low + at]
        dated &= DIGIT[digit]
        own = own * 10 + (digit - 48)
    own = np.where(dated, own, _NO_ENTRY_DATE)
    key = np.where(usual, key, 0)
    pairs, place = np.unique(key * 20_000 + own + 1, return_inverse=True)
    found = [_day_pair(*divmod(int(pair), 20_000)) for pair in pairs]
    days = np.array([pair or (0, 0) for pair in found], np.int64).reshape(-1, 2)[place]
    usual &= np.array([pair is not None for pair in found], np.bool_)[place]
    return days[:, 0], days[:, 1], low + 6 + 4 * dated, usual


@lru_cache(maxsize=10_000)
def _day_pair(value: int, own: int) -> tuple[int, int] | None:
    """Booking and value day as the strict reader has them; None where one does not exist."""
    text = f"{value:06}"
    valued = short_date(text)
    booked = entry_date(f"{own - 1:04}", text) if own > 0 else valued
    if valued is None or booked is None:
        return None
    return booked.toordinal() - _EPOCH, valued.toordinal() - _EPOCH


def _amount(data: Bytes, start: Ints) -> tuple[Ints, Ints, Ints, Bools]:
    """Amount, its decimals, the place behind it, and whether it has the usual form."""
    comma = after(np.flatnonzero(data == _COMMA), start, len(data) - 1)
    whole = comma - start
    usual = (whole > 0) & (whole <= WHOLE_DIGITS)
    amount = np.zeros(len(start), np.int64)
    for at in range(WHOLE_DIGITS):
        inside = usual & (at < whole)
        if not inside.any():
            break
        digit = data[np.minimum(start + at, comma)]
        usual &= ~inside | DIGIT[digit]
        amount = np.where(inside, amount * 10 + (digit - 48), amount)
    comma = np.where(usual, comma, start)
    decimals, goes_on = np.zeros(len(start), np.int64), usual.copy()
    for at in range(EXPONENT):
        digit = data[np.minimum(comma + 1 + at, len(data) - 1)]
        goes_on &= DIGIT[digit]
        amount = amount * 10 + np.where(goes_on, digit - 48, 0)
        decimals += goes_on
    return amount, decimals, np.minimum(comma + 1 + decimals, len(data) - 8), usual


def _like_iban(data: Bytes, start: Ints, end: Ints) -> Bools:
    """References that begin like an IBAN: then they are the other side's account."""
    like: Bools = end - start >= _IBAN_MIN
    for at, kind in enumerate((UPPER, UPPER, DIGIT, DIGIT)):
        like &= kind[data[np.minimum(start + at, len(data) - 1)]]
    return like
