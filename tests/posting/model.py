"""An explicit-state model of class C around the production tables (`decide`, `step`).

Two workers, one intent, one ERP. Any of these may happen at any time: a worker claims (every lease
may be over), a request lands or waits, its answer is lost, a worker dies, the period closes and
opens again, and the database fails over to a copy that has forgotten the latest commits. The search
visits every order of them within the bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from tieout.connectors.ports import Delivery, Outcome
from tieout.posting.pace import Limits
from tieout.posting.protocol import TERMINAL, WORKING, Step, claim_event, decide, step
from tieout.posting.terms import Answer, Command, Observation, Row, Seen, SeenDocument
from tieout.states import move

LIMITS = Limits(attempts_max=5)
Docs = tuple[tuple[int, bool], ...]  # (id, posted), in the order of ids
StepFunction = Callable[[Row, Observation, Limits], Step]


@dataclass(frozen=True, slots=True)
class Design:
    """What is searched: the production design, or a wrong one, and the bounds of the search."""

    step: StepFunction = step
    fenced: bool = True
    write_once: bool = True
    claims_max: int = 3
    sends_max: int = 5
    flips_max: int = 2
    failovers_max: int = 0
    epoch_guard: bool = True
    settles: bool = True
    limits: Limits = LIMITS


class Worker(NamedTuple):
    """A worker at work: ``status`` is ``send``, ``wait``, or the observation to record."""

    fence: int
    row: Row
    status: str | Observation


class Request(NamedTuple):
    """A request on its way; ``worker`` still waits for its answer, or nobody (−1)."""

    phase: str
    doc_id: int
    worker: int


class State(NamedTuple):
    """Everything there is."""

    row: Row
    fence: int
    docs: Docs
    made: int
    is_open: bool
    flips: int
    sends: int
    requests: tuple[Request, ...]
    workers: tuple[Worker | None, ...]
    copy: Row = Row("READY")
    failovers: int = 0


START = State(Row("READY"), 0, (), 0, True, 0, 0, (), (None, None))
OLD = -1  # the fence of a worker that still talks to the old database


def kept(row: Row) -> Row:
    """What the ledger keeps of a row (and no words, which change nothing)."""
    return Row(row.state, row.doc_id, row.attempts, row.unknown, row.refused)


def begun(row: Row) -> Row:
    """The row with its next effect counted, as the worker commits it before it sends."""
    command = decide(row)
    counted = command is not None and command.effect
    return replace(row, attempts=row.attempts + counted)


def seen(docs: Docs, command: Command) -> Seen:
    """What a look shows."""
    wanted = [d for d in docs if command.phase == "find" or str(d[0]) == command.doc_id]
    return Seen(tuple(SeenDocument(str(number), posted) for number, posted in wanted))


def effect(docs: Docs, made: int, is_open: bool, request: Request) -> tuple[Docs, int, Delivery]:
    """What the ERP does with an effect."""
    there = dict(docs)
    outcome: Outcome = "OK"
    doc_id = request.doc_id
    if request.phase == "create":
        if is_open:
            made, doc_id = made + 1, made + 1
            there[doc_id] = False
        else:
            outcome = "REJECT"
    elif request.phase == "post":
        if doc_id not in there or not (is_open or there[doc_id]):
            outcome = "REJECT"
        else:
            there[doc_id] = True
    elif there.get(doc_id):
        outcome = "REJECT"
    else:
        there.pop(doc_id, None)
    return tuple(sorted(there.items())), made, Delivery(outcome, str(doc_id), None, "", "", "")


def successors(state: State, design: Design) -> Iterator[State]:
    """Every state that may come next."""
    if state.flips < design.flips_max:
        yield state._replace(is_open=not state.is_open, flips=state.flips + 1)
    if state.failovers < design.failovers_max:
        if state.copy != state.row:
            yield state._replace(copy=state.row)
        yield _fail_over(state, design)
    for number, request in enumerate(state.requests):
        yield _land(state, number, request)
    for index, worker in enumerate(state.workers):
        if worker is None:
            waits = design.settles and state.failovers and _unsettled(state)
            if state.row.state in WORKING and state.fence < design.claims_max and not waits:
                yield _claim(state, index)
            continue
        yield _put(_forget(state, index), index, None)  # it dies
        if worker.status == "send":
            yield from _send(state, index, worker, design)
        elif worker.status == "wait":
            command = decide(worker.row)
            assert command is not None
            lost = Answer(command, Delivery("UNKNOWN", None, None, "", "", ""))
            yield _put(_forget(state, index), index, worker._replace(status=lost))
        else:
            yield _record(state, index, worker, design)


def _fail_over(state: State, design: Design) -> State:
    """The copy takes over; workers of the old database go on, but cannot record any more."""
    row = state.copy
    if design.epoch_guard and row.state in WORKING:
        fresh = row.state in ("READY", "RETRY_WAIT", "SENDING")
        after = move("outbox", row.state, "epoch changed") if fresh else row.state
        row = replace(row, state=after, unknown=True)
    workers = tuple(w and w._replace(fence=OLD) for w in state.workers)
    return state._replace(row=row, copy=row, failovers=state.failovers + 1, workers=workers)


def _unsettled(state: State) -> bool:
    """Whether a worker of the old database, or a request of its, may still do something."""
    old = any(worker is not None and worker.fence == OLD for worker in state.workers)
    return old or bool(state.requests)


def _put(state: State, index: int, worker: Worker | None) -> State:
    workers = list(state.workers)
    workers[index] = worker
    return state._replace(workers=tuple(workers))


def _forget(state: State, index: int) -> State:
    """Nobody waits for this worker's requests any more; they are still on their way."""
    orphaned = (r._replace(worker=-1) if r.worker == index else r for r in state.requests)
    return state._replace(requests=tuple(sorted(orphaned)))


