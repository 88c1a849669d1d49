"""Mining: readable rungs that people's own matches point to.

Learned from pairs of one entry and one item that people matched by hand: which field of the bank
holds which field of the books, how a number looks in free text, how far amounts and days are apart
and whether the party agrees. A candidate is a mapping in the ladder's own words; whether it is any
good is for `tieout.matching.suggest` to measure on what it was not learned from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import duckdb
import pyarrow as pa

from tieout import banking_days
from tieout.matching.conditions import name_macros
from tieout.matching.examples import Pair, rank, tolerance, within
from tieout.matching.ladder import BANK_DETAIL, BANK_ENTRY, BOOKS
from tieout.matching.patterns import generalise
from tieout.references import is_reference, normalise

__all__ = ["Candidate", "mine"]

_NAME_LEAST: Final = 85
_WINDOW_MOST: Final = 60
_SEPARATORS: Final = r"[ \-/._:]{0,2}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rung that examples point to.

    Attributes:
        name: of the rung and its key.
        content: the mapping of a ladder of this one rung.
        support: examples it was learned from.
        words: what was seen, for the person who decides.
    """

    name: str
    content: Mapping[str, Any]
    support: int
    words: str


def mine(pairs: Sequence[Pair], *, least: int, calendar: str) -> list[Candidate]:
    """Candidates with enough examples, those with most first.

    Args:
        pairs: what people matched, in any order.
        least: examples a candidate needs.
        calendar: whose banking days count.
    """
    found = [*_joins(pairs, least), *_texts(pairs, least), *_parties(pairs, least, calendar)]
    return sorted(found, key=lambda c: (-c.support, c.name))


def _bank_values(pair: Pair, field: str) -> dict[str, str]:
    rows = [pair.entry] if field in BANK_ENTRY else pair.details
    values = [row[field] for row in rows]
    return {normalise(v): str(v) for v in values if is_reference(v, length_min=4)}


def _books_values(pair: Pair, field: str) -> dict[str, str]:
    value = pair.item[field]
    values = value if isinstance(value, list) else [value]
    return {normalise(v): str(v) for v in values if is_reference(v, length_min=4)}


def _joins(pairs: Sequence[Pair], least: int) -> list[Candidate]:
    """A field of the bank that holds a field of the books."""
    found: list[Candidate] = []
    seen: set[tuple[str, frozenset[int]]] = set()
    for bank in (*BANK_DETAIL, *BANK_ENTRY):
        for books in BOOKS:
            having = [
                n
                for n, pair in enumerate(pairs)
                if _bank_values(pair, bank).keys() & _books_values(pair, books).keys()
            ]
            if len(having) < least or (bank, frozenset(having)) in seen:
                continue
            seen.add((bank, frozenset(having)))
            body = {"bank": [bank], "books": [books]}
            name = f"{bank}_is_{books}"
            seen_words = f"the bank's {bank} is the books' {books}"
            found += _amounts(name, body, [pairs[n] for n in having], seen_words, least)
    return found


