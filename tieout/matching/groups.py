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
from tieout.matching.evidence import judged_words, plain_words, set_words
from tieout.matching.ladder import Rung
from tieout.matching.order import id_order
from tieout.matching.sides import Claim, Found, Sides

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute
_AMOUNT: Any = AMOUNT

__all__ = ["GROUPS", "MEMBERS", "build"]

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


def build(sides: Sides, found: list[Found]) -> tuple[pa.Table, pa.Table]:
    """The tables `GROUPS` and `MEMBERS`.

    Members are ordered by side (entries, details, items), then as their groups, then by id.
    """
    groups, members = [GROUPS.empty_table()], [MEMBERS.empty_table()]
    by_side: dict[str, list[pa.Table]] = {"entry": [], "detail": [], "item": []}
    for part in found:
        if part.count:
            made = _pairs(sides, part) if part.pairs else _sets(sides, part)
            groups.append(made[0])
            for side, rows in made[1].items():
                by_side[side].append(rows)
    members += [rows for side in by_side.values() for rows in side]
    return pa.concat_tables(groups), pa.concat_tables(members)


def _take(column: pa.ChunkedArray[Any], rows: Ints) -> Any:
    taken = column.take(handles(rows))
    return taken.combine_chunks() if isinstance(taken, pa.ChunkedArray) else taken


def _texts(column: Any) -> Any:
    """A column of few values as the texts it stands for."""
    return column.combine_chunks().cast(pa.string())


def _pairs(sides: Sides, part: Found) -> tuple[pa.Table, dict[str, pa.Table]]:
    """One entry, one item."""
    rung, entries, items = part.rung, sides.prepared.entries, sides.prepared.items
    entry_ids = _take(entries["entry_id"], part.entries.row)
    order = id_order(entry_ids)
    eid, iid = part.entries.row[order], part.items.row[order]
    entry_ids = entry_ids.take(handles(order))
    item_ids = _take(items["item_id"], iid)
    keys, residual = part.keys.take(handles(order)), part.residual[order]
    if isinstance(keys, pa.ChunkedArray):
        keys = keys.combine_chunks()
    ids = _ids(sides.db, rung, [entry_ids, item_ids])
    if rung.plain and rung.amount == "exact":
        words = plain_words(rung, keys)
        classes: Any = pa.nulls(len(eid), pa.string())
    else:
        words, classes = judged_words(sides, rung, eid, iid, keys, residual)
    bank = entries.select(["account_id", "currency", "amount"]).take(handles(eid))
    minor = _decimals(residual, sides.unit[eid])
    groups = _groups(
        rung,
        ids,
        "1:1",
        _texts(bank["account_id"]),
        _texts(bank["currency"]),
        minor,
        classes,
        words,
    )
    foreign = part.item_minor is not None
    taken = bank["amount"] if foreign else _take(items["amount"], iid)
    return groups, {
        "entry": _members(ids, "entry", entry_ids, bank["amount"]),
        "item": _members(ids, "item", item_ids, taken),
    }


def _ids(db: duckdb.DuckDBPyConnection, rung: Rung, contents: list[Any]) -> Any:
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

    def same(text: str) -> pa.Array[Any]:
        return pa.repeat(pa.scalar(text, pa.string()), count)

    columns = [
        ids,
        same(rung.name),
        same(cardinality) if isinstance(cardinality, str) else cardinality,
        account,
        currency,
        residual,
        classes,
        same(rung.state),
        words[0],
        words[1],
    ]
    return pa.Table.from_arrays(columns, schema=GROUPS)


def _members(ids: Any, side: str, member_ids: Any, amounts: Any) -> pa.Table:
    sides = pa.repeat(pa.scalar(side, pa.string()), len(ids))
    return pa.Table.from_arrays([ids, sides, member_ids, amounts], schema=MEMBERS)


