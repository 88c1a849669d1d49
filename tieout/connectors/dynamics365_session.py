"""An app signed in to Dynamics 365 Finance by Entra: tokens, OData reads that page, single writes.

Reads may renew a token that was turned away once and ask again; writes never do.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from tieout.connectors.http_wire import HttpAnswer, HttpWire
from tieout.errors import ConnectorError
from tieout.redaction import remember

__all__ = ["Login", "Row", "Session", "literal", "parsed", "retry_after", "waiting"]

Row = dict[str, Any]

#: A token is renewed this long before its end, so that none ends under way.
_MARGIN_SECONDS: Final = 120.0
_ENTRA: Final = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
_ENTRA_CODE: Final = re.compile(r"AADSTS\d+")


@dataclass(frozen=True, slots=True)
class Login:
    """The app registration; its secret shows in no message and no repr."""

    client_id: str
    secret: str
    token_url: str
    scope: str

    def __repr__(self) -> str:
        return f"Login({self.client_id!r})"

    @classmethod
    def of(cls, base_url: str, client_id: str, secret: str, options: Mapping[str, str]) -> Login:
        """From a connection's options: ``tenant`` or ``token_url``, and ``scope``."""
        tenant = options.get("tenant", "organizations")
        return cls(
            client_id,
            secret,
            options.get("token_url") or _ENTRA.format(tenant=tenant),
            options.get("scope") or f"{base_url.rstrip('/')}/.default",
        )


def literal(text: str) -> str:
    """A text in a filter or key."""
    return "'" + text.replace("'", "''") + "'"


def parsed(body: bytes) -> Row:
    """A JSON object, amounts exact; empty where it is none."""
    try:
        value = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def retry_after(answer: HttpAnswer) -> timedelta | None:
    """How long a refusal asks us to stay away; at most a day."""
    seconds = answer.headers.get("retry-after", "")
    sound = seconds.isascii() and seconds.isdigit() and len(seconds) < 9
    return timedelta(seconds=min(int(seconds), 86_400)) if sound else None


def waiting(answer: HttpAnswer) -> str:
    """``; it asks to wait 7 s`` of a refusal that says how long."""
    wait = retry_after(answer)
    return f"; it asks to wait {wait.total_seconds():.0f} s" if wait is not None else ""


