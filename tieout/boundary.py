"""The choke point around each commit and each request of the delivery.

In production a point does nothing. A crash test names one and the process is killed there with
SIGKILL, as if the power had failed: ``TIEOUT_KILL_AT=<name>:<before|after>:<nth>``, for example
``commit claim:after:1`` or ``request create:before:2``. ``TIEOUT_BOUNDARIES=FILE`` writes each
point as it is reached, one a line, so that a dry run discovers all of them.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from tieout.errors import TieoutError

__all__ = ["Moment", "Plan", "arm", "point", "reached"]

Moment = Literal["before", "after"]


@dataclass(slots=True)
class Plan:
    """Where to die, and what was passed on the way.

    Attributes:
        kill_at: ``name:moment:nth``; empty lives on.
        log: file that gets a line for each point reached; None writes none.
        passed: how often each ``name:moment`` was reached.
        hook: called at each point instead of all that; a simulation switches workers there.
    """

    kill_at: str = ""
    log: Path | None = None
    passed: Counter[str] = field(default_factory=Counter)
    hook: Callable[[str, Moment], None] | None = None


def _from_environment() -> Plan | None:
    kill_at, log = os.environ.get("TIEOUT_KILL_AT", ""), os.environ.get("TIEOUT_BOUNDARIES", "")
    if not kill_at and not log:
        return None
    return Plan(_checked(kill_at), Path(log) if log else None)


def _checked(kill_at: str) -> str:
    """The plan's address, refused where it could never be reached."""
    parts = kill_at.rsplit(":", 2)
    well_formed = len(parts) == 3 and parts[1] in ("before", "after") and parts[2].isdecimal()
    if kill_at and not well_formed:
        raise TieoutError(
            "KILL_AT_MALFORMED",
            f"TIEOUT_KILL_AT is {kill_at!r}",
            remedy="write <name>:<before|after>:<nth>, or unset it: it is for crash tests only",
        )
    return kill_at


_STATE: Final[dict[str, Plan | None]] = {"plan": _from_environment()}


def arm(plan: Plan | None) -> None:
    """Set this process' plan (crash tests that fork); None makes every point a no-op again."""
    if plan is not None:
        _checked(plan.kill_at)
    _STATE["plan"] = plan


def reached(name: str, moment: Moment) -> None:
    """Note a moment of a boundary; die here when the plan says so."""
    plan = _STATE["plan"]
    if plan is None:
        return
    if plan.hook is not None:
        plan.hook(name, moment)
        return
    place = f"{name}:{moment}"
    plan.passed[place] += 1
    address = f"{place}:{plan.passed[place]}"
    if plan.log is not None:
        with plan.log.open("a", encoding="utf-8") as log:
            log.write(address + "\n")
    if address == plan.kill_at:
        os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def point(name: str) -> Iterator[None]:
    """The block is one I/O: its two moments are noted; an I/O that raises has no ``after``."""
    reached(name, "before")
    yield
    reached(name, "after")
