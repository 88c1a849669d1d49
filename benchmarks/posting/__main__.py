"""``make bench-post``: postings a second through each connector, and through all at once.

Each vendor's system runs in a process of its own (Tryton's is the real server), each outbox is
drained by one worker, and all of them share one PostgreSQL that waits for its disk. A posting is an
approved adjustment from its intent to CONFIRMED: created, read back, posted, read back again. The
simulators count the requests that arrive: a budget that was exceeded fails the run.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.posting.lab import Ran, durable_commits, run
from benchmarks.posting.meter import Budget
from benchmarks.posting.report import OUTAGE_MINUTES, page, spoken
from tests.posting.crash.vendors import SIMULATED
from tieout.ledger.embedded import Server, ensure_server, stop_server
from tieout.posting.traffic_profile import load_terms

REPORT = Path(__file__).parent.parent.parent / "docs" / "benchmarks" / "posting.md"
#: A budget that three workers would exceed at once if they did not share it, and how they keep it:
#: what may leave late is allowed for.
_TIGHT = Budget(requests=60, seconds=5, concurrent=2)
_TIGHT_TERMS = {"requests": 60, "period": 5, "burst": 20, "late": 1, "concurrent": 2}
_TIGHT_WORKERS = 3
_TIGHT_COUNT = 60


def of_mapping(erp: str) -> Budget:
    """The budget an ERP's mapping states."""
    terms = load_terms(erp)
    return Budget(terms.requests, terms.period.total_seconds(), terms.concurrent)


def main() -> int:
    """Measure and report; the status says whether all was confirmed, in time and in budget."""
    args = _arguments()
    names = args.vendors.split(",")
    home = Path(args.home).resolve()
    home.mkdir(parents=True, exist_ok=True)
    server = ensure_server(home)
    try:
        commits = _commits(server)
        budgets = {name: of_mapping(name) for name in names}
        alone = {name: run(server, args.count, {name: budgets[name]}) for name in names}
        for name, ran in alone.items():
            print(f"[bench] {name}: {ran.confirmed / ran.seconds:.1f} postings a second")
        each = args.backlog // len(names)
        print(f"[bench] all at once: {each} postings through each", flush=True)
        backlog = run(server, each, budgets)
        counted = [name for name in names if name != "tryton"]
        count = min(_TIGHT_COUNT, args.count)
        print(f"[bench] {_TIGHT_WORKERS} workers each, {_TIGHT.words}", flush=True)
        tight = run(
            server,
            count,
            dict.fromkeys(counted, _TIGHT),
            workers=_TIGHT_WORKERS,
            terms=_TIGHT_TERMS,
        )
    finally:
        stop_server(home)
    _print(backlog, tight)
    if args.write:
        rates = {name: ran.confirmed / ran.seconds for name, ran in alone.items()}
        REPORT.write_text(page(commits, rates, backlog, tight), "utf-8")
    every = [*alone.values(), backlog, tight]
    wanted = args.count * len(names) + each * len(names) + count * len(counted)
    confirmed = sum(one.confirmed for one in every) == wanted
    in_budget = not any(found.refused for one in every for found in one.counted.values())
    return 0 if confirmed and in_budget and backlog.seconds <= OUTAGE_MINUTES * 60 else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-post", description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="postings through one ERP alone")
    parser.add_argument("--backlog", type=int, default=18_000, help="postings waiting in all")
    parser.add_argument("--vendors", default=",".join((*SIMULATED, "tryton")))
    parser.add_argument("--home", default=".tieout/bench-post")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks/posting.md")
    return parser.parse_args()


def _commits(server: Server) -> float:
    server.ensure_database("bench_commits")
    commits = durable_commits(server, "bench_commits")
    server.drop_database("bench_commits")
    print(f"[bench] {commits:.0f} durable commits a second on one connection", flush=True)
    return commits


def _print(backlog: Ran, tight: Ran) -> None:
    for name, ended in sorted(backlog.took.items(), key=lambda item: item[1]):
        print(f"[bench] {name}: its last posting after {ended:.0f} s")
    done, seconds = backlog.confirmed, backlog.seconds
    print(f"[bench] all at once: {done} postings, {done / seconds:.1f} a second")
    print(f"[bench] {spoken(backlog)}")
    for title, ran in (("mapping", backlog), ("shared", tight)):
        for erp, found in sorted(ran.counted.items()):
            print(
                f"[bench] {title} budget of {erp} ({found.budget.words}): {found.requests} "
                f"requests, most at one time {found.at_once}, most in {found.budget.seconds:g} s "
                f"{found.in_span}, refused {found.refused}"
            )


if __name__ == "__main__":
    sys.exit(main())
