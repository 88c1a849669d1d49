"""Given columns as the canonical tables have them, whatever they came as."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from tieout.canonical import AMOUNT
from tieout.errors import InputError

__all__ = ["FEW_VALUES", "conformed", "nothing"]

#: Columns of few values, which the engine keeps as numbers and a dictionary.
FEW_VALUES: Final = frozenset({"account_id", "currency", "kind"})
_CODED: Final[Any] = pa.dictionary(pa.int32(), pa.string())


def conformed(column: Any, field: pa.Field[Any], name: str) -> Any:
    """A column as the schema has it, in one piece; cast where nothing is lost.

    Args:
        column: as it came.
        field: of the schema.
        name: of the table, for who reads what is wrong.

    Raises:
        InputError: ``COLUMN_TYPE``.
    """
    if field.name in FEW_VALUES and name != "details":
        return _coded(column, field, name)
    return column if column.type == field.type else _cast(column, field, name)


def nothing(kind: Any, count: int) -> Any:
    """A column of nulls that takes no memory of its own."""
    if pa.types.is_string(kind):
        zeros = _zeros(4 * (count + 1))
        return pa.Array.from_buffers(kind, count, [zeros, zeros, zeros], null_count=count)
    if pa.types.is_decimal(kind) or pa.types.is_integer(kind) or pa.types.is_date(kind):
        zeros = _zeros(16 * (count + 1))
        return pa.Array.from_buffers(kind, count, [zeros, zeros], null_count=count)
    return pa.nulls(count, kind)


def _zeros(size: int) -> Any:
    memory: Any = np.zeros(size, dtype="uint8")  # of pages nobody touches there is only one
    return pa.py_buffer(memory)


def _coded(given: Any, field: pa.Field[Any], name: str) -> Any:
    """Texts of few values as numbers and a dictionary without repeats."""
    if given.type == _CODED:
        known = given.dictionary
        if not known.null_count and len(known.unique()) == len(known):
            return given
    texts = given if given.type == field.type else _cast(given, field, name)
    return texts.dictionary_encode()


def _cast(column: Any, field: pa.Field[Any], name: str) -> Any:
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
