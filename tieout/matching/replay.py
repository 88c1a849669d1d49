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
from typing import Any, Final, Literal

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
    seen: dict[str, tuple[bytes, bytes]] = {}
    for day in _days(histories, step):
        for history in histories:
            open_entries = _open(history.entries["entry_id"], taken)
            open_entries &= (history.entry_from <= day) & (day < history.entry_until)
            open_items = _open(history.items["item_id"], taken)
            open_items &= (history.item_from <= day) & (day < history.item_until)
            state = (open_entries.tobytes(), open_items.tobytes())
            if not open_entries.any() or seen.get(history.code) == state:
                continue
            seen[history.code] = state
            found = _run(history, ladders[history.code], open_entries, open_items, day)
            sure = [g for g in found if g.state == "confirmed"]
            confirmed += sure
            proposed[history.code] = [g for g in found if g.state != "confirmed"]
            taken.update(*(g.members for g in sure))
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


def _open(ids: pa.ChunkedArray[Any], taken: set[str]) -> npt.NDArray[np.bool_]:
    return np.fromiter((own not in taken for own in ids.to_pylist()), dtype=bool, count=len(ids))


def _run(
    history: History,
    ladder: Ladder,
    entries: npt.NDArray[np.bool_],
    items: npt.NDArray[np.bool_],
    day: int,
) -> list[FoundGroup]:
    bank = history.entries.filter(pa.array(entries))
    open_ids = set(bank["entry_id"].to_pylist())
    inside = [own in open_ids for own in history.details["entry_id"].to_pylist()]
    details = history.details.filter(pa.array(inside, pa.bool_()))
    books = history.items.filter(pa.array(items))
    result = match(bank, details, books, ladder, threads=1)
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
                history.code,
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
