"""Lines of MT text, many at once: which of them are whole entries that nothing is odd about.

An entry is whole where it runs from ``:61:`` to the next ``:61:`` or ``:62F:``, because these open
a field wherever they stand; between them are further lines of the statement line, then ``:86:``
with its own. Any other line leaves the entry to the strict reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from parsers._columns import ALNUM, Bools, Bytes, Ints, after, is_plain

__all__ = ["Layout", "layout"]

_PAD: Final = 64
_ENTRY, _TEXT = (int.from_bytes(tag, "big") for tag in (b":61:", b":86:"))
_CLOSINGS: Final = [int.from_bytes(tag, "big") for tag in (b":62F", b":62M")]
_COLON, _BLANK, _DASH = b": -"
#: How far the first letter of a line may be indented.
_INDENT: Final = 8
#: Longest entry read here; far from the longest field (1,000,000 characters).
_ENTRY_BYTES_MAX: Final = 100_000

#: First letters of a line that can only go on with the field before.
_GOES_ON = np.zeros(256, np.bool_)
_GOES_ON[33:127] = True
_GOES_ON[list(b":-${")] = False


@dataclass(frozen=True, slots=True)
class Layout:
    """The lines of a block, and its entries.

    Attributes:
        data: bytes of the block (UTF-8), behind them zeros.
        starts, ends: of each line, without its end.
        first: line of each ``:61:``.
        text: line of its (first) ``:86:``; ``stop`` where there is none.
        stop: line behind the entry: the next one with a tag that ends it.
        texts: how many ``:86:`` it has.
        whole: nothing stands in the way of reading it apart from the others.
        plain: its bytes are plain letters; where not, `parsers._mt_entry` reads it.
        odd_bytes: whether any byte of the block is beyond ASCII.
    """

    data: Bytes
    starts: Ints
    ends: Ints
    first: Ints
    text: Ints
    stop: Ints
    texts: Ints
    whole: Bools
    plain: Bools
    ascii: bool


def layout(block: bytes) -> Layout:
    """Lay out a block of whole lines; its last entry is whole only where the next tag follows."""
    data = np.frombuffer(block + bytes(_PAD), np.uint8)
    ends = np.flatnonzero(data == 10)
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    kind = np.zeros(len(starts), np.int64)
    for at in range(4):
        kind = kind << 8 | data[starts + at]
    head = data[starts]
    is_entry, is_text = kind == _ENTRY, kind == _TEXT
    closing = np.isin(kind, _CLOSINGS) & (data[starts + 4] == _COLON)
    first = np.flatnonzero(is_entry)
    stop = after(np.flatnonzero((head == _COLON) & ~is_text), first + 1, len(starts))
    odd = ~_goes_on(data, starts, ends, head) & (head != _COLON)
    text_lines = np.flatnonzero(is_text)
    text = np.minimum(after(text_lines, first, len(starts)), stop)
    texts = np.searchsorted(text_lines, stop) - np.searchsorted(text_lines, first)
    ended = np.append(is_entry | closing, False)[stop]
    whole = ended & ~_any_between(np.flatnonzero(odd), first, stop)
    last = ends[np.maximum(stop - 1, 0)] if len(ends) else stop
    whole &= last - starts[first] < _ENTRY_BYTES_MAX
    strange = is_plain(data[: len(block)])
    plain = np.ones(len(first), np.bool_)
    if strange is not None:
        plain = ~_any_between(np.flatnonzero(strange), starts[first], last)
    return Layout(
        data, starts, ends, first, text, stop, texts, whole, plain, block.isascii()
    )  # fmt: skip


def _goes_on(data: Bytes, starts: Ints, ends: Ints, head: Bytes) -> Bools:
    """Lines that can only go on with the field before: not blank, no tag, mark or envelope."""
    good = _GOES_ON[head]
    dashes = np.flatnonzero(head == _DASH)
    good[dashes] = ALNUM[data[starts[dashes] + 1]]
    blanks = np.flatnonzero(head == _BLANK)
    for indent in range(1, _INDENT):
        at = starts[blanks] + indent
        blank = data[at] == _BLANK
        good[blanks] = ~blank & _GOES_ON[data[at]] & (at < ends[blanks])
        blanks = blanks[blank]
    return good


def _any_between(places: Ints, low: Ints, high: Ints) -> Bools:
    """Whether any of the ordered places is in [low, high)."""
    between: Bools = np.searchsorted(places, low) < np.searchsorted(places, high)
    return between
