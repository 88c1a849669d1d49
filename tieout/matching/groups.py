"""Groups and members as tables, with evidence an accountant can read.

A group's id is the content of its rung and members, so deriving it again gives the same id.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.canonical import AMOUNT
from tieout.matching.evidence import judged_words, plain_words, several_words
from tieout.matching.ladder import Rung
from tieout.matching.tables import Prepared

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute
_AMOUNT: Any = AMOUNT

__all__ = ["GROUPS", "MEMBERS", "Found", "build"]

GROUPS: Final = pa.schema(
    [
        pa.field("group_id", pa.string()),
        pa.field("rung", pa.string()),
        pa.field("cardinality", pa.string()),  # 1:1 | 1:n, entries to items
        pa.field("account_id", pa.string()),
        pa.field("currency", pa.string()),
        pa.field("residual", _AMOUNT),  # entries less items
        pa.field("residual_class", pa.string()),  # charge | rounding | fx_difference | over_payment
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


@dataclass(frozen=True, slots=True)
class Found:
    """What one rung found: rows of eid, did (may be null), iid, key."""

    rung: Rung
    rows: pa.Table


def build(
    db: duckdb.DuckDBPyConnection, prepared: Prepared, found: list[Found]
) -> tuple[pa.Table, pa.Table]:
    """The tables `GROUPS` (by rung and kind as found, then group_id) and `MEMBERS`.

    Members are ordered by side (entries, details, items), then as their groups, then by id.
    """
    groups, members = [GROUPS.empty_table()], [MEMBERS.empty_table()]
    sides: dict[str, list[pa.Table]] = {"entry": [], "detail": [], "item": []}
    for part in found:
        if len(part.rows):
            simple = part.rung.shape == "one_to_one"
            made = _single(db, prepared, part) if simple else _several(db, prepared, part)
            groups.append(made[0])
            for side, rows in made[1].items():
                sides[side].append(rows)
    members += [rows for side in sides.values() for rows in side]
    return pa.concat_tables(groups), pa.concat_tables(members)


def _order(ids: pa.ChunkedArray[Any]) -> Ints:
    """Sort order of 32-digit ids, by their bytes."""
    count = len(ids)
    plain: Any = ids.combine_chunks()
    offset = int(np.frombuffer(plain.buffers()[1], dtype="int32")[plain.offset])
    raw = np.frombuffer(plain.buffers()[2], dtype="S32", count=count, offset=offset)
    words = raw.view(">u8").reshape(count, 4).astype("uint64")
    order = np.argsort(words[:, 0], kind="stable")
    if (np.diff(words[order, 0]) == 0).any():
        order = np.lexsort(tuple(words[:, k] for k in (3, 2, 1, 0)))
    return order.astype("int64")


def _numbers(table: pa.Table, name: str, rows: Ints) -> Ints:
    values: Ints = table[name].to_numpy()[rows].astype("int64")
    return values


def _ids(
    db: duckdb.DuckDBPyConnection, texts: pa.Array[Any] | pa.ChunkedArray[Any]
) -> pa.ChunkedArray[Any]:
    """Content ids of texts, in their order."""
    db.register("texts", pa.Table.from_arrays([texts], ["text"]))
    hashed = db.sql("SELECT substr(sha256(text), 1, 32) AS id FROM texts").to_arrow_table()
    db.unregister("texts")
    made: pa.ChunkedArray[Any] = hashed["id"].cast(pa.string())
    return made


def _single(
    db: duckdb.DuckDBPyConnection, prepared: Prepared, part: Found
) -> tuple[pa.Table, dict[str, pa.Table]]:
    """One entry, one item."""
    rung, rows = part.rung, part.rows
    text = pc.binary_join_element_wise(
        rung.name,
        prepared.entries["entry_id"].take(rows["eid"]),
        prepared.items["item_id"].take(rows["iid"]),
        "|",
    )
    ids = _ids(db, text)
    order: Any = pa.array(_order(ids))
    ids, rows = ids.take(order), rows.take(order)
    eid, iid = rows["eid"].to_numpy(), rows["iid"].to_numpy()
    entries = prepared.entries.select(["entry_id", "account_id", "currency", "amount"]).take(
        pa.array(eid)
    )
    items = prepared.items.select(["item_id", "amount"]).take(pa.array(iid))
    residual = _numbers(prepared.entries, "amt", eid) - _numbers(prepared.items, "amt", iid)
    if rung.tolerance is None and rung.party is None and rung.days is None:
        words = plain_words(rung, rows["key"])
        classes: pa.Array[Any] = pa.nulls(len(eid), pa.string())
    else:
        words, classes = judged_words(rung, prepared, rows, residual)
    unit = _numbers(prepared.entries, "unit", eid)
    groups = _groups(rung, ids, "1:1", entries, _decimals(residual, unit), classes, words)
    members = {
        "entry": _members(ids, "entry", entries["entry_id"], entries["amount"]),
        "item": _members(ids, "item", items["item_id"], items["amount"]),
    }
    return groups, members


def _groups(
    rung: Rung,
    ids: pa.ChunkedArray[Any],
    cardinality: str | pa.Array[Any],
    entries: pa.Table,
    residual: pa.Array[Any],
    classes: pa.Array[Any],
    words: tuple[Any, Any],
) -> pa.Table:
    count = len(entries)

    def same(text: str) -> pa.Array[Any]:
        return pa.repeat(pa.scalar(text, pa.string()), count)

    columns = [
        ids,
        same(rung.name),
        same(cardinality) if isinstance(cardinality, str) else cardinality,
        entries["account_id"],
        entries["currency"],
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
    """Minor units as canonical amounts."""
    if not minor.any():
        return pa.repeat(pa.scalar(Decimal(0), AMOUNT), len(minor))
    values = [
        Decimal(value * (100_000 // per)).scaleb(-5)
        for value, per in zip(minor.tolist(), unit.tolist(), strict=True)
    ]
    return pa.array(values, AMOUNT)


def _several(
    db: duckdb.DuckDBPyConnection, prepared: Prepared, part: Found
) -> tuple[pa.Table, dict[str, pa.Table]]:
    """One entry, one or more items; with details, each of them against its own item."""
    rows = part.rows
    columns: dict[str, Any] = {
        "eid": rows["eid"],
        "key": rows["key"],
        "item_id": prepared.items["item_id"].take(rows["iid"]),
        "item_amount": prepared.items["amount"].take(rows["iid"]),
        "detail_id": prepared.details["detail_id"].take(rows["did"]),
        "detail_amount": prepared.details["amount"].take(rows["did"]),
        "entry_id": prepared.entries["entry_id"].take(rows["eid"]),
    }
    table = pa.table(columns)
    db.register("several", table)
    heads = db.sql(
        "SELECT eid, any_value(entry_id) AS entry_id, min(key) AS key, count(*) AS n,\n"
        "string_agg(item_id, '|' ORDER BY item_id) AS content\n"
        "FROM several GROUP BY eid ORDER BY entry_id"
    ).to_arrow_table()
    db.unregister("several")
    content = pc.binary_join_element_wise(
        part.rung.name, heads["entry_id"].cast(pa.string()), heads["content"].cast(pa.string()), "|"
    )
    ids = _ids(db, content)
    order: Any = pa.array(_order(ids))
    ids, heads = ids.take(order), heads.take(order)
    entries = prepared.entries.select(["entry_id", "account_id", "currency", "amount"]).take(
        heads["eid"]
    )
    counts = heads["n"].to_pylist()
    cardinality = pa.array(["1:1" if n == 1 else "1:n" for n in counts], pa.string())
    words = several_words(part.rung, heads["key"].to_pylist(), counts)
    residual = _decimals(np.zeros(len(ids), dtype="int64"), np.ones(len(ids), dtype="int64"))
    classes = pa.nulls(len(ids), pa.string())
    groups = _groups(part.rung, ids, cardinality, entries, residual, classes, words)
    rank: Any = pc.index_in(rows["eid"], value_set=heads["eid"].combine_chunks())
    table = table.append_column("rank", rank).sort_by(
        [("rank", "ascending"), ("item_id", "ascending")]
    )
    own = ids.take(table["rank"])
    members = {
        "entry": _members(ids, "entry", entries["entry_id"], entries["amount"]),
        "item": _members(own, "item", table["item_id"], table["item_amount"]),
    }
    if part.rung.shape == "details":
        table = table.sort_by([("rank", "ascending"), ("detail_id", "ascending")])
        members["detail"] = _members(own, "detail", table["detail_id"], table["detail_amount"])
    return groups, members
