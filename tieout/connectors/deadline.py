"""One thread of a process that ends requests whose time is over.

A request may trickle for ever within its read timeout; only shutting its socket ends it. A timer
each would start a thread for every request, which costs more than the request's own work.
"""

from __future__ import annotations

import heapq
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["within"]


@dataclass(order=True, slots=True)
class _Entry:
    """A deadline, by the monotonic clock; without `end` its request is over."""

    at: float
    number: int
    end: Callable[[], None] | None = field(compare=False)


class _Watch:
    """Deadlines in order, and the thread that waits for the next one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._entries: list[_Entry] = []
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    def add(self, seconds: float, end: Callable[[], None]) -> _Entry:
        """Call ``end`` after so many seconds, unless the entry is told before that it is over."""
        with self._changed:
            entry = _Entry(time.monotonic() + seconds, next(self._numbers), end)
            heapq.heappush(self._entries, entry)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            elif self._entries[0] is entry:
                self._changed.notify()
        return entry

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._entries:
                    self._changed.wait()
                left = self._entries[0].at - time.monotonic()
                if left > 0:
                    self._changed.wait(left)
                    continue
                end = heapq.heappop(self._entries).end
            if end is not None:
                end()


class _Process:
    """The watch of this process; a forked child begins with its own."""

    watch = _Watch()


def _forked() -> None:
    _Process.watch = _Watch()


os.register_at_fork(after_in_child=_forked)


@contextmanager
def within(seconds: float, end: Callable[[], None]) -> Iterator[None]:
    """Call ``end``, in another thread, where the block is not over after so many seconds."""
    entry = _Process.watch.add(seconds, end)
    try:
        yield
    finally:
        entry.end = None
