"""What a run works on: both sides as numbers, and what of them is still open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.arrays import handles
from tieout.matching.keys import References
from tieout.matching.ladder import Key, Rung
from tieout.matching.meet import Meeting
from tieout.matching.parties import Parties
from tieout.matching.refusals import Reason
from tieout.matching.stated import Stated
from tieout.matching.tables import Narrow, Prepared
from tieout.matching.words import Words

__all__ = ["NO_KEY", "Claim", "Edges", "Found", "Outcome", "Sides", "no_edges"]

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

_NONE: Final = np.zeros(0, dtype="int64")
#: Index of a group that no reference ties.
NO_KEY: Final = -1


@dataclass(frozen=True, slots=True)
class Claim:
    """Handles of one side and the number of the group each is in."""

    group: Ints
    row: Ints

    @classmethod
    def none(cls) -> Claim:
        """Of nothing."""
        return cls(_NONE, _NONE)


@dataclass(frozen=True, slots=True)
class Found:
    """Groups one rung formed, numbered from 0.

    Attributes:
        keys: the reference that ties each group, null where none does.
        residual: entries less items in minor units, by group.
        counted: facts worth telling, by name, one value a group.
        pairs: every group is one entry and one item, in the order of their numbers.
        item_minor: what each item takes part with, where that is not its own amount.
    """

    rung: Rung
    count: int
    entries: Claim
    details: Claim
    items: Claim
    keys: Any
    residual: Ints
    counted: dict[str, list[Any]] = field(default_factory=dict)
    pairs: bool = False
    item_minor: Ints | None = None

    def without(self, dropped: Flags) -> Found:
        """The same without the flagged groups; those that stay are numbered anew."""
        kept = np.flatnonzero(~dropped)
        number = np.cumsum(~dropped) - 1

        def of(claim: Claim) -> Claim:
            mine = ~dropped[claim.group]
            return Claim(number[claim.group[mine]], claim.row[mine])

        return Found(
            self.rung,
            len(kept),
            of(self.entries),
            of(self.details),
            of(self.items),
            self.keys.take(handles(kept)),
            self.residual[kept],
            {name: [values[k] for k in kept] for name, values in self.counted.items()},
            self.pairs,
            None if self.item_minor is None else self.item_minor[~dropped[self.items.group]],
        )


@dataclass(frozen=True, slots=True)
class Edges:
    """What belongs to one refusal: (entry, item, hub) handles, -1 where there is none."""

    entry: Ints
    item: Ints
    hub: Ints

    def __len__(self) -> int:
        return len(self.entry)

    def __add__(self, other: Edges) -> Edges:
        return Edges(
            np.concatenate([self.entry, other.entry]),
            np.concatenate([self.item, other.item]),
            np.concatenate([self.hub, other.hub]),
        )

    def touching(self, entry: Ints, item: Ints, entries: int, items: int) -> Edges:
        """Hubs, and those edges without a hub that have one of the entries or items.

        A rival that only lies near nothing else that fits is no tie.
        """
        has_entry, has_item = np.zeros(entries, dtype=bool), np.zeros(items, dtype=bool)
        has_entry[entry], has_item[item] = True, True
        kept = (self.hub >= 0) | has_entry[self.entry] | has_item[self.item]
        return Edges(self.entry[kept], self.item[kept], self.hub[kept])


def no_edges() -> Edges:
    """Nothing refused."""
    return Edges(_NONE, _NONE, _NONE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rung decided: groups; what is not unique; what was too much to look into.

    ``told`` are refusals with their own words: (reason, message, entries, items).
    """

    found: Found | None = None
    contested: Edges = field(default_factory=no_edges)
    crowded: Edges = field(default_factory=no_edges)
    told: tuple[tuple[Reason, str, tuple[int, ...], tuple[int, ...]], ...] = ()


