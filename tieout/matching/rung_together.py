"""The rung of all that names each other: entries and items tied by shared keys, many to many."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tieout.matching.ladder import Rung, Tolerance
from tieout.matching.rung_sums import limits, linked
from tieout.matching.sides import Claim, Found, Outcome, Sides, no_edges

__all__ = ["together"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: Members a group may have that was found by following keys from one to the next.
_MEMBERS_MAX: Final = 2_000
#: How often labels are passed on before a chain of keys counts as too long.
_ROUNDS: Final = 64


def together(sides: Sides, rung: Rung, tier: int) -> Outcome:
    """All entries and items that keys tie to each other, where both sides come to the same sum."""
    meeting, bank, place, books = linked(sides, rung, tier, "entries")
    if not len(meeting):
        return Outcome()
    of, rows = meeting.bank_rows()
    other, item_rows = meeting.books_rows()
    eids, entry = np.unique(bank.row[place[rows]], return_inverse=True)
    iids, item = np.unique(books.row[item_rows], return_inverse=True)
    node = np.concatenate([entry, item + len(eids)])
    hub = np.concatenate([of, other])
    label, settled = _components(node, hub, len(eids) + len(iids))
    group_e, group_i = label[: len(eids)], label[len(eids) :]
    size = len(eids) + len(iids)
    left, right = np.zeros(size, dtype="int64"), np.zeros(size, dtype="int64")
    np.add.at(left, group_e, sides.amount[eids])
    np.add.at(right, group_i, sides.item_amount[iids])
    count_e = np.bincount(group_e, minlength=size)
    count_i = np.bincount(group_i, minlength=size)
    members = count_e + count_i
    good = (count_e > 0) & (count_i > 0) & (members > 2) & (members <= _MEMBERS_MAX)
    good &= (left == right) & settled & _one_account(sides, group_e, eids, size)
    if rung.tolerance is not None:  # what one payment leaves over has one cause; of several, none
        good |= (
            (count_e == 1)
            & _one_account(sides, group_e, eids, size)
            & _nearly(sides, rung.tolerance, (group_e, eids), (group_i, iids), members, settled)
        )
    if not good.any():
        return Outcome()
    number = np.cumsum(good) - 1
    keep_e, keep_i = good[group_e], good[group_i]
    chosen = np.flatnonzero(good)
    found = Found(
        rung,
        len(chosen),
        Claim(number[group_e[keep_e]], eids[keep_e]),
        Claim.none(),
        Claim(number[group_i[keep_i]], iids[keep_i]),
        _least_keys(sides, bank.place[place[rows]], group_e[entry], good, number),
        (left - right)[chosen],
        {"entries": count_e[chosen].tolist(), "items": count_i[chosen].tolist()},
    )
    return Outcome(found, no_edges())


def _one_account(sides: Sides, group: Ints, eids: Ints, size: int) -> Flags:
    """Whether all entries of each component are of one account."""
    low, high = np.full(size, np.iinfo("int64").max), np.full(size, np.iinfo("int64").min)
    np.minimum.at(low, group, sides.part[eids])
    np.maximum.at(high, group, sides.part[eids])
    same: Flags = low == high
    return same


def _nearly(
    sides: Sides,
    tolerance: Tolerance,
    bank: tuple[Ints, Ints],
    books: tuple[Ints, Ints],
    members: Ints,
    settled: Flags,
) -> Flags:
    """Components whose sums differ by less than any member and than the tolerance."""
    size = len(members)
    left, right = np.zeros(size, dtype="int64"), np.zeros(size, dtype="int64")
    least, unit = np.full(size, np.iinfo("int64").max), np.ones(size, dtype="int64")
    np.add.at(left, bank[0], sides.amount[bank[1]])
    np.add.at(right, books[0], sides.item_amount[books[1]])
    np.minimum.at(least, bank[0], np.abs(sides.amount[bank[1]]))
    np.minimum.at(least, books[0], np.abs(sides.item_amount[books[1]]))
    unit[bank[0]] = sides.unit[bank[1]]
    low, high = limits(tolerance, np.abs(right), unit)
    gap = (left - right) * (np.sign(right) if tolerance.by_size else 1)
    fits: Flags = (gap >= -low) & (gap <= high) & (np.abs(gap) < least)
    both = (left != 0) & (np.sign(left) == np.sign(right))
    fits &= both & (members > 2) & (members <= _MEMBERS_MAX) & settled
    return fits


def _least_keys(sides: Sides, place: Ints, group: Ints, good: Flags, number: Ints) -> Any:
    """The first of each group's references in the alphabet, to name the group by."""
    keep = np.flatnonzero(good[group])
    texts = sides.references.texts.take(place[keep]).to_pylist()
    names: dict[int, str] = {}
    for which, text in zip(number[group[keep]].tolist(), texts, strict=True):
        if which not in names or text < names[which]:
            names[which] = text
    return pa.array([names[k] for k in range(len(names))], pa.string())


def _components(node: Ints, hub: Ints, size: int) -> tuple[Ints, Flags]:
    """The least node each node is connected to through hubs; False where chains are too long."""
    by_hub, by_node = np.argsort(hub), np.argsort(node)
    hub_starts = np.flatnonzero(np.diff(hub[by_hub], prepend=-1))
    node_starts = np.flatnonzero(np.diff(node[by_node], prepend=-1))
    hub_of = np.zeros(int(hub.max()) + 1, dtype="int64")
    hub_of[hub[by_hub[hub_starts]]] = np.arange(len(hub_starts))
    present = node[by_node[node_starts]]
    label = np.arange(size)
    settled = np.ones(size, dtype=bool)
    for _ in range(_ROUNDS):
        least = np.minimum.reduceat(label[node[by_hub]], hub_starts)
        after = label.copy()
        after[present] = np.minimum.reduceat(least[hub_of[hub[by_node]]], node_starts)
        after = after[after]
        moved = after != label
        label = after
        if not moved.any():
            return label, settled
    settled[label[moved]] = False
    settled[moved] = False
    return label, settled
