"""Two files on two cores: how much more two processes read at once than one."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benchmarks.parsing import camt
from benchmarks.parsing.measure import ROOT, command

__all__ = ["measure_two"]

_BAR: Final = 1.6


def _wall(paths: list[Path]) -> float:
    begun = time.perf_counter()
    running = [
        subprocess.Popen(
            command("camt", camt.FAMILY.ours, path), stdout=subprocess.DEVNULL, cwd=ROOT
        )
        for path in paths
    ]
    codes = [process.wait() for process in running]
    if any(codes):
        raise RuntimeError("a measured process failed")
    return time.perf_counter() - begun


def measure_two(
    path: Path, runs: int, seed: int, say: Callable[[str], None], megabytes: int | None = None
) -> dict[str, Any]:
    """Wall seconds of one file alone and of two at once, in turns; medians decide."""
    size = megabytes or camt.FAMILY.megabytes
    other = path.with_suffix(".other")
    for number, each in enumerate((path, other)):
        camt.FAMILY.generate(each, size, seed + number)
    alone, both = [], []
    for _ in range(runs):
        alone.append(_wall([path]))
        both.append(_wall([path, other]))
        say(f"two: one file {alone[-1]:.2f} s, two at once {both[-1]:.2f} s")
    other.unlink()
    gain = 2 * statistics.median(alone) / statistics.median(both)
    return {
        "family": "two",
        "title": "Two camt.053 files on two cores",
        "megabytes": size,
        "cores": len(os.sched_getaffinity(0)),
        "alone": alone,
        "both": both,
        "gain": gain,
        "bars": [
            {"text": f"two files at once ≥ {_BAR} × one", "value": gain, "holds": gain >= _BAR}
        ],
    }
