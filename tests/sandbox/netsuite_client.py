"""A bare client of the simulated NetSuite, so that its manners are seen without our connector."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from typing import Any, cast

import httpx
import jwt

from sandbox.simulators.netsuite import NetSuiteSimulator, simulator

__all__ = ["HOST", "RECORD", "Client", "journal", "reasons"]

HOST = "https://tstdrv1234-sb1.suitetalk.api.netsuite.com"
RECORD = "/services/rest/record/v1"
TOKEN = "/services/rest/auth/oauth2/v1/token"
STRICT = {"X-NetSuite-PropertyNameValidation": "Error"}


class Client:
    """Requests straight into the application; logged in unless told otherwise."""

    def __init__(self, own: NetSuiteSimulator | None = None) -> None:
        self.simulator = own or simulator()
        self.credentials = self.simulator.credentials
        self.headers = {"Authorization": f"Bearer {self.token().json()['access_token']}"}

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        host: str = HOST,
        params: dict[str, str] | None = None,
        **headers: str,
    ) -> httpx.Response:
        sent = {**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        return self.raw(method, f"{host}{path}", content=content, headers=sent, params=params)

    def raw(self, method: str, address: str, **named: Any) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(cast(Any, self.simulator.application))
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.request(method, address, **named)

        return asyncio.run(once())

    def assertion(self, *, header: dict[str, str] | None = None, **claims: Any) -> str:
        """A signed assertion; the arguments spoil it, None leaves a claim out."""
        own = self.credentials
        now = int(time.time())
        good: dict[str, Any] = {
            "iss": own.client_id,
            "scope": ["rest_webservices"],
            "aud": f"{HOST}{TOKEN}",
            "iat": now,
            "exp": now + 300,
            "jti": str(uuid.uuid4()),
        }
        said = {k: v for k, v in {**good, **claims}.items() if v is not None}
        head = {"typ": "JWT", "alg": "PS256", "kid": own.certificate_id, **(header or {})}
        return jwt.encode(said, own.private_key, algorithm=head["alg"], headers=head)

    def token(self, assertion: str = "", **form: str) -> httpx.Response:
        data = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion or self.assertion(),
            **form,
        }
        return self.raw("POST", f"{HOST}{TOKEN}", data=data)

    def suiteql(self, query: str, **params: str) -> httpx.Response:
        path = "/services/rest/query/v1/suiteql"
        return self.request("POST", path, {"q": query}, params=params, Prefer="transient")


def journal(reference: str = "", *, debit: Any = 100.0, credit: Any = 100.0) -> dict[str, Any]:
    """A journal entry as the API takes it."""
    external = {"externalId": reference} if reference else {}
    return {
        **external,
        "subsidiary": {"id": "3"},
        "tranDate": "2026-11-20",
        "line": {
            "items": [
                {"account": {"id": "58"}, "debit": debit, "memo": "Fee"},
                {"account": {"id": "111"}, "credit": credit},
            ]
        },
    }


def reasons(response: httpx.Response) -> tuple[int, str, str]:
    """Status, code and place of a refusal."""
    detail = response.json()["o:errorDetails"][0]
    place = next((v for k, v in detail.items() if k not in ("detail", "o:errorCode")), "")
    return response.status_code, detail["o:errorCode"], place
