"""Rungs that add up: an entry and all items of a key, or all that shared keys tie together."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tieout.matching.keys import Stated, merged
from tieout.matching.ladder import Rung, Tolerance
from tieout.matching.meet import Meeting, bucket, meet, ranges
from tieout.matching.sides import Claim, Edges, Found, Outcome, Sides, no_edges

__all__ = ["batch", "linked", "together"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: Members a group may have that was found by following keys from one to the next.
_MEMBERS_MAX: Final = 2_000
#: How often labels are passed on before a chain of keys counts as too long.
_ROUNDS: Final = 64


def linked(sides: Sides, rung: Rung, tier: int, level: str) -> tuple[Meeting, Stated, Ints, Stated]:
    """Buckets of entries and items that share account, currency and a key of the rung.

    Returns:
        The meeting; the bank's references, and for each row of the meeting's bank side its place
        there (twice where items belong to no account); the books' references.
    """
    books = sides.books(rung, tier)
    bank = sides.bank(rung, level) if len(books) else merged([])
    place, part = sides.twice(bank.row)
    left = bucket(part, bank.code[place])
    return meet(left, bucket(sides.item_part[books.row], books.code)), bank, place, books


def batch(sides: Sides, rung: Rung, tier: int) -> Outcome:
    """An entry and all open items of a key, where they add up and nothing else claims them."""
    meeting, bank, place, books = linked(sides, rung, tier, "entries")
    if not len(meeting):
        return Outcome()
    item_bucket, item_rows = meeting.books_rows()
    items = books.row[item_rows]
    totals = np.zeros(len(meeting), dtype="int64")
    np.add.at(totals, item_bucket, sides.item_amount[items])
    least = np.full(len(meeting), np.iinfo("int64").max)
    np.minimum.at(least, item_bucket, np.abs(sides.item_amount[items]))
    sign = np.zeros(len(meeting), dtype="uint64")
    np.add.at(sign, item_bucket, bucket(items))
    of, rows = meeting.bank_rows()
    eid = bank.row[place[rows]]
    fits = _close(sides, rung, eid, totals[of], least[of])
    of, rows, eid = of[fits], rows[fits], eid[fits]
    # The same items under two names (MsgId and PmtInfId) are one claim.
    order = np.lexsort((of, sign[of], eid))
    of, rows, eid = of[order], rows[order], eid[order]
    first = np.ones(len(of), dtype=bool)
    first[1:] = (np.diff(eid) != 0) | (np.diff(sign[of].view("int64")) != 0)
    of, rows, eid = of[first], rows[first], eid[first]
    counts = meeting.books_count[of]
    claim, places = ranges(meeting.books_at[of], counts)
    member = books.row[meeting.books_order[places]]
    rival = np.bincount(eid, minlength=len(sides.part))[eid] > 1
    claimed = np.bincount(member, minlength=len(sides.item_part))
    shared = np.zeros(len(of), dtype=bool)
    shared[claim[claimed[member] > 1]] = True
    contested = rival | shared
    hub = np.arange(len(of))
    edges = Edges(
        np.concatenate([eid[contested], np.full(int(contested[claim].sum()), -1)]),
        np.concatenate([np.full(int(contested.sum()), -1), member[contested[claim]]]),
        np.concatenate([hub[contested], claim[contested[claim]]]),
    )
    clean = np.flatnonzero(~contested)
    if not len(clean):
        return Outcome(None, edges)
    number = np.cumsum(~contested) - 1
    keep = ~contested[claim]
    found = Found(
        rung,
        len(clean),
        Claim(np.arange(len(clean)), eid[clean]),
        Claim.none(),
        Claim(number[claim[keep]], member[keep]),
        sides.references.texts.take(bank.place[place[rows[clean]]]),
        sides.amount[eid[clean]] - totals[of[clean]],
        {"items": counts[clean].tolist()},
    )
    return Outcome(found, edges)


def _close(sides: Sides, rung: Rung, eid: Ints, total: Ints, least: Ints) -> Flags:
    """Whether entries equal the sums, or are short by less than any item could explain."""
    left = sides.amount[eid] - total
    if rung.tolerance is None:
        return left == 0
    low, high = limits(rung.tolerance, np.abs(total), sides.unit[eid])
    fits: Flags = (left >= -low) & (left <= high) & (np.sign(total) == np.sign(sides.amount[eid]))
    return fits & (np.abs(left) < least)


def limits(tolerance: Tolerance, base: Ints, unit: Ints) -> tuple[Ints, Ints]:
    """How many minor units less and more are tolerated, exactly."""

    def limit(absolute: Decimal, percent: Decimal) -> Ints:
        money = (int(absolute * 100) * unit) // 100
        thousandths = int(percent * 1000)
        share = (base // 100_000) * thousandths + (base % 100_000) * thousandths // 100_000
        return np.minimum(money, share)

    return (
        limit(tolerance.less, tolerance.less_percent),
        limit(tolerance.more, tolerance.more_percent),
    )


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
    if rung.tolerance is not None:
        good |= _one_account(sides, group_e, eids, size) & _nearly(
            sides, rung.tolerance, (group_e, eids), (group_i, iids), members, settled
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
    gap = left - right
    fits: Flags = (gap >= -low) & (gap <= high) & (np.abs(gap) < least)
    both = (left != 0) & (np.sign(left) == np.sign(right))
    return fits & both & (members > 2) & (members <= _MEMBERS_MAX) & settled


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
    by_hub, by_node = np.argsort(hub, kind="stable"), np.argsort(node, kind="stable")
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
