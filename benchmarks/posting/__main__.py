"""``make bench-post``: postings a second through each connector, and through all at once.

Each vendor's system runs in a process of its own (Tryton's is the real server), each outbox is
drained by one worker, and all of them share one PostgreSQL that waits for its disk. A posting is an
approved adjustment from its intent to CONFIRMED: created, read back, posted, read back again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import func, select

from sandbox.tryton import service
from tests.posting.books import approve, open_books, propose
from tests.posting.crash.vendors import SIMULATED
from tests.services import start_tryton, stop_tryton
from tieout.ledger.embedded import Server, ensure_server, stop_server
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import Outbox
from tieout.posting.intents import make_intents

REPORT = Path(__file__).parent.parent.parent / "docs" / "benchmarks" / "posting.md"
_SLICE = 250


def durable_commits(server: Server, name: str, seconds: float = 3) -> float:
    """One-row transactions a second on one connection, each on disk before the next begins."""
    with psycopg.connect(server.libpq(name), autocommit=True) as connection:
        connection.execute("CREATE TABLE bench_commit (n bigint)")
        began, count = time.monotonic(), 0
        while time.monotonic() - began < seconds:
            connection.execute("INSERT INTO bench_commit VALUES (%s)", (count,))
            count += 1
        return count / (time.monotonic() - began)


def fill(ledger: Ledger, erp: str, order: dict[str, Any], count: int) -> None:
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


def drain_all(ledger: Ledger, orders: dict[str, dict[str, Any]]) -> dict[str, float]:
    """One worker an ERP, all at once; seconds each took."""
    began = time.monotonic()
    workers = {
        erp: subprocess.Popen(
            [sys.executable, "-m", "benchmarks.posting.worker", ledger.address, erp],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for erp in orders
    }
    for erp, worker in workers.items():
        assert worker.stdin
        worker.stdin.write(json.dumps(orders[erp]))
        worker.stdin.close()
    ended: dict[str, float] = {}
    for erp, worker in workers.items():
        assert worker.stdout
        ended[erp] = float(worker.stdout.readline()) - began
        worker.wait()
    return ended


def systems(names: list[str], server: Server, stack: ExitStack) -> dict[str, dict[str, Any]]:
    """How to reach each vendor's system; all end with the stack."""
    orders: dict[str, dict[str, Any]] = {}
    for name in names:
        if name == "tryton":
            service.ensure_template(server.home)
            tryton = start_tryton(server)
            stack.callback(stop_tryton, server, tryton)
            process = tryton.process
            where = [process.url, process.database, process.login, process.password]
            books = {"company": "NORD", "journal": "bank", "accounts": ["6855", "1810"]}
            orders[name] = {"vendor": "tryton", "where": where, **books}
            continue
        child = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.posting.system", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.callback(child.wait)
        assert child.stdin and child.stdout
        stack.callback(child.stdin.close)
        orders[name] = json.loads(child.stdout.readline())
    return orders


def run(names: list[str], count: int, server: Server) -> tuple[dict[str, float], int]:
    """Seconds an ERP took, and how many postings were confirmed in all."""
    with ExitStack() as stack:
        name = f"bench_{uuid.uuid4().hex[:8]}"
        server.ensure_database(name)
        stack.callback(server.drop_database, name)
        ledger = Ledger(server.address(name))
        stack.callback(ledger.close)
        ledger.upgrade()
        orders = systems(names, server, stack)
        for erp, order in orders.items():
            fill(ledger, erp, order, count)
        took = drain_all(ledger, orders)
        with ledger.session() as session:
            confirmed = select(func.count()).where(Outbox.state == "CONFIRMED")
            return took, int(session.scalar(confirmed) or 0)


def main() -> int:
    """Measure and report; the exit status says whether every posting was confirmed."""
    parser = argparse.ArgumentParser(prog="bench-post", description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="postings through one ERP alone")
    parser.add_argument("--backlog", type=int, default=18_000, help="postings waiting in all")
    parser.add_argument("--vendors", default=",".join((*SIMULATED, "tryton")))
    parser.add_argument("--home", default=".tieout/bench-post")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks/posting.md")
    args = parser.parse_args()
    names = args.vendors.split(",")
    home = Path(args.home).resolve()
    home.mkdir(parents=True, exist_ok=True)
    server = ensure_server(home)
    try:
        server.ensure_database("bench_commits")
        commits = durable_commits(server, "bench_commits")
        server.drop_database("bench_commits")
        print(f"[bench] {commits:.0f} durable commits a second on one connection", flush=True)
        alone = {}
        for name in names:
            took, done = run([name], args.count, server)
            alone[name] = done / took[name]
            print(f"[bench] {name}: {done} postings, {alone[name]:.1f} a second", flush=True)
        each = args.backlog // len(names)
        print(f"[bench] all at once: {each} postings through each", flush=True)
        took, done = run(names, each, server)
    finally:
        stop_server(home)
    seconds, wanted = max(took.values()), each * len(names)
    for name, ended in sorted(took.items(), key=lambda item: item[1]):
        print(f"[bench] {name}: {each} postings after {ended:.0f} s")
    print(f"[bench] all at once: {done} of {wanted} postings, {done / seconds:.1f} a second")
    if args.write:
        REPORT.write_text(_report(commits, alone, took, done), "utf-8")
    return 0 if done == wanted else 1


def _report(commits: float, alone: dict[str, float], took: dict[str, float], done: int) -> str:
    """The page of the last run."""
    rows = "\n".join(f"| {name} alone | {rate:.1f} |" for name, rate in alone.items())
    seconds, each = max(took.values()), done // len(took)
    ends = "\n".join(
        f"| {name} | {ended:.0f} |" for name, ended in sorted(took.items(), key=lambda i: i[1])
    )
    return f"""# Posting

`make bench-post` measures how many approved adjustments a second become confirmed postings, from
the claim to the document read back and compared, with one worker an ERP and a ledger that waits
for its disk. The systems are the sandbox's simulators, each a process of its own on the same
machine, and the real Tryton; workers start within the measured time.

Last run: {os.cpu_count()} cores, {commits:.0f} durable commits a second on one connection.

| through | postings a second |
|---|---|
{rows}
| all at once ({done:,} postings in {seconds:.0f} s) | **{done / seconds:.1f}** |

The last line is the backlog of an outage: {done:,} postings, {done / 1800:.0f} a second for 30
minutes, wait when all systems come back, {each:,} for each of them. All of them were confirmed
{seconds / 60:.1f} minutes later:

| system | its last posting confirmed after, s |
|---|---|
{ends}
"""


if __name__ == "__main__":
    sys.exit(main())
