"""What a run tells while it climbs: groups at once, members at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.arrays import handles
from tieout.matching.groups import (
    MEMBERS,
    content_ids,
    decimals,
    joined,
    ordered_members,
    pair_groups,
    same_text,
    set_groups,
)
from tieout.matching.order import id_order
from tieout.matching.sides import Found, Sides

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["Builder", "Sink"]

Ints = npt.NDArray[np.int64]
#: Members of some rows of a claim.
_Some = Callable[[slice], pa.Table]

_SIDES: Final = ("entry", "detail", "item")
#: Groups and members that are told at once.
_SLICE: Final = 1 << 19


class Sink(Protocol):
    """Takes groups and members as they come, in the order they stand in."""

    def groups(self, table: pa.Table) -> None:
        """More groups."""

    def members(self, table: pa.Table) -> None:
        """More members."""


@dataclass(frozen=True, slots=True)
class _Claimed:
    """Members of one side that one rung took, in their order, until they are told.

    Attributes:
        ids: of the groups.
        place: of each member's group among them; None where each group has one, in their order.
        rows: the members.
        minor: what each takes part with, where that is not its own amount, and in which units.
        names: the members' ids, where these are not held.
    """

    ids: Any
    place: Ints | None
    rows: Ints
    minor: tuple[Ints, Ints] | None = None
    names: Any = None


class _Held:
    """Members that are made when they are told."""

    def __init__(self) -> None:
        self._parts: list[tuple[_Some, int]] = []

    def add(self, some: _Some, count: int) -> None:
        """So many members."""
        self._parts.append((some, count))

    def tables(self) -> Iterator[pa.Table]:
        """All of them, once."""
        while self._parts:
            some, count = self._parts.pop(0)
            yield from _sliced(some, count)


class _Put:
    """Members that wait in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = pa.ipc.new_stream(str(path), MEMBERS)

    def add(self, some: _Some, count: int) -> None:
        """So many members.

        Raises:
            OSError: the disk is full.
        """
        for table in _sliced(some, count):
            self._writer.write_table(table)

    def tables(self) -> Iterator[pa.Table]:
        """All of them, once."""
        self._writer.close()
        with pa.OSFile(str(self._path), "rb") as file, pa.ipc.open_stream(file) as batches:
            for batch in batches:
                yield pa.Table.from_batches([batch])


def _sliced(some: _Some, count: int) -> Iterator[pa.Table]:
    for first in range(0, count, _SLICE):
        yield some(slice(first, min(first + _SLICE, count)))


class Builder:
    """Tells a sink what rungs found: the groups at once, members at the end.

    Members are ordered by side (entries, details, items), then as their groups, then by id. Until
    the end they are held as row numbers, or wait in a folder.
    """

    def __init__(self, sides: Sides, sink: Sink, folder: Path | None = None) -> None:
        self._sides = sides
        self._sink = sink
        self._waiting: dict[str, _Held | _Put] = {
            side: _Put(folder / f"{side}.arrow") if folder else _Held() for side in _SIDES
        }

    def add(self, part: Found) -> None:
        """Groups of one rung whose members are still open."""
        if part.count:
            made = self._pairs(part) if part.pairs else self._sets(part)
            for side, claimed in made.items():
                self._waiting[side].add(partial(self._members, side, claimed), len(claimed.rows))

    def finish(self) -> None:
        """Tell the members."""
        for waiting in self._waiting.values():
            for table in waiting.tables():
                self._sink.members(table)

    def _members(self, side: str, claimed: _Claimed, span: slice) -> pa.Table:
        sides, rows = self._sides, claimed.rows[span]
        if side == "entry":
            names = sides.prepared.entries.take("entry_id", rows)
            minor, unit = sides.amount[rows], sides.unit[rows]
        elif side == "item":
            names = sides.prepared.items.take("item_id", rows)
            minor, unit = sides.item_amount[rows], sides.item_unit[rows]
        else:
            names = claimed.names[span]
            minor, unit = sides.detail_amount[rows], sides.unit[sides.detail_entry[rows]]
        if claimed.minor is not None:
            minor, unit = (values[span] for values in claimed.minor)
        place = claimed.place
        ids = claimed.ids[span] if place is None else claimed.ids.take(handles(place[span]))
        columns = [ids, same_text(side, len(rows)), names, decimals(minor, unit)]
        return pa.Table.from_arrays(columns, schema=MEMBERS)

    def _pairs(self, part: Found) -> dict[str, _Claimed]:
        """One entry, one item."""
        sides = self._sides
        entry_ids = sides.prepared.entries.take("entry_id", part.entries.row)
        order = id_order(entry_ids)
        made = []
        for first in range(0, part.count, _SLICE):
            some = order[first : first + _SLICE]
            ids, table = pair_groups(sides, part, some, entry_ids.take(handles(some)))
            self._sink.groups(table)
            made.append(ids)
        ids = made[0] if len(made) == 1 else pa.concat_arrays(made)
        eid, iid = _narrow(part.entries.row[order]), _narrow(part.items.row[order])
        foreign = None
        if part.item_minor is not None:
            foreign = part.item_minor[order], sides.unit[eid]
        return {"entry": _Claimed(ids, None, eid), "item": _Claimed(ids, None, iid, foreign)}

    def _sets(self, part: Found) -> dict[str, _Claimed]:
        """Any number of entries and items; with details, each of them against its own item."""
        sides = self._sides
        ordered = {
            "entry": ordered_members(part.entries, sides.prepared.entries, "entry_id"),
            "detail": ordered_members(part.details, sides.prepared.details, "detail_id"),
            "item": ordered_members(part.items, sides.prepared.items, "item_id"),
        }
        counts = {
            side: np.bincount(claim.group, minlength=part.count)
            for side, (claim, _, _) in ordered.items()
        }
        contents = [joined(ordered[side][1], counts[side]) for side in ("entry", "item")]
        content = pc.binary_join_element_wise(*contents, "|", null_handling="skip")
        order = id_order(content)
        rank = np.empty(part.count, dtype="int64")
        rank[order] = np.arange(part.count)
        ids = content_ids(sides.db, part.rung, [content.take(handles(order))])
        claimed = {}
        for side, (claim, names, at) in ordered.items():
            if not len(claim.row):
                continue
            place = rank[claim.group]
            again = np.argsort(place, kind="stable")
            rows = claim.row[again]
            minor = None
            if side == "item" and part.item_minor is not None:
                minor = part.item_minor[at][again], sides.item_unit[rows]
            told = names.take(handles(again)) if side == "detail" else None
            claimed[side] = _Claimed(ids, _narrow(place[again]), _narrow(rows), minor, told)
        self._sink.groups(set_groups(sides, part, order, ids, counts))
        return claimed


def _narrow(rows: Ints) -> Ints:
    return rows.astype("int32")
