"""``$batch`` in the Dynamics 365 simulator: change sets that are done whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sandbox.simulators.dynamics365_odata import ODataError, fault_body

__all__ = ["Operation", "batch"]

OPERATIONS_MAX = 5000
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')


@dataclass(frozen=True, slots=True)
class Operation:
    """One request, alone or within a batch."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def link(self, base: str, query: Mapping[str, str]) -> str:
        """The address of the same with another query."""
        return f"{base}{self.path}?{urlencode(query)}"


def batch(
    operation: Operation, answer: Callable[[Operation], Any], books: Any
) -> tuple[str, bytes]:
    """The content type and body of the answer to a batch.

    Without ``Prefer: odata.continue-on-error`` nothing behind the first refusal is looked at.
    """
    goes_on = "continue-on-error" in operation.headers.get("prefer", "")
    parts = _parts(operation.headers.get("content-type", ""), operation.body)
    told, count = [], 0
    for headers, body in parts:
        kind = headers.get("content-type", "")
        grouped = kind.startswith("multipart/mixed")
        inner = _parts(kind, body) if grouped else [(headers, body)]
        count += len(inner)
        if count > OPERATIONS_MAX:
            raise ODataError(400, f"A batch has at most {OPERATIONS_MAX} operations.")
        text, good = _change_set(inner, answer, books, grouped)
        told.append(text)
        if not good and not goes_on:
            break
    lines = [b"".join((b"--batchresponse_1\r\n", text, b"\r\n")) for text in told]
    return (
        "multipart/mixed; boundary=batchresponse_1",
        b"".join(lines) + b"--batchresponse_1--\r\n",
    )


def _change_set(
    parts: list[tuple[dict[str, str], bytes]],
    answer: Callable[[Operation], Any],
    books: Any,
    grouped: bool,
) -> tuple[bytes, bool]:
    """The answer to one change set: one for each operation, or a single refusal."""
    told: list[bytes] = []
    try:
        with books.change_set() if grouped else nullcontext():
            for headers, body in parts:
                reply = answer(_operation(body))
                told.append(_http(reply.status, reply.body, headers.get("content-id", "")))
    except ODataError as fault:
        return _http(fault.status, fault_body(fault), ""), False
    if not grouped:
        return told[0], True
    inner = b"".join(b"--changesetresponse_1\r\n" + text + b"\r\n" for text in told)
    head = b"Content-Type: multipart/mixed; boundary=changesetresponse_1\r\n\r\n"
    return head + inner + b"--changesetresponse_1--\r\n", True


def _http(status: int, body: bytes, content_id: str) -> bytes:
    head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
    if content_id:
        head += f"Content-ID: {content_id}\r\n"
    inner = f"HTTP/1.1 {status} Told\r\n"
    if body:
        inner += "Content-Type: application/json; odata.metadata=minimal\r\n"
    return f"{head}\r\n{inner}\r\n".encode() + body


def _parts(kind: str, body: bytes) -> list[tuple[dict[str, str], bytes]]:
    named = _BOUNDARY.search(kind)
    if not kind.startswith("multipart/mixed") or named is None:
        raise ODataError(400, "A batch is multipart/mixed with a boundary.")
    pieces = (b"\r\n" + body).split(b"\r\n--" + named[1].encode())
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise ODataError(400, "The last boundary of the batch is missing.")
    found = []
    for piece in pieces[1:-1]:
        head, gap, rest = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not gap:
            raise ODataError(400, "A part of the batch has no body.")
        found.append((_headers(head), rest))
    return found


def _headers(head: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in head.decode().split("\r\n") if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _operation(body: bytes) -> Operation:
    head, _, content = body.partition(b"\r\n\r\n")
    first, _, rest = head.partition(b"\r\n")
    match first.decode().split(" "):
        case [method, target, "HTTP/1.1"]:
            path, _, query = target.partition("?")
            return Operation(method, path, dict(parse_qsl(query)), _headers(rest), content)
    raise ODataError(400, "An operation of the batch is no HTTP request.")
