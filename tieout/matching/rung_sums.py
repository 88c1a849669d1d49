"""Rungs that add up: an entry and all items of a key, or all that shared keys tie together."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import numpy.typing as npt

from tieout.matching.ladder import Rung, Tolerance
from tieout.matching.meet import Meeting, bucket, meet, ranges
from tieout.matching.sides import Claim, Edges, Found, Outcome, Sides
from tieout.matching.stated import Stated, merged

__all__ = ["batch", "limits", "linked", "run_total"]

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]


def linked(sides: Sides, rung: Rung, tier: int, level: str) -> tuple[Meeting, Stated, Ints, Stated]:
    """Buckets of entries and items that share account, currency and a key of the rung.

    Returns:
        The meeting; the bank's references, and for each row of the meeting's bank side its place
        there (twice where items belong to no account); the books' references.
    """
    books = sides.books(rung, tier)
    bank = sides.bank(rung, level) if len(books) else merged([])
    place, part = sides.twice(bank.row, books.row)
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
    fits &= low == high
    return part, fits


def _payments(sides: Sides) -> Ints:
    """How many payments the bank says are in each entry; 0 where it does not say."""
    rows, said = sides.prepared.entries.known("detail_count", sides.open_entries)
    count = np.zeros(len(sides.part), dtype="int64")
    count[rows] = said.to_numpy(zero_copy_only=False)
    return count


def _close(sides: Sides, rung: Rung, eid: Ints, total: Ints, least: Ints) -> Flags:
    """Whether entries equal the sums, or are short by less than any item could explain."""
    left = sides.amount[eid] - total
    if rung.tolerance is None:
        exact: Flags = left == 0
        return exact
    if rung.tolerance.by_size:
        left = left * np.sign(total)
    low, high = limits(rung.tolerance, np.abs(total), sides.unit[eid])
    fits: Flags = (left >= -low) & (left <= high) & (np.sign(total) == np.sign(sides.amount[eid]))
    fits &= np.abs(left) < least
    return fits


def limits(tolerance: Tolerance, base: Ints, unit: Ints) -> tuple[Ints, Ints]:
    """How many minor units less and more are tolerated, exactly."""

    def limit(absolute: Decimal, percent: Decimal) -> Ints:
        money = (int(absolute * 100) * unit) // 100
        thousandths = int(percent * 1000)
        share = (base // 100_000) * thousandths + (base % 100_000) * thousandths // 100_000
        least: Ints = np.minimum(money, share)
        return least

    return (
        limit(tolerance.less, tolerance.less_percent),
        limit(tolerance.more, tolerance.more_percent),
    )
