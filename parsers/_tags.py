"""The tags of a file, taken apart once: what a run of markup without text between its tags says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = [
    "EMPTY", "END", "NAMES_MAX", "START", "Array", "Bytes", "Ints", "Tag", "Tags", "UnsureError",
    "bottom", "differ", "distinct", "words",
]  # fmt: skip

Array = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.signedinteger[Any]]

_TAG = re.compile(
    rb"<(/?)((?:([A-Za-z_][A-Za-z0-9_.-]*):)?([A-Za-z_][A-Za-z0-9_.-]*))"
    rb"(?: Ccy=(?:\"([A-Za-z0-9]{1,8})\"|'([A-Za-z0-9]{1,8})'))?(/?)>"
)
START: Final = 1
END: Final = -1
#: An element by itself: ``<Nm/>``, or a start tag with its end right behind.
EMPTY: Final = 0
NAMES_MAX: Final = 600
_CODES_MAX: Final = 1_000
_U64 = np.uint64
#: For ``n`` up to 17, a word with its lowest ``n`` bytes (at most all eight) set.
bottom: Final = np.array([(1 << 8 * min(n, 8)) - 1 for n in range(18)], dtype=_U64)


class UnsureError(Exception):
    """The strict reader must decide: here is something this one does not know for certain."""


def words(text: Bytes) -> Array:
    """The eight bytes from every position on as one little-endian number (a view, no copy)."""
    return np.ndarray((len(text) - 8,), dtype="<u8", buffer=text.data, strides=(1,))


def distinct(values: Array) -> Array:
    """The different values, sorted; NumPy's own way there brings its masked arrays with it."""
    ordered = np.sort(values)
    keep = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=keep[1:])
    return ordered[keep]


def differ(values: Array) -> bool:
    """Whether no value is there twice."""
    return len(distinct(values)) == len(values)


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of a run.

    Attributes:
        kind: `START`, `END` or `EMPTY`.
        name: number of its name.
        code: number of the currency it names; 0 for none.
        index: which of the run's tags.
        begin, stop: where it stands in the run.
    """

    kind: int
    name: int
    code: int
    index: int
    begin: int
    stop: int


class Tags:
    """Names and currencies seen so far; grows while the file is read.

    Attributes:
        locals: local name of each name.
        codes: currencies by number; the first is none.
    """

    def __init__(self, prefixes: Mapping[str, Any]) -> None:
        self._prefixes = frozenset(prefixes)
        self._names: dict[bytes, int] = {}
        self.locals: list[str] = []
        self.codes = [""]

    def name_id(self, name: bytes) -> int:
        """The number of a qualified name.

        Raises:
            UnsureError: there are too many.
        """
        known = self._names.get(name)
        if known is None:
            if len(self._names) >= NAMES_MAX:
                raise UnsureError("too many names")
            known = self._names[name] = len(self._names)
            self.locals.append(name.rpartition(b":")[2].decode())
        return known

    def parsed(self, run: bytes) -> tuple[Tag, ...]:
        """The tags of a run of markup.

        Raises:
            UnsureError: it is not plain markup.
        """
        tags: list[Tag] = []
        at = 0
        while at < len(run):
            found = _TAG.match(run, at)
            if found is None:
                raise UnsureError(f"markup {run[at : at + 40]!r}")
            end, name, prefix, _, double, single, empty = found.groups()
            currency = double or single
            if (end and (empty or currency)) or (prefix and prefix.decode() not in self._prefixes):
                raise UnsureError(f"tag {found.group()[:40]!r}")
            kind = END if end else EMPTY if empty else START
            code = self._code(currency.decode()) if currency else 0
            tags.append(Tag(kind, self.name_id(name), code, len(tags), at, found.end()))
            at = found.end()
        return tuple(tags)

    def _code(self, code: str) -> int:
        if code not in self.codes:
            if len(self.codes) >= _CODES_MAX:
                raise UnsureError("too many currencies")
            self.codes.append(code)
        return self.codes.index(code)
