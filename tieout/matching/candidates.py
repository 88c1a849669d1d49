"""Candidates: the pairs worth explaining, found by joins and bounded whatever the sides' sizes.

Two rows are candidates of each other when they share a reference (any field of the bank with any
of the books, also when only its end or its beginning is the same), the amount (whatever its sign),
or the other party. A value that too many rows on both sides share tells nothing and is left out,
so no step grows as one side times the other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import duckdb
import pyarrow as pa

from tieout.matching.conditions import name_macros
from tieout.matching.ladder import BANK_DETAIL, BANK_ENTRY, BOOKS
from tieout.matching.whole_tables import WholeTables
from tieout.references import SENTINELS, SEPARATORS

__all__ = ["Pair", "pairs", "sharing"]

#: A value is compared where the rows of both sides that have it make at most so many pairs.
CROWD: Final = 20_000
#: References shorter than this identify nothing.
_LEAST: Final = 4


@dataclass(frozen=True, slots=True)
class Pair:
    """An entry and an item (handles of `Prepared`) with what only SQL can say of the two.

    Attributes:
        likeness: of the names, in hundredths; None where a side names nobody.
        same_words: of the names; see `tieout.matching.conditions.name_macros`.
        same_account: the other party's account is the same; None where a side states none.
        in_text: one side names the party, and the other's text contains that name.
    """

    eid: int
    iid: int
    likeness: int | None
    same_words: bool
    same_account: bool | None
    in_text: bool


def pairs(
    prepared: WholeTables,
    entries: Collection[int],
    items: Collection[int],
    *,
    asked: tuple[Collection[int], Collection[int]],
    each: int,
) -> list[Pair]:
    """The nearest pairs of the given rows.

    Args:
        prepared: the tables.
        entries: handles that may be candidates; likewise items.
        items: see above.
        asked: entries and items that candidates are wanted for.
        each: how many at most for each of them.

    Returns:
        Ordered by the rows' ids, so that nothing depends on the order of the input.
    """
    if not entries or not items:
        return []
    with duckdb.connect(":memory:", config={"threads": 1}) as db:
        for name, table in (("details", prepared.details), ("items", prepared.items)):
            db.register(name, table)
        db.register("entries", prepared.entries)
        for name, handle, some in (
            ("some_entries", "eid", entries),
            ("some_items", "iid", items),
            ("asked_entries", "eid", asked[0]),
            ("asked_items", "iid", asked[1]),
        ):
            db.register(name, pa.table({handle: pa.array(sorted(some), pa.int64())}))
        for macro in name_macros():
            db.execute(macro)
        for statement in (*_names(), _bank(prepared), _books(prepared), _PAIRS):
            db.execute(statement)
        rows = db.execute(_TOLD, [each, each]).fetchall()
    return [Pair(*row) for row in rows]


def sharing(
    prepared: WholeTables, items: Collection[int], references: Collection[str]
) -> dict[str, list[int]]:
    """The given items that each reference (in the normal form) stands in, ordered by their ids."""
    if not references:
        return {}
    with duckdb.connect(":memory:", config={"threads": 1}) as db:
        db.register("items", prepared.items)
        db.register("some_items", pa.table({"iid": pa.array(sorted(items), pa.int64())}))
        db.register("wanted", pa.table({"ref": pa.array(sorted(references), pa.string())}))
        rows = db.execute(
            "SELECT DISTINCT ref, item_id, iid FROM ("
            f"SELECT iid, item_id, unnest({_fields(prepared, 'items', BOOKS)}) AS ref "
            "FROM items SEMI JOIN some_items USING (iid)) SEMI JOIN wanted USING (ref) "
            "ORDER BY ref, item_id"
        ).fetchall()
    found: dict[str, list[int]] = {}
    for reference, _, iid in rows:
        found.setdefault(reference, []).append(iid)
    return found


def _normal(column: str) -> str:
    return f"translate(upper({column}), '{SEPARATORS}', '')"


def _names() -> list[str]:
    """Each name's plain form once: names repeat, and folding them is the dearest step."""
    return [
        f"CREATE TEMP TABLE {side}_names AS SELECT name, plain_name(name) AS plain FROM "
        f"(SELECT DISTINCT counterparty_name AS name FROM {source}) WHERE name IS NOT NULL"
        for side, source in (
            ("bank", "details SEMI JOIN some_entries USING (eid)"),
            ("books", "items SEMI JOIN some_items USING (iid)"),
        )
    ]


