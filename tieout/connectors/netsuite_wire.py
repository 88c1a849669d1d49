"""One request to NetSuite's REST services, and what NetSuite said to it.

Amounts leave as JSON numbers with their own decimals and come in as `Decimal`: no float between.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal

from tieout.connectors.gated import retry_after
from tieout.connectors.http_wire import HttpAnswer
from tieout.redaction import clean

__all__ = ["Answer", "answered", "encoded"]

#: Codes NetSuite documents for requests it refused; nothing was done.
_REFUSALS: Final = frozenset(
    {
        "IDEMPOTENCY_ERROR",
        "INVALID_CONTENT",
        "INVALID_PARAMETER",
        "INVALID_REQUEST",
        "NONEXISTENT_ID",
        "USER_ERROR",
    }
)
#: Codes of requests that were turned away before they were looked at.
_THROTTLES: Final = ("CONCURRENCY_LIMIT_EXCEEDED", "SSS_REQUEST_LIMIT_EXCEEDED")
_WHERE: Final = ("o:errorPath", "o:errorQueryParam", "o:errorHeader", "o:errorUrl")
_WORDS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request.

    Attributes:
        kind: ``done`` (a 2xx that can be read), ``refused`` (a documented refusal),
            ``unauthorized`` (401, 403), ``throttled``, ``unsent`` (not one byte left), ``lost``
            (anything else).
        code: stable upper-case reason, NetSuite's own for a refusal.
        message: one sentence for people.
        path: what NetSuite says the refusal is about, ``line.items[0].account``.
        location: of the record or job, from the header.
        value: of the body of a ``done``, None where it had none.
        retry_after: how long a ``throttled`` asks us to stay away; NetSuite need not say.
    """

    kind: Literal["done", "refused", "unauthorized", "throttled", "unsent", "lost"]
    code: str
    message: str = ""
    status: int = 0
    path: str = ""
    location: str = ""
    sha256: str = ""
    value: Any = field(default=None, repr=False)
    retry_after: dt.timedelta | None = None


def answered(answer: HttpAnswer) -> Answer:
    """Classify one exchange; anything not understood is lost, never a guess."""
    if answer.kind != "answered":
        return Answer(answer.kind, answer.code, answer.message)
    location = answer.headers.get("location", "")
    status, digest = answer.status, answer.sha256
    try:
        value = json.loads(answer.body, parse_float=Decimal) if answer.body else None
    except (ValueError, InvalidOperation, RecursionError):
        value = ...
    if status in (200, 202, 204) and value is not ...:
        return Answer("done", "OK", "", status, "", location, digest, value)
    details = _details(value)
    told = f"{details[0].get('o:errorCode', '')}"
    words = clean(" ".join(" ".join(f"{each.get('detail', '')}" for each in details).split()))
    place = next((clean(f"{details[0][name]}") for name in _WHERE if name in details[0]), "")
    code = "UNPARSABLE" if 200 <= status < 300 else told or answer.code
    message = words[:_WORDS_MAX] or f"NetSuite answered HTTP {status}"
    kind = _kind(status, told, json.dumps(details, default=str))
    if kind == "throttled":
        wait = retry_after(answer.headers, dt.datetime.now(dt.UTC))
        return Answer(kind, _THROTTLES[0], message, status, place, sha256=digest, retry_after=wait)
    return Answer(kind, code, message, status, place, location, digest)


def _kind(
    status: int, code: str, details: str
) -> Literal["refused", "unauthorized", "throttled", "lost"]:
    if status in (401, 403):
        return "unauthorized"
    # The limit of concurrency is told as 429, or inside the error of a 400.
    nested = status == 400 and any(word in details for word in _THROTTLES)
    if status == 429 or nested:
        return "throttled"
    if status in (400, 404) and code in _REFUSALS:
        return "refused"
    return "lost"


def _details(value: Any) -> list[dict[str, Any]]:
    """The details of an error document; one empty one where there are none."""
    match value:
        case {"o:errorDetails": [*found]}:
            return [each for each in found if isinstance(each, dict)] or [{}]
    return [{}]


def encoded(value: Any) -> str:
    """JSON with decimals as numbers, exactly as they are."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(k)}:{encoded(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ",".join(encoded(item) for item in value) + "]"
    return json.dumps(value)
