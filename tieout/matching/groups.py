"""Groups and members as tables, with evidence an accountant can read.

A group's id is the content of its rung and members, so deriving it again gives the same id. Groups
stand in the order of the rungs, then of their first entry (or item).
"""

from __future__ import annotations

from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.arrays import handles
from tieout.canonical import AMOUNT
from tieout.matching.columns import Columns
from tieout.matching.evidence import judged_words, plain_words, set_words
from tieout.matching.ladder import Rung
from tieout.matching.order import id_order
from tieout.matching.sides import Claim, Found, Sides

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute
_AMOUNT: Any = AMOUNT

__all__ = [
    "GROUPS",
    "MEMBERS",
    "content_ids",
    "decimals",
    "joined",
    "ordered_members",
    "pair_groups",
    "same_text",
    "set_groups",
]

GROUPS: Final = pa.schema(
    [
        pa.field("group_id", pa.string()),
        pa.field("rung", pa.string()),
        pa.field("cardinality", pa.string()),  # 1:1 | 1:n | n:1 | n:m | n:0 | 0:n, entries to items
        pa.field("account_id", pa.string()),
        pa.field("currency", pa.string()),
        pa.field("residual", _AMOUNT),  # entries less items
        pa.field("residual_class", pa.string()),
        pa.field("state", pa.string()),  # confirmed | proposed
        pa.field("evidence", pa.string()),
        pa.field("facts", pa.string()),  # JSON
    ]
)

MEMBERS: Final = pa.schema(
    [
        pa.field("group_id", pa.string()),
        pa.field("side", pa.string()),  # entry | detail | item
        pa.field("member_id", pa.string()),
        pa.field("amount", _AMOUNT),
    ]
)

Ints = npt.NDArray[np.int64]


def set_groups(
    sides: Sides, part: Found, number: Ints, ids: Any, counts: dict[str, Ints]
) -> pa.Table:
    """Groups of several members, in the order of the numbers."""
    where, unit = _where(sides, part, number)
    residual = part.residual[number]
    pairs = [counts[side][number].tolist() for side in ("entry", "item")]
    sizes = list(zip(*pairs, strict=True))
    total = np.zeros(part.count, dtype="int64")
    np.add.at(total, part.entries.group, sides.amount[part.entries.row])
    way = np.sign(total)[number]
    currency = sides.currencies(where)
    words, classes = set_words(part, number, sizes, residual, unit, currency, way)
    return _groups(
        part.rung,
        ids,
        pa.array([_cardinality(*pair) for pair in sizes], pa.string()),
        sides.accounts(where),
        currency,
        decimals(residual, unit),
        classes,
        words,
    )


def pair_groups(sides: Sides, part: Found, some: Ints, entry_ids: Any) -> tuple[Any, pa.Table]:
    """Ids and rows of groups of one entry and one item."""
    rung = part.rung
    eid, iid = part.entries.row[some], part.items.row[some]
    keys, residual = part.keys.take(handles(some)), part.residual[some]
    if isinstance(keys, pa.ChunkedArray):
        keys = keys.combine_chunks()
    ids = content_ids(sides.db, rung, [entry_ids, sides.prepared.items.take("item_id", iid)])
    if rung.plain and rung.amount == "exact":
        words = plain_words(rung, keys)
        classes: Any = pa.nulls(len(eid), pa.string())
    else:
        words, classes = judged_words(sides, rung, eid, iid, keys, residual)
    where = sides.part[eid]
    account, currency = sides.accounts(where), sides.currencies(where)
    minor = decimals(residual, sides.unit[eid])
    return ids, _groups(rung, ids, "1:1", account, currency, minor, classes, words)


def content_ids(db: duckdb.DuckDBPyConnection, rung: Rung, contents: list[Any]) -> Any:
    """Content ids: of the rung's name and each group's members in their order."""
    text = pc.binary_join_element_wise(rung.name, *contents, "|")
    db.register("contents", pa.Table.from_arrays([text], ["content"]))
    # Of ASCII; a slice by brackets would look for characters of several bytes.
    made = db.sql("SELECT left(sha256(content), 32) AS id FROM contents").to_arrow_table()["id"]
    db.unregister("contents")
    return made.cast(pa.string()).combine_chunks()


def _groups(
    rung: Rung,
    ids: Any,
    cardinality: str | Any,
    account: Any,
    currency: Any,
    residual: Any,
    classes: Any,
    words: tuple[Any, Any],
) -> pa.Table:
    count = len(ids)
    columns = [
        ids,
        same_text(rung.name, count),
        same_text(cardinality, count) if isinstance(cardinality, str) else cardinality,
        account,
        currency,
        residual,
        classes,
        same_text(rung.state, count),
        words[0],
        words[1],
    ]
    return pa.Table.from_arrays(columns, schema=GROUPS)


def same_text(text: str, count: int) -> Any:
    """The same text so many times."""
    return pa.repeat(pa.scalar(text, pa.string()), count)


def decimals(minor: Ints, unit: Ints) -> pa.Array[Any]:
    """Minor units as canonical amounts, by their 128 bits."""
    scaled = minor * (100_000 // unit)
    bits = np.empty((len(minor), 2), dtype="int64")
    bits[:, 0], bits[:, 1] = scaled, scaled >> 63
    memory: Any = bits
    return pa.Array.from_buffers(AMOUNT, len(minor), [None, pa.py_buffer(memory)])


def ordered_members(claim: Claim, table: Columns, name: str) -> tuple[Claim, Any, Ints]:
    """Members by group, then by id: the claim, the ids, and where each stood."""
    ids = table.take(name, claim.row)
    rank = np.empty(len(ids), dtype="int64")
    rank[id_order(ids)] = np.arange(len(ids))
    at = np.lexsort((rank, claim.group))
    return Claim(claim.group[at], claim.row[at]), ids.take(handles(at)), at


def joined(ids: Any, counts: Ints) -> Any:
    """The ids of each group in one text, null where it has none; ids stand group by group."""
    offsets = np.zeros(len(counts) + 1, dtype="int32")
    np.cumsum(counts, out=offsets[1:])
    lists: Any = pa.ListArray
    texts = pc.binary_join(lists.from_arrays(pa.array(offsets), ids), "|")
    return texts if counts.all() else pc.if_else(pa.array(counts > 0), texts, None)


def _cardinality(entries: int, items: int) -> str:
    if not entries or not items:
        return f"{entries and 'n'}:{items and 'n'}"
    left = "1" if entries == 1 else "n"
    right = "1" if items == 1 else ("n" if entries == 1 else "m")
    return f"{left}:{right}"


def _where(sides: Sides, part: Found, number: Ints) -> tuple[Ints, Ints]:
    """Partition and minor units of each group: of its first entry, else its first item."""
    head = np.full(part.count, -1, dtype="int64")
    if len(part.entries.row):
        ranks = _ranks(sides.prepared.entries.take("entry_id", part.entries.row))
        order = np.argsort(ranks, kind="stable")[::-1]
        head[part.entries.group[order]] = part.entries.row[order]
    if (head >= 0).all():
        rows = head[number]
        return sides.part[rows], sides.unit[rows]
    ranks = _ranks(sides.prepared.items.take("item_id", part.items.row))
    order = np.argsort(ranks, kind="stable")[::-1]
    head[part.items.group[order]] = part.items.row[order]
    rows = head[number]
    return sides.item_part[rows], sides.item_unit[rows]


def _ranks(ids: Any) -> Ints:
    """Where each id stands among all these."""
    ranks = np.empty(len(ids), dtype="int64")
    ranks[id_order(ids)] = np.arange(len(ids))
    return ranks
