"""The statement's arithmetic: what closes, what is refused, and how it is called."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reports.example import account, example
from tieout.errors import MoneyError, TieoutError
from tieout.reports.model import (
    SECTION_KINDS,
    BrsLine,
    BrsSection,
    SectionKind,
    brs,
    check,
    section,
    status_of,
)

ON = date(2026, 11, 20)
KINDS: list[SectionKind] = list(SECTION_KINDS)
AMOUNTS = st.integers(-(10**17), 10**17)


def _line(minor: int, ref: str = "R") -> BrsLine:
    return BrsLine(ref, ON, "text", minor)


def test_unexplained_is_bank_less_adjusted_books() -> None:
    sections = [
        section("in_transit", [_line(-500), _line(200)]),
        section("proposed", [_line(1_000)]),
        section("exceptions", [_line(-70)]),
        section("residuals", [_line(-1)]),
        section("staged", [_line(33)]),
    ]
    adjusted = 10_000 - (-300) + (1_000 - 70) + (-1) + 33
    assert brs(adjusted, 10_000, sections) == 0
    assert brs(adjusted + 25, 10_000, sections) == 25
    assert brs(None, 10_000, sections) is None


@given(
    books=AMOUNTS,
    parts=st.lists(st.tuples(st.sampled_from(KINDS), st.lists(AMOUNTS, max_size=4)), max_size=6),
    missing=AMOUNTS,
)
def test_whatever_is_missing_comes_out_as_unexplained(
    books: int, parts: list[tuple[SectionKind, list[int]]], missing: int
) -> None:
    sections = [section(kind, [_line(minor) for minor in minors]) for kind, minors in parts]
    bank = books - sum(each.effect_minor for each in sections) + missing
    assert brs(bank, books, sections) == missing


def test_section_totals_and_orders_its_lines() -> None:
    made = section("in_transit", [_line(5, "B"), _line(7, "A"), _line(1, "A")])
    assert made.total_minor == 13
    assert [(line.ref, line.amount_minor) for line in made.lines] == [("A", 1), ("A", 7), ("B", 5)]
    assert made.title.startswith("Items in transit")


def test_status_precedence() -> None:
    waiting = [section("exceptions", [_line(0)])]
    moving = [section("in_transit", [_line(9)])]
    assert status_of(None, waiting) == "no_statement"
    assert status_of(1, waiting) == "broken"
    assert status_of(0, waiting) == "explained"
    assert status_of(0, moving) == "tied"
    assert status_of(0, []) == "tied"


def test_example_adds_up_and_has_one_broken_account() -> None:
    day = example()
    check(day)
    assert [each.code for each in day.accounts if each.status == "broken"] == ["NORD-EUR-SAVE"]


def test_section_that_does_not_sum_is_refused() -> None:
    day = example()
    first = day.accounts[0]
    wrong = BrsSection("residuals", "Residuals", 5, (_line(4),))
    with pytest.raises(TieoutError, match=r"section 'residuals' says 5 .* give 4") as caught:
        check(replace(day, accounts=(replace(first, sections=(wrong,)),)))
    assert caught.value.code == "REPORT_UNBALANCED"
    assert caught.value.where == "NORD-EUR-MAIN"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("unexplained_minor", 1, "unexplained says 1"),
        ("unexplained_minor", None, "unexplained says None"),
        ("status", "tied", "status is 'tied'"),
        ("matched_count", 20, "more is matched"),
        ("matched_value_minor", 41_893_621, "more is matched"),
        ("items_matched_count", 19, "more is matched"),
        ("books_balance_minor", 0, "unexplained says 0"),
    ],
)
def test_false_account_is_refused(field: str, value: object, said: str) -> None:
    day = example()
    first = day.accounts[0]
    if hasattr(first.rates, field):
        value, field = replace(first.rates, **{field: value}), "rates"  # type: ignore[arg-type]
    account_ = replace(first, **{field: value})  # type: ignore[arg-type]
    with pytest.raises(TieoutError, match=said):
        check(replace(day, accounts=(account_,)))


def test_account_twice_naive_instant_and_unknown_currency_are_refused() -> None:
    day = example()
    with pytest.raises(TieoutError, match="appears twice"):
        check(replace(day, accounts=(day.accounts[0], day.accounts[0])))
    with pytest.raises(TieoutError, match="no time zone"):
        check(replace(day, generated_at=day.generated_at.replace(tzinfo=None)))
    with pytest.raises(MoneyError, match="XYZ"):
        check(replace(day, exceptions=(replace(day.exceptions[0], currency="XYZ"),)))


def test_no_statement_has_no_difference() -> None:
    silent = account(bank_minor=None, books_minor=100)
    check(replace(example(), accounts=(silent,)))
    assert (silent.unexplained_minor, silent.status) == (None, "no_statement")


def test_command_quotes_an_odd_id() -> None:
    row = replace(example().proposals[0], adjustment_id="A;rm -rf /")
    assert row.command == "tieout approve 'A;rm -rf /'"
