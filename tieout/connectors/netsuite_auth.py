"""How we log in to NetSuite: a signed assertion for a token (OAuth 2.0), or OAuth 1.0 signatures.

* ``m2m``: ``login`` is the integration's client id, ``options`` name ``certificate_id`` and
  ``private_key`` (a file in PEM; ``password`` opens it where it is locked), optionally
  ``algorithm`` (PS256) and ``token_url``.
* ``tba``: ``login`` and ``password`` are the consumer's key and secret, ``options`` name
  ``account``, ``token_id`` and ``token_secret``. NetSuite wants new integrations to use the other.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tieout.connectors.http_wire import HttpAnswer, HttpWire
from tieout.connectors.netsuite_wire import Answer
from tieout.errors import ConnectorError
from tieout.profiles import allow_keys
from tieout.redaction import remember

__all__ = ["Login", "login_for"]

_ALGORITHMS: Final = ("PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_TOKEN_PATH: Final = "/services/rest/auth/oauth2/v1/token"  # noqa: S105 — an address, no secret
_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS: Final = 300
_MARGIN_SECONDS: Final = 60
_OPTIONS: Final = (
    "account",
    "algorithm",
    "auth",
    "certificate_id",
    "private_key",
    "token_id",
    "token_secret",
    "token_url",
)

Params = Sequence[tuple[str, str]]


class Login(Protocol):
    """Gives each request its ``Authorization``; safe to use from several threads."""

    def header(self, method: str, address: str, params: Params) -> str | Answer:
        """The header, or why there is none (kind ``unsent`` or ``throttled``)."""
        ...

    def refuse(self, header: str) -> None:
        """A header that was turned away is not used again."""
        ...


def login_for(wire: HttpWire, login: str, password: str, options: Mapping[str, str]) -> Login:
    """The way to log in that ``options["auth"]`` names, ``m2m`` where it names none.

    Raises:
        ProfileError: an unknown option.
        ConnectorError: ``LOGIN_INCOMPLETE``, ``PRIVATE_KEY_UNREADABLE``, ``ADDRESS_INSECURE``.
    """
    allow_keys(options, _OPTIONS, "connection to NetSuite")
    _require_tls(wire.base_url)
    _require_tls(options.get("token_url", wire.base_url))
    way = options.get("auth", "m2m")
    if way == "m2m":
        return _Assertion(wire, login, password, options)
    if way == "tba":
        return _Signature(login, password, options)
    message = f"auth {way!r} is not a way to log in to NetSuite"
    raise ConnectorError("LOGIN_INCOMPLETE", message, remedy="use m2m or tba")


def _require_tls(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        message = f"{parts.scheme}://{parts.hostname} would carry the login in the clear"
        raise ConnectorError("ADDRESS_INSECURE", message, remedy="use https")


def _option(options: Mapping[str, str], name: str) -> str:
    if not options.get(name):
        message = f"the connection to NetSuite lacks {name}"
        raise ConnectorError("LOGIN_INCOMPLETE", message, remedy="add it to the connection")
    return options[name]


class _Assertion:
    """OAuth 2.0 client credentials: one token for all threads, fetched by the first to need it."""

    def __init__(
        self, wire: HttpWire, login: str, password: str, options: Mapping[str, str]
    ) -> None:
        self._wire, self._client_id = wire, login
        self._certificate_id = _option(options, "certificate_id")
        self._algorithm = options.get("algorithm", "PS256")
        if self._algorithm not in _ALGORITHMS:
            message = f"NetSuite takes no assertion signed with {self._algorithm!r}"
            remedy = f"use one of {', '.join(_ALGORITHMS)}"
            raise ConnectorError("LOGIN_INCOMPLETE", message, remedy=remedy)
        self._token_url = options.get("token_url") or f"{wire.base_url}{_TOKEN_PATH}"
        self._sign = _signer(_option(options, "private_key"), password, self._algorithm)
        self._lock = threading.Lock()
        self._header = ""
        self._good_until = 0.0

    def header(self, method: str, address: str, params: Params) -> str | Answer:
        with self._lock:
            if not self._header or time.monotonic() >= self._good_until:
                failed = self._fetch()
                if failed is not None:
                    return failed
            return self._header

    def refuse(self, header: str) -> None:
        with self._lock:
            if self._header == header:
                self._header = ""

    def _fetch(self) -> Answer | None:
        """A new token; None when there is one."""
        self._header = ""
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": _ASSERTION,
            "client_assertion": self._assertion(),
        }
        asked = time.monotonic()
        answer = self._wire.exchange(
            "POST",
            self._token_url,
            point="token",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            content=urlencode(form).encode("ascii"),
        )
        match _json(answer):
            case {"access_token": str(token), "expires_in": str() | int() as seconds} if (
                answer.status == 200 and f"{seconds}".isdigit() and _fits(token)
            ):
                life = int(seconds)
                remember(token)
                self._header = f"Bearer {token}"
                self._good_until = asked + max(life - _MARGIN_SECONDS, life // 2)
                return None
            case {"error": str(reason)} if answer.status in (400, 401):
                message = f"NetSuite refuses the login: {reason[:60]}"
                return Answer("unsent", "LOGIN_REFUSED", message, answer.status)
        if answer.status == 429:
            message = "NetSuite allows no more logins for now"
            return Answer("throttled", "LOGIN_THROTTLED", message, 429)
        code = answer.code if answer.kind == "unsent" else "LOGIN_FAILED"
        words = answer.message or f"the token endpoint answered HTTP {answer.status}"
        return Answer("unsent", code, words, answer.status)

    def _assertion(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self._client_id,
            "scope": ["rest_webservices"],
            "aud": self._token_url,
            "iat": now,
            "exp": now + _ASSERTION_SECONDS,
            "jti": str(uuid.uuid4()),
        }
        return self._sign(claims, {"typ": "JWT", "kid": self._certificate_id})


class _Sign(Protocol):
    def __call__(self, claims: Mapping[str, object], header: Mapping[str, str]) -> str: ...


def _signer(path: str, password: str, algorithm: str) -> _Sign:
    """Signs with the key of a file; the key is in no attribute that a message could show."""
    try:
        text = Path(path).read_bytes()
        key = load_pem_private_key(text, password.encode() or None)
    except (OSError, ValueError, TypeError) as error:
        message = f"the private key {path} cannot be used ({type(error).__name__})"
        remedy = "it is a PEM file; the connection's password opens it where it is locked"
        raise ConnectorError("PRIVATE_KEY_UNREADABLE", message, remedy=remedy) from None

    def sign(claims: Mapping[str, object], header: Mapping[str, str]) -> str:
        return jwt.encode(dict(claims), key, algorithm=algorithm, headers=dict(header))  # type: ignore[arg-type]

    try:
        sign({}, {})
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        message = f"the private key {path} does not sign {algorithm} ({type(error).__name__})"
        raise ConnectorError("PRIVATE_KEY_UNREADABLE", message) from None
    return sign


class _Signature:
    """OAuth 1.0 with HMAC-SHA256: each request is signed by itself, nothing expires."""

    def __init__(self, login: str, password: str, options: Mapping[str, str]) -> None:
        self._names = {
            "realm": _option(options, "account").upper().replace("-", "_"),
            "oauth_consumer_key": login,
            "oauth_token": _option(options, "token_id"),
        }
        key = f"{_quoted(password)}&{_quoted(_option(options, 'token_secret'))}".encode()
        self._mac = _mac(key)

    def header(self, method: str, address: str, params: Params) -> str | Answer:
        named = {
            **self._names,
            "oauth_nonce": secrets.token_hex(16),
            "oauth_signature_method": "HMAC-SHA256",
            "oauth_timestamp": str(int(time.time())),
            "oauth_version": "1.0",
        }
        signed = [(k, v) for k, v in named.items() if k != "realm"]
        pairs = sorted((_quoted(k), _quoted(v)) for k, v in [*signed, *params])
        text = "&".join(f"{k}={v}" for k, v in pairs)
        base = "&".join((method.upper(), _quoted(address), _quoted(text)))
        named["oauth_signature"] = base64.b64encode(self._mac(base.encode())).decode("ascii")
        return "OAuth " + ", ".join(f'{k}="{_quoted(v)}"' for k, v in named.items())

    def refuse(self, header: str) -> None:
        """Nothing is kept that could be stale."""


def _json(answer: HttpAnswer) -> object:
    try:
        return json.loads(answer.body) if answer.body else None
    except (ValueError, RecursionError):
        return None


def _fits(token: str) -> bool:
    """Whether a token can stand in a header."""
    return bool(token) and token.isascii() and token.isprintable() and " " not in token


def _quoted(text: str) -> str:
    return quote(text, safe="~")


def _mac(key: bytes) -> Callable[[bytes], bytes]:
    """Signs with a key that is in no attribute a message could show."""

    def mac(text: bytes) -> bytes:
        return hmac.new(key, text, hashlib.sha256).digest()

    return mac
