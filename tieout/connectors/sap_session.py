"""Calls to one SAP tenant: SOAP messages sent once, OData sets read page by page.

A read whose login was turned away logs in again once and asks again; a write never does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from lxml import etree

from tieout.connectors.http_wire import HttpAnswer, HttpWire
from tieout.connectors.sap_login import Login
from tieout.connectors.sap_odata import Row
from tieout.errors import ConnectorError

__all__ = [
    "Message",
    "Session",
    "error_of",
    "error_words",
    "is_page",
    "odata_message",
    "soap_message",
]

_SOAP: Final = "/sap/bc/srt/scs_ext/sap/"
_ODATA: Final = "/sap/opu/odata/sap/"
_ACTION: Final = "http://sap.com/xi/SAPSCORE/SFIN/{0}/{0}Request"
#: No set we ask for has more pages: a server that sends the same page for ever is stopped.
_PAGES_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class Message:
    """A write as it goes over the wire, without what proves who we are."""

    service: str
    path: str
    headers: dict[str, str]
    body: bytes

    def rendered(self) -> str:
        """Method, path, headers and body, to be read by people."""
        headers = "".join(f"{name}: {value}\n" for name, value in self.headers.items())
        return f"POST {self.path}\n{headers}\n{self.body.decode()}"


def soap_message(service: str, interface: str, body: bytes, message_id: str = "") -> Message:
    """A message to a SOAP service; the asynchronous ones want an id of the transport's too."""
    query = f"?MessageId={message_id}" if message_id else ""
    headers = {
        "Content-Type": "text/xml; charset=utf-8",
        "Accept": "text/xml",
        "SOAPAction": f'"{_ACTION.format(interface)}"',
    }
    return Message(service, f"{_SOAP}{service}{query}", headers, body)


def odata_message(service: str, entity_set: str, body: bytes) -> Message:
    """A new entity of a set."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    return Message(service, f"{_ODATA}{service}/{entity_set}", headers, body)


class Session:
    """One communication user's calls."""

    def __init__(self, wire: HttpWire, login: Login) -> None:
        self.wire = wire
        self._login = login

    def send(self, message: Message) -> HttpAnswer:
        """One SOAP message, sent at most once; ``unsent`` where no login was to be had."""
        entrance = self._login.headers(self.wire)
        if isinstance(entrance, HttpAnswer):
            return entrance
        answer = self.wire.exchange(
            "POST",
            message.path,
            point=f"create {message.service}",
            headers=entrance | message.headers,
            content=message.body,
        )
        if answer.status == 401:
            # Whatever it proves of this request, the next one needs another token.
            self._login.forget(entrance.get("Authorization", ""))
        return answer

    def write(self, message: Message) -> HttpAnswer:
        """One OData write, sent at most once, with a CSRF token fetched for it.

        A token lives in the session whose cookies came with it; both are used once. Where no token
        was to be had, the write never left: ``unsent``.
        """
        entrance = self._login.headers(self.wire)
        if isinstance(entrance, HttpAnswer):
            return entrance
        fetched = self.wire.exchange(
            "GET",
            f"{_ODATA}{message.service}/",
            point="fetch csrf token",
            headers=entrance | {"Accept": "application/json", "X-CSRF-Token": "Fetch"},
        )
        token = fetched.headers.get("x-csrf-token", "")
        if fetched.status != 200 or not token:
            if fetched.status == 401:
                self._login.forget(entrance.get("Authorization", ""))
            words = fetched.message or f"SAP gives no CSRF token (HTTP {fetched.status})"
            code = fetched.code if fetched.code != "OK" else "CSRF_MISSING"
            return replace(fetched, kind="unsent", code=code, message=words, sha256="")
        cookies = "; ".join(cookie.split(";")[0].strip() for cookie in fetched.cookies)
        return self.wire.exchange(
            "POST",
            message.path,
            point=f"create {message.service}",
            headers=entrance | message.headers | {"X-CSRF-Token": token, "Cookie": cookies},
            content=message.body,
        )

    def rows(
        self, service: str, entity_set: str, names: Sequence[str], where: str, order: str = ""
    ) -> list[Row]:
        """All rows of a set that fit a filter, with the named properties.

        Raises:
            ConnectorError: with the code of the answer; ``READ_INCOMPLETE`` when pages held fewer
                rows than were promised.
        """
        path = f"{_ODATA}{service}/{entity_set}"
        params = [
            ("$select", ",".join(names)),
            ("$filter", where),
            ("$orderby", order),
            ("$inlinecount", "allpages"),
            ("$format", "json"),
        ]
        params = [(name, value) for name, value in params if value]
        found: list[Row] = []
        promised = 0
        for _ in range(_PAGES_MAX):
            content = self._page(path, params, entity_set)
            try:
                found += [{name: row[name] for name in names} for row in content["results"]]
                promised = max(promised, int(content.get("__count", 0)))
                following = content.get("__next")
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise _unexpected(entity_set, repr(error)) from error
            if not following:
                break
            # Only the query of the next page is taken over: credentials go to our host alone.
            params = parse_qsl(urlsplit(str(following)).query, keep_blank_values=True)
        if len(found) < promised:
            message = f"SAP promised {promised} rows and sent {len(found)}"
            raise ConnectorError("READ_INCOMPLETE", message, where=entity_set)
        return found

    def _page(self, path: str, params: Sequence[tuple[str, str]], entity_set: str) -> Row:
        refused = ""
        for attempt in (1, 2):
            entrance = self._login.headers(self.wire, refused=refused)
            if isinstance(entrance, HttpAnswer):
                raise ConnectorError(entrance.code, entrance.message, where=entity_set)
            answer = self.wire.exchange(
                "GET",
                path,
                point=f"read {entity_set}",
                headers=entrance | {"Accept": "application/json"},
                params=params,
            )
            refused = entrance.get("Authorization", "")
            if answer.status != 401 or attempt == 2 or not refused:
                break
        return _content(answer, entity_set)


