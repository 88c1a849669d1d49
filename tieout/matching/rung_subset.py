"""The rung that searches: an entry and those of its party's items that add up to it."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.matching import subset
from tieout.matching.ladder import Rung, Search
from tieout.matching.meet import bucket
from tieout.matching.one_party import of_one_party
from tieout.matching.sides import Claim, Found, Outcome, Sides
from tieout.matching.subset_small import answerable

__all__ = ["search_sums"]

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

#: Steps all searches of a run may take together; what is left over is said.
_STEPS_MAX: Final = 1 << 31
_EFFORT: Final = 1 << 23


def search_sums(sides: Sides, rung: Rung, tier: int) -> Outcome:
    """Entries that the only possible choice of their party's items adds up to."""
    if rung.search is None or rung.days is None or rung.party is None:
        return Outcome()
    entries = np.flatnonzero(sides.open_entries)
    items = np.flatnonzero(sides.items_for(rung, tier))
    eids, starts, counts, item = _questions(sides, rung, entries, items)
    hopeful = _hopeful(sides, rung.search, eids, starts, counts, item)
    rank = hopeful[np.argsort(_ranked(sides, eids[hopeful]), kind="stable")]
    won: list[tuple[int, Ints]] = []
    told: list[Any] = []
    vast: dict[tuple[str, bytes], tuple[list[int], Ints]] = {}
    left = _STEPS_MAX
    most = rung.search.items_max
    likely = answerable(sides.amount[eids], starts, counts, sides.item_amount[item], most)
    likely |= counts > rung.search.candidates_max
    for at in rank.tolist():
        eid, count = int(eids[at]), int(counts[at])
        if count < 2:
            continue
        if not likely[at] and left > 0:
            left -= subset.least_steps(count)
            continue
        choices = item[starts[at] : starts[at] + count]
        answer, used = _asked(sides, rung.search, eid, choices, min(left, _EFFORT))
        left -= used
        if isinstance(answer, str):
            entries_of = vast.setdefault((answer, choices.tobytes()), ([], choices))[0]
            entries_of.append(eid)
        elif answer is not None and len(answer) == 1:
            won.append((eid, choices[answer[0]]))
        elif answer:
            listed = [choices[list(solution)] for solution in answer]
            told.append(_several(eid, listed))
    for (message, _), (entries_of, choices) in vast.items():  # one refusal for all of a party
        told.append(("too_many", message, tuple(entries_of), tuple(choices.tolist())))
    return _kept(sides, rung, _unopposed(sides, won), told)


def _hopeful(
    sides: Sides, search: Search, eids: Ints, starts: Ints, counts: Ints, item: Ints
) -> Ints:
    """Questions that may have an answer worth having.

    The entry must lie within what the items can come to, and choices must be few beside sums: a
    unique one among very many would be an accident, and is left for a person to ask about.
    """
    if not len(eids):
        return np.zeros(0, dtype="int64")
    amounts = sides.item_amount[item]
    up = np.add.reduceat(np.maximum(amounts, 0), starts)
    down = np.add.reduceat(np.minimum(amounts, 0), starts)
    target = sides.amount[eids]
    possible = (counts > 1) & (down <= target) & (target <= up)
    sums = np.array([int(span).bit_length() for span in (up - down + 1).tolist()])
    needed = (int(1 / search.chance_max) - 1).bit_length() if search.chance_max else 64
    possible &= (sums - np.minimum(counts, _choice_bits(search)) >= needed) | (
        counts > search.candidates_max
    )
    return np.flatnonzero(possible)


def _choice_bits(search: Search) -> int:
    """At most this many bits count the choices of few among the most that are searched."""
    most, items = search.candidates_max, search.items_max
    return sum(math.comb(most, k) for k in range(items + 1)).bit_length()


