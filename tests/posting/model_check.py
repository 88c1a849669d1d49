"""Search all models and all wrong designs: ``python -m tests.posting.model_check [--write]``.

Prints a table; with ``--write`` also writes docs/reliability/model.md. Ends with 1 where a model is
broken or a wrong design survives.
"""

from __future__ import annotations

import datetime as dt
import platform
import subprocess
import sys
from pathlib import Path

from tests.posting.model.design import Design
from tests.posting.model.mutants import MUTANTS
from tests.posting.model.search import Verdict, search
from tests.posting.model.suite import DEEP, SMALL

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability" / "model.md"
HEAD = """# The posting protocol, model checked

An explicit-state search of every order of events, breadth first, around the functions and tables
that production runs (`tieout.posting.protocol`, `tieout.states`). Workers die, sleep past their
lease, and are more than one; requests are lost, late and reordered; answers are lost; the period
closes and opens; documents show late; a queue makes them late or refuses them; the ERP posts by
itself or stores another amount; keys are forgotten; the database fails over to a copy that has
forgotten the latest commits; people hold, release, cancel and reverse; two intents share a request.

Each state is checked against I1 (one posted document), I2 (confirmed means posted, as approved, and
seen to be alone), I3 (rejected and cancelled mean nothing posted, then and ever after), I10 (no
reversal without its original), I13 (a closed period takes nothing) and I12 (an undisturbed worker
brings every reachable row to an end). I5, I6 and I7 are in how the model commits, and have their
wrong designs below. I4, I8, I9, I11 and I14 are not of the model: constraints, SQL invariants and
other tests hold them.

Two assumptions are in it, and no other: a claim calls a row of class A, B or D *settled* only when
nothing sent before can still land or show (what the capability's `settle` promises, zombies' send
grace included), and a key of class B is taken for dead before anything sent under it can still be on
its way. Class C needs neither (after a fail-over it waits once, until the old database's workers are
through). A wrong design below breaks each of them.

`make model` writes this page. {date}, {machine}, Python {python}; processor seconds of one core, on
a machine that does other work too.
"""


def bounds(design: Design) -> str:
    """The bounds of a search in words."""
    parts = [
        f"{design.workers} workers",
        f"{design.claims_max} claims",
        f"{design.sends_max} sends",
    ]
    for count, word in (
        (design.flips_max, "period flips"),
        (design.failovers_max, "fail-overs"),
        (design.holds_max, "holds"),
        (design.cancels_max, "cancels"),
        (design.releases_max, "releases"),
    ):
        parts += [f"{count} {word}"] if count else []
    return ", ".join(parts)


def models() -> tuple[list[str], list[str], int]:
    """Search all; return the table, what broke, and how many states."""
    rows = [
        "| model | bounds | states | transitions | verdict | seconds |",
        "|---|---|--:|--:|---|--:|",
    ]
    broken, states, transitions, seconds = [], 0, 0, 0.0
    for name, design in (SMALL | DEEP).items():
        verdict = search(design)
        states, transitions = states + verdict.states, transitions + verdict.transitions
        seconds += verdict.seconds
        rows.append(_row(name, bounds(design), verdict))
        print(rows[-1], flush=True)
        if verdict.problem:
            broken += [f"{name}: {verdict.problem}", *(f"  {words}" for words in verdict.trace)]
    rows.append(f"| **all** | | **{states:,}** | **{transitions:,}** | | **{seconds:.0f}** |")
    print(rows[-1], flush=True)
    return rows, broken, states


def _row(name: str, words: str, verdict: Verdict) -> str:
    problem = verdict.problem or "0 violations"
    counts = f"{verdict.states:,} | {verdict.transitions:,}"
    return f"| {name} | {words} | {counts} | {problem} | {verdict.seconds:.1f} |"


def wrong_designs() -> tuple[list[str], list[str]]:
    """Search all wrong designs; return the text of them, and who survived."""
    rows, alive = ["| wrong design | found out by | steps | states |", "|---|---|--:|--:|"], []
    traces = []
    for mutant in MUTANTS:
        verdict = search(mutant.design)
        found = verdict.problem.startswith(mutant.problem)
        if not found:
            alive.append(f"{mutant.name}: {verdict.problem or 'survived'}")
        problem = verdict.problem or "**survived**"
        rows.append(f"| {mutant.name} | {problem} | {len(verdict.trace)} | {verdict.states:,} |")
        print(rows[-1], flush=True)
        traces += [f"\n{mutant.name} (class {mutant.design.rules.kind}):\n"]
        traces += [f"{number}. {words}" for number, words in enumerate(verdict.trace, 1)]
    return [*rows, "\n## The shortest trace of each", *traces], alive


def main() -> int:
    """Search, print, and with ``--write`` write the page."""
    rows, broken, states = models()
    wrong, alive = wrong_designs()
    print(f"{states:,} states, {'BROKEN' if broken else '0 violations'}; ", end="")
    print(f"{len(MUTANTS)} wrong designs, {len(alive)} survived")
    for words in [*broken, *alive]:
        print(words)
    if "--write" in sys.argv:
        machine = f"{platform.machine()}, commit {_commit()}"
        head = HEAD.format(
            date=dt.datetime.now(dt.UTC).date(), machine=machine, python=platform.python_version()
        )
        text = [head, "## The models\n", *rows, f"\n## {len(MUTANTS)} wrong designs\n", *wrong]
        PAGE.write_text("\n".join(text) + "\n", encoding="utf-8")
    return 1 if broken or alive else 0


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
