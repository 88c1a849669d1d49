"""A bank corrects a statement: what rested on entries it no longer has is taken back."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.stages.small import DAY, NEXT, Small
from tieout.adjustments.store import decide
from tieout.connectors.fake import FakeErp
from tieout.ledger import Ledger
from tieout.ledger.models import Adjustment, GroupRow, Outbox, StatementStatus
from tieout.posting.intents import make_intents
from tieout.posting.invariants import violations
from tieout.stages.post import post_adjustments

FEE = "Kontoführung"


@pytest.fixture
def small(fresh_ledger: Ledger) -> Small:
    return Small(fresh_ledger)


def correct(small: Small, *entries: tuple[int, str]) -> list[str]:
    """The bank sends the last statement once more, with other entries."""
    before = small.closing
    with small.ledger.session() as session:
        opening = small.account.cutover_minor
        del session
    small.closing, small.number = opening, small.number - 1
    found = small.statement(DAY, *entries, version=2)
    assert small.closing != before
    return found


def show_posted(small: Small, erp: FakeErp) -> None:
    """The cash book shows what the ERP posted."""
    for document in erp.documents.values():
        for line in document.lines:
            if line.gl_account == small.account.gl_account and document.state == "posted":
                small.book(
                    f"M-{document.doc_id}",
                    line.debit_minor - line.credit_minor,
                    document.booked_on,
                    reference=[document.external_ref],
                    document_no=document.number,
                )
    small.sync()


def states(small: Small) -> list[tuple[str, str]]:
    return [(a.kind, a.state) for a in small.adjustments()]


def test_a_match_is_undone_and_its_item_open_again(small: Small) -> None:
    small.book("RE-2026-00001", 1000, DAY)
    small.sync()
    small.statement(DAY, (1000, "RE-2026-00001"), (5, "else"))
    small.reconcile()
    correct(small, (5, "else"))
    small.reconcile()
    with small.ledger.session() as session:
        assert session.scalars(select(GroupRow.state)).all() == ["undone"]
        reasons = session.scalars(
            select(StatementStatus.reason).where(StatementStatus.state == "superseded")
        ).one()
    assert reasons.startswith("Corrected: statement 222 of 2026-11-20 closed with ")
    assert small.sections() == {"in_transit": 1000, "exceptions": 5}
    assert small.tie_out().unexplained_minor == 0
    # The bank takes its correction back: the match stands again.
    small.closing, small.number = small.account.cutover_minor, small.number - 1
    small.statement(DAY, (1000, "RE-2026-00001"), (6, "third"), version=3)
    small.reconcile()
    assert small.sections() == {"exceptions": 6}
    assert small.tie_out().unexplained_minor == 0


def test_an_entry_that_stays_keeps_its_id_and_its_match(small: Small) -> None:
    small.book("RE-2026-00001", 1000, DAY)
    small.sync()
    small.statement(DAY, (1000, "RE-2026-00001"))
    assert small.reconcile().groups == 1
    correct(small, (1000, "RE-2026-00001"), (7, "forgotten"))
    result = small.reconcile()
    assert (result.groups, small.sections()) == (0, {"exceptions": 7})
    with small.ledger.session() as session:
        assert session.scalars(select(GroupRow.state)).all() == ["confirmed"]


def test_an_approval_that_was_not_sent_is_void(small: Small) -> None:
    small.statement(DAY, (-490, FEE))
    small.reconcile()
    make_intents(small.ledger, "tryton", actor="test")
    correct(small, (-590, FEE))
    small.reconcile()
    assert [state for _, state in states(small)] == ["withdrawn", "approved"]
    with small.ledger.session() as session:
        assert session.scalars(select(Outbox.state)).all() == ["CANCELLED"]
        assert violations(session) == []
    erp = FakeErp()
    assert post_adjustments(small.ledger, erp, "tryton").posted == 1
    (document,) = erp.documents.values()
    assert {line.debit_minor + line.credit_minor for line in document.lines} == {590}


def test_a_posting_is_reversed_only_by_a_person(small: Small) -> None:
    erp = FakeErp()
    small.statement(DAY, (-490, FEE))
    small.reconcile()
    assert post_adjustments(small.ledger, erp, "tryton").posted == 1
    show_posted(small, erp)
    small.reconcile()
    correct(small, (-590, FEE))
    small.reconcile()
    kinds = dict(states(small))
    assert kinds["reversal"] == "pending"
    reversal = next(a for a in small.adjustments() if a.kind == "reversal")
    assert reversal.amount_minor == 490
    assert reversal.narrative.startswith("Reverses ")
    assert "corrected" in reversal.narrative
    assert small.tie_out().unexplained_minor == 0
    with small.ledger.session() as session:
        own = session.get_one(Adjustment, reversal.adjustment_id)
        decide(session, own, "approve", "anna", own.payload_sha256, "the bank is right")
    for _ in range(2):
        post_adjustments(small.ledger, erp, "tryton")
        show_posted(small, erp)
        small.reconcile()
    posted = sorted(
        d.lines[0].debit_minor - d.lines[0].credit_minor for d in erp.documents.values()
    )
    assert len(posted) == 3
    assert sorted(states(small))[-1] == ("reversal", "posted")
    assert [s for k, s in states(small) if k != "reversal"] == ["reversed", "posted"]
    assert (small.sections(), small.tie_out().unexplained_minor) == ({}, 0)
    assert small.exceptions() == {}
    before = len(erp.documents)
    small.reconcile(NEXT)
    post_adjustments(small.ledger, erp, "tryton")
    assert len(erp.documents) == before
    with small.ledger.session() as session:
        assert violations(session) == []
