"""Refusals: candidates that are not unique, gathered so that each stands with all its rivals.

Within a rung every entry and item is in at most one refusal of a kind: rivals that share a
candidate are one refusal. Work and size are linear in the rows concerned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

__all__ = ["REFUSED", "Reason", "Refusal", "components", "refused_table"]

Reason = Literal["not_unique", "too_many", "unfit"]

REFUSED = pa.schema(
    [
        pa.field("rung", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("message", pa.string()),
        pa.field("entry_ids", pa.list_(pa.string())),
        pa.field("item_ids", pa.list_(pa.string())),
    ]
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Entries and items that could meet in more than one way.

    ``not_unique`` ones are kept from later rungs; ``too_many`` were not looked into (later rungs
    may still find other evidence); ``unfit`` rows could not be weighed at all.
    """

    rung: str
    reason: Reason
    message: str
    entry_ids: tuple[str, ...]
    item_ids: tuple[str, ...]


def components(edges: Iterable[Sequence[int | None]]) -> list[tuple[set[int], set[int]]]:
    """Connected sets of (entries, items) from (entry, item, hub) edges; None where it has none."""
    parent: dict[tuple[str, int], tuple[str, int]] = {}

    def root(node: tuple[str, int]) -> tuple[str, int]:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for edge in edges:
        nodes = [(s, v) for s, v in zip("bkh", edge, strict=True) if v is not None]
        for node in nodes:
            parent.setdefault(node, node)
        first = root(nodes[0])
        for node in nodes[1:]:
            parent[root(node)] = first
    sets: dict[tuple[str, int], tuple[set[int], set[int]]] = {}
    for node in parent:
        entries, items = sets.setdefault(root(node), (set(), set()))
        if node[0] == "b":
            entries.add(node[1])
        elif node[0] == "k":
            items.add(node[1])
    return list(sets.values())


def refused_table(refusals: Sequence[Refusal], order: Sequence[str]) -> pa.Table:
    """Refusals as a table: by rung (in the ladder's order), then by their ids."""
    rank = {name: number for number, name in enumerate(order)}
    rows = sorted(refusals, key=lambda r: (rank.get(r.rung, -1), r.reason, r.entry_ids, r.item_ids))
    columns = [
        pa.array([row.rung for row in rows], pa.string()),
        pa.array([row.reason for row in rows], pa.string()),
        pa.array([row.message for row in rows], pa.string()),
        pa.array([list(row.entry_ids) for row in rows], pa.list_(pa.string())),
        pa.array([list(row.item_ids) for row in rows], pa.list_(pa.string())),
    ]
    return pa.Table.from_arrays(columns, schema=REFUSED)
