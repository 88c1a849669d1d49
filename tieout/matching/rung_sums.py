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
Codes = npt.NDArray[np.uint64]
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
    # Items of the entry's account and those of none are one claim: of one stated reference.
    of, rows = meeting.bank_rows()
    stated, claim = np.unique(place[rows], return_inverse=True)
    span, places = ranges(meeting.books_at[of], meeting.books_count[of])
    claim, member = claim[span], books.row[meeting.books_order[places]]
    eid = bank.row[stated]
    count = len(stated)
    totals, least, sign = _summed(sides, claim, member, count)
    fits = _close(sides, rung, eid, totals, least)
    # The same items under two names (MsgId and PmtInfId) are one claim.
    order = np.lexsort((stated, sign, eid))
    again = np.zeros(count, dtype=bool)
    same = (np.diff(eid[order]) == 0) & (np.diff(sign[order].view("int64")) == 0)
    again[order[1:][same]] = True
    return _claimed(sides, rung, fits & ~again, eid, claim, member, totals, bank.place[stated])


def _summed(sides: Sides, claim: Ints, member: Ints, count: int) -> tuple[Ints, Ints, Codes]:
    """Of each claim: the sum of its items, the least of them, and a code of which they are."""
    totals = np.zeros(count, dtype="int64")
    np.add.at(totals, claim, sides.item_amount[member])
    least = np.full(count, np.iinfo("int64").max)
    np.minimum.at(least, claim, np.abs(sides.item_amount[member]))
    sign = np.zeros(count, dtype="uint64")
    np.add.at(sign, claim, bucket(member))
    return totals, least, sign


def _claimed(
    sides: Sides,
    rung: Rung,
    fits: Flags,
    eid: Ints,
    claim: Ints,
    member: Ints,
    totals: Ints,
    key: Ints,
) -> Outcome:
    """Groups of the claims that fit and that no other claim contests.

    Args:
        fits: which claims.
        eid: the entry of each claim.
        claim: the claim of each member.
        member: items.
        totals: what the items of each claim come to.
        key: the place of each claim's reference.
    """
    chosen = np.flatnonzero(fits)
    if not len(chosen):
        return Outcome()
    number = np.cumsum(fits) - 1
    kept = fits[claim]
    claim, member = number[claim[kept]], member[kept]
    eid, totals, key = eid[chosen], totals[chosen], key[chosen]
    contested = np.bincount(eid, minlength=len(sides.part))[eid] > 1
    wanted = np.bincount(member, minlength=len(sides.item_part))
    contested[claim[wanted[member] > 1]] = True
    hub = np.arange(len(eid))
    mine = contested[claim]
    edges = Edges(
        np.concatenate([eid[contested], np.full(int(mine.sum()), -1)]),
        np.concatenate([np.full(int(contested.sum()), -1), member[mine]]),
        np.concatenate([hub[contested], claim[mine]]),
    )
    clean = np.flatnonzero(~contested)
    if not len(clean):
        return Outcome(None, edges)
    place = np.cumsum(~contested) - 1
    found = Found(
        rung,
        len(clean),
        Claim(np.arange(len(clean)), eid[clean]),
        Claim.none(),
        Claim(place[claim[~mine]], member[~mine]),
        sides.references.texts.take(key[clean]),
        sides.amount[eid[clean]] - totals[clean],
        {"items": np.bincount(claim, minlength=len(eid))[clean].tolist()},
    )
    return Outcome(found, edges)


def run_total(sides: Sides, rung: Rung, tier: int) -> Outcome:
    """An entry and all items of a run the bank does not name, found by their sum and their day.

    Where the bank says how many payments it booked in the entry, the run has as many items.
    """
    books = sides.books(rung, tier)
    if not len(books) or rung.days is None:
        return Outcome()
    codes, claim = np.unique(books.code, return_inverse=True)
    count = len(codes)
    totals, _, _ = _summed(sides, claim, books.row, count)
    sizes = np.bincount(claim, minlength=count)
    first = np.zeros(count, dtype="int64")
    first[claim[::-1]] = np.arange(len(books))[::-1]
    day = np.full(count, np.iinfo("int64").max)
    np.minimum.at(day, claim, sides.item_day[rung.days.item][books.row])
    last = np.full(count, np.iinfo("int64").min)
    np.maximum.at(last, claim, sides.item_day[rung.days.item][books.row])
    part, whole = _of_account(sides, claim, books.row, count)
    runs = np.flatnonzero(whole & (sizes > 1) & (day == last))
    entries = np.flatnonzero(sides.open_entries & (sides.part >= 0))
    wild = part[runs] < 0
    left = [np.where(wild, -1, part[runs]), totals[runs]]
    faces = np.concatenate([sides.part[entries], entries * 0 - 1])
    both = np.concatenate([entries, entries])
    meeting = meet(bucket(faces, sides.amount[both]), bucket(*left))
    at, other = meeting.where(~meeting.crowded).pairs()
    eid, run = both[at], runs[other]
    apart = sides.day[eid] - day[run]
    fits = (apart >= -rung.days.after) & (apart <= rung.days.before)
    said = _payments(sides)[eid]
    fits &= (said == sizes[run]) | ((said < 2) & (sizes[run] > 2))
    fits &= (part[run] < 0) | (part[run] == sides.part[eid])
    eid, run = eid[fits], run[fits]
    claims = np.arange(len(eid))
    order = np.argsort(claim, kind="stable")
    starts = np.cumsum(sizes) - sizes
    span, places = ranges(starts[run], sizes[run])
    member = books.row[order[places]]
    return _claimed(
        sides,
        rung,
        np.ones(len(claims), dtype=bool),
        eid,
        claims[span],
        member,
        totals[run],
        books.place[first[run]],
    )


def _of_account(sides: Sides, claim: Ints, item: Ints, count: int) -> tuple[Ints, Flags]:
    """The partition of each claim's items, and whether they fit one: account, or none, alone."""
    own = sides.item_part[item] >= 0
    part = np.full(count, -1, dtype="int64")
    part[claim[own]] = sides.item_part[item[own]]
    fits = np.ones(count, dtype=bool)
    fits[claim[own][part[claim[own]] != sides.item_part[item[own]]]] = False
    money = np.where(own, sides.item_part[item] % 1000, -sides.item_part[item] - 1)
    low, high = np.full(count, np.iinfo("int64").max), np.full(count, -1, dtype="int64")
    np.minimum.at(low, claim, money)
    np.maximum.at(high, claim, money)
    return part, fits & (low == high)


def _payments(sides: Sides) -> Ints:
    """How many payments the bank says are in each entry; 0 where it does not say."""
    said = sides.prepared.entries["detail_count"].combine_chunks().fill_null(0)
    count: Ints = said.to_numpy(zero_copy_only=False).astype("int64")
    return count


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
