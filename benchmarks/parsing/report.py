"""What was measured, as a table for people and as facts for programs."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.parsing.measure import Family, Result, outcome

__all__ = ["counts", "facts", "line", "table", "write_page"]

_HEAD = (
    "| reader | version | n | CPU s (min/median/max) | wall s | MB/s | rows/s | × ours | peak MB "
    "| gives |"
)


def counts(held: Mapping[str, int]) -> str:
    """What a generated file holds, in words."""
    return ", ".join(f"{number:,} {name}" for name, number in held.items())


def line(result: Result) -> str:
    """One candidate's result so far, for the log."""
    if result.error:
        return f"{result.candidate.label}: failed: {result.error}"
    sample = result.samples[-1]
    return (
        f"{result.candidate.label}: {sample.cpu:.2f} CPU s, {sample.wall:.2f} s, "
        f"{sample.peak_mb:.0f} MB, {sample.rows:,} rows"
    )


def facts(family: Family, results: Sequence[Result], size: int, seed: int) -> dict[str, Any]:
    """Everything measured of a family, and whether its bars hold."""
    own, peer = outcome(results, family.ours)
    base = own.median("cpu") if own.samples else 0
    rows = []
    for result in results:
        row: dict[str, Any] = {"candidate": result.candidate.label, "version": result.version}
        row |= {"gives": result.candidate.fields, "error": result.error, "runs": []}
        if result.samples:
            cpu = [sample.cpu for sample in result.samples]
            middle = statistics.median(cpu)
            row |= {
                "cpu": [min(cpu), middle, max(cpu)],
                "wall": result.median("wall"),
                "mb_per_s": size / 1e6 / middle,
                "rows": result.samples[-1].rows,
                "rows_per_s": result.samples[-1].rows / middle,
                "times_ours": middle / base if base else None,
                "peak_mb": max(sample.peak_mb for sample in result.samples),
                "runs": list(result.as_dict()["samples"]),
            }
        rows.append(row)
    return {
        "family": family.name,
        "title": f"{family.name}: {size / 1e6:.0f} MB",
        "row": family.row,
        "bytes": size,
        "seed": seed,
        "machine": f"{len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}",
        "fastest_peer": peer.candidate.label if peer else None,
        "results": rows,
        "bars": [bar.judge(results, own, peer) for bar in family.bars] if own.samples else [],
    }


def _row(row: Mapping[str, Any]) -> str:
    if not row["runs"]:
        return f"| {row['candidate']} | {row['version']} | 0 | failed | | | | | | {row['error']} |"
    low, middle, high = row["cpu"]
    speed = f"{row['rows_per_s']:,.0f}" if row["rows"] else ""
    times = f"{row['times_ours']:.2f}" if row["times_ours"] else ""
    return (
        f"| {row['candidate']} | {row['version']} | {len(row['runs'])} "
        f"| {low:.2f} / {middle:.2f} / {high:.2f} | {row['wall']:.2f} | {row['mb_per_s']:.0f} "
        f"| {speed} | {times} | {row['peak_mb']:.0f} | {row['gives']} |"
    )


def table(found: Mapping[str, Any]) -> str:
    """The family's table in Markdown, with its bars below."""
    lines = [f"## {found['title']}", ""]
    if found["family"] == "two":
        lines.append(
            f"One file {statistics.median(found['alone']):.2f} s, two at once "
            f"{statistics.median(found['both']):.2f} s (medians of {len(found['both'])}, wall, "
            f"{found['megabytes']} MB each, {found['cores']} cores)."
        )
    else:
        runs = max(len(row["runs"]) for row in found["results"])
        lines += [
            f"{found['machine']}; seed {found['seed']}; up to {runs} runs (n), each in a "
            f"fresh process; CPU seconds are the whole process, start and imports "
            f"included. A row is one {found['row']} unless said.",
            "",
            _HEAD,
            "|---|---|---|---|---|---|---|---|---|---|",
            *(_row(row) for row in found["results"]),
        ]
    lines.append("")
    for bar in found["bars"]:
        lines.append(f"- {bar['text']}: {bar['value']:.2f}, {'holds' if bar['holds'] else 'NO'}")
    return "\n".join(lines) + "\n"


def write_page(folder: Path, names: Sequence[str]) -> None:
    """``parsing.md`` of the families measured so far, from their JSON."""
    parts = [
        "# Reading speed\n",
        "Written by `make bench-parse`; change nothing here by hand. Files are generated from a "
        "seed, peers come from `benchmarks/requirements.lock`.\n",
    ]
    for name in names:
        source = folder / f"parsing-{name}.json"
        if source.exists():
            parts.append(table(json.loads(source.read_text(encoding="utf-8"))))
    (folder / "parsing.md").write_text("\n".join(parts), encoding="utf-8")
