"""The three ways into SAP: a password, a token shared by all threads, a certificate."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from sandbox.simulators.sap import CLIENT, LOGIN
from tests.connectors.books import outcome
from tests.connectors.certificates import certificate
from tests.connectors.rigs.sap import DAY, SapRig, connector_to, mapping, open_rig
from tieout.connectors.sap_login import certificate_transport, check_address, login_of
from tieout.connectors.sap_s4hana import SapConnector
from tieout.errors import ConnectorError, ProfileError


@pytest.fixture
def rig() -> Iterator[SapRig]:
    with open_rig(auth="oauth2") as opened:
        yield opened


def test_a_token_is_fetched_once_for_all_threads(rig: SapRig) -> None:
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(len(rig.connector.open_items("NORD", on=DAY))))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2] * 6
    assert rig.tenant.doors.tokens_made == 1


def test_a_read_with_an_expired_token_fetches_another_and_asks_again(rig: SapRig) -> None:
    rig.connector.open_items("NORD", on=DAY)
    rig.tenant.clock.advance(3_600)
    assert len(rig.connector.open_items("NORD", on=DAY)) == 2
    assert rig.tenant.doors.tokens_made == 2


def test_a_write_with_an_expired_token_is_unknown_and_not_sent_again(rig: SapRig) -> None:
    journal = rig.journal("EXPIRED")
    rig.fault("create", "expired token")
    assert outcome(rig.connector.create(journal)) == ("UNKNOWN", "HTTP_401")
    assert rig.tenant.plan.seen()["create"] == 1
    assert rig.connector.find(journal).documents == ()
    assert outcome(rig.connector.create(journal)) == ("OK", "POSTED")
    assert rig.tenant.doors.tokens_made == 2


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("no effect", ("NOT_SENT", "LOGIN_FAILED")),
        ("error before", ("NOT_SENT", "LOGIN_FAILED")),
        ("maintenance", ("NOT_SENT", "LOGIN_FAILED")),
        ("throttle", ("THROTTLED", "LOGIN_THROTTLED")),
    ],
)
def test_without_a_token_nothing_is_sent(
    rig: SapRig, fault: str, expected: tuple[str, str]
) -> None:
    rig.fault("token", fault)
    assert outcome(rig.connector.create(rig.journal("NOTOKEN"))) == expected
    assert rig.tenant.plan.seen() == {"token": 1}
    assert outcome(rig.connector.create(rig.journal("NOTOKEN"))) == ("OK", "POSTED")


def test_a_client_nobody_knows_sends_nothing_and_tells_no_secret(rig: SapRig) -> None:
    secret = "canary-secret-4711"
    options = {"token_url": f"{rig.address}/sap/bc/sec/oauth2/token", "client_id": CLIENT[0]}
    connector = connector_to(rig.address, login=("U", secret), options=options)
    delivery = connector.create(rig.journal("STRANGER"))
    assert outcome(delivery) == ("NOT_SENT", "LOGIN_REFUSED")
    with pytest.raises(ConnectorError) as caught:
        connector.find(rig.journal("STRANGER"))
    connector.close()
    assert secret not in f"{delivery!r} {caught.value!r} {vars(connector)!r}"


def test_a_wrong_password_is_told_without_it(rig: SapRig) -> None:
    secret = "canary-secret-4711"
    connector = connector_to(rig.address, login=(LOGIN[0], secret))
    delivery = connector.create(rig.journal("STRANGER"))
    with pytest.raises(ConnectorError) as caught:
        connector.open_items("NORD", on=DAY)
    connector.close()
    assert outcome(delivery) == ("NOT_SENT", "LOGIN_REFUSED"), "the masters are asked before"
    assert caught.value.code == "LOGIN_REFUSED"
    assert secret not in f"{delivery!r} {caught.value!r} {vars(connector)!r}"


def test_a_login_refused_at_the_write_proves_nothing() -> None:
    """Masters are known, then the user is locked: whether the write was looked at is unknown."""
    with open_rig() as rig:
        rig.connector.create(rig.journal("FIRST"))
        rig.tenant.doors.enter = lambda authorization: False  # type: ignore[method-assign]
        assert outcome(rig.connector.create(rig.journal("SECOND"))) == ("UNKNOWN", "HTTP_401")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"access_token":"t","expires_in":"soon"}', b"<html>"]
)
def test_a_token_that_is_none_sends_nothing(body: bytes) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, content=body)

    connector = SapConnector(
        "https://sap.test",
        *CLIENT,
        company="NORD",
        mapping=mapping(),
        options={"token_url": "https://login.test/token"},
        transport=httpx.MockTransport(answer),
    )
    with pytest.raises(ConnectorError) as caught:
        connector.open_items("NORD", on=DAY)
    assert caught.value.code == "TOKEN_UNPARSABLE"
    assert asked == ["/token"]


@pytest.mark.parametrize(
    ("address", "options", "code"),
    [
        ("http://my1-api.s4hana.cloud.sap", {}, "ADDRESS_NOT_TLS"),
        ("https://sap.test", {"token_url": "http://login.test"}, "ADDRESS_NOT_TLS"),
        ("https://sap.test", {"auth": "oauth2"}, "OPTION_MISSING"),
        ("https://sap.test", {"auth": "x509"}, "OPTION_MISSING"),
        ("https://sap.test", {"auth": "spell"}, "OPTION_UNKNOWN"),
        ("https://sap.test", {"tenant": "x"}, "OPTION_UNKNOWN"),
        ("https://sap.test", {"certificate": "/nowhere.pem"}, "CERTIFICATE_UNUSABLE"),
    ],
)
def test_a_connection_that_cannot_be_safe_is_refused(
    address: str, options: dict[str, str], code: str
) -> None:
    with pytest.raises(ProfileError) as caught:
        SapConnector(address, "U", "P", company="NORD", mapping=mapping(), options=options)
    assert caught.value.code == code


def test_this_machine_may_be_spoken_to_in_the_clear() -> None:
    for address in ("http://127.0.0.1:8031", "http://localhost", "https://sap.test"):
        check_address(address)
    assert login_of("U", "P", {"auth": "basic"}) is not None


# -- a certificate: a real server that asks for it --------------------------------------------


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers every look with nothing, and keeps who asked."""

    callers: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        connection: Any = self.connection
        subject = dict(part[0] for part in connection.getpeercert()["subject"])
        self.callers.append((subject["commonName"], self.headers.get("Authorization", "")))
        body = b'{"d":{"results":[]}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