def _fields(prepared: WholeTables, table: str, names: tuple[str, ...]) -> str:
    present = [n for n in names if f"{table}.{n}" not in prepared.absent and n != "reference"]
    values = ", ".join(_normal(n) for n in present)
    if table == "items" and "items.reference" not in prepared.absent:
        lists = f"list_transform(reference, lambda r: {_normal('r')})"
        return f"list_concat([{values}]::VARCHAR[], coalesce({lists}, []))"
    if table == "details" and "details.reference" not in prepared.absent:
        values = ", ".join(filter(None, [values, _normal("reference")]))
    return f"[{values}]::VARCHAR[]"


def _found(prepared: WholeTables, table: str) -> str:
    """What may be a reference in a text: up to four words together that have a digit.

    The books' references are looked up among them, so patterns are not needed, and a number that
    the bank split over words or lines is found too.
    """
    if f"{table}.narrative" in prepared.absent:
        return "[]::VARCHAR[]"
    words = "regexp_extract_all(upper(narrative), '[A-Z0-9]+')[:40]"
    runs = [
        f"list_transform(range(1, len({words}) - {n - 2}), "
        f"lambda i: array_to_string({words}[i:i + {n - 1}], ''))"
        for n in range(1, 5)
    ]
    several = "".join(f"list_concat({run}, " for run in runs[:-1]) + runs[-1] + ")" * 3
    return f"coalesce(list_filter({several}, lambda r: regexp_matches(r, '[0-9]')), [])"


def _keyed(handle: str, part: str, source: str, amount: str, name: str, account: str) -> str:
    """Rows (handle, kind, key) of a source with the columns refs, amount, name and account."""
    no = ", ".join(f"'{s}'" for s in sorted(SENTINELS))
    refs = f"(SELECT *, unnest(refs) AS ref FROM {source})"
    digits = "ltrim(regexp_extract(ref, '[0-9]+$'), '0')"
    real = f"length(ref) >= {_LEAST} AND ref NOT IN ({no})"
    kinds = (
        ("r", "ref", refs, real),
        ("s", "right(ref, 6)", refs, f"length(ref) >= 8 AND {real}"),
        ("p", "left(ref, 10)", refs, f"length(ref) >= 10 AND {real}"),
        ("d", digits, refs, f"length({digits}) >= {_LEAST} AND {real}"),
        ("a", f"abs({amount})::VARCHAR", source, f"{amount} <> 0"),
        ("n", name, source, f"length({name}) >= 4"),
        ("c", account, source, f"length({account}) >= 6"),
    )
    return "\nUNION ALL ".join(
        f"SELECT {handle}, '{kind}' AS kind, hash({part}, '{kind}', {value}) AS key "
        f"FROM {rows} WHERE {asked}"
        for kind, value, rows, asked in kinds
    )


def _bank(prepared: WholeTables) -> str:
    detail = f"list_concat({_fields(prepared, 'details', BANK_DETAIL)}, "
    detail += f"{_found(prepared, 'details')})"
    entry = f"list_concat({_fields(prepared, 'entries', BANK_ENTRY)}, "
    entry += f"{_found(prepared, 'entries')})"
    part = "unnest([part, wild])" if prepared.shared else "part"
    keyed = _keyed("eid", "p", "lines", "amt", "plain", "account")
    return (
        "CREATE TEMP TABLE bank_keys AS WITH told AS (\n"
        f"  SELECT eid, part, wild, amt, {entry} AS refs, NULL::VARCHAR AS name,\n"
        "    NULL::VARCHAR AS account FROM entries SEMI JOIN some_entries USING (eid)\n"
        f"  UNION ALL SELECT eid, part, wild, coalesce(amt, eamt), {detail}, counterparty_name,\n"
        f"    {_normal('counterparty_account')} FROM details SEMI JOIN some_entries USING (eid)),\n"
        f"lines AS (SELECT told.*, {part} AS p, bank_names.plain FROM told\n"
        "  LEFT JOIN bank_names USING (name))\n"
        f"SELECT DISTINCT eid, kind, key FROM ({keyed})"
    )


