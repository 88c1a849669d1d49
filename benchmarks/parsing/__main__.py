"""Measure reading speed: ``python -m benchmarks.parsing [camt mt940 bai2 two] [--runs N]``.

Each family's file is generated from a seed, then every candidate reads it in a process of its own.
Candidates take turns, so that a slow minute of the machine does not fall on one of them. The
tables go to the terminal and, when whole families ran, into ``docs/benchmarks/parsing.md``;
everything measured goes into a JSON beside.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.parsing import report, two
from benchmarks.parsing.measure import ROOT, Family, Result, measure

__all__ = ["FAMILIES", "main"]

#: Modules of families, in the order they are measured.
FAMILIES: Final = ("camt", "mt940", "bai2")

_OUT: Final = ROOT / "docs" / "benchmarks"


def _family(name: str) -> Family:
    family: Family = importlib.import_module(f"benchmarks.parsing.{name}").FAMILY
    return family


def _say(text: str) -> None:
    print(f"[bench] {text}", file=sys.stderr, flush=True)


def _run(family: Family, path: Path, asked: argparse.Namespace) -> list[Result]:
    runs, only = asked.runs, asked.only
    held = family.generate(path, asked.megabytes or family.megabytes, asked.seed)
    _say(f"{family.name}: {path.stat().st_size / 1e6:.1f} MB, {report.counts(held)}")
    results: dict[str, Result] = {}
    for turn in range(runs):
        for candidate in family.candidates:
            known = results.get(candidate.label)
            if only not in candidate.label or (known is not None and known.error):
                continue
            if candidate.runs and turn >= candidate.runs:
                continue
            found = measure(family.name, candidate, path, 1)
            _say(f"{family.name} {turn + 1}/{runs} {report.line(found)}")
            if known is None:
                results[candidate.label] = found
            else:
                known.samples += found.samples
                known.error = found.error
    return list(results.values())


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for; 0 when every bar that was measured holds, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parsing", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="FAMILY", help=f"{', '.join(FAMILIES)}, two")
    parser.add_argument("--runs", type=int, default=3, help="runs of each candidate (default 3)")
    parser.add_argument("--seed", type=int, default=7, help="of the generated files (default 7)")
    parser.add_argument("--megabytes", type=int, help="size of each file, for a first look")
    parser.add_argument("--only", default="", help="only candidates whose label contains this")
    parser.add_argument("--out", type=Path, default=_OUT, help="folder of the results")
    asked = parser.parse_args(arguments)
    names = asked.names or [*FAMILIES, "two"]
    unknown = sorted(set(names) - {*FAMILIES, "two"})
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)} (known: {', '.join(FAMILIES)}, two)")
    asked.out.mkdir(parents=True, exist_ok=True)
    held = True
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            facts: dict[str, Any]
            path = Path(folder) / f"{name}.xml"
            if name == "two":
                facts = two.measure_two(path, asked.runs, asked.seed, _say, asked.megabytes)
            else:
                family = _family(name)
                path = Path(folder) / f"{name}{family.suffix}"
                results = _run(family, path, asked)
                facts = report.facts(family, results, path.stat().st_size, asked.seed)
            path.unlink()
            if asked.megabytes:  # the bars are set for the whole size
                facts["bars"] = []
            print(report.table(facts), flush=True)
            held = held and all(bar["holds"] for bar in facts["bars"])
            if not asked.only and not asked.megabytes:
                (asked.out / f"parsing-{name}.json").write_text(
                    json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
                )
    if asked.megabytes:
        _say("sizes are not those the bars are set for: none was judged, nothing was written")
        return 0
    report.write_page(asked.out, [*FAMILIES, "two"])
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
