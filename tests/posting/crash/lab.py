"""Schedules of one vendor: a path, one or two kills, a recovery, and an independent checker.

The checker reads only the system's own books (`Rig.books`) and the end states of the outbox: one
posted document for a confirmed intent, none for a refused one, no draft left behind, and no intent
that has not ended.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import select

from tests.connectors.rigs import Rig
from tests.posting.books import approved, open_books
from tests.posting.crash.vendors import order_of, plan_of
from tests.posting.crash.worker import PATIENT, Settled, hasten
from tests.posting.zygote import Zygote
from tieout.connectors.ports import Journal
from tieout.errors import ConnectorError
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import Outbox, PostingIntent
from tieout.posting.delivery import drain
from tieout.posting.intents import make_intents

__all__ = ["PATHS", "Lab", "Schedule", "opened"]

#: Path → faults by kind of request; ``period`` closes the books. What it must end in follows.
PATHS: Final[dict[str, dict[str, list[str]]]] = {
    "ok": {},
    "lost reply": {"create": ["lost reply"], "post": ["lost reply"]},
    "no effect": {"create": ["no effect"], "post": ["no effect"]},
    "error after": {"create": ["error after"]},
    "recovery": {"create": ["lost reply"], "find": ["maintenance"], "read": ["no effect"]},
    "throttled": {"create": ["throttle"], "post": ["throttle"]},
    "refused": {"period": []},
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """Where the worker dies, and where the one that recovers after it.

    Attributes:
        kills: ``name:moment:nth`` of our own boundaries, or ``within kind:moment:nth`` while the
            system works on a request.
    """

    path: str
    kills: tuple[str, ...]


@dataclass
class Lab:
    """One vendor's system with a ledger to post from; counts what it did."""

    vendor: str
    ledger: Ledger
    rig: Rig
    zygote: Zygote
    folder: Path
    schedules: int = 0
    killed: int = 0
    passed: Counter[str] = field(default_factory=Counter)
    _within: str = ""
    _places: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._plan, self._order = plan_of(self.rig), order_of(self.rig)

    def places(self, path: str) -> list[str]:
        """Every place of a path a worker can die at, found by a dry run."""
        log = self.folder / "places.log"
        log.unlink(missing_ok=True)
        self._places = []
        erp = self._fresh(path)
        assert self._work(erp, log=log) == 0
        self._finish(erp, path)
        found = log.read_text(encoding="utf-8").splitlines()
        return [*found, *self._places]

    def run(self, schedule: Schedule) -> None:
        """One schedule; raises AssertionError with what is wrong."""
        erp = self._fresh(schedule.path)
        for number, kill in enumerate(schedule.kills):
            status = self._work(erp, kill)
            assert status == -9 or (number and status == 0), f"{schedule}: exit {status}"
            self.killed += status == -9
        self._finish(erp, schedule.path)
        self.schedules += 1

    def _fresh(self, path: str) -> str:
        """A connection of its own with one approved adjustment; the path's faults are planned."""
        erp = f"{self.vendor}{len(self.passed)}-{self.schedules}-{os.urandom(4).hex()}"
        sample: Journal = self.rig.journal("A" * 16)
        accounts = (sample.lines[0].gl_account, sample.lines[1].gl_account)
        journal, company = sample.journal_code, sample.company
        open_books(self.ledger, erp, company=company, journal=journal, gl_account=accounts[1])
        closed = "period" in PATHS[path]
        day = self.rig.spare_day if closed else sample.booked_on
        approved(
            self.ledger,
            erp,
            company=company,
            journal=journal,
            accounts=accounts,
            booked_on=day,
        )
        if self._plan is None:
            self.rig.forget_faults()  # type: ignore[attr-defined]
        else:
            self._plan.clear()
        if closed:
            self.rig.close_period(day)
        for operation, faults in PATHS[path].items():
            if faults:
                self.rig.fault(operation, *faults)
        return erp

    def _work(self, erp: str, kill: str = "", log: Path | None = None) -> int:
        """One worker process, and then everything it sent has its effect."""
        self._within = kill.removeprefix("within ") if kill.startswith("within ") else ""
        self.passed.clear()
        pid_file = self.folder / "pid"
        if self._plan is not None:
            self._plan.watch = lambda kind, moment: self._watch(kind, moment, pid_file, log)
        status = self.zygote.work(
            **self._order,
            address=self.ledger.address,
            erp=erp,
            kill_at="" if self._within else kill,
            log=str(log) if log else "",
            pid_file=str(pid_file),
        )
        self._within = ""
        if self._plan is not None:
            assert self._plan.idle(), "a request never ended"
        self.rig.let_work()
        hasten(self.ledger, erp)
        return status

    def _watch(self, kind: str, moment: str, pid_file: Path, log: Path | None) -> None:
        """Note a moment of a request; kill the client there where the schedule says so."""
        if not kind:
            return
        place = f"{kind}:{moment}"
        self.passed[place] += 1
        address = f"{place}:{self.passed[place]}"
        if log is not None:
            self._places.append(f"within {address}")
        if address == self._within:
            os.kill(int(pid_file.read_text(encoding="utf-8")), signal.SIGKILL)

    def _finish(self, erp: str, path: str) -> None:
        """Drain until nothing waits, then ask the system's own books."""
        connector = Settled(self.rig.connector)  # type: ignore[arg-type]
        make_intents(self.ledger, erp, actor="clean")
        for _ in range(20):
            try:
                waiting = drain(
                    self.ledger, connector, erp, owner="clean", budget=30, limits=PATIENT
                ).waiting
            except ConnectorError:
                waiting = 1
            if not waiting:
                break
            self.rig.let_work()
            hasten(self.ledger, erp)
        if "period" in PATHS[path]:
            self.rig.open_period(self.rig.spare_day)
        self._check(erp, "REJECTED" if path == "refused" else "CONFIRMED")

    def _check(self, erp: str, ends: str) -> None:
        with self.ledger.session() as session:
            rows = session.execute(
                select(Outbox.state, Outbox.erp_doc_id, Outbox.reason, PostingIntent.ext_ref)
                .join(PostingIntent, PostingIntent.intent_id == Outbox.intent_id)
                .where(Outbox.erp == erp)
            ).all()
        assert len(rows) == 1, f"{len(rows)} intents"
        state, doc_id, reason, reference = rows[0]
        there = self.rig.books(reference)
        posted = [document.doc_id for document in there if document.state == "posted"]
        assert state == ends, f"it is {state}: {reason}"
        assert posted == ([doc_id] if ends == "CONFIRMED" else []), f"posted: {posted}"
        drafts = [document.doc_id for document in there if document.state == "draft"]
        assert drafts == [], f"drafts left: {drafts}"


@contextmanager
def opened(vendor: str, ledger: Ledger, rig: Rig, folder: Path) -> Iterator[Lab]:
    """A lab for the block."""
    zygote = Zygote()
    try:
        yield Lab(vendor, ledger, rig, zygote, folder)
    finally:
        zygote.close()
