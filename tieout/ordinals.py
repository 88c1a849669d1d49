"""Ordinals of equal entries in a file of any size: eight bytes are remembered of each."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

__all__ = ["Ordinals"]

#: Sorted runs of remembered hashes before they are merged.
_RUNS: Final = 32


class Ordinals:
    """Numbers equal entries through a file, remembering eight bytes of each."""

    def __init__(self) -> None:
        self._seen: list[np.ndarray[Any, Any]] = []
        self._last: dict[int, int] = {}

    def of(self, digests: list[bytes]) -> list[int]:
        """The number of each, one for the first of its kind."""
        hashes = np.frombuffer(b"".join(d[:8] for d in digests), dtype="<u8")
        numbers = [1] * len(digests)
        unique, counts = np.unique(hashes, return_counts=True)
        before = np.zeros(len(unique), dtype=bool)
        for seen in self._seen:
            at = np.minimum(np.searchsorted(seen, unique), len(seen) - 1)
            before |= seen[at] == unique
        again = unique[before | (counts > 1)]
        if len(again):
            known = set(unique[before].tolist())
            for row in np.flatnonzero(np.isin(hashes, again)).tolist():
                key = int(hashes[row])
                number = self._last.get(key, int(key in known)) + 1
                self._last[key] = numbers[row] = number
        fresh = unique[~before]
        if len(fresh):
            self._seen.append(fresh)
        if len(self._seen) > _RUNS:
            self._seen = [np.sort(np.concatenate(self._seen))]
        return numbers
