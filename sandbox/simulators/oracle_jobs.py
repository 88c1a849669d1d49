"""The Enterprise Scheduler of the Oracle simulator: requests that wait, run, pause and end.

An import is a parent that pauses while its children work: the load of the file, the import, and
the upload of the output. Its end says nothing about the rows. Nothing goes on by itself: `step`
makes one move of every request, `work` goes on until all have ended.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from sandbox.simulators.oracle_books import Books
from sandbox.simulators.oracle_import import ImportResult, journal_import
from sandbox.simulators.oracle_loader import LoadError, load
from sandbox.simulators.oracle_payables import payables_import

__all__ = ["ENDED", "INTERFACE_LOADER", "POSTING", "Job", "Scheduler"]

INTERFACE_LOADER: Final = (
    "JobDefinition://oracle/apps/ess/financials/commonModules/shared/common/interfaceLoader/"
    "InterfaceLoaderController"
)
POSTING: Final = "AutomaticPosting"
#: Time that passes from one request of the scheduler to the next.
_BETWEEN_SECONDS: Final = 10
ENDED: Final = frozenset(
    {"SUCCEEDED", "WARNING", "ERROR", "CANCELLED", "CANCELED", "EXPIRED", "FINISHED"}
    | {"VALIDATION_FAILED"}
)
#: A fault of a create, and the state in which its parent gets stuck or ends without a child.
_ENDS: Final = {
    "hold": "HOLD",
    "blocked": "BLOCKED",
    "cancelled": "CANCELLED",
    "canceled": "CANCELED",
    "expired": "EXPIRED",
    "manual recovery": "ERROR MANUAL RECOVERY",
    "validation failed": "VALIDATION_FAILED",
}


@dataclass
class Job:
    """One request of the scheduler; ``integration`` when it came through ``erpintegrations``."""

    id: int
    definition: str
    parameters: tuple[str, ...]
    submitted_at: dt.datetime
    parent: int | None = None
    integration: bool = True
    state: str = "WAIT"
    file_name: str = ""
    interface: str = ""
    import_job: str = ""
    content: bytes = field(default=b"", repr=False)
    callback: str = ""
    fault: str = ""
    log: str = ""
    output: str = ""
    completed_at: dt.datetime | None = None


class Scheduler:
    """All requests, in the order of their ids."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.jobs: dict[int, Job] = {}
        self.completed: list[Job] = []
        self._ids = itertools.count(9763072)
        self._running: dict[int, Iterator[None]] = {}
        self._children: dict[int, list[Job]] = {}

    def submit(self, definition: str, parameters: tuple[str, ...], **details: object) -> Job:
        """A new request that waits; an import when it has content."""
        with self.books.lock:
            job = self._new(definition, parameters, **details)
            self._running[job.id] = self._import(job) if job.interface else self._single(job)
            return job

    def _new(self, definition: str, parameters: tuple[str, ...], **details: object) -> Job:
        self.books.clock.advance(_BETWEEN_SECONDS)
        job = Job(next(self._ids), definition, parameters, self.books.clock.now())
        for name, value in details.items():
            setattr(job, name, value)
        self.jobs[job.id] = job
        if job.parent is not None:
            self._children.setdefault(job.parent, []).append(job)
        return job

    def step(self) -> bool:
        """One move of every request; False when nothing moved."""
        with self.books.lock:
            for number, moves in sorted(self._running.items()):
                if self.jobs[number].state in _ENDS.values():
                    continue  # it waits for a person
                if next(moves, "end") == "end":
                    del self._running[number]
            return any(self.jobs[n].state not in _ENDS.values() for n in self._running)

    def work(self) -> None:
        """Go on until every request has ended or waits for a person."""
        while self.step():
            continue

    def release(self) -> None:
        """A person lets all held requests go on."""
        with self.books.lock:
            for number in self._running:
                if self.jobs[number].state in _ENDS.values():
                    self.jobs[number].state = "READY"

    def children(self, parent: int) -> list[Job]:
        """The requests a request has made, by id."""
        return list(self._children.get(parent, ()))

    def _end(self, job: Job, state: str) -> None:
        job.state, job.completed_at = state, self.books.clock.now()

    def _import(self, job: Job) -> Iterator[None]:
        """The chain of an import: load, import, upload."""
        yield
        job.state = "READY"
        yield
        if job.fault in _ENDS:
            job.state = _ENDS[job.fault]
            if job.state in ENDED:
                self._end(job, job.state)
                return
            yield
        job.state = "RUNNING"
        yield
        job.state = "PAUSED"
        yield from self._child(job, "TransferFile", lambda child: "SUCCEEDED")
        loaded = yield from self._child(job, "InterfaceLoaderSqlldrImport", self._load(job))
        imported = "ERROR"
        if loaded == "SUCCEEDED":
            imported = yield from self._child(job, job.import_job, self._run_import(job))
        yield from self._child(job, "UploadInterfaceErrorAndJobOutput", lambda child: "SUCCEEDED")
        job.state = "COMPLETED"
        yield
        ends = {"ERROR": "ERROR", "WARNING": "WARNING"}
        self._end(job, "WARNING" if job.fault == "warning" else ends.get(imported, "SUCCEEDED"))
        self.completed.append(job)

    def _child(
        self, job: Job, name: str, effect: Callable[[Job], str]
    ) -> Generator[None, None, str]:
        child = self._new(name, job.parameters, parent=job.id, integration=False)
        yield
        child.state = "RUNNING"
        yield
        self._end(child, effect(child))
        return child.state

    def _load(self, job: Job) -> Callable[[Job], str]:
        def effect(child: Job) -> str:
            try:
                rows = load(job.content, job.interface, child.id)
            except LoadError as error:
                child.log = f"{error}\nTotal logical records rejected: 1\n"
                return "ERROR"
            self.books.load(rows)
            child.log = f"{len(rows)} Rows successfully loaded.\n"
            return "SUCCEEDED"

        return effect

    def _run_import(self, job: Job) -> Callable[[Job], str]:
        def effect(child: Job) -> str:
            result = self._imported(job, child.id)
            child.output = result.output
            child.log = f"Documents: {result.documents}, rows in error: {result.rejected}\n"
            return "SUCCEEDED"

        return effect

    def _imported(self, job: Job, request: int) -> ImportResult:
        if job.interface == "15":
            spoil = Decimal("0.01") if job.fault == "round" else Decimal(0)
            return journal_import(self.books, job.parameters, request, spoil=spoil)
        return payables_import(self.books, job.parameters, request)

    def _single(self, job: Job) -> Iterator[None]:
        """Any other job; one that posts has its batch's id among its parameters."""
        yield
        job.state = "RUNNING"
        yield
        state = "SUCCEEDED"
        if POSTING in job.definition:
            ids = [int(p) for p in job.parameters if p.isdecimal() and int(p) in self.books.batches]
            refusals = [self.books.post(number) for number in ids] or ["no such batch"]
            job.log = "\n".join(refusals)
            state = "WARNING" if any(refusals) else "SUCCEEDED"
        self._end(job, state)

    def post_automatically(self) -> None:
        """AutoPost on schedule: every unposted batch of every source."""
        for number in sorted(self.books.batches):
            self.books.post(number)