def _questions(
    sides: Sides, rung: Rung, entries: Ints, items: Ints
) -> tuple[Ints, Ints, Ints, Ints]:
    """For each entry and kind of items: where its choices start, how many, and the choices."""
    if rung.search is None or rung.days is None or rung.party is None:
        none = np.zeros(0, dtype="int64")
        return none, none, none, none
    entry, item = of_one_party(sides, rung.party, entries, items, rung.search.candidates_max)
    apart = sides.day[entry] - sides.item_day[rung.days.item][item]
    near = (apart >= -rung.days.after) & (apart <= rung.days.before)
    near |= np.abs(apart) <= rung.days.alone
    near &= sides.allowed(entry, item)
    entry, item = entry[near], item[near]
    kind = sides.kind[item]  # what is owed to us does not pay what we owe
    # Lines of the cash book are movements: those in the other direction are no part of it.
    with_it = np.sign(sides.item_amount[item]) == np.sign(sides.amount[entry])
    with_it |= sides.tier[item] > 0
    entry, item, kind = entry[with_it], item[with_it], kind[with_it]
    order = np.lexsort((item, kind, entry))
    entry, item, kind = entry[order], item[order], kind[order]
    new = np.ones(len(entry), dtype=bool)
    new[1:] = (np.diff(entry) != 0) | (np.diff(kind) != 0)
    starts = np.flatnonzero(new)
    return entry[starts], starts, np.diff(np.append(starts, len(entry))), item


def rivals(sides: Sides, rung: Rung, tier: int, eids: Ints, iids: Ints) -> dict[int, Ints]:
    """Of pairs found by party: items that come to the entry too, by the entry's handle."""
    if rung.search is None or not len(eids):
        return {}
    own = np.full(len(sides.part), -1, dtype="int64")
    own[eids] = iids
    items = np.flatnonzero(sides.items_for(rung, tier))
    asked, _, counts, item = _questions(sides, rung, np.sort(eids), items)
    of = np.repeat(np.arange(len(asked)), counts)
    target, amount = sides.amount[asked], sides.item_amount[item]
    other = (item != own[asked][of]) & (np.sign(amount) == np.sign(target)[of])
    other &= np.abs(amount) <= np.abs(target)[of]
    item, amount = item[other], amount[other]
    counts = np.bincount(of[other], minlength=len(asked))
    starts = np.cumsum(counts) - counts
    most = rung.search.items_max
    likely = answerable(target, starts, counts, amount, most)
    likely &= (counts > 1) & (counts <= rung.search.candidates_max)
    found: dict[int, Ints] = {}
    for at in np.flatnonzero(likely).tolist():
        eid, others = int(asked[at]), item[starts[at] : starts[at] + counts[at]]
        amounts = sides.item_amount[others]
        answer = subset.search(int(target[at]), amounts, most=most, effort=_EFFORT)
        if answer.kind != "none":
            rest = {k for solution in answer.solutions for k in solution}
            found[eid] = others[sorted(rest)]
    return found


def _unopposed(sides: Sides, won: list[tuple[int, Ints]]) -> list[tuple[int, Ints]]:
    """Choices that the entry's words do not speak against.

    An entry that names open documents names no others than those chosen; one that states numbers
    like the books' own states at least one that is nearly a chosen item's.
    """
    if not won:
        return won
    names, pairs = sides.words.named()
    entry = np.concatenate([np.full(len(items), eid) for eid, items in won])
    item = np.concatenate([items for _, items in won])
    meant = np.isin(bucket(entry, item), pairs)
    other = sides.words.other_document(entry, item)
    kept, first = [], 0
    for eid, items in won:
        these = slice(first, first + len(items))
        first += len(items)
        if names[eid]:
            fits = int(meant[these].sum()) == sides.words.named_count(eid)
        else:
            fits = not bool(other[these].all())
        if fits:
            kept.append((eid, items))
    return kept


def _ranked(sides: Sides, eids: Ints) -> Ints:
    """Entries in the order of their content, so that a budget is spent the same way each time."""
    ids: list[Any] = sides.prepared.entries.take("entry_id", eids).to_pylist()
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
        return list(answer.solutions), answer.steps
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
