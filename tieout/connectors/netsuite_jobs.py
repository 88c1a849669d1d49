"""NetSuite's queue: documents it makes later, one or up to a hundred with one request.

A job is found again through its idempotency key, which follows from our references: the same
request sent again is refused with the address of the first one's job. Whatever the queue does, our
reference as external id makes one document at most.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tieout.connectors.netsuite_outcomes import delivery, outcome
from tieout.connectors.netsuite_session import RECORD, Session
from tieout.connectors.netsuite_wire import Answer
from tieout.connectors.ports import Delivery, ErpDocument, Journal
from tieout.errors import ConnectorError

__all__ = ["BATCH_MAX", "JobTrace", "Judges", "Queue", "idempotency_key"]

#: Records NetSuite takes with one request.
BATCH_MAX: Final = 100
_JOB: Final = "/services/rest/async/v1/job"
_ADDRESS: Final = re.compile(r"/async/v1/job/([A-Za-z0-9_-]{1,64})\Z", re.ASCII)
_NAMESPACE: Final = uuid.UUID("6f3c0b52-7a0e-5d1c-9d3e-3a7f1c2b8e40")
_COLLECTION: Final = "application/vnd.oracle.resource+json; type=collection"


def idempotency_key(*references: str) -> str:
    """The same UUID for the same documents, for ever."""
    return str(uuid.uuid5(_NAMESPACE, " ".join(references)))


@dataclass(frozen=True, slots=True)
class Judges:
    """How the connector tells what an answer means, and looks for a document."""

    created: Callable[[Journal, Answer], Delivery]
    by_reference: Callable[[Journal], ErpDocument | None]


@dataclass(frozen=True, slots=True)
class JobTrace:
    """Why a document may still come, why it was refused, and whether its job is over."""

    pending: str = ""
    refused: str = ""
    over: bool = False


class Queue:
    """Creates by way of the queue; safe to use from several threads.

    What it knows of jobs lasts as long as the connector; another one learns it from the key.
    """

    def __init__(self, session: Session, judges: Judges) -> None:
        self._session = session
        self._judges = judges
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, int]] = {}

    def create(self, journal: Journal, kind: str, body: Mapping[str, Any]) -> Delivery:
        """Put one document in the queue, or learn what became of it."""
        key = idempotency_key(journal.external_ref)
        answer = self._send(kind, body, key, "create", {})
        taken, job = self._learn(answer, [journal])
        if not taken:
            return self._judges.created(journal, answer)
        if answer.kind == "done" or not job:
            return _queued(answer, job)
        try:
            result = self._result(job, 1)
        except ConnectorError:
            result = None
        return _queued(answer, job) if result is None else self._finished(journal, result)

    def create_batch(
        self, kind: str, entries: Sequence[tuple[Journal, Mapping[str, Any]]]
    ) -> list[Delivery]:
        """Put several documents in the queue with one request; one outcome each, in order."""
        journals = [journal for journal, _ in entries]
        key = idempotency_key(*(journal.external_ref for journal in journals))
        body = {"items": [body for _, body in entries]}
        headers = {"Content-Type": _COLLECTION}
        answer = self._send(kind, body, key, "create batch", headers)
        taken, job = self._learn(answer, journals)
        if taken:
            return [_queued(answer, job)] * len(journals)
        # What refuses the request as a whole says nothing of one document: each is looked for.
        refused = answer.kind in ("done", "refused")
        told = delivery("UNKNOWN" if refused else outcome(answer), answer)
        return [told] * len(journals)

    def trace(self, journal: Journal) -> JobTrace:
        """What the journal's job tells, where this connector knows it.

        Raises:
            ConnectorError: the job cannot be asked.
        """
        with self._lock:
            job, task = self._known.get(journal.external_ref, ("", 0))
        if not job:
            return JobTrace()
        result = self._result(job, task)
        if result is None:
            return JobTrace(pending=f"job {job} is in NetSuite's queue")
        # One that was made and is not there any more was deleted by somebody.
        refused = "" if result.kind == "done" else f"{result.code}: {result.message}"
        return JobTrace(refused=refused, over=True)

    def _send(
        self,
        kind: str,
        body: Mapping[str, Any],
        key: str,
        point: str,
        headers: Mapping[str, str],
    ) -> Answer:
        own = {"Prefer": "respond-async", "X-NetSuite-Idempotency-Key": key, **headers}
        return self._session.write("POST", f"{RECORD}/{kind}", body, point=point, headers=own)

    def _learn(self, answer: Answer, journals: Sequence[Journal]) -> tuple[bool, str]:
        """Whether the request was taken, now or before, and by which job."""
        taken = answer.kind == "done" and answer.status == 202
        again = answer.kind == "refused" and answer.code == "IDEMPOTENCY_ERROR"
        if not taken and not again:
            return False, ""
        found = _ADDRESS.search(answer.location)
        if found is None:
            return True, ""
        with self._lock:
            for task, journal in enumerate(journals, 1):
                self._known[journal.external_ref] = (found[1], task)
        return True, found[1]

    def _finished(self, journal: Journal, answer: Answer) -> Delivery:
        """What a job that is over has left: it can do nothing any more."""
        made = self._judges.created(journal, answer)
        if made.outcome in ("OK", "EXISTS", "REJECT"):
            return made
        try:
            found = self._judges.by_reference(journal)
        except ConnectorError:
            return made
        if found is not None:
            return delivery("EXISTS", answer, "EXISTS", found.doc_id, found.number)
        return made if answer.kind == "done" else delivery("REJECT", answer, "JOB_FAILED")

    def _result(self, job: str, task: int) -> Answer | None:
        """The replayed answer of a task, its own status whatever that is; None while it runs."""
        told = self._session.ask(f"{_JOB}/{job}", point="job")
        match told:
            case {"completed": bool(completed), "progress": str()}:
                if not completed:
                    return None
            case _:
                message = f"NetSuite does not tell the state of job {job}"
                raise ConnectorError("ANSWER_UNEXPECTED", message, where="async job")
        answer = self._session.look(f"{_JOB}/{job}/task/{task}/result", point="job result")
        replayed = answer.kind in ("done", "refused") or answer.status >= 500
        if not replayed or (answer.status, answer.code) == (404, "NONEXISTENT_ID"):
            message = f"the result of job {job} cannot be read: {answer.message}"
            raise ConnectorError(answer.code.upper(), message, where="async job")
        return answer


def _queued(answer: Answer, job: str) -> Delivery:
    """Taken: its job works on it; without the job's address nobody knows which."""
    if not job:
        return delivery("UNKNOWN", answer, "NO_LOCATION")
    message = f"NetSuite took it as job {job}"
    return Delivery("PENDING", None, None, "QUEUED", message, answer.sha256)
