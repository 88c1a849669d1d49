"""Rungs compiled to SQL on DuckDB.

Every rung becomes the same few steps over ``open_entries``, ``open_details``, ``open_items``: what
earlier rungs neither took nor refused (`subtract`; an anti join, so it is null-safe):

``bank``, ``books``
    each open side's keys, with a 64-bit ``bucket`` over everything that must be equal.
``pairs``
    which bank unit meets which item, and ``ties``, buckets in which more than one of a side
    meets: those are counted, never multiplied out. Rungs with a condition beyond equality meet
    inside their bucket; a bucket that is too crowded to be looked at is said and left alone.
``contested_bank``, ``contested_books``
    everything that is not unique on both sides.

No step can grow as entries times items.
"""

from __future__ import annotations

from typing import Final

from tieout.matching.conditions import amount_sql, days_sql, name_macros, normal_sql, party_sql
from tieout.matching.ladder import BANK_ENTRY, TEXT, Key, Rung
from tieout.references import SENTINELS

__all__ = ["CROWD", "compile_rung", "name_macros", "normal_sql", "subtract"]

#: A bucket is looked into while entries × items stays below this many times entries + items.
CROWD: Final = 64


def compile_rung(
    rung: Rung,
    tiers: tuple[int, ...],
    *,
    shared: bool = False,
    absent: frozenset[str] = frozenset(),
) -> list[str]:
    """The statements of a rung over items of the given tiers, to be run in order.

    Args:
        rung: what to compile.
        tiers: numbers of the ladder's kinds this pass looks at.
        shared: whether some items belong to no account and so may meet entries of any.
        absent: columns without any value (``details.uetr``), which need not be read;
            ``details.fanout`` where no entry has several details.

    Returns:
        Statements; none where a side has no values to compare.

    Afterwards ``clean`` holds (uid, iid, key) of what is unique on both sides; ``edges`` (uid,
    iid, hub) what is not; ``crowded`` the buckets that were left alone.
    """
    if rung.shape == "details" and "details.fanout" in absent:
        return []
    bank, books = _bank(rung, shared, absent), _books(rung, tiers, absent)
    if not bank or not books:
        return []
    if rung.shape == "batch":
        return [bank, books, *_batch()]
    plain = rung.same and not (rung.tolerance or rung.party or rung.days)
    return [bank, books, *(_equal() if plain else _within(rung)), *_unique()]


def subtract(step: int) -> list[str]:
    """Take what is in ``taken_entries`` (eid) and ``taken_items`` (iid) out of what is open.

    Args:
        step: 1 the first time, then one more each time.
    """
    statements = []
    for side, table, handle in (
        ("entries", "taken_entries", "eid"),
        ("details", "taken_entries", "eid"),
        ("items", "taken_items", "iid"),
    ):
        statements += [
            f"CREATE TEMP TABLE open_{side}_{step} AS\n"
            f"FROM open_{side} ANTI JOIN {table} USING ({handle})",
            f"CREATE OR REPLACE TEMP VIEW open_{side} AS FROM open_{side}_{step}",
            f"DROP TABLE IF EXISTS open_{side}_{step - 1}",
        ]
    return [*statements, "TRUNCATE taken_entries", "TRUNCATE taken_items"]


def _in_bucket(rung: Rung) -> list[str]:
    """What both sides must have equal, besides the account and currency."""
    exact = rung.tolerance is None and rung.shape != "batch"
    return (["key"] if rung.same else []) + (["amt"] if exact else [])


def _bank(rung: Rung, shared: bool, absent: frozenset[str]) -> str:
    uid, amount, scope = {
        "one_to_one": ("eid", "eamt", "fanout = 1"),
        "details": ("did", "amt", "fanout > 1"),
        "batch": ("eid", "eamt", "true"),
    }[rung.shape]
    bucket = ", ".join(["part", *_in_bucket(rung)])
    if not rung.same:
        return (
            "CREATE OR REPLACE TEMP TABLE bank AS\n"
            f"SELECT eid AS uid, amt, '' AS key, hash({bucket}) AS bucket\n"
            f"FROM {_parted('open_entries', shared)}"
        )
    selects = []
    for key in rung.same:
        for fields, render in ((key.bank, _keys), (key.text, _text_keys)):
            for field in fields:
                in_entries = field in (*BANK_ENTRY, *TEXT) and rung.shape != "details"
                if in_entries and f"entries.{field}" not in absent:
                    selects.append(render("open_entries", "eid", "amt", field, key, "true", shared))
                if field not in BANK_ENTRY and f"details.{field}" not in absent:
                    selects.append(render("open_details", uid, amount, field, key, scope, shared))
    if not selects:
        return ""
    return (
        "CREATE OR REPLACE TEMP TABLE bank AS\n"
        f"SELECT {_distinct(selects)}uid, amt, key, hash({bucket}) AS bucket\n"
        f"FROM ({_union(selects)})\nWHERE amt IS NOT NULL"
    )


