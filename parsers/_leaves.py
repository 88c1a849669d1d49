"""Texts of a chunk's leaves, a whole column at a time.

Everything here gives what the strict reader's functions give for one value, or says of a leaf that
it cannot tell; those are few and go through those functions one by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from parsers._camt_layout import Rows
from parsers._tags import UnsureError, words
from parsers._text import _NO_TEXT, clean, reference
from tieout.arrays import buffer, fixed, flags, listed, masked
from tieout.identity import NO_REFERENCE

__all__ = ["Texts", "check_escapes", "is_word", "mapped", "says_nothing", "unescaped"]

Array = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]

_U64 = np.uint64
_BOTTOM: Final = np.array([(1 << 8 * n) - 1 for n in range(9)], dtype=_U64)
_FOLD: Final = _U64(0x2020202020202020)
#: What `clean` and `reference` take for nothing; capitals, by the order of the alphabet.
_NOTHING: Final = tuple(sorted(word.encode() for word in _NO_TEXT))
_NO_IDENTITY: Final = tuple(sorted({w.encode() for w in NO_REFERENCE if w} | set(_NOTHING)))
_NOTHING_MAX: Final = max(map(len, _NO_IDENTITY))
_NOTHING_FIRST = np.zeros(256, dtype=bool)
_NOTHING_FIRST[[c for word in _NO_IDENTITY for c in (word[0], word.lower()[0])]] = True
#: Of what is neither blank nor beyond ASCII, the first and how many more.
_FIRST: Final = np.uint8(0x21)
_LETTERS: Final = np.uint8(0x7E - 0x21)
_FIRST_ODD = np.zeros(256, dtype=bool)
_FIRST_ODD[:0x21] = True
_FIRST_ODD[[0xC2, 0xE1, 0xE2, 0xE3]] = True  # blanks beyond ASCII begin so
_LAST_ODD = np.zeros(256, dtype=bool)
_LAST_ODD[:0x21] = True
_LAST_ODD[[*range(0x80, 0x8B), 0x9F, 0xA0, 0xA8, 0xA9, 0xAF]] = True  # and end so
#: First bytes of what `clean` replaces (DEL) and of letters whose capitals are ASCII (dotless i,
#: long s, ligatures), with the byte that follows.
_RARE: Final = ((0xC4, 0xB1), (0xC5, 0xBF), (0xEF, 0xAC))
#: Odd texts seen before (names repeat), by whether they are references.
_MEMORY_MAX: Final = 20_000
_memory: dict[tuple[bytes, bool], tuple[str | None, bool]] = {}
_ESCAPE = re.compile(r"&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));")
_NAMED: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


def unescaped(raw: bytes) -> str:
    """Text as an XML parser gives it.

    Raises:
        UnsureError: an escape that is none of XML's own.
    """
    text = raw.decode().replace("\r\n", "\n").replace("\r", "\n")
    if "&" not in text:
        return text
    if text.count("&") != len(_ESCAPE.findall(text)):
        raise UnsureError("an unknown escape")
    return _ESCAPE.sub(_character, text)


def check_escapes(text: Bytes, raw: bytes, at: Array) -> None:
    """Every ``&`` begins an escape of XML's own.

    Raises:
        UnsureError: one does not.
    """
    word = words(text)[at]
    known = np.zeros(len(at), dtype=bool)
    for name in _NAMED:
        escape = f"&{name};".encode()
        known |= (word & _BOTTOM[len(escape)]) == _U64(int.from_bytes(escape, "little"))
    for i in at[~known].tolist():
        unescaped(raw[i : raw.find(b";", i, i + 12) + 1] or b"&")


def _character(found: re.Match[str]) -> str:
    if found[1]:
        return _NAMED[found[1]]
    code = int(found[2]) if found[2] else int(found[3], 16)
    if code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE:
        return chr(code)
    if 0x10000 <= code < 0x110000:
        return chr(code)
    raise UnsureError("an escape of no character")


def is_word(text: Bytes, start: Array, end: Array, expected: bytes) -> Array:
    """Which leaves are exactly that short word (1 to 8 bytes)."""
    size = len(expected)
    found: Array = (end - start == size) & (
        (words(text)[start] & _BOTTOM[size]) == _U64(int.from_bytes(expected, "little"))
    )
    return found


def says_nothing(text: Bytes, start: Array, end: Array, *, references: bool) -> Array:
    """Which leaves hold a word banks write where they have no text, or no reference."""
    length = end - start
    out = np.zeros(len(start), dtype=bool)
    at = np.flatnonzero(_NOTHING_FIRST[text[start]] & (length <= _NOTHING_MAX))
    if not len(at):
        return out
    start, end, length = start[at], end[at], length[at]
    word = words(text)
    head_mask = _BOTTOM[np.minimum(length, 8)]
    heads = (word[start] | _FOLD) & head_mask
    for expected in _NO_IDENTITY if references else _NOTHING:
        size = len(expected)
        folded = bytes(letter | 0x20 for letter in expected)
        near = (length == size) & (heads == _U64(int.from_bytes(folded[:8], "little")))
        if 8 < size <= 16:
            near &= (word[end - 8] | _FOLD) == _U64(int.from_bytes(folded[-8:], "little"))
        for i in np.flatnonzero(near).tolist() if size > 16 else ():
            near[i] = text[start[i] : end[i]].tobytes().upper() == expected
        out[at[near]] = True
    return out


class Texts:
    """Text leaves of a chunk, in document order within a column.

    Attributes:
        start, end: where each stands; moved by nobody.
        gone: leaves that hold nothing, and so count as absent.
    """

    def __init__(self, raw: bytes, rows: Rows) -> None:
        scan = rows.scan
        self.text, self.raw, self.start, self.end = scan.text, raw, rows.start, rows.end
        self._rows = rows
        self.gone = self.start == self.end
        self.special: dict[int, str] = {}
        self._is_special = np.zeros(len(self.start) + 1, dtype=bool)  # the last is for leaf -1
        # Every run of markup and every text behind one, and at the end a text of no bytes.
        self._none = len(scan.bounds) - 1
        bounds = np.append(scan.bounds, scan.bounds[-1])
        self._whole = pa.StringArray.from_buffers(self._none + 1, buffer(bounds), pa.py_buffer(raw))
        # A leaf without text stands inside its run; what follows the run is another's.
        self._index = np.append(np.where(self.gone, self._none, 2 * rows.run + 1), self._none)

    def settle(self, block: slice, references: slice) -> Array:
        """Find what holds nothing, and read the odd ones one by one.

        Args:
            block: the leaves that are text of any kind.
            references: which of them are references.

        Returns:
            flags of leaves whose text is only blanks: an alternative may stand elsewhere.
        """
        start, end = self.start[block], self.end[block]
        empty = start == end
        first, last = self.text.take(start), self.text.take(end - 1)
        odd = (first - _FIRST > _LETTERS) | (last - _FIRST > _LETTERS)
        near = np.flatnonzero(odd)
        odd[near] = _FIRST_ODD[first[near]] | _LAST_ODD[last[near]]
        scan = self._rows.scan
        places = np.concatenate((scan.escapes, self._rare(scan.beyond)))
        if len(places):
            odd |= self._rows.holding(places)[block]
        odd &= ~empty
        split = references.stop - block.start
        for part, flag in ((slice(0, split), True), (slice(split, len(start)), False)):
            plain = np.flatnonzero(~(odd | empty)[part]) + part.start
            nothing = says_nothing(self.text, start[plain], end[plain], references=flag)
            self.gone[block.start + plain[nothing]] = True
        blank = np.zeros(len(self.start), dtype=bool)
        for i in (np.flatnonzero(odd) + block.start).tolist():
            raw = self.raw[self.start[i] : self.end[i]]
            known = _memory.get((raw, i < references.stop))
            if known is None:
                found = unescaped(raw)
                value = reference(found) if i < references.stop else clean(found)
                known = value, not found.strip()
                if len(_memory) < _MEMORY_MAX:
                    _memory[raw, i < references.stop] = known
            value, nothing_at_all = known
            if value is None:
                self.gone[i] = True
                blank[i] = nothing_at_all
            else:
                self.special[i] = value
                self._is_special[i] = True
        return blank

    def _rare(self, beyond: Array) -> Array:
        """Places of carriage returns, of DEL and of the letters of `_RARE`."""
        byte = self.text[beyond]
        rare = byte <= 0x7F
        for first, second in _RARE:
            rare |= (byte == first) & (self.text[beyond + 1] == second)
        return beyond[rare]

    def strings(self, *leaves: Array) -> list[pa.Array[Any]]:
        """A column for each array of leaves (one leaf a row, -1 for none); all taken at once."""
        leaf = np.concatenate(leaves)
        known = leaf >= 0
        taken: Any = self._whole.take(fixed(self._index.take(leaf, mode="wrap"), pa.int64()))
        out = masked(taken, known)
        if self.special:
            out = self._patched(out, leaf)
        bounds = np.cumsum([0, *map(len, leaves)]).tolist()
        return [out.slice(a, b - a) for a, b in pairwise(bounds)]

    def _patched(self, out: pa.Array[Any], leaf: Array) -> pa.Array[Any]:
        mask = self._is_special[leaf]
        at = leaf[mask].tolist()
        if not at:
            return out
        patched: pa.Array[Any] = pc.replace_with_mask(
            out, flags(mask), listed([self.special[i] for i in at])
        )
        return patched


def mapped(
    texts: pa.Array[Any], function: Callable[[str], Any], kind: pa.DataType
) -> pa.Array[Any]:
    """The function of every distinct text (columns of few), as that type."""
    coded: Any = texts.dictionary_encode()
    values = listed([function(text) for text in coded.dictionary.to_pylist()], kind)
    return values.take(coded.indices)
