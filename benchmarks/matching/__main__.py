"""Measure matching: ``python -m benchmarks.matching [--size N] [--runs N] [--peers all|none]``.

Renders the worlds, lets every engine match each of them in a process of its own, judges the groups
by the truth, and prints the tables. A whole run also writes ``docs/benchmarks/matching.md`` and
``matching.json``. Engines take turns, so that a slow minute does not fall on one of them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.matching import report
from benchmarks.matching.measure import (
    ENGINES,
    JOIN,
    MEMORY,
    OURS,
    ROOT,
    SPILLING,
    Engine,
    Result,
    call,
    run,
    version,
)

__all__ = ["main"]

_OUT: Final = ROOT / "docs" / "benchmarks"
_SMALL: Final = 100_000
#: More entries than these may take an engine ten times as long.
_HUGE: Final = 5_000_000
_COMPANIES: Final = ("manufacturer", "retailer", "treasury")


def _say(text: str) -> None:
    print(f"[bench] {text}", file=sys.stderr, flush=True)


def _measure(
    title: str, profile: str, entries: int, engines: Sequence[Engine], asked: argparse.Namespace
) -> dict[str, Any]:
    """A world rendered, matched by every engine and judged."""
    with tempfile.TemporaryDirectory(dir=asked.scratch) as folder:
        world = Path(folder)
        made = call("generate", folder, f"--entries={entries}", f"--profile={profile}",
                    f"--seed={asked.seed}")  # fmt: skip
        held = made["rows"]
        _say(f"{title}: " + ", ".join(f"{count:,} {name}" for name, count in held.items()))
        results = [Result(engine, version(engine)) for engine in engines]
        for turn in range(asked.runs):
            for result in results:
                # A peer that takes minutes need not take them again.
                again = (
                    turn
                    and result.engine not in (OURS, JOIN, MEMORY)
                    and result.median("wall") > 60
                )
                if result.error or again:
                    continue
                run(result, world, asked.limit * (10 if entries > _HUGE else 1), asked.ladder)
                _say(f"{title}, run {turn + 1}: {report.line(result)}")
    return {
        "title": title,
        "setting": made["setting"]["title"],
        "rows": held,
        "seed": asked.seed,
        "results": [result.as_dict() for result in results],
    }


def _peers(asked: argparse.Namespace, size: int) -> list[Engine]:
    """The engines that do a world of that size."""
    wanted = asked.peers.split(",")
    return [
        engine
        for engine in ENGINES
        if engine in (OURS, JOIN, MEMORY)
        or (size <= engine.most and ("all" in wanted or engine.function.split("_")[0] in wanted))
    ]


def _tables(asked: argparse.Namespace) -> list[dict[str, Any]]:
    """All that is asked for, the largest world last."""
    alone, easy = [OURS, JOIN, MEMORY], _COMPANIES[0]
    found = []
    small = min(asked.size, _SMALL)
    if asked.profiles:
        for company in _COMPANIES:
            for name in (company, f"{company}-hard"):
                peers = _peers(asked, small) if name == easy else [OURS]
                found.append(_measure(f"{name}, {small:,} entries", name, small, peers, asked))
    if asked.rows:
        title = "a day: 5,000 entries, 2 M open items"
        found.append(_measure(title, "day", 5_000, alone, asked))
        title = "100,000 equal amounts of one party"
        found.append(_measure(title, "flood", 105_000, alone, asked))
    if asked.size > small or not asked.profiles:
        title = f"{easy}, {asked.size:,} entries"
        found.append(_measure(title, easy, asked.size, _peers(asked, asked.size), asked))
    if asked.ten:
        engines = [OURS, SPILLING, JOIN, MEMORY]
        found.append(_measure("ten times that", easy, asked.size * 10, engines, asked))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for; 0 when every bar that was measured holds, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matching", description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000, help="entries of the large world")
    parser.add_argument("--runs", type=int, default=3, help="runs of each engine (default 3)")
    parser.add_argument("--seed", type=int, default=7, help="of the worlds (default 7)")
    parser.add_argument("--peers", default="all", help="all, none, or names, comma between")
    parser.add_argument("--limit", type=int, default=600, help="seconds an engine may take")
    parser.add_argument("--ladder", default="default", help="our ladder (default: default)")
    parser.add_argument("--ten", action="store_true", help="also a world ten times the size")
    parser.add_argument("--no-profiles", dest="profiles", action="store_false",
                        help="leave out the other companies")  # fmt: skip
    parser.add_argument("--no-rows", dest="rows", action="store_false",
                        help="leave out the day and the flood")  # fmt: skip
    parser.add_argument("--scratch", type=Path, help="folder for the worlds (default: temporary)")
    parser.add_argument("--out", type=Path, default=_OUT, help="folder of the results")
    asked = parser.parse_args(arguments)
    found: dict[str, Any] = {
        "machine": f"{len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}",
        "runs": asked.runs,
        "worlds": _tables(asked),
    }
    found["bars"] = report.bars(found["worlds"])
    page = report.page(found)
    print(page)
    if asked.size < 1_000_000 or not (asked.profiles and asked.rows):
        _say("not the whole measurement: nothing was written")
    else:
        asked.out.mkdir(parents=True, exist_ok=True)
        (asked.out / "matching.md").write_text(page, encoding="utf-8")
        (asked.out / "matching.json").write_text(
            json.dumps(found, indent=1, ensure_ascii=False, default=int) + "\n", encoding="utf-8"
        )
    return 0 if all(bar["holds"] for bar in found["bars"]) else 1


if __name__ == "__main__":
    sys.exit(main())
