"""Statements of a BAI2 file that wait for its trailers, a few bytes each."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from tieout.arrays import flags
from tieout.canonical import STATEMENTS, table
from tieout.identity import content_id

__all__ = ["Pages", "Waiting"]

#: Rows that are dictionaries at the same time.
_AT_ONCE: Final = 500


class Waiting:
    """Rows of statements, of which whole runs may yet turn out to be incomplete."""

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []
        self._tables: list[pa.Table] = []
        self._incomplete = bytearray()

    def __len__(self) -> int:
        return len(self._incomplete)

    def add(self, row: dict[str, Any]) -> None:
        """A statement whose account is closed."""
        self._incomplete.append(row["incomplete"])
        self._rows.append(row)
        if len(self._rows) >= _AT_ONCE:
            self._settle()

    def damaged(self, first: int, stop: int) -> None:
        """These are incomplete."""
        self._incomplete[first:stop] = b"\1" * (stop - first)

    def take(self) -> pa.Table:
        """All of them, in order; none waits any more."""
        self._settle()
        rows = pa.concat_tables(self._tables)
        at = rows.schema.get_field_index("incomplete")
        known = flags(np.frombuffer(bytes(self._incomplete), np.uint8).astype(np.bool_))
        self.__init__()  # type: ignore[misc]
        return rows.set_column(at, STATEMENTS.field(at), known)

    def _settle(self) -> None:
        self._tables.append(table(self._rows, STATEMENTS))
        self._rows = []


class Pages:
    """Tells apart what an account has twice of a day: the same again, or a further page."""

    def __init__(self) -> None:
        self._places: dict[bytes, int] = {}
        self._counts: dict[bytes, int] = {}

    def place(self, key: tuple[object, ...], digest: bytes) -> int:
        """The number of a content among those of the same key; one for the first."""
        own = bytes.fromhex(content_id(*key))
        whole = own + digest
        if whole not in self._places:
            self._counts[own] = self._places[whole] = self._counts.get(own, 0) + 1
        return self._places[whole]
