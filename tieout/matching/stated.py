"""References as one side states them, and the texts they stand for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tieout.arrays import handles
from tieout.matching.meet import bucket

__all__ = ["Stated", "Texts", "merged"]

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

_NO_ROWS: Final = np.zeros(0, dtype="int64")
_NO_CODES: Final = np.zeros(0, dtype="uint64")


@dataclass(frozen=True, slots=True)
class Stated:
    """References as one side states them: the row that does, the code, the normal form's place.

    ``row`` is an entry's, a detail's or an item's handle; ``place`` is into `References.texts`.
    """

    row: Ints
    code: Codes
    place: Ints

    def __len__(self) -> int:
        return len(self.row)

    def where(self, keep: Flags) -> Stated:
        """Those that are flagged."""
        at = np.flatnonzero(keep)
        if len(at) == len(keep):
            return self
        return Stated(self.row[at], self.code[at], self.place[at])

    def on(self, rows: Ints) -> Stated:
        """The same, stated by other rows (a detail's references as its entry's)."""
        return Stated(rows[self.row], self.code, self.place)


def merged(parts: Iterable[Stated]) -> Stated:
    """Several fields as one; the same reference of the same row only once."""
    found = [part for part in parts if len(part)]
    if not found:
        return Stated(_NO_ROWS, _NO_CODES, _NO_ROWS)
    if len(found) == 1:
        return found[0]
    row = np.concatenate([p.row for p in found])
    code = np.concatenate([p.code for p in found])
    place = np.concatenate([p.place for p in found])
    # Only a row that states several references can state one of them twice.
    many = np.flatnonzero(np.bincount(row)[row] > 1)
    both = bucket(row[many], code[many])
    ordered = np.sort(both)
    if (ordered[1:] != ordered[:-1]).all():
        return Stated(row, code, place)
    order = np.argsort(both)
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    keep = np.ones(len(row), dtype=bool)
    keep[many] = False
    keep[np.minimum.reduceat(many[order], starts)] = True
    return Stated(row, code, place).where(keep)


class Texts:
    """Normal forms by place, in as many arrays as were added."""

    def __init__(self) -> None:
        self._arrays: list[Any] = []
        self._firsts: list[int] = []
        self._count = 0

    def add(self, texts: Any) -> int:
        """Keep them; returns the place of the first."""
        first = self._count
        self._arrays.append(texts)
        self._firsts.append(first)
        self._count += len(texts)
        return first

    def take(self, places: Ints) -> Any:
        """The texts at the places."""
        if not len(places):
            return pa.array([], pa.string())
        source = np.searchsorted(np.array(self._firsts), places, side="right") - 1
        used = np.flatnonzero(np.bincount(source, minlength=len(self._arrays)))
        if len(used) == 1:
            only = int(used[0])
            return self._arrays[only].take(handles(places - self._firsts[only]))
        parts, at = [], np.empty(len(places), dtype="int64")
        done = 0
        for one in used.tolist():
            mine = np.flatnonzero(source == one)
            parts.append(self._arrays[one].take(handles(places[mine] - self._firsts[one])))
            at[mine] = np.arange(done, done + len(mine))
            done += len(mine)
        return pa.concat_arrays(parts).take(handles(at))
