"""Backtest: what another ladder would have matched, lost and changed, with the money.

Two replays of the same facts are compared group by group, and each group with what people said:
matched by hand, confirmed, undone, rejected, or judged in an audit. Groups nobody said anything of
are counted apart: silence is no proof.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from tieout.matching.replay import FoundGroup, Replayed

__all__ = ["Backtest", "Change", "Judge", "RungCount", "Side", "Verdict", "compare"]

Word = Literal["right", "wrong", ""]
Kind = Literal["new", "lost", "changed"]

_MONTH: Final = dt.timedelta(days=30)
_YEAR: Final = dt.timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What people said of some members: that they belong together, or that they do not."""

    entries: frozenset[str]
    items: frozenset[str]
    right: bool
    words: str


@dataclass(frozen=True, slots=True)
class Change:
    """Groups of the one ladder that the other does not have, with what people said of them.

    ``changed`` ones share members: an entry that was matched with this item and is now matched
    with that.
    """

    kind: Kind
    old: tuple[FoundGroup, ...]
    new: tuple[FoundGroup, ...]
    word: Word
    words: str

    @property
    def amount(self) -> Decimal:
        """The money of the side that shows: of the new groups, of lost ones the old."""
        return sum((g.amount for g in self.new or self.old), Decimal(0))

    @property
    def currency(self) -> str:
        """Its currency."""
        return (self.new or self.old)[0].currency


@dataclass(frozen=True, slots=True)
class RungCount:
    """A rung's confirmed groups in both replays; how many rows the new one hits lately."""

    rung: str
    old: int
    new: int
    amount: Decimal
    right: int
    wrong: int
    month: int
    year: int


@dataclass(frozen=True, slots=True)
class Side:
    """One ladder's replay on one account."""

    ladder: str
    groups: int
    entries: int
    amount: Decimal
    proposed: int
    right: int
    wrong: int

    @property
    def precision(self) -> Decimal | None:
        """Right ones of those people judged; None where they judged none."""
        judged = self.right + self.wrong
        return Decimal(self.right) / Decimal(judged) if judged else None


@dataclass(frozen=True, slots=True)
class Backtest:
    """Both ladders on one account, and every difference."""

    account: str
    currency: str
    old: Side
    new: Side
    rungs: tuple[RungCount, ...]
    changes: tuple[Change, ...]

    def of(self, kind: Kind) -> list[Change]:
        """The differences of a kind, largest first."""
        return [c for c in self.changes if c.kind == kind]

    @property
    def lost(self) -> int:
        """Groups that are lost and were not known to be wrong."""
        return sum(len(c.old) for c in self.of("lost") if c.word != "wrong")


class Judge:
    """What people said, looked up by members; the newest word on a pair counts."""

    def __init__(self, verdicts: Iterable[Verdict]) -> None:
        self._right: dict[str, Verdict] = {}
        self._apart: dict[tuple[str, str], str] = {}
        for verdict in verdicts:
            pairs = [(e, i) for e in sorted(verdict.entries) for i in sorted(verdict.items)]
            for pair in pairs:
                self._apart.pop(pair, None)
                if not verdict.right:
                    self._apart[pair] = verdict.words
            for own in (*verdict.entries, *verdict.items):
                known = self._right.get(own)
                if verdict.right:
                    self._right[own] = verdict
                elif known and (known.entries, known.items) == (verdict.entries, verdict.items):
                    del self._right[own]

    def __call__(self, group: FoundGroup) -> tuple[Word, str]:
        """Whether people say a group is right or wrong, and in which words."""
        for entry in group.entries:
            for item in group.items:
                if (entry, item) in self._apart:
                    return "wrong", self._apart[entry, item]
        known = [v for own in sorted(group.members) if (v := self._right.get(own))]
        if not known:
            return "", ""
        for verdict in known:
            if not ({*group.entries} <= verdict.entries and {*group.items} <= verdict.items):
                return "wrong", f"other than {verdict.words}"
        return "right", known[0].words


