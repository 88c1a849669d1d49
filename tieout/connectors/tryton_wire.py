"""One JSON-RPC call to Tryton over HTTP, and an exact account of what became of it.

Every byte to and from the ERP passes through `Wire.exchange`: wrap it to inject a crash or a
fault. It keeps no connection open between calls, so that a call either found no listener or wrote
its bytes to a fresh connection; it retries nothing, follows no redirect, uses no proxy, and a
whole call is bounded by ``total`` seconds however slowly the answer trickles.
"""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal

import httpx

from tieout import boundary

__all__ = ["Answer", "Timeouts", "Wire"]

_ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
_BEFORE_FIRST_BYTE: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Bounds of a call in seconds: opening the connection, each read, all of it."""

    connect: float = 5
    read: float = 30
    total: float = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call.

    Attributes:
        kind: ``result`` (value is what the method returned), ``error`` (Tryton raised one of its
            own errors and rolled back: ``code`` is its name), ``unauthorized`` (401, 403: turned
            away at the door), ``unsent`` (not one byte left), ``lost`` (anything else).
        code: stable upper-case reason; the error's class name for ``error``.
        message: one sentence for people.
        sha256: of the answer's body, empty when none came.
    """

    kind: Literal["result", "error", "unauthorized", "unsent", "lost"]
    code: str
    message: str
    sha256: str = ""
    value: Any = None


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
                return  # closed in the same moment: the call is over


class Wire:
    """Calls to one Tryton database.

    Args:
        base_url: ``http://127.0.0.1:8000``; ``https`` for any other host.
        transport: replaces the network in tests.
    """

    def __init__(
        self,
        base_url: str,
        database: str,
        timeouts: Timeouts,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._path = f"{base_url.rstrip('/')}/{database}/rpc/"
        self._total = timeouts.total
        self._client = httpx.Client(
            timeout=httpx.Timeout(timeouts.read, connect=timeouts.connect),
            limits=httpx.Limits(max_keepalive_connections=0),
            headers={"Accept": "application/json", "User-Agent": "tieout"},
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    def close(self) -> None:
        """Release the client."""
        self._client.close()

    def exchange(self, method: str, params: list[Any], session: str = "") -> Answer:
        """One call: ``model.account.move.create`` with its parameters, context last. Never raises.

        ``session`` is the value of the ``Authorization`` header, or empty for the login.
        """
        content = json.dumps({"id": 1, "method": method, "params": params}, default=_encode)
        headers = {"Content-Type": "application/json"}
        if session:
            headers["Authorization"] = session
        watch = _Watch()
        timer = threading.Timer(self._total, watch.end)
        timer.daemon = True
        timer.start()
        try:
            with (
                boundary.point(f"http {method}"),
                self._client.stream(
                    "POST",
                    self._path,
                    content=content,
                    headers=headers,
                    extensions={"trace": watch.trace},
                ) as response,
            ):
                body = _read(response)
                return _answer(response.status_code, body)
        except httpx.HTTPError as error:
            return _failure(error, watch)
        finally:
            timer.cancel()


def _read(response: httpx.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in response.iter_bytes():
        size += len(part)
        if size > _ANSWER_BYTES_MAX:
            raise httpx.RemoteProtocolError("the answer is larger than 64 MiB")
        parts.append(part)
    return b"".join(parts)


def _failure(error: httpx.HTTPError, watch: _Watch) -> Answer:
    if not watch.sent and isinstance(error, _BEFORE_FIRST_BYTE):
        code = "CONNECT_TIMEOUT" if isinstance(error, httpx.TimeoutException) else "UNREACHABLE"
        return Answer("unsent", code, f"Tryton cannot be reached: {_words(error)}")
    if watch.late or isinstance(error, httpx.TimeoutException):
        return Answer("lost", "TIMEOUT", f"Tryton did not answer in time: {_words(error)}")
    return Answer("lost", "CONNECTION_LOST", f"the connection broke: {_words(error)}")


def _words(error: Exception) -> str:
    return f"{error}" or type(error).__name__


def _answer(status: int, body: bytes) -> Answer:
    """Classify a complete HTTP answer; anything not understood is lost, never a guess."""
    digest = hashlib.sha256(body).hexdigest()
    if status in (401, 403):
        return Answer("unauthorized", f"HTTP_{status}", f"Tryton answered {status}", digest)
    if status != 200:
        return Answer("lost", f"HTTP_{status}", f"Tryton answered HTTP {status}", digest)
    try:
        data = json.loads(body, object_hook=_decode, parse_float=Decimal)
    except (ValueError, InvalidOperation, KeyError, TypeError, RecursionError):
        return Answer("lost", "UNPARSABLE", "Tryton's answer is not the JSON it promises", digest)
    if not isinstance(data, dict) or data.get("id") != 1:
        return Answer("lost", "UNPARSABLE", "Tryton's answer is not to our call", digest)
    if "error" in data:
        return _raised(data["error"], digest)
    if "result" not in data:
        return Answer("lost", "UNPARSABLE", "Tryton's answer has no result", digest)
    return Answer("result", "OK", "", digest, data["result"])


def _raised(error: object, digest: str) -> Answer:
    """An exception on Tryton's side: its own kinds roll back and say so, others prove nothing."""
    match error:
        case ["UserError", [str(message), *rest]]:
            detail = rest[0] if rest and isinstance(rest[0], str) else ""
            text = f"{message} {detail}".strip()
            return Answer("error", "UserError", " ".join(text.split()), digest)
        case ["UserWarning", [str(), str(message), *_]]:
            return Answer("error", "UserWarning", " ".join(message.split()), digest)
        case [str(name), *_]:
            return Answer("lost", "SERVER_ERROR", f"Tryton failed: {name[:200]}", digest)
    return Answer("lost", "UNPARSABLE", "Tryton's error has an unknown shape", digest)


def _encode(value: object) -> dict[str, object]:
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, date):
        fields = {"year": value.year, "month": value.month, "day": value.day}
        return {"__class__": "date", **fields}
    raise TypeError(f"{value!r} has no form on Tryton's wire")


def _decode(found: dict[str, Any]) -> Any:
    kind = found.get("__class__")
    if kind == "Decimal":
        return Decimal(str(found["decimal"]))
    if kind == "date":
        return date(found["year"], found["month"], found["day"])
    return found
