"""One candidate on one file, each time in a process of its own.

A family of formats is a module with ``FAMILY`` (see `Family`). A candidate is a function of that
module that takes the file's path and returns how many rows it got; it imports what it measures
inside itself, for the peers live in another environment than tieout. Run as a module, this file
is the measured process: ``python -m benchmarks.parsing.measure MODULE FUNCTION PATH``.
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

__all__ = [
    "Bar",
    "Candidate",
    "Family",
    "Result",
    "Sample",
    "command",
    "measure",
    "once",
    "outcome",
]

ROOT: Final = Path(__file__).resolve().parents[2]
#: Where the Makefile installs the peers.
PEERS: Final = Path(os.environ.get("TIEOUT_BENCH_PEERS", ROOT / ".venv-bench" / "bin" / "python"))


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that reads the family's file.

    Attributes:
        label: as the table shows it.
        function: name in the family's module; takes a path (str), returns the rows it got.
        fields: which fields it gives, in words.
        package: distribution whose version is shown; empty where there is none.
        peer: whether it runs in the peers' environment.
        rival: whether it can be the fastest peer: not a bare parse that extracts nothing, and not
            one that loses rows in silence.
        runs: most runs it gets, for what takes long and decides no bar; 0 is as many as the others.
    """

    label: str
    function: str
    fields: str
    package: str = ""
    peer: bool = True
    rival: bool = True
    runs: int = 0


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar to hold: our CPU or memory against another's, or against a number.

    Attributes:
        text: the bar in words.
        limit: the number to reach (``at_least``) or to stay under.
        against: label of the candidate to divide by our CPU seconds; empty with ``peak_mb`` or
            where the fastest peer is meant.
        peak_mb: whether our peak memory is judged instead.
    """

    text: str
    limit: int | float
    against: str = ""
    peak_mb: bool = False

    def judge(self, results: Sequence[Result], own: Result, peer: Result | None) -> dict[str, Any]:
        """The bar's text, the value measured and whether it holds."""
        if self.peak_mb:
            value = max(sample.peak_mb for sample in own.samples)
            return {"text": self.text, "value": value, "holds": value <= self.limit}
        named = [r for r in results if r.candidate.label == self.against and r.samples]
        other = named[0] if named else None if self.against else peer
        value = other.median("cpu") / own.median("cpu") if other else 0
        return {"text": self.text, "value": value, "holds": value >= self.limit}


@dataclass(frozen=True, slots=True)
class Family:
    """A family of formats to measure.

    Attributes:
        name: as on the command line.
        generate: writes the file (path, megabytes, seed); returns what it holds, in words.
        megabytes: default size.
        row: what a row is.
        ours: candidate that is tieout.
        candidates: all, ours included.
        bars: what must hold.
        suffix: of the file's name, for peers that ask for one.
    """

    name: str
    generate: Callable[[Path, int, int], dict[str, int]]
    megabytes: int
    row: str
    ours: Candidate
    candidates: tuple[Candidate, ...]
    bars: tuple[Bar, ...] = ()
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: seconds of CPU and wall of the whole process, megabytes at its peak, rows."""

    cpu: float
    wall: float
    peak_mb: float
    rows: int
    call_cpu: float  # of the call alone, without starting Python and importing


@dataclass(slots=True)
class Result:
    """All runs of a candidate; ``error`` where it failed."""

    candidate: Candidate
    version: str = ""
    samples: list[Sample] = field(default_factory=list)
    error: str = ""

    def median(self, name: str) -> float:
        """Median of one attribute over the runs."""
        middle: float = statistics.median(getattr(sample, name) for sample in self.samples)
        return middle

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


def command(module: str, candidate: Candidate, path: Path) -> list[str]:
    """The command line of one measured process."""
    python = str(PEERS) if candidate.peer else sys.executable
    return [python, "-m", "benchmarks.parsing.measure", module, candidate.function, str(path)]


def once(module: str, candidate: Candidate, path: Path) -> Sample:
    """One run in a fresh process.

    Raises:
        RuntimeError: the process failed; the message is the last line it wrote.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command(module, candidate, path), stdout=out, stderr=errors, cwd=ROOT
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        answer, said = out.read().decode(), errors.read().decode(errors="replace").strip()
    if process.returncode:
        raise RuntimeError(said.splitlines()[-1][:300] if said else f"exit {process.returncode}")
    told = json.loads(answer.splitlines()[-1])
    return Sample(
        usage.ru_utime + usage.ru_stime,
        wall,
        usage.ru_maxrss / 1024,
        int(told["rows"]),
        told["call_cpu"],
    )


def measure(module: str, candidate: Candidate, path: Path, runs: int) -> Result:
    """A candidate's runs; a failure is a result like any other."""
    result = Result(candidate, _version(candidate))
    for _ in range(runs):
        try:
            result.samples.append(once(module, candidate, path))
        except RuntimeError as error:
            result.error = str(error)
            break
    return result


def _version(candidate: Candidate) -> str:
    if not candidate.package:
        return ""
    python = str(PEERS) if candidate.peer else sys.executable
    code = f"from importlib.metadata import version; print(version({candidate.package!r}))"
    found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def outcome(results: Sequence[Result], ours: Candidate) -> tuple[Result, Result | None]:
    """Our own result, and the fastest peer's (by CPU of the whole process)."""
    own = next(r for r in results if r.candidate == ours)
    peers = [r for r in results if r.samples and r.candidate.peer and r.candidate.rival]
    return own, min(peers, key=lambda r: r.median("cpu"), default=None)


def _main(module: str, function: str, path: str) -> None:
    run = getattr(importlib.import_module(f"benchmarks.parsing.{module}"), function)
    begun = time.process_time()
    rows = run(path)
    print(json.dumps({"rows": rows, "call_cpu": time.process_time() - begun}))


if __name__ == "__main__":
    _main(*sys.argv[1:4])
