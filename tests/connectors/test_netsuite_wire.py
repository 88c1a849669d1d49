"""NetSuite: what a complete answer means, without a server."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.connectors.http_wire import HttpAnswer
from tieout.connectors.netsuite_wire import Answer, answered, encoded


def told(status: int, body: bytes, **headers: str) -> Answer:
    code = "OK" if 200 <= status < 300 else f"HTTP_{status}"
    return answered(HttpAnswer("answered", code, "", status, headers, (), body, "0" * 64))


def error(*details: dict[str, str]) -> bytes:
    return json.dumps({"title": "Bad Request", "o:errorDetails": list(details)}).encode()


USER = {"detail": "Please enter a name.", "o:errorCode": "USER_ERROR", "o:errorPath": "entity"}
LIMIT = {"detail": "x", "o:errorCode": "CONCURRENCY_LIMIT_EXCEEDED"}
NESTED = {"detail": "CONCURRENCY_LIMIT_EXCEEDED: too many", "o:errorCode": "USER_ERROR"}
RESTLET = {"detail": "x", "o:errorCode": "SSS_REQUEST_LIMIT_EXCEEDED"}

CASES = [
    # status, body, kind, code
    (204, b"", "done", "OK"),
    (202, b"", "done", "OK"),
    (200, b'{"items": []}', "done", "OK"),
    (200, b"<html>", "lost", "UNPARSABLE"),
    (200, b"[" * 100_000, "lost", "UNPARSABLE"),
    (201, b"", "lost", "UNPARSABLE"),
    (206, b"{}", "lost", "UNPARSABLE"),
    (302, b"", "lost", "HTTP_302"),
    (400, error(USER), "refused", "USER_ERROR"),
    (400, error({"o:errorCode": "INVALID_CONTENT"}), "refused", "INVALID_CONTENT"),
    (404, error({"o:errorCode": "NONEXISTENT_ID"}), "refused", "NONEXISTENT_ID"),
    (404, b"<html>nginx</html>", "lost", "HTTP_404"),
    (400, error({"o:errorCode": "SOMETHING_NEW"}), "lost", "SOMETHING_NEW"),
    (400, b"{}", "lost", "HTTP_400"),
    (400, b'{"o:errorDetails": []}', "lost", "HTTP_400"),
    (400, b'{"o:errorDetails": [7]}', "lost", "HTTP_400"),
    (400, error(LIMIT), "throttled", "CONCURRENCY_LIMIT_EXCEEDED"),
    (400, error(NESTED), "throttled", "CONCURRENCY_LIMIT_EXCEEDED"),
    (400, error(USER, LIMIT), "throttled", "CONCURRENCY_LIMIT_EXCEEDED"),
    (400, error(RESTLET), "throttled", "CONCURRENCY_LIMIT_EXCEEDED"),
    (429, b"", "throttled", "CONCURRENCY_LIMIT_EXCEEDED"),
    (401, error({"o:errorCode": "INVALID_LOGIN"}), "unauthorized", "INVALID_LOGIN"),
    (403, b"", "unauthorized", "HTTP_403"),
    (500, error(USER), "lost", "USER_ERROR"),
    (500, error({"o:errorCode": "UNEXPECTED_ERROR"}), "lost", "UNEXPECTED_ERROR"),
    (503, b"<html>", "lost", "HTTP_503"),
    (504, b"", "lost", "HTTP_504"),
]


@pytest.mark.parametrize(("status", "body", "kind", "code"), CASES)
def test_complete_answers(status: int, body: bytes, kind: str, code: str) -> None:
    answer = told(status, body)
    assert (answer.kind, answer.code) == (kind, code)
    assert answer.message or kind == "done"


def test_a_refusal_says_what_it_is_about_and_a_throttle_how_long() -> None:
    refused = told(400, error(USER, {"detail": "And more."}))
    assert (refused.path, refused.message) == ("entity", "Please enter a name. And more.")
    assert told(429, b"", **{"retry-after": "7"}).retry_after == timedelta(seconds=7)
    assert told(429, b"").retry_after is None


@given(st.integers(200, 599), st.binary(max_size=200))
def test_nothing_unreadable_is_ever_a_refusal_or_done(status: int, body: bytes) -> None:
    answer = told(status, b"\xff" + body)
    assert answer.kind in ("lost", "throttled", "unauthorized")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False, places=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(VALUES)
def test_values_leave_and_arrive_exact(value: Any) -> None:
    assert json.loads(encoded(value), parse_float=Decimal) == value


def test_amounts_keep_their_decimals() -> None:
    assert encoded({"debit": Decimal("100.10"), "n": 1}) == '{"debit":100.10,"n":1}'
    assert encoded(Decimal("1E+3")) == "1000"
