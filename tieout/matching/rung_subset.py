"""The rung that searches: an entry and those of its party's items that add up to it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tieout.matching import subset
from tieout.matching.compile import plain_names
from tieout.matching.keys import codes_of
from tieout.matching.known_numbers import fold
from tieout.matching.ladder import Rung, Search
from tieout.matching.meet import bucket, meet
from tieout.matching.sides import Claim, Found, Outcome, Sides

__all__ = ["search_sums"]

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint64]

#: Steps all searches of a run may take together; what is left over is said.
_STEPS_MAX: Final = 1 << 31
_EFFORT: Final = 1 << 23


def search_sums(sides: Sides, rung: Rung, tier: int) -> Outcome:
    """Entries that the only possible choice of their party's items adds up to."""
    assert rung.search is not None
    assert rung.days is not None
    entries = np.flatnonzero(sides.open_entries)
    items = np.flatnonzero(sides.items_for(rung, tier))
    pairs = _of_one_party(sides, rung, entries, items)
    apart = sides.day[pairs[0]] - sides.item_day[rung.days.item][pairs[1]]
    near = (apart >= -rung.days.after) & (apart <= rung.days.before)
    near &= sides.allowed(*pairs)
    entry, item = pairs[0][near], pairs[1][near]
    order = np.lexsort((item, entry))
    entry, item = entry[order], item[order]
    eids, starts, counts = np.unique(entry, return_index=True, return_counts=True)
    rank = np.argsort(_ranked(sides, eids), kind="stable")
    won: list[tuple[int, Ints]] = []
    told: list[Any] = []
    left = _STEPS_MAX
    for at in rank.tolist():
        eid, count = int(eids[at]), int(counts[at])
        if count < 2:
            continue
        choices = item[starts[at] : starts[at] + count]
        answer, used = _asked(sides, rung.search, eid, choices, min(left, _EFFORT))
        left -= used
        if isinstance(answer, str):
            told.append(("too_many", answer, (eid,), tuple(choices.tolist())))
        elif answer is not None and len(answer) == 1:
            won.append((eid, choices[answer[0]]))
        elif answer:
            listed = [choices[list(solution)] for solution in answer]
            told.append(_several(eid, listed))
    return _kept(sides, rung, won, told)


def _ranked(sides: Sides, eids: Ints) -> Ints:
    """Entries in the order of their content, so that a budget is spent the same way each time."""
    ids = sides.prepared.entries["entry_id"].take(pa.array(eids)).to_pylist()
    ranks = np.empty(len(ids), dtype="int64")
    ranks[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids))
    return ranks


def _asked(sides: Sides, search: Search, eid: int, choices: Ints, effort: int) -> tuple[Any, int]:
    """Solutions (positions), None where there is none, words where it was not looked into."""
    if len(choices) > search.candidates_max:
        return f"{len(choices)} items of its party: too many to search for their sum.", 0
    amounts = sides.item_amount[choices]
    target = int(sides.amount[eid])
    if effort <= 0:
        return "The search for sums was given up: too much was open at once.", 0
    most = min(search.items_max, len(choices))
    answer = subset.search(target, amounts, most=most, effort=effort)
    if answer.kind == "none":
        return None, answer.steps
    if answer.kind == "unfinished":
        return "The search for items that add up to it was not finished.", answer.steps
    if answer.kind == "several":
        return [s for s in answer.solutions], answer.steps
    (solution,) = answer.solutions
    if len(solution) < 2 or not _supported(search, amounts, most):
        return None, answer.steps
    return [list(solution)], answer.steps


def _supported(search: Search, amounts: Ints, most: int) -> bool:
    """Whether a unique choice is hardly an accident: 2 ** -margin are to be expected by chance."""
    margin = subset.margin(amounts, most=most)
    return margin > 0 and search.chance_max * Decimal(2) ** margin >= 1


def _several(eid: int, listed: list[Ints]) -> Any:
    items = tuple(sorted({int(i) for one in listed for i in one}))
    count = len(listed)
    message = f"{count} choices of its party's items add up to it; a person must decide."
    return ("not_unique", message, (eid,), items)


def _kept(sides: Sides, rung: Rung, won: list[tuple[int, Ints]], told: list[Any]) -> Outcome:
    """Groups whose items no other solution wants; the others are refused together."""
    wanted = np.zeros(len(sides.item_part), dtype="int64")
    for _, items in won:
        wanted[items] += 1
    for _, _, _, items in told:
        wanted[list(items)] += 0
    clean = [(eid, items) for eid, items in won if (wanted[items] == 1).all()]
    for eid, items in won:
        if not (wanted[items] == 1).all():
            message = "Its items are wanted by another entry too; a person must decide."
            told.append(("not_unique", message, (eid,), tuple(items.tolist())))
    if not clean:
        return Outcome(told=tuple(told))
    sizes = [len(items) for _, items in clean]
    numbers = np.arange(len(clean))
    found = Found(
        rung,
        len(clean),
        Claim(numbers, np.array([eid for eid, _ in clean])),
        Claim.none(),
        Claim(np.repeat(numbers, sizes), np.concatenate([items for _, items in clean])),
        pa.nulls(len(clean), pa.string()),
        np.zeros(len(clean), dtype="int64"),
        {"items": sizes},
    )
    return Outcome(found, told=tuple(told))


def _of_one_party(sides: Sides, rung: Rung, entries: Ints, items: Ints) -> tuple[Ints, Ints]:
    """Pairs of entries and items of the same party, by account or by equal plain name."""
    assert rung.party is not None
    only = sides.only_detail[entries]
    index, rows = pa.array(only, mask=only < 0), pa.array(items)
    details, books = sides.prepared.details, sides.prepared.items
    found: list[tuple[Ints, Ints]] = []
    for way in rung.party.by:
        if way == "account":
            ours = _folded(details["counterparty_account"].take(index))
            theirs = _folded(books["counterparty_account"].take(rows))
        elif way == "name":
            ours = plain_names(sides.db, details["counterparty_name"].take(index), "plain_name")
            theirs = plain_names(sides.db, books["counterparty_name"].take(rows), "plain_name")
        else:
            continue
        found.append(_sharing(sides, entries, ours, items, theirs, rung.search))
    both = np.concatenate([np.stack(pair) for pair in found], axis=1)
    both = np.unique(both, axis=1)
    return both[0], both[1]


def _folded(column: Any) -> Any:
    coded = column.combine_chunks().dictionary_encode()
    texts, _ = fold(coded.dictionary)
    return texts.take(coded.indices)


def _sharing(
    sides: Sides, entries: Ints, ours: Any, items: Ints, theirs: Any, search: Search | None
) -> tuple[Ints, Ints]:
    left, left_row = _coded(sides, ours)
    right, right_row = _coded(sides, theirs)
    place, part = sides.twice(entries[left_row])
    meeting = meet(bucket(part, left[place]), bucket(sides.item_part[items[right_row]], right))
    # A party with more items than are searched is told of once, by its first items.
    at, other = meeting.where(~_vast(meeting.books_count, search)).pairs()
    return entries[left_row[place[at]]], items[right_row[other]]


def _vast(counts: Ints, search: Search | None) -> Any:
    return counts > (50 * search.candidates_max if search else 0)


def _coded(sides: Sides, texts: Any) -> tuple[Codes, Ints]:
    known = np.asarray(texts.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
    rows = np.flatnonzero(known)
    plain = texts.take(pa.array(rows))
    lengths = pa.compute.binary_length(plain).to_numpy(zero_copy_only=False) >= 3
    rows = rows[lengths]
    return codes_of(sides.db, texts.take(pa.array(rows))), rows
