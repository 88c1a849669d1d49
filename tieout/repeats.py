"""Statements that one file holds several times: their entries get the numbers of the first copy.

What is remembered grows with the distinct statements, not with how often each is there: of a copy
that is over two bits would do.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Repeats"]

_SAME, _OTHER = 1, 2


@dataclass(slots=True)
class _Told:
    """A repeated statement.

    Attributes:
        copy: place of the copy being read, and `said` what it says so far.
        first: what the first copy said, when it is over.
        given: numbers of each kind of entry in the first copy, and in later ones what is new.
        used: how many of each kind the copy being read has.
    """

    copy: int
    said: Any = field(default_factory=hashlib.sha256)
    first: bytes = b""
    given: dict[bytes, list[int]] = field(default_factory=dict)
    used: Counter[bytes] = field(default_factory=Counter)


class Repeats:
    """Takes entries of repeated statements, copy after copy."""

    def __init__(self) -> None:
        self._statements: dict[str, _Told] = {}
        self._states = bytearray()

    def number(self, digest: bytes, statement_id: str, copy: int, number: int) -> int:
        """The number of an entry among equals: the first copy's, if it has one.

        Args:
            digest: what tells the entry from others.
            statement_id: of the repeated statement.
            copy: which of its copies the entry is in.
            number: its own.
        """
        told = self._statements.setdefault(statement_id, _Told(copy))
        if told.copy != copy:
            self._over(told)
            told.copy, told.said, told.used = copy, hashlib.sha256(), Counter()
        given = told.given.setdefault(digest, [])
        at = told.used[digest]
        told.used[digest] += 1
        if at < len(given):
            number = given[at]
        else:
            given.append(number)
        told.said.update(digest + number.to_bytes(8, "big"))
        return number

    def finish(self) -> None:
        """All entries were given."""
        for told in self._statements.values():
            self._over(told)

    def same(self, first: int, copy: int) -> bool:
        """Whether a copy has the entries of the first, all in its order."""
        return self._state(first) == self._state(copy) != _OTHER

    def _state(self, copy: int) -> int:
        return self._states[copy] if copy < len(self._states) else 0

    def _over(self, told: _Told) -> None:
        said = told.said.digest()
        told.first = told.first or said
        if told.copy >= len(self._states):
            self._states += bytes(told.copy + 1 - len(self._states))
        self._states[told.copy] = _SAME if told.first == said else _OTHER
