"""Arrow arrays from numpy and from Python values, without ``pa.array``.

``pa.array`` and ``pa.scalar`` import pandas to ask whether they were given a series: half a second
and 60 MB, more than reading a file of 20 MB takes here.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = [
    "blank",
    "buffer",
    "fixed",
    "flags",
    "handles",
    "listed",
    "masked",
    "table",
    "whole",
    "without_pandas",
    "word",
]

Array = npt.NDArray[Any]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY: Final = date(1970, 1, 1).toordinal()
_MICROSECOND: Final = timedelta(microseconds=1)


def buffer(values: Array) -> pa.Buffer:
    """The numbers' own memory."""
    memory: Any = np.ascontiguousarray(values)
    return pa.py_buffer(memory)


def fixed(values: Array, kind: pa.DataType, known: Array | None = None) -> pa.Array[Any]:
    """Numbers as an array of that type (of the same width), null where not known."""
    return pa.Array.from_buffers(kind, len(values), [_mask(known), buffer(values)])


def flags(values: Array, known: Array | None = None) -> pa.Array[Any]:
    """Truth values as an array."""
    bits = buffer(np.packbits(values, bitorder="little"))
    return pa.Array.from_buffers(pa.bool_(), len(values), [_mask(known), bits])


def masked(values: Any, known: Array) -> Any:
    """The same texts (an array that begins at its buffers' first), null where not known."""
    _, ends, data = values.buffers()
    return pa.StringArray.from_buffers(len(values), ends, data, _mask(known))


def handles(rows: Array) -> Any:
    """Row numbers as Arrow takes them; a negative one is none, and takes a null."""
    numbers = np.ascontiguousarray(rows, dtype=np.int64)
    known = None if not len(numbers) or numbers.min() >= 0 else numbers >= 0
    return fixed(numbers, pa.int64(), known)


def listed(values: Sequence[Any], kind: pa.DataType = pa.string()) -> pa.Array[Any]:  # noqa: B008
    """Python values (None is null) as an array of a type the canonical tables have.

    Raises:
        OverflowError: a value does not fit.
    """
    known = np.array([value is not None for value in values], dtype=bool)
    if pa.types.is_string(kind):
        return _texts(values, known)
    if pa.types.is_boolean(kind):
        return flags(np.array([bool(value) for value in values], dtype=bool), known)
    if pa.types.is_decimal(kind):
        raw = b"".join(_unscaled(value, kind) for value in values)
        return fixed(np.frombuffer(raw, dtype=np.uint8).reshape(-1, 16), kind, known)
    if pa.types.is_date32(kind):
        days = [_FIRST_DAY if value is None else value.toordinal() for value in values]
        return fixed(np.array(days, dtype=np.int32) - np.int32(_FIRST_DAY), kind, known)
    if pa.types.is_list(kind):
        ends = np.cumsum([0, *(len(value or ()) for value in values)], dtype=np.int32)
        items = listed([item for value in values for item in value or ()], kind.value_type)
        return _nested(kind, values, [_mask(known), buffer(ends)], [items])
    if pa.types.is_struct(kind):
        fields = [listed([v and v.get(f.name) for v in values], f.type) for f in kind]
        return _nested(kind, values, [_mask(known)], fields)
    if pa.types.is_timestamp(kind):
        ticks = [0 if value is None else (value - _EPOCH) // _MICROSECOND for value in values]
    else:
        ticks = [0 if value is None else value for value in values]
    return fixed(np.array(ticks, dtype=np.int64), kind, known)


class _NoPandas:
    """Answers who wants to import pandas."""

    def find_spec(self, name: str, *_: object) -> None:
        """Leaves all other modules to whoever else finds them."""
        if name == "pandas":
            raise ModuleNotFoundError(name, name=name)


def without_pandas() -> None:
    """Let Arrow ask for pandas now, once for this process, and be told that there is none.

    For commands that make many arrays by ``pa.array`` and never a frame.
    """
    if "pandas" in sys.modules:
        return
    hide: Any = _NoPandas()
    sys.meta_path.insert(0, hide)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(hide)


def word(text: str | None) -> Any:
    """A text (or none) as Arrow's functions take it; of a ``str`` they make it by ``pa.scalar``."""
    return listed([text])[0]


def whole(column: Any) -> Any:
    """A table's column as one array; ``combine_chunks`` of one without rows is ``pa.array``."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.nulls(0, column.type)


def blank(schema: pa.Schema) -> pa.Table:
    """A table without rows; ``empty_table`` would make it with ``pa.array``."""
    return pa.Table.from_batches([], schema=schema)


def table(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """As `tieout.canonical.table`, for few rows.

    Raises:
        OverflowError: a value does not fit.
    """
    columns = [listed([row.get(f.name) for row in rows], f.type) for f in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _mask(known: Array | None) -> pa.Buffer | None:
    if known is None or known.all():
        return None
    return buffer(np.packbits(known, bitorder="little"))


def _nested(
    kind: Any, values: Sequence[Any], buffers: list[Any], parts: list[Any]
) -> pa.Array[Any]:
    made: pa.Array[Any] = pa.Array.from_buffers(kind, len(values), buffers, children=parts)
    return made


def _texts(values: Sequence[str | None], known: Array) -> pa.Array[Any]:
    encoded = [(value or "").encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.StringArray.from_buffers(
        len(encoded), buffer(ends), pa.py_buffer(b"".join(encoded)), _mask(known)
    )


def _unscaled(value: Decimal | None, kind: Any) -> bytes:
    scaled = (value or Decimal(0)).scaleb(kind.scale)
    whole = int(scaled)
    if whole != scaled or abs(whole) >= 10**kind.precision:
        raise OverflowError(f"{value} does not fit")
    return whole.to_bytes(16, "little", signed=True)
