"""Weights: the rows' amounts as whole minor units, straight from the decimals' own bits."""

from __future__ import annotations

from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.errors import InputError
from tieout.matching.columns import Columns
from tieout.matching.meet import bucket
from tieout.matching.normal import texts_bytes
from tieout.money import exponent_of, is_currency

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["minor_units", "weigh"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: From so many ids on, sorting their hashes is faster than a set.
_MANY: Final = 100_000
_SCALE: Final = 5
#: Minor units in one unit by exponent; an unknown currency's (-1, so the last) weighs nothing.
_POWERS: Final = np.array([1, 10, 100, 1_000, 10_000, 100_000, 1], dtype="int32")


def weigh(
    columns: Columns, side: str, id_column: str, currency: Any, amounts: Any
) -> tuple[Ints, Ints, list[tuple[str, str, str]], Flags]:
    """Minor units of every row and how many are one; rows that have none are taken out and listed.

    Returns:
        Both of the rows that stay, those taken out, and which of all stay.
    """
    ids = columns.all(id_column, lasting=True)
    if ids.null_count:
        raise InputError("ID_MISSING", f"{id_column} is null", where=f"{side} table")
    if not _all_differ(ids):
        counts = pc.value_counts(ids)
        twice = pc.min(counts.filter(pc.greater(counts.field("counts"), 1)).field("values"))
        raise InputError(
            "ID_REPEATED",
            f"{id_column} {twice.as_py()!r} stands there more than once",
            where=f"{side} table",
            remedy="give every row its own id",
        )
    exponents = _exponents(currency)
    unit = _POWERS[exponents]
    weight, exact = minor_units(amounts, unit)
    fit = exact if not (exponents < 0).any() else exact & (exponents >= 0)
    if fit.all():
        return weight, unit, [], fit
    bad = [
        (side, str(row), "its currency is unknown" if power < 0 else "its amount does not fit")
        for row, power in zip(
            ids.filter(pa.array(~fit)).to_pylist(), exponents[~fit].tolist(), strict=True
        )
    ]
    columns.keep(fit)
    return weight[fit], unit[fit], bad, fit


def _all_differ(ids: pa.Array[Any]) -> bool:
    """Whether no id repeats, by 64-bit hashes; a collision costs an exact count, nothing more."""
    if len(ids) < _MANY:
        return len(set(ids.to_pylist())) == len(ids)
    ordered = np.sort(_codes(ids))
    if not (ordered[1:] == ordered[:-1]).any():
        return True
    return bool(pc.count_distinct(ids).as_py() == len(ids))


def _codes(ids: pa.Array[Any]) -> npt.NDArray[np.uint64]:
    """A 64-bit code for each id."""
    raw, starts = texts_bytes(ids)
    lengths = np.diff(starts)
    if lengths[0] and not (lengths % 8).any() and (lengths == lengths[0]).all():
        words = raw.view("uint64").reshape(len(ids), -1)
        return bucket(*(words[:, column] for column in range(words.shape[1])))
    with duckdb.connect(":memory:", config={"threads": 1}) as db:
        db.register("ids", pa.table({"id": ids}))
        hashed = db.sql("SELECT hash(id) AS h FROM ids").to_arrow_table()["h"]
    made: npt.NDArray[np.uint64] = hashed.to_numpy()
    return made


def _exponents(currency: pa.Array[Any]) -> Ints:
    """Decimals of each row's currency; -1 where it is unknown."""
    coded: Any = currency.dictionary_encode()
    known = [exponent_of(c) if is_currency(c) else -1 for c in coded.dictionary.to_pylist()]
    index = pc.fill_null(coded.indices, len(known)).to_numpy(zero_copy_only=False)
    numbers: Ints = np.array([*known, -1], dtype="int8")[index]
    return numbers


def minor_units(amounts: pa.Array[Any], unit: Ints) -> tuple[Ints, Flags]:
    """Minor units (``unit`` of them are one) and whether each is exact, from the decimals' bits."""
    count = len(amounts)
    if not count:
        return np.zeros(0, dtype="int64"), np.zeros(0, dtype=bool)
    if amounts.null_count == count:
        return np.zeros(count, dtype="int64"), np.zeros(count, dtype=bool)
    data: Any = amounts.buffers()[1]
    words = np.frombuffer(data, dtype="int64")
    pairs = words[2 * amounts.offset : 2 * (amounts.offset + count)].reshape(count, 2)
    low, high = pairs[:, 0], pairs[:, 1]
    if (unit == unit[0]).all():
        divisor: Any = 10**_SCALE // int(unit[0])  # dividing by one number is much cheaper
    else:
        divisor = 10**_SCALE // unit
    weight: Ints = low // divisor
    exact: Flags = (high == (low >> 63)) & (weight * divisor == low)
    if amounts.null_count:
        exact &= np.asarray(amounts.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
    return (weight if exact.all() else np.where(exact, weight, 0)), exact
