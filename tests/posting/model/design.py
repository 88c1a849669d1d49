"""What is searched: the production design, or a wrong one, and the bounds of the search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tests.posting.model.erp import STRANGER, Erp, Lane, Rules
from tieout.posting.pace import Limits
from tieout.posting.protocol import Step, decide, step
from tieout.posting.terms import Command, Observation, Row

StepFunction = Callable[[Row, Observation, Limits], Step]
DecideFunction = Callable[[Row], Command | None]


@dataclass(frozen=True, slots=True)
class Design:
    """A design and its bounds; every switch as it stands here is production.

    Attributes:
        lanes: intents; lane 1 is a batch mate of lane 0, or its reversal.
        relation: how two lanes belong together.
        settle: what the settle time must wait for; all but ``all`` are wrong.
        key_margin: whether a key counts as dead early enough for what is in flight.
        lease_checked: whether a worker whose lease is over begins nothing new.
        claims_blindly: whether what did not leave is sent again without a look.
        cancel_looks: whether a cancel asks for attempts, and for the database's past.
    """

    rules: Rules = field(default_factory=Rules)
    lanes: int = 1
    relation: Literal["", "batch", "reversal"] = ""
    workers: int = 2
    claims_max: int = 3
    sends_max: int = 5
    flips_max: int = 0
    failovers_max: int = 0
    holds_max: int = 0
    cancels_max: int = 0
    releases_max: int = 0
    limits: Limits = field(default_factory=lambda: Limits(attempts_max=5))
    step: StepFunction = step
    decide: DecideFunction = decide
    fenced: bool = True
    write_once: bool = True
    epoch_guard: bool = True
    epoch_settles: bool = True
    settle: Literal["all", "nothing", "no zombies", "no lag"] = "all"
    key_believed: bool = False
    key_margin: bool = True
    lease_checked: bool = True
    claims_blindly: bool = False
    cancel_looks: Literal["all", "attempts", "nothing"] = "all"
    commits_first: bool = True
    reverses_early: bool = False
    batch_outcomes: Literal["own", "first"] = "own"


class Ledger(NamedTuple):
    """What is committed.

    ``entered`` is whether a drain has noted the database's epoch, ``wrong`` what was recorded that
    must never be.
    """

    rows: tuple[Row | None, ...]
    fences: tuple[int, ...]
    held: bool = False
    entered: bool = True
    wrong: str = ""


class Request(NamedTuple):
    """On its way to the ERP; ``items`` are (lane, fence of who waits for the answer, or −1)."""

    phase: str
    items: tuple[tuple[int, int], ...]
    doc_id: int
    old: bool = False


class Worker(NamedTuple):
    """A worker with one claim; ``status`` is ``send``, ``wait``, or the observation to record.

    ``old`` talks to a database that is no more; ``late`` has lost its lease and does not know.
    """

    lane: int
    fence: int
    row: Row
    status: str | Observation
    old: bool = False
    late: bool = False
    batch: bool = False


class Counts(NamedTuple):
    """What was used of the bounds; ``copy`` is the ledger a fail-over falls back to."""

    claims: int
    sends: int
    flips: int
    failovers: int
    holds: int
    cancels: int
    releases: int
    copy: Ledger | None


def start(design: Design) -> tuple[Ledger, Counts]:
    """The ledger in the beginning, and nothing used yet."""
    ready = Row("READY", kind=design.rules.kind)
    rows = (ready, *((None if design.relation == "reversal" else ready),) * (design.lanes - 1))
    ledger = Ledger(rows, (0,) * design.lanes)
    copy = ledger if design.failovers_max else None
    return ledger, Counts(0, 0, 0, 0, 0, 0, 0, copy)


def violation(design: Design, ledger: Ledger, erp: Erp) -> str:
    """What is wrong with a state; empty when nothing is."""
    if erp.breach:
        return "I13: a closed period took a posting"
    if erp.revived:
        return "I3: sent again, though given up in the ERP"
    if ledger.wrong:
        return ledger.wrong
    for row, there in zip(ledger.rows, erp.lanes, strict=True):
        problem = _wrong(row, there)
        if problem:
            return problem
    if design.relation == "reversal":
        original, reversal = (any(d.posted for d in there.docs) for there in erp.lanes)
        if reversal and not original:
            return "I10: a reversal of nothing"
    return ""


def _wrong(row: Row | None, there: Lane) -> str:
    """What is wrong with one intent and its documents."""
    posted = [d for d in there.docs if d.posted]
    ours = [d for d in posted if d.number < STRANGER]
    if len(ours) > 1:
        return "I1: two posted documents"
    if row is None:
        return ""
    if row.state == "CONFIRMED" and not any(str(d.number) == row.doc_id and d.same for d in posted):
        return "I2: confirmed, but not posted as approved"
    if row.state in ("REJECTED", "CANCELLED") and ours:
        return f"I3: {row.state.lower()}, but posted"
    return ""
