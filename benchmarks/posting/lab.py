"""One run: systems, a ledger with approved adjustments, and workers that post them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from sqlalchemy import func, select

from benchmarks.posting.meter import Budget
from sandbox.tryton import service
from tests.posting.books import approve, open_books, propose
from tests.services import own_ledger, start_tryton, stop_tryton
from tieout.ledger.embedded import Server
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import Outbox
from tieout.posting.intents import make_intents

__all__ = ["Counted", "Ran", "durable_commits", "run"]

_SLICE = 250


@dataclass(frozen=True, slots=True)
class Counted:
    """What a simulator's meter counted against its budget."""

    budget: Budget
    requests: int
    at_once: int
    in_span: int
    refused: int


@dataclass(frozen=True, slots=True)
class Ran:
    """Seconds until each ERP's last posting, how many were confirmed in all, and the meters."""

    took: dict[str, float]
    confirmed: int
    counted: dict[str, Counted]

    @property
    def seconds(self) -> float:
        """Until the last posting of all."""
        return max(self.took.values())


def durable_commits(server: Server, name: str, seconds: float = 3) -> float:
    """One-row transactions a second on one connection, each on disk before the next begins."""
    with psycopg.connect(server.libpq(name), autocommit=True) as connection:
        connection.execute("CREATE TABLE bench_commit (n bigint)")
        began, count = time.monotonic(), 0
        while time.monotonic() - began < seconds:
            connection.execute("INSERT INTO bench_commit VALUES (%s)", (count,))
            count += 1
        return count / (time.monotonic() - began)


def run(
    server: Server,
    count: int,
    budgets: Mapping[str, Budget],
    *,
    workers: int = 1,
    terms: Mapping[str, Any] | None = None,
) -> Ran:
    """Post ``count`` adjustments through each ERP, through all of them at once.

    Args:
        budgets: the ERPs, and the budget at whose end each simulator refuses.
        workers: processes that drain each outbox.
        terms: what the workers keep to, instead of the mapping's.
    """
    told: dict[str, Counted] = {}
    with ExitStack() as stack:
        ledger = stack.enter_context(own_ledger(server, "bench", durable=True))
        orders = {}
        for erp, budget in budgets.items():
            start = _tryton if erp == "tryton" else _simulated
            orders[erp] = start(erp, budget, server, stack, told) | {"terms": terms}
            _fill(ledger, erp, orders[erp], count)
        took = _drain_all(ledger, orders, workers)
        with ledger.session() as session:
            confirmed = select(func.count()).where(Outbox.state == "CONFIRMED")
            done = int(session.scalar(confirmed) or 0)
    return Ran(took, done, told)


def _fill(ledger: Ledger, erp: str, order: dict[str, Any], count: int) -> None:
    """Approved adjustments and their intents."""
    known = {"company": order["company"], "journal": order["journal"]}
    accounts = (order["accounts"][0], order["accounts"][1])
    open_books(ledger, erp, **known, gl_account=accounts[1])
    for first in range(0, count, _SLICE):
        with ledger.session() as session:
            for number in range(first, min(first + _SLICE, count)):
                made = propose(session, erp, f"{number:06d}", accounts=accounts, **known)
                approve(session, made)
    made_intents = make_intents(ledger, erp, actor="bench")
    if len(made_intents.made) != count:
        raise RuntimeError(f"{erp}: {made_intents.refused[:2]}")


def _drain_all(ledger: Ledger, orders: Mapping[str, dict[str, Any]], each: int) -> dict[str, float]:
    """So many workers an ERP, all at once; seconds each ERP took."""
    began = time.monotonic()
    workers = [
        (erp, _child(["worker", ledger.address, erp])) for erp in orders for _ in range(each)
    ]
    for erp, worker in workers:
        assert worker.stdin
        worker.stdin.write(json.dumps(orders[erp]))
        worker.stdin.close()
    ended: dict[str, float] = {}
    for erp, worker in workers:
        assert worker.stdout
        ended[erp] = max(ended.get(erp, 0.0), float(worker.stdout.readline()) - began)
        worker.wait()
    return ended


def _tryton(
    erp: str, budget: Budget, server: Server, stack: ExitStack, told: dict[str, Counted]
) -> dict[str, Any]:
    """The real server; nobody counts its requests but our own gate."""
    service.ensure_template(server.home)
    tryton = start_tryton(server)
    stack.callback(stop_tryton, server, tryton)
    process = tryton.process
    where = [process.url, process.database, process.login, process.password]
    books = {"company": "NORD", "journal": "bank", "accounts": ["6855", "1810"]}
    return {"vendor": erp, "where": where, **books}


def _simulated(
    erp: str, budget: Budget, server: Server, stack: ExitStack, told: dict[str, Counted]
) -> dict[str, Any]:
    """A simulator in a process of its own; its meter is read at the end."""
    child = _child(["system", erp, json.dumps(asdict(budget))])
    assert child.stdin and child.stdout
    stdin, stdout = child.stdin, child.stdout

    def end() -> None:
        stdin.close()
        told[erp] = Counted(budget, **json.loads(stdout.readline()))
        child.wait()

    stack.callback(end)
    order: dict[str, Any] = json.loads(stdout.readline())
    return order


def _child(arguments: Sequence[str]) -> subprocess.Popen[str]:
    module = f"benchmarks.posting.{arguments[0]}"
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments[1:]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
