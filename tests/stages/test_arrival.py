"""Expected arrival: by the bank's calendar and clock, one exception an account, gone by itself."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.stages.small import DAY, NEXT, Small
from tieout.errors import ProfileError
from tieout.ledger import Ledger
from tieout.ledger.models import ExceptionRow, FindingRow
from tieout.masterdata import load_accounts
from tieout.masterdata.expected import Expected, expected_of
from tieout.stages.arrival import Arrivals, check_arrivals

BERLIN = "Europe/Berlin"
#: The statement of Friday, 20 November is due on Monday at 7 in Berlin, which is 6 UTC.
DUE = dt.datetime(2026, 11, 23, 6, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def small(fresh_ledger: Ledger) -> Small:
    return Small(fresh_ledger)


def check(small: Small, home: Path, now: dt.datetime, until: dt.date = DAY) -> Arrivals:
    return check_arrivals(small.ledger, home, until=until, now=now)


def codes(found: Arrivals) -> list[str]:
    return [each.account_code for each in found.missing]


def reasons(small: Small) -> list[tuple[str, str, str]]:
    with small.ledger.session() as session:
        rows = session.scalars(select(ExceptionRow).order_by(ExceptionRow.account_code))
        return [(row.account_code, row.state, row.reason) for row in rows]


def test_nothing_is_missing_before_it_is_due(small: Small, tmp_path: Path) -> None:
    found = check(small, tmp_path, DUE - MINUTE)
    assert (found.missing, found.opened, found.docs) == ((), 0, None)


def test_what_is_due_and_not_there_is_an_exception_until_it_comes(
    small: Small, tmp_path: Path
) -> None:
    small.statement(DAY, (100, "one"))
    found = check(small, tmp_path, DUE)
    # The dollar account's bank has until 9 in New York.
    assert codes(found) == ["NORD-EUR-COLL", "NORD-EUR-PAY", "NORD-EUR-SAVE"]
    assert found.opened == 3
    assert reasons(small)[0] == (
        "NORD-EUR-COLL",
        "open",
        "No statement of 2026-11-20 from Alpenbank; due since 2026-11-23 07:00 Europe/Vienna",
    )
    assert found.docs is not None and "arrivals" in found.docs.read_text()
    with small.ledger.session() as session:
        told = session.scalars(select(FindingRow).where(FindingRow.subject_kind == "account")).all()
    assert {row.code for row in told} == {"STATEMENT_MISSING"}
    assert {row.where for row in told} >= {"account NORD-EUR-COLL expected 2026-11-20"}
    assert all("Not so in 1 row of arrivals.banking_days_late: 0" in row.message for row in told)

    again = check(small, tmp_path, DUE + MINUTE)
    assert (len(again.missing), again.opened, again.resolved) == (3, 0, 0)
    Small(small.ledger, code="NORD-EUR-COLL").statement(DAY, (5, "late"))
    after = check(small, tmp_path, DUE + 2 * MINUTE)
    assert (codes(after), after.resolved) == (["NORD-EUR-PAY", "NORD-EUR-SAVE"], 1)


def test_reconciling_leaves_the_exception_alone(small: Small, tmp_path: Path) -> None:
    coll = Small(small.ledger, code="NORD-EUR-COLL")
    coll.statement(dt.date(2026, 11, 20), (100, "one"))
    coll.sync()
    check(small, tmp_path, DUE + dt.timedelta(days=1), until=NEXT)
    open_before = [r for r in reasons(small) if r[1] == "open"]
    assert [code for code, _, _ in open_before] == [account.code for account in load_accounts()]
    coll.reconcile()
    assert [r for r in reasons(small) if r[1] == "open" and "No statement" in r[2]] == open_before


def test_the_longer_it_is_late_the_louder(small: Small, tmp_path: Path) -> None:
    found = check(small, tmp_path, DUE + dt.timedelta(days=3))
    late = {each.account_code: each.banking_days_late for each in found.missing}
    # Thursday the 26th is a holiday in the United States.
    assert late == dict.fromkeys(late, 3) | {"NORD-USD": 2}
    with small.ledger.session() as session:
        grave = select(FindingRow.subject_id).where(FindingRow.code == "STATEMENT_LONG_MISSING")
        assert sorted(session.scalars(grave)) == sorted(code for code in late if code != "NORD-USD")


def test_an_accepted_statement_covers_the_days_before_it(small: Small, tmp_path: Path) -> None:
    small.statement(NEXT, (100, "over two days"))
    found = check(small, tmp_path, DUE + dt.timedelta(days=1), until=NEXT)
    assert small.code not in codes(found)


def test_a_staged_statement_covers_no_other_day(small: Small, tmp_path: Path) -> None:
    small.number += 1
    small.statement(NEXT, (100, "one number is missing"))
    found = check(small, tmp_path, DUE + dt.timedelta(days=1), until=NEXT)
    mine = [each.expected_on for each in found.missing if each.account_code == small.code]
    assert mine == [DAY]


def expected(**keys: Any) -> Expected:
    found = expected_of({"expected": keys}, "EUR", BERLIN, "mappings/accounts/x.toml")
    assert found is not None
    return found


def test_days_of_a_calendar() -> None:
    christmas = (dt.date(2026, 12, 22), dt.date(2026, 12, 29))
    assert [d.day for d in expected().days(*christmas)] == [23, 24, 28, 29]
    year = (dt.date(2026, 11, 19), dt.date(2026, 12, 31))
    assert [str(d) for d in expected(every="month").days(*year)] == ["2026-11-30", "2026-12-31"]
    weeks = [str(d) for d in expected(every="week").days(*year)]
    assert weeks[:2] == ["2026-11-20", "2026-11-27"] and "2026-12-24" in weeks
    assert "2026-11-26" not in map(str, expected(calendar="US").days(*year))


def test_due_times_follow_the_clock_of_the_account() -> None:
    summer, winter = dt.date(2026, 7, 3), dt.date(2026, 11, 20)
    due = expected(by=dt.time(7), days_after=1)
    assert due.due_at(winter).astimezone(dt.UTC) == DUE
    assert due.due_at(summer).astimezone(dt.UTC).hour == 5
    assert expected(by=dt.time(22), days_after=0).due_at(winter).date() == winter


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"evry": "day"}, "PROFILE_KEY"),
        ({"every": "hour"}, "PROFILE_VALUE"),
        ({"calendar": "TARGET3"}, "CALENDAR_UNKNOWN"),
        ({"by": "7"}, "PROFILE_VALUE"),
        ({"days_after": -1}, "PROFILE_VALUE"),
        ({"formats": "MT940"}, "PROFILE_VALUE"),
        ({"amount_max": 5}, "PROFILE_VALUE"),
        ({"entries_max": True}, "PROFILE_VALUE"),
    ],
)
def test_wrong_keys_are_said_with_their_place(keys: dict[str, Any], code: str) -> None:
    with pytest.raises(ProfileError) as caught:
        expected(**keys)
    assert caught.value.code == code
    assert caught.value.where == "mappings/accounts/x.toml [expected]"


def test_an_account_without_expectations_is_asked_for_nothing() -> None:
    assert expected_of({}, "EUR", BERLIN, "x.toml") is None
