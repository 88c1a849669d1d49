"""Journals to Oracle: imported from a file, found by reference, posted by a second job."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.connectors.rigs.oracle import DAY, OracleRig, open_rig
from tieout.connectors.http_wire import HttpAnswer
from tieout.connectors.ports import Delivery, Journal, JournalLine, Trace
from tieout.posting.readback import differences

REFERENCE = "ABCDEFGHIJKLMNOP"


@pytest.fixture
def rig() -> Iterator[OracleRig]:
    with open_rig() as found:
        yield found


def outcome(delivery: Delivery) -> tuple[str, str]:
    return delivery.outcome, delivery.code


def imported(rig: OracleRig, journal: Journal) -> str:
    """Create and let the jobs run; the document's id."""
    assert outcome(rig.connector.create(journal)) == ("PENDING", "ACCEPTED")
    rig.let_work()
    (document,) = rig.connector.find(journal).documents
    assert differences(journal, document) == ()
    return document.doc_id


def test_a_journal_is_imported_as_a_draft_then_posted_by_its_id(rig: OracleRig) -> None:
    journal = rig.journal(REFERENCE)
    assert rig.connector.find(journal) == Trace()
    taken = rig.connector.create(journal)
    assert (taken.outcome, taken.doc_id) == ("PENDING", None)
    assert "is WAIT" in rig.connector.find(journal).pending
    rig.let_work()
    (draft,) = rig.connector.find(journal).documents
    assert (draft.state, draft.number, draft.external_ref) == ("draft", None, REFERENCE)
    assert rig.books(REFERENCE) == [draft]
    assert outcome(rig.connector.post(draft.doc_id)) == ("PENDING", "ACCEPTED")
    assert outcome(rig.connector.post(draft.doc_id)) == ("PENDING", "POSTING")
    rig.let_work()
    posted = rig.connector.read(draft.doc_id)
    assert posted is not None
    assert posted.state == "posted"
    assert differences(journal, posted) == ()
    assert rig.connector.find(journal).documents == (posted,)
    assert outcome(rig.connector.post(draft.doc_id)) == ("OK", "ALREADY_POSTED")
    assert rig.tenant.plan.seen()["post"] == 1


def test_the_same_create_twice_is_two_journals_as_class_d_says(rig: OracleRig) -> None:
    journal = rig.journal(REFERENCE)
    assert rig.connector.capability(journal).kind == "D"
    assert rig.connector.capability(journal).settle.total_seconds() == 90 * 60
    for _ in range(2):
        rig.connector.create(journal)
        rig.let_work()
    assert len(rig.books(REFERENCE)) == 2
    assert len(rig.connector.find(journal).documents) == 2


def test_two_files_of_one_group_at_once_never_look_like_the_journal(rig: OracleRig) -> None:
    """Both loads come before the first import: one batch with every line twice, seen as another."""
    journal = rig.journal(REFERENCE)
    rig.connector.create(journal)
    rig.connector.create(journal)
    rig.let_work()
    (document,) = rig.connector.find(journal).documents
    assert differences(journal, document) != ()


def test_foreign_amounts_come_back_exact(rig: OracleRig) -> None:
    lines = (
        JournalLine("6855", 1001, 0),
        JournalLine("1840", 0, 1001, foreign_minor=-1087, foreign_currency="USD"),
    )
    journal = replace(rig.journal(REFERENCE), lines=lines)
    document = rig.connector.read(imported(rig, journal))
    assert document is not None
    assert [line.foreign_minor for line in document.lines] == [None, -1087]
    assert [line.credit_minor for line in document.lines] == [0, 1001]


def test_many_lines_are_read_to_the_last(rig: OracleRig) -> None:
    """An expanded child is cut at 25; the rest is fetched."""
    debits = tuple(JournalLine("6855", 100 + number, 0) for number in range(60))
    total = sum(line.debit_minor for line in debits)
    journal = replace(rig.journal(REFERENCE), lines=(*debits, JournalLine("1810", 0, total)))
    document = rig.connector.read(imported(rig, journal))
    assert document is not None
    assert len(document.lines) == 61


