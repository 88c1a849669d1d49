"""The run book: each long run of the reliability tests leaves a row, so that counts add up."""

from __future__ import annotations

import csv
import datetime as dt
import os
import platform
import subprocess
from pathlib import Path

__all__ = ["RUNS", "write_run"]

RUNS = Path(__file__).parent.parent / "docs" / "reliability" / "runs.csv"
_COLUMNS = (
    "date",
    "commit",
    "machine",
    "what",
    "first_seed",
    "last_seed",
    "postings",
    "faults",
    "violations",
    "seconds",
)


def write_run(
    what: str, seed: int, postings: int, faults: int, violations: int, seconds: float
) -> None:
    """Append a row to docs/reliability/runs.csv.

    Args:
        what: the kind of run.
        seed: what the run was drawn from.
        postings: made, one a schedule.
        faults: kills, or faults of the system and the network.
        violations: what was wrong; anything but 0 stops a release.
        seconds: of wall clock.
    """
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=RUNS.parent,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    machine = f"{os.cpu_count()} x {platform.machine()}, Python {platform.python_version()}"
    today = dt.datetime.now(dt.UTC).date().isoformat()
    new = not RUNS.exists()
    with RUNS.open("a", encoding="utf-8", newline="") as book:
        writer = csv.writer(book, lineterminator="\n")
        if new:
            writer.writerow(_COLUMNS)
        writer.writerow(
            (
                today,
                commit,
                machine,
                what,
                seed,
                seed,
                postings,
                faults,
                violations,
                round(seconds),
            )
        )
