"""Loopback ports: whether one is free, and whether Tryton answers on it."""

from __future__ import annotations

import json
import socket
import urllib.request

from sandbox.tryton import chart

__all__ = ["answers", "is_free"]


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether a Tryton of the expected series answers on the port."""
    body = json.dumps({"id": 0, "method": "common.server.version", "params": []}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/rpc/", body, {"Content-Type": "application/json"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=5) as answer:
            return str(json.load(answer)["result"]).startswith(chart.SERIES)
    except (OSError, ValueError, KeyError):
        return False
