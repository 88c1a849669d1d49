"""Statements that one file holds several times: their entries get the numbers of the first copy.

What is remembered grows with the entries of distinct repeated statements, not with how often each
is there: of a copy that is over, one byte.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Final

__all__ = ["Repeats"]

_SAME, _OTHER = 1, 2
_BYTES: Final = 16  # of a digest; what they could confuse is within one file


class Repeats:
    """Takes entries of repeated statements, copy after copy."""

    def __init__(self) -> None:
        #: What the first copy of each statement said.
        self._first: dict[str, bytes] = {}
        #: Numbers of each kind of entry in the first copy, and in later ones what is new.
        self._given: dict[bytes, list[int]] = {}
        #: By place: whether a copy says what the first did; 0 where it has no entry.
        self._states = bytearray()
        self._begin("", -1)

    def _begin(self, statement_id: str, copy: int) -> None:
        self._now, self._said = (statement_id, copy), hashlib.sha256()
        self._used: Counter[bytes] = Counter()

    def number(self, digest: bytes, statement_id: str, copy: int, number: int) -> int:
        """The number of an entry among equals: the first copy's, if it has one.

        Args:
            digest: what tells the entry from others.
            statement_id: of the repeated statement.
            copy: which of the file's statements the entry is in; its entries come together.
            number: its own.
        """
        if self._now != (statement_id, copy):
            self.finish()
            self._begin(statement_id, copy)
        key = hashlib.sha256(digest + statement_id.encode()).digest()[:_BYTES]
        given, at = self._given.setdefault(key, []), self._used[key]
        self._used[key] += 1
        if at < len(given):
            number = given[at]
        else:
            given.append(number)
        self._said.update(digest + number.to_bytes(8, "big"))
        return number

    def finish(self) -> None:
        """All entries of the copy were given."""
        statement_id, copy = self._now
        if copy < 0:
            return
        said = self._said.digest()[:_BYTES]
        first = self._first.setdefault(statement_id, said)
        if copy >= len(self._states):
            self._states += bytes(copy + 1 - len(self._states))
        self._states[copy] = _SAME if first == said else _OTHER

    def same(self, first: int, copy: int) -> bool:
        """Whether a copy has the entries of the first, all in its order."""
        return self._state(first) == self._state(copy) != _OTHER

    def _state(self, copy: int) -> int:
        return self._states[copy] if copy < len(self._states) else 0
