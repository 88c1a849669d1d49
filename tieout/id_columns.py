"""Columns of ids: what tells rows apart as bytes, and local ids replaced, many at once.

Nothing here goes through ``pa.array``, for the reason `tieout.arrays` gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute

from tieout.arrays import buffer, listed, whole

__all__ = [
    "ID_DIGITS",
    "LocalIds",
    "hexadecimal",
    "keys_of",
    "mapped",
    "repeated",
    "replaced",
    "row_of",
]

#: The stubs know too few of its signatures.
pc: Any = pyarrow.compute

#: Hexadecimal digits of an id.
ID_DIGITS: Final = 32
_ID_BYTES: Final = ID_DIGITS // 2

_COLON, _NULL, _BAR = (listed([text]).cast(pa.binary())[0] for text in (":", "-", "|"))


class LocalIds(Mapping[str, str]):
    """The ids that stand for local ones; of local ids that count from one, 16 bytes each."""

    def __init__(self) -> None:
        self._ids = bytearray()
        self._odd: dict[str, int] = {}

    def __setitem__(self, local: str, known: str) -> None:
        if local != str(len(self) + 1):
            self._odd[local] = len(self)
        self._ids += bytes.fromhex(known)

    def place(self, local: str) -> int:
        """How many were set before this one.

        Raises:
            KeyError: it was not set.
        """
        if local in self._odd:
            return self._odd[local]
        if not local.isdecimal() or not 0 < int(local) <= len(self):
            raise KeyError(local)
        return int(local) - 1

    def __getitem__(self, local: str) -> str:
        at = self.place(local) * _ID_BYTES
        return self._ids[at : at + _ID_BYTES].hex()

    def __iter__(self) -> Iterator[str]:
        odd = {place: local for local, place in self._odd.items()}
        yield from (odd.get(place, str(place + 1)) for place in range(len(self)))

    def __len__(self) -> int:
        return len(self._ids) // _ID_BYTES


def keys_of(rows: pa.Table, kind: str, columns: Sequence[str]) -> Any:
    """The bytes that tell a row from others: each value behind its length, null as nothing."""
    parts = [listed([kind]).cast(pa.binary())[0]]
    for name in columns:
        value = rows[name].cast(pa.string()).cast(pa.binary())
        length = pc.binary_length(value).cast(pa.string()).cast(pa.binary())
        told = pc.binary_join_element_wise(length, value, _COLON)
        parts.append(pc.fill_null(told, _NULL))
    return pc.binary_join_element_wise(*parts, _BAR)


def hexadecimal(digests: Sequence[bytes]) -> Any:
    """The ids that digests give: their first `ID_DIGITS` digits."""
    digits = b"".join(digest[:_ID_BYTES] for digest in digests).hex().encode()
    ends = np.arange(0, len(digits) + 1, ID_DIGITS, dtype=np.int32)
    return pa.StringArray.from_buffers(len(digests), buffer(ends), pa.py_buffer(digits))


def mapped(rows: pa.Table, name: str, ids: Mapping[str, str]) -> pa.Table:
    """The rows with local ids of a column replaced.

    Raises:
        KeyError: a row belongs to nothing the reader yielded.
    """
    local = whole(rows[name]).dictionary_encode()
    known = listed([ids[each] for each in local.dictionary.to_pylist()])
    return replaced(rows, name, known.take(local.indices))


def row_of(rows: pa.Table, name: str, local: Any, ids: Any) -> pa.Table:
    """The same where the local ids and what stands for them are columns.

    Raises:
        KeyError: a row belongs to nothing the reader yielded.
    """
    at = pc.index_in(whole(rows[name]), value_set=local)
    if at.null_count:
        raise KeyError(rows[name].to_pylist()[at.is_null().to_pylist().index(True)])
    return replaced(rows, name, ids.take(at))


def repeated(text: str, count: int) -> Any:
    """A column of one text."""
    return listed([text]).take(listed([0] * count, pa.int64()))


def replaced(rows: pa.Table, name: str, values: Any) -> pa.Table:
    """The rows with other values in a column."""
    at = rows.schema.get_field_index(name)
    return rows.set_column(at, rows.schema.field(at), values)