@contextmanager
def asking_for_a_certificate(server: tuple[Path, Path], client: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server)
    context.load_verify_locations(client)
    context.verify_mode = ssl.CERT_REQUIRED
    running = http.server.HTTPServer(("127.0.0.1", 0), _Handler)
    running.socket = context.wrap_socket(running.socket, server_side=True)
    thread = threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{running.server_port}"
    finally:
        running.shutdown()
        thread.join(10)
        running.server_close()


def test_a_certificate_is_shown_and_the_server_s_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, client = certificate(tmp_path, "server"), certificate(tmp_path, "tieout")
    options = {"certificate": str(client[0]), "private_key": str(client[1])}
    with asking_for_a_certificate(server, client[0]) as address:
        stranger = connector_to(address, options=options)
        with pytest.raises(ConnectorError) as caught:
            stranger.open_items("NORD", on=DAY)
        stranger.close()
        assert caught.value.code == "UNREACHABLE", "a server nobody vouches for is not spoken to"
        monkeypatch.setenv("SSL_CERT_FILE", str(server[0]))
        known = connector_to(address, login=("", ""), options=options)
        assert known.open_items("NORD", on=DAY) == []
        known.close()
    assert _Handler.callers[-1] == ("tieout", "")


def test_a_key_that_does_not_belong_is_named(tmp_path: Path) -> None:
    one, other = certificate(tmp_path, "one"), certificate(tmp_path, "other")
    with pytest.raises(ProfileError, match=r"one\.pem with the key .*other\.key"):
        certificate_transport({"certificate": str(one[0]), "private_key": str(other[1])})
