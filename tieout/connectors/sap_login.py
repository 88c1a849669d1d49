"""How a request to SAP proves who it is: a password, a token for a while, or a certificate."""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlencode, urlsplit

import httpx

from tieout.connectors.http_wire import HttpAnswer, HttpWire
from tieout.errors import ProfileError
from tieout.redaction import remember

__all__ = ["Login", "certificate_transport", "check_address", "login_of"]

#: A token is renewed this long before its end, so that it does not expire on its way.
_MARGIN_SECONDS: Final = 60.0
_OPTIONS: Final = ("auth", "certificate", "client_id", "private_key", "scope", "token_url")
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class Login(Protocol):
    """Headers that let a request in."""

    def headers(self, wire: HttpWire, *, refused: str = "") -> dict[str, str] | HttpAnswer:
        """The headers; where there are none, why not, as an answer ``unsent``.

        ``refused`` is a value of ``Authorization`` that was turned away and is not used again.
        """
        ...

    def forget(self, refused: str) -> None:
        """A value of ``Authorization`` was turned away: the next request needs another."""
        ...


class _Password:
    def __init__(self, login: str, password: str) -> None:
        self._header = _basic(login, password)

    def headers(self, wire: HttpWire, *, refused: str = "") -> dict[str, str] | HttpAnswer:
        if refused:
            message = "SAP refuses the communication user's login"
            return HttpAnswer("unsent", "LOGIN_REFUSED", message)
        return {"Authorization": self._header}

    def forget(self, refused: str) -> None:
        return  # there is no other password


class _Certificate:
    def headers(self, wire: HttpWire, *, refused: str = "") -> dict[str, str] | HttpAnswer:
        return {}

    def forget(self, refused: str) -> None:
        return  # there is no other certificate


class _Token:
    """OAuth2 client credentials; threads share one token, and the first to need it fetches it."""

    def __init__(self, address: str, client: str, secret: str, scope: str) -> None:
        self._address, self._scope = address, scope
        self._client = _basic(client, secret)
        self._lock = threading.Lock()
        self._header = ""
        self._good_until = 0.0

    def headers(self, wire: HttpWire, *, refused: str = "") -> dict[str, str] | HttpAnswer:
        with self._lock:
            fresh = time.monotonic() < self._good_until
            if not self._header or not fresh or self._header == refused:
                self._header = ""
                failure = self._fetch(wire)
                if failure is not None:
                    return failure
            return {"Authorization": self._header}

    def forget(self, refused: str) -> None:
        with self._lock:
            if self._header == refused:
                self._header = ""

    def _fetch(self, wire: HttpWire) -> HttpAnswer | None:
        form = {"grant_type": "client_credentials", "scope": self._scope}
        answer = wire.exchange(
            "POST",
            self._address,
            point="token",
            headers={
                "Authorization": self._client,
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
            content=urlencode({name: value for name, value in form.items() if value}).encode(),
        )
        if answer.status == 200:
            try:
                told = json.loads(answer.body)
                token, seconds = str(told["access_token"]), int(told.get("expires_in", 600))
            except (ValueError, KeyError, TypeError, AttributeError):
                return _failed(answer, "TOKEN_UNPARSABLE", "the token service's answer is no token")
            remember(token)
            self._header = f"Bearer {token}"
            self._good_until = time.monotonic() + max(seconds - _MARGIN_SECONDS, 1.0)
            return None
        if answer.status in (400, 401, 403):
            return _failed(answer, "LOGIN_REFUSED", "the token service refuses the client")
        if answer.status == 429:
            return _failed(answer, "LOGIN_THROTTLED", "the token service wants a pause")
        message = answer.message or f"the token service answered HTTP {answer.status}"
        return _failed(answer, answer.code if answer.kind == "unsent" else "LOGIN_FAILED", message)


def _failed(answer: HttpAnswer, code: str, message: str) -> HttpAnswer:
    """No token: the request that needed it never left, whatever came of the token's own."""
    return replace(answer, kind="unsent", code=code, message=message, body=b"", sha256="")


def _basic(login: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{login}:{password}'.encode()).decode()}"


def login_of(login: str, password: str, options: Mapping[str, str]) -> Login:
    """The way of proof the connection's extras ask for.

    ``auth`` is ``basic``, ``oauth2`` (with ``token_url``; ``client_id`` and the password, or the
    login and the password, are the client) or ``x509`` (with ``certificate`` and
    ``private_key``); without it, what the other extras suggest.

    Raises:
        ProfileError: an extra is unknown or missing.
    """
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        message = f"the connection's extra {unknown[0]!r} is unknown"
        raise ProfileError("OPTION_UNKNOWN", message, remedy=f"known are {', '.join(_OPTIONS)}")
    suggested = (
        "oauth2" if "token_url" in options else "x509" if "certificate" in options else "basic"
    )
    way = options.get("auth", suggested)
    if way == "basic":
        return _Password(login, password)
    if way == "x509":
        _needed(options, "certificate")
        return _Certificate()
    if way != "oauth2":
        message = f"auth is basic, oauth2 or x509, not {way!r}"
        raise ProfileError("OPTION_UNKNOWN", message, remedy="correct the connection's extras")
    address = _needed(options, "token_url")
    if "://" in address:
        check_address(address)
    client = options.get("client_id", login)
    return _Token(address, client, password, options.get("scope", ""))


def certificate_transport(options: Mapping[str, str]) -> httpx.HTTPTransport | None:
    """A network that shows our certificate; None where the extras name none.

    Raises:
        ProfileError: ``CERTIFICATE_UNUSABLE``, naming the file, never what is in it.
    """
    if "certificate" not in options:
        return None
    certificate = Path(options["certificate"])
    key = Path(options.get("private_key", options["certificate"]))
    context = ssl.create_default_context()
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise ProfileError(
            "CERTIFICATE_UNUSABLE",
            f"the certificate {certificate} with the key {key} cannot be used",
            remedy="both must be readable PEM files that belong together",
        ) from error
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.HTTPTransport(verify=context, trust_env=False, limits=limits)


def check_address(address: str) -> None:
    """Passwords and tokens travel over TLS, or stay on this machine.

    Raises:
        ProfileError: ``ADDRESS_NOT_TLS``.
    """
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return
    message = f"{parts.scheme}://{parts.hostname} is not an https address"
    raise ProfileError("ADDRESS_NOT_TLS", message, remedy="correct the connection's host")


def _needed(options: Mapping[str, str], name: str) -> str:
    value = options.get(name, "")
    if not value:
        message = f"the connection's extra {name!r} is missing"
        raise ProfileError("OPTION_MISSING", message, remedy="add it to the connection")
    return value
