"""Documents that NetSuite makes in its queue: which job has which, and what became of it.

A job is found again through its idempotency key, which follows from our reference: the same
request sent again is refused with the address of the first one's job.
"""

from __future__ import annotations

import re
import threading
import uuid
from dataclasses import dataclass
from typing import Final, Literal

from tieout.connectors.netsuite_session import Session
from tieout.connectors.netsuite_wire import Answer
from tieout.errors import ConnectorError

__all__ = ["JobState", "Jobs", "idempotency_key"]

_JOB: Final = "/services/rest/async/v1/job"
_ADDRESS: Final = re.compile(r"/async/v1/job/([A-Za-z0-9_-]{1,64})\Z", re.ASCII)
_NAMESPACE: Final = uuid.UUID("6f3c0b52-7a0e-5d1c-9d3e-3a7f1c2b8e40")


def idempotency_key(*references: str) -> str:
    """The same UUID for the same documents, for ever."""
    return str(uuid.uuid5(_NAMESPACE, " ".join(references)))


@dataclass(frozen=True, slots=True)
class JobState:
    """``running``; ``over`` with the answer of each of its tasks, in order."""

    job: str
    progress: Literal["running", "over"]
    answers: tuple[Answer, ...] = ()


class Jobs:
    """The jobs this connector knows of, by key; safe to use from several threads."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}

    def learn(self, key: str, answer: Answer) -> str:
        """The job of an answer's address, remembered; empty where it names none."""
        found = _ADDRESS.search(answer.location)
        if found is None:
            return ""
        with self._lock:
            self._known[key] = found[1]
        return found[1]

    def known(self, key: str) -> str:
        """The job of a key, empty where this connector does not know it."""
        with self._lock:
            return self._known.get(key, "")

    def state(self, job: str, tasks: int = 1) -> JobState:
        """Ask what has become of a job.

        Raises:
            ConnectorError: it cannot be known.
        """
        told = self._session.ask(f"{_JOB}/{job}", point="job")
        match told:
            case {"completed": bool(completed), "progress": str()}:
                if not completed:
                    return JobState(job, "running")
            case _:
                message = f"NetSuite does not tell the state of job {job}"
                raise ConnectorError("ANSWER_UNEXPECTED", message, where="async job")
        numbers = range(1, tasks + 1)
        return JobState(job, "over", tuple(self._result(job, number) for number in numbers))

    def _result(self, job: str, task: int) -> Answer:
        """The replayed answer of one task: its own status, whatever that is."""
        answer = self._session.look(f"{_JOB}/{job}/task/{task}/result", point="job result")
        replayed = answer.kind in ("done", "refused") or answer.status >= 500
        if not replayed or (answer.status, answer.code) == (404, "NONEXISTENT_ID"):
            message = f"the result of job {job} cannot be read: {answer.message}"
            raise ConnectorError(answer.code.upper(), message, where="async job")
        return answer
