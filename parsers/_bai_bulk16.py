"""The fields of many BAI2 16 records at once, where they have the usual form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from parsers._bai_codes import DIRECTIONS
from parsers._columns import (
    DIGIT,
    Bools,
    Bytes,
    Column,
    Ints,
    Spans,
    byte_class,
    joined,
    said,
    strings,
)

__all__ = ["START", "Fields", "fields_16"]

#: Characters of a line before its first field.
START: Final = len("16,")

_CODE: Final = 3
_DIGITS_MAX: Final = 12
_COMMAS: Final = 5
_PAD: Final = 64
_COMMA: Final = ord(",")
#: Funds types without further fields.
_SIMPLE: Final = byte_class("012Z")
_SIGN: Final = np.array([DIRECTIONS[f"{code:03}"] or 0 for code in range(1000)], np.int64)


@dataclass(frozen=True, slots=True)
class Fields:
    """Columns of first lines, a row for each; where not ``usual`` they mean nothing.

    Attributes:
        amount: in minor units, signed by the code.
        columns: references and code.
        text_at: where the text begins in the block.
    """

    usual: Bools
    amount: Ints
    columns: dict[str, Column]
    text_at: Ints


def fields_16(data: Bytes, low: Ints, high: Ints) -> Fields:
    """The fields of the 16 records' first lines, from `low` behind the code up to `high`."""
    high = np.maximum(low, high)
    line, begins = joined(data, (low, high), _PAD)
    start, end = begins[:-1], begins[1:]
    commas = np.append(np.flatnonzero(line == _COMMA), [len(line) - _COMMAS] * _COMMAS)
    nth = np.searchsorted(commas, start)
    at = [commas[nth + which] for which in range(_COMMAS)]
    usual: Bools = (at[-1] < end) & (at[0] - start == _CODE)
    code = np.zeros(len(start), np.int64)
    for which in range(_CODE):
        digit = line[start + which]
        usual &= DIGIT[digit]
        code = code * 10 + (digit - 48)
    sign = _SIGN[np.where(usual, code, 0)]
    usual &= sign != 0
    funds = at[2] - at[1] - 1
    usual &= (funds == 0) | ((funds == 1) & _SIMPLE[line[at[1] + 1]])
    amount, readable = _amount(line, at[0] + 1, at[1])
    usual &= readable
    at = [np.where(usual, place, start) for place in at]
    ends = [np.where(usual, place, start) for place in at[1:]]
    columns = {
        "code_proprietary": strings(line, (start, at[0]), usual),
        "bank_ref": said(line, _behind(at[2], ends[2])),
        "entry_ref": said(line, _behind(at[3], ends[3])),
    }
    return Fields(usual, amount * sign, columns, low + at[4] - start + 1)


def _behind(comma: Ints, end: Ints) -> Spans:
    return np.minimum(comma + 1, end), end


def _amount(line: Bytes, start: Ints, end: Ints) -> tuple[Ints, Bools]:
    size = end - start
    usual: Bools = (size > 0) & (size <= _DIGITS_MAX)
    amount = np.zeros(len(start), np.int64)
    for at in range(_DIGITS_MAX):
        inside = usual & (at < size)
        if not inside.any():
            break
        digit = line[np.where(inside, start + at, 0)]
        usual &= ~inside | DIGIT[digit]
        amount = np.where(inside, amount * 10 + (digit - 48), amount)
    return amount, usual