def _parted(source: str, shared: bool) -> str:
    """The bank's side, a second time under its shared partition where items have no account."""
    if not shared:
        return source
    return f"(SELECT * EXCLUDE part, unnest([part, wild]) AS part FROM {source})"


def _distinct(selects: list[str]) -> str:
    return "DISTINCT " if len(selects) > 1 or "unnest" in selects[0] else ""


def _union(selects: list[str]) -> str:
    return "\n  UNION ALL\n  ".join(selects)


def _sound(key: Key) -> str:
    none = ", ".join(f"'{v}'" for v in sorted(SENTINELS) if len(v) >= key.length_min)
    return f"length(key) >= {key.length_min}" + (f" AND key NOT IN ({none})" if none else "")


def _keys(
    source: str, uid: str, amount: str, field: str, key: Key, scope: str, shared: bool
) -> str:
    return (
        f"SELECT uid, part, amt, key FROM (SELECT {uid} AS uid, part, {amount} AS amt, "
        f"{normal_sql(field)} AS key FROM {_parted(source, shared)} "
        f"WHERE {scope} AND {field} IS NOT NULL) "
        f"WHERE {_sound(key)}"
    )


def _text_keys(
    source: str, uid: str, amount: str, field: str, key: Key, scope: str, shared: bool
) -> str:
    pattern = "|".join(f"(?:{p})" for p in key.patterns).replace("'", "''")
    joined = f"regexp_replace(upper({field}), '[\\r\\n]+', '', 'g')"
    hits = f"regexp_extract_all(upper({field}), '{pattern}')"
    both = (
        f"CASE WHEN contains({field}, chr(10)) "
        f"THEN list_concat({hits}, regexp_extract_all({joined}, '{pattern}')) ELSE {hits} END"
    )
    return (
        f"SELECT uid, part, amt, key FROM (SELECT uid, part, amt, {normal_sql('hit')} AS key "
        f"FROM (SELECT {uid} AS uid, part, {amount} AS amt, unnest({both}) AS hit "
        f"FROM {_parted(source, shared)} "
        f"WHERE {scope} AND {field} IS NOT NULL)) WHERE {_sound(key)}"
    )


def _books(rung: Rung, tiers: tuple[int, ...], absent: frozenset[str]) -> str:
    tier = "tier IN ({})".format(", ".join(str(t) for t in tiers))
    if rung.kinds:
        kinds = ", ".join(f"'{kind}'" for kind in rung.kinds)
        tier += f" AND coalesce(kind, 'cash_book') IN ({kinds})"
    bucket = ", ".join(["part", *_in_bucket(rung)])
    source = f"FROM open_items WHERE {tier}"
    if not rung.same:
        return (
            "CREATE OR REPLACE TEMP TABLE books AS\n"
            f"SELECT iid, amt, '' AS key, hash({bucket}) AS bucket\n{source}"
        )
    selects = []
    for key in rung.same:
        for field in key.books:
            if f"items.{field}" in absent:
                continue
            column = f"unnest({field})" if field == "reference" else field
            inner = f"SELECT iid, part, amt, {column} AS raw {source} AND {field} IS NOT NULL"
            selects.append(
                f"SELECT iid, part, amt, key FROM (SELECT iid, part, amt, {normal_sql('raw')} "
                f"AS key FROM ({inner})) WHERE {_sound(key)}"
            )
    if not selects:
        return ""
    return (
        "CREATE OR REPLACE TEMP TABLE books AS\n"
        f"SELECT {_distinct(selects)}iid, amt, key, hash({bucket}) AS bucket\n"
        f"FROM ({_union(selects)})"
    )


_COUNTED: Final = """\
SELECT bucket, b.n AS n_bank, k.n AS n_books, b.uid, k.iid, b.key
FROM (SELECT bucket, count(*) AS n, min(uid) AS uid, min(key) AS key FROM bank GROUP BY bucket) b
JOIN (SELECT bucket, count(*) AS n, min(iid) AS iid, min(key) AS key FROM books GROUP BY bucket) k
USING (bucket)"""


def _equal() -> list[str]:
    """Everything asked for is equality: buckets are counted, never multiplied out."""
    return [
        f"CREATE OR REPLACE TEMP TABLE meeting AS\n{_COUNTED}\nWHERE b.key = k.key",
        "CREATE OR REPLACE TEMP TABLE pairs AS\n"
        "SELECT uid, iid, min(key) AS key FROM meeting WHERE n_bank = 1 AND n_books = 1\n"
        "GROUP BY uid, iid",
        "CREATE OR REPLACE TEMP TABLE ties AS\n"
        "SELECT bucket FROM meeting WHERE n_bank > 1 OR n_books > 1",
        "CREATE OR REPLACE TEMP TABLE crowded AS SELECT 0::UBIGINT AS bucket LIMIT 0",
    ]


