"""Replay: a ladder over the facts of the past, as if it had stood there all along.

Order matters. Two equal fees of two months are two days' certain matches and one year's tie, and
an item somebody cleared in March was no candidate in April. So the past is walked day by day, as
the runs did: a day knows what was booked up to it and was still open, and what the ladder
confirmed is taken from the next day. A longer step is faster and sees more ties than there were.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tieout.matching.engine import match
from tieout.matching.ladder import Ladder

__all__ = ["STEPS", "FoundGroup", "History", "Replayed", "replay"]

Ints = npt.NDArray[np.int64]
Step = Literal["day", "week", "month"]
STEPS: Final[tuple[Step, ...]] = ("day", "week", "month")


@dataclass(frozen=True, slots=True)
class History:
    """All facts of one account, each with the days (ordinals) on which it was open.

    Attributes:
        code: the account's.
        entries: canonical; ``entry_from`` and ``entry_until`` (exclusive) are its rows' days,
            whatever a ladder does: until somebody explained it or matched it by hand.
        details: of the entries.
        items: canonical, one row a version of an item; no two versions are open on one day.
    """

    code: str
    entries: pa.Table
    entry_from: Ints
    entry_until: Ints
    details: pa.Table
    items: pa.Table
    item_from: Ints
    item_until: Ints


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """A group a replay formed; ``on`` is the day of its newest entry (or of the run)."""

    account: str
    rung: str
    state: str
    currency: str
    entries: tuple[str, ...]
    items: tuple[str, ...]
    amount: Decimal
    residual: Decimal
    evidence: str
    on: dt.date

    @property
    def members(self) -> frozenset[str]:
        """Ids of its entries and items."""
        return frozenset((*self.entries, *self.items))


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a ladder made of the past; ``proposed`` is what it still proposed at the end."""

    ladder: str
    confirmed: tuple[FoundGroup, ...]
    proposed: tuple[FoundGroup, ...]


def replay(
    histories: Sequence[History], ladders: Mapping[str, Ladder], *, step: Step = "day"
) -> Replayed:
    """Run each account's ladder over its history.

    Args:
        histories: accounts of one ledger, in the order in which they take turns.
        ladders: by account code.
        step: how much of the past one run sees at once.

    Returns:
        Groups ordered as they were formed, within a run as the engine orders them.
    """
    confirmed: list[FoundGroup] = []
    proposed: dict[str, list[FoundGroup]] = {}
    taken: set[str] = set()
    books = [_Books(history) for history in histories]
    for day in _days(histories, step):
        for book in books:
            if not book.look(day):
                continue
            found = book.run(ladders[book.history.code], day)
            sure = [g for g in found if g.state == "confirmed"]
            confirmed += sure
            proposed[book.history.code] = [g for g in found if g.state != "confirmed"]
            gone = [own for group in sure for own in sorted(group.members)]
            taken.update(gone)
            for each in books:
                each.take(gone)
    left = [g for code in sorted(proposed) for g in proposed[code] if not g.members & taken]
    names = sorted({f"{ladder.name}@{ladder.version}" for ladder in ladders.values()})
    return Replayed(", ".join(names), tuple(confirmed), tuple(left))


def _days(histories: Sequence[History], step: Step) -> list[int]:
    """The days on which something came, each moved to the end of its step."""
    came: set[int] = set()
    for history in histories:
        first = int(history.entry_from.min()) if len(history.entry_from) else 0
        came |= {max(int(d), first) for d in history.entry_from}
        if first:
            came |= {max(int(d), first) for d in history.item_from}
    return sorted({_end(day, step) for day in came if 0 < day < dt.date.max.toordinal()})


def _end(day: int, step: Step) -> int:
    if step == "day":
        return day
    on = dt.date.fromordinal(day)
    if step == "week":
        return day + 6 - on.weekday()
    following = (on.replace(day=28) + dt.timedelta(days=4)).replace(day=1)
    return following.toordinal() - 1


class _Books:
    """One account's history during a replay: what is still free, and what is open on a day."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._free = np.ones(len(history.entries), dtype=bool)
        self._free_items = np.ones(len(history.items), dtype=bool)
        self._places: dict[str, list[tuple[bool, int]]] = {}
        for column, is_item in (("entry_id", False), ("item_id", True)):
            table = history.items if is_item else history.entries
            for place, own in enumerate(table[column].to_pylist()):
                self._places.setdefault(str(own), []).append((is_item, place))
        owners = [self._places[str(own)] for own in history.details["entry_id"].to_pylist()]
        self._owner = np.array([places[0][1] for places in owners], dtype="int64")
        self._open = self._free
        self._open_items = self._free_items
        self._seen: tuple[bytes, bytes] | None = None

    def take(self, ids: Sequence[str]) -> None:
        """These are in a group now."""
        for own in ids:
            for is_item, place in self._places.get(own, ()):
                (self._free_items if is_item else self._free)[place] = False

    def look(self, day: int) -> bool:
        """Whether something is open on a day that the last look did not see."""
        own = self.history
        self._open = self._free & (own.entry_from <= day) & (day < own.entry_until)
        self._open_items = self._free_items & (own.item_from <= day) & (day < own.item_until)
        state = (self._open.tobytes(), self._open_items.tobytes())
        seen, self._seen = self._seen, state
        return bool(self._open.any()) and seen != state

    def run(self, ladder: Ladder, day: int) -> list[FoundGroup]:
        """The groups a ladder forms of what is open."""
        bank = self.history.entries.filter(pa.array(self._open))
        inside = self._open[self._owner] if len(self._owner) else self._owner.astype(bool)
        details = self.history.details.filter(pa.array(inside))
        books = self.history.items.filter(pa.array(self._open_items))
        return _groups(self.history.code, (bank, details, books), ladder, day)


def _groups(
    code: str, tables: tuple[pa.Table, pa.Table, pa.Table], ladder: Ladder, day: int
) -> list[FoundGroup]:
    bank = tables[0]
    result = match(*tables, ladder, threads=1)
    days = dict(zip(bank["entry_id"].to_pylist(), bank["booked_on"].to_pylist(), strict=True))
    members: dict[str, dict[str, list[tuple[str, Decimal]]]] = {}
    for row in result.members.to_pylist():
        sides = members.setdefault(row["group_id"], {"entry": [], "detail": [], "item": []})
        sides[row["side"]].append((row["member_id"], row["amount"] or Decimal(0)))
    found = []
    for group in result.groups.to_pylist():
        sides = members[group["group_id"]]
        money = sides["entry"] or sides["item"]
        booked = [d for own, _ in sides["entry"] if (d := days.get(own))]
        found.append(
            FoundGroup(
                code,
                group["rung"],
                group["state"],
                group["currency"],
                tuple(own for own, _ in sides["entry"]),
                tuple(own for own, _ in sides["item"]),
                sum((abs(amount) for _, amount in money), Decimal(0)),
                group["residual"] or Decimal(0),
                group["evidence"],
                max(booked, default=dt.date.fromordinal(day)),
            )
        )
    return found
