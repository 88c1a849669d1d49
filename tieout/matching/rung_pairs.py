"""Rungs that pair: one entry and one item, or each payment inside an entry and its own item."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.matching.agreeing import Faces, agreeing
from tieout.matching.compile import Candidates, fitting
from tieout.matching.ladder import Rung
from tieout.matching.meet import Meeting, bucket, distinct, meet, once
from tieout.matching.misread import misread
from tieout.matching.rung_subset import rivals
from tieout.matching.sides import Claim, Edges, Found, Outcome, Sides, no_edges
from tieout.matching.stated import Stated, merged
from tieout.matching.weights import minor_units
from tieout.money import exponent_of, is_currency

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["pair", "pair_details"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


#: Crowds of equal amounts are looked into while their pairs are at most so many times the rows.
_PAIRS_EACH: Final = 8
_PAIRS_LEAST: Final = 1 << 20
_SUMS: Final = "Other items of the same party come to the same sum; a person must decide."


def pair(sides: Sides, rung: Rung, tier: int) -> Outcome:
    """Entries and items that fit each other alone."""
    if rung.same:
        books = sides.books(rung, tier)
        bank = sides.bank(rung, "single") if len(books) else merged([])
    else:
        books = _all(np.flatnonzero(sides.items_for(rung, tier)))
        bank = _all(np.flatnonzero(sides.open_entries))
    if rung.amount == "original":
        bank, faces = _exchanged(sides, bank)
    else:
        faces = _faces(sides, bank.row, sides.amount[bank.row], books)
    uid, iid, key, contested, crowded = _met(sides, rung, bank, bank.row, faces, books)
    clean, edges = _unique(uid, iid, contested, len(sides.part), len(sides.item_part))
    uid, iid, key = uid[clean], iid[clean], key[clean]
    told: list[Any] = []
    if rung.search:
        also = rivals(sides, rung, tier, uid, iid)
        for eid, item in zip(uid.tolist(), iid.tolist(), strict=True):
            if eid in also:
                told.append(("not_unique", _SUMS, (eid,), (item, *also[eid].tolist())))
        alone = ~np.isin(uid, np.array(sorted(also), dtype="int64"))
        uid, iid, key = uid[alone], iid[alone], key[alone]
    if not len(uid):
        return Outcome(None, edges, crowded, tuple(told))
    numbers = np.arange(len(uid))
    foreign = rung.amount == "original"
    taken = sides.amount[uid] if foreign else sides.item_amount[iid]
    keys: Any = pa.nulls(len(uid), pa.string())
    if rung.same:
        keys = sides.references.texts.take(bank.place[key])
    found = Found(
        rung,
        len(uid),
        Claim(numbers, uid),
        Claim.none(),
        Claim(numbers, iid),
        keys,
        sides.amount[uid] - taken,
        pairs=True,
        item_minor=taken if foreign else None,
    )
    return Outcome(found, edges, crowded, tuple(told))


def _faces(sides: Sides, entry: Ints, amount: Ints, books: Stated) -> Faces:
    row, part = sides.twice(entry, books.row)
    return Faces(row, part, amount[row])


def _exchanged(sides: Sides, bank: Stated) -> tuple[Stated, Faces]:
    """Entries as the bank says they were before it exchanged them, in the original currency."""
    details, numbers = sides.prepared.details, sides.prepared.currencies
    only = sides.only_detail[bank.row]
    some = np.flatnonzero(only >= 0)
    currency = details.take("original_currency", only[some]).dictionary_encode()
    names: list[Any] = currency.dictionary.to_pylist()
    known = [numbers.get(name, -1) for name in names]
    units = [10 ** exponent_of(name) if is_currency(name) else 1 for name in names]
    place = pc.fill_null(currency.indices, len(known)).to_numpy(zero_copy_only=False)
    money = np.array([*known, -1], dtype="int64")[place]
    unit = np.array([*units, 1], dtype="int64")[place]
    minor, exact = minor_units(details.take("original_amount", only[some]), unit)
    entry = bank.row[some]
    own = sides.part[entry]
    keep = exact & (money >= 0) & (own >= 0) & (money != own % 1000)
    rows, entry, money = some[keep], entry[keep], money[keep]
    amount = np.abs(minor[keep]) * np.sign(sides.amount[entry])
    parts = [sides.part[entry] // 1000 * 1000 + money]
    if sides.prepared.shared:
        parts.append(-(money + 1))
    times = len(parts)
    taken = Stated(bank.row[rows], bank.code[rows], bank.place[rows])
    return taken, Faces(
        np.tile(np.arange(len(rows)), times), np.concatenate(parts), np.tile(amount, times)
    )


def pair_details(sides: Sides, rung: Rung, tier: int) -> Outcome:
    """Entries each of whose payments has its own item; all of them or none."""
    if "details.fanout" in sides.prepared.absent:
        return Outcome()
    if rung.same:
        books = sides.books(rung, tier)
        bank = sides.bank(rung, "details") if len(books) else merged([])
    else:
        books = _all(np.flatnonzero(sides.items_for(rung, tier)))
        inside = (sides.fanout > 1) & sides.open_entries[sides.detail_entry]
        bank = _all(np.flatnonzero(inside))
    bank = bank.where(sides.detail_known[bank.row])
    entry = sides.detail_entry
    faces = _faces(sides, entry[bank.row], sides.detail_amount[bank.row], books)
    uid, iid, key, contested, crowded = _met(sides, rung, bank, entry[bank.row], faces, books)
    clean, edges = _unique(uid, iid, contested, len(entry), len(sides.item_part))
    refused = Edges(np.where(edges.entry < 0, -1, entry[edges.entry]), edges.item, edges.hub)
    did, iid, key = uid[clean], iid[clean], key[clean]
    size = len(sides.part)
    met = np.bincount(entry[did], minlength=size)
    total = np.zeros(size, dtype="int64")
    np.add.at(total, entry[did], sides.detail_amount[did])
    needed = np.zeros(size, dtype="int64")
    needed[entry] = sides.fanout
    whole = (met > 0) & (met == needed) & (total == sides.amount)
    whole[refused.entry[refused.entry >= 0]] = False
    keep = whole[entry[did]]
    did, iid, key = did[keep], iid[keep], key[keep]
    if not len(did):
        return Outcome(None, refused, crowded)
    eids, group = np.unique(entry[did], return_inverse=True)
    found = Found(
        rung,
        len(eids),
        Claim(np.arange(len(eids)), eids),
        Claim(group, did),
        Claim(group, iid),
        pa.nulls(len(eids), pa.string()),
        np.zeros(len(eids), dtype="int64"),
        {"items": np.bincount(group).tolist()},
    )
    return Outcome(found, refused, crowded)


def _all(rows: Ints) -> Stated:
    """Every row, under one code: nothing but what the rung asks besides references counts."""
    return Stated(rows, np.zeros(len(rows), dtype="uint64"), rows)


def _met(
    sides: Sides, rung: Rung, bank: Stated, entry: Ints, faces: Faces, books: Stated
) -> tuple[Ints, Ints, Ints, Edges, Edges]:
    """Pairs (unit, item, place of the key) that fulfil the rung, ties, and crowded buckets.

    Args:
        bank: references of units (entries or details).
        entry: the entry of each.
        faces: how they meet the books.
    """
    exact = rung.tolerance is None
    left = [faces.part, bank.code[faces.row]] + ([faces.amount] if exact else [])
    right = [sides.item_part[books.row], books.code]
    right += [sides.item_amount[books.row]] if exact else []
    meeting = meet(bucket(*left), bucket(*right))
    crowded, ties = no_edges(), no_edges()
    if rung.plain:
        alone = meeting.single | sides.forbidding(meeting, entry[faces.row], books.row)
        ties = _hubs(meeting.where(~alone), bank.row[faces.row], books.row)
        meeting = meeting.where(alone)
    else:
        rows = len(bank) * (1 + sides.prepared.shared) + len(books)
        crowd = _crowds(rung, meeting, rows)
        crowded = _hubs(meeting.where(crowd), entry[faces.row], books.row)
        meeting = meeting.where(~crowd)
    excluded = None
    if len(crowded):  # what also stands in a crowd has rivals that nobody looked at
        excluded = (
            _some(crowded.entry, len(sides.part)),
            _some(crowded.item, len(sides.item_part)),
        )
    at, other = agreeing(sides, rung, meeting, bank, entry, faces, books, excluded)
    uid, iid, at = distinct(bank.row[at], books.row[other], at)
    if rung.plain or not len(uid):
        return uid, iid, at, ties, crowded
    detail = uid if rung.shape == "details" else sides.only_detail[uid]
    fits, rivals = fitting(sides, rung, Candidates(entry[at], iid, detail))
    if rung.same and rung.tolerance:
        fits = _only_document(sides, uid, Candidates(entry[at], iid, detail), bank.place[at], fits)
    if not rung.same and rung.shape == "one_to_one":
        some = np.flatnonzero(fits)
        fits[some] = sides.words.not_contradicted(entry[at[some]], iid[some])
    ties = Edges(uid[rivals], iid[rivals], np.full(int(rivals.sum()), -1))
    return uid[fits], iid[fits], at[fits], ties, crowded


def _crowds(rung: Rung, meeting: Meeting, rows: int) -> Flags:
    """Buckets with too many pairs; many equal amounts are hardly ever all of one party."""
    crowd = meeting.crowded
    if rung.party and not rung.same:
        most = max(_PAIRS_LEAST, _PAIRS_EACH * rows)
        crowd[np.flatnonzero(crowd)[meeting.where(crowd).smallest(most)]] = False
    return crowd


def _only_document(
    sides: Sides, uid: Ints, candidates: Candidates, place: Ints, fits: Flags
) -> Flags:
    """Pairs whose unit names no other document, in its reference or in its words.

    One of several documents a payment names is not what it pays but for a fee.
    """
    fits = fits & once(uid, int(uid.max()) + 1)
    some = np.flatnonzero(fits)
    fits[some[sides.words.other_document(candidates.entry[some], candidates.item[some])]] = False
    some = np.flatnonzero(fits)
    stated = sides.references.texts.take(place[some])
    fits[some[misread(sides, candidates.entry[some], candidates.item[some], stated)]] = False
    return fits


def _some(rows: Ints, size: int) -> Flags:
    """Which handles are among the rows; -1 is none."""
    found = np.zeros(size, dtype=bool)
    found[rows[rows >= 0]] = True
    return found


def _hubs(meeting: Meeting, units: Ints, items: Ints) -> Edges:
    """Everything in the buckets, each bucket being a hub."""
    if not len(meeting):
        return no_edges()
    left, rows = meeting.bank_rows()
    right, others = meeting.books_rows()
    return Edges(
        np.concatenate([units[rows], np.full(len(others), -1)]),
        np.concatenate([np.full(len(rows), -1), items[others]]),
        np.concatenate([left, right]),
    )


def _unique(uid: Ints, iid: Ints, ties: Edges, units: int, items: int) -> tuple[Flags, Edges]:
    """Which pairs are the only ones of both their sides, and the edges of all others."""
    clean = once(uid, units) & once(iid, items)
    if len(ties):
        tied_unit, tied_item = np.zeros(units, dtype=bool), np.zeros(items, dtype=bool)
        tied_unit[ties.entry[ties.entry >= 0]] = True
        tied_item[ties.item[ties.item >= 0]] = True
        clean &= ~tied_unit[uid] & ~tied_item[iid]
    left = np.flatnonzero(~clean)
    edges = ties + Edges(uid[left], iid[left], np.full(len(left), -1))
    return clean, edges.touching(uid[left], iid[left], units, items)
