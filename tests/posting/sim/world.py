"""One seeded run: a few postings, several workers, and everything that may go wrong."""

from __future__ import annotations

import datetime as dt
import hashlib
import heapq
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import greenlet

from tests.posting.sim.check import Verdict, judge
from tests.posting.sim.erp import SECOND, Manners, SimErp
from tests.posting.sim.store import Adjustment, Data, GoneError, Intent, MemoryStore, Row
from tieout import boundary
from tieout.errors import ConnectorError
from tieout.posting import delivery
from tieout.posting.pace import Limits
from tieout.posting.payload import external_ref
from tieout.posting.protocol import TERMINAL

BEGIN = dt.datetime(2026, 11, 20, 6, tzinfo=dt.UTC)
ERP, COMPANY = "SIM", "TEST"
HOUR = 3600 * SECOND
LIMITS = Limits()
#: After this much time without faults everything must have ended (I12).
PATIENCE = 72 * HOUR
FAULTS = ("lost reply", "no effect", "late", "not sent", "throttled", "round")


class Killed(greenlet.GreenletExit):
    """SIGKILL: no handler sees it."""


class Worker:
    """One process that drains; ``wakes`` is when it goes on."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.wakes = 0
        self.run: greenlet.greenlet | None = None


def manners_of(rng: random.Random) -> Manners:
    """A system, and a mix of faults: each seed has some kinds of trouble and not others."""
    kind = rng.choice("AABBCCCDDE")
    bad = {name: rng.choice((0, 0, 30, 100, 250)) for name in FAULTS}
    bad["round"] = rng.choice((0, 0, 0, 20))
    timed = kind in "ABD"
    queue = rng.choice((0, 0, 60 * SECOND)) if timed else 0
    return Manners(
        kind=kind,  # type: ignore[arg-type]
        lag=rng.choice((0, 0, 20 * SECOND)),
        queue=queue,
        told=rng.random() < 0.5,
        posts_itself=timed and rng.random() < 0.3,
        deletes=rng.random() < 0.8,
        upsert=rng.random() < 0.5,
        key_lifetime=rng.choice((600, 3600, 86400)) * SECOND,
        batch=rng.choice((1, 1, 4)),
        bad=bad,
    )


class World:
    """The clock, the scheduler and the trouble of one run."""

    def __init__(self, seed: int, postings: int = 10) -> None:
        self.rng = random.Random(seed)
        self.seed, self.now, self.faults = seed, 0, True
        self.manners = manners_of(self.rng)
        self.erp = SimErp(self, self.manners, self.rng)
        self.events: list[tuple[int, int, Callable[[], None]]] = []
        self.order, self.steps, self.kills = 0, 0, 0
        self.trace = hashlib.blake2b(digest_size=8)
        self.data = self.first_data(postings)
        self.standby = self.data.copy()
        self.workers = [Worker(number) for number in range(self.rng.choice((1, 2, 2, 3)))]
        self.current: Worker | None = None
        self.kill_chance = self.rng.choice((0, 0, 10, 40))
        self.stall_chance = self.rng.choice((0, 0, 10, 40))
        self.main = greenlet.getcurrent()
        self.plan_trouble()

    def first_data(self, postings: int) -> Data:
        """Approved postings, each with its row."""
        data = Data("database/1", self.instant)
        day = {"debit_minor": 0, "credit_minor": 0, "foreign_minor": None, "foreign_currency": None}
        for number in range(postings):
            amount, name = self.rng.randrange(1, 10**9), f"i{number:04d}"
            rest = {**day, "party": None, "narrative": ""}
            lines = [
                {**rest, "gl_account": "6855", "debit_minor": amount},
                {**rest, "gl_account": "1200", "credit_minor": amount},
            ]
            payload = {
                "company": COMPANY,
                "journal_code": "BANK",
                "booked_on": "2026-11-20",
                "narrative": name,
                "currency": "EUR",
                "lines": lines,
            }
            data.intents[name] = Intent(
                payload=payload,
                ext_ref=external_ref(ERP, COMPANY, f"{self.seed}/{name}"),
                adjustment_id=name,
                kind="ADJUST",
                company=COMPANY,
                payload_sha256=name,
                created_at=BEGIN,
                original=None,
                amount=amount,
            )
            data.rows[name] = Row(
                intent_id=name,
                erp=ERP,
                state="READY",
                epoch=data.epoch,
                fence=0,
                attempts=0,
                reason="",
                next_at=BEGIN,
                changed_at=BEGIN,
            )
            data.attempts[name], data.trail[name] = [], []
            data.adjustments[name] = Adjustment()
        return data

    # ---- time

    def instant(self) -> dt.datetime:
        """The database's clock."""
        return BEGIN + dt.timedelta(milliseconds=self.now)

    def monotonic(self) -> float:
        """The workers' clock."""
        return self.now / SECOND

    def at(self, when: int, act: Callable[[], None]) -> None:
        """Something happens later."""
        self.order += 1
        heapq.heappush(self.events, (when, self.order, act))

    def note(self, *words: object) -> None:
        """A line of the trace."""
        self.trace.update(f"{self.now} {words}".encode())

    # ---- trouble

    def plan_trouble(self) -> None:
        """What happens in this run beside the network's faults, and when it ends."""
        rng, ends = self.rng, self.rng.choice((600, 3600, 7200)) * SECOND
        for _ in range(rng.choice((0, 0, 1, 3))):
            shut = rng.randrange(ends)
            self.at(shut, lambda: self.set_open(False))
            self.at(shut + rng.randrange(1200 * SECOND), lambda: self.set_open(True))
        for _ in range(rng.choice((0, 0, 2))):
            self.at(rng.randrange(ends), self.hold)
        for _ in range(rng.choice((0, 0, 0, 1, 2))):
            when = rng.randrange(ends)
            self.at(max(0, when - rng.randrange(1, 100 * SECOND)), self.catch_up)
            self.at(when, self.fail_over)
        self.at(ends, self.heal)

    def set_open(self, is_open: bool) -> None:
        """The period closes or opens."""
        self.erp.is_open = is_open
        self.note("open", is_open)

    def hold(self) -> None:
        """A person holds a row for a while."""
        row = self.rng.choice(list(self.data.rows.values()))
        if row.intent_id in self.data.locks:
            return
        row.held = "a person"
        name = row.intent_id
        self.at(self.now + self.rng.randrange(1200 * SECOND), lambda: self.let_go(name))

    def let_go(self, name: str) -> None:
        """The person releases it, when nobody writes to it."""
        if name in self.data.locks:
            self.at(self.now + SECOND, lambda: self.let_go(name))
        else:
            self.data.rows[name].held = None

    def catch_up(self) -> None:
        """The standby has everything committed until now."""
        self.standby = self.data.copy()

    def fail_over(self) -> None:
        """The standby takes over in a new epoch; commits since it caught up are lost."""
        self.note("fail-over")
        epoch = int(self.data.epoch.rpartition("/")[2]) + 1
        self.data.dead = True
        self.data, self.standby = self.standby, self.standby
        self.data.epoch = f"database/{epoch}"
        self.standby = self.data.copy()
        for row in self.data.rows.values():
            row.held = None

    def heal(self) -> None:
        """All faults stop."""
        self.faults = False
        self.erp.is_open = True
        self.note("heal")

    # ---- workers

    def boundary(self, name: str, moment: str) -> None:
        """A worker is at a boundary: others may go on, and it may sleep or die."""
        worker, rng = self.current, self.rng
        assert worker is not None
        self.note(worker.number, name, moment)
        worker.wakes = self.now + rng.randrange(3)
        if self.faults:
            dice = rng.randrange(1000)
            if dice < self.kill_chance:
                self.kills += 1
                raise Killed
            # Between the check of its grace and the first byte only as long as we promise.
            gap = name.startswith("request") and moment == "before"
            if dice >= 1000 - self.stall_chance and not gap:
                worker.wakes = self.now + rng.randrange(rng.choice((5, 60, 600)) * SECOND)
        self.main.switch()

    def sleep(self, until: int) -> None:
        """A worker waits for an answer; it may be killed meanwhile."""
        worker = self.current
        assert worker is not None
        worker.wakes = until
        if self.faults and self.rng.randrange(1000) < self.kill_chance:
            self.kills += 1
            raise Killed
        self.main.switch()

    def wait(self) -> None:
        """A worker waits for a lock."""
        self.sleep(self.now + 5)

    def work(self, worker: Worker, data: Data) -> None:
        """One process: it drains once."""
        store = MemoryStore(data, self.wait)
        owner = f"w{worker.number}"
        try:
            delivery.drain(store, self.erp, ERP, owner=owner, budget=900, limits=LIMITS)
        except (ConnectorError, GoneError) as error:
            self.note(worker.number, type(error).__name__)

    def step(self) -> None:
        """The next thing happens: an event, or a worker goes on."""
        worker = min(self.workers, key=lambda w: (w.wakes, w.number))
        if self.events and self.events[0][0] <= worker.wakes:
            when, _, act = heapq.heappop(self.events)
            self.now = max(self.now, when)
            act()
            return
        self.now = max(self.now, worker.wakes)
        if worker.run is None:
            data = self.data
            worker.run = greenlet.greenlet(lambda: self.work(worker, data), parent=self.main)
        self.current = worker
        worker.run.switch()
        self.current = None
        if worker.run.dead:
            worker.run = None
            worker.wakes = self.next_drain()

    def next_drain(self) -> int:
        """When a drain is started next: soon after something is due."""
        due = [
            max(row.next_at, row.lease_until or row.next_at)
            for row in self.data.rows.values()
            if row.state not in TERMINAL and row.held is None
        ]
        if not due:  # but a fail-over may bring some back
            return self.now + self.rng.randrange(600 * SECOND)
        first = max(self.now, int((min(due) - BEGIN).total_seconds() * SECOND) + 1)
        return first + self.rng.randrange(1, 20 * SECOND)

    def over(self) -> bool:
        """Whether nothing is left to do, and nothing on its way."""
        if self.faults or self.events or any(w.run is not None for w in self.workers):
            return False
        return all(row.state in TERMINAL for row in self.data.rows.values())

    def go(self) -> Verdict:
        """Run to the end, and let the checker judge."""
        limit = PATIENCE
        while not self.over() and self.now < limit and self.steps < 500_000:
            self.steps += 1
            self.step()
        for worker in self.workers:
            if worker.run is not None:
                worker.run.throw(Killed)
        return judge(self)


@contextmanager
def watched(world: World) -> Iterator[None]:
    """The process' boundaries and clock are the world's."""
    boundary.arm(boundary.Plan(hook=world.boundary))
    time, delivery.time = delivery.time, SimpleNamespace(monotonic=world.monotonic)  # type: ignore[assignment]
    try:
        yield
    finally:
        boundary.arm(None)
        delivery.time = time


def run(seed: int, postings: int = 10) -> Verdict:
    """One run of one seed."""
    world = World(seed, postings)
    with watched(world):
        return world.go()
