"""``python -m tests.parsers.accept FILE…``: write the golden beside a sample, never silently.

A golden that exists and differs is shown as a difference and kept, unless ``--replace`` is given.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from pathlib import Path

import parsers
from tieout.commands.parse import as_json

__all__ = ["golden_of", "main", "render"]


def golden_of(sample: Path) -> Path:
    """The golden's place."""
    return sample.with_name(sample.name + ".json")


def render(sample: Path) -> str:
    """What `tieout parse --json` says of a sample, laid out to be read and compared."""
    found = as_json(Path(sample.name), parsers.read_file(sample))
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write goldens; 1 where one differs and was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.parsers.accept")
    parser.add_argument("samples", nargs="+", type=Path)
    parser.add_argument("--replace", action="store_true", help="overwrite goldens that differ")
    args = parser.parse_args(arguments)
    kept = 0
    for sample in args.samples:
        golden, new = golden_of(sample), render(sample)
        old = golden.read_text(encoding="utf-8") if golden.exists() else None
        if old is not None and old != new:
            sys.stdout.writelines(
                difflib.unified_diff(
                    old.splitlines(True), new.splitlines(True), str(golden), "now read as"
                )
            )
            if not args.replace:
                kept += 1
                continue
        if old != new:
            golden.write_text(new, encoding="utf-8")
            print(f"{'replaced' if old else 'written'} {golden}")
    return 1 if kept else 0


if __name__ == "__main__":
    sys.exit(main())
