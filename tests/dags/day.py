"""A home in which the demo has been run: the real day, once a test session and worker."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox import services, up
from tieout.ledger.embedded import Server, ensure_server


@dataclass(frozen=True)
class RunDay:
    """A home after the demo, and what the demo said; its servers are stopped."""

    home: Path
    said: str

    def demo(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the demo (again)."""
        return run_demo(self.home, *arguments)

    def server(self) -> Server:
        """The home's PostgreSQL, started; the fixture stops it."""
        return ensure_server(self.home)


def run_demo(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``python -m sandbox.demo`` from the root folder: nothing may depend on where one stands."""
    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", "sandbox.demo", *arguments],
        env=os.environ | {"TIEOUT_HOME": str(home), "PYTHONPATH": path},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def run_day(services_home: Path) -> Iterator[RunDay]:
    """The demo, run on a fresh day; templates of an earlier session are used again."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    home = services_home / f"the day of {worker}"  # blanks in a path are part of the test
    home.mkdir(parents=True, exist_ok=True)
    with (home / "users.lock").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        up.stop(home, say=lambda _: None)  # what an interrupted session left
        done = run_demo(home, "--reset")
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        yield RunDay(home, done.stdout)
        up.stop(home, say=lambda _: None)
        services.stop(home)
