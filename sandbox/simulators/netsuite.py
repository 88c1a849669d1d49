"""A simulated Oracle NetSuite account: REST records, SuiteQL, asynchronous jobs, its own books.

Beside the faults every simulator knows, a request may meet::

    expired token       all tokens stop being good: 401 INVALID_LOGIN
    nested throttle     the limit of concurrency told inside a 400 USER_ERROR
    restlet throttle    400 SSS_REQUEST_LIMIT_EXCEEDED, as RESTlets tell it
    round               the record is stored with other amounts
    other day           the record is stored on another day
    pending approval    the record waits for approval
    no location         a 204 that does not say which record
    job failed          the asynchronous job ends with an internal error, without effect
    hold                the request keeps its place until it is let go

``python -m sandbox.simulators.netsuite --port 8099`` serves it; what a test in another process
needs is under ``/_control/``.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import threading
from dataclasses import asdict
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from sandbox.simulators.clock import Clock
from sandbox.simulators.faults import FaultPlan
from sandbox.simulators.netsuite_api import api
from sandbox.simulators.netsuite_auth import Door
from sandbox.simulators.netsuite_gate import Gate, refusal
from sandbox.simulators.netsuite_jobs import Jobs
from sandbox.simulators.netsuite_ledger import Ledger
from sandbox.simulators.netsuite_shapes import RefusedError
from sandbox.simulators.serve import serving
from sandbox.simulators.unreliable import Unreliable

__all__ = ["ACCOUNT", "NetSuiteSimulator", "main", "simulator"]

ACCOUNT: Final = "TSTDRV1234_SB1"
_CONCURRENCY: Final = 5


class NetSuiteSimulator:
    """One account.

    Attributes:
        application: ASGI, with the unreliable line in front.
        plan, clock: what goes wrong, and the time.
        ledger, door, jobs, gate: books, logins, asynchronous work, the limit of concurrency.
        credentials: what a client needs to log in, both ways.
    """

    def __init__(self, account: str = ACCOUNT) -> None:
        self.plan, self.clock = FaultPlan(), Clock()
        self.ledger = Ledger(self.clock)
        self.door = Door(account, self.clock)
        self.jobs = Jobs(self.clock)
        self.credentials = self.door.credentials
        app = api(self.ledger, self.door, self.jobs, lambda: self.gate.limits())
        _spoil(app)
        _control(app, self)
        self.gate = Gate(app, _CONCURRENCY)
        self.application = Unreliable(self.gate, self.plan, _kind_of, refusal)

    def documents(self, reference: str = "") -> list[dict[str, Any]]:
        """Every document (with our reference) as the books hold it, drafts among them, by id."""
        return self.ledger.books(reference)

    def close_period(self, on: dt.date) -> None:
        """Close the period of a day."""
        self.ledger.set_period(on, closed=True)

    def open_period(self, on: dt.date) -> None:
        """Open it again."""
        self.ledger.set_period(on, closed=False)

    def work(self) -> None:
        """Late requests arrive, and all jobs are done; not from within an event loop."""
        asyncio.run(self.work_all())

    async def work_all(self) -> None:
        """As `work`, where an event loop runs."""
        await self.application.deliver_late()
        self.jobs.work()


def simulator(account: str = ACCOUNT) -> NetSuiteSimulator:
    """A new account with the made-up company's openings in its books."""
    return NetSuiteSimulator(account)


def _kind_of(method: str, path: str) -> str:
    """The kind of a request, for the plan of faults."""
    if not path.startswith("/services/rest/"):
        return ""
    area, rest = path.removeprefix("/services/rest/").split("/", 1)
    if area == "auth":
        return "token"
    if area != "record":
        return {"query": "query", "async": "job"}.get(area, "system")
    by_method = {"POST": "create", "PUT": "create", "PATCH": "post", "DELETE": "delete"}
    return by_method.get(method) or ("find" if "/eid:" in rest else "read")


def _spoil(app: FastAPI) -> None:
    """NetSuite's own ways to refuse whatever is asked."""

    @app.middleware("http")
    async def spoiled(request: Request, call_next: Any) -> Response:
        fault = request.scope.get("fault", "")
        limit = "Concurrent request limit exceeded."
        faults = {
            "nested throttle": RefusedError(
                400, "USER_ERROR", f"CONCURRENCY_LIMIT_EXCEEDED: {limit}"
            ),
            "restlet throttle": RefusedError(400, "SSS_REQUEST_LIMIT_EXCEEDED", limit),
        }
        if fault in faults:
            handler: Any = app.exception_handlers[RefusedError]
            answer: Response = await handler(request, faults[fault])
            return answer
        passed: Response = await call_next(request)
        return passed


def _control(app: FastAPI, own: NetSuiteSimulator) -> None:
    """Routes a test in another process drives and checks the simulator with."""

    @app.post("/_control/faults")
    async def faults(request: Request) -> Response:
        body = await request.json()
        own.plan.add(body["operation"], *body["faults"])
        return JSONResponse({})

    @app.post("/_control/clock")
    async def clock(request: Request) -> Response:
        own.clock.advance((await request.json())["seconds"])
        return JSONResponse({"now": own.clock.now().isoformat()})

    @app.post("/_control/periods")
    async def periods(request: Request) -> Response:
        body = await request.json()
        own.ledger.set_period(dt.date.fromisoformat(body["on"]), closed=bool(body["closed"]))
        return JSONResponse({})

    @app.post("/_control/work")
    async def work() -> Response:
        await own.work_all()
        return JSONResponse({})

    @app.post("/_control/approval")
    async def approval(request: Request) -> Response:
        own.ledger.approval = str((await request.json())["status"])
        return JSONResponse({})

    @app.get("/_control/documents")
    async def documents(reference: str = "") -> Response:
        return JSONResponse(own.documents(reference))

    @app.get("/_control/seen")
    async def seen() -> Response:
        return JSONResponse(dict(own.plan.seen()))

    @app.get("/_control/credentials")
    async def credentials() -> Response:
        return JSONResponse(asdict(own.credentials))


def main() -> None:
    """Serve on a port of this machine until it is stopped; the address is the first line told."""
    parser = argparse.ArgumentParser(description="A simulated NetSuite account.")
    parser.add_argument("--port", type=int, default=8099, help="0 takes a free one")
    arguments = parser.parse_args()
    with serving(simulator().application, port=arguments.port) as address:
        print(address, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
