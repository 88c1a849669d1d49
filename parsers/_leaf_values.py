"""Amounts, dates and account numbers of a chunk's leaves, a whole column at a time.

Everything here gives what the strict reader's functions give for one value, or says of a leaf that
it cannot tell.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from parsers._tags import words
from parsers._values import day
from tieout.arrays import fixed, listed
from tieout.canonical import AMOUNT

__all__ = ["SCALE", "amounts", "dates", "decimals", "odd_accounts"]

Array = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]

#: Amounts are whole numbers of this fraction: the canonical tables' five decimals.
SCALE: Final = 100_000

_DATE: Final = len("2026-11-20")
_U64 = np.uint64
_CENTURY: Final = _U64(0xFFFF)
_TOP: Final = ~np.array([(1 << 8 * (8 - n)) - 1 for n in range(9)], dtype=_U64)
_ZEROS: Final = _U64(0x3030303030303030)
_HALF: Final = _U64(0xF0F0F0F0F0F0F0F0)
_SIX: Final = _U64(0x0606060606060606)
_ACCOUNT_MAX: Final = 40
_WHOLE: Final = f"V{_ACCOUNT_MAX}"
#: By the length of an account: the bytes that are its own, and letters in those behind it.
_INSIDE: Final = np.frombuffer(
    b"".join((b"\xff" * n).ljust(_ACCOUNT_MAX, b"\0") for n in range(_ACCOUNT_MAX + 1)), "<u8"
).reshape(-1, _ACCOUNT_MAX // 8)
_OUTSIDE: Final = ~_INSIDE & _U64(0x4141414141414141)
_HIGH: Final = _U64(0x8080808080808080)


def decimals(values: Array, known: Array | None = None) -> pa.Array[Any]:
    """Whole numbers at `SCALE` as canonical amounts; null where not known."""
    both = np.empty((len(values), 2), dtype=np.int64)
    both[:, 0] = values
    both[:, 1] = values >> 63
    return fixed(both, AMOUNT, known)


def amounts(text: Bytes, start: Array, end: Array) -> tuple[Array, Array, Array]:
    """Unsigned amounts at `SCALE`, whether each could be told, and how many decimals it has.

    Told are 1 to 11 digits, alone or with a point and two decimals: what nearly all banks write.
    """
    length = end - start
    word = words(text)
    low, high = word[end - 8], word[end - 16]
    point = text[end - 3] == 0x2E
    point &= length >= 4
    shifted = (
        (low & _U64(0xFFFF000000000000)) | ((low << _U64(8)) & _U64(0x0000FFFFFFFFFF00))
        | (high >> _U64(56))
    )  # fmt: skip
    low, high = np.where(point, shifted, low), np.where(point, high << _U64(8), high)
    digits = length - point
    clipped = np.clip(digits, 0, 16)
    keep_low, keep_high = _TOP[np.minimum(clipped, 8)], _TOP[np.maximum(clipped - 8, 0)]
    low = (low & keep_low) | (_ZEROS & ~keep_low)
    high = (high & keep_high) | (_ZEROS & ~keep_high)
    told = (digits > 0) & (digits <= np.where(point, 13, 11)) & _digits(low) & _digits(high)
    whole = (_number(high) * _U64(100_000_000) + _number(low)).astype(np.int64)
    value = whole * np.where(point, SCALE // 100, SCALE)
    return np.where(told, value, 0), told, np.where(point, 2, 0)


def _digits(word: Array) -> Array:
    found: Array = ((word & _HALF) == _ZEROS) & (((word + _SIX) & _HALF) == _ZEROS)
    return found


def _number(word: Array) -> Array:
    """Eight ASCII digits, the first in the lowest byte, as a number."""
    pairs = word - _ZEROS
    pairs = pairs * _U64(10) + (pairs >> _U64(8))
    mask = _U64(0x000000FF000000FF)
    left = (pairs & mask) * _U64(0x000F424000000064)
    right = ((pairs >> _U64(16)) & mask) * _U64(0x0000271000000001)
    found: Array = (left + right) >> _U64(32)
    return found


def dates(text: Bytes, raw: bytes, start: Array, end: Array) -> pa.Array[Any]:
    """The days texts name; null for one that names none."""
    if not len(start):
        return listed([], pa.date32())
    word = words(text)
    head, tail = word[start], word[start + 2]
    # The eleventh character tells whether it is a date; what follows does not matter.
    stop = np.minimum(end, start + _DATE + 1)
    plain = (stop - start == _DATE) | ((stop - start > _DATE) & (text[start + _DATE] == 0x54))
    if (plain & ((head ^ head[0]) & _CENTURY == 0)).all():  # their last eight bytes differ only
        order = np.argsort(tail, kind="stable")
        fresh = np.append(True, tail[order[1:]] != tail[order[:-1]])
        first, index = order[fresh], np.empty(len(tail), dtype=np.int64)
        index[order] = np.cumsum(fresh) - 1
    else:
        first = index = np.arange(len(start))
    said = [day(raw[start[i] : stop[i]].decode(errors="replace")) for i in first.tolist()]
    return listed(said, pa.date32()).take(fixed(index.astype(np.int64), pa.int64()))


def odd_accounts(text: Bytes, start: Array, end: Array) -> Array:
    """Which accounts have blanks, escapes or letters beyond ASCII in them, or are too long."""
    view = np.ndarray((len(text) - _ACCOUNT_MAX,), _WHOLE, text.data, strides=(1,))
    word = view[start].view("<u8").reshape(-1, _ACCOUNT_MAX // 8)
    length = np.minimum(end - start, _ACCOUNT_MAX)
    word &= _INSIDE.take(length, axis=0)
    word |= _OUTSIDE.take(length, axis=0)
    wrong: Array = end - start > _ACCOUNT_MAX
    for column in _unusual(word).T:
        wrong |= column
    return wrong


def _unusual(word: Array) -> Array:
    """Which words hold a blank, a letter beyond ASCII, a ``&`` or a DEL."""
    blank = (word + _U64(0x5F5F5F5F5F5F5F5F)) & _HIGH != _HIGH
    escape, delete = word ^ _U64(0x2626262626262626), word ^ _U64(0x7F7F7F7F7F7F7F7F)
    ones = _U64(0x0101010101010101)
    found: Array = blank | (word & _HIGH != 0)
    for each in (escape, delete):
        found |= (each - ones) & ~each & _HIGH != 0
    return found
