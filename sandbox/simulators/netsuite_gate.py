"""The account-wide limit of requests at one time, and how a simulated NetSuite refuses."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from typing import Any, Final

from sandbox.simulators.netsuite_shapes import RefusedError, error_body
from sandbox.simulators.unreliable import Application, Message, Receive, Send

__all__ = ["ERROR_TYPE", "Gate", "refusal"]

ERROR_TYPE: Final = "application/vnd.oracle.resource+json; type=error"
_PAGE: Final = b"<!DOCTYPE html><html><title>NetSuite is being maintained</title></html>"


def throttled() -> RefusedError:
    """More requests at one time than the account may have; nothing says when to come again."""
    detail = "Concurrent request limit exceeded. Request blocked."
    return RefusedError(429, "CONCURRENCY_LIMIT_EXCEEDED", detail)


def refusal(fault: str) -> tuple[int, dict[str, str], bytes]:
    """``throttle``, ``maintenance`` and ``error`` as NetSuite tells them."""
    if fault == "maintenance":
        return 503, {"content-type": "text/html"}, _PAGE
    told = throttled()
    if fault == "error":
        told = RefusedError(500, "UNEXPECTED_ERROR", "An unexpected error occurred. Error ID: m1x2")
    body = json.dumps(error_body(told)).encode()
    return told.status, {"content-type": ERROR_TYPE}, body


class Gate:
    """ASGI around the API: counts what is being worked on for the whole account.

    Attributes:
        limit: requests at one time.
        occupied: places that others (SOAP, RESTlets) take.
        running: requests being worked on now.
        holding: a request with the fault ``hold`` keeps its place while this is true.
    """

    def __init__(self, inner: Application, limit: int) -> None:
        self._inner = inner
        self._lock = threading.Lock()
        self.limit, self.occupied, self.running = limit, 0, 0
        self.holding = True

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or not scope["path"].startswith("/services/"):
            await self._inner(scope, receive, send)
            return
        with self._lock:
            full = self.running + self.occupied >= self.limit
            self.running += 0 if full else 1
        if full:
            await _refuse(send)
            return
        place = [1]

        def leave() -> None:
            with self._lock:
                self.running -= place.pop() if place else 0

        async def leaving(message: Message) -> None:
            # The place is free before the client can hear the end of its answer.
            if message["type"] == "http.response.body" and not message.get("more_body"):
                leave()
            await send(message)

        try:
            while scope.get("fault") == "hold" and self.holding:
                await asyncio.sleep(0.002)
            await self._inner(scope, receive, leaving)
        finally:
            leave()

    def limits(self) -> Mapping[str, Any]:
        """What the governance resource tells."""
        return {
            "accountConcurrencyLimit": self.limit,
            "accountUnallocatedConcurrencyLimit": self.limit,
            "limitType": "accountConcurrencyLimit",
        }


async def _refuse(send: Send) -> None:
    status, headers, body = refusal("throttle")
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    start: Message = {"type": "http.response.start", "status": status, "headers": raw}
    await send(start)
    await send({"type": "http.response.body", "body": body})
