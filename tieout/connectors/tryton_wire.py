"""One JSON-RPC call to Tryton over HTTP, and what Tryton said to it.

Every call passes through `Wire.exchange`, which makes one request of `tieout.connectors.http_wire`:
wrap it to inject a crash or a fault.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import httpx

from tieout.connectors.http_wire import HttpWire, Timeouts

__all__ = ["Answer", "Wire"]


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
        self._path = f"/{database}/rpc/"
        self._wire = HttpWire(base_url, "Tryton", timeouts, transport)

    def close(self) -> None:
        """Release the client."""
        self._wire.close()

    def rendered(self, method: str, params: list[Any]) -> str:
        """The request of a call as it would be sent, without the session that proves who we are."""
        return f"POST {self._path}\nContent-Type: application/json\n\n{_content(method, params)}"

    def exchange(self, method: str, params: list[Any], session: str = "") -> Answer:
        """One call: ``model.account.move.create`` with its parameters, context last. Never raises.

        ``session`` is the value of the ``Authorization`` header, or empty for the login.
        """
        content = _content(method, params)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if session:
            headers["Authorization"] = session
        answer = self._wire.exchange(
            "POST", self._path, point=method, headers=headers, content=content.encode("utf-8")
        )
        if answer.kind != "answered":
            return Answer(answer.kind, answer.code, answer.message)
        return _answer(answer.status, answer.body)


def _content(method: str, params: list[Any]) -> str:
    return json.dumps({"id": 1, "method": method, "params": params}, default=_encode)


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
