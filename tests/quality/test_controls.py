"""Statement controls: each code from the smallest statement that earns it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.quality.tables import DAY, balance, detail, entry, statement, tables
from tieout.canonical import Tables
from tieout.errors import Finding
from tieout.quality.codes import CONTROL_CODES, worst_effect
from tieout.quality.controls import KnownAccount, PreviousStatement, ask, check_statement
from tieout.quality.facts import StatementFacts, statement_facts

ACCOUNT = KnownAccount("NORD-1", "EUR", date(2026, 11, 18), Decimal("50.00"), 40)
PREVIOUS = PreviousStatement("s0", 41, Decimal("100.00"), date(2026, 11, 19))


def good(**changes: Any) -> Tables:
    return tables(
        [statement(**changes)],
        [balance("OPBD", "100.00"), balance("CLBD", "90.50")],
        [entry("e1", "-10.00"), entry("e2", "0.50")],
    )


def check(given: Tables, **options: Any) -> list[Finding]:
    (row,) = given.statements.to_pylist()
    options = {"account": ACCOUNT, "previous": PREVIOUS, **options}
    frames = {"entries": given.entries, "details": options.pop("details", given.details)}
    balances = given.balances.to_pylist()
    own = [b for b in balances if b["statement_id"] == row["statement_id"]]
    asked = ask(row, own, options["account"])
    found = statement_facts({k: v for k, v in frames.items() if v is not None}, [asked])
    facts = found.get(row["statement_id"], StatementFacts())
    return check_statement(row, balances, facts, **options)


def codes(given: Tables, **options: Any) -> list[str]:
    return [finding.code for finding in check(given, **options)]


def test_a_good_statement_has_no_findings() -> None:
    assert check(good(), today=DAY) == []


def test_the_table_of_codes_is_consistent() -> None:
    gravity = {"quarantine": 0, "stage": 1, "block": 2, "note": 3}
    order = [gravity[control.effect] for control in CONTROL_CODES.values()]
    assert order == sorted(order)
    for code, control in CONTROL_CODES.items():
        assert code.isupper() and control.meaning
        assert (control.effect == "note") == (control.severity != "error")
        assert control.remedy or control.severity == "info"


def test_worst_effect() -> None:
    def finding(code: str) -> Finding:
        return Finding(code, "error", "", "")

    assert worst_effect([]) is None
    assert worst_effect([finding("SOMETHING_ELSE")]) is None
    assert worst_effect([finding("DETAIL_SUM"), finding("ENTRY_DATE")]) == "block"
    both = [finding("STATEMENT_GAP"), finding("ACCOUNT_UNKNOWN")]
    assert worst_effect(both) == "quarantine"
    assert worst_effect(both[:1]) == "stage"


def test_balance_mismatch_says_what_is_missing() -> None:
    cut = good()
    cut = Tables(cut.statements, cut.balances, cut.entries.slice(0, 1), cut.details)
    (finding,) = check(cut)
    assert finding.code == "BALANCE_MISMATCH"
    assert "0.50 is missing" in finding.message and finding.where == "statement s1 line 3"
    assert "DE02120300000000202051" in finding.message


@settings(max_examples=40, deadline=None)  # each opens a database
@given(
    amounts=st.lists(st.integers(-(10**12), 10**12), max_size=12),
    opening=st.integers(-(10**12), 10**12),
    error=st.integers(-5, 5),
)
def test_any_change_of_one_amount_is_caught(amounts: list[int], opening: int, error: int) -> None:
    def text(minor: int) -> str:
        return str(Decimal(minor).scaleb(-2))

    given = tables(
        [statement()],
        [
            balance("OPBD", text(opening)),
            balance("CLBD", text(opening + sum(amounts) + error)),
        ],
        [entry(f"e{n}", text(amount)) for n, amount in enumerate(amounts)],
    )
    found = codes(given, continuity=False)
    assert found == (["BALANCE_MISMATCH"] if error else [])


def test_only_booked_entries_count() -> None:
    given = good()
    extra = tables([], [], [entry("e3", "7.00", status="pending", booked_on=None)]).entries
    entries = pa.concat_tables([given.entries, extra])
    assert codes(Tables(given.statements, given.balances, entries, given.details)) == []


def test_rows_of_other_statements_are_left_aside() -> None:
    given = tables(
        [statement()],
        [balance("OPBD", "100.00"), balance("CLBD", "100.00"), balance("OPBD", "7.00", "s2")],
        [entry("e1", "5.00", statement_id="s2", currency="USD")],
    )
    assert codes(given) == []


@pytest.mark.parametrize(
    ("codes_given", "missing"),
    [(["OPBD"], "closing"), (["CLBD"], "opening"), ([], "opening and closing"), (["CLAV"], "open")],
)
def test_balances_that_are_missing(codes_given: list[str], missing: str) -> None:
    given = tables([statement()], [balance(code, "100.00") for code in codes_given], [])
    (finding,) = check(given, continuity=False)
    assert finding.code == "STATEMENT_UNBALANCED" and missing in finding.message


def test_pages_open_and_close_with_interim_balances() -> None:
    first = tables(
        [statement(page=1, last_page=False)],
        [balance("OPBD", "100.00"), balance("ITBD", "101.00", ordinal=2)],
        [entry("e1", "1.00")],
    )
    assert codes(first) == []
    middle = tables(
        [statement(page=2, last_page=False)],
        [balance("ITBD", "101.00"), balance("ITBD", "103.00", ordinal=2)],
        [entry("e1", "2.00")],
    )
    page_one = PreviousStatement("p1", 42, Decimal("101.00"), DAY, page=1)
    assert codes(middle, previous=page_one) == []
    last = tables(
        [statement(page=3, last_page=True)],
        [balance("ITBD", "103.00"), balance("CLBD", "103.00")],
        [],
    )
    page_two = PreviousStatement("p2", 42, Decimal("103.00"), DAY, page=2)
    assert codes(last, previous=page_two) == []
    assert codes(last, previous=page_one) == ["STATEMENT_GAP", "STATEMENT_REPEATED"]


def test_intraday_statements_are_asked_for_neither_balance_nor_order() -> None:
    given = tables([statement(kind="intraday")], [], [entry("e1", "1.00")])
    assert codes(given) == []


def test_an_incomplete_statement_is_staged_and_its_sums_are_not_judged() -> None:
    given = good(incomplete=True, entry_count=9)
    cut = Tables(given.statements, given.balances, given.entries.slice(0, 1), given.details)
    assert codes(cut) == ["STATEMENT_INCOMPLETE"]


@pytest.mark.parametrize(
    ("number", "opening", "expected"),
    [
        (42, "100.00", []),
        (43, "100.00", ["STATEMENT_GAP"]),
        (42, "100.01", ["STATEMENT_GAP"]),
        (44, "99.00", ["STATEMENT_GAP", "STATEMENT_GAP"]),
        (41, "100.00", ["STATEMENT_REPEATED"]),
        (7, "100.00", ["STATEMENT_REPEATED"]),
        (None, "100.00", []),
    ],
)
def test_order_and_continuity(number: int | None, opening: str, expected: list[str]) -> None:
    given = tables(
        [statement(sequence_no=number)],
        [balance("OPBD", opening), balance("CLBD", opening)],
        [],
    )
    assert codes(given) == expected
    assert codes(given, continuity=False) == []


def test_a_hole_names_the_missing_numbers() -> None:
    (finding,) = check(good(sequence_no=45))
    assert "number 42, 43, 44 is missing" in finding.message
    loose = KnownAccount("NORD-1", "EUR", ACCOUNT.cutover_on, Decimal(50), 40, sequence="loose")
    assert check(good(sequence_no=45), account=loose) == []


def test_numbers_may_begin_again_in_a_new_year() -> None:
    december = PreviousStatement("s0", 251, Decimal("100.00"), date(2025, 12, 30))
    assert codes(good(sequence_no=1), previous=december) == []
    assert codes(good(sequence_no=1)) == ["STATEMENT_REPEATED"]


def test_without_a_previous_statement_the_cutover_counts() -> None:
    fits = KnownAccount("NORD-1", "EUR", date(2026, 11, 19), Decimal("100.00"), 41)
    assert codes(good(), account=fits, previous=None) == []
    assert codes(good(), previous=None) == ["STATEMENT_GAP", "STATEMENT_GAP"]
    late = KnownAccount("NORD-1", "EUR", DAY, Decimal("1.00"), 99)
    assert codes(good(), account=late, previous=None) == ["STATEMENT_OLD"]


def test_duplicates() -> None:
    assert codes(good(), recorded={"s1"}) == ["STATEMENT_DUPLICATE"]
    itself = PreviousStatement("s1", 42, Decimal("90.50"), DAY)
    assert codes(good(), previous=itself) == ["STATEMENT_DUPLICATE"]


def test_account_and_currency() -> None:
    assert codes(good(), account=None) == ["ACCOUNT_UNKNOWN"]
    dollars = KnownAccount("NORD-1", "USD", ACCOUNT.cutover_on, Decimal(50), 40)
    assert codes(good(), account=dollars) == ["ACCOUNT_CURRENCY"]
    given = tables(
        [statement()],
        [balance("OPBD", "100.00"), balance("CLBD", "101.00", currency="CHF")],
        [entry("e1", "1.00", currency="USD")],
    )
    found = check(given)
    assert [f.code for f in found] == ["ENTRY_CURRENCY", "ENTRY_CURRENCY"]
    assert "CHF" in found[0].message and found[1].where == "entry e1 line 10"


def test_amounts_that_do_not_fit_the_currency() -> None:
    given = tables(
        [statement()],
        [balance("OPBD", "100.00"), balance("CLBD", "100.005")],
        [entry("e1", "0.005")],
    )
    assert codes(given) == ["AMOUNT_UNFIT", "AMOUNT_UNFIT"]
    yen = tables(
        [statement(currency="JPY")],
        [balance("OPBD", "100", currency="JPY"), balance("CLBD", "100.5", currency="JPY")],
        [entry("e1", "0.5", currency="JPY")],
    )
    account = KnownAccount("NORD-1", "JPY", ACCOUNT.cutover_on, Decimal(50), 40)
    assert codes(yen, account=account) == ["AMOUNT_UNFIT", "AMOUNT_UNFIT"]
    assert codes(good(currency="XXQ"), account=None)[:2] == ["ACCOUNT_UNKNOWN", "ENTRY_CURRENCY"]


def test_announced_count() -> None:
    assert codes(good(entry_count=2)) == []
    (finding,) = check(good(entry_count=3))
    assert finding.code == "ENTRY_COUNT" and "announces 3 entries and has 2" in finding.message


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (DAY, []),
        (DAY - timedelta(days=10), []),
        (DAY - timedelta(days=11), ["ENTRY_DATE"]),
        (DAY + timedelta(days=5), []),
        (DAY.replace(year=2027), ["ENTRY_DATE"]),
        (None, ["ENTRY_DATE"]),
    ],
)
def test_booking_days(day: date | None, expected: list[str]) -> None:
    given = tables(
        [statement()],
        [balance("OPBD", "100.00"), balance("CLBD", "101.00")],
        [entry("e1", "1.00", booked_on=day)],
    )
    assert codes(given) == expected


def test_a_statement_of_tomorrow_week_is_quarantined() -> None:
    assert codes(good(), today=DAY - timedelta(days=2)) == []
    assert codes(good(), today=DAY - timedelta(days=3)) == ["STATEMENT_FUTURE"]


def test_many_alike_findings_are_bounded() -> None:
    given = tables(
        [statement()],
        [balance("OPBD", "100.00"), balance("CLBD", "150.00")],
        [entry(f"e{n}", "1.00", currency="USD") for n in range(50)],
    )
    found = check(given)
    assert len(found) == 20 and found[-1].message.endswith("(and 30 more)")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([("6.00", None), ("4.00", None)], []),
        ([("6.00", None), ("3.99", None)], ["DETAIL_SUM"]),
        ([("6.00", None), (None, None)], []),  # not all are known
        ([("12.00", "-2.00")], []),  # the entry is net of charges
        ([("12.00", "-1.99")], ["DETAIL_SUM"]),
    ],
)
def test_details_come_to_their_entry(
    parts: list[tuple[str | None, str | None]], expected: list[str]
) -> None:
    details = [
        detail("e1", amount, charges=None if charges is None else Decimal(charges))
        for amount, charges in parts
    ]
    given = tables(
        [statement()],
        [balance("OPBD", "100.00"), balance("CLBD", "110.00")],
        [entry("e1", "10.00")],
        details,
    )
    assert codes(given) == expected
    assert codes(given, details=None) == []


def test_foreign_details_are_not_compared() -> None:
    given = tables(
        [statement()],
        [balance("OPBD", "100.00"), balance("CLBD", "110.00")],
        [entry("e1", "10.00")],
        [detail("e1", "11.00", currency="USD")],
    )
    assert codes(given) == []
