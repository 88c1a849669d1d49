"""Many seeds: ``python -m tests.posting.sim [--runs N] [--seed FIRST] [--processes P] [--record]``.

A run is ten postings to one ERP. A failing seed is printed with how to replay it; with ``--record``
a line goes to docs/reliability/runs.csv. Ends with 1 where anything was violated.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import multiprocessing
import os
import platform
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.posting.sim.world import run

RUNS_FILE = Path(__file__).resolve().parents[3] / "docs" / "reliability" / "runs.csv"
COLUMNS = (
    "date", "commit", "machine", "what", "first_seed", "last_seed",
    "postings", "faults", "violations", "seconds",
)  # fmt: skip
CHUNK = 200


class Part(NamedTuple):
    """What some seeds came to."""

    ends: Counter[str]
    faults: int
    problems: list[str]
    traces: list[str]


def part(seeds: range) -> Part:
    """Run some seeds one after the other."""
    whole = Part(Counter(), 0, [], [])
    faults = 0
    for seed in seeds:
        verdict = run(seed)
        whole.ends.update(verdict.ends)
        faults += verdict.faults
        whole.traces.append(verdict.trace)
        whole.problems.extend(
            f"seed {seed} (class {verdict.kind}, trace {verdict.trace}): {problem}"
            for problem in verdict.problems
        )
    return whole._replace(faults=faults)


def main() -> int:
    """Run, print, record."""
    parser = argparse.ArgumentParser(prog="python -m tests.posting.sim", description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    last = asked.seed + asked.runs
    chunks = [range(n, min(n + CHUNK, last)) for n in range(asked.seed, last, CHUNK)]
    began, ends, faults, problems = time.monotonic(), Counter[str](), 0, 0
    with multiprocessing.Pool(asked.processes) as pool:
        for number, some in enumerate(pool.imap(part, chunks), 1):
            ends.update(some.ends)
            faults, problems = faults + some.faults, problems + len(some.problems)
            for problem in some.problems:
                print(f"VIOLATION {problem}", flush=True)
            if number % 50 == 0 or number == len(chunks):
                print(
                    f"{ends.total():,} postings, {faults:,} faults, {problems} violations",
                    flush=True,
                )
            if asked.runs == 1:
                print(f"trace {some.traces[0]}")
    seconds = round(time.monotonic() - began)
    words = ", ".join(f"{count:,} {state}" for state, count in sorted(ends.items()))
    print(f"seeds {asked.seed} to {last - 1}: {words}; {seconds} s")
    if problems:
        print("replay one with: make sim SEED=<seed> RUNS=1")
    if asked.record:
        record(asked.seed, last - 1, ends.total(), faults, problems, seconds)
    return 1 if problems else 0


def record(first: int, last: int, postings: int, faults: int, problems: int, seconds: int) -> None:
    """Append a line to the run book."""
    new = not RUNS_FILE.exists()
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    machine = f"{os.cpu_count()} x {platform.machine()}, Python {platform.python_version()}"
    with RUNS_FILE.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(COLUMNS)
        date = dt.datetime.now(dt.UTC).date()
        found = [first, last, postings, faults, problems, seconds]
        writer.writerow([date, commit.stdout.strip(), machine, "simulation", *found])


if __name__ == "__main__":
    sys.exit(main())
