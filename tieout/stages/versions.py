"""The same statement told more than once: in another format, or corrected.

Of all tellings of one statement one *stands*: a complete one before a damaged one, the newest
content before an older one, the richest format before a poorer one. The others are superseded.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tieout.ledger.models import StatementRow
from tieout.stages.pairing import EntryFact

__all__ = ["Facts", "Telling", "tellings"]

#: The booked entries of a statement, in its order.
Facts = Callable[[str], Sequence[EntryFact]]

#: Formats that say more come first.
_RICHEST: Final = ("camt.", "CODA", "CFONB", "AEB43", "MT94", "BAI2", "BTRS", "OFX")


@dataclass(frozen=True, slots=True)
class Telling:
    """One statement: the row that stands, and the rows it supersedes (their content is older)."""

    standing: StatementRow
    same: tuple[StatementRow, ...] = ()  # the same content, in another file or format
    older: tuple[StatementRow, ...] = ()  # another content, which the standing one corrects


def tellings(statements: Sequence[StatementRow], facts: Facts) -> list[Telling]:
    """Gather the rows that tell one statement; in no particular order."""
    buckets: dict[tuple[object, ...], list[StatementRow]] = defaultdict(list)
    for row in statements:
        page = row.page or 1
        buckets["day", row.closed_on, page].append(row)
        if row.sequence_no is not None and row.opening_minor is not None:
            buckets["number", row.sequence_no, page, row.opening_minor].append(row)
    leader = {row.statement_id: row.statement_id for row in statements}
    for bucket in buckets.values():
        for at, one in enumerate(bucket):
            for other in bucket[at + 1 :]:
                if _top(leader, one) != _top(leader, other) and _same(one, other, facts):
                    first, second = sorted((_top(leader, one), _top(leader, other)))
                    leader[second] = first
    gathered: dict[str, list[StatementRow]] = defaultdict(list)
    for row in statements:
        gathered[_top(leader, row)].append(row)
    return [_told(rows) for rows in gathered.values()]


def _top(leader: dict[str, str], row: StatementRow) -> str:
    key = row.statement_id
    while leader[key] != key:
        key = leader[key]
    return key


def _same(one: StatementRow, other: StatementRow, facts: Facts) -> bool:
    """Whether two rows tell the same statement, be it with another content."""
    numbers = (one.sequence_no, other.sequence_no)
    same_edges = _edges(one) == _edges(other) and None not in _edges(one)
    if None not in numbers:
        if numbers[0] != numbers[1] or not _near(one, other):
            return False
        return same_edges or not _chained(one, other)
    if one.closed_on is None or one.closed_on != other.closed_on:
        return False
    if same_edges:
        nil = one.opening_minor == one.closing_minor
        return not nil or _amounts(one, facts) == _amounts(other, facts)
    # Without numbers, only what opens alike on one day can be a correction.
    return (
        numbers == (None, None)
        and one.opening_minor is not None
        and one.opening_minor == other.opening_minor
        and not _chained(one, other)
    )


def _edges(row: StatementRow) -> tuple[int | None, int | None]:
    return row.opening_minor, row.closing_minor


def _near(one: StatementRow, other: StatementRow) -> bool:
    """Numbers begin again each year."""
    if one.closed_on is None or other.closed_on is None:
        return one.closed_on is other.closed_on
    return abs((one.closed_on - other.closed_on).days) < 200


def _chained(one: StatementRow, other: StatementRow) -> bool:
    """Whether one opens where the other closed: two statements, whatever their numbers say."""
    forward = one.closing_minor is not None and one.closing_minor == other.opening_minor
    back = other.closing_minor is not None and other.closing_minor == one.opening_minor
    return forward or back


def _amounts(row: StatementRow, facts: Facts) -> list[int]:
    return sorted(fact.amount_minor for fact in facts(row.statement_id))


def _told(rows: list[StatementRow]) -> Telling:
    if len(rows) == 1:
        return Telling(rows[0])
    ordered = sorted(rows, key=_came)
    whole = [r for r in ordered if _whole(r)] or ordered
    contents: dict[tuple[int | None, int | None], list[StatementRow]] = defaultdict(list)
    for row in whole:
        contents[_edges(row)].append(row)
    newest = max(contents.values(), key=_version(all(r.created_at for r in whole)))
    standing = min(newest, key=_richness)
    rest = [r for r in ordered if r is not standing]
    same = tuple(r for r in rest if _edges(r) == _edges(standing))
    older = tuple(r for r in rest if _edges(r) != _edges(standing))
    return Telling(standing, same, older)


def _whole(row: StatementRow) -> bool:
    """A damaged or unprovable telling never takes the place of a whole one."""
    return not row.incomplete and None not in _edges(row)


def _came(row: StatementRow) -> tuple[str, str]:
    return _instant(row.recorded_at), row.statement_id


def _version(dated: bool) -> Callable[[list[StatementRow]], tuple[str, str, str]]:
    """How new a content is: when the bank made it if all say so, else when it first came."""

    def key(rows: list[StatementRow]) -> tuple[str, str, str]:
        made = min(_instant(r.created_at) for r in rows) if dated else ""
        return made, *min(_came(r) for r in rows)

    return key


def _instant(at: dt.datetime | None) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds") if at else ""


def _richness(row: StatementRow) -> tuple[int, str, str]:
    rank = next((n for n, name in enumerate(_RICHEST) if row.format.startswith(name)), 99)
    return rank, *_came(row)
