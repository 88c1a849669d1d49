"""Render a world: ``python -m benchmarks.matching.generate OUT --entries N --profile NAME``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.matching.profiles import PROFILES, setting
from benchmarks.matching.world import STORIES, write

__all__ = ["main", "stories"]


def stories() -> str:
    """Every story in a line, as the README lists them."""
    weights = PROFILES["manufacturer"].stories
    lines = ["| story | ‰ of entries | what it is |", "|---|---|---|"]
    for name, render in STORIES.items():
        says = " ".join((render.__doc__ or "").split())
        lines.append(f"| `{name}` | {weights.get(name, 0):g} | {says} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write entries, details, items and truth into a folder."""
    known = [*PROFILES, *(f"{name}-hard" for name in PROFILES), "day", "flood"]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matching.generate")
    parser.add_argument("out", type=Path, nargs="?", help="folder for the Parquet files")
    parser.add_argument("--stories", action="store_true", help="list the stories and end")
    parser.add_argument("--entries", type=int, default=10_000, help="about so many (default 10000)")
    parser.add_argument("--profile", default="manufacturer", choices=known)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args(arguments)
    if asked.stories:
        print(stories())
        return 0
    if asked.out is None:
        parser.error("say where to write: OUT")
    begun = time.perf_counter()
    held = write(setting(asked.profile), asked.entries, asked.seed, asked.out)
    said = ", ".join(f"{count:,} {name}" for name, count in held.items())
    print(f"{asked.out}: {said} in {time.perf_counter() - begun:.1f} s", file=sys.stderr)
    print((asked.out / "world.json").read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
