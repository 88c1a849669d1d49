"""Recurring integration of the Dynamics 365 simulator: messages that come back until acknowledged.

A message that was dequeued and not acknowledged for half an hour is given out again.
"""

from __future__ import annotations

import datetime as dt
import secrets
import threading
from dataclasses import dataclass

from sandbox.simulators.clock import Clock
from sandbox.simulators.dynamics365_odata import ODataError
from sandbox.simulators.dynamics365_world import Row

__all__ = ["PATH", "Queues"]

PATH = "/api/connector/"
_GIVEN_FOR = dt.timedelta(minutes=30)


@dataclass
class _Message:
    """One file of a recurring job, in or out."""

    activity: str
    name: str
    content: bytes
    status: str
    receipt: str = ""
    hidden_until: dt.datetime | None = None


class Queues:
    """The messages of all recurring jobs.

    Attributes:
        messages: by id, in the order they came.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.messages: dict[str, _Message] = {}

    def offer(self, activity: str, name: str, content: bytes) -> str:
        """An export has run: its file waits to be fetched."""
        with self._lock:
            return self._add(_Message(activity, name, content, "Processed"))

    def enqueue(self, activity: str, query: Row, content: bytes) -> str:
        """A file to import; answers with its message id."""
        if not query.get("entity"):
            raise ODataError(400, "The parameter 'entity' is missing.")
        with self._lock:
            return self._add(_Message(activity, str(query["entity"]), content, "Enqueued"))

    def dequeue(self, activity: str, base: str) -> Row | None:
        """The next message of a job that nobody holds; None when there is none."""
        now = self._clock.now()
        with self._lock:
            for key, message in self.messages.items():
                free = message.hidden_until is None or message.hidden_until <= now
                if message.activity == activity and free and message.status in _GIVEN:
                    message.status, message.receipt = "Dequeued", secrets.token_hex(8)
                    message.hidden_until = now + _GIVEN_FOR
                    return _told(key, message, base)
        return None

    def acknowledge(self, activity: str, asked: Row, base: str) -> None:
        """Take a message out of its queue, by the very body the dequeue gave.

        Raises:
            ODataError: it is not the one that was given last.
        """
        with self._lock:
            key = str(asked.get("CorrelationId"))
            message = self.messages.get(key)
            given = message is not None and asked == _told(key, message, base)
            if message is None or message.activity != activity or not given:
                raise ODataError(400, "The message is not the one that was dequeued.")
            message.status = "Acked"

    def _add(self, message: _Message) -> str:
        key = f"{secrets.token_hex(4)}-{len(self.messages):04d}"
        self.messages[key] = message
        return key


_GIVEN = ("Processed", "Dequeued")


def _told(key: str, message: _Message, base: str) -> Row:
    return {
        "CorrelationId": key,
        "PopReceipt": message.receipt,
        "DownloadLocation": f"{base}{PATH}download/{key}",
        "IsDownLoadFileExist": True,
        "FileDownLoadErrorMessage": "",
    }
