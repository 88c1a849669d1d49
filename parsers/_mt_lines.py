"""Lines of MT text, many at once: which of them are whole entries that nothing is odd about.

An entry is whole where it runs from ``:61:`` to the next ``:61:`` or ``:62F:``, because these open
a field wherever they stand; between them are further lines of the statement line, then ``:86:``
with its own. Any other line leaves the entry to the strict reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from parsers._columns import (
    ALNUM,
    Bools,
    Bytes,
    Ints,
    after,
    strange_bytes,
)

__all__ = ["Layout", "layout"]

_PAD: Final = 64
_TAG: Final = 4
_ENTRY, _TEXT, _CLOSING, _CLOSING_PAGE = (
    int.from_bytes(tag, "big") for tag in (b":61:", b":86:", b":62F", b":62M")
)
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
        content: the block, in UTF-8; its line ends are all LF or all CRLF.
        data: the same as numbers, behind them zeros.
        starts, ends: of each line, without its end.
        first: line of each ``:61:``.
        text: line of its (first) ``:86:``; ``stop`` where there is none.
        stop: line behind the entry: the next one with a tag that ends it.
        texts: how many ``:86:`` it has.
        whole: nothing stands in the way of reading it apart from the others.
        plain: its bytes are plain letters; where not, `parsers._mt_entry` reads it.
        ascii: whether all of the block is.
    """

    content: bytes
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


def layout(content: bytes) -> Layout:
    """Lay out a block of whole lines; its last entry is whole only where the next tag follows."""
    data = np.frombuffer(content + bytes(_PAD), np.uint8)
    feeds, returns = np.flatnonzero(data == 10), np.count_nonzero(data == 13)
    paired = returns == len(feeds) and bool((data[feeds - 1] == 13).all())
    if returns and not paired:
        return layout(content.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    ends = feeds - paired if returns else feeds
    starts = np.concatenate(([0], feeds[:-1] + 1)) if len(feeds) else feeds
    head = data[starts]
    tagged = np.flatnonzero(head == _COLON)
    kind = np.zeros(len(tagged), np.int64)
    for at in range(_TAG):
        kind = kind << 8 | data[starts[tagged] + at]
    is_text = kind == _TEXT
    first, text_lines, stops = tagged[kind == _ENTRY], tagged[is_text], tagged[~is_text]
    closing = tagged[(kind == _CLOSING) | (kind == _CLOSING_PAGE)]
    ends_entry = np.zeros(len(starts) + 1, np.bool_)
    ends_entry[first] = ends_entry[closing[data[starts[closing] + _TAG] == _COLON]] = True
    stop = after(stops, first + 1, len(starts))
    text = np.minimum(after(text_lines, first, len(starts)), stop)
    texts = np.searchsorted(text_lines, stop) - np.searchsorted(text_lines, first)
    odd = np.flatnonzero(~_goes_on(data, starts, ends, head) & (head != _COLON))
    whole = ends_entry[stop] & ~_any_between(odd, first, stop)
    low, high = starts[first], ends[np.maximum(stop - 1, 0)] if len(ends) else stop
    whole &= high - low < _ENTRY_BYTES_MAX
    plain = np.ones(len(first), np.bool_)
    strange = strange_bytes(data[: len(content)], content, len(feeds) + int(returns))
    if len(strange):
        plain = ~_any_between(strange, low, high)
    return Layout(
        content, data, starts, ends, first, text, stop, texts, whole, plain, content.isascii()
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
