"""Why something did not match: the nearest candidates and the one condition that failed.

Bounded: each entry or item is told at most ``limit`` candidates, and buckets too crowded to be
compared one by one are left out, as in the ladder itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

import pyarrow as pa

from tieout.matching.compile import compile_rung, subtract
from tieout.matching.engine import Result, run, session
from tieout.matching.ladder import Key, Ladder, Rung, Tolerance, Window
from tieout.matching.tables import FAR, prepare

__all__ = ["Candidate", "nearest"]

Failed = Literal["amount", "days", "party", "reference"]

_ANY: Final = Decimal(1_000_000)
_YEAR: Final = 250


@dataclass(frozen=True, slots=True)
class Candidate:
    """The other side's nearest row and what kept the two apart.

    Attributes:
        other_id: the item's id for an entry, the entry's id for an item.
        failed: which condition.
        by: by how much, in words an accountant reads.
    """

    other_id: str
    failed: Failed
    by: str


def nearest(
    entries: pa.Table,
    details: pa.Table | None,
    items: pa.Table,
    ladder: Ladder,
    result: Result,
    *,
    limit: int = 3,
) -> dict[str, list[Candidate]]:
    """Nearest candidates of every entry and item that is in no group.

    Args:
        entries: as given to `tieout.matching.engine.match`, like details, items and ladder.
        details: see above.
        items: see above.
        ladder: see above.
        result: what match returned.
        limit: candidates told for each.

    Returns:
        By entry_id and item_id, nearest first; ids without a candidate are absent.
    """
    prepared = prepare(entries, details, items, ladder)
    tiers = tuple(range(len(ladder.kinds)))
    rows: list[tuple[Any, ...]] = []
    with session(prepared) as db:
        db.register("members", result.members)
        db.execute(
            "INSERT INTO taken_entries SELECT eid FROM entries "
            "SEMI JOIN (SELECT member_id FROM members WHERE side = 'entry') "
            "ON member_id = entry_id"
        )
        db.execute(
            "INSERT INTO taken_items SELECT iid FROM items "
            "SEMI JOIN (SELECT member_id FROM members WHERE side = 'item') ON member_id = item_id"
        )
        for statement in subtract(1):
            db.execute(statement)
        for rank, rung in enumerate(_probes(ladder)):
            statements = compile_rung(rung, tiers, shared=prepared.shared, absent=prepared.absent)
            if not run(db, statements)["pairs"]:
                continue
            rows += db.execute(_ROWS.format(rank=rank)).fetchall()
    return _told(sorted(rows, key=_distance), ladder, limit)


_ROWS: Final = """\
SELECT {rank}, e.entry_id, i.item_id, p.key, e.amt - i.amt, e.unit, e.currency,
  e.bday - i.booked_on_no, abs(e.amt), i.counterparty_name, d.counterparty_name,
  round(100 * jaro_winkler_similarity(plain_name(i.counterparty_name),
    plain_name(d.counterparty_name)))::INTEGER
FROM pairs p JOIN entries e ON e.eid = p.uid JOIN items i ON i.iid = p.iid
LEFT JOIN details d ON d.eid = p.uid AND d.fanout = 1
WHERE {rank} = 1 OR e.amt <> i.amt"""


def _probes(ladder: Ladder) -> tuple[Rung, Rung]:
    """Two wide rungs: any shared reference whatever the amount, and the same amount in a year."""
    keys: dict[str, Key] = {key.name: key for rung in ladder.rungs for key in rung.same}
    wide = Tolerance(_ANY, _ANY, _ANY, _ANY, Decimal(0))
    return (
        Rung("by reference", "one_to_one", same=tuple(keys.values()), tolerance=wide),
        Rung("by amount", "one_to_one", days=Window("booked_on", _YEAR, _YEAR)),
    )


def _distance(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return (row[0], abs(row[4]), abs(row[7]), row[1], row[2])


def _told(rows: list[tuple[Any, ...]], ladder: Ladder, limit: int) -> dict[str, list[Candidate]]:
    told: dict[str, list[Candidate]] = {}
    seen: set[tuple[str, str]] = set()
    for row in rows:
        entry_id, item_id = row[1], row[2]
        if (entry_id, item_id) in seen:
            continue
        seen.add((entry_id, item_id))
        failed, by = _amount_failed(row, ladder) if row[0] == 0 else _others_failed(row, ladder)
        for own, other in ((entry_id, item_id), (item_id, entry_id)):
            candidates = told.setdefault(own, [])
            if len(candidates) < limit:
                candidates.append(Candidate(other, failed, by))
    return dict(sorted(told.items()))


def _amount_failed(row: tuple[Any, ...], ladder: Ladder) -> tuple[Failed, str]:
    _, _, _, key, left, unit, currency, *_ = row
    digits = len(str(unit)) - 1
    off = f"{Decimal(abs(left)).scaleb(-digits):,.{digits}f} {currency}"
    way = "less" if left < 0 else "more"
    allowed = [
        rung.tolerance.less if left < 0 else rung.tolerance.more
        for rung in ladder.rungs
        if rung.tolerance
    ]
    limit = f"at most {max(allowed)} is allowed" if allowed else "exact amounts are asked for"
    return "amount", f"reference {key} agrees, the bank moved {off} {way} for us; {limit}"


def _others_failed(row: tuple[Any, ...], ladder: Ladder) -> tuple[Failed, str]:
    days, item_party, party, likeness = row[7], row[9], row[10], row[11]
    windows = [rung.days for rung in ladder.rungs if rung.days and rung.days.item == "booked_on"]
    asked = [rung.party.name_min for rung in ladder.rungs if rung.party]
    if abs(days) < FAR // 2 and windows:
        outside = all(not -w.after <= days <= w.before for w in windows)
        if outside:
            reach = max(max(w.before, w.after) for w in windows)
            return "days", f"same amount, {abs(days)} banking days apart; at most {reach} allowed"
    if item_party and party and asked and likeness < 100 * min(asked):
        words = f"same amount, but the parties are {party} and {item_party} "
        words += f"(likeness {Decimal(likeness).scaleb(-2)}, {min(asked)} asked)"
        return "party", words
    return "reference", "same amount, but no reference or party in common"
