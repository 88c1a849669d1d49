"""What a claim knows of time must not be acted on when it is no longer true."""

from __future__ import annotations

import datetime as dt
import threading
import time
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text, update

from tests.posting.books import QUICK
from tests.posting.test_delivery import attempts_of, check, ready, row_of, run
from tieout.connectors.fake import FakeErp
from tieout.connectors.ports import Capability, Journal, Trace
from tieout.ledger.ledger import Ledger, database_epoch, database_now
from tieout.ledger.models import Outbox
from tieout.posting import sql_store as stores
from tieout.posting.claim import claim_row, load_claim, never_sent
from tieout.posting.delivery import drain
from tieout.posting.sql_store import SqlUnit

HOUR = dt.timedelta(hours=1)
_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE :holder = ANY(pg_blocking_pids(pid))")


def _waits_for(ledger: Ledger, holder: int | None) -> bool:
    """Whether a transaction waits for another; the view is as old as the transaction asking."""
    with ledger.session() as session:
        return bool(session.scalar(_WAITING, {"holder": holder}))


def test_a_worker_that_slept_past_its_lease_records_and_begins_nothing(
    ledger: Ledger, erp: str
) -> None:
    """Nobody else took the row, so its fence is still right; what it knew of time is not."""

    fake, (intent,) = FakeErp(), ready(ledger, erp)
    asleep = replace(QUICK, lease=dt.timedelta(0), backoff_base=HOUR, backoff_max=HOUR)
    assert run(ledger, fake, erp, asleep).waiting == 1
    assert attempts_of(ledger, intent) == ["create OK"]
    row = row_of(ledger, intent)
    assert (row.state, row.owner, row.erp_doc_id) == ("DRAFTED", None, "1")
    with ledger.session() as session:
        session.execute(update(Outbox).values(next_at=func.clock_timestamp()))
    assert run(ledger, fake, erp).confirmed == (intent,)
    assert attempts_of(ledger, intent) == ["create OK", "read OK", "post OK", "read OK"]
    check(ledger)


@pytest.mark.parametrize(("lifetime", "alive"), [(HOUR, False), (2 * HOUR, True)])
def test_a_key_is_dead_while_a_request_under_it_could_still_be_on_its_way(
    ledger: Ledger, erp: str, lifetime: dt.timedelta, alive: bool
) -> None:
    (intent,) = ready(ledger, erp)
    capability = Capability("B", settle=HOUR, key_lifetime=lifetime)
    with ledger.session() as session:
        unit = SqlUnit(session)
        row = claim_row(unit, erp, "test", QUICK)
        assert row is not None and row.intent_id == intent
        assert load_claim(unit, row, lambda _: capability, QUICK).row.key_alive is alive


def test_the_instant_of_a_record_is_read_after_its_row_is_locked(ledger: Ledger, erp: str) -> None:
    """However long another transaction held the row: a lease that ended meanwhile is over."""
    (intent,) = ready(ledger, erp)
    told: list[dt.datetime] = []

    def confirm() -> None:
        with ledger.session() as session:
            row = row_of(ledger, intent)
            found = SqlUnit(session).confirm((intent, row.fence, row.epoch, row.state))
            assert found is not None
            told.append(found[0])

    with ledger.session() as session:
        SqlUnit(session).row(intent)
        waiting = threading.Thread(target=confirm)
        waiting.start()
        holder = session.scalar(text("SELECT pg_backend_pid()"))
        deadline = time.monotonic() + 20
        while not _waits_for(ledger, holder):
            assert time.monotonic() < deadline, "nobody waits for the row"
        held_at = SqlUnit(session).now()
    waiting.join()
    assert told[0] > held_at


def test_after_an_unknown_nothing_is_sent_without_a_look(ledger: Ledger, erp: str) -> None:
    fake, (intent,) = FakeErp(), ready(ledger, erp)
    fake.plan("create", "late", "throttle", "not sent")
    assert run(ledger, fake, erp).confirmed == (intent,)
    told = attempts_of(ledger, intent)
    sent = [n for n, attempt in enumerate(told) if attempt.startswith("create")]
    assert len(sent) == 4
    assert all(told[number - 1] == "find OK" for number in sent[1:])
    check(ledger)


def test_a_ledger_with_a_past_takes_no_row_for_unsent(
    ledger: Ledger, erp: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """READY without an attempt may be what a fail-over left of a posting."""
    (intent,) = ready(ledger, erp)
    with ledger.session() as session:
        row = session.get_one(Outbox, intent)
        assert never_sent(session, row)
        session.info.clear()
        other = database_epoch(session).rpartition("/")[0] + "/2"
        monkeypatch.setattr(stores, "database_moment", lambda s: (other, database_now(s)))
        assert not never_sent(session, row)
        row.epoch = other
        assert not never_sent(session, row), "remade after the fail-over, perhaps"
        session.rollback()


def test_what_a_lagging_search_does_not_show_is_read_by_its_id(ledger: Ledger, erp: str) -> None:
    class Lagging(FakeErp):
        def find(self, journal: Journal) -> Trace:
            super().find(journal)
            return Trace()

    fake, (intent,) = Lagging(), ready(ledger, erp)
    fake.plan("create", "no effect")
    result = drain(ledger, fake, erp, owner="test", budget=20, limits=QUICK)
    assert result.confirmed == (intent,)
    with ledger.session() as session:
        assert session.scalar(select(Outbox.reason).where(Outbox.intent_id == intent)) == ""
    check(ledger)
