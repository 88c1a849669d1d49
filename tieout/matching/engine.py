"""The engine: entries and details against items, rung by rung, on DuckDB.

The result is a function of the sets of rows and the ladder: not of the order of the rows, of the
files they came in, or of the number of threads. A wrong match is worse than no match, so whatever
is not unique on both sides forms no group: it is refused, with all its candidates, and kept from
later rungs.

Example::

    result = match(entries, details, items, ladder.load("default"))
    result.groups.to_pylist()[0]["evidence"]
    # 'The payment reference E2E0417 and the amount agree; nothing else has both.'
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from tieout.matching.compile import compile_rung, name_macros, subtract
from tieout.matching.groups import Found, build
from tieout.matching.ladder import BANK_DETAIL, BANK_ENTRY, BOOKS, TEXT, Ladder, Rung
from tieout.matching.refusals import Refusal, components, refused_table
from tieout.matching.tables import Prepared, prepare

__all__ = ["Result", "match", "run", "session"]


@dataclass(frozen=True, slots=True)
class Result:
    """What the ladder decided.

    Attributes:
        groups: group_id, rung, cardinality, account_id, currency, residual, residual_class,
            state, evidence (a sentence), facts (JSON); ordered by rung, then group_id.
        members: group_id, side (entry, detail, item), member_id, amount. A group's entries less
            its items are its residual; its details, where listed, repeat the entry in parts.
        refused: rung, reason, message, entry_ids, item_ids.
        ladder: name and version of the ladder, ``default@2a5158551b4a``.
    """

    groups: pa.Table
    members: pa.Table
    refused: pa.Table
    ladder: str


def match(
    entries: pa.Table,
    details: pa.Table | None,
    items: pa.Table,
    ladder: Ladder,
    *,
    threads: int | None = None,
    spill: Path | None = None,
) -> Result:
    """Match open entries against open items.

    Args:
        entries: canonical `ENTRIES`, only open ones; absent columns are null.
        details: canonical `DETAILS` of those entries, or None where the entries stand alone (then
            detail columns on the entries themselves are used).
        items: canonical `ITEMS`, only open ones, signed as the movement the bank will show.
        ladder: the rungs.
        threads: how many to use; the result is the same for any number.
        spill: a folder for what does not fit into memory.

    Raises:
        InputError: a table lacks ids, repeats one, or has a column of the wrong type.
    """
    prepared = prepare(entries, details, items, ladder)
    with session(prepared, threads=threads, spill=spill) as db:
        found: list[Found] = []
        refusals = [
            Refusal("", "unfit", f"The {side} cannot be weighed: {why}.", *_one(side, row))
            for side, row, why in prepared.unfit
        ]
        step = 0
        present = set(prepared.items["tier"].unique().to_pylist())
        passes = [
            (rung, tier)
            for rung in ladder.rungs
            for tier, kinds in enumerate(ladder.kinds)
            if tier in present and _has_kinds(rung, kinds)
        ]
        for rung, tier in passes if len(prepared.entries) else ():
            rows = run(
                db, compile_rung(rung, (tier,), shared=prepared.shared, absent=prepared.absent)
            )
            if rows["clean"]:
                found.append(Found(rung, _take(db, rung)))
            if rows["edges"] or rows["crowded"]:
                refusals += _refuse(db, rung, prepared, rows)
            if rows["clean"] or rows["edges"]:
                step += 1
                for statement in subtract(step):
                    db.execute(statement)
                if not db.execute("FROM open_entries LIMIT 1").fetchall():
                    break
        groups, members = build(db, prepared, found)
    order = [rung.name for rung in ladder.rungs]
    return Result(
        groups, members, refused_table(refusals, order), f"{ladder.name}@{ladder.version}"
    )


@contextmanager
def session(
    prepared: Prepared, *, threads: int | None = None, spill: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A private in-memory database with the prepared tables as views and no way out of itself."""
    config: dict[str, str | bool | int | float | list[str]] = {"preserve_insertion_order": "true"}
    if threads is not None:
        config["threads"] = threads
    if spill is not None:
        config["temp_directory"] = str(spill)
    db = duckdb.connect(":memory:", config=config)
    try:
        db.register("entries", prepared.entries)
        db.register("details", prepared.details)
        db.register("items", prepared.items)
        for macro in name_macros():
            db.execute(macro)
        for name, (handles, texts) in _USED.items():
            used = [*handles, *(c for c in texts if f"{name}.{c}" not in prepared.absent)]
            db.execute(f"CREATE TEMP VIEW open_{name} AS SELECT {', '.join(used)} FROM {name}")
        db.execute("CREATE TEMP TABLE taken_entries (eid BIGINT)")
        db.execute("CREATE TEMP TABLE taken_items (iid BIGINT)")
        yield db
    finally:
        db.close()


