"""How a simulator calls back: one POST a message, with the name and password it was given."""

from __future__ import annotations

from collections.abc import Iterable

import httpx

__all__ = ["Caller"]


class Caller:
    """Sends messages to an address, and remembers what it was answered.

    Attributes:
        address: of the receiver; nothing is sent while it is empty.
        login: name and password there.
        answers: the HTTP status of each call, 0 where nobody answered.
    """

    def __init__(self) -> None:
        self.address = ""
        self.login = ("", "")
        self.answers: list[int] = []

    def call(self, messages: Iterable[bytes], address: str = "") -> None:
        """Send each; what is not taken is not sent again."""
        for message in messages:
            self.answers.append(self._one(message, address or self.address))

    def _one(self, message: bytes, address: str) -> int:
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        try:
            answer = httpx.post(
                address, content=message, headers=headers, auth=self.login, timeout=5
            )
        except httpx.HTTPError:
            return 0
        return answer.status_code
