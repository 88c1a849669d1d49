"""What controls and levels need of a statement's rows: a few numbers, and the rows that are wrong.

One pass over the entries and one over the details, however many there are; nothing is kept but
the numbers and, of each kind of wrong row, the first ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

import duckdb
import pyarrow as pa

from tieout.canonical import AMOUNT
from tieout.money import MINOR_MAX
from tieout.quality.relations import Frames, opened

__all__ = ["LARGEST", "Asked", "Few", "StatementFacts", "statement_facts"]

Row = Mapping[str, Any]

#: Entries of a statement whose amounts are judged: its largest.
LARGEST: Final = 20
#: Wrong rows of one kind and statement that are fetched; the others are counted.
_FETCHED: Final = 20
#: Entries whose details are summed at once.
_AT_ONCE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a statement's rows.

    Attributes:
        currency: entries of another one are *foreign*; None asks nothing.
        digits: amounts with more decimals, or beyond the ledger's bounds, are *unfit*; None asks
            nothing.
        first, last: booked entries outside these days, or without one, are *odd*.
    """

    statement_id: str
    currency: str | None = None
    digits: int | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Few:
    """The first rows of a kind, in their order, and how many there are."""

    rows: tuple[Row, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class StatementFacts:
    """Numbers of one statement's entries.

    Attributes:
        entries: how many there are, of any status.
        booked: how many of them are booked.
        moved: the sum of the booked ones.
        largest: the booked ones of the largest amounts (without sign), the largest first:
            ``entry_id``, ``line_no``, ``amount``.
        apart: entries whose details, all of them known, come to another sum: ``total``.
    """

    entries: int = 0
    booked: int = 0
    moved: Decimal = Decimal(0)
    largest: tuple[Row, ...] = ()
    foreign: Few = field(default_factory=Few)
    unfit: Few = field(default_factory=Few)
    odd: Few = field(default_factory=Few)
    apart: Few = field(default_factory=Few)


_BOOKED: Final = "status = 'booked'"
_KINDS: Final = {
    "foreign": "currency <> asked_currency",
    "unfit": "step IS NOT NULL AND (amount IS NULL OR abs(amount) > bound "
    "OR (amount * 100000)::HUGEINT % step <> 0)",
    "odd": f"first IS NOT NULL AND {_BOOKED} "
    "AND (booked_on IS NULL OR booked_on < first OR booked_on > last)",
}
_SHOWN: Final = "entry_id, line_no, amount, currency, booked_on"


def statement_facts(frames: Frames, asked: Sequence[Asked]) -> dict[str, StatementFacts]:
    """The numbers of the statements of one file, by their ids.

    Args:
        frames: ``entries``, and ``details`` where their sums are to be compared.
        asked: the statements, each once.
    """
    with opened(frames) as connection:
        connection.register("asked", _asked(asked))
        connection.execute(
            "CREATE VIEW judged AS SELECT * FROM asked JOIN "
            "(SELECT *, row_number() OVER () AS row_no FROM entries) USING (statement_id)"
        )
        heads = _heads(connection)
        wrong = {
            kind: _wrong(connection, f"SELECT * FROM judged WHERE {test}")
            if any(head[kind] for head in heads.values())
            else {}
            for kind, test in _KINDS.items()
        }
        entries = sum(head["entries"] for head in heads.values())
        wrong["apart"] = _apart(connection, entries) if "details" in frames else {}
    return {
        key: StatementFacts(
            head["entries"],
            head["booked"],
            head["moved"],
            _ordered(head["largest"]),
            **{kind: found.get(key, Few()) for kind, found in wrong.items()},
        )
        for key, head in heads.items()
    }


def _asked(asked: Sequence[Asked]) -> pa.Table:
    known = [a.digits is not None for a in asked]
    digits = [a.digits or 0 for a in asked]
    steps = [10 ** (5 - d) if k else None for d, k in zip(digits, known, strict=True)]
    bounds = [Decimal(MINOR_MAX).scaleb(-d) for d in digits]
    return pa.table(
        {
            "statement_id": pa.array([a.statement_id for a in asked], pa.string()),
            "asked_currency": pa.array([a.currency for a in asked], pa.string()),
            "step": pa.array(steps, pa.int64()),
            "bound": pa.array(bounds, AMOUNT),
            "first": pa.array([a.first for a in asked], pa.date32()),
            "last": pa.array([a.last for a in asked], pa.date32()),
        }
    )


def _heads(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    """Counts and sums of every statement with entries: one pass."""
    kept = "struct_pack(entry_id := entry_id, line_no := line_no, amount := amount)"
    counts = ", ".join(f"count(*) FILTER ({test}) AS {kind}" for kind, test in _KINDS.items())
    query = (
        f"SELECT statement_id, count(*) AS entries, count(*) FILTER ({_BOOKED}) AS booked, "
        f"coalesce(sum(amount) FILTER ({_BOOKED}), 0) AS moved, "
        f"max_by({kept}, abs(amount), {LARGEST}) FILTER ({_BOOKED} AND amount <> 0) AS largest, "
        f"{counts} FROM entries JOIN asked USING (statement_id) GROUP BY statement_id"
    )
    result = connection.execute(query)
    names = [column[0] for column in result.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    return {row["statement_id"]: row for row in rows}


#: Details say nothing where one has no amount or another currency; an entry may be net of charges.
#: Asked of one part of the entries after the other: their sums have to be held at once.
_APART: Final = """
    SELECT judged.*, total FROM judged JOIN (
        SELECT entry_id, max(own) AS own, sum(part) AS total, sum(charges) AS borne FROM (
            SELECT entry_id, amount AS own, currency AS asked, NULL AS part, NULL AS currency,
                NULL AS charges, 0 AS silent FROM entries WHERE {part}
            UNION ALL SELECT entry_id, NULL, NULL, amount, currency, charges,
                (amount IS NULL)::INT FROM details WHERE {part}
        ) GROUP BY entry_id
        HAVING sum(silent) = 0 AND sum(part) <> max(own)
            AND coalesce(max(own) <> sum(part) + sum(charges), true)
            AND (min(currency) IS NULL
                OR coalesce(min(currency) = max(asked) AND max(currency) = max(asked), false))
    ) USING (entry_id)
"""


def _apart(connection: duckdb.DuckDBPyConnection, entries: int) -> dict[str, Few]:
    """Entries whose details come to another sum, by statement."""
    parts = -(-entries // _AT_ONCE)
    found: dict[str, Few] = {}
    for number in range(parts):
        part = f"hash(entry_id) % {parts} = {number}" if parts > 1 else "true"
        for key, few in _wrong(connection, _APART.format(part=part), more=", total").items():
            before = found.get(key, Few())
            rows = sorted((*before.rows, *few.rows), key=lambda row: int(row["row_no"]))
            found[key] = Few(tuple(rows[:_FETCHED]), before.count + few.count)
    return found


def _wrong(connection: duckdb.DuckDBPyConnection, query: str, *, more: str = "") -> dict[str, Few]:
    """The first rows of each statement that a query gives, and how many it gives."""
    numbered = (
        f"SELECT statement_id, count(*) OVER (PARTITION BY statement_id) AS found, "
        f"{_SHOWN}{more}, row_no FROM ({query}) "
        f"QUALIFY row_number() OVER (PARTITION BY statement_id ORDER BY row_no) <= {_FETCHED} "
        "ORDER BY row_no"
    )
    result = connection.execute(numbered)
    names = [column[0] for column in result.description or ()]
    groups: dict[str, list[Row]] = {}
    for row in result.fetchall():
        groups.setdefault(row[0], []).append(dict(zip(names, row, strict=True)))
    return {key: Few(tuple(rows), rows[0]["found"]) for key, rows in groups.items()}


def _ordered(largest: Sequence[Row] | None) -> tuple[Row, ...]:
    def order(row: Row) -> tuple[Decimal, int, str]:
        return -abs(row["amount"]), row["line_no"] or 0, row["entry_id"]

    return tuple(sorted(largest or (), key=order))