def _claim(state: State, index: int) -> State:
    event = claim_event(state.row.state)
    row = (
        state.row
        if event is None
        else replace(state.row, state=move("outbox", state.row.state, event))
    )
    row = begun(replace(row, unknown=row.unknown or row.state == "UNKNOWN"))
    fence = state.fence + 1
    return _put(state._replace(row=kept(row), fence=fence), index, Worker(fence, row, "send"))


def _send(state: State, index: int, worker: Worker, design: Design) -> Iterator[State]:
    command = decide(worker.row)
    assert command is not None
    if not command.effect:
        yield _put(state, index, worker._replace(status=seen(state.docs, command)))
    elif state.sends < design.sends_max:
        request = Request(command.phase, int(command.doc_id or 0), index)
        requests = tuple(sorted((*state.requests, request)))
        sent = state._replace(requests=requests, sends=state.sends + 1)
        yield _put(sent, index, worker._replace(status="wait"))


def _land(state: State, number: int, request: Request) -> State:
    docs, made, delivery = effect(state.docs, state.made, state.is_open, request)
    requests = state.requests[:number] + state.requests[number + 1 :]
    state = state._replace(docs=docs, made=made, requests=requests)
    if request.worker < 0:
        return state
    worker = state.workers[request.worker]
    assert worker is not None
    command = decide(worker.row)
    assert command is not None
    return _put(state, request.worker, worker._replace(status=Answer(command, delivery)))


def _record(state: State, index: int, worker: Worker, design: Design) -> State:
    mine = state.fence == worker.fence and state.row.state == worker.row.state
    if not mine and (design.fenced or state.row.state in TERMINAL):
        return _put(state, index, None)
    assert not isinstance(worker.status, str)
    taken = design.step(worker.row, worker.status, design.limits)
    row = taken.row
    if design.write_once and state.row.doc_id not in (None, row.doc_id):
        return _put(state, index, None)
    if taken.then == "go":
        row = begun(row)
        return _put(state._replace(row=kept(row)), index, worker._replace(row=row, status="send"))
    return _put(state._replace(row=kept(row)), index, None)


def violation(state: State) -> str:
    """What is wrong with a state; empty when nothing is."""
    posted = [str(number) for number, is_posted in state.docs if is_posted]
    if len(posted) > 1:
        return "two posted documents"
    if state.row.state == "CONFIRMED" and posted != [state.row.doc_id]:
        return "confirmed, but not posted"
    if state.row.state == "REJECTED" and posted:
        return "rejected, but posted"
    return ""


def healed(row: Row, docs: Docs, made: int, limits: Limits) -> str:
    """Where one undisturbed worker takes a row; empty when it never ends."""
    for _ in range(limits.attempts_max + 3):
        if row.state in TERMINAL:
            return row.state
        state = _claim(State(row, 0, docs, made, True, 0, 0, (), (None,)), 0)
        worker, row = state.workers[0], state.row
        for _ in range(20):
            assert worker is not None
            command = decide(worker.row)
            assert command is not None
            observation: Observation = seen(docs, command)
            if command.effect:
                request = Request(command.phase, int(command.doc_id or 0), 0)
                docs, made, delivery = effect(docs, made, True, request)
                observation = Answer(command, delivery)
            taken = step(worker.row, observation, limits)
            row = kept(taken.row)
            if taken.then != "go":
                break
            worker = Worker(1, begun(taken.row), "send")
            row = kept(worker.row)
    return row.state if row.state in TERMINAL else ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a search found: the first violation, and how much was searched."""

    problem: str
    states: int
    transitions: int
    ends: frozenset[str]


def search(design: Design) -> Verdict:
    """Visit every state within the bounds, breadth first, until the first violation."""
    known, frontier, transitions = {START}, [START], 0
    ends: set[str] = set()
    ways_out: set[tuple[Row, Docs]] = set()
    while frontier:
        later = []
        for state in frontier:
            if (state.row, state.docs) not in ways_out:
                ways_out.add((state.row, state.docs))
                if not healed(state.row, state.docs, state.made, design.limits):
                    return Verdict(f"stuck: {state}", len(known), transitions, frozenset(ends))
            for after in successors(state, design):
                transitions += 1
                if after in known:
                    continue
                known.add(after)
                problem = violation(after)
                if problem:
                    return Verdict(problem, len(known), transitions, frozenset(ends))
                if after.row.state in TERMINAL:
                    ends.add(after.row.state)
                later.append(after)
        frontier = later
    return Verdict("", len(known), transitions, frozenset(ends))
