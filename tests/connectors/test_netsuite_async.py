"""NetSuite's queue: jobs under an idempotency key, found again, and batches of records."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.connectors.rigs.netsuite import DAY, NetSuiteRig, open_rig
from tieout.connectors.netsuite_jobs import idempotency_key
from tieout.connectors.ports import Delivery

REF = "A" * 16


@pytest.fixture
def rig() -> Iterator[NetSuiteRig]:
    with open_rig("async") as opened:
        yield opened


def told(delivery: Delivery) -> tuple[str, str, str | None]:
    return delivery.outcome, delivery.code, delivery.doc_id


def test_the_key_is_a_uuid_that_follows_from_the_reference() -> None:
    assert idempotency_key(REF) == idempotency_key(REF) != idempotency_key("B" * 16)
    assert uuid.UUID(idempotency_key(REF)).version == 5


def test_a_journal_is_pending_until_the_queue_has_worked(rig: NetSuiteRig) -> None:
    journal = rig.journal(REF)
    capability = rig.connector.capability(journal)
    assert (capability.kind, capability.key_lifetime) == ("B", timedelta(hours=12))
    assert told(rig.connector.create(journal)) == ("PENDING", "QUEUED", None)
    trace = rig.connector.find(journal)
    assert (trace.documents, trace.refused) == ((), "")
    assert trace.pending == "job 1 is in NetSuite's queue"
    rig.let_work()
    (document,) = rig.connector.find(journal).documents
    assert document.state == "posted"
    assert rig.connector.read(document.doc_id) == document


def test_a_second_create_is_the_first_one_s_job(rig: NetSuiteRig) -> None:
    journal = rig.journal(REF)
    rig.connector.create(journal)
    assert told(rig.connector.create(journal)) == ("PENDING", "QUEUED", None)
    rig.let_work()
    (document,) = rig.books(REF)
    assert told(rig.connector.create(journal)) == ("OK", "CREATED", document.doc_id)
    assert len(rig.books(REF)) == 1


def test_a_lost_202_is_found_again_through_the_key(rig: NetSuiteRig) -> None:
    journal = rig.journal(REF)
    rig.fault("create", "lost reply")
    assert rig.connector.create(journal).outcome == "UNKNOWN"
    other = rig.connect(way="async")  # another worker, which never knew the job
    assert other.find(journal).pending == ""
    assert told(other.create(journal)) == ("PENDING", "QUEUED", None)
    assert other.find(journal).pending == "job 1 is in NetSuite's queue"
    rig.let_work()
    assert len(other.find(journal).documents) == len(rig.books(REF)) == 1


def test_a_request_that_never_arrived_is_sent_under_the_same_key(rig: NetSuiteRig) -> None:
    journal = rig.journal(REF)
    rig.fault("create", "late")
    assert rig.connector.create(journal).outcome == "UNKNOWN"
    assert told(rig.connector.create(journal)) == ("PENDING", "QUEUED", None)
    rig.let_work()  # the late one meets the key
    rig.let_work()
    assert len(rig.books(REF)) == 1


def test_a_refusal_comes_out_of_the_queue(rig: NetSuiteRig) -> None:
    journal = rig.journal(REF)
    rig.connector.create(rig.journal("B" * 16))  # the period is known to be open
    rig.close_period(DAY)
    assert rig.connector.create(journal).outcome == "PENDING"
    rig.let_work()
    assert "closed period" in rig.connector.find(journal).refused
    assert told(rig.connector.create(journal)) == ("REJECT", "PERIOD_CLOSED", None)
    assert rig.books(REF) == []


def test_a_job_that_fails_without_a_reason_has_made_nothing(rig: NetSuiteRig) -> None:
    journal = rig.journal(REF)
    rig.fault("create", "job failed")
    rig.connector.create(journal)
    rig.let_work()
    assert rig.connector.find(journal).refused.startswith("UNEXPECTED_ERROR")
    assert told(rig.connector.create(journal)) == ("REJECT", "JOB_FAILED", None)


@pytest.mark.parametrize("fault", ["error before", "no effect", "throttle"])
def test_a_job_nobody_can_ask_about_stays_pending(rig: NetSuiteRig, fault: str) -> None:
    journal = rig.journal(REF)
    rig.connector.create(journal)
    rig.let_work()
    rig.fault("job", fault)
    assert told(rig.connector.create(journal)) == ("PENDING", "QUEUED", None)
    assert rig.connector.create(journal).outcome == "OK"


def test_a_key_that_is_forgotten_still_makes_one_document(rig: NetSuiteRig) -> None:
    journal = rig.journal(REF)
    rig.connector.create(journal)
    rig.let_work()
    rig.simulator.clock.advance(90_000)
    fresh = rig.connect(way="async")
    assert fresh.create(journal).outcome == "PENDING"
    rig.let_work()
    assert fresh.create(journal).outcome == "EXISTS"
    assert len(rig.books(REF)) == 1


def test_a_batch_is_one_request_with_an_outcome_for_each(rig: NetSuiteRig) -> None:
    journals = tuple(rig.journal(letter * 16) for letter in "ABCDE")
    spoilt = replace(journals[1], lines=journals[1].lines[:1])
    elsewhere = replace(journals[2].lines[1], gl_account="1820")  # only NetSuite refuses this one
    refused = replace(journals[2], lines=(journals[2].lines[0], elsewhere))
    batch = (journals[0], spoilt, refused, *journals[3:])
    assert rig.connector.capability(journals[0]).batch_max == 100
    told_each = [told(delivery) for delivery in rig.connector.create_batch(batch)]
    queued = ("PENDING", "QUEUED", None)
    assert told_each == [queued, ("REJECT", "UNBALANCED", None), queued, queued, queued]
    assert rig.simulator.plan.seen()["create"] == 1
    rig.simulator.jobs.begin()
    assert rig.connector.find(journals[3]).pending == "job 1 is in NetSuite's queue"
    rig.let_work()
    traces = [rig.connector.find(journal) for journal in batch]
    assert [len(trace.documents) for trace in traces] == [1, 0, 0, 1, 1]
    assert "another subsidiary" in traces[2].refused
    assert traces[1].refused == traces[1].pending == ""


def test_a_batch_whose_answer_is_lost_is_recovered_one_by_one(rig: NetSuiteRig) -> None:
    journals = tuple(rig.journal(letter * 16) for letter in "ABC")
    rig.fault("create", "lost reply")
    outcomes = [delivery.outcome for delivery in rig.connector.create_batch(journals)]
    assert outcomes == ["UNKNOWN"] * 3
    assert told(rig.connector.create(journals[0])) == ("PENDING", "QUEUED", None)
    again = rig.connector.create_batch(journals)  # the same batch again finds its job
    assert [delivery.code for delivery in again] == ["QUEUED"] * 3
    rig.let_work()
    assert [len(rig.books(journal.external_ref)) for journal in journals] == [1, 1, 1]
    assert all(rig.connector.find(journal).documents for journal in journals)
    assert rig.connector.create(journals[0]).outcome == "EXISTS"


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [("throttle", "THROTTLED"), ("no effect", "UNKNOWN"), ("error before", "UNKNOWN")],
)
def test_a_batch_that_is_not_taken_has_one_outcome(
    rig: NetSuiteRig, fault: str, outcome: str
) -> None:
    journals = tuple(rig.journal(letter * 16) for letter in "AB")
    rig.fault("create", fault)
    assert [d.outcome for d in rig.connector.create_batch(journals)] == [outcome] * 2
    assert [rig.books(journal.external_ref) for journal in journals] == [[], []]


def test_batches_go_by_the_queue_only() -> None:
    with open_rig() as rig:
        journals = (rig.journal(REF),)
        assert rig.connector.capability(journals[0]).batch_max == 1
        (refused,) = rig.connector.create_batch(journals)
    assert told(refused) == ("NOT_SENT", "BATCH_NOT_OFFERED", None)
