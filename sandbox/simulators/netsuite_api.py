"""The REST services of a simulated NetSuite account as FastAPI routes."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from sandbox.simulators.netsuite_auth import Door, TokenError
from sandbox.simulators.netsuite_fields import RECORDS, SUBLISTS
from sandbox.simulators.netsuite_gate import ERROR_TYPE
from sandbox.simulators.netsuite_jobs import Jobs, Result
from sandbox.simulators.netsuite_ledger import Ledger
from sandbox.simulators.netsuite_records import Records, page
from sandbox.simulators.netsuite_shapes import RefusedError, error_body

__all__ = ["api"]

_RECORD: Final = "/services/rest/record/v1"
_JOB: Final = "/services/rest/async/v1/job"
_COLLECTION: Final = "type=collection"
_BATCH_MAX: Final = 100
_PAGE_MAX: Final = 1_000


def api(ledger: Ledger, door: Door, jobs: Jobs, limits: Callable[[], Any]) -> FastAPI:
    """All routes of the account."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(RefusedError, _refused)
    account = door.credentials.account

    def admitted(request: Request) -> str:
        """The host's address, once the request is let in."""
        host = request.headers.get("host", "")
        if host.endswith(".netsuite.com"):
            own = account.lower().replace("_", "-")
            if host.split(".")[0] != own:
                raise RefusedError(404, "INVALID_REQUEST", "This is not the host of the account.")
        base = f"{request.url.scheme}://{host}"
        if request.scope.get("fault") == "expired token":
            door.expire()
        params = list(request.query_params.multi_items())
        header = request.headers.get("authorization", "")
        door.admit(header, request.method, f"{base}{request.url.path}", params)
        return base

    _token_route(app, door)
    _record_routes(app, ledger, jobs, admitted)
    _job_routes(app, jobs, admitted)

    @app.post("/services/rest/query/v1/suiteql")
    async def suiteql(request: Request) -> Response:
        base = admitted(request)
        if "transient" not in request.headers.get("prefer", ""):
            detail = "The request header Prefer: transient is missing."
            raise RefusedError(400, "INVALID_REQUEST", detail, "Prefer", "o:errorHeader")
        body = await _json(request)
        if not isinstance(body, dict) or not isinstance(body.get("q"), str):
            raise RefusedError(400, "INVALID_CONTENT", "The query is missing.", "q")
        limit, offset = _window(request)
        rows, total = ledger.tables.ask(body["q"], limit, offset)
        items = [{"links": [], **row} for row in rows]
        address = f"{base}/services/rest/query/v1/suiteql"
        return JSONResponse(page(items, total, limit, offset, address))

    @app.get("/services/rest/system/v1/governanceLimits")
    async def governance(request: Request) -> Response:
        admitted(request)
        return JSONResponse(limits())

    return app


def _token_route(app: FastAPI, door: Door) -> None:
    @app.post("/services/rest/auth/oauth2/v1/token")
    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        host = request.headers.get("host", "")
        address = f"{request.url.scheme}://{host}{request.url.path}"
        try:
            return JSONResponse(door.token(form, address))
        except TokenError as error:
            return JSONResponse({"error": str(error)}, status_code=400)


def _record_routes(
    app: FastAPI, ledger: Ledger, jobs: Jobs, admitted: Callable[[Request], str]
) -> None:
    @app.get(f"{_RECORD}/metadata-catalog/{{kind}}")
    async def metadata(kind: str, request: Request) -> Response:
        admitted(request)
        return JSONResponse(_schema(_kind(kind)))

    @app.get(f"{_RECORD}/{{kind}}")
    async def collection(kind: str, request: Request) -> Response:
        base = admitted(request)
        limit, offset = _window(request)
        ids = ledger.ids(_kind(kind))
        items = [{"id": record_id, "links": []} for record_id in ids[offset : offset + limit]]
        return JSONResponse(page(items, len(ids), limit, offset, f"{base}{_RECORD}/{kind}"))

    @app.get(f"{_RECORD}/{{kind}}/{{key}}")
    async def read(kind: str, key: str, request: Request) -> Response:
        records = Records(ledger, admitted(request))
        params = request.query_params
        expand = params.get("expandSubResources") == "true"
        fields = params.get("fields", "")
        return JSONResponse(records.get(_kind(kind), key, expand=expand, fields=fields))

    @app.delete(f"{_RECORD}/{{kind}}/{{key}}")
    async def delete(kind: str, key: str, request: Request) -> Response:
        Records(ledger, admitted(request)).delete(_kind(kind), key)
        return Response(status_code=204)

    @app.post(f"{_RECORD}/vendorBill/{{key}}/!transform/vendorPayment")
    async def transform(key: str, request: Request) -> Response:
        records = Records(ledger, admitted(request))
        return _replayed(records.transform(key, await _json(request)))

    @app.post(f"{_RECORD}/{{kind}}")
    @app.put(f"{_RECORD}/{{kind}}/{{key}}")
    @app.patch(f"{_RECORD}/{{kind}}/{{key}}")
    async def write(kind: str, request: Request, key: str = "") -> Response:
        records = Records(ledger, admitted(request))
        body = await _json(request)
        work = _work(records, _kind(kind), key, body, request)
        if "respond-async" in request.headers.get("prefer", ""):
            return _taken(jobs, work, records.base, request)
        if _COLLECTION in request.headers.get("content-type", ""):
            detail = "A collection is taken with Prefer: respond-async only."
            raise RefusedError(400, "INVALID_REQUEST", detail, "Prefer", "o:errorHeader")
        answer = work[0](direct=True)
        if request.scope.get("fault") == "no location":
            return Response(status_code=204)
        return _replayed(answer)


