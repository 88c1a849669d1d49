"""Why something did not match: the nearest candidates and the one condition that failed.

Every candidate is judged by every rung it could have matched by; shown is the rung that was
nearest, with each failed condition and by how much. Bounded: each entry or item is told at most
``limit`` candidates, and a value that too many rows share is left out, as in the ladder itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa

from tieout.matching.apart import FAR_APART, Condition, Failure, Rows
from tieout.matching.candidates import Pair, pairs, sharing
from tieout.matching.engine import Result
from tieout.matching.judged import Judgement, judge
from tieout.matching.ladder import BANK_DETAIL, BANK_ENTRY, BOOKS, Key, Ladder
from tieout.matching.likeness import references_of
from tieout.matching.tables import prepare
from tieout.matching.whole_tables import WholeTables, whole_tables
from tieout.references import is_reference, normalise

__all__ = ["Candidate", "listed", "nearest"]

#: Candidates looked at for each that is told; fewer where many ask at once.
_LOOKED: Final = 4
_MANY: Final = 2_000
#: Words of a text in which references are looked for.
_WORDS: Final = 40

_ENTRY: Final = ("entry_id", "amt", "unit", "currency", "bday", "narrative", *BANK_ENTRY)
_DETAIL: Final = (
    *("eid", "amt", "narrative", "counterparty_name", "original_currency"),
    *BANK_DETAIL,
)
_ITEM: Final = (
    *("item_id", "iid", "amt", "kind", "booked_on_no", "due_on_no", "counterparty_name"),
    *BOOKS,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """The other side's row and what kept the two apart.

    Attributes:
        other_id: the item's id for an entry, the entry's id for an item.
        rung: the rung that came nearest to taking the two.
        agrees: what agrees: ``reference RE-2026-00417``, ``amount``, ``party``.
        failures: the conditions of that rung that do not hold; rarely more than one.
    """

    other_id: str
    rung: str
    agrees: tuple[str, ...]
    failures: tuple[Failure, ...]

    @property
    def failed(self) -> Condition:
        """The condition that failed first."""
        return self.failures[0].condition

    @property
    def by(self) -> str:
        """By how much, in one line an accountant reads."""
        wrong = " and ".join(f.words for f in self.failures)
        if not self.agrees:
            return wrong
        verb = "agrees" if len(self.agrees) == 1 else "agree"
        return f"{listed(self.agrees)} {verb}, but {wrong}"


def nearest(
    entries: pa.Table,
    details: pa.Table | None,
    items: pa.Table,
    ladder: Ladder,
    result: Result,
    *,
    limit: int = 3,
    wanted: Collection[str] | None = None,
    taken: Mapping[str, str] | None = None,
    apart: Collection[tuple[str, str]] = (),
) -> dict[str, list[Candidate]]:
    """Nearest candidates of every entry and item that is in no group.

    Args:
        entries: as given to `tieout.matching.engine.match`, like details, items and ladder.
        details: see above.
        items: see above.
        ladder: see above.
        result: what match returned.
        limit: candidates told for each.
        wanted: ids to tell of; None for all that are in no group.
        taken: also look at rows that are in a group; by id, what took it (``group 3f2a…``).
        apart: pairs of entry and item that people keep apart.

    Returns:
        By entry_id and item_id, nearest first; ids without a candidate are absent.
    """
    prepared = whole_tables(prepare(entries, details, items, ladder))
    grouped = set(result.members["member_id"].to_pylist())
    bank: list[Any] = prepared.entries["entry_id"].to_pylist()
    books: list[Any] = prepared.items["item_id"].to_pylist()
    claimed = taken or {}

    def handles(ids: list[str], ask: bool) -> list[int]:
        return [
            n
            for n, own in enumerate(ids)
            if (own not in grouped and (not ask or wanted is None or own in wanted))
            or (not ask and own in claimed)
        ]

    asked = handles(bank, True), handles(books, True)
    some = handles(bank, False), handles(books, False)
    each = limit * (_LOOKED if len(asked[0]) + len(asked[1]) <= _MANY else 2)
    found = pairs(
        prepared,
        some[0] if asked[1] else asked[0],
        some[1] if asked[0] else asked[1],
        asked=asked,
        each=each,
    )
    free = [n for n in some[1] if books[n] not in claimed]
    judged = _judged(prepared, ladder, found, free)
    own = {bank[n] for n in asked[0]}, {books[n] for n in asked[1]}
    return _told(judged, own, limit, _rivals(result), claimed, frozenset(apart))


_Judged = tuple[str, str, Judgement, str]
#: Of a refusal: its entries and its items.
_Rivals = Mapping[str, tuple[list[str], list[str]]]


def _judged(
    prepared: WholeTables, ladder: Ladder, found: Sequence[Pair], open_items: list[int]
) -> list[_Judged]:
    """The best judgement of each pair, with the ids of the two and the item's name."""
    keys = {key.name: key for rung in ladder.rungs for key in rung.same}
    entries = _taken_rows(prepared.entries, _ENTRY, (p.eid for p in found))
    items = _items(prepared, (p.iid for p in found))
    details = _details(prepared, entries)
    told = {eid: _keyed(row, details.get(eid, []), keys) for eid, row in entries.items()}
    texts = {eid: _texts(row, details.get(eid, [])) for eid, row in entries.items()}
    sets = {key.name for rung in ladder.rungs if _is_set(rung.shape)
            for key in rung.same}  # fmt: skip
    wanted = {ref for _, words in texts.values() for ref in words} if sets else set()
    wanted |= {ref for bank, _ in told.values() for name in sets for ref in bank[name]}
    shared = sharing(prepared, open_items, wanted) if sets else {}
    also = _items(prepared, (iid for rows in shared.values() for iid in rows))
    having = {ref: [also[iid] for iid in rows] for ref, rows in shared.items()}
    judged = []
    for pair in found:
        entry, item = entries[pair.eid], items[pair.iid]
        own = details.get(pair.eid, [])
        rows = Rows(entry, own, item, *told[pair.eid], item["refs"], *texts[pair.eid], having)
        best = judge(rows, pair, ladder)
        if (best.agrees and best.rank[1] < FAR_APART) or best.is_near:
            # Else the two only look alike from afar.
            name = item["document_no"] or item["item_id"][:12]
            judged.append((entry["entry_id"], item["item_id"], best, name))
    return judged


