"""One target under atheris: ``python -m tests.fuzz.harness FORMAT FOLDER SECONDS``.

The reader's own code is instrumented, nothing else. What an oracle finds is written to
``FOLDER/found`` once for each signature, and fuzzing goes on; ``FOLDER/facts.json`` says how far it
is.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import pkgutil
import sys
import time
from collections import Counter
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["parsers", "tieout"]):
    import parsers

    # Readers are imported when a file asks for one: that would be too late to be instrumented.
    for _module in pkgutil.iter_modules(parsers.__path__):
        importlib.import_module(f"parsers.{_module.name}")

from tests.fuzz.mutators import mutator
from tests.fuzz.oracles import signature, violations
from tests.fuzz.targets import Target, seeds, target_of

__all__ = ["main"]

_EVERY = 2.0  # seconds between two writings of the facts


class Run:
    """Counts inputs and keeps what was found."""

    def __init__(self, target: Target, folder: Path) -> None:
        self.target, self.folder = target, folder
        self.found: Counter[str] = Counter()
        self.inputs, self.slowest, self.started = 0, 0.0, time.monotonic()
        self.written = 0.0
        self.path = (
            Path("/dev/shm" if Path("/dev/shm").is_dir() else folder) / f"fuzz-{os.getpid()}"
        )
        (folder / "found").mkdir(parents=True, exist_ok=True)

    def one(self, data: bytes) -> None:
        """Judge one input."""
        self.inputs += 1
        self.path.write_bytes(data)
        began = time.process_time()
        wrong = violations(self.target, self.path, twice=self.inputs % 16 == 0)
        self.slowest = max(self.slowest, time.process_time() - began)
        for violation in wrong:
            self.keep(violation, data)
        if time.monotonic() - self.written > _EVERY:
            self.write()

    def keep(self, violation: str, data: bytes) -> None:
        """The smallest input of each signature, with the violation's words beside it."""
        key = signature(violation)
        self.found[key] += 1
        place = self.folder / "found" / hashlib.sha256(key.encode()).hexdigest()[:12]
        if not place.exists() or place.stat().st_size > len(data):
            place.write_bytes(data)
            place.with_suffix(".txt").write_text(violation + "\n", errors="replace")

    def write(self) -> None:
        """The facts so far."""
        self.written = time.monotonic()
        facts = {
            "format": self.target.name,
            "seconds": round(time.monotonic() - self.started),
            "inputs": self.inputs,
            "slowest": round(self.slowest, 3),
            "found": dict(sorted(self.found.items())),
        }
        (self.folder / "facts.json").write_text(json.dumps(facts, indent=1) + "\n")


def main(name: str, folder: Path, seconds: int) -> None:
    """Fuzz one target; does not return."""
    target = target_of(name)
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    pool = list(seeds(target))
    for data in pool:
        (corpus / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    run = Run(target, folder)

    def own(data: bytes, most: int) -> bytes:
        # Looked up late: atheris puts the working one in place when fuzzing begins.
        changed: bytes = atheris.Mutate(data, most)
        return changed

    change = mutator(target.kind, target.words, pool, own)

    def custom(data: bytes, most: int, seed: int) -> bytes:
        return change(data, seed, most)

    atheris.Setup(
        [
            "fuzz",
            str(corpus),
            f"-max_total_time={seconds}",
            "-max_len=65536",
            "-timeout=600",  # of the clock, which a busy machine may stop; see SECONDS_MAX
            "-rss_limit_mb=1500",
            f"-artifact_prefix={folder}/crash-",
        ],
        run.one,
        custom_mutator=custom,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
