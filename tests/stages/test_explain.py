"""``tieout explain`` on the ledger: by any name, with run and history, and never writing."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select

from tests.stages.small import DAY, NEXT, Small
from tieout.errors import InputError
from tieout.ledger import Ledger
from tieout.ledger.models import AuditRow, ExceptionRow, GroupRow, MemberRow, Run
from tieout.stages.explain import explain
from tieout.stages.match_decide import undo


@pytest.fixture
def small(fresh_ledger: Ledger) -> Small:
    return Small(fresh_ledger)


@pytest.fixture
def done(small: Small) -> Small:
    """Two matches, a tie, a near miss, and a fee that a posting explains."""
    small.book("RE-2026-01000", 100_000, DAY)
    small.book("RE-2026-01001", 50_000, DAY)
    small.book("RE-2026-01002", 70_000, dt.date(2026, 11, 2))
    small.sync()
    small.statement(
        DAY,
        (100_000, "RE-2026-01000"),
        (49_500, "RE-2026-01001"),
        (61_000, "RE-2026-01002"),
        (100_000, "Zahlung RE-2026-01000 nochmals"),
        (-490, "Kontoführung"),
    )
    small.reconcile()
    return small


def test_a_match_is_told_with_run_and_history(done: Small) -> None:
    told = explain(done.ledger, "RE-2026-01001")
    assert told.state == "confirmed"
    assert told.facts["residual"] == "-5.00 EUR (charge)"
    assert told.facts["rung"] == "reference_with_charges"
    with done.ledger.session() as session:
        group = session.get_one(GroupRow, told.facts["group"])
        run = session.get_one(Run, group.run_id)
        assert told.facts["ladder"] == f"default@{group.ladder_version}"
    assert told.facts["run"].startswith(run.run_id)
    assert [m.side for m in told.members] == ["entry", "item"]
    assert told.history[0].endswith(f"tieout: group {group.group_id[:12]} confirmed")
    assert explain(done.ledger, group.group_id[:10]).members == told.members
    entry = next(m for m in told.members if m.side == "entry")
    assert explain(done.ledger, entry.row_id).sentence == told.sentence


def test_an_open_entry_is_told_its_nearest_item(done: Small) -> None:
    with done.ledger.session() as session:
        row = session.scalars(
            select(ExceptionRow).where(ExceptionRow.reason_code == "UNMATCHED_ENTRY")
        ).first()
    assert row is not None
    told = explain(done.ledger, row.exception_id)
    assert told.row is not None and told.row.row_id == row.subject_id
    assert told.state == "unmatched"
    assert told.near[0].row.name == "RE-2026-01002"
    assert "the entry is 90.00 EUR less than the item; rung " in told.sentence
    assert "RE-2026-01002" in row.reason and "90.00 EUR less" in row.reason


def test_an_item_is_told_which_group_took_what_it_wanted(done: Small) -> None:
    told = explain(done.ledger, f"{done.code}/{done.number}/1#4")
    assert told.state == "refused" or told.near[0].candidate.failed == "taken"
    other = explain(done.ledger, "RE-2026-01002")
    assert other.kind == "item"
    assert other.near[0].candidate.failed == "amount"


def test_a_fee_is_explained_by_its_posting(done: Small) -> None:
    told = explain(done.ledger, f"{done.code}/{done.number}/1#5")
    assert told.state == "explained"
    assert "a posting explains it: charge by rule bank charges of policy default" in told.sentence


def test_what_is_not_open_is_said(done: Small) -> None:
    done.book("RE-2026-01003", 1_000, NEXT)
    del done.items["RE-2026-01002"]
    done.sync()
    assert explain(done.ledger, "RE-2026-01002").sentence == (
        "the books show nothing of it open any more"
    )
    assert "is booked on 2026-11-23, and the bank's last statement is of 2026-11-20" in (
        explain(done.ledger, "RE-2026-01003").sentence
    )


def test_explaining_writes_nothing(done: Small) -> None:
    def counted() -> list[int]:
        with done.ledger.session() as session:
            return [
                session.scalars(select(func.count()).select_from(model)).one()
                for model in (AuditRow, GroupRow, MemberRow, Run, ExceptionRow)
            ]

    before = counted()
    for asked in ("RE-2026-01000", "RE-2026-01002", f"{done.code}/{done.number}/1#3"):
        explain(done.ledger, asked)
    assert counted() == before


def test_unknown_and_ambiguous_ids_say_so(done: Small) -> None:
    with pytest.raises(InputError, match="ID_UNKNOWN"):
        explain(done.ledger, "nobody")
    with pytest.raises(InputError, match="is the start of an id of"):
        explain(done.ledger, f"{done.code}/")


def test_what_somebody_undid_is_said(done: Small) -> None:
    group = explain(done.ledger, "RE-2026-01001").facts["group"]
    undo(done.ledger, [group], "anna", "it is another customer's")
    done.reconcile()
    told = explain(done.ledger, f"{done.code}/{done.number}/1#2")
    assert told.state == "unmatched"
    assert told.near[0].row.name == "RE-2026-01001"
    assert told.near[0].candidate.failed == "people"
    assert "somebody undid or rejected their match" in told.sentence
    assert any("anna: group" in line and "another customer's" in line for line in told.history)
