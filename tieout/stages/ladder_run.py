"""The ladder on what is open, without the pairs that people keep apart."""

from __future__ import annotations

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

    An entry and an item kept apart are no candidates of each other, so another match of either
    may be found. Two of one side that cancelled, and must not, stay open.
    """
    result = match(
        open_.entry_table,
        open_.detail_table,
        open_.item_table,
        ladder,
        forbidden=forbidden.table() if forbidden.crossing else None,
    )
    return _apart(result, forbidden) if forbidden.beside else result


def _apart(result: Result, forbidden: Forbidden) -> Result:
    """The result without groups of one side that hold two which people keep apart."""
    members: dict[str, dict[str, list[str]]] = {}
    for row in result.members.to_pylist():
        sides = members.setdefault(row["group_id"], {"entry": [], "detail": [], "item": []})
        sides[row["side"]].append(row["member_id"])
    bad = [k for k, m in members.items() if forbidden.breaks(m["entry"], m["item"])]
    if not bad:
        return result
    return replace(
        result, groups=_without(result.groups, bad), members=_without(result.members, bad)
    )


def _without(table: pa.Table, group_ids: list[str]) -> pa.Table:
    found = pc.is_in(table["group_id"], value_set=pa.array(sorted(group_ids), pa.string()))
    return table.filter(pc.invert(found))
