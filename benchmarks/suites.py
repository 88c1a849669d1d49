"""``python -m benchmarks.suites [--rows N]``: what validating costs, beside reading the same rows.

A generated MT940 file is read, its entries and details are multiplied to the wanted number, and
suites and controls judge them from Parquet as a task does, in a process of its own. Rates are
rows (entries and details) for a second of CPU; starting Great Expectations is told apart, because
a batch pays it once, however many rows it has.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

import parsers
from tieout.canonical import Tables
from tieout.profiles import mappings_dir
from tieout.quality.controls import ask
from tieout.quality.facts import statement_facts
from tieout.quality.relations import Frame
from tieout.quality.rules import load_suites
from tieout.quality.suites import run_suites, sift_all

__all__ = ["main"]

#: The stubs know too few of its signatures.
pc: Any = pyarrow.compute

_READ = 40_000
_HEAD = ":20:{n}\r\n:25:DE90901100400004718200\r\n:28C:1/1\r\n:60F:C261120EUR0,00\r\n"
_ENTRY = (
    ":61:2611201120C{amount},00NTRFNONREF//B{n}\r\n"
    ":86:166?00SEPA CREDIT?10{n}?20EREF+NORD-2026-{n}?21SVWZ+Invoice {n} of customer ?22{n}"
    "?30BYLADEM1001?31DE02120300000000202051?32Customer {n} GmbH\r\n"
)


def main(argv: list[str] | None = None) -> int:
    """Measure and print; 1 when suites and controls take longer than reading."""
    parser = argparse.ArgumentParser(prog="benchmarks.suites", description="cost of validation")
    parser.add_argument("--rows", type=int, default=1_000_000, help="entries and details")
    parser.add_argument("--judge", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.judge:
        print(json.dumps(_judge(args.judge)))
        return 0
    with tempfile.TemporaryDirectory(prefix="tieout-bench-") as name:
        folder = Path(name)
        reading, tables = _read(folder / "file.sta")
        rows = _multiply(tables, args.rows, folder)
        command = [sys.executable, "-m", "benchmarks.suites", "--judge", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"{rows:,} rows (entries and details); rows for a second of CPU")
    print(f"  reading (MT940)   {reading:>12,.0f}")
    for key in ("suites", "controls"):
        print(f"  {key:<17} {rows / found[key]:>12,.0f}   {found[key]:.2f} s")
    both = rows / (found["suites"] + found["controls"])
    print(f"  both              {both:>12,.0f}   {both / reading:.1f} times the rate of reading")
    print(f"  start of Great Expectations and Data Docs, once a batch: {found['start']:.1f} s")
    print(f"  peak memory {found['peak']} MB, of them {found['base']} MB before the first row")
    return 0 if both >= reading else 1


def _read(path: Path) -> tuple[float, Tables]:
    """Rows for a second that reading gives, and the tables read."""
    parts = [_HEAD.format(n=1)]
    parts += [_ENTRY.format(n=f"{n:07}", amount=n % 997 + 1) for n in range(_READ)]
    total = sum(n % 997 + 1 for n in range(_READ))
    parts.append(f":62F:C261120EUR{total},00\r\n-\r\n")
    path.write_text("".join(parts), encoding="ascii", newline="")
    started = time.process_time()
    tables = parsers.read_file(path).tables
    taken = time.process_time() - started
    return (tables.entries.num_rows + tables.details.num_rows) / taken, tables


def _multiply(tables: Tables, rows: int, folder: Path) -> int:
    """Write the tables so often that there are as many rows; entries keep ids of their own."""
    once = tables.entries.num_rows + tables.details.num_rows
    times = max(1, rows // once)
    for name in ("statements", "balances"):
        pq.write_table(getattr(tables, name), folder / f"{name}.parquet")
    for name in ("entries", "details"):
        table: pa.Table = getattr(tables, name)
        place = table.column_names.index("entry_id")
        with pq.ParquetWriter(folder / f"{name}.parquet", table.schema) as writer:
            for n in range(times):
                ids = pc.binary_join_element_wise(table["entry_id"], str(n), "#")
                writer.write_table(table.set_column(place, "entry_id", ids), row_group_size=50_000)
    return times * once


def _judge(folder: Path) -> dict[str, float]:
    """Seconds of CPU for each part, and memory in megabytes."""
    names = ("statements", "balances", "entries", "details")
    frames: dict[str, Frame] = {name: [folder / f"{name}.parquet"] for name in names}
    suites = load_suites(mappings_dir() / "suites")
    statements, balances = (pq.read_table(folder / f"{n}.parquet").to_pylist() for n in names[:2])
    base = _peak()
    marks = [time.process_time()]
    sift_all(frames, suites)
    marks.append(time.process_time())
    rows = {name: frames[name] for name in ("entries", "details")}
    statement_facts(rows, [ask(row, balances, None) for row in statements])
    marks.append(time.process_time())
    run_suites({"statements": frames["statements"]}, docs_dir=folder / "docs", run_name="bench")
    marks.append(time.process_time())
    parts = [later - earlier for earlier, later in pairwise(marks)]
    found = dict(zip(("suites", "controls", "start"), parts, strict=True))
    return found | {"base": base, "peak": _peak()}


def _peak() -> int:
    """Megabytes of this program alone: what getrusage says begins with its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


if __name__ == "__main__":
    sys.exit(main())
