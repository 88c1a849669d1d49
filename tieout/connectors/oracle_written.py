"""What became of a write, from its answer: the one place where outcomes are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tieout.connectors.gated import retry_after
from tieout.connectors.http_wire import HttpAnswer
from tieout.connectors.oracle_session import body_of, complaint
from tieout.connectors.ports import Delivery, Outcome
from tieout.errors import ConnectorError

__all__ = ["answered", "delivery", "is_structured", "not_sent"]


def delivery(
    outcome: Outcome,
    code: str,
    message: str,
    answer: HttpAnswer | None = None,
    doc_id: str | None = None,
    number: str | None = None,
) -> Delivery:
    """An outcome with the hash of the answer it was told by."""
    return Delivery(outcome, doc_id, number, code, message, answer.sha256 if answer else "")


def not_sent(error: ConnectorError, doc_id: str | None = None) -> Delivery:
    """A look before the write, or the token for it, failed: the write itself never left."""
    outcome: Outcome = "THROTTLED" if error.code == "LOGIN_THROTTLED" else "NOT_SENT"
    return delivery(outcome, error.code, error.message, doc_id=doc_id)


def answered(answer: HttpAnswer, doc_id: str | None = None) -> Delivery | None:
    """The outcome of a write that has not succeeded, None for 2xx and a structured 400."""
    if answer.kind != "answered":
        outcome: Outcome = "NOT_SENT" if answer.kind == "unsent" else "UNKNOWN"
        return delivery(outcome, answer.code, answer.message, answer, doc_id)
    message = f"Oracle answered HTTP {answer.status}{complaint(answer)}"
    code = f"HTTP_{answer.status}"
    if answer.status == 429:
        told = delivery("THROTTLED", code, message, answer, doc_id)
        return replace(told, retry_after=retry_after(answer.headers, datetime.now(UTC)))
    if answer.status in (200, 201, 204) or is_structured(answer):
        return None
    return delivery("UNKNOWN", code, message, answer, doc_id)


def is_structured(answer: HttpAnswer) -> bool:
    """Whether it is a refusal in Oracle's own form: HTTP 400 with error details."""
    found = body_of(answer) if answer.status == 400 else None
    return isinstance(found, dict) and isinstance(found.get("o:errorDetails"), list)
