"""Columns of several blocks as one: numbers, texts, amounts, ids, groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow

from benchmarks.matching.blocks import Block, Columns
from benchmarks.matching.draw import Draw
from benchmarks.matching.text import Flags, Ints, Text, decimals, hex_ids, nulls, pc, pick, spread
from tieout.canonical import AMOUNT

#: The stubs know few of the overloads used here.
pa: Any = pyarrow

__all__ = [
    "as_days",
    "flags",
    "groups",
    "ids",
    "ints",
    "listed",
    "made",
    "members",
    "owners",
    "rates",
    "texts",
    "unless",
    "valued",
]


def groups(blocks: list[Block], side: str, first: Ints) -> Ints:
    """The number of each row's group in the whole part; −1 for none."""
    parts = [getattr(b, side)["group"] for b in blocks]
    return np.concatenate(
        [np.where(part < 0, -1, part + start) for part, start in zip(parts, first, strict=False)]
    )


def owners(blocks: list[Block]) -> Ints:
    """The entry of each detail, by its place among all blocks' entries."""
    first = np.cumsum([0, *(len(b.entries["group"]) for b in blocks)])
    return np.concatenate(
        [b.details["entry"] + start for b, start in zip(blocks, first, strict=False)]
    ).astype(np.int64)


def ids(draw: Draw, side: int, count: int) -> Text:
    """Ids that tell nothing and never repeat: a bijection of 64-bit numbers."""
    number = np.arange(count, dtype=np.uint64) + np.uint64((draw.part * 4 + side) << 32)
    with np.errstate(over="ignore"):
        for factor in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB):
            number = (number ^ (number >> np.uint64(30))) * np.uint64(factor)
    return hex_ids(number ^ (number >> np.uint64(31)))


def _length(columns: Columns) -> int:
    return len(columns["acct"] if "acct" in columns else columns["entry"])


def ints(parts: list[Columns], name: str, default: int = 0) -> Ints:
    """Whole numbers of all parts; ``default`` where a part has none."""
    return np.concatenate(
        [np.asarray(p.get(name, np.full(_length(p), default))).astype(np.int64) for p in parts]
    )


def flags(parts: list[Columns], name: str) -> Flags:
    """Flags of all parts; False where a part has none."""
    return ints(parts, name).astype(np.bool_)


def texts(parts: list[Columns], name: str) -> Text:
    """Texts of all parts; null where a part has none."""
    columns = []
    for part in parts:
        given = part.get(name)
        if isinstance(given, str):
            given = pick([given], np.zeros(_length(part)))
        columns.append(nulls(_length(part)) if given is None else given.cast(pa.string()))
    return pa.concat_arrays(columns)


def valued(
    parts: list[Columns], name: str, places: npt.NDArray[Any], *, own_places: bool, scale: int = 5
) -> Text:
    """Amounts that only some rows have; ``own_places``: the second column are their decimals,
    otherwise it says which rows have one."""
    minor, second = [], []
    for part in parts:
        given = part.get(name)
        none = np.zeros(_length(part), dtype=np.int64)
        first, other = (none, none - own_places) if given is None else given
        minor.append(first)
        second.append(other)
    amount, beside = np.concatenate(minor), np.concatenate(second)
    if own_places:
        missing, places = beside < 0, np.maximum(beside, 0)
    else:
        missing = ~beside.astype(np.bool_)
    return unless(missing, decimals(amount, places, AMOUNT, scale))


def unless(missing: npt.NDArray[Any], column: Text) -> Text:
    """The column, null where it is missing."""
    return pc.if_else(pa.array(missing), pa.scalar(None, column.type), column)


def as_days(days: Ints) -> Text:
    """Days since 1970-01-01 as dates."""
    return pa.array(days.astype(np.int32)).cast(pa.date32())


def made(schema: pa.Schema, count: int, columns: dict[str, Any]) -> pa.Table:
    """A table of the schema; what is not given is null."""
    return pa.Table.from_arrays(
        [columns[f.name] if f.name in columns else pa.nulls(count, f.type) for f in schema],
        schema=schema,
    )


def rates(parts: list[Columns]) -> Text:
    """Exchange rates, given in hundred-thousandths; null where there is none."""
    rate = ints(parts, "fx_rate")
    exact = decimals(rate, np.full(len(rate), 5), pa.decimal128(23, 10), scale=10)
    return unless(rate == 0, exact)


def listed(*texts: Text) -> Text:
    """Texts of a row as a list; null where all are."""
    there = np.stack([pc.is_valid(t).to_numpy(zero_copy_only=False) for t in texts], axis=1)
    count, width = there.shape
    offsets = np.r_[0, np.cumsum(there.sum(axis=1))].astype(np.int32)
    mask = pa.array(np.r_[~there.any(axis=1), False])
    starts = pc.if_else(mask, pa.scalar(None, pa.int32()), pa.array(offsets))
    place = (np.arange(width) * count)[None, :] + np.arange(count)[:, None]
    return pa.ListArray.from_arrays(starts, spread(pa.concat_arrays(texts), place[there]))


def members(group: Ints, ids: Text, count: int) -> Text:
    """The ids of each group, in the order of the rows."""
    order = np.argsort(group, kind="stable")
    order = order[np.searchsorted(group[order], 0) :]
    offsets = np.searchsorted(group[order], np.arange(count + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), spread(ids, order))
