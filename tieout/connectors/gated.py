"""The one door to a system's network: no request leaves without a permit, every answer is noted.

`GatedTransport` stands below every connector's HTTP client, so that logins, reads and writes of all
vendors are counted alike, and none of them has to think of it. A refused permit is a request of
which not one byte was sent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

import httpx

__all__ = ["GatedTransport", "HeldError", "RequestGate", "direct", "retry_after"]

#: Longer than this no system is waited for without a person looking.
_WAIT_MAX: Final = dt.timedelta(days=1)
_BUSY: Final = (429, 503)
_GATEWAY: Final = (502, 503, 504)


class HeldError(httpx.ConnectError):
    """No permit: the request was not begun. ``code`` says why (``HELD_MAINTENANCE`` …)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class RequestGate(Protocol):
    """Who gives permits and hears what became of the requests."""

    def enter(self) -> None:
        """Take the permit of one request; raises `HeldError`."""
        ...

    def came_through(self) -> None:
        """The system answered."""
        ...

    def failed(self, trouble: str) -> None:
        """Nobody answered, or nothing but a gateway."""
        ...

    def told_to_wait(self, wait: dt.timedelta | None) -> None:
        """The system answered that it is too busy, and for how long where it said so."""
        ...


def direct() -> httpx.HTTPTransport:
    """The network itself: a connection for each request, TLS verified, no proxy, no retry."""
    return httpx.HTTPTransport(
        limits=httpx.Limits(max_keepalive_connections=0), retries=0, trust_env=False
    )


class GatedTransport(httpx.BaseTransport):
    """An httpx transport behind a gate.

    Args:
        inner: what carries the requests; the network without one. It retries nothing.
    """

    def __init__(self, gate: RequestGate, inner: httpx.BaseTransport | None = None) -> None:
        self._gate = gate
        self._inner = inner or direct()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One request, once it has its permit."""
        self._gate.enter()
        try:
            response = self._inner.handle_request(request)
        except httpx.TransportError as error:
            self._gate.failed(f"{type(error).__name__} from {request.url.host}")
            raise
        self._note(response)
        return response

    def close(self) -> None:
        """Release the network."""
        self._inner.close()

    def _note(self, response: httpx.Response) -> None:
        """Tell the gate what the status means for the line; the body is the connector's affair.

        An application's own 500 speaks of one document, not of the line: it counts for nothing.
        """
        status = response.status_code
        wait = retry_after(response.headers, dt.datetime.now(dt.UTC))
        if status == 429 or (status in _BUSY and wait is not None):
            self._gate.told_to_wait(wait)
        elif status in _GATEWAY or (status >= 500 and _is_page(response)):
            self._gate.failed(f"HTTP {status}")
        elif status < 500:
            self._gate.came_through()


def retry_after(headers: Mapping[str, str], now: dt.datetime) -> dt.timedelta | None:
    """The wait an answer asks for, in seconds or until an HTTP date; None where it says nothing.

    At least zero and at most a day, whatever it says.
    """
    said = headers.get("retry-after", "").strip()
    if not said:
        return None
    if said.isascii() and said.isdigit():
        wait = dt.timedelta(seconds=min(int(said[:9]), _WAIT_MAX // dt.timedelta(seconds=1)))
    else:
        try:
            at = parsedate_to_datetime(said)
        except ValueError:
            return None
        wait = (at if at.tzinfo else at.replace(tzinfo=dt.UTC)) - now
    return min(max(wait, dt.timedelta(0)), _WAIT_MAX)


def _is_page(response: httpx.Response) -> bool:
    """Whether a person's page came where an API's answer was due."""
    kind = response.headers.get("content-type", "").lower()
    return not kind or "html" in kind or kind.startswith("text/plain")
