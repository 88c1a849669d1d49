"""``python -m tests.posting.crash.many``: thousands of postings to the real Tryton, workers shot.

Two worker processes drain the same outbox while they are killed at random; whoever dies is
replaced. Then Tryton's own client library counts: each adjustment must be posted exactly once.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import func, select, update

from sandbox.tryton import service
from tests.posting.books import QUICK, approve, open_books, propose
from tests.reliability import write_run
from tests.services import Tryton, own_ledger, start_tryton, stop_tryton
from tieout.audit.chain import verify
from tieout.connectors.tryton import TrytonConnector
from tieout.errors import ConnectorError
from tieout.ledger.embedded import ensure_server, stop_server
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import Outbox, PostingIntent
from tieout.posting.delivery import drain
from tieout.posting.intents import make_intents
from tieout.posting.invariants import violations
from tieout.profiles import load, mappings_dir

ERP = "tryton"
_SLICE = 250  # adjustments approved in one transaction


def _work(address: str, where: list[str]) -> int:
    """One worker: drains until nothing waits; its leases are short, as it may be shot."""
    ledger = Ledger(address)
    mapping = load(mappings_dir() / "erp" / "tryton.toml")
    connector = TrytonConnector(*where, company="NORD", mapping=mapping)
    waiting = 1
    while waiting:
        try:
            waiting = drain(
                ledger, connector, ERP, owner=f"worker {os.getpid()}", budget=60, limits=QUICK
            ).waiting
        except ConnectorError:
            waiting = 1  # the rows wait; the next drain takes them up
    return 0


def _fill(ledger: Ledger, count: int) -> None:
    open_books(ledger, ERP, company="NORD", journal="bank", gl_account="1810")
    for first in range(0, count, _SLICE):
        with ledger.session() as session:
            for number in range(first, min(first + _SLICE, count)):
                amount = 100 + number
                made = propose(
                    session,
                    ERP,
                    f"{number:05d}",
                    amount=amount,
                    company="NORD",
                    journal="bank",
                    accounts=("6855", "1810"),
                )
                approve(session, made)
    made_intents = make_intents(ledger, ERP, actor="tieout")
    assert len(made_intents.made) == count, made_intents.refused[:3]


def _shoot(ledger: Ledger, tryton: Tryton, count: int, seed: int) -> int:
    """Keep two workers at work and kill one every now and then; how many were killed."""
    process, draw, killed = tryton.process, random.Random(seed), 0
    where = [process.url, process.database, process.login, process.password]
    command = [sys.executable, "-m", __spec__.name, "--worker", ledger.address, *where]
    workers: list[subprocess.Popen[bytes]] = []
    began = last = time.monotonic()
    while True:
        workers = [worker for worker in workers if worker.poll() is None]
        done = _done(ledger)
        if done == count:
            break
        while len(workers) < 2:
            workers.append(subprocess.Popen(command))
        time.sleep(draw.uniform(8, 24))  # long enough to begin, whatever else runs
        victim = draw.choice(workers)
        if victim.poll() is None:
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            killed += 1
            _lease_over(ledger, victim.pid)
        if time.monotonic() - last > 60:
            last = time.monotonic()
            rate = done / (last - began)
            print(f"[many] {done} posted, {killed} killed, {rate:.1f} a second", flush=True)
    for worker in workers:
        worker.wait()
    return killed


def _lease_over(ledger: Ledger, pid: int) -> None:
    """What two minutes would do for a worker that is surely dead."""
    with ledger.session() as session:
        session.execute(
            update(Outbox)
            .where(Outbox.owner == f"worker {pid}")
            .values(lease_until=func.clock_timestamp())
        )


def _done(ledger: Ledger) -> int:
    with ledger.session() as session:
        ended = select(func.count()).where(Outbox.state == "CONFIRMED")
        return int(session.scalar(ended) or 0)


def _count(tryton: Tryton, ledger: Ledger, count: int) -> list[str]:
    """What Tryton's own client finds wrong: anything but one posted move a reference."""
    from proteus import config

    process = tryton.process
    login = ("admin", service.passwords(tryton.home)["admin"])
    address = process.url.replace("http://", f"http://{login[0]}:{login[1]}@")
    client = config.set_xmlrpc(f"{address}/{process.database}/rpc/")
    proxy = client.get_proxy("account.move")
    with ledger.session() as session:
        known = dict(
            session.execute(
                select(PostingIntent.ext_ref, PostingIntent.amount_minor).order_by(
                    PostingIntent.ext_ref
                )
            ).all()
        )
    moves: Counter[str] = Counter()
    drafts: list[str] = []
    wrong: list[str] = []
    fields = ["description", "state", "lines.debit"]  # records one by one would take an hour
    ours = [("description", "like", "[%")]
    for move in proxy.search_read(ours, 0, None, None, fields, client.context):
        reference = move["description"][1:17]
        if reference not in known:
            continue
        if move["state"] != "posted":
            drafts.append(reference)
            continue
        moves[reference] += 1
        total = int(sum(line["debit"] for line in move["lines."]) * 100)
        if total != known[reference]:
            wrong.append(f"{reference}: {total}, sent {known[reference]}")
    wrong += [f"{reference}: posted {n} times" for reference, n in moves.items() if n != 1]
    wrong += [f"{reference}: never posted" for reference in known if reference not in moves]
    wrong += [f"{reference}: a draft is left" for reference in drafts]
    assert len(known) == count
    return wrong


def main() -> int:
    """Run; the exit status says whether anything was wrong."""
    parser = argparse.ArgumentParser(prog="many", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", default=".tieout/crash", help="folder of the database")
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        return _work(args.worker[0], args.worker[1:])
    home = Path(args.home).resolve()
    home.mkdir(parents=True, exist_ok=True)
    server, began = ensure_server(home, durable=False), time.monotonic()
    try:
        with ExitStack() as stack:
            service.ensure_template(server.home)
            tryton = start_tryton(server)
            stack.callback(stop_tryton, server, tryton)
            ledger = stack.enter_context(own_ledger(server, "many", durable=False))
            print(f"[many] approving {args.count} adjustments", flush=True)
            _fill(ledger, args.count)
            killed = _shoot(ledger, tryton, args.count, args.seed)
            wrong = _count(tryton, ledger, args.count)
            with ledger.session() as session:
                wrong += [f"{found}" for found in violations(session)]
                wrong += [f"{finding}" for finding in verify(session)[1]]
    finally:
        stop_server(home)
    seconds = time.monotonic() - began
    for line in wrong[:20]:
        print(f"[many] WRONG {line}")
    print(f"[many] {args.count} postings, {killed} killed, {len(wrong)} wrong, {seconds:.0f} s")
    what = "postings to the real Tryton, workers shot"
    write_run(what, args.seed, args.count, killed, len(wrong), seconds)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
