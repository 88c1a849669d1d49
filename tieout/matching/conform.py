"""Given tables with exactly the canonical columns, whatever they came with."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa

from tieout.canonical import AMOUNT
from tieout.errors import InputError

__all__ = ["FEW_VALUES", "conform"]

#: Columns of few values, which the engine keeps as numbers and a dictionary.
FEW_VALUES: Final = frozenset({"account_id", "currency", "kind"})
_CODED: Final[Any] = pa.dictionary(pa.int32(), pa.string())


def conform(table: pa.Table, schema: pa.Schema, name: str) -> pa.Table:
    """Exactly the schema's columns; absent ones null, others cast where nothing is lost."""
    columns: list[Any] = []
    shared = pa.py_buffer(bytes(16 * (len(table) + 1)))  # every null column is the same zeros
    present = set(table.column_names)
    for field in schema:
        if field.name not in present:
            columns.append(_nulls(field.type, len(table), shared))
            continue
        column = table[field.name]
        if field.name in FEW_VALUES and name != "details":
            column = _coded(column, field, name)
        elif column.type != field.type:
            column = _cast(column, field, name)
        columns.append(column)
    return pa.Table.from_arrays(columns, names=schema.names)


def _coded(column: pa.ChunkedArray[Any], field: pa.Field[Any], name: str) -> Any:
    """Texts of few values as numbers and a dictionary without repeats."""
    given: Any = column.combine_chunks()
    if given.type == _CODED:
        known = given.dictionary
        if not known.null_count and len(known.unique()) == len(known):
            return given
    texts = column if given.type == field.type else _cast(column, field, name)
    return texts.combine_chunks().dictionary_encode()


def _nulls(kind: Any, count: int, zeros: pa.Buffer) -> Any:
    """A column of nulls that takes no memory of its own."""
    if pa.types.is_string(kind):
        return pa.Array.from_buffers(kind, count, [zeros, zeros, zeros], null_count=count)
    if pa.types.is_decimal(kind) or pa.types.is_integer(kind) or pa.types.is_date(kind):
        return pa.Array.from_buffers(kind, count, [zeros, zeros], null_count=count)
    return pa.nulls(count, kind)


def _cast(column: pa.ChunkedArray[Any], field: pa.Field[Any], name: str) -> pa.ChunkedArray[Any]:
    if field.type == AMOUNT and pa.types.is_floating(column.type):
        problem = f"is {column.type}: money in floating point has already lost its cents"
    else:
        try:
            return column.cast(field.type)
        except pa.ArrowNotImplementedError:
            problem = f"is {column.type}, expected {field.type}"
        except pa.ArrowInvalid as error:
            problem = f"is {column.type}, expected {field.type} ({str(error)[:120]})"
    raise InputError(
        "COLUMN_TYPE",
        f"column {field.name!r} {problem}",
        where=name,
        remedy=f"write it as {field.type}",
    )
