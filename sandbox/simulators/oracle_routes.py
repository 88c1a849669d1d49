"""HTTP in front of the Oracle simulator: who may ask, in what words, and how refusals look.

A refusal is structured only for those who accept it; to all others a 400 is plain text. SOAP faults
are always HTTP 500, whatever was wrong.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import secrets
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import jwt
from fastapi import FastAPI, Request, Response

from sandbox.simulators.clock import Clock
from sandbox.simulators.oracle_control import control_routes
from sandbox.simulators.oracle_query import BadRequestError
from sandbox.simulators.oracle_resources import NotFoundError
from sandbox.simulators.oracle_soap import soap_answer
from sandbox.simulators.oracle_world import CONSTANTS

if TYPE_CHECKING:
    from sandbox.simulators.oracle import OracleSimulator

__all__ = ["BASE", "OPERATION", "Tokens", "application", "encoded"]

BASE: Final = "/fscmRestApi/resources/11.13.18.05"
#: Behind the base: how the line in front tells the operations of ``erpintegrations`` apart.
OPERATION: Final = "_operation"
_JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ERROR: Final = "application/vnd.oracle.adf.error+json"
_ITEM: Final = "application/vnd.oracle.adf.resourceitem+json"
_ACTION: Final = "application/vnd.oracle.adf.action+json"


class Tokens:
    """Who may come in: one user by password, one client by secret or by an asserted user.

    Attributes:
        lifetime: of a token, in seconds by the simulator's clock.
        public_key: PEM that assertions must be signed with; empty refuses them all.
        basic: whether passwords are accepted at all.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.lifetime = 3600
        self.public_key = ""
        self.basic = True
        self.client = ("tieout-client", "client-secret")
        self.issued: dict[str, dt.datetime] = {}
        self.asked = 0

    def issue(self, form: dict[str, str], authorization: str) -> dict[str, Any]:
        """A token for a client.

        Raises:
            PermissionError: with the OAuth error.
        """
        self.asked += 1
        if authorization != _basic(*self.client):
            raise PermissionError("invalid_client")
        if "scope" not in form:
            raise PermissionError("invalid_scope")
        if form.get("grant_type") == _JWT_GRANT:
            self._check(form.get("assertion", ""))
        elif form.get("grant_type") != "client_credentials":
            raise PermissionError("unsupported_grant_type")
        token = secrets.token_hex(16)
        self.issued[token] = self._clock.now() + dt.timedelta(seconds=self.lifetime)
        return {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime}

    def _check(self, assertion: str) -> None:
        options: Any = {"require": ["aud", "exp", "iat", "iss", "sub"]}
        try:
            claims = jwt.decode(
                assertion,
                self.public_key,
                algorithms=["RS256"],
                audience="https://identity.oraclecloud.com/",
                options=options,
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise PermissionError("invalid_grant") from error
        if (claims["iss"], claims["sub"]) != (self.client[0], CONSTANTS["login"]):
            raise PermissionError("invalid_grant")

    def admits(self, authorization: str) -> bool:
        """Whether a request's credentials are good."""
        if authorization.startswith("Bearer "):
            until = self.issued.get(authorization.removeprefix("Bearer "))
            return until is not None and self._clock.now() < until
        return self.basic and authorization == _basic(CONSTANTS["login"], CONSTANTS["password"])


def _basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def encoded(found: object) -> bytes:
    """JSON, decimals as numbers."""
    return json.dumps(found, default=_number).encode()


def _number(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{value!r} has no form in JSON")


def application(tenant: OracleSimulator) -> FastAPI:
    """All routes."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    control_routes(app, tenant)

    @app.post("/oauth2/v1/token")
    async def token(request: Request) -> Response:
        form = {k: str(v) for k, v in (await _form(request)).items()}
        try:
            granted = tenant.tokens.issue(form, request.headers.get("authorization", ""))
        except PermissionError as error:
            return _answer(401, {"error": str(error)}, "application/json")
        return _answer(200, granted, "application/json")

    @app.post("/fscmService/ErpIntegrationService")
    async def soap(request: Request) -> Response:
        text, status = soap_answer(tenant, await request.body(), _admitted(tenant, request))
        return Response(text, status, media_type="text/xml")

    @app.get("/ess/rest/scheduler/v1/requests")
    async def requests(request: Request) -> Response:
        def read() -> dict[str, Any]:
            return tenant.integrations.requests(dict(request.query_params), str(request.url))

        return _guarded(tenant, request, read, 200, "application/json")

    @app.get("/ess/rest/scheduler/v1/requests/{number}")
    async def one_request(number: str, request: Request) -> Response:
        def read() -> dict[str, Any]:
            found = tenant.integrations.requests({"id": number}, str(request.url))["items"]
            if not found:
                raise NotFoundError(number)
            return dict(found[0])

        return _guarded(tenant, request, read, 200, "application/json")

    @app.api_route(BASE + "/{path:path}", methods=["GET", "POST", "PATCH", "DELETE"])
    async def resource(path: str, request: Request) -> Response:
        body = await request.body()
        status = 201 if request.method == "POST" and "/action/" not in path else 200
        status = 204 if request.method == "DELETE" else status
        return _guarded(tenant, request, lambda: _resource(tenant, request, path, body), status)

    return app


def _resource(tenant: OracleSimulator, request: Request, path: str, body: bytes) -> Any:
    given = dict(request.query_params)
    fault = request.scope.get("fault", "")
    if request.headers.get("upsert-mode") == "true":
        raise BadRequestError("Upsert-Mode is not supported on this resource")
    if request.method == "GET":
        if path == "erpintegrations":
            items = tenant.integrations.find(given.get("finder", ""))
            return {"items": items, "count": len(items), "hasMore": False, "limit": 25}
        version = int(request.headers.get("rest-framework-version", "1"))
        return tenant.resources.get(path, given, version, str(request.url))
    if request.method == "DELETE" and path.startswith("journalBatches/"):
        return tenant.resources.delete_batch(path.removeprefix("journalBatches/"))
    if request.method != "POST":
        raise NotFoundError(path)
    kind = request.headers.get("content-type", "")
    wanted = (_ACTION,) if "/action/" in path else (_ITEM, "application/json")
    if kind not in wanted:
        raise BadRequestError(f"the content type {kind!r} is not supported")
    try:
        found = json.loads(body, parse_float=Decimal)
    except ValueError as error:
        raise BadRequestError("the body is not JSON") from error
    if not isinstance(found, dict):
        raise BadRequestError("the body is not an object")
    if path.startswith(OPERATION + "/"):
        return tenant.integrations.operation(found, fault)
    if path == "invoices":
        spoil = Decimal("0.01") if fault == "round" else Decimal(0)
        return tenant.resources.create_invoice(found, spoil)
    if path == "invoices/action/validateInvoice":
        return tenant.resources.validate_invoice(found)
    raise NotFoundError(path)


def _admitted(tenant: OracleSimulator, request: Request) -> bool:
    if request.scope.get("fault") == "expired token":
        tenant.tokens.issued.clear()
    return tenant.tokens.admits(request.headers.get("authorization", ""))


def _guarded(
    tenant: OracleSimulator,
    request: Request,
    work: Any,
    status: int,
    kind: str = _ITEM.replace("item", "collection"),
) -> Response:
    if not _admitted(tenant, request):
        return Response("Unauthorized", 401, media_type="text/plain")
    if tenant.auto:
        tenant.scheduler.step()
    try:
        found = work()
    except NotFoundError as error:
        return _refused(request, 404, "Not Found", f"{error}", "")
    except BadRequestError as error:
        return _refused(request, 400, "Bad Request", error.detail, error.code, error.path)
    return Response(status_code=204) if status == 204 else _answer(status, found, kind)


def _answer(status: int, found: object, kind: str) -> Response:
    return Response(encoded(found), status, media_type=kind)


def _refused(
    request: Request, status: int, title: str, detail: str, code: str, path: str = ""
) -> Response:
    """Structured for those who accept it, else one line of text."""
    if _ERROR not in request.headers.get("accept", ""):
        return Response(detail or title, status, media_type="text/plain")
    details = [{"detail": detail, "o:errorCode": code, "o:errorPath": path}]
    found = {"title": title, "status": str(status), "o:errorDetails": details}
    return _answer(status, found, _ERROR)


async def _form(request: Request) -> dict[str, str]:
    from urllib.parse import parse_qsl

    return dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
