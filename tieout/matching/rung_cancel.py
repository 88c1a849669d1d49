"""Rungs within one side: what takes each other back, and transfers between accounts of our own."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.matching.keys import References
from tieout.matching.ladder import Key, Rung
from tieout.matching.meet import Meeting, among, bucket, meet, once
from tieout.matching.normal import fold
from tieout.matching.party_pairs import same_party
from tieout.matching.rung_sums import limits
from tieout.matching.sides import Claim, Edges, Found, Outcome, Sides, no_edges
from tieout.matching.stated import Stated

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["RETURN_SUBFAMILIES", "cancel", "net", "returned", "transfer"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: ISO 20022 subfamilies that reverse or return a payment, a direct debit, a card or a cheque.
RETURN_SUBFAMILIES: Final = frozenset(("CQRV", "PRDD", "RPCR", "RRTN", "UPCQ", "UPCT", "UPDD"))


def _marked(sides: Sides) -> Flags:
    """Open entries that say they take something back: by flag, by code, or by a return reason."""
    if sides.taking_back is None:
        sides.taking_back = _taking_back(sides)
    return sides.taking_back & sides.open_entries


def _taking_back(sides: Sides) -> Flags:
    entries, details = sides.prepared.entries, sides.prepared.details
    marked = np.zeros(len(entries), dtype=bool)
    if "entries.reversal" not in sides.prepared.absent:
        said = pc.fill_null(entries.all("reversal"), False)
        marked |= np.asarray(said.to_numpy(zero_copy_only=False), dtype=bool)
    if "entries.code_subfamily" not in sides.prepared.absent:
        returns = pa.array(sorted(RETURN_SUBFAMILIES), pa.string())
        codes = pc.is_in(entries.all("code_subfamily"), value_set=returns)
        marked |= np.asarray(codes.to_numpy(zero_copy_only=False), dtype=bool)
    if "details.return_reason" not in sides.prepared.absent:
        known = details.all("return_reason").is_valid()
        marked[sides.detail_entry[np.asarray(known.to_numpy(zero_copy_only=False))]] = True
    return marked


def cancel(sides: Sides, rung: Rung, tier: int) -> Outcome:
    """A payment and the entry that takes it back: together they are nothing."""
    first, second, key, edges = _taken_back(sides, rung)
    return _entries_of(sides, rung, first, second, key, edges)


def returned(sides: Sides, rung: Rung, tier: int) -> Outcome:
    """As `cancel`, where the payment's item is an open document that is owed again.

    A payment that the cash book already has is left to be matched with it there: what came back is
    then still to be booked.
    """
    first, second, key, _ = _taken_back(sides, rung)
    if not len(first):
        return Outcome()
    cash = sides.open_items & (sides.tier == 0)
    keys = (*rung.same, *sides.naming)
    owed = _has_item(sides, keys, first, sides.open_items & ~cash)
    owed &= ~_has_item(sides, keys, first, cash)
    return _entries_of(sides, rung, first[owed], second[owed], key[owed], no_edges())


def _has_item(sides: Sides, keys: tuple[Key, ...], eids: Ints, wanted: Flags) -> Flags:
    """Whether each entry has one of the wanted items by reference and amount."""
    mine = np.zeros(len(sides.part), dtype=bool)
    mine[eids] = True
    likely = wanted & among(sides.item_amount, sides.amount[eids])
    references = References(sides.db, sides.prepared, keys)  # of few rows, so not worth keeping
    books = references.books(keys, likely, likely)
    bank = references.bank(keys, "single", mine, likely)
    row, part = sides.twice(bank.row, books.row)
    left = bucket(part, bank.code[row], sides.amount[bank.row[row]])
    right = bucket(sides.item_part[books.row], books.code, sides.item_amount[books.row])
    _, rows = meet(left, right).bank_rows()
    found = np.zeros(len(sides.part), dtype=bool)
    found[bank.row[row[rows]]] = True
    return found[eids]


def _taken_back(sides: Sides, rung: Rung) -> tuple[Ints, Ints, Ints, Edges]:
    """Pairs (payment, its return, place of the key) that are the only ones for each other."""
    marked = _marked(sides)
    none = np.zeros(0, dtype="int64")
    if not marked.any():
        return none, none, none, no_edges()
    plain = sides.open_entries & ~marked
    texts = References(sides.db, sides.prepared)
    if rung.same:
        if rung.tolerance is None:
            plain &= among(sides.amount, -sides.amount[marked])
        stated = texts.bank(rung.same, "single", plain | marked, sides.open_items & False)
        back, forth = stated.where(marked[stated.row]), stated.where(plain[stated.row])
    else:
        back, forth = _bare(np.flatnonzero(marked)), _bare(np.flatnonzero(plain))
    exact = rung.tolerance is None
    amounts = [-sides.amount[back.row]], [sides.amount[forth.row]]
    left = bucket(sides.part[back.row], back.code, *(amounts[0] if exact else []))
    right = bucket(sides.part[forth.row], forth.code, *(amounts[1] if exact else []))
    meeting = meet(left, right)
    at, other = meeting.where(~meeting.crowded).pairs()
    later, earlier = back.row[at], forth.row[other]
    fits = sides.part[later] == sides.part[earlier]
    gap = sides.amount[later] + sides.amount[earlier]
    if rung.tolerance is None:
        fits &= gap == 0
    else:  # what is missing is what a bank took for it
        low, high = limits(rung.tolerance, np.abs(sides.amount[earlier]), sides.unit[later])
        fits &= (gap >= -low) & (gap <= high)
        fits &= np.sign(sides.amount[later]) != np.sign(sides.amount[earlier])
    if rung.days:
        apart = sides.day[later] - sides.day[earlier]
        fits &= (apart >= -rung.days.after) & (apart <= rung.days.before)
    later, earlier, at = later[fits], earlier[fits], at[fits]
    if rung.party:
        kept = same_party(sides, rung.party, later, earlier)
        later, earlier, at = later[kept], earlier[kept], at[kept]
    place = at * 0 - 1
    if rung.same and len(at):
        named = texts.texts.take(back.place[at])
        place = np.arange(len(at)) + sides.references.texts.add(named)
    return _alone(earlier, later, place, len(sides.part))


def _bare(rows: Ints) -> Stated:
    return Stated(rows, np.zeros(len(rows), dtype="uint64"), rows)


def _alone(first: Ints, second: Ints, key: Ints, size: int) -> tuple[Ints, Ints, Ints, Edges]:
    """Pairs whose members are in no other pair, and the edges of those that are."""
    order = np.lexsort((key, second, first))
    first, second, key = first[order], second[order], key[order]
    new = np.ones(len(first), dtype=bool)
    new[1:] = (np.diff(first) != 0) | (np.diff(second) != 0)
    first, second, key = first[new], second[new], key[new]
    if not len(first):
        return first, second, key, no_edges()
    clean = once(first, size) & once(second, size)
    hub = np.arange(int((~clean).sum()))
    edges = Edges(
        np.concatenate([first[~clean], second[~clean]]),
        np.full(2 * len(hub), -1),
        np.concatenate([hub, hub]),
    )
    return first[clean], second[clean], key[clean], edges


def _entries_of(
    sides: Sides, rung: Rung, first: Ints, second: Ints, key: Ints, edges: Edges
) -> Outcome:
    if not len(first):
        return Outcome(None, edges)
    count = len(first)
    numbers = np.arange(count)
    keys: Any = pa.nulls(count, pa.string())
    if (key >= 0).all():
        keys = sides.references.texts.take(key)
    found = Found(
        rung,
        count,
        Claim(np.concatenate([numbers, numbers]), np.concatenate([first, second])),
        Claim.none(),
        Claim.none(),
        keys,
        sides.amount[first] + sides.amount[second],
    )
    return Outcome(found, edges)


def net(sides: Sides, rung: Rung, tier: int) -> Outcome:
    """An invoice and its credit note, or a posting and its reversal: both items are settled."""
    stated = sides.books(rung, tier)
    up = stated.where(sides.item_amount[stated.row] > 0)
    down = stated.where(sides.item_amount[stated.row] < 0)
    part = sides.item_part
    money = np.where(part < 0, -part - 1, part % 1000)
    left = bucket(money[up.row], up.code, sides.item_amount[up.row])
    right = bucket(money[down.row], down.code, -sides.item_amount[down.row])
    meeting = meet(left, right)
    at, other = meeting.where(~meeting.crowded).pairs()
    first, second = up.row[at], down.row[other]
    fits = sides.item_amount[first] == -sides.item_amount[second]
    fits &= money[first] == money[second]
    fits &= (part[first] == part[second]) | (part[first] < 0) | (part[second] < 0)
    size = len(sides.item_part)
    first, second, key, edges = _alone(first[fits], second[fits], up.place[at[fits]], size)
    refused = Edges(edges.item, edges.entry, edges.hub)
    if not len(first):
        return Outcome(None, refused)
    numbers = np.arange(len(first))
    found = Found(
        rung,
        len(first),
        Claim.none(),
        Claim.none(),
        Claim(np.concatenate([numbers, numbers]), np.concatenate([first, second])),
        sides.references.texts.take(key),
        np.zeros(len(first), dtype="int64"),
    )
    return Outcome(found, refused)


def transfer(sides: Sides, rung: Rung, tier: int) -> Outcome:
    """Money that left one account of ours and came to another: each end names the other one."""
    rows = np.flatnonzero(sides.open_entries & (sides.part >= 0))
    other = _counter_accounts(sides, rows)
    rows, other = rows[other >= 0], other[other >= 0]
    own = sides.part[rows] // 1000
    money = sides.part[rows] % 1000
    amount = sides.amount[rows]
    out, came = amount < 0, amount > 0
    left = bucket(money[out], own[out], other[out], -amount[out])
    right = bucket(money[came], other[came], own[came], amount[came])
    meeting: Meeting = meet(left, right)
    at, to = meeting.where(~meeting.crowded).pairs()
    first, second = rows[out][at], rows[came][to]
    fits = sides.amount[first] == -sides.amount[second]
    if rung.days:
        apart = sides.day[second] - sides.day[first]
        fits &= (apart >= -rung.days.after) & (apart <= rung.days.before)
    first, second = first[fits], second[fits]
    first, second, key, edges = _alone(first, second, first * 0 - 1, len(sides.part))
    return _entries_of(sides, rung, first, second, key, edges)


def _counter_accounts(sides: Sides, rows: Ints) -> Ints:
    """The number of the account of ours that each entry's other party is, else -1."""
    own: dict[str, int] = {}
    names = sorted(sides.prepared.accounts.items())
    plain, _ = fold(pa.array([name for name, _ in names], pa.string()))
    for text, (_, number) in zip(plain.to_pylist(), names, strict=True):
        own.setdefault(text, number)
    only = sides.only_detail[rows]
    coded = sides.prepared.details.take("counterparty_account", only).dictionary_encode()
    texts, _ = fold(coded.dictionary)
    known = [own.get(text, -1) for text in texts.to_pylist()]
    place = pc.fill_null(coded.indices, len(known)).to_numpy(zero_copy_only=False)
    numbers: Ints = np.array([*known, -1], dtype="int64")[place]
    return np.where(numbers == sides.part[rows] // 1000, -1, numbers)
