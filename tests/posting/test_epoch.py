"""A restored or failed-over database may have forgotten what was sent."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import text, update

from tests.posting.books import QUICK
from tests.posting.test_delivery import check, ready, row_of, run
from tieout.connectors.fake import FakeErp
from tieout.ledger.ledger import Ledger, database_now
from tieout.ledger.models import Outbox, PostingIntent
from tieout.posting import sql_store as stores
from tieout.posting.payload import journal_of


def test_a_new_database_epoch_looks_before_it_sends(
    ledger: Ledger, erp: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stale copy took over: the rows read READY, but the document is in the ERP already."""
    fake, intents = FakeErp(), ready(ledger, erp, 2)
    with ledger.session() as session:
        stored = session.get_one(PostingIntent, intents[0])
        journal = journal_of(stored.payload, stored.ext_ref)
    fake.post(fake.create(journal).doc_id or "")
    monkeypatch.setattr(stores, "database_moment", lambda s: ("another/2", database_now(s)))
    later = replace(QUICK, settle=dt.timedelta(seconds=60))
    result = run(ledger, fake, erp, later)
    assert (result.waiting, result.effects) == (2, 0), "nothing is sent before the settle time"
    with ledger.session() as session:
        session.execute(
            update(Outbox).where(Outbox.erp == erp).values(next_at=text("clock_timestamp()"))
        )
    assert sorted(run(ledger, fake, erp).confirmed) == sorted(intents)
    assert len(fake.documents) == 2
    assert row_of(ledger, intents[0]).fence > 1_000_000
    check(ledger)
