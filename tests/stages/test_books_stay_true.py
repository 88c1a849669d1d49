"""Money invariants under change: nothing counted twice, nothing lost, nothing hidden."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from tests.stages.small import DAY, NEXT, Small
from tieout.errors import LedgerError
from tieout.ledger import Ledger
from tieout.masterdata import load_accounts
from tieout.stages import reconcile
from tieout.stages.runs import stage_run
from tieout.stages.standing import restage


@pytest.fixture
def small(fresh_ledger: Ledger) -> Small:
    return Small(fresh_ledger)


def test_a_matched_line_that_vanished_from_the_books_is_said(small: Small) -> None:
    small.book("RE-2026-00001", 1000, DAY)
    small.sync()
    small.statement(DAY, (1000, "RE-2026-00001"))
    assert small.reconcile().groups == 1
    assert small.tie_out().status == "tied"
    del small.items["RE-2026-00001"]
    small.sync()
    small.reconcile()
    assert small.tie_out().unexplained_minor == 0
    assert small.sections() == {"residuals": 1000}
    assert list(small.exceptions().values()) == ["RESIDUAL"]
    assert small.adjustments() == [], "a vanished line is no bank charge, however small"


def test_a_matched_line_that_changed_is_no_charge(small: Small) -> None:
    small.book("RE-2026-00001", 10000, DAY)
    small.sync()
    small.statement(DAY, (9900, "RE-2026-00001"))
    small.reconcile()
    (charge,) = small.adjustments()
    assert (charge.amount_minor, charge.state) == (-100, "approved")
    small.book("RE-2026-00001", 10300, DAY)
    small.sync()
    small.reconcile()
    (charge,) = small.adjustments()
    assert charge.amount_minor == -100
    assert small.tie_out().unexplained_minor == 0
    assert small.sections() == {"residuals": -400}
    assert list(small.exceptions().values()) == ["RESIDUAL"]


def test_a_day_without_a_statement_still_ties_out(small: Small) -> None:
    """The books' balance is of the last statement's day; what was booked since is in transit."""
    small.statement(DAY, (500, "who is that"))
    small.sync(DAY)
    small.book("RE-2026-00002", -700, NEXT)
    small.sync(DAY)
    small.reconcile(NEXT)
    assert small.sections(NEXT) == {"in_transit": -700, "exceptions": 500}
    assert small.tie_out(NEXT).unexplained_minor == 0


def test_an_earlier_day_reported_again_says_the_same(small: Small) -> None:
    """What the bank or the books did later does not change what was open on a day."""
    small.book("RE-2026-00003", 900, DAY)
    small.sync(DAY)
    small.statement(DAY, (400, "early RE-2026-00004"))
    small.reconcile(DAY)
    before = small.tie_out(DAY)
    assert (before.unexplained_minor, small.sections(DAY)) == (
        0,
        {"in_transit": 900, "exceptions": 400},
    )
    small.statement(NEXT, (900, "RE-2026-00003"))
    small.book("RE-2026-00004", 400, NEXT)
    small.sync(NEXT)
    assert small.reconcile(NEXT).groups == 2
    assert small.tie_out(NEXT).status == "tied"
    after = small.tie_out(DAY)
    assert (after.sections, after.unexplained_minor) == (before.sections, 0)


def test_a_matched_entry_of_a_statement_staged_later_is_not_counted_twice(small: Small) -> None:
    small.book("RE-2026-00005", 1100, DAY)
    small.sync()
    small.statement(DAY, (1100, "RE-2026-00005"))
    small.reconcile()
    # The mapping is corrected: another statement should have come before this one.
    earlier = replace(small.account, cutover_sequence_no=220)
    with stage_run(small.ledger, "test") as run, small.ledger.session() as session:
        (verdict,) = restage(session, earlier, run.run_id)
    assert verdict.state == "staged"
    assert (small.sections(), small.tie_out().unexplained_minor) == ({}, 0)


def test_a_correction_takes_the_place_of_the_statement(small: Small) -> None:
    """Its id sorts before the first one's, which must not matter."""
    small.statement(DAY, (1002, "first"), version=9)
    number = small.number
    small.closing -= 1002
    small.statement(DAY, (1001, "corrected"), version=1, sequence_no=number)
    small.reconcile()
    assert small.exceptions() == {f"NORD-EUR-MAIN/{number}/1#1": "UNMATCHED_ENTRY"}
    assert small.sections() == {"exceptions": 1001}


def test_statements_of_one_day_without_numbers_follow_their_balances(small: Small) -> None:
    small.statement(DAY, (5, "first"), version=9, sequence_no=None)
    number = small.number
    small.statement(DAY, (7, "second"), version=1, sequence_no=None)
    assert number
    small.reconcile()
    assert "STATEMENT_STAGED" not in small.exceptions().values()
    assert small.sections() == {"exceptions": 12}


def test_a_run_of_an_earlier_day_takes_no_conclusion_back(small: Small) -> None:
    small.statement(DAY, (5, "first"))
    small.statement(NEXT, (-490, "Kontoführung"), (700, "second"))
    small.reconcile(NEXT)
    small.reconcile(DAY)
    assert sorted(small.exceptions().values()) == ["UNMATCHED_ENTRY", "UNMATCHED_ENTRY"]
    assert [a.state for a in small.adjustments()] == ["approved"]


def test_an_account_removed_from_the_mappings_is_left_alone(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = [a for a in load_accounts() if a.code != "NORD-USD"]
    monkeypatch.setattr(reconcile, "load_accounts", lambda: rest)
    assert reconcile.accounts(small.ledger) == [a.code for a in rest]
    with pytest.raises(LedgerError, match="mappings/accounts") as refused:
        reconcile.reconcile_account(small.ledger, "NORD-USD", dt.date(2026, 11, 20))
    assert refused.value.remedy
