"""Broken connections, silence and refusals at the door: every outcome, and what is really there."""

from __future__ import annotations

import threading
from zlib import crc32

import pytest

from sandbox.tryton import service
from tests.connectors.books import draft, fee, found, outcome
from tests.connectors.proxy import Proxy, answer_bytes
from tests.services import Tryton
from tieout.connectors.tryton import TrytonConnector
from tieout.errors import ConnectorError


@pytest.mark.parametrize(
    ("fault", "code", "drafts"),
    [
        ("cut", "CONNECTION_LOST", 0),
        ("swallow", "CONNECTION_LOST", 1),
        ("trickle", "TIMEOUT", 0),
        (answer_bytes(503, "busy"), "HTTP_503", 0),
        (answer_bytes(302, "", "Location: http://127.0.0.1:1/"), "HTTP_302", 0),
        (answer_bytes(401), "HTTP_401", 0),
        (answer_bytes(200, "<html>"), "UNPARSABLE", 0),
        (answer_bytes(200, '{"id": 1, "result": []}'), "UNPARSABLE", 0),
    ],
)
def test_a_spoiled_create_is_unknown(
    spoiled: TrytonConnector, proxy: Proxy, fault: str | bytes, code: str, drafts: int
) -> None:
    reference = f"SPOILT{crc32(repr((fault, code)).encode()):010d}"
    proxy.match, proxy.fault = b"account.move.create", fault
    assert outcome(spoiled.create(fee(reference))) == ("UNKNOWN", code)
    proxy.match = b"\0"
    assert len(found(spoiled, reference)) == drafts
    assert outcome(spoiled.create(fee(reference)))[0] == "OK"  # a lost session is renewed


@pytest.mark.parametrize(("fault", "state"), [("cut", "draft"), ("swallow", "posted")])
def test_a_spoiled_post_is_unknown(
    spoiled: TrytonConnector, proxy: Proxy, fault: str, state: str
) -> None:
    doc_id = draft(spoiled, fee(f"POST{fault.upper():0>12}"))
    proxy.match, proxy.fault = b"account.move.post", fault
    assert outcome(spoiled.post(doc_id)) == ("UNKNOWN", "CONNECTION_LOST")
    proxy.match = b"\0"
    document = spoiled.read(doc_id)
    assert document is not None and document.state == state
    assert spoiled.post(doc_id).outcome == "OK"


def test_a_post_that_cannot_be_read_back_is_unknown(spoiled: TrytonConnector, proxy: Proxy) -> None:
    """Tryton refused, because it is posted already; that must be seen before it is believed."""
    doc_id = draft(spoiled, fee("UNREAD0000000001"))
    assert outcome(spoiled.post(doc_id)) == ("OK", "POSTED")
    proxy.match, proxy.fault = b"account.move.search_read", "cut"
    assert outcome(spoiled.post(doc_id)) == ("UNKNOWN", "NOT_READ_BACK")
    assert outcome(spoiled.delete_draft(doc_id)) == ("NOT_SENT", "CONNECTION_LOST")


def test_a_login_that_fails_sends_nothing(tryton: Tryton, proxy: Proxy) -> None:
    process = tryton.process
    wrong = TrytonConnector(
        process.url, process.database, "tieout", "wrong", company="NORD", mapping={}
    )
    assert outcome(wrong.create(fee())) == ("NOT_SENT", "LOGIN_REFUSED")
    assert outcome(wrong.post("1")) == ("NOT_SENT", "LOGIN_REFUSED")
    wrong.close()
    proxy.match, proxy.fault = b"common.db.login", answer_bytes(429)
    throttled = tryton.connector(port=proxy.port)
    assert outcome(throttled.create(fee())) == ("THROTTLED", "LOGIN_THROTTLED")
    with pytest.raises(ConnectorError, match="LOGIN_THROTTLED"):
        found(throttled, "ANY")
    throttled.close()


def test_threads_share_one_login(tryton: Tryton, proxy: Proxy) -> None:
    proxy.match, proxy.seen = b"\0", []
    connector = tryton.connector(port=proxy.port)
    threads = [threading.Thread(target=connector.company_rates) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    connector.close()
    assert len([request for request in proxy.seen if b"common.db.login" in request]) == 1


def test_a_stopped_server_got_nothing(tryton_other: Tryton) -> None:
    connector = tryton_other.connector()
    doc_id = draft(connector, fee("STOPPED000000001"))
    assert service.stop(tryton_other.home, tryton_other.process.database)
    assert outcome(connector.create(fee("STOPPED000000002"))) == ("NOT_SENT", "UNREACHABLE")
    assert outcome(connector.post(doc_id)) == ("NOT_SENT", "UNREACHABLE")
    assert outcome(connector.delete_draft(doc_id)) == ("NOT_SENT", "UNREACHABLE")
    for ask in (lambda: found(connector, "X"), lambda: connector.read("1")):
        with pytest.raises(ConnectorError, match="UNREACHABLE"):
            ask()
    process = tryton_other.process
    service.start(tryton_other.home, process.database, process.port)
    assert outcome(connector.post(doc_id)) == ("OK", "POSTED")  # it is there, once, in the end
    assert len(found(connector, "STOPPED000000001")) == 1
    connector.close()


def test_another_program_s_port_is_left_alone(tryton: Tryton) -> None:
    with pytest.raises(ConnectorError, match="PORT_TAKEN"):
        service.start(tryton.home, "nobodys_books", tryton.process.port)
    assert service.start(tryton.home, tryton.process.database, tryton.process.port).pid == (
        tryton.process.pid
    )
