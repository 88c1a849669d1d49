"""Dynamics 365 Finance, simulated: OData journals, a batch job that posts, packages, Entra tokens.

Serve it with ``python -m sandbox.simulators.dynamics365 --port 8365``. It has its own ledger, which
``/_control/documents`` shows; faults are planned by kind of request: ``token number create find
read post delete ledger masters package``, ``poster`` (see `sandbox.simulators.dynamics365_posting`)
and ``import`` (see `sandbox.simulators.dynamics365_packages`). A header made by itself is a
``number``: it holds nothing yet that could be posted.
"""

from __future__ import annotations

import argparse
import datetime as dt
import secrets
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from fastapi import FastAPI, Request, Response

from sandbox.simulators.clock import Clock
from sandbox.simulators.dynamics365_api import Api
from sandbox.simulators.dynamics365_batch import Operation
from sandbox.simulators.dynamics365_books import Books
from sandbox.simulators.dynamics365_control import add_control
from sandbox.simulators.dynamics365_kinds import Kinds, kind_of, refusal
from sandbox.simulators.dynamics365_odata import ODataError, fault_body, render
from sandbox.simulators.dynamics365_packages import Packages
from sandbox.simulators.dynamics365_posting import Poster
from sandbox.simulators.faults import FaultPlan
from sandbox.simulators.unreliable import Unreliable

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "TENANT", "D365Simulator", "simulator"]

TENANT = "nordlicht.example"
CLIENT_ID = "b3a4c7de-0000-4000-8000-000000000365"
CLIENT_SECRET = "simulated-secret-365"  # opens nothing but this simulator
_LIFETIME = 3599


class D365Simulator:
    """One environment.

    Attributes:
        application: ASGI, behind an unreliable line.
        registered: client ids the environment knows; Entra gives tokens to others too.
    """

    def __init__(self) -> None:
        self.clock, self.plan = Clock(), FaultPlan()
        self.books = Books(self.clock)
        self.poster = Poster(self.books, self.plan)
        self.packages = Packages(self.books, self.plan)
        self.api = Api(self.books, self.poster, self.packages)
        self.registered = {CLIENT_ID}
        self.tokens: dict[str, tuple[str, dt.datetime]] = {}
        self._line = Unreliable(self._inner(), self.plan, kind_of, refusal)
        self.application = Kinds(self._line)

    def documents(self, reference: str) -> list[dict[str, Any]]:
        """What the books hold of a reference; see `Poster.documents`."""
        return self.poster.documents(reference)

    def close_period(self, on: dt.date) -> None:
        """Close the period of a day."""
        self._period(on, "Closed")

    def open_period(self, on: dt.date) -> None:
        """Open it again."""
        self._period(on, "Open")

    async def work(self) -> int:
        """Late requests arrive, packages are imported, the batch job runs."""
        late = await self._line.deliver_late()
        return late + self.packages.run() + self.poster.run()

    def _period(self, on: dt.date, status: str) -> None:
        with self.books.lock:
            for row in self.books.tables["TieoutPeriodStatuses"]:
                if row["StartDate"] <= on <= row["EndDate"]:
                    row["Status"] = status

    def _inner(self) -> FastAPI:
        app = FastAPI(openapi_url=None)
        add_control(app, self)

        @app.api_route("/{path:path}", methods=["GET", "POST", "PATCH", "PUT", "DELETE"])
        async def everything(path: str, request: Request) -> Response:
            path = path.partition("/")[2] if path.startswith("~") else path
            body = await request.body()
            headers = {name.lower(): value for name, value in request.headers.items()}
            query = dict(parse_qsl(request.url.query, keep_blank_values=True))
            operation = Operation(request.method, f"/{path}", query, headers, body)
            if path.endswith("/oauth2/v2.0/token"):
                return self._token(operation)
            if path.startswith("blob/"):
                return self._blob(operation)
            base = f"{request.url.scheme}://{request.url.netloc}"
            fault = str(request.scope.get("fault", ""))
            return self._serve(operation, base, fault)

        return app

    def _serve(self, operation: Operation, base: str, fault: str) -> Response:
        token = operation.headers.get("authorization", "").removeprefix("Bearer ")
        client, until = self.tokens.get(token, ("", self.clock.now()))
        if fault == "expired token" or client not in self.registered or until <= self.clock.now():
            return Response(fault_body(ODataError(401, "Unauthorized")), 401)
        reply = self.api.answer(operation, base)
        return Response(reply.body, reply.status, dict(reply.headers))

    def _blob(self, operation: Operation) -> Response:
        """The storage beside it: whoever has an address may use it."""
        name = operation.path.removeprefix("/blob/")
        if operation.method == "PUT":
            kind = operation.headers.get("x-ms-blob-type", "")
            return Response(b"", self.packages.put(name, kind, operation.body))
        found = self.packages.blobs.get(name)
        return Response(found or b"", 200 if found else 404)

    def _token(self, operation: Operation) -> Response:
        """Entra's own answers."""
        asked = dict(parse_qsl(operation.body.decode()))
        good = (
            operation.path == f"/{TENANT}/oauth2/v2.0/token"
            and asked.get("grant_type") == "client_credentials"
            and asked.get("client_secret") == CLIENT_SECRET
            and asked.get("scope", "").endswith("/.default")
        )
        if not good:
            told = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid secret"}
            return Response(render(told), 401, media_type="application/json")
        token = secrets.token_urlsafe(32)
        until = self.clock.now() + dt.timedelta(seconds=_LIFETIME)
        self.tokens[token] = (asked.get("client_id", ""), until)
        good_for = {"token_type": "Bearer", "expires_in": _LIFETIME, "access_token": token}
        return Response(render(good_for), 200, media_type="application/json")


def simulator() -> D365Simulator:
    """A fresh environment."""
    return D365Simulator()


def main() -> None:
    """Serve on a port of this machine."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.simulators.dynamics365")
    parser.add_argument("--port", type=int, default=8365)
    arguments = parser.parse_args()
    uvicorn.run(simulator().application, host="127.0.0.1", port=arguments.port, access_log=False)


if __name__ == "__main__":
    main()
