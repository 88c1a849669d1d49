"""What a worker does in a crash test: several drains, while the system works between them."""

from __future__ import annotations

import datetime as dt
import os
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import text, update

from tests.posting.books import QUICK
from tests.posting.crash.vendors import connector_of
from tieout import boundary
from tieout.connectors.connector import Connector
from tieout.connectors.ports import Capability, Journal
from tieout.errors import ConnectorError
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import Outbox
from tieout.posting.delivery import drain
from tieout.posting.intents import make_intents

__all__ = ["PATIENT", "Settled", "hasten", "let_work", "work"]

#: A row that waits is due again only when the test says so, not in a loop of its own.
PATIENT = replace(QUICK, backoff_base=dt.timedelta(hours=1), backoff_max=dt.timedelta(hours=1))
ROUNDS = 6


class Settled:
    """A connector whose settle time is always over.

    The lab lets every request have its effect before anybody claims again, which is what the
    settle time stands for.
    """

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    def capability(self, journal: Journal) -> Capability:
        """The connector's, with a time that was over long ago."""
        return replace(self._connector.capability(journal), settle=dt.timedelta(days=-1))


def hasten(ledger: Ledger, erp: str) -> None:
    """Let every wait be over, and every lease of a dead worker."""
    with ledger.session() as session:
        session.execute(
            update(Outbox)
            .where(Outbox.erp == erp)
            .values(next_at=text("clock_timestamp()"), lease_until=None, owner=None)
        )


def work(order: dict[str, Any], ledger: Ledger) -> None:
    """Make intents and drain until nothing waits; dies where the order says."""
    if order.get("pid_file"):
        Path(order["pid_file"]).write_text(str(os.getpid()), encoding="utf-8")
    connector: Any = Settled(connector_of(order))
    log = Path(order["log"]) if order["log"] else None
    boundary.arm(boundary.Plan(order["kill_at"], log))
    make_intents(ledger, order["erp"], actor="worker")
    for _ in range(ROUNDS):
        try:
            done = drain(ledger, connector, order["erp"], owner="worker", budget=30, limits=PATIENT)
        except ConnectorError:
            done = None  # nothing came through; the rows wait, as in production
        if done is not None and not done.waiting:
            break
        hasten(ledger, order["erp"])
        if order.get("base"):
            let_work(order["base"])
    boundary.arm(None)
    connector.close()


def let_work(base: str) -> None:
    """Let the simulated system work on what it has taken."""
    request = urllib.request.Request(f"{base}/_control/work", b"{}", method="POST")
    with urllib.request.urlopen(request, timeout=20) as answer:
        answer.read()
