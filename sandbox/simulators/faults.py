"""What goes wrong, and when: a plan of faults, used up one request at a time.

Each kind of request of a simulator (``create``, ``find``, ``token`` …) has its own queue. These
faults work at every simulator and every kind of request; a vendor's module adds its own::

    lost reply    the request is worked on, its answer breaks off          (client: UNKNOWN)
    no effect     the connection breaks before anything happens            (client: UNKNOWN)
    late          as ``no effect``, and the work happens at `deliver_late`  (client: UNKNOWN)
    throttle      refused before it is looked at, in the vendor's manner
    maintenance   a page in HTML, in the vendor's manner
    error before  an internal error before anything happened
    error after   the request is worked on, then an internal error is told
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

__all__ = ["ANYWHERE", "FaultPlan"]

#: Faults that every simulator knows for every kind of request.
ANYWHERE = (
    "lost reply",
    "no effect",
    "late",
    "throttle",
    "maintenance",
    "error before",
    "error after",
)


def _nobody(operation: str, moment: str) -> None:
    """Nobody watches."""


def _all(operation: str) -> str:
    """All are admitted."""
    return ""


class FaultPlan:
    """Faults by kind of request; an empty string is a request without a fault.

    Attributes:
        watch: called with the kind of each request, ``before`` it is worked on and ``after`` its
            effect, while the client still waits: a crash test kills the client there.
        admit: called with the kind of each request that no fault is planned for; what it answers
            is the request's fault: ``throttle`` beyond a budget.
    """

    def __init__(self) -> None:
        self.watch: Callable[[str, str], None] = _nobody
        self.admit: Callable[[str], str] = _all
        self._busy = 0
        self._changed = threading.Condition()
        self._queues: dict[str, deque[str]] = {}
        self._lock = threading.Lock()
        self._seen: Counter[str] = Counter()

    def add(self, operation: str, *faults: str) -> None:
        """Plan faults for the next requests of a kind."""
        with self._lock:
            self._queues.setdefault(operation, deque()).extend(faults)

    def take(self, operation: str) -> str:
        """The fault of this request; counts it."""
        with self._lock:
            self._seen[operation] += 1
            queue = self._queues.get(operation)
            return queue.popleft() if queue else ""

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """One request is being worked on."""
        with self._changed:
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def idle(self, seconds: float = 10) -> bool:
        """Wait until every request has had its effect, also one whose client is dead."""
        with self._changed:
            return self._changed.wait_for(lambda: self._busy == 0, timeout=seconds)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._queues.clear()

    def seen(self) -> Mapping[str, int]:
        """Requests so far, by kind."""
        with self._lock:
            return dict(sorted(self._seen.items()))
