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

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa

from tieout.matching.columns import Source
from tieout.matching.conditions import name_macros
from tieout.matching.groups import GROUPS, MEMBERS
from tieout.matching.ladder import Ladder, Rung
from tieout.matching.refusals import Refusal, refused_table
from tieout.matching.refusing import refused_by
from tieout.matching.rung_cancel import cancel, net, returned, transfer
from tieout.matching.rung_pairs import pair, pair_details
from tieout.matching.rung_subset import search_sums
from tieout.matching.rung_sums import batch, run_total
from tieout.matching.rung_together import together
from tieout.matching.sides import Outcome, Sides
from tieout.matching.tables import prepare
from tieout.matching.told import Builder, Sink

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


#: What DuckDB may hold where it was told where to put the rest.
_SPILLS_FROM: Final = "1GB"
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
    """What a run says beside its groups and members, as in `Result`."""

    refused: pa.Table
    ladder: str
    seconds: dict[str, float]


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
        spill: a folder for what need not be in memory: members until they are told, and what
            DuckDB holds beyond a gigabyte.
        forbidden: see `match`.
    """
    clock = _Clock()
    prepared = prepare(entries, details, items, ladder)
    clock.lap("prepare")
    refusals = [
        Refusal("", "unfit", f"The {side} cannot be weighed: {why}.", *_one(side, row))
        for side, row, why in prepared.unfit
    ]
    with _room(spill) as room, session(threads=threads, spill=room) as db:
        naming = {k: k for r in ladder.rungs if r.shape == "together" for k in r.same}
        keys = {k: k for r in ladder.rungs for k in r.same}
        sides = Sides(db, prepared, forbidden, tuple(naming), tuple(keys))
        told = Builder(sides, sink, room)
        _climb(sides, ladder, refusals, told, clock)
        sides.forget()
        told.finish()
        clock.lap("groups")
    order = [rung.name for rung in ladder.rungs]
    return Done(
        refused_table(refusals, order),
        f"{ladder.name}@{ladder.version}",
        clock.seconds,
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
            refusals += refused_by(sides, rung, outcome)
            del outcome
            sides.let_go()
            clock.lap(rung.name)


@contextmanager
def _room(spill: Path | None) -> Iterator[Path | None]:
    """A folder of the run's own in the one it was given; it goes with the run."""
    if spill is None:
        yield None
        return
    spill.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="match-", dir=spill) as folder:
        yield Path(folder)


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
        config |= {"temp_directory": str(spill), "memory_limit": _SPILLS_FROM}
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