class Sides:
    """Both sides as numpy arrays by handle; ``open_*`` shrink as rungs take."""

    def __init__(
        self,
        db: duckdb.DuckDBPyConnection,
        prepared: Prepared,
        forbidden: pa.Table | None = None,
        naming: tuple[Key, ...] = (),
        keys: tuple[Key, ...] = (),
    ) -> None:
        entries, details, items = prepared.entries, prepared.details, prepared.items
        self.db = db
        self.prepared = prepared
        self.references = References(db, prepared, keys)
        numbers = (prepared.accounts, prepared.currencies)  # as they were numbered, from 0
        self._accounts, self._currencies = (pa.array(list(n), pa.string()) for n in numbers)
        bank, lines, books = entries.numbers, details.numbers, items.numbers
        self.part, self.wild, self.amount = bank["part"], Narrow(bank["wild"]), bank["amt"]
        self.unit, self.day = Narrow(bank["unit"]), bank["bday"]
        self.detail_entry, self.fanout = lines["eid"], lines["fanout"]
        self.detail_known, self.detail_amount = lines["known"], lines["amt"]
        self.item_part, self.item_amount = books["part"], books["amt"]
        self.item_unit, self.tier, self.kind = Narrow(books["unit"]), books["tier"], books["kind"]
        self.item_day = {n: books[f"{n}_no"] for n in ("booked_on", "due_on")}
        self.open_entries = np.ones(len(entries), dtype=bool)
        self.open_items = np.ones(len(items), dtype=bool)
        self._forbidden = _pairs_of(prepared, forbidden)
        self.naming = naming
        self.words = Words(self)
        self.parties = Parties(self)
        self._kinds: dict[tuple[str, ...], Flags] = {}
        self._only: Ints | None = None
        #: Entries that say they take something back, once somebody asked.
        self.taking_back: Flags | None = None

    def accounts(self, part: Ints) -> Any:
        """The account of each partition, null where it has none."""
        return self._accounts.take(handles(np.where(part < 0, -1, part // 1000)))

    def currencies(self, part: Ints) -> Any:
        """The currency of each partition."""
        money = np.where(part < 0, -1 - part, part % 1000)
        return self._currencies.take(handles(np.where(money < 10**6, money, money - 10**6 + 1)))

    @property
    def only_detail(self) -> Ints:
        """The handle of each entry's only detail, -1 where it has none or several."""
        if self._only is None:
            self._only = np.full(len(self.part), -1, dtype="int32")
            single = np.flatnonzero(self.fanout == 1)
            self._only[self.detail_entry[single]] = single
        return self._only

    def allowed(self, entry: Ints, item: Ints) -> Flags:
        """Which pairs nobody has forbidden."""
        if not len(self._forbidden):
            return np.ones(len(entry), dtype=bool)
        kept: Flags = ~np.isin(entry * np.int64(len(self.item_part) + 1) + item, self._forbidden)
        return kept

    def forbidding(self, meeting: Meeting, entry: Ints, item: Ints) -> Flags:
        """Buckets, none of them crowded, in which some pair is forbidden: looked into one by one.

        Args:
            entry: of each row of the meeting's bank side.
            item: of each row of its books' side.
        """
        found = np.zeros(len(meeting), dtype=bool)
        if len(self._forbidden):
            of, row = meeting.bank_rows()
            found[of[np.isin(entry[row], self._forbidden // (len(self.item_part) + 1))]] = True
            found &= ~meeting.crowded
        return found

    def let_go(self) -> None:
        """Hold no longer what is settled; for after a rung, when its groups are told."""
        self.prepared.entries.let_go(self.open_entries)
        self.prepared.items.let_go(self.open_items)
        if self.prepared.details.late:
            self.prepared.details.let_go(self.open_entries[self.detail_entry])

    def forget(self) -> None:
        """Hold nothing but what groups are told with."""
        self.references.forget()
        for columns in (self.prepared.entries, self.prepared.details, self.prepared.items):
            columns.forget()

    def permitted(self, found: Found) -> Found:
        """The groups in which nobody has forbidden two members to meet."""
        if not len(self._forbidden):
            return found
        of_entry = np.full(len(self.part), -1, dtype="int64")
        of_item = np.full(len(self.item_part), -2, dtype="int64")
        of_entry[found.entries.row] = found.entries.group
        of_item[found.items.row] = found.items.group
        entry, item = np.divmod(self._forbidden, len(self.item_part) + 1)
        dropped = np.zeros(found.count, dtype=bool)
        dropped[of_entry[entry][of_entry[entry] == of_item[item]]] = True
        return found.without(dropped) if dropped.any() else found

    def items_for(self, rung: Rung, tier: int) -> Flags:
        """Open items of a tier and of the rung's kinds."""
        wanted: Flags = self.open_items & (self.tier == tier)
        if rung.kinds:
            wanted &= self._of_kinds(rung.kinds)
        return wanted

    def _of_kinds(self, kinds: tuple[str, ...]) -> Flags:
        if kinds not in self._kinds:
            known = [kind in kinds for kind in self.prepared.kinds]
            # A line of no kind (-1) is one of the cash book, as in the canonical tables' readers.
            self._kinds[kinds] = np.array([*known, "cash_book" in kinds], dtype=bool)[self.kind]
        return self._kinds[kinds]

    def twice(self, rows: Ints, items: Ints) -> tuple[Ints, Ints]:
        """Places of bank rows and their partitions: a second time under the shared one, where some
        of the items they are to meet belong to no account."""
        places = np.arange(len(rows))
        shared = self.item_part[items] < 0 if self.prepared.shared else np.zeros(1, dtype=bool)
        if not shared.any():
            return places, self.part[rows]
        if shared.all():
            return places, self.wild[rows]
        return np.concatenate([places, places]), np.concatenate([self.part[rows], self.wild[rows]])

    def bank(self, rung: Rung, level: str) -> Stated:
        """What the open bank side states under the rung's keys."""
        return self.references.bank(rung.same, level, self.open_entries, self.open_items)

    def books(self, rung: Rung, tier: int) -> Stated:
        """What the tier's open items state under the rung's keys."""
        wanted = self.items_for(rung, tier)
        return self.references.books(rung.same, wanted, self.open_items)


def _pairs_of(prepared: Prepared, forbidden: pa.Table | None) -> Ints:
    """Forbidden (entry_id, item_id) rows as numbers: entry handle × (items + 1) + item handle."""
    if forbidden is None or not len(forbidden):
        return _NONE
    entry = pc.index_in(forbidden["entry_id"], value_set=prepared.entries.all("entry_id"))
    item = pc.index_in(forbidden["item_id"], value_set=prepared.items.all("item_id"))
    both = pa.table({"entry": entry, "item": item}).drop_null()
    left, right = both["entry"].to_numpy(), both["item"].to_numpy()
    made: Ints = left.astype("int64") * (len(prepared.items) + 1) + right
    return made
