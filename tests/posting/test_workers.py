"""Two workers at once, and one whose lease was over before it knew."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import text, update

from tests.posting.books import QUICK
from tests.posting.test_delivery import attempts_of, check, ready, row_of, run
from tieout.connectors.fake import FakeErp
from tieout.connectors.ports import Delivery, Journal
from tieout.errors import ConnectorError
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import Outbox
from tieout.posting.delivery import DrainResult, drain
from tieout.posting.pace import Limits


def test_two_workers_race_for_the_same_rows(ledger: Ledger, erp: str) -> None:
    fake, intents = FakeErp(), ready(ledger, erp, 12)
    second = Ledger(ledger.address)
    workers = [
        threading.Thread(target=drain, args=(door, fake, erp), kwargs={"owner": name, "budget": 20})
        for name, door in (("one", ledger), ("two", second))
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    second.close()
    assert {row_of(ledger, intent).state for intent in intents} == {"CONFIRMED"}
    references = Counter(d.external_ref for d in fake.documents.values() if d.state == "posted")
    assert len(references) == 12 and set(references.values()) == {1}
    check(ledger)


def test_a_worker_that_lost_its_lease_writes_nothing_and_clears_its_draft(
    ledger: Ledger, erp: str
) -> None:
    """The lease is over while the first worker waits for its answer; a second one finishes."""
    fake, (intent,) = FakeErp(), ready(ledger, erp)
    second = Ledger(ledger.address)
    results: list[DrainResult] = []

    def hook(phase: str, moment: str) -> None:
        fake.hook = lambda phase, moment: None
        with second.session() as session:
            session.execute(
                update(Outbox)
                .where(Outbox.erp == erp)
                .values(lease_until=text("clock_timestamp()"))
            )
        results.append(drain(second, fake, erp, owner="second", budget=20, limits=QUICK))

    fake.hook = hook
    first = run(ledger, fake, erp)
    second.close()
    assert results[0].confirmed == (intent,)
    assert (first.confirmed, first.lost) == ((), 1)
    assert [d.state for d in fake.documents.values()] == ["posted"]
    check(ledger)


def test_a_worker_asleep_past_its_grace_sends_nothing(ledger: Ledger, erp: str) -> None:
    fake = FakeErp()
    ready(ledger, erp)
    with pytest.raises(ConnectorError, match="was stopped"):
        run(ledger, fake, erp, replace(Limits(), send_grace=dt.timedelta(0)))
    assert fake.requests == []


def test_a_row_the_ledger_refuses_stops_no_other(ledger: Ledger, erp: str) -> None:
    """Somebody changed the adjustment behind our back: it cannot become posted."""
    fake, intents = FakeErp(), ready(ledger, erp, 3)
    broken = text(
        "UPDATE adjustments SET state = :state WHERE adjustment_id = "
        "(SELECT adjustment_id FROM posting_intents WHERE intent_id = :intent)"
    )
    with ledger.session() as session:
        session.execute(broken, {"state": "withdrawn", "intent": intents[0]})
    once = replace(QUICK, backoff_max=dt.timedelta(hours=1))
    result = run(ledger, fake, erp, once)
    assert (result.failed, result.waiting) == ((intents[0],), 1)
    assert sorted(result.confirmed) == sorted(intents[1:])
    assert "cannot take 'posted'" in row_of(ledger, intents[0]).reason
    with ledger.session() as session:
        session.execute(broken, {"state": "approved", "intent": intents[0]})
        session.execute(text("UPDATE outbox SET next_at = now()"))
    assert run(ledger, fake, erp).confirmed == (intents[0],)
    assert len(fake.documents) == 3
    check(ledger)


def test_what_an_erp_says_cannot_break_the_ledger(ledger: Ledger, erp: str) -> None:
    class Rude(FakeErp):
        def create(self, journal: Journal) -> Delivery:
            return Delivery("REJECT", None, None, "NO", "\x00\ud800" + "x" * 10_000, "")

    (intent,) = ready(ledger, erp)
    assert run(ledger, Rude(), erp).rejected == (intent,)
    assert 1_900 < len(row_of(ledger, intent).reason) < 2_100


def test_a_connector_that_raises_has_sent_who_knows_what(ledger: Ledger, erp: str) -> None:
    class Broken(FakeErp):
        def post(self, doc_id: str) -> Delivery:
            super().post(doc_id)
            raise RuntimeError("a defect")

    fake, (intent,) = Broken(), ready(ledger, erp)
    assert run(ledger, fake, erp).confirmed == (intent,)
    assert "post UNKNOWN" in attempts_of(ledger, intent)
    assert len(fake.documents) == 1
