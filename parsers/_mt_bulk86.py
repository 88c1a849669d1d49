"""The structured ``:86:`` of German banks, of many entries at once (see `parsers._field86`).

Read here are sub-fields in rising order behind ``?``, with or without SEPA keys. What has other
dialects, keys that carry amounts, or an empty purpose line is for the strict reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from parsers._columns import (
    DIGIT,
    NO_TEXT,
    Bools,
    Bytes,
    Column,
    Ints,
    Spans,
    after,
    first_to_last,
    joined,
    pc,
    ranks,
    said,
    spread,
    strings,
    trimmed,
    unsaid,
)
from parsers._mt_bulk_purpose import Tokens, purpose
from parsers._mt_lines import Layout

__all__ = ["Text", "texts_86"]

_TAG: Final = 4
_MARK, _BLANK = b"? "
_GVC: Final = 3
_HEADER: Final = 3  # ?20
#: Numbers of sub-fields, and which of them hold the purpose.
_CODES = np.zeros(256, np.bool_)
_CODES[[0, 10, 99]] = _CODES[20:40] = _CODES[60:80] = True
_PURPOSE = np.zeros(100, np.bool_)
_PURPOSE[20:30] = _PURPOSE[60:70] = True
_BOOKING, _BIC, _ACCOUNT, _NAME = 0, 30, 31, 32


@dataclass(frozen=True, slots=True)
class Text:
    """What the text fields of a block say.

    Attributes:
        usual: entries that could be read; of the others the columns mean nothing.
        columns: names of `parsers._field86.Decoded`, a row for each entry.
    """

    usual: Bools
    columns: dict[str, Column]


def texts_86(block: Layout, rows: Bools) -> Text:
    """Read the ``:86:`` of the chosen rows (of one ``:86:`` each)."""
    count = len(block.first)
    usual = rows & _begins_german(block)
    chosen = np.flatnonzero(usual)
    if not len(chosen):
        return Text(usual, {})
    data, begins = _unwrapped(block, chosen)
    tokens, wrong = _tokens(data, begins, chosen)
    usual[wrong] = False
    account = trimmed(data, _span(tokens, _ACCOUNT, count))
    usual &= after(np.flatnonzero(data == _BLANK), account[0], len(data)) >= account[1]
    columns = _sides(data, begins, chosen, tokens, account, count)
    pieces = tokens.only(_PURPOSE[tokens.code])
    usual[purpose(data, pieces, columns, count)] = False
    return Text(usual, columns)


def _begins_german(block: Layout) -> Bools:
    """Whether the field begins with a code of three digits, the mark and a sub-field."""
    lines = np.minimum(block.text, len(block.starts) - 1)
    low = block.starts[lines] + _TAG
    german: Bools = block.ends[lines] - low >= _GVC + _HEADER
    for at, kind in enumerate("999?99"):
        byte = block.data[np.minimum(low + at, len(block.data) - 1)]
        german &= DIGIT[byte] if kind == "9" else byte == _MARK
    return german


def _unwrapped(block: Layout, chosen: Ints) -> tuple[Bytes, Ints]:
    """The chosen fields without tags and line ends, and where each begins in it."""
    first, stop = block.text[chosen], block.stop[chosen]
    many = stop - first
    offset = np.cumsum(many) - many
    lines = np.repeat(first - offset, many) + np.arange(many.sum())
    starts = block.starts[lines].copy()
    starts[offset] += _TAG
    data, begins = joined(block.data, (starts, block.ends[lines]))
    return data, begins[np.append(offset, len(lines))]


def _tokens(data: Bytes, begins: Ints, chosen: Ints) -> tuple[Tokens, Ints]:
    """Sub-fields of all fields, and the entries whose sub-fields do not rise."""
    marks = np.flatnonzero(data[: len(data) - 2] == _MARK)
    tens, ones = data[marks + 1], data[marks + 2]
    number = (tens - 48) * 10 + (ones - 48)  # as bytes; of no digits it means nothing
    is_code = DIGIT[tens] & DIGIT[ones] & _CODES[number]
    marks, number = marks[is_code], number[is_code]
    rank = ranks(marks, begins)
    inside = marks + _HEADER <= begins[rank + 1]
    marks, number, rank = marks[inside], number[inside], rank[inside]
    end = np.minimum(np.append(marks[1:], len(data)), begins[rank + 1])
    same = np.append(False, rank[1:] == rank[:-1])
    falls = same & np.append(False, number[1:] <= number[:-1])
    falls |= ~same & (marks != begins[rank] + _GVC)
    tokens = Tokens(number, rank, marks + _HEADER, end)
    missing = np.ones(len(chosen), np.bool_)
    missing[rank] = False
    wrong = np.concatenate((chosen[rank[falls]], chosen[missing]))
    return Tokens(tokens.code, chosen[rank], tokens.start, tokens.end), wrong


def _span(tokens: Tokens, code: int, count: int) -> Spans:
    """Where each entry's sub-field of this number stands; nowhere where it has none."""
    at = np.flatnonzero(tokens.code == code)
    return spread(tokens.entry[at], tokens.start[at], tokens.end[at], count)


def _sides(
    data: Bytes, begins: Ints, chosen: Ints, tokens: Tokens, account: Spans, count: int
) -> dict[str, Column]:
    """Business code, booking text, and the other side's bank, account and name."""
    gvc = spread(chosen, begins[:-1], begins[:-1] + _GVC, count)
    names = tokens.only((tokens.code == _NAME) | (tokens.code == _NAME + 1))
    name_data, at = joined(data, (names.start, names.end))
    name = first_to_last(names.entry, at, count)
    return {
        "gvc": strings(data, gvc, gvc[0] < gvc[1]),
        "booking_text": unsaid(data, _span(tokens, _BOOKING, count)),
        "counterparty_bic": _bics(data, _span(tokens, _BIC, count)),
        "counterparty_account": said(data, account),
        "counterparty_name": unsaid(name_data, name),
    }


def _bics(data: Bytes, spans: Spans) -> Column:
    found = unsaid(data, spans)
    is_bic = pc.match_substring_regex(found, "^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$")
    return pc.if_else(is_bic, found, NO_TEXT)