def test_a_batch_has_one_file_and_an_outcome_each(rig: OracleRig) -> None:
    journals = (
        rig.journal("AAAAAAAAAAAAAAAA", amount=100),
        replace(rig.journal("BBBBBBBBBBBBBBBB"), lines=()),
        rig.journal("CCCCCCCCCCCCCCCC", amount=300),
    )
    deliveries = rig.connector.create_batch(journals)
    assert [d.outcome for d in deliveries] == ["PENDING", "REJECT", "PENDING"]
    assert rig.tenant.plan.seen()["create"] == 1
    assert "is WAIT" in rig.connector.find(journals[2]).pending
    rig.let_work()
    for journal in (journals[0], journals[2]):
        (document,) = rig.connector.find(journal).documents
        assert differences(journal, document) == ()
    assert rig.connector.find(journals[1]) == Trace()


@pytest.mark.parametrize("siblings", [True, False])
def test_a_bad_journal_of_a_batch_beside_a_good_one(rig: OracleRig, siblings: bool) -> None:
    """Sources conflict on whether the good one is taken: each is told by what is there."""
    rig.tenant.books.siblings = siblings
    good, bad = rig.journal("AAAAAAAAAAAAAAAA"), rig.journal("BBBBBBBBBBBBBBBB")
    bad = replace(bad, lines=(JournalLine("7310", 5, 0), JournalLine("1810", 0, 5)))
    rig.connector.create_batch((good, bad))
    rig.tenant.books.world.accounts["7310"].enabled = False
    rig.let_work()
    assert rig.connector.find(bad).refused.startswith("GL_ACCOUNT_BLOCKED: EF01")
    found = rig.connector.find(good)
    if siblings:
        assert [d.external_ref for d in found.documents] == ["AAAAAAAAAAAAAAAA"]
    else:
        assert found.documents == ()
        assert found.refused.startswith("GL_ACCOUNT_BLOCKED: EF01")


CLOSED = (
    ("account", "GL_ACCOUNT_UNKNOWN: EF04"),
    ("period", "PERIOD_CLOSED: EP01"),
)


@pytest.mark.parametrize(("what", "refusal"), CLOSED)
def test_rows_rejected_behind_a_success_are_a_refusal(
    rig: OracleRig, what: str, refusal: str
) -> None:
    journal = rig.journal(REFERENCE)
    rig.connector.create(journal)
    if what == "account":
        del rig.tenant.books.world.accounts["6855"]
    else:
        rig.close_period(DAY)
    rig.let_work()
    parent = next(iter(rig.tenant.scheduler.jobs.values()))
    assert parent.state == "SUCCEEDED"
    trace = rig.connector.find(journal)
    assert (trace.documents, trace.pending) == ((), "")
    assert trace.refused.startswith(refusal)


def test_a_refused_submission_is_a_refusal(rig: OracleRig) -> None:
    rig.fault("create", "refused")
    delivery = rig.connector.create(rig.journal(REFERENCE))
    assert outcome(delivery) == ("REJECT", "SUBMISSION_REFUSED")
    assert rig.tenant.scheduler.jobs == {}


STATES = (
    # what happens to the chain, what find says: pending, refused, found
    ("hold", "pending", "is HOLD"),
    ("blocked", "pending", "is BLOCKED"),
    ("manual recovery", "pending", "is ERROR MANUAL RECOVERY"),
    ("cancelled", "refused", "ended as CANCELLED"),
    ("canceled", "refused", "ended as CANCELED"),
    ("expired", "refused", "ended as EXPIRED"),
    ("validation failed", "refused", "ended as VALIDATION_FAILED"),
    ("warning", "found", ""),
)


@pytest.mark.parametrize(("fault", "said", "words"), STATES)
def test_every_end_of_a_chain(rig: OracleRig, fault: str, said: str, words: str) -> None:
    rig.fault("create", fault)
    journal = rig.journal(REFERENCE)
    rig.connector.create(journal)
    rig.let_work()
    trace = rig.connector.find(journal)
    assert (bool(trace.pending), bool(trace.refused), len(trace.documents)) == (
        said == "pending",
        said == "refused",
        said == "found",
    )
    assert words in trace.pending + trace.refused


