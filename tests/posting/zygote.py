"""A warm process that forks a real worker for each order: ``python -m tests.posting.zygote``.

An order is a line of JSON: ``address erp kill_at log`` and where the ERP is (``port`` of the fake,
or ``tryton``). The worker makes intents and drains; the answer is its exit status (−9: killed). An
order with ``warm`` is done by the parent itself, so that the workers inherit compiled statements.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.posting.books import QUICK
from tests.posting.crash.worker import work
from tests.posting.erp_server import HttpWriter
from tieout import boundary
from tieout.connectors.ports import JournalWriter
from tieout.connectors.tryton import TrytonConnector
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import PostingIntent
from tieout.posting.delivery import drain
from tieout.posting.intents import make_intents
from tieout.posting.payload import journal_of
from tieout.profiles import load, mappings_dir


class Zygote:
    """The parent's side: start it once, order workers one after the other."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def work(self, **order: Any) -> int:
        """Run one worker to its end; return its exit status, −9 when it was killed."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self) -> None:
        """End it."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)


def _connector(order: dict[str, Any]) -> JournalWriter:
    if "port" in order:
        return HttpWriter(order["port"], order["erp"])
    where = order["tryton"]
    mapping = load(mappings_dir() / "erp" / "tryton.toml")
    return TrytonConnector(*where, company="NORD", mapping=mapping)


def _worker(order: dict[str, Any], ledger: Ledger) -> None:
    if "vendor" in order:
        work(order, ledger)
        ledger.close()
        return
    boundary.arm(boundary.Plan(order["kill_at"], Path(order["log"]) if order["log"] else None))
    if order.get("naive"):
        _naive(order, ledger)
    else:
        make_intents(ledger, order["erp"], actor="worker")
        drain(ledger, _connector(order), order["erp"], owner="worker", budget=30, limits=QUICK)
    ledger.close()  # a forked child must not inherit connections


def _naive(order: dict[str, Any], ledger: Ledger) -> None:
    """How not to do it: post first, remember afterwards."""
    made = make_intents(ledger, order["erp"], actor="naive").made
    connector = _connector(order)
    for intent_id in made:
        with ledger.session() as session:
            intent = session.get_one(PostingIntent, intent_id)
        draft = connector.create(journal_of(intent.payload, intent.ext_ref))
        connector.post(draft.doc_id or "")
        boundary.reached("commit naive", "before")


def main() -> None:
    """Fork a worker for each line; a single-threaded parent, so that forking is safe."""
    ledgers: dict[str, Ledger] = {}
    for line in sys.stdin:
        order = json.loads(line)
        ledger = ledgers.setdefault(order["address"], Ledger(order["address"]))
        if order.get("warm"):
            _worker(order, ledger)
            print(0, flush=True)
            continue
        child = os.fork()
        if child == 0:
            _worker(order, ledger)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