def _within(rung: Rung) -> list[str]:
    """A condition beyond equality: units meet inside their bucket, which must not be crowded."""
    joins, conditions = ["JOIN books k ON k.bucket = b.bucket AND k.key = b.key"], []
    joins.append("JOIN entries e ON e.eid = b.uid")
    joins.append("JOIN items i ON i.iid = k.iid")
    if rung.tolerance:
        conditions.append(amount_sql(rung))
    if rung.days:
        conditions.append(days_sql(rung.days))
    if rung.party:
        joins.append("LEFT JOIN details d ON d.eid = b.uid AND d.fanout = 1")
        conditions.append(party_sql(rung))
    return [
        "CREATE OR REPLACE TEMP TABLE crowded AS\n"
        f"SELECT bucket FROM ({_COUNTED})\n"
        f"WHERE n_bank * n_books > {CROWD} * (n_bank + n_books)",
        "CREATE OR REPLACE TEMP TABLE pairs AS\n"
        "SELECT b.uid, k.iid, min(b.key) AS key\n"
        "FROM (SELECT * FROM bank ANTI JOIN crowded USING (bucket)) b\n"
        + "\n".join(joins)
        + "\nWHERE "
        + "\n  AND ".join(conditions)
        + "\nGROUP BY b.uid, k.iid",
        "CREATE OR REPLACE TEMP TABLE ties AS SELECT 0::UBIGINT AS bucket LIMIT 0",
    ]


def _unique() -> list[str]:
    """Unique on both sides or refused."""
    return [
        "CREATE OR REPLACE TEMP TABLE contested_bank AS\n"
        "SELECT uid FROM pairs GROUP BY uid HAVING count(*) > 1\n"
        "UNION SELECT uid FROM bank SEMI JOIN ties USING (bucket)",
        "CREATE OR REPLACE TEMP TABLE contested_books AS\n"
        "SELECT iid FROM pairs GROUP BY iid HAVING count(*) > 1\n"
        "UNION SELECT iid FROM books SEMI JOIN ties USING (bucket)",
        "CREATE OR REPLACE TEMP TABLE clean AS\n"
        "SELECT uid, iid, key FROM pairs\n"
        "ANTI JOIN contested_bank USING (uid) ANTI JOIN contested_books USING (iid)",
        "CREATE OR REPLACE TEMP TABLE edges AS\n"
        "SELECT uid, iid, NULL::UBIGINT AS hub FROM pairs "
        "WHERE uid IN (FROM contested_bank) OR iid IN (FROM contested_books)\n"
        "UNION ALL SELECT uid, NULL, bucket FROM bank SEMI JOIN ties USING (bucket)\n"
        "UNION ALL SELECT NULL, iid, bucket FROM books SEMI JOIN ties USING (bucket)",
    ]


def _batch() -> list[str]:
    """An entry equals the sum of all open items of its run."""
    return [
        "CREATE OR REPLACE TEMP TABLE claims AS\n"
        "SELECT b.uid, b.bucket, b.key FROM bank b JOIN (\n"
        "  SELECT bucket, sum(amt::HUGEINT) AS total, min(key) AS key FROM books GROUP BY bucket\n"
        ") t ON t.bucket = b.bucket AND t.key = b.key AND t.total = b.amt",
        "CREATE OR REPLACE TEMP TABLE contested_bank AS\n"
        "SELECT uid FROM claims GROUP BY uid HAVING count(*) > 1\n"
        "UNION SELECT uid FROM claims SEMI JOIN (\n"
        "  SELECT bucket FROM claims GROUP BY bucket HAVING count(*) > 1) USING (bucket)\n"
        "UNION SELECT uid FROM claims SEMI JOIN (\n"
        "  SELECT bucket FROM books SEMI JOIN (\n"
        "    SELECT iid FROM books SEMI JOIN claims USING (bucket)\n"
        "    GROUP BY iid HAVING count(*) > 1) USING (iid)) USING (bucket)",
        "CREATE OR REPLACE TEMP TABLE clean AS\n"
        "SELECT c.uid, k.iid, c.key FROM claims c ANTI JOIN contested_bank USING (uid)\n"
        "JOIN books k ON k.bucket = c.bucket",
        "CREATE OR REPLACE TEMP TABLE edges AS\n"
        "SELECT uid, NULL::BIGINT AS iid, bucket AS hub FROM claims SEMI JOIN contested_bank "
        "USING (uid)\n"
        "UNION ALL SELECT NULL, iid, bucket FROM books SEMI JOIN (\n"
        "  SELECT bucket FROM claims SEMI JOIN contested_bank USING (uid)) USING (bucket)",
        "CREATE OR REPLACE TEMP TABLE crowded AS SELECT 0::UBIGINT AS bucket LIMIT 0",
    ]
