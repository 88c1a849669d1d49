"""What an ERP has shown of a document a moment ago, to be believed once.

The protocol looks at a draft directly before it asks for its posting: asking the ERP again between
the two would show nothing new.
"""

from __future__ import annotations

import threading
import time
from typing import Final, Generic, TypeVar

__all__ = ["JustShown"]

_JUST: Final = 2.0  # seconds
#: Documents remembered; the oldest makes room.
_MOST: Final = 64

Shown = TypeVar("Shown")


class JustShown(Generic[Shown]):
    """Documents as they were shown, by id; for all threads of a connector."""

    def __init__(self) -> None:
        self._shown: dict[str, tuple[float, Shown]] = {}
        self._lock = threading.Lock()

    def keep(self, doc_id: str, shown: Shown) -> None:
        """Remember what was shown now."""
        with self._lock:
            while len(self._shown) >= _MOST:
                self._shown.pop(next(iter(self._shown)))
            self._shown[doc_id] = time.monotonic(), shown

    def take(self, doc_id: str) -> Shown | None:
        """What was shown just before, and was not taken since; else None."""
        with self._lock:
            kept = self._shown.pop(doc_id, None)
        return kept[1] if kept is not None and time.monotonic() - kept[0] < _JUST else None
