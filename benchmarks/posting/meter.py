"""What a vendor's budget of requests is, and a meter at its system's own door.

The meter knows nothing of tieout: it counts what arrives, and what is beyond the budget is refused
in the vendor's manner and counted too. One refusal is one too many.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from sandbox.simulators.faults import FaultPlan

__all__ = ["Budget", "Meter"]


@dataclass(frozen=True, slots=True)
class Budget:
    """At most ``requests`` in any ``seconds``, ``concurrent`` of them at one time; 0: no limit."""

    requests: int = 0
    seconds: float = 1
    concurrent: int = 0

    @property
    def words(self) -> str:
        """For people."""
        several = [f"{self.concurrent} at one time"] if self.concurrent else []
        if self.requests:
            several.append(f"{self.requests} in any {self.seconds:g} s")
        return ", ".join(several) or "none"


class Meter:
    """Counts at the door of one simulator; `told` at the end."""

    def __init__(self, budget: Budget, plan: FaultPlan) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._arrived: deque[float] = deque()
        self._now = self._total = self._most_now = self._most_in = self._refused = 0
        plan.admit, plan.watch = self._admit, self._watch

    def _admit(self, kind: str) -> str:
        """Count a request, or refuse it."""
        budget, at = self._budget, time.monotonic()
        with self._lock:
            while self._arrived and self._arrived[0] <= at - budget.seconds:
                self._arrived.popleft()
            spent = budget.requests and len(self._arrived) >= budget.requests
            self._total += 1
            if spent or (budget.concurrent and self._now >= budget.concurrent):
                self._refused += 1
                return "throttle"
            self._arrived.append(at)
            self._now += 1
            self._most_now = max(self._most_now, self._now)
            self._most_in = max(self._most_in, len(self._arrived))
        return ""

    def _watch(self, kind: str, moment: str) -> None:
        """A request is done before its client can hear of it; what was refused never began."""
        if kind and moment == "after":
            with self._lock:
                self._now -= 1

    def told(self) -> dict[str, Any]:
        """The counts: requests, the most at one time and in the budget's span, refused ones."""
        return {
            "requests": self._total,
            "at_once": self._most_now,
            "in_span": self._most_in,
            "refused": self._refused,
        }