def _work(
    records: Records, kind: str, key: str, body: Any, request: Request
) -> list[Callable[..., Result]]:
    """What is to be done, one piece a record; done at once, a refusal is raised."""
    headers = request.headers
    named: dict[str, Any] = {
        "names": headers.get("x-netsuite-propertynamevalidation", "Warning") == "Error",
        "values": headers.get("x-netsuite-propertyvaluevalidation", "Error") == "Error",
        "replace": tuple(request.query_params.get("replace", "").split(",")),
        "fault": request.scope.get("fault", ""),
    }
    bodies = [body]
    if _COLLECTION in headers.get("content-type", ""):
        bodies = body.get("items", []) if isinstance(body, dict) else []
        if not 0 < len(bodies) <= _BATCH_MAX:
            detail = f"A collection holds 1 to {_BATCH_MAX} records."
            raise RefusedError(400, "INVALID_CONTENT", detail, "items")

    def piece(each: Any) -> Callable[..., Result]:
        def done(*, direct: bool = False) -> Result:
            call = records.write if direct else records.attempt
            return call(request.method, kind, key, each, **named)

        return done

    return [piece(each) for each in bodies]


def _taken(jobs: Jobs, work: list[Callable[..., Result]], base: str, request: Request) -> Response:
    key = request.headers.get("x-netsuite-idempotency-key", "")
    fails = request.scope.get("fault") == "job failed"
    try:
        job = jobs.take(key, work, fails=fails)
    except RefusedError as refused:
        if first := refused.headers.get("Location"):
            refused.headers["Location"] = f"{base}{_JOB}/{first}"
        raise
    headers = {"Location": f"{base}{_JOB}/{job.id}", "Preference-Applied": "respond-async"}
    return Response(status_code=202, headers=headers)


def _job_routes(app: FastAPI, jobs: Jobs, admitted: Callable[[Request], str]) -> None:
    @app.get(f"{_JOB}/{{job_id}}")
    async def job(job_id: str, request: Request) -> Response:
        return JSONResponse(jobs.job(job_id).told(admitted(request)))

    @app.get(f"{_JOB}/{{job_id}}/task")
    async def tasks(job_id: str, request: Request) -> Response:
        base = admitted(request)
        numbers = range(1, len(jobs.job(job_id).tasks) + 1)
        address = f"{base}{_JOB}/{job_id}/task"
        items = [{"id": str(n), "links": [{"href": f"{address}/{n}"}]} for n in numbers]
        return JSONResponse(page(items, len(items), _PAGE_MAX, 0, address))

    @app.get(f"{_JOB}/{{job_id}}/task/{{task_id}}/result")
    async def result(job_id: str, task_id: str, request: Request) -> Response:
        admitted(request)
        results = jobs.job(job_id).results
        if not task_id.isdigit() or not 0 < int(task_id) <= len(results):
            detail = "There is no result of this task."
            raise RefusedError(404, "NONEXISTENT_ID", detail, task_id, "o:errorUrl")
        return _replayed(results[int(task_id) - 1])


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    body = error_body(error)
    return JSONResponse(body, error.status, headers=error.headers, media_type=ERROR_TYPE)


def _replayed(result: Result) -> Response:
    status, headers, body = result
    if body is None:
        return Response(status_code=status, headers=headers)
    return JSONResponse(body, status_code=status, headers=headers, media_type=ERROR_TYPE)


async def _json(request: Request) -> Any:
    text = await request.body()
    if not text:
        return {}
    if "json" not in request.headers.get("content-type", ""):
        raise RefusedError(415, "INVALID_CONTENT", "Content-Type must be application/json.")
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError:
        raise RefusedError(400, "INVALID_CONTENT", "The request body is not valid JSON.") from None


def _window(request: Request) -> tuple[int, int]:
    """Limit and offset of a page."""
    found = []
    for name, default, low in (("limit", _PAGE_MAX, 1), ("offset", 0, 0)):
        text = request.query_params.get(name, str(default))
        if not text.isdigit() or int(text) < low or (name == "limit" and int(text) > _PAGE_MAX):
            detail = f"Invalid value for the query parameter {name}: {text}."
            raise RefusedError(400, "INVALID_PARAMETER", detail, name, "o:errorQueryParam")
        found.append(int(text))
    limit, offset = found
    if offset % limit:
        detail = "The offset must be a multiple of the limit."
        raise RefusedError(400, "INVALID_PARAMETER", detail, "offset", "o:errorQueryParam")
    return limit, offset


def _kind(kind: str) -> str:
    if kind not in RECORDS:
        detail = f"Record type {kind} does not exist."
        raise RefusedError(404, "NONEXISTENT_ID", detail, kind, "o:errorUrl")
    return kind


def _schema(kind: str) -> dict[str, Any]:
    """A JSON schema of a record type, as far as it goes here."""
    types = {"boolean": "boolean", "number": "number", "integer": "integer"}

    def properties(known: dict[str, str]) -> dict[str, Any]:
        return {
            name: {
                "type": "object" if form == "ref" or form in SUBLISTS else types.get(form, "string")
            }
            for name, form in known.items()
        }

    return {"type": "object", "properties": properties(RECORDS[kind])}
