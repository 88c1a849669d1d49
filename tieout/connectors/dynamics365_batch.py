"""OData ``$batch``: change sets in one request, each done whole or not at all.

>>> made = [Operation("POST", "/data/LedgerJournalHeaders", '{"dataAreaId":"nord"}')]
>>> kind, content = encoded([made])
>>> kind.startswith("multipart/mixed; boundary=batch_")
True
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from typing import Final

from tieout.connectors.http_wire import HttpAnswer

__all__ = ["OPERATIONS_MAX", "Operation", "Part", "decoded", "encoded"]

#: The system's own limit.
OPERATIONS_MAX: Final = 5000
_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3})\b")


@dataclass(frozen=True, slots=True)
class Operation:
    """One write within a change set."""

    method: str
    path: str
    content: str = ""
    if_match: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """The answer to one operation."""

    status: int
    body: bytes


def encoded(change_sets: Sequence[Sequence[Operation]]) -> tuple[str, bytes]:
    """The content type and body; the boundary follows from the content."""
    seed = repr(change_sets).encode()
    name = hashlib.sha256(seed).hexdigest()[:32]
    lines: list[str] = []
    for index, operations in enumerate(change_sets, start=1):
        inner = f"changeset_{index}_{name}"
        lines += [f"--batch_{name}", f"Content-Type: multipart/mixed; boundary={inner}", ""]
        for content_id, operation in enumerate(operations, start=1):
            lines += [f"--{inner}", *_operation(operation, content_id)]
        lines += [f"--{inner}--"]
    lines += [f"--batch_{name}--", ""]
    return f"multipart/mixed; boundary=batch_{name}", "\r\n".join(lines).encode()


def _operation(operation: Operation, content_id: int) -> list[str]:
    lines = [
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        f"Content-ID: {content_id}",
        "",
        f"{operation.method} {operation.path} HTTP/1.1",
        "Accept: application/json",
    ]
    if operation.if_match:
        lines += [f"If-Match: {operation.if_match}"]
    if operation.content:
        lines += ["Content-Type: application/json"]
    return [*lines, "", operation.content]


def decoded(answer: HttpAnswer) -> list[list[Part]] | None:
    """The parts of each change set, in order; None where the answer is not whole and sound.

    A change set that was refused is one part; those behind it may be missing.
    """
    kind = answer.headers.get("content-type", "")
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + answer.body)
    if message.get_content_type() != "multipart/mixed" or not message.is_multipart():
        return None
    found: list[list[Part]] = []
    for outer in _parts(message):
        inner = _parts(outer) if outer.is_multipart() else [outer]
        parts = [_part(part) for part in inner]
        if outer.defects or not parts:
            return None
        found.append([part for part in parts if part is not None])
        if len(found[-1]) != len(parts):
            return None
    # A body that breaks off before its last boundary is a defect the parser notes.
    return None if message.defects else found


def _parts(message: Message) -> list[Message]:
    payload = message.get_payload()
    return (
        [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []
    )


def _part(message: Message) -> Part | None:
    payload = message.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return None
    head, _, body = payload.replace(b"\r\n", b"\n").partition(b"\n\n")
    status = _STATUS.match(head)
    return Part(int(status[1]), body.strip()) if status else None