def _decimals(minor: Ints, unit: Ints) -> pa.Array[Any]:
    """Minor units as canonical amounts, by their 128 bits."""
    scaled = minor * (100_000 // unit)
    bits = np.empty((len(minor), 2), dtype="int64")
    bits[:, 0], bits[:, 1] = scaled, scaled >> 63
    memory: Any = bits
    return pa.Array.from_buffers(AMOUNT, len(minor), [None, pa.py_buffer(memory)])


def _side(sides: Sides, claim: Claim, table: pa.Table, name: str) -> pa.Table:
    rows = handles(claim.row)
    columns: dict[str, Any] = {
        "number": claim.group,
        "id": table[name].take(rows),
        "amount": table["amount"].take(rows),
    }
    return pa.table(columns)


def _sets(sides: Sides, part: Found) -> tuple[pa.Table, dict[str, pa.Table]]:
    """Any number of entries and items; with details, each of them against its own item."""
    prepared, rung = sides.prepared, part.rung
    rows = {
        "entry": _side(sides, part.entries, prepared.entries, "entry_id"),
        "detail": _side(sides, part.details, prepared.details, "detail_id"),
        "item": _side(sides, part.items, prepared.items, "item_id"),
    }
    if part.item_minor is not None:
        unit = sides.prepared.items["unit"].to_numpy()[part.items.row]
        rows["item"] = rows["item"].set_column(2, "amount", _decimals(part.item_minor, unit))
    ordered = {side: _ordered(table) for side, table in rows.items()}
    counts = {
        side: np.bincount(table["number"].to_numpy(), minlength=part.count)
        for side, table in ordered.items()
    }
    contents = [_joined(ordered[side]["id"], counts[side]) for side in ("entry", "item")]
    content = pc.binary_join_element_wise(*contents, "|", null_handling="skip")
    order = id_order(content)
    rank = np.empty(part.count, dtype="int64")
    rank[order] = np.arange(part.count)
    ids = _ids(sides.db, rung, [content.take(handles(order))])
    members = {}
    for side, table in ordered.items():
        if len(table):
            place = rank[table["number"].to_numpy()]
            by_place = np.argsort(place, kind="stable")
            table = table.take(handles(by_place))
            own = ids.take(handles(place[by_place]))
            members[side] = _members(own, side, table["id"], table["amount"])
    number = order
    account, currency, unit = _where(sides, part, number)
    residual = part.residual[number]
    pairs = [counts[side][number].tolist() for side in ("entry", "item")]
    sizes = list(zip(*pairs, strict=True))
    total = np.zeros(part.count, dtype="int64")
    np.add.at(total, part.entries.group, sides.amount[part.entries.row])
    way = np.sign(total)[number]
    words, classes = set_words(part, number, sizes, residual, unit, currency, way)
    groups = _groups(
        rung,
        ids,
        pa.array([_cardinality(*pair) for pair in sizes], pa.string()),
        account,
        currency,
        _decimals(residual, unit),
        classes,
        words,
    )
    return groups, members


def _ordered(table: pa.Table) -> pa.Table:
    """Members by group, then by id."""
    ids = table["id"].combine_chunks()
    rank = np.empty(len(ids), dtype="int64")
    rank[id_order(ids)] = np.arange(len(ids))
    return table.take(handles(np.lexsort((rank, table["number"].to_numpy()))))


def _joined(ids: Any, counts: Ints) -> Any:
    """The ids of each group in one text, null where it has none; ids stand group by group."""
    offsets = np.zeros(len(counts) + 1, dtype="int32")
    np.cumsum(counts, out=offsets[1:])
    flat = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
    lists: Any = pa.ListArray
    texts = pc.binary_join(lists.from_arrays(pa.array(offsets), flat), "|")
    return texts if counts.all() else pc.if_else(pa.array(counts > 0), texts, None)


def _cardinality(entries: int, items: int) -> str:
    if not entries or not items:
        return f"{entries and 'n'}:{items and 'n'}"
    left = "1" if entries == 1 else "n"
    right = "1" if items == 1 else ("n" if entries == 1 else "m")
    return f"{left}:{right}"


def _where(sides: Sides, part: Found, number: Ints) -> tuple[Any, Any, Ints]:
    """Account, currency and minor units of each group: of its first entry, else its first item."""
    entries, items = sides.prepared.entries, sides.prepared.items
    head = np.full(part.count, -1, dtype="int64")
    if len(part.entries.row):
        order = np.argsort(_ranks(entries["entry_id"], part.entries.row), kind="stable")[::-1]
        head[part.entries.group[order]] = part.entries.row[order]
    if (head >= 0).all():
        rows = head[number]
        return (
            _texts(entries["account_id"].take(handles(rows))),
            _texts(entries["currency"].take(handles(rows))),
            sides.unit[rows],
        )
    order = np.argsort(_ranks(items["item_id"], part.items.row), kind="stable")[::-1]
    head[part.items.group[order]] = part.items.row[order]
    rows = head[number]
    return (
        _texts(items["account_id"].take(handles(rows))),
        _texts(items["currency"].take(handles(rows))),
        items["unit"].to_numpy()[rows],
    )


def _ranks(column: pa.ChunkedArray[Any], rows: Ints) -> Ints:
    """Where each row's id stands among the ids of all these rows."""
    order = id_order(_take(column, rows))
    ranks = np.empty(len(rows), dtype="int64")
    ranks[order] = np.arange(len(rows))
    return ranks
