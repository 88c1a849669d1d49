"""What becomes of a call: the classifier, without a server."""

from __future__ import annotations

import json
import socket
from datetime import date
from decimal import Decimal

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.proxy import Proxy, answer_bytes
from tieout.connectors.http_wire import Timeouts
from tieout.connectors.tryton_wire import Answer, Wire

QUICK = Timeouts(connect=2, read=0.5, total=1)


def ask(status: int, body: bytes) -> Answer:
    transport = httpx.MockTransport(lambda request: httpx.Response(status, content=body))
    wire = Wire("http://erp.invalid", "erp", QUICK, transport)
    try:
        return wire.exchange("model.account.move.post", [[1], {}], "Session x")
    finally:
        wire.close()


def error(*args: object) -> str:
    return json.dumps({"id": 1, "error": args})


CASES = [
    # status, body, kind, code
    (200, '{"id": 1, "result": [7]}', "result", "OK"),
    (200, '{"id": 1, "result": null}', "result", "OK"),
    (200, error("UserError", ["No", "because", None]), "error", "UserError"),
    (200, error("UserWarning", ["key", "Sure?", ""]), "error", "UserWarning"),
    (200, error("ConcurrencyException", "Record was modified"), "lost", "SERVER_ERROR"),
    (200, error("division by zero", ""), "lost", "SERVER_ERROR"),
    (200, error("UserError"), "lost", "SERVER_ERROR"),
    (200, error(["UserError"]), "lost", "UNPARSABLE"),
    (200, '{"id": 1, "error": {}}', "lost", "UNPARSABLE"),
    (200, '{"id": 2, "result": [7]}', "lost", "UNPARSABLE"),
    (200, '{"id": 1}', "lost", "UNPARSABLE"),
    (200, '{"id": 1, "result": {"__class__": "Decimal"}}', "lost", "UNPARSABLE"),
    (200, '{"id": 1, "result": {"__class__": "date", "year": 0}}', "lost", "UNPARSABLE"),
    (200, '{"id": 1, "result": {"__class__": "Decimal", "decimal": "x"}}', "lost", "UNPARSABLE"),
    (200, "<html>hello</html>", "lost", "UNPARSABLE"),
    (200, "", "lost", "UNPARSABLE"),
    (200, "[" * 100_000, "lost", "UNPARSABLE"),
    (204, "", "lost", "HTTP_204"),
    (302, "", "lost", "HTTP_302"),
    (400, "bad", "lost", "HTTP_400"),
    (401, "", "unauthorized", "HTTP_401"),
    (403, "", "unauthorized", "HTTP_403"),
    (429, "", "lost", "HTTP_429"),
    (500, "", "lost", "HTTP_500"),
    (503, "busy", "lost", "HTTP_503"),
    (504, "", "lost", "HTTP_504"),
]


@pytest.mark.parametrize(("status", "body", "kind", "code"), CASES)
def test_complete_answers(status: int, body: str, kind: str, code: str) -> None:
    answer = ask(status, body.encode())
    assert (answer.kind, answer.code) == (kind, code)
    assert len(answer.sha256) == 64


@given(st.integers(200, 599), st.binary(max_size=200))
def test_only_a_true_answer_is_a_result(status: int, body: bytes) -> None:
    answer = ask(status, body)
    assert answer.kind in ("lost", "unauthorized")


def test_values_arrive_exact() -> None:
    body = (
        '{"id": 1, "result": [{"__class__": "Decimal", "decimal": "0.10"}, 0.1,'
        ' {"__class__": "date", "year": 2026, "month": 11, "day": 20}]}'
    )
    answer = ask(200, body.encode())
    assert answer.value == [Decimal("0.10"), Decimal("0.1"), date(2026, 11, 20)]
    assert not any(isinstance(value, float) for value in answer.value)


def test_amounts_leave_exact() -> None:
    sent: list[bytes] = []

    def take(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return httpx.Response(200, content=b'{"id": 1, "result": null}')

    wire = Wire("http://erp.invalid", "erp", QUICK, httpx.MockTransport(take))
    wire.exchange("m", [Decimal("0.10"), date(2026, 11, 20)])
    wire.close()
    assert json.loads(sent[0])["params"] == [
        {"__class__": "Decimal", "decimal": "0.10"},
        {"__class__": "date", "year": 2026, "month": 11, "day": 20},
    ]


def test_nobody_listens() -> None:
    with socket.socket() as bound:  # bound but not listening: refused
        bound.bind(("127.0.0.1", 0))
        wire = Wire(f"http://127.0.0.1:{bound.getsockname()[1]}", "erp", QUICK)
        answer = wire.exchange("m", [])
        wire.close()
    assert (answer.kind, answer.code) == ("unsent", "UNREACHABLE")


def test_name_does_not_resolve() -> None:
    wire = Wire("http://erp.invalid", "erp", QUICK)
    answer = wire.exchange("m", [])
    wire.close()
    assert (answer.kind, answer.code) == ("unsent", "UNREACHABLE")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("cut", "CONNECTION_LOST"),
        (b"", "CONNECTION_LOST"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "CONNECTION_LOST"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{", "CONNECTION_LOST"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "CONNECTION_LOST"),
        ("trickle", "TIMEOUT"),
        (answer_bytes(302, "", "Location: http://127.0.0.1:1/"), "HTTP_302"),
    ],
)
def test_after_the_first_byte_nothing_is_known(fault: str | bytes, code: str) -> None:
    with Proxy(0) as proxy:
        proxy.match, proxy.fault = b"POST", fault
        wire = Wire(f"http://127.0.0.1:{proxy.port}", "erp", QUICK)
        answer = wire.exchange("model.account.move.create", [])
        wire.close()
    assert (answer.kind, answer.code) == ("lost", code)
    assert len(proxy.seen) == 1  # no retry, no redirect followed


def test_silence_is_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        wire = Wire(f"http://127.0.0.1:{silent.getsockname()[1]}", "erp", QUICK)
        answer = wire.exchange("m", [])
        wire.close()
    assert (answer.kind, answer.code) == ("lost", "TIMEOUT")
