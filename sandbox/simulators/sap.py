"""SAP S/4HANA Cloud, as far as a posting connector sees it: SOAP journal entries, OData V2 reads.

Run by itself::

    python -m sandbox.simulators.sap --port 8031

Kinds of requests for its `FaultPlan`: ``token``, ``create`` (all three SOAP services), ``cube``
(operational items: find and read), ``books`` (ledger lines), ``masters``, ``invoice``, ``work``
(each queued message) and ``callback``. Beside the common faults it knows, for ``create``,
``wrong severity``, ``round`` (other amounts), ``bare`` (no references are kept) and
``expired token`` and, of the asynchronous services, ``at once`` (worked on, and called back, before
the request is answered); for ``work`` ``delay``; for ``callback`` ``lost``, ``duplicate`` and
``late`` (told with the next work).
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import re
import threading

from fastapi import FastAPI, Request, Response

from sandbox.simulators import sap_posting
from sandbox.simulators.caller import Caller
from sandbox.simulators.clock import Clock
from sandbox.simulators.faults import FaultPlan
from sandbox.simulators.sap_control import control_routes
from sandbox.simulators.sap_doors import CLIENT, LOGIN, Doors
from sandbox.simulators.sap_inbox import Inbox
from sandbox.simulators.sap_invoices import INVOICES, enter_invoice
from sandbox.simulators.sap_ledger import Document, Ledger
from sandbox.simulators.sap_messages import confirmation, fault, request_of
from sandbox.simulators.sap_odata import QueryError, answer, error
from sandbox.simulators.sap_rows import SETS, item_rows
from sandbox.simulators.sap_seed import seed
from sandbox.simulators.sap_shape import CREATE, MalformedError
from sandbox.simulators.serve import serving
from sandbox.simulators.unreliable import Unreliable

__all__ = ["CLIENT", "LOGIN", "SapSimulator", "simulator"]

_SOAP = "/sap/bc/srt/scs_ext/sap/"
_ODATA = "/sap/opu/odata/sap/"
_BY_REFERENCE = re.compile(r"CompanyCode eq '\w+' and Reference1InDocumentHeader eq '(\w+)'")
_BY_NUMBER = re.compile(
    r"CompanyCode eq '\w+' and FiscalYear eq '\d+' and "
    r"\(AccountingDocument eq '(\d+)'(?: or AccountingDocument eq '\d+')?\)"
)
_MAINTENANCE = b"<html><head><title>System Maintenance</title></head><body>Back soon.</body></html>"


class SapSimulator:
    """One tenant.

    Attributes:
        asked: (entity set, property) of every read so far, to check against the metadata.
        bodies: SOAP bodies in the order they came, to check against the schema.
        aged: show document numbers with their leading zeros.
        caller: where confirmations of the asynchronous services go, as the arrangement has it.
    """

    def __init__(self) -> None:
        self.clock, self.plan = Clock(), FaultPlan()
        self.ledger, self.doors = Ledger(), Doors(self.clock)
        self.inbox = Inbox(self.ledger, self.clock, self.plan)
        self.asked: set[tuple[str, str]] = set()
        self.bodies: list[bytes] = []
        self.aged = False
        self.caller = Caller()
        seed(self.ledger)
        self._item_names = set(item_rows(self.ledger.all())[0])
        self.application = Unreliable(_routes(self), self.plan, _kind_of, _refusal)

    def documents(self, reference: str) -> list[Document]:
        """The documents with a reference, from the ledger itself."""
        return self.ledger.find(reference)

    def close_period(self, on: dt.date) -> None:
        """Close the posting period of a day."""
        with self.ledger.lock:
            self.ledger.closed.add((on.year, on.month))

    def open_period(self, on: dt.date) -> None:
        """Open it again."""
        with self.ledger.lock:
            self.ledger.closed.discard((on.year, on.month))

    def work(self) -> None:
        """Let late requests arrive and queued messages be worked on."""
        asyncio.run(self.application.deliver_late())
        self.work_on_messages()

    def work_on_messages(self) -> None:
        """Work on queued messages and tell of them, where anybody is to be told."""
        self.inbox.work()
        if self.caller.address:
            with self.ledger.lock:
                told, self.inbox.callbacks = self.inbox.callbacks, []
            self.caller.call(told)

    def create(self, body: bytes, spoil: str) -> tuple[int, bytes]:
        """The synchronous service: HTTP status and answer."""
        try:
            message = request_of(body, CREATE)
        except MalformedError as problem:
            return 500, fault(f"Error when processing the message: {problem}")
        now = self.clock.now()
        outcomes = [
            (
                str(document["MessageHeader"].get("ID", "")),
                sap_posting.post(self.ledger, document["JournalEntry"], now, spoil=spoil),
            )
            for document in message["JournalEntryCreateRequest"]
        ]
        severity = ""
        if spoil == "wrong severity":
            severity = "3" if outcomes[0][1].document else "1"
        return 200, confirmation("Create", message, outcomes, now, severity=severity)

    def _narrowed(self, where: str) -> list[Document]:
        """The documents a filter may be about: an index, so that a full ledger is read fast."""
        if found := _BY_REFERENCE.fullmatch(where):
            return self.ledger.find(found[1])
        if found := _BY_NUMBER.fullmatch(where):
            return self.ledger.with_number(found[1])
        return self.ledger.all()

    def read(self, service: str, name: str, request: Request) -> tuple[int, bytes]:
        """One OData query: HTTP status and answer."""
        rows = SETS.get((service, name))
        if rows is None:
            words = f"Resource not found for segment '{name}'"
            return 404, error("005056A509B11EE1B9A8FEC11C21578E", words, self.clock.now())
        options = dict(request.query_params)
        try:
            with self.ledger.lock:
                cube = name == "A_OperationalAcctgDocItemCube"
                where = options.get("$filter", "")
                found = item_rows(self._narrowed(where)) if cube else rows(self.ledger)
                body, names = answer(
                    name,
                    found,
                    self._item_names if cube else set(found[0]),
                    options,
                    str(request.url.replace(query="")),
                    aged=self.aged,
                )
        except QueryError as problem:
            return 400, error("/IWBEP/CM_MGW_RT/021", str(problem), self.clock.now())
        self.asked |= {(name, one) for one in names}
        return 200, body


def simulator() -> SapSimulator:
    """A fresh tenant."""
    return SapSimulator()


def _kind_of(method: str, path: str) -> str:
    if path.startswith("/_control/"):
        return ""
    if path.startswith(_SOAP):
        return "create"
    if path.startswith(f"{_ODATA}API_OPLACCTGDOCITEMCUBE_SRV"):
        return "cube"
    if path.startswith(f"{_ODATA}API_GLACCOUNTLINEITEM"):
        return "books"
    if path.startswith(f"{_ODATA}API_SUPPLIERINVOICE_PROCESS_SRV"):
        return "invoice"
    return "token" if path.endswith("/oauth2/token") else "masters"


def _refusal(kind: str) -> tuple[int, dict[str, str], bytes]:
    if kind == "throttle":
        return 429, {"retry-after": "7", "content-type": "text/plain"}, b"Too many requests"
    if kind == "maintenance":
        return 503, {"content-type": "text/html"}, _MAINTENANCE
    return 500, {"content-type": "text/xml"}, fault("Internal error: ABAP runtime error")


def _routes(tenant: SapSimulator) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    control_routes(app, tenant)

    @app.post("/sap/bc/sec/oauth2/token")
    async def token(request: Request) -> Response:
        form = (await request.body()).decode()
        made = tenant.doors.token(request.headers.get("authorization", ""))
        if "grant_type=client_credentials" not in form or not made:
            return Response(b'{"error":"invalid_client"}', 401)
        told = f'{{"access_token":"{made}","token_type":"Bearer","expires_in":3600}}'
        return Response(told, media_type="application/json")

    @app.post(_SOAP + "{service}")
    async def soap(service: str, request: Request) -> Response:
        spoil = request.scope.get("fault", "")
        if spoil == "expired token":
            tenant.doors.expire()
        if not tenant.doors.enter(request.headers.get("authorization", "")):
            return _unauthorised()
        body = await request.body()
        tenant.bodies.append(body)
        if service == "journalentrybulkcreationreques":
            tenant.inbox.take("Create", body)
            if spoil == "at once":
                await asyncio.to_thread(tenant.work_on_messages)
            return Response(status_code=202)
        if service == "journalentrybulkclearingreques":
            tenant.inbox.take("Clearing", body)
            return Response(status_code=202)
        if service != "journalentrycreaterequestconfi":
            return Response(b"Not found", 404)
        status, told = tenant.create(body, spoil)
        return Response(told, status, media_type="text/xml")

    _odata_routes(app, tenant)
    return app


def _odata_routes(app: FastAPI, tenant: SapSimulator) -> None:
    @app.get(_ODATA + "{service}")
    @app.get(_ODATA + "{service}/")
    def root(service: str, request: Request) -> Response:
        if not tenant.doors.enter(request.headers.get("authorization", "")):
            return _unauthorised()
        response = Response(b'{"d":{"EntitySets":[]}}', media_type="application/json")
        if request.headers.get("x-csrf-token", "").lower() == "fetch":
            cookie, made = tenant.doors.session()
            response.headers["x-csrf-token"] = made
            response.headers.append("set-cookie", f"SAP_SESSIONID={cookie}; path=/; HttpOnly")
            response.headers.append("set-cookie", "sap-usercontext=sap-client=100; path=/")
        return response

    @app.post(_ODATA + "{service}/{name}")
    async def write(service: str, name: str, request: Request) -> Response:
        if not tenant.doors.enter(request.headers.get("authorization", "")):
            return _unauthorised()
        cookie = request.cookies.get("SAP_SESSIONID", "")
        if not tenant.doors.may_write(cookie, request.headers.get("x-csrf-token", "")):
            words = "CSRF token validation failed"
            return Response(words, 403, {"x-csrf-token": "Required"}, "text/plain")
        now = tenant.clock.now()
        if (service, name) != INVOICES:
            told = error("/IWBEP/CM_MGW_RT/025", f"Set {name} takes no writes", now)
            return Response(told, 405, media_type="application/json")
        status, told = enter_invoice(tenant.ledger, await request.body(), now)
        return Response(told, status, media_type="application/json")

    @app.get(_ODATA + "{service}/{name}")
    def rows(service: str, name: str, request: Request) -> Response:
        if not tenant.doors.enter(request.headers.get("authorization", "")):
            return _unauthorised()
        status, told = tenant.read(service, name, request)
        return Response(told, status, media_type="application/json")


def _unauthorised() -> Response:
    page = b"<html><head><title>Logon failed</title></head><body>401</body></html>"
    return Response(page, 401, media_type="text/html")


def _main() -> None:
    parser = argparse.ArgumentParser(description="Serve the SAP simulator.")
    parser.add_argument("--port", type=int, default=8031)
    with serving(simulator().application, port=parser.parse_args().port) as address:
        print(f"SAP simulator at {address}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    _main()
