"""docs/benchmarks/posting.md: the page of the last run."""

from __future__ import annotations

import os
from collections.abc import Mapping

from benchmarks.posting.lab import Counted, Ran

__all__ = ["OUTAGE_MINUTES", "page", "spoken"]

#: How long the outage lasted whose backlog is drained.
OUTAGE_MINUTES = 30


def spoken(backlog: Ran) -> str:
    """One line: what came in during the outage, and how long it took afterwards."""
    done = backlog.confirmed
    rate = done / (OUTAGE_MINUTES * 60)
    return (
        f"an outage of {OUTAGE_MINUTES} minutes, {rate:.1f} postings arriving a second: "
        f"{done:,} waited, the last was confirmed {backlog.seconds / 60:.1f} minutes after its end"
    )


def page(commits: float, alone: Mapping[str, float], backlog: Ran, tight: Ran) -> str:
    """The whole page."""
    rows = "\n".join(f"| {name} alone | {rate:.1f} |" for name, rate in alone.items())
    done, seconds = backlog.confirmed, backlog.seconds
    ends = "\n".join(
        f"| {name} | {ended:.0f} |"
        for name, ended in sorted(backlog.took.items(), key=lambda item: item[1])
    )
    return f"""# Posting

`make bench-post` measures how many approved adjustments a second become confirmed postings, from
the claim to the document read back and compared, with one worker an ERP and a ledger that waits
for its disk. The systems are the sandbox's simulators, each a process of its own on the same
machine, and the real Tryton; workers start within the measured time, and every request passes the
gate of its connection.

Last run: {os.cpu_count()} cores, {commits:.0f} durable commits a second on one connection.

| through | postings a second |
|---|---|
{rows}
| all at once ({done:,} postings in {seconds:.0f} s) | **{done / seconds:.1f}** |

The last line is the backlog of {spoken(backlog)}.

| system | its last posting confirmed after, s |
|---|---|
{ends}

## Budgets

Each simulator counts what arrives at its door and refuses what is beyond the budget, as its vendor
does. While the backlog was drained, with the budgets of the mappings (`[traffic]`):

{_budgets(backlog.counted)}

Then with a budget that holds them up: three workers an ERP, each ready to send at once whatever
it may, share a budget through the ledger.

{_budgets(tight.counted)}

A request refused for the budget, or a posting that is not confirmed, fails the run.
"""


def _budgets(counted: Mapping[str, Counted]) -> str:
    lines = [
        "| system | budget | requests | most at one time | most in the span | refused |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {erp} | {found.budget.words} | {found.requests:,} | {found.at_once} "
        f"| {found.in_span} in {found.budget.seconds:g} s | {found.refused} |"
        for erp, found in sorted(counted.items())
    ]
    return "\n".join(lines)
