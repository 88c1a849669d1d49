"""Who may enter the SAP simulator: passwords, tokens that expire, sessions with a CSRF token."""

from __future__ import annotations

import base64
import datetime as dt
import threading
from typing import Final

from sandbox.simulators.clock import Clock

__all__ = ["CLIENT", "LOGIN", "Doors"]

#: The communication user of the simulator, and its OAuth2 client.
LOGIN: Final = ("TIEOUT_COMM", "welcome-2026")
CLIENT: Final = ("sb-tieout", "client-secret-2026")
_TOKEN_LIFE: Final = dt.timedelta(hours=1)
_SESSION_LIFE: Final = dt.timedelta(minutes=30)


class Doors:
    """Checks of one simulator; the clock lets tokens and sessions expire."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[str, dt.datetime] = {}
        self._sessions: dict[str, tuple[str, dt.datetime]] = {}
        self.tokens_made = 0

    def token(self, authorization: str) -> str:
        """A new access token; empty for a client nobody knows."""
        if authorization != _basic(CLIENT):
            return ""
        with self._lock:
            self.tokens_made += 1
            made = f"token-{self.tokens_made:04d}"
            self._tokens[made] = self._clock.now() + _TOKEN_LIFE
            return made

    def enter(self, authorization: str) -> bool:
        """Whether a request is let in."""
        if authorization == _basic(LOGIN):
            return True
        name = authorization.removeprefix("Bearer ")
        with self._lock:
            return self._tokens.get(name, self._clock.now()) > self._clock.now()

    def expire(self) -> None:
        """Every token and every session is over."""
        with self._lock:
            self._tokens.clear()
            self._sessions.clear()

    def session(self) -> tuple[str, str]:
        """A new session: its cookie and its CSRF token."""
        with self._lock:
            number = len(self._sessions) + 1
            cookie, token = f"session-{number:04d}", f"csrf-{number:04d}=="
            self._sessions[cookie] = (token, self._clock.now() + _SESSION_LIFE)
            return cookie, token

    def may_write(self, cookie: str, token: str) -> bool:
        """Whether a CSRF token belongs to a session that is not over."""
        with self._lock:
            kept, until = self._sessions.get(cookie, ("", self._clock.now()))
        return bool(kept) and kept == token and until > self._clock.now()


def _basic(login: tuple[str, str]) -> str:
    return "Basic " + base64.b64encode(":".join(login).encode()).decode()
