"""``python -m tests.posting.crash``: thousands of schedules, and their row in the run book.

Singles first (every boundary of every path, before and after, and within each request), then
pairs, the second kill in the recovery from the first, in an order the seed gives.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

from tests.posting.crash.lab import PATHS, Lab, Schedule, opened
from tests.reliability import write_run
from tests.services import own_ledger, start_tryton, stop_tryton
from tieout.audit.chain import verify
from tieout.ledger.embedded import Server, ensure_server, stop_server
from tieout.ledger.ledger import Ledger
from tieout.posting.invariants import violations

VENDORS = ("sap", "oracle", "dynamics365", "netsuite", "tryton")


def schedules_of(lab: Lab, paths: list[str], seed: int, *, singles: bool) -> Iterator[Schedule]:
    """All singles where wanted, then all pairs in a seeded order; endless they are not."""
    places = {path: lab.places(path) for path in paths}
    for path in paths if singles else ():
        yield from (Schedule(path, (place,)) for place in places[path])
    pairs = [
        Schedule(path, (first, second))
        for path in paths
        for first in places[path]
        for second in places[path]
    ]
    random.Random(seed).shuffle(pairs)
    yield from pairs


def run_vendor(lab: Lab, most: int, seed: int, *, singles: bool) -> list[str]:
    """Up to ``most`` schedules; what is wrong with which."""
    wrong: list[str] = []
    began = time.monotonic()
    for number, schedule in enumerate(schedules_of(lab, list(PATHS), seed, singles=singles)):
        if number >= most:
            break
        try:
            lab.run(schedule)
        except AssertionError as error:
            wrong.append(f"{lab.vendor} {schedule}: {error}")
            print(f"[crash] WRONG {wrong[-1]}", flush=True)
        if number % 100 == 99:
            rate = (number + 1) / (time.monotonic() - began)
            print(f"[crash] {lab.vendor}: {number + 1} schedules, {rate:.1f} a second", flush=True)
    return wrong


def open_lab(vendor: str, server: Server, ledger: Ledger, stack: ExitStack) -> Lab:
    """A lab with its system; both end with the stack."""
    module = import_module(f"tests.connectors.rigs.{vendor}")
    if vendor == "tryton":
        from sandbox.tryton import service

        service.ensure_template(server.home)
        tryton = start_tryton(server)
        stack.callback(stop_tryton, server, tryton)
        rig = stack.enter_context(module.open_rig(tryton))
    else:
        rig = stack.enter_context(module.open_rig())
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    return stack.enter_context(opened(vendor, ledger, rig, folder))


def run_and_record(vendor: str, server: Server, most: int, seed: int, *, pairs: bool) -> int:
    """One vendor's schedules and their row, written as far as it came; how many were wrong."""
    wrong: list[str] = []
    began = time.monotonic()
    with ExitStack() as stack:
        ledger = stack.enter_context(own_ledger(server, "crash", durable=False))
        lab = open_lab(vendor, server, ledger, stack)
        print(f"[crash] {vendor}: finding the boundaries", flush=True)
        try:
            wrong += run_vendor(lab, most, seed, singles=not pairs)
            wrong += _broken(ledger)
        finally:
            seconds = time.monotonic() - began
            counts = f"{lab.schedules} schedules, {lab.killed} workers killed, {len(wrong)} wrong"
            print(f"[crash] {vendor}: {counts}, {seconds:.0f} s", flush=True)
            what = f"crash schedules over {vendor}"
            write_run(what, seed, lab.schedules, lab.killed, len(wrong), seconds)
    return len(wrong)


def main() -> int:
    """Run; the exit status says whether anything was wrong."""
    parser = argparse.ArgumentParser(prog="crash", description=__doc__)
    parser.add_argument("--schedules", type=int, default=500, help="most schedules a vendor")
    parser.add_argument("--vendors", default=",".join(VENDORS))
    parser.add_argument("--pairs", action="store_true", help="two kills each, no singles")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", default=".tieout/crash", help="folder of the database")
    args = parser.parse_args()
    home = Path(args.home).resolve()
    home.mkdir(parents=True, exist_ok=True)
    server = ensure_server(home, durable=False)
    wrong = 0
    try:
        for vendor in args.vendors.split(","):
            wrong += run_and_record(vendor, server, args.schedules, args.seed, pairs=args.pairs)
    finally:
        stop_server(home)
    return 1 if wrong else 0


def _broken(ledger: Ledger) -> list[str]:
    """The ledger's own invariants and its audit chain after all schedules."""
    with ledger.session() as session:
        broken = [f"{found}" for found in violations(session)]
        return broken + [f"{finding}" for finding in verify(session)[1]]


if __name__ == "__main__":
    sys.exit(main())
