"""Content ids for a file's rows; a statement the file holds twice has the same ids twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pyarrow as pa

from tieout.canonical import Tables
from tieout.errors import Finding
from tieout.identity import assign_ids

__all__ = ["with_ids"]

_FACTS: Final = ("amount", "booked_on", "valued_on", "bank_ref", "entry_ref", "narrative")


def with_ids(tables: Tables, digest: str) -> Tables:
    """The tables of one file with content ids.

    Where the file repeats a statement entry by entry, the repeated rows carry the ids of the
    first, so that recording them changes nothing, and a finding says so.
    """
    out = assign_ids(tables, digest)
    repeats = _repeats(tables, _column(out.statements, "statement_id"))
    if not repeats:
        return out

    def first(local: str) -> str:
        statement, dot, rest = local.partition(".")
        return repeats.get(statement, statement) + dot + rest

    entries = _first_ids(tables.entries, out.entries, "entry_id", first)
    findings = [
        Finding(
            "STATEMENT_REPEATED",
            "info",
            f"statement {own}",
            f"the file holds statement {before} again as statement {own}; both have one identity",
            "nothing, unless the bank meant another statement",
        )
        for own, before in repeats.items()
    ]
    known = dict(zip(_column(tables.entries, "entry_id"), entries, strict=True))
    owners = [known[local] for local in _column(tables.details, "entry_id")]
    details = _first_ids(tables.details, out.details, "detail_id", first)
    return Tables(
        out.statements,
        out.balances,
        _replaced(out.entries, "entry_id", entries),
        _replaced(_replaced(out.details, "entry_id", owners), "detail_id", details),
        (*out.findings, *findings),
        out.payments,
        out.statuses,
    )


def _repeats(tables: Tables, ids: list[str]) -> dict[str, str]:
    """Local id of each repeated statement and of the one it repeats."""
    local = _column(tables.statements, "statement_id")
    if len(set(ids)) == len(ids):
        return {}
    facts: dict[str, list[tuple[object, ...]]] = {}
    for row in tables.entries.select(["statement_id", *_FACTS]).to_pylist():
        facts.setdefault(row["statement_id"], []).append(tuple(row[name] for name in _FACTS))
    first: dict[str, str] = {}
    found: dict[str, str] = {}
    for own, shared in zip(local, ids, strict=True):
        before = first.setdefault(shared, own)
        if before != own and facts.get(before) == facts.get(own):
            found[own] = before
    return found


def _first_ids(local: pa.Table, out: pa.Table, name: str, first: Callable[[str], str]) -> list[str]:
    names = _column(local, name)
    known = dict(zip(names, _column(out, name), strict=True))
    return [known.get(first(own), known[own]) for own in names]


def _column(table: pa.Table, name: str) -> list[str]:
    return [str(value) for value in table[name].to_pylist()]


def _replaced(table: pa.Table, name: str, values: list[str]) -> pa.Table:
    at = table.schema.get_field_index(name)
    return table.set_column(at, table.schema.field(at), pa.array(values, pa.string()))
