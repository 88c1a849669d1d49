"""The same with the real thing: Tryton, its own JSON-RPC, and workers killed in between."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from sqlalchemy import select, text, update

from tests.connectors.rigs.tryton import Client
from tests.posting.books import QUICK, approved, open_books
from tests.posting.zygote import Zygote
from tests.services import Tryton
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import Adjustment, Outbox, PostingIntent
from tieout.posting.delivery import drain
from tieout.posting.intents import make_intents
from tieout.posting.invariants import violations

pytestmark = pytest.mark.xdist_group("posting to tryton")  # one server for all of them

KILLS = [
    "commit claim:after:1",
    "request create batch:before:1",
    "request create batch:after:1",
    "commit after create:before:2",
    "request post:before:2",
    "request post:after:1",
    "commit after post:before:2",
    "commit after read:before:3",
    "http model.account.move.create:before:1",
    "http model.account.move.create:after:1",
    "http model.account.move.post:before:2",
    "http model.account.move.post:after:2",
]
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    zygote = Zygote()
    yield zygote
    zygote.close()


@pytest.mark.parametrize("kill_at", KILLS)
def test_killed_with_real_tryton(
    ledger: Ledger, tryton: Tryton, zygote: Zygote, kill_at: str
) -> None:
    erp = f"tryton{next(_NUMBERS)}"
    open_books(ledger, erp, company="NORD", journal="bank", gl_account="1810")
    approved(ledger, erp, 3, company="NORD", journal="bank", accounts=("6855", "1810"))
    process = tryton.process
    where = [process.url, process.database, process.login, process.password]
    order = {"address": ledger.address, "erp": erp, "tryton": where, "log": ""}
    assert zygote.work(**order, kill_at=kill_at) == -9
    with ledger.session() as session:
        held = update(Outbox).where(Outbox.erp == erp, Outbox.lease_until.is_not(None))
        session.execute(held.values(lease_until=text("clock_timestamp()")))
    connector = tryton.connector()
    make_intents(ledger, erp, actor="clean")
    result = drain(ledger, connector, erp, owner="clean", budget=30, limits=QUICK)
    again = drain(ledger, connector, erp, owner="again", budget=30, limits=QUICK)
    connector.close()
    assert (result.waiting, result.manual, again.effects + again.looks) == (0, (), 0)
    check(ledger, erp, Client(tryton))


def check(ledger: Ledger, erp: str, client: Client) -> None:
    with ledger.session() as session:
        rows = session.execute(
            select(PostingIntent.ext_ref, Outbox.erp_doc_id, Adjustment.document_no)
            .join(Outbox, Outbox.intent_id == PostingIntent.intent_id)
            .join(Adjustment, Adjustment.adjustment_id == PostingIntent.adjustment_id)
            .where(Outbox.erp == erp, Outbox.state == "CONFIRMED")
        ).all()
        assert violations(session) == []
    assert len(rows) == 3
    for reference, doc_id, number in rows:
        (move,) = client.moves(reference)
        assert (move["state"], str(move["id"]), move["number"]) == ("posted", doc_id, number)
