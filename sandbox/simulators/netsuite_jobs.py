"""Asynchronous jobs of a simulated NetSuite: taken, worked on when told, their results replayed.

A job has a task for each record it was given. An idempotency key names the job of its first
request for a day; afterwards it is forgotten.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.simulators.clock import Clock
from sandbox.simulators.netsuite_shapes import RefusedError

__all__ = ["KEY_SECONDS", "Job", "Jobs", "Result"]

KEY_SECONDS = 86_400

#: Status, headers and body of the answer a task replays.
Result = tuple[int, dict[str, str], dict[str, Any] | None]


@dataclass
class Job:
    """One job; ``results`` come when it is worked on."""

    id: str
    tasks: list[Callable[[], Result]]
    progress: str = "pending"
    results: list[Result] = field(default_factory=list)
    fails: bool = False

    def told(self, base: str) -> dict[str, Any]:
        """The job as the API tells it."""
        address = f"{base}/services/rest/async/v1/job/{self.id}"
        return {
            "links": [{"rel": "self", "href": address}],
            "id": self.id,
            "completed": self.progress in ("succeeded", "failed"),
            "progress": self.progress,
            "task": {"links": [{"rel": "self", "href": f"{address}/task/"}]},
        }


class Jobs:
    """All jobs of an account."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._keys: dict[str, tuple[str, float]] = {}

    def take(self, key: str, tasks: list[Callable[[], Result]], *, fails: bool = False) -> Job:
        """Put work in the queue.

        Raises:
            RefusedError: 400 ``INVALID_REQUEST`` for a key that is no UUID, 400
                ``IDEMPOTENCY_ERROR`` with the first job's address for one that was used.
        """
        with self._lock:
            if key:
                self._check_key(key)
            job = Job(str(len(self._jobs) + 1), tasks, fails=fails)
            self._jobs[job.id] = job
            if key:
                self._keys[key] = (job.id, self._clock.now().timestamp() + KEY_SECONDS)
            return job

    def _check_key(self, key: str) -> None:
        try:
            uuid.UUID(key)
        except ValueError:
            detail = "The idempotency key is not a UUID."
            name = "X-NetSuite-Idempotency-Key"
            raise RefusedError(400, "INVALID_REQUEST", detail, name, "o:errorHeader") from None
        job, until = self._keys.get(key, ("", 0.0))
        if until > self._clock.now().timestamp():
            raise RefusedError(
                400,
                "IDEMPOTENCY_ERROR",
                "A request with the same idempotency key was submitted before.",
                title="Conflict",
                headers={"Location": job, "Preference-Applied": "respond-async"},
            )

    def job(self, job_id: str) -> Job:
        """One job.

        Raises:
            RefusedError: 404 ``NONEXISTENT_ID``.
        """
        with self._lock:
            if job_id not in self._jobs:
                raise RefusedError(
                    404, "NONEXISTENT_ID", "There is no such job.", job_id, "o:errorUrl"
                )
            return self._jobs[job_id]

    def begin(self) -> None:
        """Pending jobs are being worked on, without a result yet."""
        with self._lock:
            for job in self._jobs.values():
                if job.progress == "pending":
                    job.progress = "processing"

    def work(self) -> int:
        """Finish all jobs; returns how many there were."""
        with self._lock:
            waiting = [j for j in self._jobs.values() if j.progress in ("pending", "processing")]
        for job in waiting:
            if job.fails:
                body: dict[str, Any] = {
                    "title": "Internal Server Error",
                    "status": 500,
                    "o:errorDetails": [
                        {
                            "detail": "An unexpected error occurred.",
                            "o:errorCode": "UNEXPECTED_ERROR",
                        }
                    ],
                }
                job.results = [(500, {}, body) for _ in job.tasks]
            else:
                job.results = [task() for task in job.tasks]
            done = all(status < 400 for status, _, _ in job.results)
            job.progress = "succeeded" if done else "failed"
        return len(waiting)
