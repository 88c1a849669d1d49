"""Visiting every state within the bounds, breadth first, so that a violation's trace is shortest."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from tests.posting.model import claims
from tests.posting.model import erp as erps
from tests.posting.model.design import Design, Ledger
from tests.posting.model.erp import Erp
from tests.posting.model.steps import State, answer
from tests.posting.model.world import World
from tieout.connectors.ports import Delivery
from tieout.posting.protocol import TERMINAL
from tieout.posting.terms import Observation, Row


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a search found.

    Attributes:
        problem: the first violation, empty when there is none.
        trace: what happened, from the beginning to it.
        ends: states in which intents ended.
        healed: (state, how often a distinct row and ERP end so when nothing disturbs them).
        seconds: processor time.
    """

    problem: str
    trace: tuple[str, ...]
    states: int
    transitions: int
    ends: frozenset[str]
    healed: tuple[tuple[str, int], ...]
    seconds: float


def heal(design: Design, row: Row, lane: int, erp: Erp) -> str:
    """Where one undisturbed worker takes a row once faults stop; empty when it never ends."""
    for turn in range(3 * design.limits.attempts_max):
        erp = _calm(design, erp)
        if row.state in TERMINAL:
            return row.state
        ledger = Ledger((row,), (0,))
        taken = next(
            claims.claim(design, ledger, 0, quiet=True, expired=erp.expired, past=False), None
        )
        assert taken is not None
        worker = taken[1]
        row = replace(worker.row, overdue=turn > design.limits.attempts_max)
        for _ in range(20):
            command = design.decide(row)
            assert command is not None
            observation: Observation = erps.look(erp, lane, int(command.doc_id or 0), design.rules)
            if command.effect:
                erp, observation = _effect(design, erp, lane, row)
            step = design.step(row, observation, design.limits)
            stored = claims.kept(step.row, claims.kept(row, row, None), observation)
            row = claims.begun(design, step.row)
            if step.then != "go":
                row = stored
                break
        else:
            return ""
    return row.state if row.state in TERMINAL else ""


def _effect(design: Design, erp: Erp, lane: int, row: Row) -> tuple[Erp, Observation]:
    command = design.decide(row)
    assert command is not None
    doc_id = int(command.doc_id or 0)
    if command.phase == "create":
        done = next(erps.create(erp, lane, design.rules))
    else:
        effect = erps.post if command.phase == "post" else erps.delete
        done = effect(erp, lane, doc_id, design.rules)
    return done.erp, answer(command, done.outcome, done.doc_id)


def _calm(design: Design, erp: Erp) -> Erp:
    """The ERP open, with everything done that it does by itself."""
    erp = erp._replace(is_open=True, odd=0)
    while steps := list(erps.works(erp, design.rules)):
        erp = steps[0][1]
    return erp


class _Healing:
    """Every distinct (row, ERP) is healed once."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.known: dict[tuple[int, int], bool] = {}
        self.ends: dict[str, int] = {}

    def fails(self, ledger: int, erp: int) -> bool:
        """Whether an intent of this ledger would never end."""
        key = (ledger, erp)
        if key not in self.known:
            self.known[key] = self._fails(self.world.values[ledger], self.world.values[erp])
        return self.known[key]

    def _fails(self, ledger: Ledger, erp: Erp) -> bool:
        for lane, row in enumerate(ledger.rows):
            if row is not None:
                end = heal(self.world.design, row, lane, erp)
                self.ends[end] = self.ends.get(end, 0) + 1
                if not end:
                    return True
        return False


def search(design: Design, *, trace: bool = False) -> Verdict:
    """Visit every state within the bounds until the first violation.

    Without ``trace`` a violation is searched for again, keeping for each state where it came from.
    """
    began = time.process_time()
    world = World(design)
    beginning = world.first()
    healing, ends = _Healing(world), set[str]()
    known: dict[State, tuple[State, str] | None] = {beginning: None}
    frontier, transitions, problem = [beginning], 0, ""
    last = beginning
    successors, values = world.successors, world.values
    while frontier and not problem:
        later = []
        for state in frontier:
            for words, after in successors(state):
                transitions += 1
                if after in known:
                    continue
                known[after] = (state, words) if trace else None
                problem = world.problem(after[0], after[1])
                if not problem and healing.fails(after[0], after[1]):
                    problem = "I12: it never ends"
                if problem:
                    last = after
                    break
                later.append(after)
            if problem:
                break
        frontier = later
    if problem and not trace:
        return search(design, trace=True)
    for number in {state[0] for state in known}:
        ends |= {row.state for row in values[number].rows if row and row.state in TERMINAL}
    return Verdict(
        problem,
        _path(known, last),
        len(known),
        transitions,
        frozenset(ends),
        tuple(sorted(healing.ends.items())),
        time.process_time() - began,
    )


def _path(known: dict[State, tuple[State, str] | None], last: State) -> tuple[str, ...]:
    words = []
    step = known[last]
    while step is not None:
        words.append(step[1])
        step = known[step[0]]
    return tuple(reversed(words))


__all__ = ["Delivery", "Verdict", "heal", "search"]
