"""One HTTP request to a system, and an exact account of what became of it.

Every byte to and from a system passes through `HttpWire.exchange`: wrap it to inject a crash or a
fault. It keeps no connection open between requests, so that a request either found no listener or
wrote its bytes to a fresh connection; it retries nothing, follows no redirect, uses no proxy, and
a whole request is bounded by ``total`` seconds however slowly the answer trickles.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlencode

import httpx

from tieout import boundary
from tieout.connectors.deadline import within
from tieout.connectors.gated import GatedTransport, HeldError, RequestGate, direct

__all__ = ["HttpAnswer", "HttpWire", "Timeouts", "through"]

_GATE: ContextVar[RequestGate | None] = ContextVar("gate", default=None)


@contextmanager
def through(gate: RequestGate | None) -> Iterator[None]:
    """Inside, whatever wire is made sends all its requests through this gate, for ever.

    However a connector builds its network (with a certificate of ours, say), it cannot be made
    around the gate.
    """
    token = _GATE.set(gate)
    try:
        yield
    finally:
        _GATE.reset(token)


#: Points of requests that make something; the same words in every connector.
_CREATES: Final = ("create", "package")
_HEADERS: Final = {
    "User-Agent": "tieout",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "close",
}
_ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
_BEFORE_FIRST_BYTE: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Bounds of a request in seconds: opening the connection, each read, all of it."""

    connect: float = 5
    read: float = 30
    total: float = 60


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came of a request.

    Attributes:
        kind: ``answered`` (a complete answer of whatever status), ``unsent`` (not one byte left),
            ``lost`` (anything else).
        code: ``OK`` or ``HTTP_<status>`` of an answer, else ``UNREACHABLE``, ``CONNECT_TIMEOUT``,
            ``TIMEOUT``, ``CONNECTION_LOST``, or ``HELD_…`` where there was no permit to send it.
        message: one sentence for people; empty for an answer.
        status: of the answer, else 0.
        headers: of the answer, names in lower case; without cookies.
        cookies: the answer's ``Set-Cookie`` headers, in order.
        body: of the answer, decoded where it was compressed.
        sha256: of the body; empty when none came.
    """

    kind: Literal["answered", "unsent", "lost"]
    code: str
    message: str = ""
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
    body: bytes = field(default=b"", repr=False)
    sha256: str = ""


class _Watch:
    """Follows one request: whether its bytes began to leave, and when its time is over."""

    def __init__(self) -> None:
        self.sent = False
        self.late = False
        self._socket: socket.socket | None = None

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            self._socket = info["return_value"].get_extra_info("socket")
        elif event.endswith("send_request_headers.started"):
            self.sent = True

    def end(self) -> None:
        self.late = True
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # closed in the same moment: the request is over


class HttpWire:
    """Requests to one system.

    Args:
        base_url: ``https://host``; paths are appended to it.
        name: of the system, for messages.
        transport: replaces the network in tests.
    """

    def __init__(
        self,
        base_url: str,
        name: str,
        timeouts: Timeouts,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.name = name
        self._total = timeouts.total
        self._kept: list[str] | None = None
        gate = _GATE.get()
        if gate is not None:
            transport = GatedTransport(gate, transport)
        # The transport itself, not a client of httpx above it: no redirects, no cookies, no proxy
        # of the environment can come into play, and a request costs half as much.
        self._transport = transport or direct()
        self._timeout = httpx.Timeout(timeouts.read, connect=timeouts.connect).as_dict()

    def close(self) -> None:
        """Release the network."""
        self._transport.close()

    @contextmanager
    def rehearsed(self) -> Iterator[list[str]]:
        """Within the block, creates are kept back and told (method, address, body), not sent."""
        self._kept = []
        try:
            yield self._kept
        finally:
            self._kept = None

    def exchange(
        self,
        method: str,
        path: str,
        *,
        point: str,
        headers: Mapping[str, str] | None = None,
        params: Sequence[tuple[str, str]] = (),
        content: bytes = b"",
    ) -> HttpAnswer:
        """One request. Never raises.

        Args:
            method: ``GET``, ``POST`` …
            path: begins with a slash and is appended to the base, or a whole address.
            point: name of the boundary, ``create journal``; the same for the same kind of request.
            headers: beside the wire's own; cookies are the caller's to send and keep.
            params: of the query, in order.
            content: the body.
        """
        address = path if "://" in path else f"{self.base_url}{path}"
        if self._kept is not None and method != "GET" and point.startswith(_CREATES):
            query = f"?{urlencode(params)}" if params else ""
            body = content.decode("utf-8", "replace")
            self._kept.append(f"{method} {address}{query}\n\n{body}")
            return HttpAnswer("unsent", "REHEARSED", "kept back: only shown")
        watch = _Watch()
        try:
            request = httpx.Request(
                method,
                address,
                params=list(params) or None,
                content=content or None,
                headers=_HEADERS | dict(headers or {}),
                extensions={"timeout": self._timeout, "trace": watch.trace},
            )
            with within(self._total, watch.end), boundary.point(f"http {point}"):
                response = self._transport.handle_request(request)
                with closing(response):
                    return _answer(response, _read(response))
        except httpx.HTTPError as error:
            return self._failure(error, watch)

    def _failure(self, error: httpx.HTTPError, watch: _Watch) -> HttpAnswer:
        words = f"{error}" or type(error).__name__
        if isinstance(error, HeldError):
            return HttpAnswer("unsent", error.code, f"{self.name} gets no request now: {words}")
        if not watch.sent and isinstance(error, _BEFORE_FIRST_BYTE):
            code = "CONNECT_TIMEOUT" if isinstance(error, httpx.TimeoutException) else "UNREACHABLE"
            return HttpAnswer("unsent", code, f"{self.name} cannot be reached: {words}")
        if watch.late or isinstance(error, httpx.TimeoutException):
            return HttpAnswer("lost", "TIMEOUT", f"{self.name} did not answer in time: {words}")
        return HttpAnswer("lost", "CONNECTION_LOST", f"the connection broke: {words}")


def _answer(response: httpx.Response, body: bytes) -> HttpAnswer:
    status = response.status_code
    return HttpAnswer(
        "answered",
        "OK" if 200 <= status < 300 else f"HTTP_{status}",
        status=status,
        headers={k.lower(): v for k, v in response.headers.items() if k.lower() != "set-cookie"},
        cookies=tuple(response.headers.get_list("set-cookie")),
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
    )


def _read(response: httpx.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in response.iter_bytes():
        size += len(part)
        if size > _ANSWER_BYTES_MAX:
            raise httpx.RemoteProtocolError("the answer is larger than 64 MiB")
        parts.append(part)
    return b"".join(parts)
