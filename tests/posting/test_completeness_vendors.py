"""The nightly check over each vendor's own list: both directions, over HTTP."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import func, select, update

from tests.posting.books import QUICK, approved, open_books
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import Outbox, PostingIntent
from tieout.posting.delivery import drain
from tieout.posting.intents import make_intents
from tieout.stages.completeness import Checked, check_postings

DAY = dt.date(2026, 11, 20)
VENDORS = {
    "sap": ("NORD", ("65100000", "11001000")),
    "oracle": ("NORD", ("6855", "1810")),
    "dynamics365": ("nord", ("6855", "1810")),
    "netsuite": ("NORD", ("6855", "1810")),
}
STRANGER = "STRANGERSTRANGER"


def opened(vendor: str) -> AbstractContextManager[Any]:
    """A tenant of its own, with empty books."""
    found: AbstractContextManager[Any] = import_module(f"tests.connectors.rigs.{vendor}").open_rig()
    return found


@pytest.fixture(params=VENDORS)
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def rig(vendor: str) -> Iterator[Any]:
    with opened(vendor) as found:
        yield found


def confirm(ledger: Ledger, erp: str, rig: Any, vendor: str) -> list[str]:
    """Two postings brought to their end; their references."""
    company, accounts = VENDORS[vendor]
    open_books(ledger, erp, company=company, journal="bank", gl_account=accounts[1])
    approved(ledger, erp, 2, company=company, journal="bank", accounts=accounts, booked_on=DAY)
    intents = make_intents(ledger, erp, actor="test").made
    for _ in range(8):
        drain(ledger, rig.connector, erp, owner="test", budget=2, limits=QUICK)
        rig.let_work()
        with ledger.session() as session:
            waiting = update(Outbox).where(Outbox.erp == erp)
            session.execute(waiting.values(next_at=func.clock_timestamp()))
            states = session.scalars(select(Outbox.state).where(Outbox.erp == erp)).all()
        if set(states) == {"CONFIRMED"}:
            break
    assert set(states) == {"CONFIRMED"}
    with ledger.session() as session:
        return sorted(session.get_one(PostingIntent, intent).ext_ref for intent in intents)


def checked(ledger: Ledger, erp: str, rig: Any) -> Checked:
    nothing = dt.timedelta(0)
    return check_postings(ledger, rig.connector, erp, until=DAY, settling=nothing)


def test_both_directions_are_seen_in_the_vendor_s_own_list(
    ledger: Ledger, erp: str, rig: Any, vendor: str
) -> None:
    name = f"{erp}-{vendor}"
    ours = confirm(ledger, name, rig, vendor)
    good = checked(ledger, name, rig)
    assert (good.listed, good.documents, good.confirmed) == (True, 2, 2)
    assert good.differences == ()
    stranger = rig.journal(STRANGER, amount=4711)
    rig.connector.create(stranger)
    for _ in range(4):
        rig.let_work()
        for document in rig.connector.find(stranger).documents:
            rig.connector.post(document.doc_id)
    (unknown,) = checked(ledger, name, rig).differences
    assert unknown.startswith("POSTING_UNKNOWN") and STRANGER in unknown
    with opened(vendor) as emptied:
        gone = checked(ledger, name, emptied)
    assert [line.split()[0] for line in gone.differences] == ["POSTING_MISSING"] * 2
    assert len(ours) == 2 and gone.documents == 0
