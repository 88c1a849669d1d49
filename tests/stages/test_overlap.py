"""Statements that repeat one another, as an accountant reads them; in any order of arrival."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence

import pytest

from tests.stages.test_continuity import ACCOUNT
from tieout.ledger.models import StatementRow
from tieout.stages.continuity import Verdict, walk
from tieout.stages.pairing import EntryFact, pair, pair_parts

# name format number opening closing day: entries (day amount reference) → state and reason.
# The cutover is 2026-11-19, 100.00, number 210.
CASES = {
    "the same in two formats: the richer one stands": """
        a camt.053 211 100.00 150.00 20: 20 +60.00 R1; 20 -10.00 - → accepted
        b MT940    211 100.00 150.00 20: 20 +60.00 R1; 20 -10.00 - → superseded same statement
    """,
    "a format without numbers": """
        a MT940 211 100.00 150.00 20: 20 +60.00 R1; 20 -10.00 - → accepted
        b BAI2  -   100.00 150.00 20: 20 -10.00 -; 20 +60.00 R1 → superseded same statement
    """,
    "one format sums up what the other lists": """
        a camt.053 211 100.00 150.00 20: 20 +50.00 B1 → accepted
        b MT940    211 100.00 150.00 20: 20 +30.00 -; 20 +20.00 - → superseded only the MT940
    """,
    "a week after its days": """
        a MT940 211 100.00 150.00 20: 20 +50.00 R1 → accepted
        b MT940 212 150.00 140.00 23: 23 -10.00 - → accepted
        c MT940 47  100.00 140.00 23: 20 +50.00 R1; 23 -10.00 - → superseded all its entries
    """,
    "a week that brings a day more": """
        a MT940 211 100.00 150.00 20: 20 +50.00 R1 → accepted
        c MT940 -   100.00 140.00 23: 20 +50.00 R1; 23 -10.00 - → accepted 1 of its entries
    """,
    "a week bridges a missing day": """
        b MT940 212 150.00 140.00 23: 23 -10.00 - → superseded all its entries
        c MT940 47  100.00 140.00 24: 20 +50.00 R1; 23 -10.00 - → accepted
    """,
    "pages and the whole": """
        a camt.053 211 100.00 150.00 20: 20 +60.00 R1; 20 -10.00 - → accepted
        b MT940  211/2 160.00 150.00 20: 20 -10.00 - → superseded all its entries
    """,
    "two windows without opening balances": """
        a OFX - - 150.00 20: 18 +9.00 F0; 20 +50.00 F1 → accepted
        b OFX - - 140.00 23: 20 +50.00 F1; 23 -10.00 F2 → accepted 1 of its entries
    """,
    "a window with a hole": """
        a OFX - - 151.00 20: 20 +50.00 F1 → staged is 1.00 more than
    """,
    "twins in both windows stay two": """
        a OFX - - 90.00 20: 20 -5.00 -; 20 -5.00 - → accepted
        b OFX - - 85.00 23: 20 -5.00 -; 20 -5.00 -; 23 -5.00 - → accepted 2 of its entries
    """,
    "two equal fees on one day in two statements": """
        a MT940 211 100.00 95.00 20: 20 -5.00 - → accepted
        b MT940 212 95.00  90.00 20: 20 -5.00 - → accepted
    """,
    "a fee after a gap is not the fee before it": """
        a MT940 211 100.00 95.00 20: 20 -5.00 - → accepted
        b MT940 213 100.00 95.00 20: 20 -5.00 - → staged statement 212 missing
    """,
    "corrected: the newer content stands": """
        a camt.053 211 100.00 150.00 20: 20 +50.00 R1 → superseded closed with 150.00, now with
        b camt.053 211 100.00 155.00 20: 20 +50.00 R1; 20 +5.00 R2 → accepted
    """,
    "nothing moved, twice on a day, without numbers": """
        a BAI2 - 100.00 100.00 20: 20 +5.00 -; 20 -5.00 - → accepted
        b BAI2 - 100.00 100.00 20: 20 +3.00 -; 20 -3.00 - → accepted
    """,
}


def _minor(text: str) -> int | None:
    return None if text == "-" else int(text.replace(".", ""))


def _case(line: str) -> tuple[StatementRow, list[EntryFact], str, str]:
    told, _, expected = line.partition("→")
    head, _, body = told.partition(":")
    name, exact, number, opening, closing, day = head.split()
    number, _, page = number.partition("/")
    row = StatementRow(
        statement_id=name,
        statement_ref=name,
        format=exact,
        closed_on=dt.date(2026, 11, int(day)),
        sequence_no=None if number == "-" else int(number),
        page=int(page) if page else None,
        opening_minor=_minor(opening),
        closing_minor=_minor(closing),
        incomplete=False,
        recorded_at=dt.datetime(2026, 11, 24, ord(name) - ord("a"), tzinfo=dt.UTC),
    )
    entries = []
    for at, entry in enumerate(e for e in body.split(";") if e.strip()):
        on, amount, reference = entry.split()
        when = dt.date(2026, 11, int(on))
        bank_ref = None if reference == "-" else reference
        minor = _minor(amount) or 0
        entries.append(EntryFact(f"{name}{at}", name, minor, when, when, bank_ref))
    state, _, reason = expected.strip().partition(" ")
    return row, entries, state, reason


@pytest.mark.parametrize("case", CASES)
def test_in_any_order_of_arrival(case: str) -> None:
    lines = [_case(line) for line in CASES[case].strip().splitlines()]
    facts = {row.statement_id: entries for row, entries, _, _ in lines}
    for order in itertools.permutations(lines):
        rows = [row for row, _, _, _ in order]
        verdicts = {v.statement_id: v for v in walk(ACCOUNT, rows, lambda key: facts[key])}
        for row, _, state, reason in lines:
            verdict = verdicts[row.statement_id]
            assert verdict.state == state, verdict
            assert reason.casefold() in verdict.reason.casefold()
        _proven(verdicts, lines, facts)


def _proven(
    verdicts: dict[str, Verdict],
    lines: Sequence[tuple[StatementRow, list[EntryFact], str, str]],
    facts: dict[str, list[EntryFact]],
) -> None:
    """What counts comes to the last accepted closing, to the cent: nothing twice, nothing lost."""
    accepted = [row for row, _, _, _ in lines if verdicts[row.statement_id].state == "accepted"]
    if not accepted:
        return
    repeated = {p.left for v in verdicts.values() for p in v.pairs}
    moved = sum(
        e.amount_minor
        for row in accepted
        for e in facts[row.statement_id]
        if e.entry_id not in repeated and (e.booked_on or dt.date.max) > ACCOUNT.cutover_on
    )
    last = max(accepted, key=lambda r: (r.closed_on, r.sequence_no or 0, r.statement_id))
    assert ACCOUNT.cutover_minor + moved == last.closing_minor


def _facts(text: str) -> list[EntryFact]:
    """amount day reference text"""
    found = []
    for at, line in enumerate(text.strip().splitlines()):
        amount, day, reference, *words = line.split()
        when = dt.date(2026, 11, int(day))
        bank_ref = None if reference == "-" else reference
        narrative = " ".join(words) or None
        found.append(
            EntryFact(str(at), "s", _minor(amount) or 0, when, when, bank_ref, (), narrative)
        )
    return found


def test_rows_pair_on_the_surest_evidence() -> None:
    left = _facts("""
        10.00 20 A1
        10.00 20 -  RENT NOVEMBER
        10.00 20 -
        99.00 20 LONGREFERENCE-OF-THE-BANK
        10.00 21 A1
    """)
    right = _facts("""
        10.00 20 -
        10.00 20 -  Rent  November
        10.00 20 a1
        99.00 20 LONGREFERENCE-OF
        10.00 20 B7
    """)
    assert [(p.left, p.right, p.by) for p in pair(left, right)] == [
        ("0", "2", "bank reference"),
        ("1", "1", "text"),
        ("2", "0", "value date"),
        ("3", "3", "bank reference"),
    ]


def test_different_references_are_different_entries() -> None:
    left, right = _facts("10.00 20 A1"), _facts("10.00 20 B7")
    assert pair(left, right) == []
    assert [p.by for p in pair(left, right, same_statement=True)] == ["value date"]


def test_parts_need_the_reference_and_the_sum() -> None:
    parts = _facts("""
        30.00 20 RUN-9
        20.00 20 RUN-9
        50.00 20 -
    """)
    wholes = [EntryFact("w", "b", 5000, dt.date(2026, 11, 20), None, "RUN-9")]
    assert [(p.left, p.right) for p in pair_parts(parts, wholes)] == [("0", "w"), ("1", "w")]
    assert pair_parts(parts[:1], wholes) == []