def compare(
    account: str, currency: str, old: Replayed, new: Replayed, judge: Judge, until: dt.date
) -> Backtest:
    """Both replays on one account.

    Args:
        until: the last day of the history, from which 30 days and 12 months are counted back.
    """
    before = [g for g in old.confirmed if g.account == account]
    after = [g for g in new.confirmed if g.account == account]
    return Backtest(
        account,
        currency,
        _side(old, account, before, judge),
        _side(new, account, after, judge),
        _rungs(before, after, judge, until),
        _changes(before, after, new.proposed, judge),
    )


def _side(replayed: Replayed, account: str, groups: Sequence[FoundGroup], judge: Judge) -> Side:
    words = Counter(judge(group)[0] for group in groups)
    entries = sum(len(group.entries) for group in groups)
    amount = sum((group.amount for group in groups), Decimal(0))
    proposed = sum(group.account == account for group in replayed.proposed)
    return Side(
        replayed.ladder, len(groups), entries, amount, proposed, words["right"], words["wrong"]
    )


def _rungs(
    before: Sequence[FoundGroup], after: Sequence[FoundGroup], judge: Judge, until: dt.date
) -> tuple[RungCount, ...]:
    """By rung, in the order in which the new ladder first used them, then the old's."""
    olds: Counter[str] = Counter(g.rung for g in before)
    by_rung: dict[str, list[FoundGroup]] = defaultdict(list)
    for group in after:
        by_rung[group.rung].append(group)
    counted = []
    for rung in sorted({*olds, *by_rung}):
        groups = by_rung[rung]
        words = Counter(judge(group)[0] for group in groups)
        counted.append(
            RungCount(
                rung,
                olds[rung],
                len(groups),
                sum((g.amount for g in groups), Decimal(0)),
                words["right"],
                words["wrong"],
                sum(len(g.entries) for g in groups if g.on > until - _MONTH),
                sum(len(g.entries) for g in groups if g.on > until - _YEAR),
            )
        )
    return tuple(sorted(counted, key=lambda c: (-c.new, -c.old, c.rung)))


def _changes(
    before: Sequence[FoundGroup],
    after: Sequence[FoundGroup],
    proposed: Sequence[FoundGroup],
    judge: Judge,
) -> tuple[Change, ...]:
    known, now = {g.members: g for g in before}, {g.members: g for g in after}
    olds = [g for g in before if g.members not in now]
    news = [g for g in after if g.members not in known]
    waiting = {g.members for g in proposed}
    changes = []
    for left, right in _together(olds, news):
        kind: Kind = "changed" if left and right else "new" if right else "lost"
        word, words = _word([*(right or left)], judge)
        if kind == "lost" and left[0].members in waiting:
            words = "; ".join(filter(None, [words, "only proposed now"]))
        changes.append(Change(kind, left, right, word, words))
    order = {"lost": 0, "changed": 1, "new": 2}
    return tuple(
        sorted(
            changes,
            key=lambda c: (order[c.kind], -c.amount, sorted((c.new or c.old)[0].members)),
        )
    )


def _together(
    olds: Sequence[FoundGroup], news: Sequence[FoundGroup]
) -> list[tuple[tuple[FoundGroup, ...], tuple[FoundGroup, ...]]]:
    """Groups of both sides that share a member, directly or through others."""
    groups = [*((0, g) for g in olds), *((1, g) for g in news)]
    parent = list(range(len(groups)))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    owner: dict[str, int] = {}
    for number, (_, group) in enumerate(groups):
        for own in sorted(group.members):
            parent[root(number)] = root(owner.setdefault(own, number))
    sets: dict[int, tuple[list[FoundGroup], list[FoundGroup]]] = defaultdict(lambda: ([], []))
    for number, (side, group) in enumerate(groups):
        sets[root(number)][side].append(group)
    return [(tuple(left), tuple(right)) for left, right in sets.values()]


def _word(groups: Sequence[FoundGroup], judge: Judge) -> tuple[Word, str]:
    """The worst word on any of the groups."""
    told: Mapping[Word, str] = dict(judge(group) for group in reversed(groups))
    for word in ("wrong", "right"):
        if word in told:
            return word, told[word]
    return "", ""
