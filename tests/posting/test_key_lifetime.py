"""Class B at the end of its key: sent again while the system surely knows it, and never after."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import func, update

from tests.connectors.rigs.sap import DAY, SapRig, connector_to, mapping
from tests.connectors.rigs.sap import open_rig as open_sap
from tests.posting.books import QUICK, approved, open_books
from tests.posting.test_delivery import attempts_of, check, row_of
from tieout.connectors.sap_s4hana import SapConnector
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import Outbox
from tieout.posting.delivery import drain
from tieout.posting.intents import make_intents
from tieout.posting.pace import Limits

HOUR = dt.timedelta(hours=1)
PATIENT = Limits(backoff_base=HOUR, backoff_max=HOUR)
#: Settled as soon as SAP's own time is over, and half a second.
SOON = replace(QUICK, send_grace=dt.timedelta(seconds=0.5))


def posting(ledger: Ledger, erp: str) -> tuple[str, str]:
    """One intent for SAP, and the name of its connection."""
    name = f"{erp}-sap"
    open_books(ledger, name, company="NORD", journal="bank", gl_account="11001000")
    accounts = ("65100000", "11001000")
    approved(ledger, name, company="NORD", journal="bank", accounts=accounts, booked_on=DAY)
    (intent,) = make_intents(ledger, name, actor="test").made
    return name, intent


def due(ledger: Ledger, intent: str) -> None:
    """It waits no longer."""
    with ledger.session() as session:
        own = Outbox.intent_id == intent
        session.execute(update(Outbox).where(own).values(next_at=func.clock_timestamp()))


def remembering(rig: SapRig, days: int, margin: int) -> SapConnector:
    content = mapping("bulk", connect=2, read=5, total=8)
    content["posting"] |= {"retention_days": days, "key_margin_days": margin}
    return connector_to(rig.address, content=content)


@pytest.mark.parametrize("cancelled", [True, False])
def test_a_message_somebody_cancelled_is_never_sent_again(
    ledger: Ledger, erp: str, cancelled: bool
) -> None:
    """Its answer was lost, it failed in SAP, a person gave it up, SAP has forgotten its id."""
    name, intent = posting(ledger, erp)
    with open_sap("bulk") as rig:
        connector = remembering(rig, days=0, margin=0)
        rig.close_period(DAY)
        rig.fault("create", "lost reply" if cancelled else "no effect")
        drain(ledger, connector, name, owner="test", budget=20, limits=PATIENT)
        rig.let_work()
        reference = next((p.id for p in rig.tenant.inbox.parcels), "")
        assert rig.tenant.inbox.cancel(reference) is cancelled
        rig.tenant.clock.advance(61 * 86_400)
        rig.open_period(DAY)
        due(ledger, intent)
        done = drain(ledger, connector, name, owner="test", budget=20, limits=SOON)
        rig.let_work()
        assert done.manual == (intent,)
        assert "no longer knows its key" in row_of(ledger, intent).reason
        first, *others = attempts_of(ledger, intent)
        assert (first, set(others)) == ("create UNKNOWN", {"find OK"})
        assert len(rig.tenant.inbox.parcels) == int(cancelled)
        connector.close()
    check(ledger)


@pytest.mark.parametrize(("margin", "again"), [(59, True), (60, False)])
def test_until_its_margin_the_same_message_is_sent_again(
    ledger: Ledger, erp: str, margin: int, again: bool
) -> None:
    name, intent = posting(ledger, erp)
    with open_sap("bulk") as rig:
        connector = remembering(rig, days=60, margin=margin)
        rig.fault("create", "no effect")
        drain(ledger, connector, name, owner="test", budget=0.3, limits=QUICK)
        told = attempts_of(ledger, intent)
        assert [one for one in told if one.startswith("create")] == (
            ["create UNKNOWN", "create PENDING"] if again else ["create UNKNOWN"]
        )
        assert row_of(ledger, intent).state == "UNKNOWN"
        connector.close()
    check(ledger)
