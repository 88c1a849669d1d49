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
from collections.abc import Mapping

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


class FaultPlan:
    """Faults by kind of request; an empty string is a request without a fault."""

    def __init__(self) -> None:
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

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._queues.clear()

    def seen(self) -> Mapping[str, int]:
        """Requests so far, by kind."""
        with self._lock:
            return dict(sorted(self._seen.items()))
