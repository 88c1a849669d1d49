"""How tieout makes itself known to Oracle: password, OAuth2 client, or an asserted user.

Three ways, chosen by the connection's extra ``auth``:

``basic``        user and password with every request
``client``       OAuth2 client credentials at ``token_url``: login and password are the client's
``user``         the same client asserts the user ``user`` with a JWT signed by ``private_key``
                 (a path to a PEM file; ``certificate_alias`` names the key to the other side)

One more extra has nothing to do with it: ``callback_url``, where Oracle tells the end of an import
(`tieout serve-callbacks`).

A token is fetched once for all threads and kept until a minute before it ends. Nothing here tells
a secret: neither a message nor a repr.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import jwt

from tieout.connectors.http_wire import HttpWire
from tieout.errors import ConnectorError
from tieout.profiles import allow_keys
from tieout.redaction import remember

__all__ = ["OPTIONS", "OracleTokens"]

OPTIONS: Final = (
    "auth",
    "callback_url",
    "certificate_alias",
    "private_key",
    "scope",
    "token_url",
    "user",
)
_SCOPE: Final = "urn:opc:resource:consumer::all"
_AUDIENCE: Final = "https://identity.oraclecloud.com/"
_JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_MARGIN_SECONDS: Final = 60
_ASSERTION_SECONDS: Final = 300


class OracleTokens:
    """The ``Authorization`` header of one connection.

    Raises:
        ProfileError: an option is unknown.
        ConnectorError: ``AUTH_OPTIONS`` where one is missing.
    """

    def __init__(
        self, wire: HttpWire, login: str, password: str, options: Mapping[str, str]
    ) -> None:
        allow_keys(options, OPTIONS, "extras of the Oracle connection")
        self._wire, self._login, self._password = wire, login, password
        self._options = dict(options)
        self._lock = threading.Lock()
        self._header = ""
        self._until = 0.0
        self._way = options.get("auth", "basic")
        needed = {"basic": (), "client": ("token_url",), "user": ("private_key", "token_url")}
        if self._way not in needed:
            raise _options(f"auth is {self._way!r}", "one of basic, client, user")
        for name in needed[self._way]:
            if not options.get(name):
                raise _options(f"auth {self._way!r} needs {name!r}", f"set {name}")

    @property
    def user(self) -> str:
        """The user requests are made as, empty where only the other side knows."""
        if self._way == "client":
            return ""
        return self._login if self._way == "basic" else self._options.get("user", self._login)

    def header(self, *, refused: str = "") -> str:
        """The header of the next request; ``refused`` is one that was turned away.

        Raises:
            ConnectorError: the token cannot be had; nothing of ours has been sent then.
        """
        if self._way == "basic":
            return _basic(self._login, self._password)
        with self._lock:
            if self._header in ("", refused) or time.monotonic() >= self._until:
                self._header = ""
                self._fetch()
            return self._header

    def forget(self, refused: str) -> None:
        """A header was turned away: the next request gets a new one."""
        with self._lock:
            if self._header == refused:
                self._header = ""

    def _fetch(self) -> None:
        form = {"scope": self._options.get("scope", _SCOPE)}
        if self._way == "user":
            form |= {"grant_type": _JWT_GRANT, "assertion": self._assertion()}
        else:
            form |= {"grant_type": "client_credentials"}
        headers = {
            "Accept": "application/json",
            "Authorization": _basic(self._login, self._password),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        address = self._options["token_url"]
        content = urlencode(form).encode()
        answer = self._wire.exchange(
            "POST", address, point="token", headers=headers, content=content
        )
        if answer.kind != "answered" or answer.status >= 500 or answer.status == 429:
            code = "LOGIN_THROTTLED" if answer.status == 429 else "LOGIN_FAILED"
            message = answer.message or f"the token endpoint answered HTTP {answer.status}"
            raise ConnectorError(code, message, where="token", remedy="check token_url")
        if answer.status != 200:
            raise ConnectorError(
                "LOGIN_REFUSED",
                f"Oracle refuses the client: HTTP {answer.status}{_error(answer.body)}",
                where="token",
                remedy="check the client, its secret and scope",
            )
        self._keep(answer.body)

    def _keep(self, body: bytes) -> None:
        try:
            found = json.loads(body)
            token, seconds = str(found["access_token"]), int(found.get("expires_in", 3600))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            message = "the token endpoint's answer holds no token"
            raise ConnectorError("LOGIN_FAILED", message, where="token") from error
        remember(token)
        self._header = f"Bearer {token}"
        self._until = time.monotonic() + max(0, seconds - _MARGIN_SECONDS)

    def _assertion(self) -> str:
        """A JWT that says which user we act for."""
        path = Path(self._options["private_key"])
        now = int(time.time())
        claims = {
            "aud": _AUDIENCE,
            "exp": now + _ASSERTION_SECONDS,
            "iat": now,
            "iss": self._login,
            "sub": self._options.get("user", self._login),
        }
        alias = self._options.get("certificate_alias")
        try:
            key = path.read_text(encoding="ascii")
            return jwt.encode(claims, key, "RS256", headers={"kid": alias} if alias else None)
        except (OSError, ValueError, TypeError, jwt.PyJWTError) as error:
            raise ConnectorError(
                "PRIVATE_KEY",
                f"the private key cannot be used: {type(error).__name__}",
                where=str(path),
                remedy="an RSA key in PEM, readable by this user",
            ) from None


def _basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def _error(body: bytes) -> str:
    """The OAuth error's name; nothing else of the answer, which might repeat what we sent."""
    try:
        found = json.loads(body)
        return f" {found['error']!r:.60}" if isinstance(found, dict) and "error" in found else ""
    except ValueError:
        return ""


def _options(message: str, remedy: str) -> ConnectorError:
    where = "extras of the Oracle connection"
    return ConnectorError("AUTH_OPTIONS", message, where=where, remedy=remedy)
