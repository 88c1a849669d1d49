"""One engine on one world, in a process of its own, with a limit of time."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

__all__ = [
    "ENGINES",
    "JOIN",
    "MEMORY",
    "OURS",
    "SPILLING",
    "Engine",
    "Result",
    "call",
    "run",
    "version",
]

ROOT: Final = Path(__file__).resolve().parents[2]
#: Where the Makefile installs the peers.
PEERS: Final = Path(os.environ.get("TIEOUT_BENCH_PEERS", ROOT / ".venv-bench" / "bin" / "python"))


@dataclass(frozen=True, slots=True)
class Engine:
    """Something that matches a world's tables.

    Attributes:
        label: as the table shows it.
        does: what it does with them, in words.
        function: in `peers`; empty for tieout itself.
        package: distribution whose version is shown.
        most: largest world, in entries, it is asked to do.
        scored: whether it writes groups; the bare join only counts pairs.
    """

    label: str
    does: str
    function: str = ""
    package: str = ""
    most: int = 10**9
    scored: bool = True


OURS: Final = Engine("tieout match", "the whole default ladder, evidence, files written")
SPILLING: Final = Engine("tieout match --spill", "the same, told where to put what can wait")
JOIN: Final = Engine(
    "DuckDB key join", "bare: reference, account, currency equal", "join", "duckdb", scored=False
)
#: The same without reading, and without finding each entry's reference: the join and no more.
MEMORY: Final = Engine(
    "the join alone", "on two tables in memory; its CPU s without start and reading",
    "join_in_memory", "duckdb", scored=False,
)  # fmt: skip
ENGINES: Final = (
    OURS,
    JOIN,
    MEMORY,
    Engine("datacompy (Polars)", "rows joined on reference, account, currency", "datacompy_polars",
           "datacompy"),
    Engine("recordlinkage", "blocked on account and amount; reference, name, day compared",
           "recordlinkage_pairs", "recordlinkage"),
    Engine("splink", "trained on these tables; probability of 0.99 and more", "splink_pairs",
           "splink", most=200_000),
    Engine("bankstatementparser", "reconcile_payments_and_statements, as it comes",
           "bankstatementparser_pairs", "bankstatementparser", most=200_000),
)  # fmt: skip


@dataclass(slots=True)
class Result:
    """All runs of an engine on a world; ``error`` where it failed or ran out of time."""

    engine: Engine
    version: str = ""
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)
    score: dict[str, Any] | None = None
    error: str = ""

    def median(self, name: str) -> float:
        """Median of ``cpu``, ``wall`` or ``peak_mb`` over the runs."""
        middle: float = statistics.median(getattr(self, name))
        return middle

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        own = {n: getattr(self, n) for n in self.__slots__ if n != "engine"}
        return {"engine": self.engine.label, "does": self.engine.does, **own}


def version(engine: Engine) -> str:
    """The version of the engine's package; empty for our own."""
    if not engine.package:
        return ""
    code = f"from importlib.metadata import version; print(version({engine.package!r}))"
    found = subprocess.run(
        [_python(engine), "-c", code], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def run(result: Result, world: Path, limit: int, ladder: str = "default") -> None:
    """One more run of an engine; the first that ends is scored."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        begun = time.perf_counter()
        try:
            usage, said = _process(_command(result.engine, world, out, ladder), limit)
        except (RuntimeError, TimeoutError) as error:
            result.error = str(error)
            return
        result.wall.append(time.perf_counter() - begun)
        result.cpu.append(usage.ru_utime + usage.ru_stime)
        result.peak_mb.append(usage.ru_maxrss / 1024)
        result.said = said
        if result.engine is MEMORY:
            result.cpu[-1] = said["cpu"]
        if result.engine.scored and result.score is None:
            result.score = call("score", str(world), str(out), "--json")


def call(module: str, *arguments: str) -> dict[str, Any]:
    """What a module of this package prints as JSON, run in a process of its own: a child's peak
    memory counts that of the process it was started from, so this one must stay small."""
    command = [sys.executable, "-m", f"benchmarks.matching.{module}", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, cwd=ROOT, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _python(engine: Engine) -> str:
    return str(PEERS) if engine.function and engine not in (JOIN, MEMORY) else sys.executable


def _command(engine: Engine, world: Path, out: Path, ladder: str) -> list[str]:
    if engine.function:
        module = [_python(engine), "-m", "benchmarks.matching.peers"]
        return [*module, engine.function, str(world), str(out)]
    entries, items = world / "entries.parquet", world / "items.parquet"
    named = ["--details", str(world / "details.parquet"), "--ladder", ladder, "--out", str(out)]
    command = [sys.executable, "-m", "tieout.cli", "match", str(entries), str(items)]
    if engine is SPILLING:
        named += ["--spill", str(out.parent / "spill")]
    return [*command, *named, "--json"]


def _process(command: Sequence[str], limit: int) -> tuple[Any, dict[str, Any]]:
    """Run it; returns what it used and the JSON of its last line.

    Raises:
        RuntimeError: it failed; the message is the last line it wrote.
        TimeoutError: it did not finish.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=out, stderr=errors, cwd=ROOT)
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(limit, stop)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        answer, said = out.read().decode(), errors.read().decode(errors="replace").strip()
    if late.is_set():
        raise TimeoutError(f"not finished after {limit} s")
    if process.returncode:
        raise RuntimeError(said.splitlines()[-1][:300] if said else f"exit {process.returncode}")
    found: dict[str, Any] = json.loads(answer.splitlines()[-1])
    return usage, found
