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

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa

from tieout.arrays import handles
from tieout.matching.columns import Columns, Source
from tieout.matching.conditions import name_macros
from tieout.matching.groups import GROUPS, MEMBERS, Builder, Sink
from tieout.matching.ladder import Ladder, Rung
from tieout.matching.refusals import Reason, Refusal, components, refused_table
from tieout.matching.rung_cancel import cancel, net, returned, transfer
from tieout.matching.rung_pairs import pair, pair_details
from tieout.matching.rung_subset import search_sums
from tieout.matching.rung_sums import batch, run_total
from tieout.matching.rung_together import together
from tieout.matching.sides import Edges, Outcome, Sides
from tieout.matching.tables import prepare

__all__ = ["Done", "Result", "match", "match_into", "session"]

Step = Callable[[Sides, Rung, int], Outcome]

#: How each shape of a rung is done, over the items of one tier of kinds.
SHAPES: Final[dict[str, Step]] = {
    "one_to_one": pair,
    "details": pair_details,
    "batch": batch,
    "run": run_total,
    "together": together,
    "subset": search_sums,
    "cancel": cancel,
    "net": net,
    "transfer": transfer,
    "returned": returned,
}


#: Shapes that ask for no items, so that tiers of items mean nothing to them.
_ENTRIES_ONLY: Final = ("cancel", "transfer", "returned")


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
        seconds: CPU seconds by rung, and of ``prepare`` and ``groups``; for people who tune.
    """

    groups: pa.Table
    members: pa.Table
    refused: pa.Table
    ladder: str
    seconds: dict[str, float] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Done:
    """What a run says beside its groups and members: as in `Result`, and how many rows it had."""

    refused: pa.Table
    ladder: str
    seconds: dict[str, float]
    entries: int
    items: int


class _Tables:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.found = {"groups": [GROUPS.empty_table()], "members": [MEMBERS.empty_table()]}

    def groups(self, table: pa.Table) -> None:
        self.found["groups"].append(table)

    def members(self, table: pa.Table) -> None:
        self.found["members"].append(table)


def match(
    entries: pa.Table,
    details: pa.Table | None,
    items: pa.Table,
    ladder: Ladder,
    *,
    threads: int | None = None,
    forbidden: pa.Table | None = None,
) -> Result:
    """Match open entries against open items.

    Args:
        entries: canonical `ENTRIES`, only open ones; absent columns are null.
        details: canonical `DETAILS` of those entries, or None where the entries stand alone (then
            detail columns on the entries themselves are used).
        items: canonical `ITEMS`, only open ones, signed as the movement the bank will show.
        ladder: the rungs.
        threads: how many to use; the result is the same for any number.
        forbidden: (entry_id, item_id) pairs that people keep apart: no group holds both, and they
            are no rivals of each other either.

    Raises:
        InputError: a table lacks ids, repeats one, or has a column of the wrong type.
    """
    tables = _Tables()
    given = entries, details, items
    done = match_into(tables, *given, ladder, threads=threads, forbidden=forbidden)
    groups, members = (pa.concat_tables(parts) for parts in tables.found.values())
    return Result(groups, members, done.refused, done.ladder, done.seconds)


def match_into(
    sink: Sink,
    entries: pa.Table | Source,
    details: pa.Table | Source | None,
    items: pa.Table | Source,
    ladder: Ladder,
    *,
    threads: int | None = None,
    spill: Path | None = None,
    forbidden: pa.Table | None = None,
) -> Done:
    """As `match`, but groups and members are told as they are found, and tables may be files.

    Args:
        sink: is told the groups rung by rung, then the members.
        entries: see `match`; likewise the other tables.
        details: see `match`.
        items: see `match`.
        ladder: see `match`.
        threads: see `match`.
        spill: a folder for what does not fit into memory.
        forbidden: see `match`.
    """
    clock = _Clock()
    prepared = prepare(entries, details, items, ladder)
    clock.lap("prepare")
    refusals = [
        Refusal("", "unfit", f"The {side} cannot be weighed: {why}.", *_one(side, row))
        for side, row, why in prepared.unfit
    ]
    with session(threads=threads, spill=spill) as db:
        naming = {k: k for r in ladder.rungs if r.shape == "together" for k in r.same}
        keys = {k: k for r in ladder.rungs for k in r.same}
        sides = Sides(db, prepared, forbidden, tuple(naming), tuple(keys))
        told = Builder(sides, sink)
        _climb(sides, ladder, refusals, told, clock)
        sides.forget()
        told.finish()
        clock.lap("groups")
    order = [rung.name for rung in ladder.rungs]
    return Done(
        refused_table(refusals, order),
        f"{ladder.name}@{ladder.version}",
        clock.seconds,
        len(prepared.entries),
        len(prepared.items),
    )


def _climb(
    sides: Sides, ladder: Ladder, refusals: list[Refusal], told: Builder, clock: _Clock
) -> None:
    """Run every rung over every tier of items; what is refused is added to ``refusals``."""
    present = set(np.unique(sides.tier).tolist())
    for rung in ladder.rungs:
        for tier in [0] if rung.shape in _ENTRIES_ONLY else sorted(present - {-1}):
            if rung.shape not in _ENTRIES_ONLY and not _has_kinds(rung, ladder.kinds[tier]):
                continue
            if rung.shape != "net" and not sides.open_entries.any():
                continue
            outcome = SHAPES[rung.shape](sides, rung, tier)
            clock.lap(rung.name)
            if outcome.found is not None:
                made = sides.permitted(outcome.found)
                told.add(made)
                clock.lap("groups")
                sides.open_entries[made.entries.row] = False
                sides.open_items[made.items.row] = False
            refusals += _refuse(sides, rung, outcome)
            del outcome
            sides.let_go()
            clock.lap(rung.name)


class _Clock:
    """CPU seconds between laps, by what was done."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.process_time()

    def lap(self, name: str) -> None:
        now = time.process_time()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        self._last = now


@contextmanager
def session(
    *, threads: int | None = None, spill: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A private in-memory database that knows our macros for names."""
    config: dict[str, str | bool | int | float | list[str]] = {"preserve_insertion_order": "true"}
    if threads is not None:
        config["threads"] = threads
    if spill is not None:
        config["temp_directory"] = str(spill)
    db = duckdb.connect(":memory:", config=config)
    try:
        for macro in name_macros():
            db.execute(macro)
        yield db
    finally:
        db.close()


def _one(side: str, row: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return ((row,), ()) if side == "entry" else ((), (row,))


def _has_kinds(rung: Rung, tier: tuple[str, ...]) -> bool:
    return not rung.kinds or bool(set(rung.kinds) & set(tier))


def _refuse(sides: Sides, rung: Rung, outcome: Outcome) -> list[Refusal]:
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
