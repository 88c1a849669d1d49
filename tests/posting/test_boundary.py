"""The choke point: nothing in production, SIGKILL where a plan says so."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tieout import boundary
from tieout.errors import TieoutError

PROGRAM = """
from tieout.boundary import point
for turn in range(3):
    with point("request post"):
        print(turn, flush=True)
"""


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    boundary.arm(None)


def program(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_plan_a_point_does_nothing() -> None:
    done = program()
    assert (done.returncode, done.stdout.split()) == (0, ["0", "1", "2"])


@pytest.mark.parametrize(("moment", "printed"), [("before", ["0"]), ("after", ["0", "1"])])
def test_the_process_dies_at_the_place_named(moment: str, printed: list[str]) -> None:
    done = program(TIEOUT_KILL_AT=f"request post:{moment}:2")
    assert (done.returncode, done.stdout.split()) == (-9, printed)


def test_a_dry_run_lists_the_places(tmp_path: Path) -> None:
    log = tmp_path / "places"
    assert program(TIEOUT_BOUNDARIES=str(log)).returncode == 0
    assert log.read_text().splitlines() == [
        f"request post:{moment}:{turn}" for turn in (1, 2, 3) for moment in ("before", "after")
    ]


def test_an_io_that_raises_has_no_after() -> None:
    plan = boundary.Plan()
    boundary.arm(plan)
    with pytest.raises(OSError, match="down"), boundary.point("request find"):
        raise OSError("down")
    assert dict(plan.passed) == {"request find:before": 1}


@pytest.mark.parametrize("kill_at", ["request post", "request post:during:1", "x:before:one"])
def test_a_plan_that_cannot_be_reached_is_refused(kill_at: str) -> None:
    with pytest.raises(TieoutError, match="KILL_AT_MALFORMED"):
        boundary.arm(boundary.Plan(kill_at))
