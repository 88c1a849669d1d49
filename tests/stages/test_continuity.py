"""Continuity as an accountant reads it: one line a statement, in any order of arrival."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from tieout.ledger.models import StatementRow
from tieout.masterdata import BankAccount
from tieout.stages.continuity import walk

ACCOUNT = BankAccount(
    code="ACC",
    account_id="DE02",
    aliases=(),
    currency="EUR",
    company="NORD",
    name="Main",
    bank="Hansebank",
    erp="tryton",
    gl_account="1201",
    journal="BANK",
    ladder="default",
    policy="default",
    cutover_on=dt.date(2026, 11, 19),
    cutover_minor=100_00,
    cutover_sequence_no=210,
    sequence="strict",
    fingerprint="",
)

# day, number, page, opening, closing → state (and what the reason must say)
CASES = {
    "each follows the one before": """
        20 211 1 100.00 150.00 accepted
        23 212 1 150.00 120.00 accepted
    """,
    "a number is missing: it and all after wait": """
        20 212 1 150.00 170.00 staged   statement 211 missing
        23 213 1 170.00 160.00 staged   waits
    """,
    "the missing one came": """
        20 211 1 100.00 150.00 accepted
        20 212 1 150.00 170.00 accepted
    """,
    "numbers follow, balances do not": """
        20 211 1 100.00 150.00 accepted
        23 212 1 149.99 160.00 staged   it opens with 149.99, the last one closed with 150.00
    """,
    "the same number again with other content": """
        20 211 1 100.00 150.00 superseded corrected
        20 211 1 100.00 151.00 accepted
    """,
    "the number again, but it goes on from the first": """
        20 211 1 100.00 150.00 accepted
        20 211 1 150.00 151.00 staged   number 211 comes again
    """,
    "pages of one statement": """
        20 211 1 100.00 150.00 accepted
        20 211 2 150.00 155.00 accepted
    """,
    "the first of a new year": """
        20 211 1 100.00 150.00 accepted
        31 1   1 150.00 155.00 accepted
    """,
    "before the cutover": """
        18 209 1 90.00  95.00  superseded before the cutover
        20 211 1 100.00 150.00 accepted
    """,
    "without balances nothing can be proven": """
        20 211 1 -      -      staged   no opening or closing
    """,
}


def statement(line: str) -> tuple[StatementRow, str, str]:
    day, number, page, opening, closing, state, *reason = line.split()
    row = StatementRow(
        statement_id=f"{day}/{number}/{page}/{closing}",
        statement_ref="",
        format="test",
        closed_on=dt.date(2026, 11 if day != "31" else 12, int(day)),
        sequence_no=int(number),
        page=int(page),
        opening_minor=None if opening == "-" else int(opening.replace(".", "")),
        closing_minor=None if closing == "-" else int(closing.replace(".", "")),
        incomplete=False,
    )
    return row, state, " ".join(reason)


@pytest.mark.parametrize("case", CASES)
def test_statements_in_any_order_of_arrival(case: str) -> None:
    expected = [statement(line) for line in CASES[case].strip().splitlines()]
    for order in itertools.permutations(expected):
        verdicts = walk(ACCOUNT, [row for row, _, _ in order])
        assert [v.state for v in verdicts] == [state for _, state, _ in expected]
        for verdict, (row, _, reason) in zip(verdicts, expected, strict=True):
            assert verdict.statement_id == row.statement_id
            assert reason.casefold() in verdict.reason.casefold()


def test_the_gap_is_the_missing_movement() -> None:
    row, _, _ = statement("20 212 1 150.00 170.00 staged")
    (verdict,) = walk(ACCOUNT, [row])
    assert (verdict.code, verdict.gap_minor) == ("STATEMENT_GAP", 50_00)


def test_an_incomplete_statement_is_staged() -> None:
    row, _, _ = statement("20 211 1 100.00 150.00 accepted")
    row.incomplete = True
    (verdict,) = walk(ACCOUNT, [row])
    assert verdict.code == "STATEMENT_INCOMPLETE"
