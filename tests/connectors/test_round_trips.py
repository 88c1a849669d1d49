"""How often a system is asked for one posting, and that nothing which matters is skipped."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.connectors.rigs import dynamics365, oracle
from tieout.connectors import just_shown, oracle_jobs

REFERENCES = ("AAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBB", "CCCCCCCCCCCCCCCC")


def counting(seen: Callable[[], object]) -> Callable[[], dict[str, int]]:
    """What was asked since the last time, by kind."""
    last: dict[str, int] = {}

    def since() -> dict[str, int]:
        nonlocal last
        found = dict(seen())  # type: ignore[call-overload]
        new = {kind: count - last.get(kind, 0) for kind, count in found.items()}
        last = found
        return {kind: count for kind, count in new.items() if count}

    return since


def test_oracle_is_asked_for_the_periods_once_a_file_and_for_the_jobs_once_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(oracle_jobs, "_JUST", 60.0)
    with oracle.open_rig() as rig:
        journals = tuple(rig.journal(reference) for reference in REFERENCES)
        since = counting(rig.tenant.plan.seen)
        rig.connector.create_batch(journals)
        rig.let_work()
        assert since() == {"create": 1, "masters": 4}  # ledger, two value sets, periods
        for journal in journals:
            (draft,) = rig.connector.find(journal).documents
            assert rig.connector.post(draft.doc_id).outcome == "PENDING"
        assert since() == {"find": 3, "post": 3, "jobs": 1}
        for journal in journals:
            (draft,) = rig.connector.find(journal).documents
            said = rig.connector.post(draft.doc_id)
            assert said.code == "POSTING"  # its own job is known, whatever the list was
        assert since() == {"find": 3, "jobs": 3}
        rig.let_work()
        states = [rig.connector.find(journal).documents[0].state for journal in journals]
        assert states == ["posted"] * 3


def test_a_batch_that_was_not_just_looked_at_is_read_before_it_is_posted() -> None:
    with oracle.open_rig() as rig:
        journal = rig.journal(REFERENCES[0])
        rig.connector.create(journal)
        rig.let_work()
        (draft,) = rig.connector.find(journal).documents
        since = counting(rig.tenant.plan.seen)
        since()
        assert rig.connector.post(draft.doc_id).code == "ACCEPTED"
        assert "read" not in since()
        rig.let_work()
        assert rig.connector.post(draft.doc_id).code == "ALREADY_POSTED"
        assert since() == {"read": 1}


@pytest.mark.parametrize("age", [0.0, -1.0])
def test_what_was_shown_long_ago_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, age: float
) -> None:
    monkeypatch.setattr(just_shown, "_JUST", age)
    with oracle.open_rig() as rig:
        journal = rig.journal(REFERENCES[0])
        rig.connector.create(journal)
        rig.let_work()
        (draft,) = rig.connector.find(journal).documents
        del rig.tenant.books.batches[int(draft.doc_id.partition("/")[2])]
        assert rig.connector.post(draft.doc_id).code == "GONE"
    with dynamics365.open_rig() as rig365:
        made = rig365.connector.create(rig365.journal(REFERENCES[0]))
        assert rig365.connector.read(str(made.doc_id)) is not None
        rig365.let_work()
        assert rig365.connector.post(str(made.doc_id)).outcome == "OK"


def test_another_worker_s_posting_job_is_seen_by_a_list_that_is_read_after_it() -> None:
    with oracle.open_rig() as rig:
        journal = rig.journal(REFERENCES[0])
        rig.connector.create(journal)
        rig.let_work()
        (draft,) = rig.connector.find(journal).documents
        other = oracle.connect(rig.url)
        try:
            assert other.post(draft.doc_id).code == "ACCEPTED"
        finally:
            other.close()
        assert rig.connector.post(draft.doc_id).code == "POSTING"


def test_dynamics_365_is_not_asked_whether_a_draft_it_just_showed_is_posted() -> None:
    with dynamics365.open_rig() as rig:
        made = rig.connector.create(rig.journal(REFERENCES[0]))
        doc_id = str(made.doc_id)
        since = counting(rig.simulator.plan.seen)
        draft = rig.connector.read(doc_id)
        assert draft is not None and draft.state == "draft"
        asked = since()
        said = rig.connector.post(doc_id)
        assert (said.outcome, said.code) == ("PENDING", "WAITS_FOR_POSTING")
        assert since() == {} and asked
        assert rig.connector.post(doc_id).outcome == "PENDING"  # once: now it is asked
        assert sum(since().values()) == 1
