"""The tags of a file, by their bytes: numbered as they are first seen, found again by the array."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["NAMES_MAX", "Array", "Bytes", "Ints", "Tags", "UnsureError", "bottom", "words"]

Array = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.signedinteger[Any]]

_TAG = re.compile(
    rb"(/?)((?:([A-Za-z_][A-Za-z0-9_.-]*):)?([A-Za-z_][A-Za-z0-9_.-]*))"
    rb"(?: Ccy=(?:\"([A-Za-z0-9]{1,8})\"|'([A-Za-z0-9]{1,8})'))?(/?)"
)
_START, _END, _EMPTY = 1, -1, 0
_TAGS_MAX: Final = 1_000
NAMES_MAX: Final = 600
_SLOTS: Final = 16  # bits
_STEP: Final = 1 << 14
_U64 = np.uint64
_SECOND: Final = np.array([(1 << 8 * max(min(n - 8, 8), 0)) - 1 for n in range(18)], dtype=_U64)
#: For ``n`` up to 17, a word with its lowest ``n`` bytes (at most all eight) set.
bottom: Final = np.array([(1 << 8 * min(n, 8)) - 1 for n in range(18)], dtype=_U64)


class UnsureError(Exception):
    """The strict reader must decide: here is something this one does not know for certain."""


def words(text: Bytes) -> Array:
    """The eight bytes from every position on as one little-endian number (a view, no copy)."""
    return np.ndarray((len(text) - 8,), dtype="<u8", buffer=text.data, strides=(1,))


class Tags:
    """Names and tags seen so far; grows while the file is read.

    Attributes:
        locals: local name of each name.
        currency_of: of each tag, its ``Ccy`` or nothing.
        is_empty: of each tag, whether it is an element by itself.
        names: of each tag, its name's number.
        sizes: of each tag, its name's bytes.
    """

    def __init__(self, prefixes: Mapping[str, Any]) -> None:
        self._prefixes = frozenset(prefixes)
        self._tags: list[bytes] = [b""]
        self._tag_ids: dict[bytes, int] = {}
        self._names: dict[bytes, int] = {}
        self.locals: list[str] = []
        self._kind, self._name, self._size = [_START], [-1], [0]
        self.currency_of = [""]
        self._multiplier = _U64(0x9E3779B97F4A7C15)
        self._rebuild()

    def _name_id(self, name: bytes) -> int:
        known = self._names.get(name)
        if known is None:
            if len(self._names) >= NAMES_MAX:
                raise UnsureError("too many names")
            known = self._names[name] = len(self._names)
            self.locals.append(name.rpartition(b":")[2].decode())
        return known

    def _learn(self, tag: bytes) -> int:
        """The number of a tag seen for the first time."""
        found = _TAG.fullmatch(tag)
        if found is None or len(self._tags) >= _TAGS_MAX:
            raise UnsureError(f"markup {tag[:40]!r}")
        end, name, prefix, _, double, single, empty = found.groups()
        currency = double or single
        if (end and (empty or currency)) or (prefix and prefix.decode() not in self._prefixes):
            raise UnsureError(f"tag {tag[:40]!r}")
        number = self._tag_ids[tag] = len(self._tags)
        self._tags.append(tag)
        self._kind.append(_END if end else _EMPTY if empty else _START)
        self._name.append(self._name_id(name))
        self._size.append(len(name))
        self.currency_of.append(currency.decode() if currency else "")
        return number

    def _rebuild(self) -> None:
        """Lookup tables after a new tag: a multiplier that gives each short tag its own slot."""
        short = [n for n, tag in enumerate(self._tags) if n and len(tag) <= 16]
        self._first = np.zeros(len(self._tags), dtype=_U64)
        self._second = np.zeros(len(self._tags), dtype=_U64)
        for n in short:
            padded = self._tags[n].ljust(16, b"\0")
            self._first[n] = int.from_bytes(padded[:8], "little")
            self._second[n] = int.from_bytes(padded[8:], "little")
        keys = np.array(short, dtype=np.int64)
        for turn in range(500):
            slots = self._slots(self._first[keys], self._second[keys])
            if len(np.unique(slots)) == len(slots):
                break
            self._multiplier = _U64((0x9E3779B97F4A7C15 * (2 * turn + 3)) % (1 << 64) | 1)
        else:
            raise UnsureError("too many tags")
        self._slot = np.zeros(1 << _SLOTS, dtype=np.int16)
        self._slot[slots] = keys
        self.is_empty = np.array(self._kind) == _EMPTY
        self.names = np.array(self._name, dtype=np.int16)
        self.sizes = np.array(self._size, dtype=np.int32)

    def _slots(self, first: Array, second: Array) -> Array:
        mixed = (first ^ (second * _U64(0xC2B2AE3D27D4EB4F))) * self._multiplier
        return (mixed >> _U64(64 - _SLOTS)).astype(np.int64)

    def numbers_of(self, chunk: bytes, text: Bytes, opens: Ints, length: Ints) -> Array:
        """The numbers of tags that open there; new ones are learnt on the way.

        Raises:
            UnsureError: one is not plain markup.
        """
        out = np.empty(len(opens), dtype=np.int16)
        for at in range(0, len(opens), _STEP):  # a step's arrays fit a cache
            part = slice(at, at + _STEP)
            out[part] = self._numbers_of(chunk, text, opens[part], length[part])
        return out

    def _numbers_of(self, chunk: bytes, text: Bytes, opens: Ints, length: Ints) -> Array:
        word = words(text)
        first = word[opens + 1] & bottom[np.minimum(length, 8)]
        second = np.zeros(len(opens), dtype=_U64)
        more = np.flatnonzero(length > 8)
        second[more] = word[opens[more] + 9] & _SECOND[np.minimum(length[more], 17)]
        long = np.flatnonzero(length > 16)
        while True:
            tag = self._slot[self._slots(first, second)]
            wrong = (self._first[tag] != first) | (self._second[tag] != second)
            wrong[long] = False
            missing = np.flatnonzero(wrong)
            if not len(missing):
                break
            known = len(self._tags)
            for i in missing[:20_000]:
                name = chunk[opens[i] + 1 : opens[i] + 1 + length[i]]
                if name not in self._tag_ids:
                    self._learn(name)
            if len(self._tags) == known:
                raise UnsureError("an empty tag")
            self._rebuild()
        if len(long):
            known = len(self._tags)
            for i in long:
                name = chunk[opens[i] + 1 : opens[i] + 1 + length[i]]
                tag[i] = self._tag_ids.get(name) or self._learn(name)
            if len(self._tags) != known:
                self._rebuild()
        return tag