def _is_set(shape: str) -> bool:
    return shape not in ("one_to_one", "details")


def _taken_rows(
    table: pa.Table, names: Sequence[str], rows: Iterable[int]
) -> dict[int, dict[str, Any]]:
    wanted = sorted(set(rows))
    taken = table.select(list(names)).take(pa.array(wanted, pa.int64())).to_pylist()
    return dict(zip(wanted, taken, strict=True))


def _items(prepared: WholeTables, rows: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Items with their references by field, as written and in the normal form."""
    found = _taken_rows(prepared.items, _ITEM, rows)
    for item in found.values():
        refs = item["refs"] = {}
        for name in BOOKS:
            value = item[name]
            values = value if isinstance(value, list) else [value]
            refs[name] = [(v, normalise(v)) for v in values if is_reference(v)]
    return found


def _details(prepared: WholeTables, entries: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    inside = np.isin(prepared.details["eid"].to_numpy(), np.array(sorted(entries), dtype="int64"))
    rows = prepared.details.select(list(_DETAIL)).filter(pa.array(inside)).to_pylist()
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["eid"], []).append(row)
    return found


def _keyed(
    entry: Mapping[str, Any], details: Sequence[Mapping[str, Any]], keys: Mapping[str, Key]
) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """An entry's references by key, and all of them with the field they stand in."""
    fields: dict[str, str] = {}
    for name in (*BANK_ENTRY, *BANK_DETAIL):
        for row in (entry, *details):
            if row.get(name):
                fields.setdefault(normalise(row[name]), name)
    return {name: references_of(entry, details, key) for name, key in keys.items()}, fields


def _texts(
    entry: Mapping[str, Any], details: Sequence[Mapping[str, Any]]
) -> tuple[list[str], list[str]]:
    """What the bank wrote freely in the normal form, and what in it may be a reference."""
    written = [row["narrative"] for row in (entry, *details) if row["narrative"]]
    runs: set[str] = set()
    for text in written:
        words = re.findall(r"[A-Z0-9]+", text.upper())[:_WORDS]
        for count in range(1, 5):
            runs |= {"".join(words[at : at + count]) for at in range(len(words) - count + 1)}
    named = sorted(r for r in runs if len(r) >= 4 and any(mark.isdigit() for mark in r))
    return [normalise(re.sub(r"[\r\n]+", "", text)) for text in written], named


def _rivals(result: Result) -> dict[str, tuple[list[str], list[str]]]:
    """By id, the entries and items of the refusal it is part of."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for row in result.refused.to_pylist():
        for own in (*row["entry_ids"], *row["item_ids"]):
            found.setdefault(own, (row["entry_ids"], row["item_ids"]))
    return found


def _told(
    judged: list[_Judged],
    asked: tuple[set[str], set[str]],
    limit: int,
    rivals: _Rivals,
    taken: Mapping[str, str],
    apart: frozenset[tuple[str, str]],
) -> dict[str, list[Candidate]]:
    names = {item_id: name for _, item_id, _, name in judged}
    ranked: dict[str, list[tuple[Any, Candidate]]] = {}
    for entry_id, item_id, best, _ in judged:
        for own, other, ids in ((entry_id, item_id, asked[0]), (item_id, entry_id, asked[1])):
            if own not in ids:
                continue
            failures = best.failures
            if other in taken:
                failures = (Failure("taken", f"it was taken by {taken[other]}"), *failures)
            if (entry_id, item_id) in apart:
                words = "somebody undid or rejected their match"
                failures = (Failure("people", words), *failures)
            candidate = Candidate(other, best.rung, best.agrees, failures)
            ranked.setdefault(own, []).append(((best.rank, other), candidate))
    told = {}
    for own in sorted(ranked):
        nearest_first = [c for _, c in sorted(ranked[own], key=lambda row: row[0])]
        told[own] = _unique(own, nearest_first, rivals, names)[:limit]
    return told


def _unique(
    own: str, candidates: list[Candidate], rivals: _Rivals, names: Mapping[str, str]
) -> list[Candidate]:
    """Candidates that nothing failed for: say with whom they are equal."""
    fitting = [c.other_id for c in candidates if not c.failures]
    if not fitting:
        return candidates
    words = "every condition on the two holds, and the rung asked for more than a pair can show"
    together = any(a.startswith("sum of") for c in candidates for a in c.agrees)
    if len(fitting) > 1 and not together:
        words = f"{len(fitting)} equal candidates: {listed(fitting, names)}"
    elif own in rivals:
        entries, items = rivals[own]
        equals = [i for i in (entries if own in entries else items) if i != own]
        if equals:
            words = f"it fits {listed(equals, names)} just as well"
    told = Failure("unique", words)
    return [c if c.failures else replace(c, failures=(told,)) for c in candidates]


def listed(words: Sequence[str], names: Mapping[str, str] | None = None) -> str:
    """A few words or ids as a person lists them: ``K17, K18 and 3 more``."""
    said = [(names or {}).get(word, word if names is None else word[:12]) for word in words[:5]]
    rest = f"{len(words) - 5} more" if len(words) > 5 else ""
    last = rest or said.pop()
    return f"{', '.join(said)} and {last}" if said else last
