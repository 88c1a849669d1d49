"""A reversal is an intent of its own, and names the document it takes back."""

from __future__ import annotations

from sqlalchemy import select

from tests.posting.books import approve, approved, propose
from tests.posting.test_delivery import check, run
from tieout.connectors.fake import FakeErp
from tieout.connectors.ports import Delivery, Journal
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import Adjustment, Outbox, PostingIntent
from tieout.posting.intents import make_intents, planned_journals
from tieout.posting.reversal import REVERSAL


class Watched(FakeErp):
    """Remembers the journals it was given."""

    def create(self, journal: Journal) -> Delivery:
        self.__dict__.setdefault("journals", []).append(journal)
        return super().create(journal)


def reversal(ledger: Ledger, erp: str, original: str) -> str:
    """An approved adjustment that takes another one back."""
    with ledger.session() as session:
        made = propose(session, erp, "reversal")
        adjustment = session.get_one(Adjustment, made)
        adjustment.kind, adjustment.subject_id = REVERSAL, original
        adjustment.subject_side = "adjustment"
        approve(session, made)
    return made


def test_a_reversal_waits_for_what_it_takes_back_and_names_its_document(
    ledger: Ledger, erp: str
) -> None:
    fake = Watched()
    (original,) = approved(ledger, erp)
    taking_back = reversal(ledger, erp, original)
    first = make_intents(ledger, erp, actor="tieout")
    assert len(first.made) == 1
    assert [finding.code for finding in first.refused] == ["REVERSAL_TOO_EARLY"]
    run(ledger, fake, erp)
    with ledger.session() as session:
        ((planned, journal),) = planned_journals(session, erp)[0]
        document = session.scalars(select(Outbox.erp_doc_id)).one()
    assert (planned, journal.reverses) == (taking_back, document)
    assert make_intents(ledger, erp, actor="tieout").refused == ()
    run(ledger, fake, erp)
    sent = fake.__dict__["journals"]
    assert [each.reverses for each in sent] == [None, document]
    assert [each.endpoint for each in sent] == ["journal", "reversal"]
    assert sent[1].external_ref == journal.external_ref
    with ledger.session() as session:
        kinds = session.scalars(select(PostingIntent.kind).order_by(PostingIntent.kind)).all()
        states = session.scalars(select(Adjustment.state)).all()
    assert kinds == ["ADJUST", "REVERSE"]
    assert states == ["posted", "posted"]
    check(ledger)
