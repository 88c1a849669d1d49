"""Who may talk to a simulated NetSuite: signed assertions for a token, or OAuth 1.0 signatures.

Assertions and nonces are judged by this machine's time, as is the client's; the tokens that are
given out live by the simulator's clock.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.simulators.clock import Clock
from sandbox.simulators.netsuite_shapes import RefusedError

__all__ = ["Credentials", "Door", "TokenError", "credentials"]

ALGORITHMS: Final = ("PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFE: Final = 3_600


@dataclass(frozen=True)
class Credentials:
    """What the integration's owner was given: both ways."""

    account: str
    client_id: str
    certificate_id: str
    private_key: str
    consumer_key: str
    consumer_secret: str
    token_id: str
    token_secret: str


class TokenError(Exception):
    """The token endpoint refuses: ``invalid_grant``, ``invalid_request`` …"""


@functools.cache
def _key(number: int = 0) -> tuple[str, str]:
    """A key pair of this process, private and public, in PEM."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


def credentials(account: str) -> Credentials:
    """The one integration of an account."""
    names = ("consumer-key", "consumer-secret", "token-id", "token-secret")
    made = [hashlib.sha256(f"{account} {name}".encode()).hexdigest() for name in names]
    client = hashlib.sha256(f"{account} client".encode()).hexdigest()
    return Credentials(account, client, "certificate-1", _key()[0], *made)


class Door:
    """Checks every request; safe to use from several threads.

    Attributes:
        issued: tokens given out so far.
    """

    def __init__(self, account: str, clock: Clock) -> None:
        self.credentials = credentials(account)
        self.issued = 0
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[str, float] = {}
        self._jtis: set[str] = set()
        self._nonces: set[str] = set()

    def token(self, form: Mapping[str, str], address: str) -> dict[str, str]:
        """A new access token for a signed assertion.

        Raises:
            TokenError: the OAuth error code.
        """
        if form.get("grant_type") != "client_credentials":
            raise TokenError("unsupported_grant_type")
        if form.get("client_assertion_type") != _ASSERTION:
            raise TokenError("invalid_request")
        self._assertion(form.get("client_assertion", ""), address)
        with self._lock:
            token = secrets.token_urlsafe(24)
            self._tokens[token] = self._clock.now().timestamp() + _LIFE
            self.issued += 1
        return {"access_token": token, "expires_in": str(_LIFE), "token_type": "Bearer"}

    def _assertion(self, text: str, address: str) -> None:
        try:
            header = jwt.get_unverified_header(text)
            if header.get("kid") != self.credentials.certificate_id or header.get("typ") != "JWT":
                raise TokenError("invalid_grant")
            claims = jwt.decode(
                text,
                _key()[1],
                algorithms=list(ALGORITHMS),
                audience=address,
                issuer=self.credentials.client_id,
                options={"require": ["iss", "aud", "iat", "exp", "jti", "scope"]},
            )
        except jwt.PyJWTError as error:
            raise TokenError("invalid_grant") from error
        scope = claims["scope"]
        if not isinstance(scope, list) or "rest_webservices" not in scope:
            raise TokenError("invalid_scope")
        if claims["exp"] - claims["iat"] > _LIFE:
            raise TokenError("invalid_grant")
        with self._lock:
            if claims["jti"] in self._jtis:
                raise TokenError("invalid_grant")
            self._jtis.add(claims["jti"])

    def admit(
        self, header: str, method: str, address: str, params: Sequence[tuple[str, str]]
    ) -> None:
        """Let a request in.

        Raises:
            RefusedError: 401 ``INVALID_LOGIN``.
        """
        if header.startswith("Bearer "):
            with self._lock:
                until = self._tokens.get(header.removeprefix("Bearer "), 0.0)
            if until > self._clock.now().timestamp():
                return
        elif header.startswith("OAuth ") and self._signed(header, method, address, params):
            return
        detail = "Invalid login attempt. For more details, see the Login Audit Trail."
        raise RefusedError(401, "INVALID_LOGIN", detail, title="Unauthorized")

    def expire(self) -> None:
        """All tokens given out are no longer good."""
        with self._lock:
            self._tokens.clear()

    def _signed(
        self, header: str, method: str, address: str, params: Sequence[tuple[str, str]]
    ) -> bool:
        given = _oauth_parts(header)
        own = self.credentials
        expected: dict[str, Any] = {
            "realm": own.account,
            "oauth_consumer_key": own.consumer_key,
            "oauth_token": own.token_id,
            "oauth_signature_method": "HMAC-SHA256",
            "oauth_version": "1.0",
        }
        if any(given.get(name) != value for name, value in expected.items()):
            return False
        stamp, nonce = given.get("oauth_timestamp", ""), given.get("oauth_nonce", "")
        if not stamp.isdigit() or abs(int(stamp) - time.time()) > 300 or not nonce:
            return False
        signed = {k: v for k, v in given.items() if k not in ("realm", "oauth_signature")}
        pairs = sorted((_quoted(k), _quoted(v)) for k, v in [*signed.items(), *params])
        text = "&".join(f"{k}={v}" for k, v in pairs)
        base = "&".join((method.upper(), _quoted(address), _quoted(text)))
        key = f"{_quoted(own.consumer_secret)}&{_quoted(own.token_secret)}"
        digest = hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()
        wanted = base64.b64encode(digest).decode()
        with self._lock:
            fresh = nonce not in self._nonces
            self._nonces.add(nonce)
        return fresh and hmac.compare_digest(wanted, given.get("oauth_signature", ""))


def _oauth_parts(header: str) -> dict[str, str]:
    parts = {}
    for part in header.removeprefix("OAuth ").split(","):
        name, _, value = part.strip().partition("=")
        parts[name] = unquote(value.strip('"'))
    return parts


def _quoted(text: str) -> str:
    return quote(text, safe="~")