class Session:
    """Requests as one app. Threads share one token: the first to need it asks for it."""

    def __init__(self, wire: HttpWire, login: Login) -> None:
        self.wire = wire
        self._login = login
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def authorise(self, *, refused: str = "") -> HttpAnswer | None:
        """Make sure of a token; None when there is one, else why there is none.

        ``refused`` is a token that was turned away. A failed sign-in is always ``unsent`` in the
        eyes of the call that needed it.
        """
        with self._lock:
            if self._token and self._token != refused and time.monotonic() < self._until:
                return None
            self._token = ""
            form = {
                "grant_type": "client_credentials",
                "client_id": self._login.client_id,
                "client_secret": self._login.secret,
                "scope": self._login.scope,
            }
            answer = self.wire.exchange(
                "POST",
                self._login.token_url,
                point="token",
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                content=urlencode(form).encode(),
            )
            told = parsed(answer.body)
            match told.get("access_token"), told.get("expires_in"):
                case str(token), int(seconds) if answer.status == 200 and token:
                    remember(token)
                    self._token = token
                    self._until = time.monotonic() + max(seconds - _MARGIN_SECONDS, 0)
                    return None
        return _no_token(answer, told, self._login.client_id)

    def write(
        self,
        method: str,
        path: str,
        *,
        point: str,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        params: Sequence[tuple[str, str]] = (),
    ) -> HttpAnswer:
        """One request that changes something: sent at most once."""
        failed = self.authorise()
        if failed is not None:
            return failed
        token = self._token
        answer = self._send(method, path, point, token, headers, params, content)
        if answer.status == 401:
            with self._lock:
                if self._token == token:
                    self._token = ""
        return answer

    def get(self, path: str, *, point: str, params: Sequence[tuple[str, str]] = ()) -> HttpAnswer:
        """One request that changes nothing, with a second token where the first is refused."""
        failed = self.authorise()
        if failed is not None:
            return failed
        token = self._token
        answer = self._send("GET", path, point, token, None, params, b"")
        if answer.status != 401:
            return answer
        failed = self.authorise(refused=token)
        return failed or self._send("GET", path, point, self._token, None, params, b"")

    def rows(self, entity: str, where: str = "", order: str = "", select: str = "") -> list[Row]:
        """All records of an entity of all companies that fit, page by page.

        Raises:
            ConnectorError: the answer's code, ``THROTTLED``, or ``ANSWER_UNEXPECTED``.
        """
        params = [("cross-company", "true")]
        params += [
            (name, text)
            for name, text in (("$filter", where), ("$orderby", order), ("$select", select))
            if text
        ]
        answer = self.get(f"/data/{entity}", point=f"read {entity}", params=params)
        found: list[Row] = []
        seen: set[str] = set()
        while True:
            page = parsed(answer.body)
            values = page.get("value")
            if answer.status != 200 or not isinstance(values, list):
                raise _unread(answer, entity)
            found += [row for row in values if isinstance(row, dict)]
            link = page.get("@odata.nextLink")
            if link is None:
                return found
            # The token goes only where it was meant to go, and no page comes twice.
            if not isinstance(link, str) or link in seen or not self._ours(link):
                message = f"a page of {entity} leads astray"
                raise ConnectorError("ANSWER_UNEXPECTED", message, where=entity)
            seen.add(link)
            answer = self.get(link, point=f"read {entity}")

    def _ours(self, link: str) -> bool:
        return link.startswith(f"{self.wire.base_url}/data/")

    def _send(
        self,
        method: str,
        path: str,
        point: str,
        token: str,
        headers: Mapping[str, str] | None,
        params: Sequence[tuple[str, str]],
        content: bytes,
    ) -> HttpAnswer:
        named = {
            "Accept": "application/json",
            "OData-MaxVersion": "4.0",
            "OData-Version": "4.0",
            "Authorization": f"Bearer {token}",
        }
        if params:
            query = "&".join(f"{name}={quote_plus(text)}" for name, text in params)
            path = f"{path}?{query}"
        return self.wire.exchange(
            method, path, point=point, headers=named | dict(headers or {}), content=content
        )


def _no_token(answer: HttpAnswer, told: Row, client_id: str) -> HttpAnswer:
    if answer.kind != "answered":
        code = answer.code if answer.kind == "unsent" else "LOGIN_FAILED"
        return HttpAnswer("unsent", code, answer.message)
    if answer.status == 429:
        message = f"Entra gives no more tokens for now{waiting(answer)}"
        return HttpAnswer("unsent", "LOGIN_THROTTLED", message, headers=answer.headers)
    if answer.status in (400, 401) and "error" in told:
        found = _ENTRA_CODE.search(str(told.get("error_description", "")))
        why = found[0] if found else str(told["error"])[:60]
        message = f"Entra refuses the app {client_id!r}: {why}"
        return HttpAnswer("unsent", "LOGIN_REFUSED", message)
    message = f"Entra answered HTTP {answer.status} without a token"
    return HttpAnswer("unsent", "LOGIN_FAILED", message)


def _unread(answer: HttpAnswer, entity: str) -> ConnectorError:
    """Why a read failed; an answer that is no page of records is as good as none."""
    if answer.kind != "answered":
        remedy = "check the address and the app registration" if answer.kind == "unsent" else ""
        return ConnectorError(answer.code, answer.message, where=entity, remedy=remedy)
    if answer.status == 429:
        message = f"Dynamics 365 takes no requests for now{waiting(answer)}"
        return ConnectorError("THROTTLED", message, where=entity)
    if answer.status in (401, 403):
        message = f"Dynamics 365 turns the app away (HTTP {answer.status})"
        remedy = "register it under Microsoft Entra ID applications, with a user that may read"
        return ConnectorError("NOT_AUTHORISED", message, where=entity, remedy=remedy)
    if answer.status == 404:
        message = f"Dynamics 365 has no entity {entity!r}"
        return ConnectorError("ENTITY_UNKNOWN", message, where=entity, remedy="names are exact")
    message = f"Dynamics 365 answered HTTP {answer.status}, not a page of records"
    code = answer.code if answer.status != 200 else "ANSWER_UNEXPECTED"
    return ConnectorError(code, message, where=entity)
