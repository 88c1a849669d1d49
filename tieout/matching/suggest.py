"""Suggestions: mined rungs, each measured on history it was not learned from.

Split by time, not at random: what is learned from the earlier matches by hand is tried on the
later part of the past, as a person would have who accepted the rung on that day. A rung is tried
alone, by the engine itself, on everything that was open: of what it would have confirmed, how much
agrees with what was confirmed in the end?
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np

from tieout.matching.examples import Pair
from tieout.matching.ladder import Ladder, read
from tieout.matching.mining import Candidate, mine
from tieout.matching.replay import FoundGroup, History, replay

__all__ = ["Known", "Limits", "Split", "Suggestion", "split", "suggest"]


@dataclass(frozen=True, slots=True)
class Known:
    """A match that stands in the end; ``on`` is the day of its newest entry."""

    entries: frozenset[str]
    items: frozenset[str]
    by_hand: bool
    on: dt.date

    @property
    def members(self) -> frozenset[str]:
        """Ids of its entries and items."""
        return self.entries | self.items


@dataclass(frozen=True, slots=True)
class Limits:
    """What a suggestion must reach.

    Attributes:
        support: examples it was learned from; half as many (two at least) must be found again.
        precision: least share of right ones on held-out history.
        most: candidates that are tried, those with most support.
    """

    support: int = 5
    precision: Decimal = Decimal("0.99")
    most: int = 12


@dataclass(frozen=True, slots=True)
class Split:
    """Matches by hand before and from a day on; ``held_from`` is the first day held out."""

    learned: tuple[Known, ...]
    held: tuple[Known, ...]
    held_from: dt.date


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A candidate with what it did on held-out history.

    Attributes:
        right: groups that agree with what was confirmed in the end.
        wrong: groups that take a member of another match.
        unknown: groups of rows that are in no match yet.
        by_hand: right ones that people had to match by hand; ``of_hand``: all there were.
        refused: why it is not suggested; empty where it is.
    """

    candidate: Candidate
    right: int
    wrong: int
    unknown: int
    by_hand: int
    of_hand: int
    refused: str

    @property
    def precision(self) -> Decimal | None:
        """Right ones of those that can be told."""
        told = self.right + self.wrong
        return Decimal(self.right) / Decimal(told) if told else None


def split(known: Sequence[Known], holdout: Decimal) -> Split | None:
    """Matches by hand, the latest share of them held out; None where both parts cannot be.

    Matches of one day are never parted.
    """
    hand = sorted((k for k in known if k.by_hand), key=lambda k: (k.on, sorted(k.members)))
    if not hand:
        return None
    first = min(int(len(hand) * (1 - holdout)), len(hand) - 1)
    day = hand[first].on
    learned = tuple(k for k in hand if k.on < day)
    return Split(learned, tuple(k for k in hand if k.on >= day), day) if learned else None


def suggest(
    histories: Sequence[History], known: Sequence[Known], parts: Split, limits: Limits, base: Ladder
) -> list[Suggestion]:
    """Mined rungs with their measure, those worth most first, refused ones at the end.

    Args:
        histories: the past of the accounts, whole.
        known: every match that stands in the end.
        parts: of the matches by hand.
        base: the ladder in use, for its calendar and its order of kinds.
    """
    candidates = mine(
        _pairs(histories, parts.learned), least=limits.support, calendar=base.calendar
    )
    held = [_from(history, parts.held_from, known) for history in histories]
    tried = [_tried(c, held, known, parts, limits, base) for c in candidates[: limits.most]]
    return sorted(
        tried, key=lambda s: (bool(s.refused), -s.by_hand, -s.right, s.wrong, s.candidate.name)
    )


def _pairs(histories: Sequence[History], groups: Sequence[Known]) -> list[Pair]:
    """One entry and one item a group, as rows; groups of several teach nothing yet."""
    wanted = {
        next(iter(k.entries)): next(iter(k.items))
        for k in groups
        if len(k.entries) == 1 and len(k.items) == 1
    }
    pairs: dict[str, Pair] = {}
    for history in histories:
        entries = {r["entry_id"]: r for r in history.entries.to_pylist() if r["entry_id"] in wanted}
        items = {r["item_id"]: r for r in reversed(history.items.to_pylist())}
        inside: dict[str, list[Any]] = {}
        for row in history.details.to_pylist():
            if row["entry_id"] in entries:
                inside.setdefault(row["entry_id"], []).append(row)
        for entry_id, entry in entries.items():
            item = items.get(wanted[entry_id])
            if item is not None:
                pairs[entry_id] = Pair(entry, tuple(inside.get(entry_id, ())), item)
    return [pairs[own] for own in sorted(pairs)]


def _from(history: History, day: dt.date, known: Sequence[Known]) -> History:
    """The history from a day on: what was matched before is gone, what was open still is."""
    gone = {own for k in known if k.on < day for own in k.members}
    first = day.toordinal()

    def until(ids: Sequence[Any], known_until: Any) -> Any:
        kept = np.fromiter((own not in gone for own in ids), dtype=bool, count=len(ids))
        return np.where(kept, known_until, 0)

    return replace(
        history,
        entry_from=np.maximum(history.entry_from, first),
        entry_until=until(history.entries["entry_id"].to_pylist(), history.entry_until),
        item_from=np.maximum(history.item_from, first),
        item_until=until(history.items["item_id"].to_pylist(), history.item_until),
    )


def ladder_of_one(candidate: Candidate, base: Ladder) -> Ladder:
    """A ladder of this one rung, with the calendar and the order of kinds in use."""
    kinds = [list(tier) for tier in base.kinds]
    content = {"kinds": kinds, "calendar": base.calendar, **candidate.content}
    return read(f"suggested-{candidate.name}", content)


def _tried(
    candidate: Candidate,
    held: Sequence[History],
    known: Sequence[Known],
    parts: Split,
    limits: Limits,
    base: Ladder,
) -> Suggestion:
    ladder = ladder_of_one(candidate, base)
    found = replay(held, {history.code: ladder for history in held}).confirmed
    of: dict[str, Known] = {own: k for k in known for own in sorted(k.members)}
    words = [_word(group, of) for group in found]
    right, wrong = words.count("right"), words.count("wrong")
    hand = [
        g
        for g, word in zip(found, words, strict=True)
        if word == "right" and of[g.entries[0]].by_hand
    ]
    refused = _refused(right, wrong, len(hand), limits)
    return Suggestion(candidate, right, wrong, words.count(""), len(hand), len(parts.held), refused)


def _word(group: FoundGroup, of: Mapping[str, Known]) -> str:
    matches = {id(k): k for own in group.members if (k := of.get(own))}
    if not matches:
        return ""
    together = all(group.members <= k.members for k in matches.values())
    return "right" if together else "wrong"


def _refused(right: int, wrong: int, by_hand: int, limits: Limits) -> str:
    """Why it is not suggested."""
    again = max(2, limits.support // 2)
    if by_hand < again:
        return f"it would have made {by_hand} of the held-out matches by hand, {again} are needed"
    precision = Decimal(right) / Decimal(right + wrong)
    if precision < limits.precision:
        share = f"{100 * precision:.2f} % ({right} of {right + wrong})"
        return f"its precision on held-out history is {share}"
    return ""