def _texts(pairs: Sequence[Pair], least: int) -> list[Candidate]:
    """A number of the books that stands in the bank's free text."""
    found: list[Candidate] = []
    seen: set[tuple[tuple[str, ...], tuple[int, ...]]] = set()
    for books in BOOKS:
        examples: dict[int, str] = {}
        for number, pair in enumerate(pairs):
            hit = _written(pair, books)
            if hit:
                examples[number] = hit
        patterns = generalise(list(examples.values()), least=max(2, least // 2))
        fits = [re.compile(p) for p in patterns]
        having = [n for n, hit in examples.items() if any(p.fullmatch(hit) for p in fits)]
        if len(having) < least or (patterns, tuple(having)) in seen:
            continue
        seen.add((patterns, tuple(having)))
        body = {"books": [books], "text": ["narrative"], "patterns": list(patterns)}
        words = f"the bank's text holds the books' {books}, such as {examples[having[0]]}"
        found += _amounts(f"{books}_in_text", body, [pairs[n] for n in having], words, least)
    return found


def _written(pair: Pair, books: str) -> str:
    """How a number of the item is written in the bank's text; empty where it is not there."""
    texts = [t.upper() for row in (pair.entry, *pair.details) if (t := row["narrative"])]
    texts += [re.sub(r"[\r\n]+", "", t) for t in texts]
    for plain in sorted(_books_values(pair, books), key=lambda v: (-len(v), v)):
        if not any(mark.isdigit() for mark in plain):
            continue
        looks = _SEPARATORS.join(re.escape(mark) for mark in plain)
        for text in texts:
            hit = re.search(rf"(?<![A-Z0-9]){looks}(?![A-Z0-9])", text)
            if hit and "\n" not in hit.group():
                return hit.group()
    return ""


def _amounts(
    name: str, key: Mapping[str, Any], pairs: Sequence[Pair], seen: str, least: int
) -> list[Candidate]:
    """The key with exact amounts, and with the tolerance its examples need."""
    found = []
    exact = [pair for pair in pairs if not pair.off]
    if len(exact) >= least:
        found.append(_candidate(name, key, {"amount": "exact"}, len(exact), seen))
    apart = [pair for pair in pairs if pair.off]
    if len(apart) >= least:
        limits, words = tolerance(apart)
        inside = [pair for pair in pairs if within(pair, limits)]
        if len(inside) >= least:
            rung = {"amount": limits}
            found.append(
                _candidate(f"{name}_with_tolerance", key, rung, len(inside), f"{seen}; {words}")
            )
    return found


def _candidate(
    name: str, key: Mapping[str, Any], rung: Mapping[str, Any], support: int, words: str
) -> Candidate:
    whole = {"name": name, "shape": "one_to_one", "same": [name], **rung}
    return Candidate(name, {"keys": {name: dict(key)}, "rungs": [whole]}, support, words)


def _parties(pairs: Sequence[Pair], least: int, calendar: str) -> list[Candidate]:
    """No reference, but amount, party and time: the window and similarity people accepted."""
    exact = [p for p in pairs if not p.off and len(p.details) == 1]
    likeness = _likeness(exact)
    ways: list[tuple[str, list[Pair], dict[str, Any]]] = []
    same = [p for p in exact if _same_account(p)]
    if len(same) >= least:
        ways.append(("account", same, {"by": ["account"]}))
    alike = sorted((v, n) for n, v in enumerate(likeness) if v is not None and v >= _NAME_LEAST)
    if len(alike) >= least:
        lowest = alike[len(alike) - 1 - rank(len(alike))][0]
        named = [exact[n] for v, n in alike if v >= lowest]
        name_min = str(Decimal(lowest).scaleb(-2))
        ways.append(("name", named, {"by": ["name"], "name_min": name_min}))
    found = []
    for way, rows, party in ways:
        for field in ("booked_on", "due_on"):
            window = _window(rows, field, least, calendar)
            if window is None:
                continue
            before, after, count = window
            name = f"amount_{way}_{field.removesuffix('_on')}"
            kinds = sorted({str(p.item["kind"]) for p in rows if p.item["kind"]})
            rung = {
                "name": name,
                "shape": "one_to_one",
                "amount": "exact",
                "party": party,
                "days": {"item": field, "before": before, "after": after},
                **({"kinds": kinds} if kinds else {}),
            }
            words = f"amount and {way} agree, {before} banking days after {field} at most"
            found.append(Candidate(name, {"keys": {}, "rungs": [rung]}, count, words))
    return found


def _same_account(pair: Pair) -> bool:
    ours, theirs = pair.item["counterparty_account"], pair.details[0]["counterparty_account"]
    return bool(ours and theirs) and normalise(ours) == normalise(theirs)


def _likeness(pairs: Sequence[Pair]) -> list[int | None]:
    """Similarity of the names in hundredths, as the engine counts it."""
    if not pairs:
        return []
    names = pa.table(
        {
            "ours": pa.array([p.item["counterparty_name"] for p in pairs], pa.string()),
            "theirs": pa.array([p.details[0]["counterparty_name"] for p in pairs], pa.string()),
            "place": pa.array(range(len(pairs)), pa.int64()),
        }
    )
    with duckdb.connect(":memory:", config={"threads": 1}) as db:
        db.register("names", names)
        for macro in name_macros():
            db.execute(macro)
        rows = db.execute(
            "SELECT floor(100 * jaro_winkler_similarity(plain_name(ours), plain_name(theirs)))"
            "::INTEGER FROM names ORDER BY place"
        ).fetchall()
    return [row[0] for row in rows]


def _window(
    pairs: Sequence[Pair], field: str, least: int, calendar: str
) -> tuple[int, int, int] | None:
    """The smallest window of banking days that covers enough, and how many pairs it covers."""
    days = [(p.item[field], p.entry["booked_on"] or p.entry["valued_on"]) for p in pairs]
    apart = [banking_days.between(a, b, calendar) for a, b in days if a and b]
    if len(apart) < least:
        return None
    most = sorted(abs(days) for days in apart)[rank(len(apart))]
    inside = [count for count in apart if abs(count) <= most]
    before, after = max(0, *inside), max(0, *(-count for count in inside))
    if max(before, after) > _WINDOW_MOST or len(inside) < least:
        return None
    return before, after, len(inside)
