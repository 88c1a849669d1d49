"""The ladder on what is open, without the pairs that people keep apart."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute

from tieout.matching.engine import Result, match
from tieout.matching.ladder import Ladder
from tieout.stages.decided import Forbidden
from tieout.stages.open_tables import Open

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["run_ladder"]


def run_ladder(open_: Open, ladder: Ladder, forbidden: Forbidden) -> Result:
    """Match what is open; no group of the result holds a pair that people keep apart.

    Entries whose match, or one of whose candidates, is forbidden are tried once more, among
    themselves, with what is left and without the items they must not meet. So such an entry finds
    another match, and never one that somebody else has a claim to.
    """
    tables = (open_.entry_table, open_.detail_table, open_.item_table)
    first, lost = _lawful(match(*tables, ladder), forbidden)
    if not lost:
        return first
    taken = {str(m) for m in first.members.column("member_id").to_pylist()}
    taken |= {i for row in first.refused.to_pylist() for i in row["item_ids"]}
    taken |= {item for entry, item in forbidden.crossing if entry in lost}
    again = match(
        _only(open_.entry_table, "entry_id", lost),
        _only(open_.detail_table, "entry_id", lost),
        _without(open_.item_table, "item_id", taken),
        ladder,
    )
    second, _ = _lawful(again, forbidden)
    return replace(
        first,
        groups=pa.concat_tables([first.groups, second.groups]),
        members=pa.concat_tables([first.members, second.members]),
        refused=pa.concat_tables([first.refused, second.refused]),
    )


def _lawful(result: Result, forbidden: Forbidden) -> tuple[Result, set[str]]:
    """The result without what holds such a pair, and the entries that were in it."""
    if not (forbidden.crossing or forbidden.beside):
        return result, set()
    members: dict[str, dict[str, list[str]]] = {}
    for row in result.members.to_pylist():
        sides = members.setdefault(row["group_id"], {"entry": [], "detail": [], "item": []})
        sides[row["side"]].append(row["member_id"])
    bad = {k for k, m in members.items() if forbidden.breaks(m["entry"], m["item"])}
    lost = {entry for key in bad for entry in members[key]["entry"]}
    clear = []
    for row in result.refused.to_pylist():
        tied = not forbidden.breaks(row["entry_ids"], row["item_ids"])
        clear.append(tied)
        lost |= set() if tied else set(row["entry_ids"])
    if not lost and not bad:
        return result, set()
    lawful = replace(
        result,
        groups=_without(result.groups, "group_id", bad),
        members=_without(result.members, "group_id", bad),
        refused=result.refused.filter(pa.array(clear, pa.bool_())),
    )
    return lawful, lost


def _only(table: pa.Table, column: str, ids: Collection[str]) -> pa.Table:
    return table.filter(pc.is_in(table[column], value_set=pa.array(sorted(ids), pa.string())))


def _without(table: pa.Table, column: str, ids: Collection[str]) -> pa.Table:
    found = pc.is_in(table[column], value_set=pa.array(sorted(ids), pa.string()))
    return table.filter(pc.invert(found))
