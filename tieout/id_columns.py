"""Columns of ids: what tells rows apart as bytes, and local ids replaced, many at once.

Nothing here goes through ``pa.array``, for the reason `tieout.arrays` gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute

from tieout.arrays import buffer, listed, whole

__all__ = ["ID_DIGITS", "hexadecimal", "keys_of", "mapped", "repeated", "replaced", "row_of"]

#: The stubs know too few of its signatures.
pc: Any = pyarrow.compute

#: Hexadecimal digits of an id.
ID_DIGITS: Final = 32

_COLON, _NULL, _BAR = (listed([text]).cast(pa.binary())[0] for text in (":", "-", "|"))


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
    digits = b"".join(digest[: ID_DIGITS // 2] for digest in digests).hex().encode()
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
