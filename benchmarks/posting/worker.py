"""Drains one ERP's outbox to its end: ``python -m benchmarks.posting.worker ADDRESS ERP``.

Reads how to reach the system from its input; prints the monotonic time at which nothing waited.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from tests.posting.crash.vendors import connector_of
from tests.posting.crash.worker import PATIENT, Settled, hasten, let_work
from tieout.errors import ConnectorError
from tieout.ledger.ledger import Ledger
from tieout.posting.delivery import drain

__all__ = ["main"]


def main() -> None:
    """Drain; a system that works in its own time is asked to after each round."""
    address, erp = sys.argv[1:3]
    order = json.loads(sys.stdin.read())
    ledger = Ledger(address)
    connector: Any = Settled(connector_of(order))
    waiting = 1
    while waiting:
        try:
            waiting = drain(
                ledger, connector, erp, owner=f"bench {erp}", budget=3600, limits=PATIENT
            ).waiting
        except ConnectorError:
            waiting = 1
        if waiting:
            hasten(ledger, erp)
            if order.get("base"):
                let_work(order["base"])
    print(time.monotonic(), flush=True)
    connector.close()
    ledger.close()


if __name__ == "__main__":
    main()
