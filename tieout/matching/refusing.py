"""What a rung refuses: said with all rivals, and kept from later rungs."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from tieout.matching.columns import Columns
from tieout.matching.ladder import Rung
from tieout.matching.refusals import Reason, Refusal, components
from tieout.matching.sides import Edges, Outcome, Sides

__all__ = ["refused_by"]


def refused_by(sides: Sides, rung: Rung, outcome: Outcome) -> list[Refusal]:
    """What the rung found not unique (kept from later rungs) and what it did not look into."""
    if rung.state == "proposed":
        return []  # what is not even a proposal is not held against later rungs
    edges, crowded = outcome.contested, outcome.crowded
    sides.open_entries[edges.entry[edges.entry >= 0]] = False
    sides.open_items[edges.item[edges.item >= 0]] = False
    told: list[tuple[Reason, str, Iterable[int], Iterable[int]]] = []
    told += [("not_unique", _message("not_unique", *s), *s) for s in _sets(edges)]
    told += [("too_many", _message("too_many", *s), *s) for s in _sets(crowded)]
    told += outcome.told
    for reason, _, entries, _ in outcome.told:
        if reason == "not_unique":
            sides.open_entries[list(entries)] = False
    entry_ids = _ids(sides.prepared.entries, "entry_id", (entries for _, _, entries, _ in told))
    item_ids = _ids(sides.prepared.items, "item_id", (items for _, _, _, items in told))
    return [
        Refusal(rung.name, reason, message, ours, theirs)
        for (reason, message, _, _), ours, theirs in zip(told, entry_ids, item_ids, strict=True)
    ]


def _sets(edges: Edges) -> list[tuple[set[int], set[int]]]:
    rows = zip(edges.entry.tolist(), edges.item.tolist(), edges.hub.tolist(), strict=True)
    return components([None if value < 0 else value for value in row] for row in rows)


def _message(reason: Reason, entries: set[int], items: set[int]) -> str:
    count = f"{_count(len(entries), 'entry', 'entries')} and "
    count += _count(len(items), "item", "items")
    if reason == "too_many":
        return f"{count} have the same key: too many to compare one by one."
    return f"{count} fit each other in more than one way; a person must decide."


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _ids(table: Columns, name: str, sets: Iterable[Iterable[int]]) -> list[tuple[str, ...]]:
    """The ids of each set of rows, ordered; those of all sets are read at once."""
    rows = [sorted(set(some)) for some in sets]
    flat = np.array([row for some in rows for row in some], dtype="int64")
    ids: list[Any] = table.take(name, flat).to_pylist()
    ends = accumulate(map(len, rows), initial=0)
    return [tuple(sorted(ids[at:to])) for at, to in pairwise(ends)]