def _books(prepared: WholeTables) -> str:
    refs = _fields(prepared, "items", BOOKS)
    keyed = _keyed("iid", "part", "lines", "amt", "plain", "account")
    return (
        f"CREATE TEMP TABLE book_keys AS WITH lines AS (SELECT iid, part, amt, {refs} AS refs,\n"
        f"  {_normal('counterparty_account')} AS account, books_names.plain\n"
        "  FROM items SEMI JOIN some_items USING (iid)\n"
        "  LEFT JOIN books_names ON counterparty_name = name)\n"
        f"SELECT DISTINCT iid, kind, key FROM ({keyed})\n"
        "SEMI JOIN (SELECT key FROM bank_keys) USING (key)"
    )


_PAIRS: Final = f"""\
CREATE TEMP TABLE pairs AS WITH sizes AS (
  SELECT key FROM (SELECT key, count(*) AS n FROM bank_keys GROUP BY key)
  JOIN (SELECT key, count(*) AS m FROM book_keys GROUP BY key) USING (key)
  WHERE n * m <= {CROWD})
SELECT eid, iid, bool_or(b.kind = 'r') AS shared, bool_or(b.kind IN ('n', 'c')) AS party
FROM bank_keys b JOIN book_keys USING (key) JOIN sizes USING (key)
WHERE eid IN (SELECT eid FROM asked_entries) OR iid IN (SELECT iid FROM asked_items)
GROUP BY eid, iid"""

#: The nearest first: fewest of reference and amount missing, then money, then days, then ids.
_TOLD: Final = f"""\
WITH ranked AS (
  SELECT p.eid, p.iid, e.entry_id, i.item_id, e.narrative AS entry_text, i.narrative AS item_text,
    i.counterparty_name AS item_party, i.counterparty_account AS item_account,
    row_number() OVER (PARTITION BY p.eid ORDER BY lacking, off, days, i.item_id) AS of_entry,
    row_number() OVER (PARTITION BY p.iid ORDER BY lacking, off, days, e.entry_id) AS of_item
  FROM (SELECT *, (NOT shared)::INT * 2 + (e.amt <> i.amt)::INT * 2 + (NOT party)::INT AS lacking,
      abs(e.amt - i.amt) AS off, abs(e.bday - i.booked_on_no) AS days
    FROM pairs JOIN entries e USING (eid) JOIN items i USING (iid)) p
  JOIN entries e ON e.eid = p.eid JOIN items i ON i.iid = p.iid
  QUALIFY of_entry <= ? AND p.eid IN (SELECT eid FROM asked_entries)
    OR of_item <= ? AND p.iid IN (SELECT iid FROM asked_items))
SELECT r.eid, r.iid,
  floor(100 * jaro_winkler_similarity(bn.plain, kn.plain))::INTEGER,
  coalesce(names_agree(bn.plain, kn.plain), false),
  {_normal("d.counterparty_account")} = {_normal("r.item_account")},
  coalesce(d.counterparty_name IS NULL AND length(plain_text(r.item_party)) >= 5
      AND contains(plain_text(coalesce(r.entry_text, d.narrative)), plain_text(r.item_party))
    OR r.item_party IS NULL AND length(plain_text(d.counterparty_name)) >= 5
      AND contains(plain_text(r.item_text), plain_text(d.counterparty_name)), false)
FROM ranked r LEFT JOIN details d ON d.eid = r.eid AND d.fanout = 1
LEFT JOIN bank_names bn ON bn.name = d.counterparty_name
LEFT JOIN books_names kn ON kn.name = r.item_party
ORDER BY r.entry_id, r.item_id"""
