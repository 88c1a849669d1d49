"""Everything that may happen next in a state; states are small tuples of numbers.

A state is (ledger, ERP, requests on their way, counts, worker, worker …); each number names one
value in a table, so that a state compares and hashes quickly, and what happens to one part is worked
out once. Workers are alike: their order is dropped.
"""

from __future__ import annotations

from typing import Any

from tests.posting.model import erp as erps
from tests.posting.model.design import Request, start
from tests.posting.model.steps import NOBODY, State
from tests.posting.model.trouble import Trouble

Next = list[tuple[str, State]]


class World(Trouble):
    """A design's states and the steps between them."""

    def first(self) -> State:
        """The beginning."""
        ledger, counts = start(self.design)
        erp = erps.first(self.design.lanes, self.design.rules)
        parts = (ledger, erp, (), counts)
        return (*map(self.number, parts), *(0,) * self.design.workers)

    def successors(self, state: State) -> Next:
        """Every state that may come next, with what happened."""
        ledger, erp, wire, counts = state[:4]
        workers = state[4:]
        found: Next = [
            (words, (ledger, after, wire, counts_after, *workers))
            for words, after, counts_after in self.erp_steps(erp, counts)
        ]
        for words, after, counts_after in self.people_steps(ledger, counts):
            found.append((words, (after, erp, wire, counts_after, *workers)))
        for words, after_erp, after_wire, receivers in self.landings(erp, wire):
            met = self.deliver(workers, receivers)
            found.append((words, (ledger, after_erp, after_wire, counts, *met)))
        for place, worker in enumerate(workers):
            if worker and (not place or workers[place - 1] != worker):
                others = workers[:place] + workers[place + 1 :]
                self.acts(found, state, worker, others)
        if not workers[0]:
            self.claims(found, state)
        if self.design.failovers_max:
            self.fails(found, state)
        if self.design.rules.expires:
            self.expires(found, state)
        return found

    def deliver(self, workers: State, receivers: Any) -> State:
        """The workers after an answer came."""
        for lane, fence, observation in receivers:
            workers = tuple(sorted(self.hears(w, lane, fence, observation) for w in workers))
        return workers

    def acts(self, found: Next, state: State, worker: int, others: State) -> None:
        """What one worker may do: die, send, look, give up waiting, record."""
        ledger, erp, wire, counts = state[:4]
        dead = self.forgets(wire, worker)
        found.append(("a worker dies", (ledger, erp, dead, counts, *_sorted(others, 0))))
        status = self.kind(worker)
        if status == "send":
            for words, after in self.looks(erp, worker):
                found.append((words, (ledger, erp, wire, counts, *_sorted(others, after))))
            sent = self.sends(wire, counts, worker)
            if sent is not None:
                words, wire_after, counts_after, after = sent
                after_workers = _sorted(others, after)
                found.append((words, (ledger, erp, wire_after, counts_after, *after_workers)))
            if self.design.relation == "batch":
                self.batches(found, state, worker, others)
        elif status == "wait":
            after = self.gives_up(worker)
            found.append(("no answer comes", (ledger, erp, dead, counts, *_sorted(others, after))))
        else:
            after_ledger, after, words = self.records(ledger, worker)
            found.append((words, (after_ledger, erp, wire, counts, *_sorted(others, after))))

    def batches(self, found: Next, state: State, worker: int, others: State) -> None:
        """One request leaves for two workers' rows."""
        ledger, erp, wire, counts = state[:4]
        one, used = self.values[worker], self.values[counts]
        for place, other in enumerate(others):
            two = self.values[other]
            if not (one.batch and other and two.batch and two.status == "send"):
                continue
            if one.lane != 0 or two.lane != 1 or used.sends >= self.design.sends_max:
                continue
            items = ((0, one.fence), (1, two.fence))
            request = Request("create", items, 0, one.old)
            after = self.number(tuple(sorted((*self.values[wire], request))))
            more = self.number(used._replace(sends=used.sends + 1))
            both = [self.number(w._replace(status="wait", batch=False)) for w in (one, two)]
            rest = others[:place] + others[place + 1 :]
            workers = sorted((*rest, *both))
            found.append(("one create leaves for both", (ledger, erp, after, more, *workers)))

    def claims(self, found: Next, state: State) -> None:
        """A free worker claims a row, or in a wrong design sends before it commits."""
        ledger, erp, wire, counts = state[:4]
        workers = state[4:]
        if self.blocked(wire, workers):
            return
        quiet = [self.is_quiet(state, lane) for lane in range(self.design.lanes)]
        for words, after, counts_after, made in self.claimed(ledger, erp, counts, *quiet):
            if len(made) > workers.count(0):
                continue
            taken = tuple(sorted((*made, *workers[len(made) :])))
            found.append((words, (after, erp, wire, counts_after, *taken)))
        if not self.design.commits_first:
            self.sends_first(found, state)

    def sends_first(self, found: Next, state: State) -> None:
        """How not to do it: the request leaves before anything of it is committed."""
        ledger, erp, wire, counts = state[:4]
        used = self.values[counts]
        if self.values[ledger].rows[0].state == "READY" and used.sends < self.design.sends_max:
            request = Request("create", ((0, NOBODY),), 0)
            after = self.number(tuple(sorted((*self.values[wire], request))))
            more = self.number(used._replace(sends=used.sends + 1))
            found.append(("a create leaves uncommitted", (ledger, erp, after, more, *state[4:])))

    def blocked(self, wire: int, workers: State) -> bool:
        """Whether a new epoch still waits for what the old database's workers may do."""
        if not (self.design.failovers_max and self.design.epoch_settles):
            return False
        return self.any_old(wire) or any(self.is_old(worker) for worker in workers)

    def is_quiet(self, state: State, lane: int) -> bool:
        """Whether a row may be called settled: nothing sent before can still land or show."""
        ledger, erp, wire = state[:3]
        rule = self.design.settle
        if rule == "nothing":
            return True
        if rule != "no lag" and self.unshown(erp, ledger, lane):
            return False
        zombies = rule != "no zombies" and any(self.will_create(w, lane) for w in state[4:])
        return not zombies and not self.in_flight(wire, lane)

    def fails(self, found: Next, state: State) -> None:
        """The database fails over to a copy that has forgotten the latest commits."""
        ledger, erp, wire, counts = state[:4]
        caught_up = self.copied(ledger, counts)
        if caught_up != counts:
            found.append(("the copy catches up", (ledger, erp, wire, caught_up, *state[4:])))
        after = self.failed_over(ledger, wire, counts)
        if after is not None:
            workers = sorted(self.aged(worker) for worker in state[4:])
            found.append(("the database fails over", (after[0], erp, *after[1:], *workers)))

    def expires(self, found: Next, state: State) -> None:
        """The ERP forgets our key; we took it for dead before anything could be in flight."""
        ledger, erp, wire, counts = state[:4]
        if self.values[erp].expired:
            return
        workers = state[4:]
        for lane in range(self.design.lanes):
            sending = any(self.will_create(worker, lane) for worker in workers)
            if self.design.key_margin and (sending or self.in_flight(wire, lane)):
                return
        tired = sorted(self.tired(worker) for worker in workers)
        found.append(("the key is forgotten", (ledger, self.forgotten(erp), wire, counts, *tired)))


def _sorted(workers: State, another: int) -> State:
    """The workers with another one; few, and almost in order."""
    if len(workers) == 1:
        (one,) = workers
        return (one, another) if one <= another else (another, one)
    return tuple(sorted((*workers, another)))
