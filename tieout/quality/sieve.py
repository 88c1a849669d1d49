"""The sieve: of any number of rows, the few that Great Expectations has to look at.

Every rule's mask (`tieout.quality.masks`) is counted in one pass over the table. Where none is
true, the table is good and a few rows of it are shown to the library as they are. Where one is,
the first rows of each statement go to the library, which judges; all are counted. A rule without a
mask has every row judged: slow, but not less strict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import pyarrow as pa

from tieout.quality.masks import condition, mask
from tieout.quality.relations import PARENTS, columns_of, name_of
from tieout.quality.rules import LOCATORS, Suite

__all__ = ["SHOWN_MAX", "Sifted", "sift"]

#: Rows of one rule and statement that are shown, and judged one by one.
SHOWN_MAX: Final = 20
#: Good rows a table without bad ones shows the library.
_WITNESSES: Final = 5
_ROW: Final = "row_no"


@dataclass(frozen=True, slots=True)
class Sifted:
    """What is left of a table.

    Attributes:
        rows: of the whole table.
        asked: per rule, the rows its condition holds of.
        counts: per rule and owner (statement or file), the rows its mask is true of; a rule
            without a mask is not in it.
        table: the rows to be judged, in the order of the whole table.
    """

    rows: int
    asked: Mapping[str, int]
    counts: Mapping[str, Mapping[str, int]]
    table: pa.Table


def sift(connection: duckdb.DuckDBPyConnection, name: str, suite: Suite) -> Sifted:
    """Count what the rules of a suite may not take, and fetch the rows to be judged.

    Args:
        connection: has the table, and the one above it, as views (`tieout.quality.relations`).
    """
    rules = {rule["meta"]["rule_id"]: rule for rule in suite["expectations"]}
    joined = _joined(connection, name)
    source = (
        joined
        if any(_mentions(rule, _taken(connection, name)) for rule in rules.values())
        else name
    )
    made = {key: mask(rule, source) for key, rule in rules.items()}
    masks = {k: m for k, m in made.items() if m is not None and _binds(connection, source, m)}
    asked = {key: condition(rules[key]["kwargs"].get("row_condition")) for key in masks}
    rows, holds, bad = _count(connection, source, masks, asked)
    suspects = {key: masks[key] for key in masks if bad[key]}
    owner = LOCATORS[name][0]
    numbered = _joined(
        connection, name, rows=f"SELECT *, row_number() OVER () AS {_ROW} FROM {name}"
    )
    counts = {key: _by_owner(connection, joined, owner, suspects[key]) for key in suspects}
    if None in made.values():
        table = _rows(connection, f"SELECT * EXCLUDE ({_ROW}) FROM {numbered} ORDER BY {_ROW}")
    elif suspects:
        table = _rows(connection, _first_of_each(numbered, owner, list(suspects.values())))
    else:
        witnesses = f"SELECT * FROM {name} LIMIT {_WITNESSES}"
        table = _rows(connection, f"SELECT * FROM {_joined(connection, name, rows=witnesses)}")
    return Sifted(rows, holds, {key: counts.get(key, {}) for key in masks}, table)


def _taken(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """The columns the table takes from the one above it, if that is there."""
    parent, _, wanted = PARENTS.get(name, ("", "", ()))
    there = connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    known = columns_of(connection, name)
    return [column for column in wanted if column not in known] if (parent,) in there else []


def _mentions(rule: Mapping[str, Any], columns: Sequence[str]) -> bool:
    text = repr(rule["kwargs"])
    return any(f"'{column}'" in text for column in columns)


def _joined(connection: duckdb.DuckDBPyConnection, name: str, rows: str = "") -> str:
    """The rows of a table (by default all) with what they take from the table above it."""
    taken = _taken(connection, name)
    if not taken:
        return f"({rows})" if rows else name
    parent, key, _ = PARENTS[name]
    more = ", ".join(name_of(column) for column in taken)
    # A statement that stands in two files must not double its rows.
    above = f"SELECT DISTINCT ON ({key}) {key}, {more} FROM {parent}"
    if "LIMIT" in rows:
        above += f" WHERE {key} IN (SELECT {key} FROM ({rows}))"
    return f"(SELECT * FROM ({rows or f'FROM {name}'}) LEFT JOIN ({above}) USING ({key}))"


def _binds(connection: duckdb.DuckDBPyConnection, source: str, made: str) -> bool:
    """Whether a mask can be asked of the table; if not, the rule is broken and the library says."""
    try:
        connection.execute(f"EXPLAIN SELECT {made} FROM {source}")
    except duckdb.Error:
        return False
    return True


def _count(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    masks: Mapping[str, str],
    asked: Mapping[str, str],
) -> tuple[int, dict[str, int], dict[str, int]]:
    """Rows, and for each rule the rows it is asked of and those its mask is true of: one pass."""
    inner, outer = ["1 AS one"], ["count(*)"]
    for number, key in enumerate(masks):
        inner.append(f"({masks[key]})::INT AS bad_{number}")
        inner.append(f"coalesce({asked[key]}, false)::INT AS asked_{number}")
        outer += [f"coalesce(sum({c}_{number}), 0)" for c in ("bad", "asked")]
    query = f"SELECT {', '.join(outer)} FROM (SELECT {', '.join(inner)} FROM {source})"
    rows, *numbers = (int(n) for n in connection.execute(query).fetchall()[0])
    bad = dict(zip(masks, numbers[0::2], strict=True))
    return rows, dict(zip(masks, numbers[1::2], strict=True)), bad


def _by_owner(
    connection: duckdb.DuckDBPyConnection, source: str, owner: str, made: str
) -> dict[str, int]:
    query = (
        f"SELECT coalesce({name_of(owner)}, ''), count(*) FROM {source} WHERE {made} "
        "GROUP BY 1 ORDER BY 1"
    )
    return dict(connection.execute(query).fetchall())


def _first_of_each(numbered: str, owner: str, masks: Sequence[str]) -> str:
    """The first rows of each owner for each mask, each row once, in the order of the table."""
    numbers = range(len(masks))
    flags = ", ".join(f"({made}) AS bad_{n}" for n, made in enumerate(masks))
    ranks = ", ".join(
        f"sum(bad_{n}::INT) OVER (PARTITION BY {name_of(owner)} ORDER BY {_ROW} "
        f"ROWS UNBOUNDED PRECEDING) AS rank_{n}"
        for n in numbers
    )
    any_bad = " OR ".join(f"bad_{n}" for n in numbers)
    keep = " OR ".join(f"(bad_{n} AND rank_{n} <= {SHOWN_MAX})" for n in numbers)
    helpers = ", ".join([_ROW, *(f"{c}_{n}" for n in numbers for c in ("bad", "rank"))])
    return (
        f"WITH flagged AS (SELECT *, {flags} FROM {numbered}), "
        f"bad AS (SELECT * FROM flagged WHERE {any_bad}), "
        f"ranked AS (SELECT *, {ranks} FROM bad) "
        f"SELECT * EXCLUDE ({helpers}) FROM ranked WHERE {keep} ORDER BY {_ROW}"
    )


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    table: pa.Table = connection.sql(query).to_arrow_table()
    return table
