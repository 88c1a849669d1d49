"""A simulator's clock: starts where it is told, and goes on only when it is told."""

from __future__ import annotations

import datetime as dt
import threading

__all__ = ["Clock"]


class Clock:
    """Time of one simulated system.

    Args:
        start: timezone-aware; the default is the morning after the demo's business day.
    """

    def __init__(self, start: dt.datetime | None = None) -> None:
        self._now = start or dt.datetime(2026, 11, 21, 6, 0, tzinfo=dt.UTC)
        self._lock = threading.Lock()

    def now(self) -> dt.datetime:
        """The current instant, UTC."""
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._now += dt.timedelta(seconds=seconds)
