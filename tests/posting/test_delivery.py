"""The worker against real PostgreSQL and an ERP in memory that fails on purpose."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from tests.posting.books import QUICK, approved, open_books
from tieout.audit.chain import verify
from tieout.connectors.fake import FakeErp, Fault
from tieout.connectors.ports import Delivery, Journal
from tieout.errors import ConnectorError
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import Adjustment, AuditRow, Outbox, PostingAttempt, PostingIntent
from tieout.posting.delivery import DrainResult, drain
from tieout.posting.intents import make_intents
from tieout.posting.invariants import violations
from tieout.posting.pace import Limits
from tieout.posting.payload import journal_of


def run(ledger: Ledger, fake: FakeErp, erp: str, limits: Limits = QUICK) -> DrainResult:
    return drain(ledger, fake, erp, owner="test", budget=20, limits=limits)


def ready(ledger: Ledger, erp: str, count: int = 1) -> list[str]:
    approved(ledger, erp, count)
    return list(make_intents(ledger, erp, actor="test").made)


def row_of(ledger: Ledger, intent_id: str) -> Outbox:
    with ledger.session() as session:
        return session.get_one(Outbox, intent_id)


def attempts_of(ledger: Ledger, intent_id: str) -> list[str]:
    with ledger.session() as session:
        rows = session.scalars(
            select(PostingAttempt)
            .where(PostingAttempt.intent_id == intent_id)
            .order_by(PostingAttempt.attempt_id)
        )
        return [f"{row.phase} {row.outcome}" for row in rows]


def adjustment_of(ledger: Ledger, intent_id: str) -> Adjustment:
    with ledger.session() as session:
        intent = session.get_one(PostingIntent, intent_id)
        return session.get_one(Adjustment, intent.adjustment_id)


def states_of(ledger: Ledger, intent_id: str) -> list[str]:
    with ledger.session() as session:
        rows = session.scalars(
            select(AuditRow)
            .where(AuditRow.subject_id == intent_id, AuditRow.action.like("outbox %"))
            .order_by(AuditRow.seq)
        )
        return [row.detail["to"] for row in rows]


def check(ledger: Ledger) -> None:
    with ledger.session() as session:
        assert violations(session) == []
        assert verify(session)[1] == []


def test_an_approved_adjustment_is_posted_and_says_its_number(ledger: Ledger, erp: str) -> None:
    fake, (intent,) = FakeErp(), ready(ledger, erp)
    result = run(ledger, fake, erp)
    assert result.confirmed == (intent,)
    assert (result.waiting, result.effects, result.looks) == (0, 2, 2)
    row, adjustment = row_of(ledger, intent), adjustment_of(ledger, intent)
    assert (row.state, row.erp_doc_id, row.document_no) == ("CONFIRMED", "1", "F000001")
    assert (adjustment.state, adjustment.document_no) == ("posted", "F000001")
    assert adjustment.posted_at is not None
    assert attempts_of(ledger, intent) == ["create OK", "read OK", "post OK", "read OK"]
    check(ledger)


def test_a_second_run_makes_and_sends_nothing(ledger: Ledger, erp: str) -> None:
    fake = FakeErp()
    ready(ledger, erp, 3)
    run(ledger, fake, erp)
    sent = list(fake.requests)
    assert make_intents(ledger, erp, actor="test").made == ()
    assert run(ledger, fake, erp) == DrainResult()
    assert fake.requests == sent


@pytest.mark.parametrize("phase", ["create", "post"])
@pytest.mark.parametrize("fault", ["lost reply", "no effect", "late", "not sent", "throttle"])
def test_one_fault_costs_a_detour_and_no_second_document(
    ledger: Ledger, erp: str, phase: str, fault: Fault
) -> None:
    fake, (intent,) = FakeErp(), ready(ledger, erp)
    fake.plan(phase, fault)
    assert run(ledger, fake, erp).confirmed == (intent,)
    with ledger.session() as session:
        ext_ref = session.get_one(PostingIntent, intent).ext_ref
    assert len(fake.posted(ext_ref)) == 1
    fake.deliver_late()
    assert len(fake.posted(ext_ref)) == 1, "a late create is a draft that nobody posts"
    check(ledger)


def test_orphan_drafts_are_swept_before_it_is_confirmed(ledger: Ledger, erp: str) -> None:
    fake, (intent,) = FakeErp(), ready(ledger, erp)
    fake.plan("create", "late")
    fake.plan("post", "lost reply")
    fake.hook = lambda phase, moment: (
        fake.deliver_late() if (phase, moment) == ("post", "after") else None
    )
    assert run(ledger, fake, erp).confirmed == (intent,)
    assert fake.drafts() == []
    assert "delete OK" in attempts_of(ledger, intent)
    check(ledger)


def test_a_refused_create_ends_and_goes_back_to_its_maker(ledger: Ledger, erp: str) -> None:
    fake, (intent,) = FakeErp(), ready(ledger, erp)
    fake.plan("create", "reject")
    assert run(ledger, fake, erp).rejected == (intent,)
    assert "PERIOD_CLOSED" in row_of(ledger, intent).reason
    assert adjustment_of(ledger, intent).state == "refused"
    assert fake.documents == {}
    check(ledger)


def test_a_refused_post_is_voided_and_nothing_stays(ledger: Ledger, erp: str) -> None:
    fake, (intent,) = FakeErp(), ready(ledger, erp)
    fake.plan("post", "reject")
    fake.plan("delete", "lost reply", "not sent")
    assert run(ledger, fake, erp).rejected == (intent,)
    assert "PERIOD_CLOSED" in row_of(ledger, intent).reason
    assert fake.documents == {}
    assert states_of(ledger, intent) == ["READY", "SENDING", "DRAFTED", "VOIDING", "REJECTED"]
    check(ledger)


def test_a_late_post_wins_over_voiding(ledger: Ledger, erp: str) -> None:
    fake, (intent,) = FakeErp(), ready(ledger, erp)
    fake.plan("post", "late", "reject")
    fake.hook = lambda phase, moment: (
        fake.deliver_late() if (phase, moment) == ("delete", "before") else None
    )
    assert run(ledger, fake, erp).confirmed == (intent,)
    assert "VOIDING" in states_of(ledger, intent)
    check(ledger)


def test_a_refusal_after_an_unknown_attempt_is_not_final(ledger: Ledger, erp: str) -> None:
    fake, (intent,) = FakeErp(), ready(ledger, erp)
    fake.plan("create", "late", "reject")
    calls = iter([None, fake.deliver_late])  # it lands between the refusal and the next look
    original = fake.create

    def create(journal: Journal) -> Delivery:
        delivery = original(journal)
        act = next(calls)
        if act is not None:
            act()
        return delivery

    fake.create = create  # type: ignore[method-assign]
    assert run(ledger, fake, erp).confirmed == (intent,)
    assert attempts_of(ledger, intent)[:3] == ["create UNKNOWN", "find OK", "create REJECT"]
    assert len(fake.documents) == 1
    check(ledger)


def test_a_refusal_after_an_unknown_attempt_that_never_landed(ledger: Ledger, erp: str) -> None:
    fake, (intent,) = FakeErp(), ready(ledger, erp)
    fake.plan("create", "no effect", "reject")
    assert run(ledger, fake, erp).rejected == (intent,)
    assert states_of(ledger, intent)[-3:] == ["SENDING", "UNKNOWN", "REJECTED"]
    check(ledger)


def test_a_document_that_differs_is_never_posted(ledger: Ledger, erp: str) -> None:
    fake, (intent,) = FakeErp(), ready(ledger, erp)
    fake.plan("create", "round")
    result = run(ledger, fake, erp)
    assert result.manual == (intent,)
    assert (
        "line 6855 debit 1251 credit 0 (minor units) was not sent" in row_of(ledger, intent).reason
    )
    assert [d.state for d in fake.documents.values()] == ["draft"]
    assert adjustment_of(ledger, intent).state == "approved"
    check(ledger)


def test_somebody_elses_document_with_our_reference_is_a_persons(ledger: Ledger, erp: str) -> None:
    fake, (intent,) = FakeErp(), ready(ledger, erp)
    with ledger.session() as session:
        stored = session.get_one(PostingIntent, intent)
        journal = journal_of(stored.payload, stored.ext_ref)
    for _ in range(2):
        fake.post(fake.create(journal).doc_id or "")
    fake.plan("create", "lost reply")
    assert run(ledger, fake, erp).manual == (intent,)
    assert "F000001, F000002" in row_of(ledger, intent).reason
    check(ledger)


def test_attempts_are_capped_and_throttling_is_not_counted(ledger: Ledger, erp: str) -> None:
    fake, (intent,) = FakeErp(), ready(ledger, erp)
    limits = replace(QUICK, attempts_max=3)
    fake.plan("create", "no effect", "throttle", "no effect", "not sent", "no effect")
    assert run(ledger, fake, erp, limits).manual == (intent,)
    assert "3 attempts" in row_of(ledger, intent).reason
    assert fake.documents == {}
    check(ledger)


def test_nothing_is_sent_while_a_row_is_held(ledger: Ledger, erp: str) -> None:
    fake, intents = FakeErp(), ready(ledger, erp, 2)
    hold = update(Outbox).where(Outbox.intent_id == intents[0])
    with ledger.session() as session:
        session.execute(hold.values(held="period close"))
    result = run(ledger, fake, erp)
    assert (result.confirmed, result.waiting, result.held) == ((intents[1],), 1, 1)
    with ledger.session() as session:
        session.execute(hold.values(held=None))
    assert run(ledger, fake, erp).confirmed == (intents[0],)


def test_a_hold_stops_the_worker_that_has_the_row(ledger: Ledger, erp: str) -> None:
    fake, (intent,) = FakeErp(), ready(ledger, erp)
    hold = update(Outbox).where(Outbox.intent_id == intent)

    def hook(phase: str, moment: str) -> None:
        with ledger.session() as session:
            session.execute(hold.values(held="stop"))

    fake.hook = hook
    assert run(ledger, fake, erp).held == 1
    assert [phase for phase, _ in fake.requests] == ["create"]
    assert row_of(ledger, intent).state == "DRAFTED"


def test_an_erp_out_of_reach_raises_and_loses_nothing(ledger: Ledger, erp: str) -> None:
    fake, intents = FakeErp(), ready(ledger, erp, 5)
    fake.plan("create", "not sent", "not sent", "not sent")
    with pytest.raises(ConnectorError, match="CONNECTION_REFUSED") as caught:
        run(ledger, fake, erp)
    assert caught.value.code == "ERP_UNREACHABLE"
    assert len(fake.requests) == 3, "the rest is left for a later drain"
    assert sorted(run(ledger, fake, erp).confirmed) == sorted(intents)
    check(ledger)


def test_backoff_is_a_due_time_not_a_sleep(ledger: Ledger, erp: str) -> None:
    fake, (intent,) = FakeErp(), ready(ledger, erp)
    fake.plan("create", "lost reply")
    result = run(ledger, fake, erp, Limits())
    assert (result.waiting, result.effects, result.looks) == (1, 1, 0)
    row = row_of(ledger, intent)
    assert dt.timedelta(seconds=1) <= row.next_at - row.changed_at <= dt.timedelta(seconds=2)
    assert run(ledger, fake, erp, Limits()).effects == 0


def test_erps_do_not_disturb_each_other(ledger: Ledger, erp: str) -> None:
    other, fake = f"{erp}B", FakeErp()
    open_books(ledger, other)
    ready(ledger, other)
    (intent,) = ready(ledger, erp)
    assert run(ledger, fake, erp).confirmed == (intent,)
    assert len(fake.documents) == 1
