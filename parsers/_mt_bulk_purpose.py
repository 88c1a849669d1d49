"""The purpose lines of many German ``:86:`` at once: put together, and SEPA keys taken out.

The rules are those of `parsers._field86`; an entry that needs more care is named, not read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from parsers._columns import (
    Bools,
    Bytes,
    Ints,
    Spans,
    first_to_last,
    joined,
    pc,
    ranks,
    said,
    spread,
    trimmed,
    unsaid,
)
from parsers._field86 import CUT_KEYS, WIDTH, WIDTH_SEPA

__all__ = ["Tokens", "purpose"]

_PLUS, _COLON, _BLANK = b"+: "
#: Only these may be cut by the end of a purpose line.
_CUT: Final = CUT_KEYS.split()
_NAMES: Final = [*_CUT, "BREF", "RREF", "RTRN"]
_LETTERS: Final = 4
#: Keys whose values are more than text.
_HARD: Final = np.array([name in ("COAM", "OAMT", "RTRN") for name in _NAMES])
_WORDS: Final = np.array([int.from_bytes(name.encode(), "big") for name in _NAMES])
_RANKED: Final = np.argsort(_WORDS)
#: The last letters of ``IBAN:`` and ``BIC:``, which are keys too.
_NAMED: Final = [int.from_bytes(tail, "big") for tail in (b"AN", b"IC")]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Sub-fields in order: number, entry, and where the value stands."""

    code: Bytes
    entry: Ints
    start: Ints
    end: Ints

    def only(self, chosen: Bools) -> Tokens:
        """Some of them."""
        return Tokens(self.code[chosen], self.entry[chosen], self.start[chosen], self.end[chosen])


@dataclass(frozen=True, slots=True)
class _Keys:
    """SEPA keys in order: which, of which entry, where they begin and where their value does.

    ``begun`` and ``piece`` are the pieces where they begin and end.
    """

    name: Ints
    entry: Ints
    start: Ints
    end: Ints
    begun: Ints
    piece: Ints

    def moved(self, by: Ints) -> _Keys:
        """The keys after all pieces have moved by so much."""
        return replace(self, start=self.start + by[self.begun], end=self.end + by[self.piece])


def purpose(data: Bytes, pieces: Tokens, columns: dict[str, Any], count: int) -> Ints:
    """Add what the purpose lines say to the columns.

    Returns:
        Entries that need the strict reader; what the columns say of them means nothing.
    """
    if not len(pieces.entry):
        return pieces.entry
    text, at = joined(data, (pieces.start, pieces.end))
    first = np.append(True, pieces.entry[1:] != pieces.entry[:-1])
    keys, cut, wrong = _keys(text, at, pieces.entry, first)
    sepa = np.zeros(count, np.bool_)
    sepa[keys.entry] = True
    # A piece shorter than the width was cut at a word, whose blank is missing.
    size = np.diff(at) - _further_bytes(text, at)
    width = np.where(sepa[pieces.entry], WIDTH_SEPA, WIDTH)
    blank = ~first & ~cut & np.append(False, size[:-1] < width[1:])
    spaced = data.copy()
    spaced[pieces.start[blank] - 1] = _BLANK
    text, new = joined(spaced, (pieces.start - blank, pieces.end))
    keys = keys.moved(new[:-1] - at[:-1] + blank)
    whole = first_to_last(pieces.entry, new, count)
    twice = _values(text, keys, whole, columns, count)
    return np.concatenate((wrong, pieces.entry[at[1:] == at[:-1]], twice))


def _keys(text: Bytes, at: Ints, entry: Ints, first: Bools) -> tuple[_Keys, Bools, Ints]:
    """Keys in the pieces put together, pieces that begin inside a key, and doubtful entries."""
    plus = np.flatnonzero(text == _PLUS)
    plus = plus[plus >= _LETTERS]
    word = _word(text, plus, _LETTERS)
    place = np.minimum(np.searchsorted(_WORDS[_RANKED], word), len(_WORDS) - 1)
    name = _RANKED[place]
    known = _WORDS[name] == word
    plus, name = plus[known], name[known]
    piece = ranks(plus, at)
    start = plus - _LETTERS
    back = (start < at[piece]).astype(np.int64)
    begun = piece - back
    same = (begun >= 0) & (entry[piece] == entry[begun])
    plus, start, name, piece, begun = (x[same] for x in (plus, start, name, piece, begun))
    over = begun < piece
    cut = np.zeros(len(entry), np.bool_)
    cut[piece[over]] = True
    # A key over three pieces, or one that no rule lets a bank cut.
    doubtful = _HARD[name] | (start < at[begun]) | (over & (name >= len(_CUT)))
    keys = _Keys(name, entry[piece], start, plus + 1, begun, piece)
    return keys, cut, np.concatenate((entry[piece[doubtful]], _named(text, at, entry)))


def _named(text: Bytes, at: Ints, entry: Ints) -> Ints:
    """Entries that may have the keys ``IBAN:`` or ``BIC:``."""
    content = text.tobytes()
    if b":" not in content:
        return np.empty(0, np.int64)
    colon = np.flatnonzero(text == _COLON)
    colon = colon[colon >= 2]
    colon = colon[np.isin(_word(text, colon, 2), _NAMED)]
    return entry[ranks(colon, at)]


def _word(text: Bytes, end: Ints, size: int) -> Ints:
    """The bytes before a place as one number."""
    word = np.zeros(len(end), np.int64)
    for back in range(size, 0, -1):
        word = word << 8 | text[end - back]
    return word


def _further_bytes(text: Bytes, at: Ints) -> Any:
    """Bytes of each piece that only go on with a letter; 0 where all is ASCII."""
    further = (text & 0xC0) == 0x80
    if not further.any():
        return 0
    total = np.append(0, np.cumsum(further))
    return total[at[1:]] - total[at[:-1]]


def _values(
    text: Bytes, keys: _Keys, whole: Spans, columns: dict[str, Any], count: int
) -> Ints:  # fmt: skip
    """Columns by key; entries that have a key twice, or free text beside the purpose, go back."""
    size = len(_NAMES)
    twice = np.flatnonzero(np.bincount(keys.entry * size + keys.name) > 1) // size
    entry_end = whole[1][keys.entry]
    last = np.append(keys.entry[1:] != keys.entry[:-1], True) if len(keys.entry) else keys.entry > 0
    end = np.where(last, entry_end, np.append(keys.start[1:], 0)) if len(last) else entry_end

    def value(name: str) -> Spans:
        rows = np.flatnonzero(keys.name == _NAMES.index(name))
        return spread(keys.entry[rows], keys.end[rows], end[rows], count)

    starts, ends = whole[0], whole[1].copy()
    ends[keys.entry[::-1]] = keys.start[::-1]
    free, told = trimmed(text, (starts, ends)), trimmed(text, value("SVWZ"))
    has_free, has_told = free[0] < free[1], told[0] < told[1]
    columns["narrative"] = unsaid(
        text, (np.where(has_told, told[0], free[0]), np.where(has_told, told[1], free[1]))
    )  # fmt: skip
    columns["end_to_end_id"] = said(text, value("EREF"))
    columns["payment_info_id"] = pc.coalesce(said(text, value("KREF")), said(text, value("PREF")))
    columns["mandate_id"] = said(text, value("MREF"))
    columns["purpose"] = unsaid(text, value("PURP"))
    columns["ultimate_name"] = pc.coalesce(unsaid(text, value("ABWA")), unsaid(text, value("ABWE")))
    both: Ints = np.concatenate((twice, np.flatnonzero(has_free & has_told)))
    return both
