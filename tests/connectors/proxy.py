"""A loopback TCP proxy before Tryton that spoils the answer to the requests it is told to."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from typing import Self

__all__ = ["Proxy", "answer_bytes"]


def answer_bytes(status: int, body: str = "", *headers: str) -> bytes:
    """A complete HTTP answer."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body.encode())}", *headers]
    return "\r\n".join([*lines, "", body]).encode()


class Proxy:
    """Forwards one request per connection; requests that contain ``match`` meet ``fault``.

    Faults: ``cut`` (reset before Tryton saw it), ``swallow`` (Tryton's answer is dropped and the
    connection reset), ``fail`` (Tryton's answer is replaced by HTTP 500), ``trickle`` (an answer that never ends, one byte at a time), or bytes: a
    canned answer, Tryton does not see the request.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.match = b"\0"
        self.fault: str | bytes = "cut"
        self.seen: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._handle, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _handle(self, client: socket.socket) -> None:
        with client:
            request = _read_request(client)
            self.seen.append(request)
            fault = self.planned(request)
            if fault == "cut":
                _reset(client)
            elif fault == "trickle":
                _trickle(client)
            elif isinstance(fault, bytes):
                client.sendall(fault)
            else:
                answer = self._ask(request)
                if fault == "swallow":
                    _reset(client)
                elif fault == "fail":
                    client.sendall(answer_bytes(500, "broken"))
                else:
                    client.sendall(answer)

    def planned(self, request: bytes) -> str | bytes:
        """The fault of this request; no text for none (no bytes are an answer of nothing)."""
        return self.fault if self.match in request else ""

    def _ask(self, request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.target), timeout=30) as server:
            server.sendall(request)
            parts = iter(lambda: server.recv(65536), b"")
            return b"".join(parts)


def _read_request(client: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length")
    )
    while len(body) < length:
        body += client.recv(65536)
    return head.replace(b"keep-alive", b"close") + b"\r\n\r\n" + body


def _reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _trickle(client: socket.socket) -> None:
    """A header line without an end, a byte every 20 ms, until the other side gives up."""
    with contextlib.suppress(OSError):
        client.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(2000):
            client.sendall(b"x")
            time.sleep(0.02)