def _content(answer: HttpAnswer, entity_set: str) -> Row:
    if answer.kind != "answered":
        remedy = "check the address and that SAP runs" if answer.kind == "unsent" else ""
        raise ConnectorError(answer.code, answer.message, where=entity_set, remedy=remedy)
    if is_page(answer):
        message = f"SAP shows a page instead of data (HTTP {answer.status}), as in maintenance"
        code = "LOGIN_REFUSED" if answer.status == 401 else "MAINTENANCE"
        raise ConnectorError(code, message, where=entity_set, remedy="try again later")
    try:
        told = json.loads(answer.body, parse_float=Decimal)
    except (ValueError, RecursionError):
        if answer.status == 200:
            raise _unexpected(entity_set, "it is no JSON") from None
        told = {}
    if answer.status != 200:
        words = error_words(told) or f"SAP answered HTTP {answer.status}"
        raise ConnectorError(answer.code, words, where=entity_set)
    content = told.get("d") if isinstance(told, dict) else None
    if isinstance(content, list):
        return {"results": content}
    if not isinstance(content, dict):
        raise _unexpected(entity_set, "there is no d")
    return content


def is_page(answer: HttpAnswer) -> bool:
    """Whether a page for people came instead of an answer for programs."""
    return "html" in answer.headers.get("content-type", "").lower()


def error_of(body: bytes) -> str:
    """SAP's own words in an answer's body: a SOAP fault's, an OData error's, else empty."""
    if body.lstrip().startswith(b"<"):
        parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
        root = etree.fromstring(body, parser)
        found = root.find(".//faultstring") if root is not None else None
        return " ".join((found.text or "").split())[:300] if found is not None else ""
    try:
        return error_words(json.loads(body, parse_float=Decimal))
    except (ValueError, RecursionError):
        return ""


def error_words(told: Any) -> str:
    """``code: message`` of an OData V2 error, empty where it is none."""
    match told:
        case {"error": {"code": str(code), "message": {"value": str(value)}}}:
            return f"{code}: {' '.join(value.split())[:300]}"
    return ""


def _unexpected(entity_set: str, words: str) -> ConnectorError:
    message = f"SAP's answer has an unexpected shape: {words}"
    return ConnectorError("ANSWER_UNEXPECTED", message, where=entity_set)