def run(db: duckdb.DuckDBPyConnection, statements: Iterable[str]) -> Counter[str]:
    """Make a rung's tables; how many rows each has.

    Compiling a statement costs more than running it on a day's few rows, so this ends where it is
    clear that nothing meets; tables that were not made count as empty.
    """
    rows = Counter[str]()
    for statement in statements:
        table = statement.split(maxsplit=6)[5]  # CREATE OR REPLACE TEMP TABLE name
        made = db.execute(statement).fetchall()
        rows[table] = int(made[0][0]) if made else 0
        nothing = table in _SIDES or (table == "ties" and not rows["pairs"])
        if nothing and not rows[table]:
            break
    return rows


#: Without rows in one of these nothing can meet.
_SIDES: Final = ("bank", "books", "claims")

#: What a rung may read: handles, always there, and canonical columns, where they have values.
_USED: Final = {
    "entries": (("eid", "part", "wild", "amt"), (*BANK_ENTRY, *TEXT)),
    "details": (
        ("did", "eid", "part", "wild", "amt", "eamt", "fanout"),
        (*BANK_DETAIL, *TEXT),
    ),
    "items": (("iid", "part", "amt", "tier", "kind"), BOOKS),
}


def _one(side: str, row: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return ((row,), ()) if side == "entry" else ((), (row,))


def _has_kinds(rung: Rung, tier: tuple[str, ...]) -> bool:
    return not rung.kinds or bool(set(rung.kinds) & set(tier))


def _take(db: duckdb.DuckDBPyConnection, rung: Rung) -> pa.Table:
    """The rung's groups as (eid, did, iid, key) rows, subtracted from what is open."""
    if rung.shape == "details":
        db.execute(
            "CREATE OR REPLACE TEMP TABLE won AS\n"
            "WITH met AS (SELECT d.eid, d.did, d.fanout, d.eamt, d.amt, c.iid, c.key\n"
            "  FROM clean c JOIN details d ON d.did = c.uid)\n"
            "SELECT eid, did, iid, key FROM met SEMI JOIN (\n"
            "  SELECT eid FROM met GROUP BY eid\n"
            "  HAVING count(*) = min(fanout) AND sum(amt::HUGEINT) = min(eamt)) USING (eid)\n"
            "ANTI JOIN (SELECT eid FROM details JOIN edges ON did = uid) USING (eid)"
        )
    else:
        db.execute(
            "CREATE OR REPLACE TEMP TABLE won AS "
            "SELECT uid AS eid, NULL::BIGINT AS did, iid, key FROM clean"
        )
    distinct = "" if rung.shape == "one_to_one" else "DISTINCT "
    db.execute(f"INSERT INTO taken_entries SELECT {distinct}eid FROM won")
    db.execute("INSERT INTO taken_items SELECT iid FROM won")
    won: pa.Table = db.sql("FROM won").to_arrow_table()
    return won


def _refuse(
    db: duckdb.DuckDBPyConnection, rung: Rung, prepared: Prepared, rows: Counter[str]
) -> list[Refusal]:
    """What the rung found not unique (kept from later rungs) and what it did not look into."""
    uid = "uid"
    if rung.shape == "details":
        uid = "(SELECT eid FROM details WHERE did = uid)"
    refusals = []
    if rows["edges"]:
        edges = db.execute(f"SELECT {uid}, iid, hub FROM edges").fetchall()
        db.execute(f"INSERT INTO taken_entries SELECT DISTINCT {uid} FROM edges WHERE uid NOTNULL")
        db.execute("INSERT INTO taken_items SELECT DISTINCT iid FROM edges WHERE iid NOTNULL")
        refusals = [_refusal(rung, "not_unique", prepared, *sides) for sides in components(edges)]
    if rows["crowded"]:
        crowded = db.execute(
            "SELECT uid, NULL, bucket FROM bank SEMI JOIN crowded USING (bucket)\n"
            "UNION ALL SELECT NULL, iid, bucket FROM books SEMI JOIN crowded USING (bucket)"
        ).fetchall()
        refusals += [_refusal(rung, "too_many", prepared, *sides) for sides in components(crowded)]
    return refusals


def _refusal(
    rung: Rung, reason: str, prepared: Prepared, entries: set[int], items: set[int]
) -> Refusal:
    entry_ids = tuple(sorted(_ids(prepared.entries["entry_id"], entries)))
    item_ids = tuple(sorted(_ids(prepared.items["item_id"], items)))
    count = f"{_count(len(entry_ids), 'entry', 'entries')} and "
    count += _count(len(item_ids), "item", "items")
    if reason == "too_many":
        message = f"{count} have the same key: too many to compare one by one."
        return Refusal(rung.name, "too_many", message, entry_ids, item_ids)
    message = f"{count} fit each other in more than one way; a person must decide."
    return Refusal(rung.name, "not_unique", message, entry_ids, item_ids)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _ids(column: pa.ChunkedArray[Any], rows: set[int]) -> list[str]:
    return [str(v) for v in column.take(pa.array(sorted(rows), pa.int64())).to_pylist()]
