"""What kind of request it is, and how Dynamics 365 refuses: for the unreliable line in front."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

from sandbox.simulators.dynamics365_odata import ODataError, fault_body
from sandbox.simulators.unreliable import Application, Message, Receive, Send

__all__ = ["Kinds", "kind_of", "refusal"]

_MARK = "/~"
_BUSY = "Request was throttled: the system resource utilization is high. Retry later."


class Kinds:
    """ASGI before the line: puts the kind of a request before its path.

    A ``$batch`` is one path whatever it does, so its body is looked at.
    """

    def __init__(self, line: Application) -> None:
        self._line = line

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["path"].startswith("/_control/"):
            await self._line(scope, receive, send)
            return
        messages: list[Message] = [await receive()]
        while messages[-1].get("more_body"):
            messages.append(await receive())
        body = b"".join(message.get("body", b"") for message in messages)
        query = unquote_plus(scope.get("query_string", b"").decode())
        kind = _kind(scope["method"], scope["path"], query, body)
        path = f"{_MARK}{kind}{scope['path']}"
        waiting = iter(messages)

        async def again() -> Message:
            return next(waiting, None) or await receive()

        await self._line(scope | {"path": path, "raw_path": path.encode()}, again, send)


def _kind(method: str, path: str, query: str, body: bytes) -> str:
    if path.endswith("/oauth2/v2.0/token"):
        return "token"
    if path.startswith("/api/services/"):
        return "post"
    if path.startswith("/api/connector/"):
        return "package"
    if "/DataManagementDefinitionGroups/" in path or path.startswith("/blob/"):
        asks = "GetExecution" in path or "ErrorKeys" in path
        return "create" if "ImportFromPackage" in path else "find" if asks else "package"
    if method != "GET":
        if path == "/data/LedgerJournalHeaders":
            return "number"
        deletes = method in ("DELETE", "PATCH") or b"\r\nDELETE /data/" in body
        return "delete" if deletes else "create"
    if "LedgerJournalHeaders(" in path:
        return "post"
    if "Document eq" in query:
        return "find"
    if "VendorInvoice" in path:
        return "read"
    if "Journal" in path and "Names" not in path:
        return "ledger" if "General" in path else "read"
    return "masters"


def kind_of(method: str, path: str) -> str:
    """The kind that stands before a path; empty for control requests."""
    return path.removeprefix(_MARK).partition("/")[0] if path.startswith(_MARK) else ""


def refusal(how: str) -> tuple[int, dict[str, str], bytes]:
    """``throttle``, ``maintenance`` and ``error`` in this system's manner."""
    match how:
        case "throttle":
            headers = {"content-type": "application/json", "retry-after": "7"}
            return 429, headers, fault_body(ODataError(429, _BUSY))
        case "maintenance":
            page = b"<html><body><h1>The service is being updated</h1></body></html>"
            return 503, {"content-type": "text/html"}, page
    fault = ODataError(500, "Object reference not set to an instance of an object.")
    return 500, {"content-type": "application/json"}, fault_body(fault)
