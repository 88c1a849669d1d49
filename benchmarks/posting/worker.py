"""Drains one ERP's outbox to its end: ``python -m benchmarks.posting.worker ADDRESS ERP``.

Reads from its input how to reach the system and the terms of the connection; prints the monotonic
time at which nothing waited. Every request passes the gate, as in production.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import time
from dataclasses import replace
from typing import Any

from sqlalchemy import text, update

from tests.posting.crash.vendors import connector_of
from tests.posting.crash.worker import PATIENT, Settled, let_work
from tieout.connectors.http_wire import through
from tieout.errors import ConnectorError
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import Outbox
from tieout.posting.delivery import drain
from tieout.posting.gate import Gate
from tieout.posting.traffic import Terms
from tieout.posting.traffic_profile import load_terms

__all__ = ["main", "terms_for"]


def terms_for(erp: str, order: dict[str, Any]) -> Terms:
    """The terms of the mapping, whatever its calendar says, or those of the order."""
    given = order.get("terms")
    if given is None:
        return replace(load_terms(erp), maintenance=())
    spans = {name: dt.timedelta(seconds=given[name]) for name in ("period", "late")}
    return Terms(**(given | spans))


def _hasten(ledger: Ledger, erp: str) -> None:
    """Let every wait be over; what a worker is at stays its own."""
    with ledger.session() as session:
        session.execute(
            update(Outbox)
            .where(Outbox.erp == erp, Outbox.owner.is_(None))
            .values(next_at=text("clock_timestamp()"))
        )


def main() -> None:
    """Drain; a system that works in its own time is asked to after each round."""
    address, erp = sys.argv[1:3]
    order = json.loads(sys.stdin.read())
    ledger = Ledger(address)
    owner = f"bench {erp} {os.getpid()}"
    gate = Gate(ledger, erp, terms_for(erp, order), owner=owner)
    with through(gate):
        connector: Any = Settled(connector_of(order))
    waiting = 1
    while waiting:
        try:
            waiting = drain(
                ledger, connector, erp, owner=owner, budget=3600, limits=PATIENT, gate=gate
            ).waiting
        except ConnectorError:
            waiting = 1
        if waiting:
            _hasten(ledger, erp)
            if order.get("base"):
                let_work(order["base"])
            else:
                time.sleep(0.05)  # another worker is at the last ones
    print(time.monotonic(), flush=True)
    connector.close()
    ledger.close()


if __name__ == "__main__":
    main()