def test_a_held_chain_goes_on_when_somebody_lets_it(rig: OracleRig) -> None:
    rig.fault("create", "hold")
    journal = rig.journal(REFERENCE)
    rig.connector.create(journal)
    rig.let_work()
    assert rig.connector.find(journal).pending
    rig.tenant.scheduler.release()
    rig.let_work()
    assert len(rig.connector.find(journal).documents) == 1


def test_each_step_of_the_chain_is_pending(rig: OracleRig) -> None:
    journal = rig.journal(REFERENCE)
    rig.connector.create(journal)
    seen = set()
    while not rig.tenant.books.journals(REFERENCE):
        trace = rig.connector.find(journal)
        assert trace.pending
        seen.add(trace.pending.rsplit(" ", 1)[1])
        rig.tenant.scheduler.step()
    assert {"WAIT", "READY", "RUNNING", "PAUSED"} <= seen


def test_imported_but_not_to_be_seen_yet_is_pending(rig: OracleRig) -> None:
    rig.tenant.books.lag = 600
    journal = rig.journal(REFERENCE)
    rig.connector.create(journal)
    rig.let_work()
    assert "has imported it" in rig.connector.find(journal).pending
    rig.tenant.clock.advance(600)
    assert len(rig.connector.find(journal).documents) == 1


def test_a_file_that_does_not_load_is_a_refusal(rig: OracleRig) -> None:
    """Told apart from rows that were rejected: nothing arrived at all."""
    journal = rig.journal(REFERENCE)
    rig.connector.create(journal)
    (job,) = rig.tenant.scheduler.jobs.values()
    job.content = b"not a zip"
    rig.let_work()
    assert job.state == "ERROR"
    assert rig.connector.find(journal).refused.startswith("JOB_FAILED: request")


def test_autopost_posts_by_itself(rig: OracleRig) -> None:
    rig.tenant.autopost = True
    journal = rig.journal(REFERENCE)
    rig.connector.create(journal)
    rig.let_work()
    (document,) = rig.connector.find(journal).documents
    assert document.state == "posted"
    assert outcome(rig.connector.post(document.doc_id)) == ("OK", "ALREADY_POSTED")


def test_without_a_posting_job_it_waits_for_autopost() -> None:
    with open_rig(post_job="") as rig:
        doc_id = imported(rig, rig.journal(REFERENCE))
        assert outcome(rig.connector.post(doc_id)) == ("PENDING", "WAITS_FOR_AUTOPOST")
        rig.tenant.scheduler.post_automatically()
        assert outcome(rig.connector.post(doc_id)) == ("OK", "ALREADY_POSTED")


def test_a_posting_that_is_refused_says_why_and_the_draft_can_go(rig: OracleRig) -> None:
    doc_id = imported(rig, rig.journal(REFERENCE))
    rig.close_period(DAY)
    assert rig.connector.post(doc_id).outcome == "PENDING"
    rig.let_work()
    delivery = rig.connector.post(doc_id)
    assert outcome(delivery) == ("REJECT", "POSTING_REFUSED")
    assert "Nov-26" in delivery.message
    assert outcome(rig.connector.delete_draft(doc_id)) == ("OK", "DELETED")
    assert rig.books(REFERENCE) == []
    assert outcome(rig.connector.delete_draft(doc_id)) == ("OK", "GONE")
    assert outcome(rig.connector.post(doc_id)) == ("REJECT", "GONE")
    assert rig.connector.read(doc_id) is None


def test_a_posted_batch_is_not_deleted(rig: OracleRig) -> None:
    doc_id = imported(rig, rig.journal(REFERENCE))
    rig.tenant.scheduler.post_automatically()
    assert outcome(rig.connector.delete_draft(doc_id)) == ("REJECT", "ALREADY_POSTED")
    assert len(rig.books(REFERENCE)) == 1


def test_drafts_stay_where_the_mapping_says_so() -> None:
    with open_rig(delete_drafts=False) as rig:
        doc_id = imported(rig, rig.journal(REFERENCE))
        assert outcome(rig.connector.delete_draft(doc_id)) == ("REJECT", "NOT_OFFERED")


