"""Exactly one posting for one cause, and people's decisions stand, whatever changes around them."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import select

from tests.stages.small import DAY, NEXT, Small
from tieout.adjustments import policy as policies
from tieout.adjustments.policy import Policy
from tieout.adjustments.store import decide
from tieout.commands.exceptions import _act as act
from tieout.errors import LedgerError
from tieout.exceptions import ExceptionDraft, record_exceptions, unresolved
from tieout.ledger import Ledger
from tieout.ledger.models import Adjustment, ExceptionRow, GroupRow, Outbox, PostingIntent
from tieout.masterdata import load_accounts, record_accounts
from tieout.posting.intents import make_intents
from tieout.posting.invariants import violations
from tieout.stages import reconcile
from tieout.stages.groups import group_views
from tieout.states import move


@pytest.fixture
def small(fresh_ledger: Ledger) -> Small:
    return Small(fresh_ledger)


def renamed(kind: str) -> Policy:
    policy = policies.load_policy("default")
    return replace(policy, rules=tuple(replace(r, kind=kind) for r in policy.rules))


def test_a_policy_renamed_between_runs_books_nothing_twice(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.book("RE-2026-00001", 10000, DAY)
    small.sync()
    small.statement(DAY, (9900, "RE-2026-00001"))
    small.reconcile()
    monkeypatch.setattr(reconcile, "load_policy", lambda name: renamed("fee"))
    small.reconcile()
    assert [(a.kind, a.state) for a in small.adjustments()] == [("charge", "approved")]
    assert small.exceptions() == {}


def test_a_rejected_proposal_does_not_come_back_under_another_kind(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.book("RE-2026-00001", 50000, DAY, kind="receivable")
    small.sync()
    small.statement(DAY, (50000, "RE-2026-00001"))
    small.reconcile()
    with small.ledger.session() as session:
        proposal = session.scalars(select(Adjustment)).one()
        decide(session, proposal, "reject", "anna", proposal.payload_sha256, "no")
    monkeypatch.setattr(reconcile, "load_policy", lambda name: renamed("other"))
    small.reconcile()
    assert [a.state for a in small.adjustments()] == ["rejected"]


def test_a_pending_proposal_follows_a_renamed_policy(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.book("RE-2026-00001", 50000, DAY, kind="receivable")
    small.sync()
    small.statement(DAY, (50000, "RE-2026-00001"))
    small.reconcile()
    monkeypatch.setattr(reconcile, "load_policy", lambda name: renamed("other"))
    small.reconcile()
    states = {(a.kind, a.state) for a in small.adjustments()}
    assert states == {("receipt", "withdrawn"), ("other", "pending")}


def test_what_the_erp_refused_is_proposed_anew_once_its_journal_is_mended(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.statement(DAY, (-490, "Kontoführung"))
    small.reconcile()
    with small.ledger.session() as session:
        charge = session.scalars(select(Adjustment)).one()
        charge.state = move("adjustment", charge.state, "refused by ERP")
    small.reconcile()
    assert [a.state for a in small.adjustments()] == ["refused"], "the same journal stays refused"
    assert list(small.exceptions().values()) == ["PROPOSAL_REFUSED"]
    accounts = [
        replace(a, gl_account="1899") if a.code == small.code else a for a in load_accounts()
    ]
    monkeypatch.setattr(reconcile, "load_accounts", lambda: accounts)
    small.reconcile()
    assert [a.state for a in small.adjustments()] == ["refused", "approved"]
    assert small.exceptions() == {}


def test_an_approval_during_a_run_is_not_overwritten(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run matches the entry otherwise; a person approves meanwhile: one of them must lose."""
    small.book("RE-2026-00001", 50000, DAY, kind="receivable")
    small.sync()
    small.statement(DAY, (50000, "RE-2026-00001"))
    small.reconcile()
    monkeypatch.setattr(reconcile, "load_policy", lambda name: renamed("other"))
    outcome: list[str] = []

    def approve() -> None:
        with small.ledger.session() as session:
            row = session.scalars(
                select(Adjustment).where(Adjustment.kind == "receipt").with_for_update()
            ).one()
            try:
                decide(session, row, "approve", "anna", row.payload_sha256, "")
                outcome.append("approved")
            except LedgerError as error:
                outcome.append(error.code)

    person = threading.Thread(target=approve)
    views = group_views

    def slow(session: object, code: str, *rest: object) -> object:
        person.start()
        person.join(0.7)
        return views(session, code, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(reconcile, "group_views", slow)
    small.reconcile()
    person.join(20)
    assert outcome == ["STATE_ILLEGAL"]
    assert {(a.kind, a.state) for a in small.adjustments()} == {
        ("receipt", "withdrawn"),
        ("other", "pending"),
    }


def draft(small: Small, reason: str = "a gap", amount: int = 5) -> ExceptionDraft:
    return ExceptionDraft("STATEMENT_STAGED", reason, ("statement", "s1"), amount, "EUR", DAY, 1)


def test_an_exception_that_came_back_is_open_again(small: Small) -> None:
    """It went by itself and came back with the same words: nobody ever decided on it."""
    first = draft(small)
    with small.ledger.session() as session:
        assert record_exceptions(session, small.code, [first]) == (1, 0)
        assert record_exceptions(session, small.code, []) == (0, 1)
        assert unresolved(session, small.code, [first]) == "a gap", "it blocks again"
        assert record_exceptions(session, small.code, [first]) == (1, 0)
        row = session.scalars(select(ExceptionRow)).one()
        assert (row.state, row.resolved_at) == ("open", None)


def test_a_persons_resolution_stands_until_the_case_changes(small: Small) -> None:
    first = draft(small)
    with small.ledger.session() as session:
        record_exceptions(session, small.code, [first])
        row = session.scalars(select(ExceptionRow)).one()
        act(session, row, "resolve", "anna", "known")
        assert record_exceptions(session, small.code, [first]) == (0, 0)
        assert unresolved(session, small.code, [first]) == ""
        assert record_exceptions(session, small.code, [draft(small, amount=9)]) == (1, 0)
        assert (row.state, row.amount_minor) == ("open", 9)


def test_an_open_exceptions_amount_follows_the_facts(small: Small) -> None:
    with small.ledger.session() as session:
        record_exceptions(session, small.code, [draft(small)])
        assert record_exceptions(session, small.code, [draft(small, amount=7)]) == (0, 0)
        assert session.scalars(select(ExceptionRow.amount_minor)).one() == 7


def test_what_a_policy_approved_waits_while_the_account_is_blocked(small: Small) -> None:
    """The ERP was out of reach; meanwhile a gap showed up. A person's approval still counts."""
    small.book("RE-2026-00001", 50000, DAY, kind="receivable")
    small.sync()
    small.statement(DAY, (-490, "Kontoführung"), (50000, "RE-2026-00001"))
    small.reconcile()
    with small.ledger.session() as session:
        receipt = session.scalars(select(Adjustment).where(Adjustment.kind == "receipt")).one()
        decide(session, receipt, "approve", "anna", receipt.payload_sha256, "")
    small.number += 1
    small.statement(DAY, (5, "after a gap"))
    small.reconcile()
    assert len(make_intents(small.ledger, "tryton", actor="test").made) == 1
    with small.ledger.session() as session:
        gap = session.scalars(
            select(ExceptionRow).where(ExceptionRow.reason_code == "STATEMENT_STAGED")
        ).one()
        act(session, gap, "resolve", "anna", "the bank skips numbers")
    assert len(make_intents(small.ledger, "tryton", actor="test").made) == 1
    with small.ledger.session() as session:
        assert violations(session) == []


def test_our_own_posting_seen_before_its_confirmation_is_nobody_elses(small: Small) -> None:
    """The ERP posted it, we died before we heard: its line must not meet another entry."""
    small.statement(DAY, (-490, "Kontoführung"))
    small.reconcile()
    make_intents(small.ledger, "tryton", actor="test")
    with small.ledger.session() as session:
        ext_ref = session.scalars(select(PostingIntent.ext_ref)).one()
    small.book(
        "RE-2026-00009",
        -490,
        DAY,
        reference=["RE-2026-00009", ext_ref],
        document_no="RE-2026-00009",
    )
    small.sync()
    small.statement(NEXT, (-490, "RE-2026-00009"))
    small.reconcile(NEXT)
    with small.ledger.session() as session:
        groups = session.scalars(select(GroupRow)).all()
    assert [(g.rung, "RE-2026-00009" in g.evidence) for g in groups] == [("own_posting", True)]
    assert small.tie_out(NEXT).unexplained_minor == 0


def test_an_approval_that_binds_something_else_is_proposed_anew(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account's journal was mended after the approval: nothing is sent, nothing is stuck."""
    small.statement(DAY, (-490, "Kontoführung"))
    small.reconcile()
    mended = [replace(a, journal="OTHER") for a in load_accounts() if a.code == small.code]
    with small.ledger.session() as session:
        record_accounts(session, mended)
    monkeypatch.setattr(reconcile, "load_accounts", lambda: mended)
    made = make_intents(small.ledger, "tryton", actor="test")
    assert ([f.code for f in made.refused], made.made) == (["APPROVAL_VOID"], ())
    small.reconcile()
    assert [a.state for a in small.adjustments()] == ["withdrawn", "approved"]
    assert len(make_intents(small.ledger, "tryton", actor="test").made) == 1


def test_a_posting_whose_delivery_gave_up_is_a_persons(small: Small) -> None:
    small.statement(DAY, (-490, "Kontoführung"))
    small.reconcile()
    make_intents(small.ledger, "tryton", actor="test")
    with small.ledger.session() as session:
        row = session.scalars(select(Outbox)).one()
        row.state, row.reason = "MANUAL", "two documents have its reference"
    small.reconcile()
    (adjustment,) = small.adjustments()
    assert small.exceptions() == {adjustment.adjustment_id: "POSTING_STUCK"}
