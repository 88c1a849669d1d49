"""Oracle Fusion Cloud ERP as far as tieout uses it, as strict as its contract.

Run ``python -m sandbox.simulators.oracle --port 8081``; a test drives it at ``/_control/``. Kinds
of requests for faults: ``create post find read delete jobs status masters token``. Faults of its
own, beside those every simulator has: on ``create`` ``refused hold blocked cancelled canceled
expired warning round``, ``manual recovery``, ``validation failed``; on ``post`` ``refused``; on
``callback`` ``late lost twice``; anywhere ``expired token``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from sandbox.simulators.caller import Caller
from sandbox.simulators.clock import Clock
from sandbox.simulators.faults import FaultPlan
from sandbox.simulators.oracle_books import Batch, Books, Invoice
from sandbox.simulators.oracle_integrations import Integrations
from sandbox.simulators.oracle_jobs import Scheduler
from sandbox.simulators.oracle_resources import Resources
from sandbox.simulators.oracle_routes import BASE, OPERATION, Tokens, application
from sandbox.simulators.unreliable import Unreliable

__all__ = ["OracleSimulator", "simulator"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_KINDS: Final = (
    # (method, path behind the resources' base, kind), the first that fits
    ("POST", rf"{OPERATION}/importBulkData", "create"),
    ("POST", rf"{OPERATION}/submitESSJobRequest", "post"),
    ("POST", r"erpintegrations", "create"),
    ("GET", r"erpintegrations", "status"),
    ("POST", r"invoices", "create"),
    ("POST", r"invoices/action/.*", "post"),
    ("GET", r"(journalBatches|invoices)", "find"),
    ("GET", r"(journalBatches|invoices)/.*", "read"),
    ("DELETE", r"journalBatches/.*", "delete"),
    (".*", r".*", "masters"),
)


class OracleSimulator:
    """One tenant.

    Attributes:
        application: the ASGI application, with the unreliable line in front.
        auto: whether a look at anything lets the scheduler make one move.
        autopost: whether all unposted batches are posted at the end of each `work`.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.plan = FaultPlan()
        self.books = Books(self.clock)
        self.scheduler = Scheduler(self.books)
        self.integrations = Integrations(self.scheduler, self.plan)
        self.resources = Resources(self.books)
        self.tokens = Tokens(self.clock)
        self.auto = False
        self.caller = Caller()
        self.autopost = False
        self._line = Unreliable(application(self), self.plan, _kind, _refusal)
        self.application = _Operations(self._line)

    def documents(self, reference: str) -> list[Batch | Invoice]:
        """What the books hold of a reference, by id."""
        return [*self.books.journals(reference), *self.books.invoices_of(reference)]

    def close_period(self, on: Any) -> None:
        """Close the month of a day."""
        self.books.world.set_status(on, "C")

    def open_period(self, on: Any) -> None:
        """Open it again."""
        self.books.world.set_status(on, "O")

    async def arrive(self) -> int:
        """Let late requests be worked on; how many there were."""
        return await self._line.deliver_late()

    def work(self) -> None:
        """Late requests arrive, then every job runs to its end."""
        asyncio.run(self.arrive())
        self.run_jobs()

    def run_jobs(self) -> None:
        """Every job that was submitted runs to its end."""
        self.scheduler.work()
        if self.autopost:
            self.scheduler.post_automatically()
        if self.caller.login[0]:
            for address, message in self.integrations.callbacks():
                self.caller.call([message], address)


class _Operations:
    """Tells the operations of ``erpintegrations`` apart, so that faults can: all have one path."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or path != f"{BASE}/erpintegrations":
            if path.startswith(f"{BASE}/{OPERATION}"):
                scope = {**scope, "path": "/nowhere"}
            await self._inner(scope, receive, send)
            return
        parts = []
        more = True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = bool(message.get("more_body"))
        body = b"".join(parts)
        found = re.search(rb'"OperationName"\s*:\s*"(\w+)"', body)
        if scope["method"] == "POST" and found:
            scope = {**scope, "path": f"{BASE}/{OPERATION}/{found[1].decode()}"}
        told = False

        async def again() -> Message:
            nonlocal told
            if told:
                await asyncio.Event().wait()
            told = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._inner(scope, again, send)


def _kind(method: str, path: str) -> str:
    if path.startswith("/_control"):
        return ""
    if path.startswith("/oauth2"):
        return "token"
    if path.startswith("/ess/"):
        return "jobs"
    rest = path.removeprefix(f"{BASE}/")
    return next(k for m, p, k in _KINDS if re.fullmatch(m, method) and re.fullmatch(p, rest))


def _refusal(fault: str) -> tuple[int, dict[str, str], bytes]:
    """How Oracle refuses: no quota is published; maintenance is a page."""
    if fault == "throttle":
        return 429, {"retry-after": "30", "content-type": "text/plain"}, b"Too Many Requests"
    if fault == "maintenance":
        page = b"<html><body>The application is down for maintenance.</body></html>"
        return 503, {"content-type": "text/html"}, page
    body = json.dumps({"title": "Internal Server Error", "status": "500"}).encode()
    return 500, {"content-type": "application/vnd.oracle.adf.error+json"}, body


def simulator() -> OracleSimulator:
    """A tenant with empty books."""
    return OracleSimulator()


def main() -> None:
    """Serve one tenant until stopped."""
    import uvicorn

    parser = argparse.ArgumentParser(prog="python -m sandbox.simulators.oracle")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--auto", action="store_true", help="jobs go on with every request")
    given = parser.parse_args()
    tenant = simulator()
    tenant.auto = given.auto
    uvicorn.run(tenant.application, host="127.0.0.1", port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
