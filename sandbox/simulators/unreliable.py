"""The unreliable line in front of a simulator: carries out the faults every system can have."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from sandbox.simulators.faults import ANYWHERE, FaultPlan

__all__ = ["Refusal", "Unreliable"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

#: A vendor's manner of ``throttle``, ``maintenance`` and ``error``: (status, headers, body).
Refusal = Callable[[str], tuple[int, dict[str, str], bytes]]


class Unreliable:
    """ASGI around a simulator.

    Args:
        inner: the simulator.
        plan: faults by kind of request; those that are not of `ANYWHERE` go to the simulator as
            ``scope["fault"]``.
        kind_of: the kind of a request from its method and path; empty for control requests,
            which never fail.
        refusal: how the vendor refuses.
    """

    def __init__(
        self,
        inner: Application,
        plan: FaultPlan,
        kind_of: Callable[[str, str], str],
        refusal: Refusal,
    ) -> None:
        self._inner, self._plan = inner, plan
        self._kind_of, self._refusal = kind_of, refusal
        self._late: list[tuple[MutableMapping[str, Any], bytes]] = []

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        with self._plan.at_work():
            await self._request(scope, await _body(receive), send)

    async def _request(self, scope: MutableMapping[str, Any], body: bytes, send: Send) -> None:
        kind = self._kind_of(scope["method"], scope["path"])
        fault = (self._plan.take(kind) or self._plan.admit(kind)) if kind else ""
        scope["fault"] = "" if fault in ANYWHERE else fault
        self._plan.watch(kind, "before")
        if fault == "late":
            self._late.append((dict(scope), body))
        if fault in ("no effect", "late"):
            await _break_off(send)
        elif fault in ("throttle", "maintenance", "error before"):
            await _answer(send, *self._refusal(fault.removesuffix(" before")))
        elif fault in ("lost reply", "error after"):
            await self._inner(scope, _again(body), _swallow)
            self._plan.watch(kind, "after")
            if fault == "lost reply":
                await _break_off(send)
            else:
                await _answer(send, *self._refusal("error"))
        else:
            await self._inner(
                scope, _again(body), _watched(send, lambda: self._plan.watch(kind, "after"))
            )

    async def deliver_late(self) -> int:
        """Let all late requests be worked on now; returns how many there were."""
        late, self._late = self._late, []
        for scope, body in late:
            await self._inner(scope, _again(body), _swallow)
        return len(late)


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes) -> Receive:
    """The request's body once more, for the simulator."""
    told = False

    async def receive() -> Message:
        nonlocal told
        if told:
            await asyncio.Event().wait()  # the client says nothing more
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _watched(send: Send, worked: Callable[[], None]) -> Send:
    """Says that the work is done just before the answer leaves."""

    async def watched(message: Message) -> None:
        if message["type"] == "http.response.start":
            worked()
        await send(message)

    return watched


async def _swallow(message: Message) -> None:
    """An answer that nobody hears."""


async def _answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def _break_off(send: Send) -> None:
    """An answer that promises more than comes: the server closes the connection behind it."""
    headers = [(b"content-length", b"4096")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