def test_what_was_rounded_there_is_seen(rig: OracleRig) -> None:
    rig.fault("create", "round")
    journal = rig.journal(REFERENCE)
    rig.connector.create(journal)
    rig.let_work()
    (document,) = rig.connector.find(journal).documents
    assert differences(journal, document) != ()


def test_another_worker_sees_what_is_under_way(rig: OracleRig) -> None:
    """Nothing is remembered that the scheduler does not tell: a new connector knows as much."""
    from tests.connectors.rigs.oracle import connect

    journal = rig.journal(REFERENCE)
    rig.connector.create(journal)
    other = connect(rig.url)
    try:
        assert "is WAIT" in other.find(journal).pending
    finally:
        other.close()


def test_a_posting_job_that_does_nothing_is_not_submitted_for_ever() -> None:
    """Wrong parameters of the tenant's job: somebody has to look, and the batch stays a draft."""
    with open_rig(post_parameters="{ledger_id},x{batch_id},{batch_id}") as rig:
        doc_id = imported(rig, rig.journal(REFERENCE))
        rig.tenant.books.post = lambda number: ""  # type: ignore[method-assign]
        codes = []
        for _ in range(7):
            codes.append(outcome(rig.connector.post(doc_id)))
            rig.let_work()
        assert codes[:5] == [("PENDING", "ACCEPTED")] * 5
        assert codes[5:] == [("UNKNOWN", "POSTING_WITHOUT_EFFECT")] * 2
        assert rig.tenant.plan.seen()["post"] == 5


def test_one_reference_twice_in_a_batch_is_sent_once(rig: OracleRig) -> None:
    """Rows of one name would merge into one journal of twice the amount."""
    journal = rig.journal(REFERENCE)
    first, second = rig.connector.create_batch((journal, journal))
    assert (first.outcome, outcome(second)) == ("PENDING", ("NOT_SENT", "TWICE_IN_BATCH"))
    rig.let_work()
    (document,) = rig.connector.find(journal).documents
    assert differences(journal, document) == ()


def test_a_chain_that_ends_between_two_looks_hides_nothing(rig: OracleRig) -> None:
    """Books, then jobs: without a second look at the books this would be nothing at all."""
    journal = rig.journal(REFERENCE)
    rig.connector.create(journal)
    inner = rig.connector.wire.exchange

    def work_in_between(method: str, path: str, **given: Any) -> HttpAnswer:
        if "/requests" in path:
            rig.let_work()
            for job in rig.tenant.scheduler.jobs.values():
                job.output = ""  # and its report tells nothing
        return inner(method, path, **given)

    rig.connector.wire.exchange = work_in_between  # type: ignore[method-assign]
    assert [d.external_ref for d in rig.connector.find(journal).documents] == [REFERENCE]


@pytest.mark.parametrize(("fault", "count"), [("lost reply", 1), ("late", 1), ("no effect", 0)])
def test_a_batch_nobody_answered_is_told_journal_by_journal(
    rig: OracleRig, fault: str, count: int
) -> None:
    journals = tuple(rig.journal(f"JOURNAL{letter}") for letter in "ABC")
    rig.fault("create", fault)
    assert {d.outcome for d in rig.connector.create_batch(journals)} == {"UNKNOWN"}
    rig.let_work()
    for journal in journals:
        trace = rig.connector.find(journal)
        assert (len(trace.documents), trace.pending, trace.refused) == (count, "", "")


def test_only_the_imports_of_batches_are_asked_for_their_output(rig: OracleRig) -> None:
    for letter in "ABC":
        rig.connector.create_batch((rig.journal(f"X{letter}"), rig.journal(f"Y{letter}")))
        rig.let_work()
    before = rig.tenant.plan.seen().get("status", 0)
    assert rig.connector.find(rig.journal("NEVERSENT")) == Trace()
    assert rig.tenant.plan.seen()["status"] - before == 3
    assert rig.connector.find(rig.journal("NEVERSENT")) == Trace()
    assert rig.tenant.plan.seen()["status"] - before == 3
