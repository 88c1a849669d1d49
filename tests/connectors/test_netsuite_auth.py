"""NetSuite: both ways to log in, one token for all threads, and no secret in any word."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.connectors.rigs.netsuite import NetSuiteRig, mapping, open_rig
from tieout.connectors.netsuite import NetSuiteConnector
from tieout.errors import ConnectorError, TieoutError

REF = "A" * 16
HOST = "https://tstdrv1234-sb1.suitetalk.api.netsuite.com"


@pytest.fixture
def rig() -> Iterator[NetSuiteRig]:
    with open_rig() as opened:
        yield opened


class Redirected(httpx.BaseTransport):
    """The account's own host name, answered by the simulator on this machine."""

    def __init__(self, address: str) -> None:
        self._inner = httpx.HTTPTransport()
        self._to = httpx.URL(address)
        self.seen: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        request.extensions.pop("trace", None)
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._to.port)
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


@pytest.mark.parametrize("auth", ["m2m", "tba"])
def test_both_ways_create_and_read(rig: NetSuiteRig, auth: str) -> None:
    connector = rig.connect(auth=auth)
    assert connector.create(rig.journal(REF)).outcome == "OK"
    assert len(connector.find(rig.journal(REF)).documents) == 1
    assert rig.simulator.door.issued == (1 if auth == "m2m" else 0)


def test_the_account_s_own_host_is_spoken_to(rig: NetSuiteRig) -> None:
    own = rig.simulator.credentials
    token = "/services/rest/auth/oauth2/v1/token"
    transport = Redirected(rig.address)
    connector = NetSuiteConnector(
        HOST,
        own.client_id,
        "",
        company="NORD",
        mapping=mapping(),
        options={
            "certificate_id": own.certificate_id,
            "private_key": str(rig.key_file),
            # The simulator speaks plain HTTP behind the name, and knows its address as such.
            "token_url": f"http://127.0.0.1:{rig.address.rsplit(':', 1)[1]}{token}",
        },
        transport=transport,
    )
    rig.made.append(connector)
    assert connector.create(rig.journal(REF)).outcome == "OK"
    hosts = {request.headers["host"] for request in transport.seen if "record" in request.url.path}
    assert hosts == {"tstdrv1234-sb1.suitetalk.api.netsuite.com"}


def test_threads_share_one_token(rig: NetSuiteRig) -> None:
    start, outcomes = threading.Barrier(4), []

    def create(letter: str) -> None:
        start.wait(10)
        outcomes.append(rig.connector.create(rig.journal(letter * 16)).outcome)

    threads = [threading.Thread(target=create, args=(letter,)) for letter in "ABCD"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["OK"] * 4
    assert rig.simulator.plan.seen()["token"] == 1


def test_a_read_renews_the_token_once_and_a_write_never(rig: NetSuiteRig) -> None:
    delivery = rig.connector.create(rig.journal(REF))
    assert delivery.doc_id is not None
    rig.fault("read", "expired token")
    assert rig.connector.read(delivery.doc_id) is not None
    assert rig.simulator.door.issued == 2
    rig.fault("read", "expired token", "expired token")
    with pytest.raises(ConnectorError, match="INVALID_LOGIN"):
        rig.connector.read(delivery.doc_id)
    rig.fault("create", "expired token")
    before = rig.simulator.plan.seen()["create"]
    assert rig.connector.create(rig.journal("B" * 16)).code == "INVALID_LOGIN"
    assert rig.simulator.plan.seen()["create"] == before + 1
    assert rig.connector.create(rig.journal("B" * 16)).outcome == "OK"


def test_a_token_near_its_end_is_renewed_before_it_is_used(
    rig: NetSuiteRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.connector.create(rig.journal(REF))
    now = [0.0]
    monkeypatch.setattr("tieout.connectors.netsuite_auth.time.monotonic", lambda: now[0])
    fresh = rig.connect()
    fresh.find(rig.journal(REF))
    assert rig.simulator.door.issued == 2
    now[0] = 3_539
    fresh.find(rig.journal(REF))
    assert rig.simulator.door.issued == 2
    now[0] = 3_540
    fresh.find(rig.journal(REF))
    assert rig.simulator.door.issued == 3


@pytest.mark.parametrize(
    ("fault", "outcome", "code"),
    [
        ("throttle", "THROTTLED", "LOGIN_THROTTLED"),
        ("maintenance", "NOT_SENT", "LOGIN_FAILED"),
        ("error before", "NOT_SENT", "LOGIN_FAILED"),
        ("lost reply", "NOT_SENT", "LOGIN_FAILED"),
    ],
)
def test_without_a_token_nothing_is_sent(
    rig: NetSuiteRig, fault: str, outcome: str, code: str
) -> None:
    rig.fault("token", fault)
    delivery = rig.connector.create(rig.journal(REF))
    assert (delivery.outcome, delivery.code) == (outcome, code)
    assert set(rig.simulator.plan.seen()) == {"token"}
    assert rig.connector.create(rig.journal(REF)).outcome == "OK"


def test_a_stranger_is_refused_before_anything_is_sent(rig: NetSuiteRig) -> None:
    own = rig.simulator.credentials
    options = {"certificate_id": "another", "private_key": str(rig.key_file)}
    connector = NetSuiteConnector(
        rig.address, own.client_id, "", company="NORD", mapping=mapping(), options=options
    )
    rig.made.append(connector)
    delivery = connector.create(rig.journal(REF))
    assert (delivery.outcome, delivery.code) == ("NOT_SENT", "LOGIN_REFUSED")
    assert set(rig.simulator.plan.seen()) == {"token"}


def test_nobody_listens(rig: NetSuiteRig) -> None:
    with socket.socket() as bound:  # bound but not listening: refused
        bound.bind(("127.0.0.1", 0))
        rig.address = f"http://127.0.0.1:{bound.getsockname()[1]}"
        delivery = rig.connect().create(rig.journal(REF))
    assert (delivery.outcome, delivery.code) == ("NOT_SENT", "UNREACHABLE")


SPOILT = {
    "LOGIN_INCOMPLETE": [
        {"private_key": "KEY"},
        {"certificate_id": "c"},
        {"certificate_id": "c", "private_key": "KEY", "algorithm": "RS256"},
        {"auth": "basic"},
        {"auth": "tba", "account": "A"},
    ],
    "PRIVATE_KEY_UNREADABLE": [
        {"certificate_id": "c", "private_key": "no-such-file.pem"},
        {"certificate_id": "c", "private_key": "KEY", "algorithm": "ES256"},
    ],
    "ADDRESS_INSECURE": [
        {"certificate_id": "c", "private_key": "KEY", "token_url": "http://example.com/token"},
    ],
    "PROFILE_KEY": [{"certificate": "c"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "options"), [(code, each) for code, cases in SPOILT.items() for each in cases]
)
def test_a_spoilt_login_is_told_at_once(
    rig: NetSuiteRig, code: str, options: dict[str, str]
) -> None:
    named = {k: str(rig.key_file) if v == "KEY" else v for k, v in options.items()}
    with pytest.raises(TieoutError) as caught:
        NetSuiteConnector(HOST, "x", "y", company="NORD", mapping=mapping(), options=named)
    assert caught.value.code == code


def test_a_login_in_the_clear_is_refused(rig: NetSuiteRig) -> None:
    options = {"certificate_id": "c", "private_key": str(rig.key_file)}
    with pytest.raises(ConnectorError, match="ADDRESS_INSECURE"):
        NetSuiteConnector(
            "http://example.com", "x", "", company="NORD", mapping=mapping(), options=options
        )


def test_a_locked_key_is_opened_with_the_password(rig: NetSuiteRig, tmp_path: Path) -> None:
    key = serialization.load_pem_private_key(rig.simulator.credentials.private_key.encode(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"CANARY-password"),
    )
    path = tmp_path / "locked.pem"
    path.write_bytes(locked)
    own = rig.simulator.credentials
    options = {"certificate_id": own.certificate_id, "private_key": str(path)}

    def connect(password: str) -> NetSuiteConnector:
        made = NetSuiteConnector(
            rig.address, own.client_id, password, company="NORD", mapping=mapping(), options=options
        )
        rig.made.append(made)
        return made

    assert connect("CANARY-password").create(rig.journal(REF)).outcome == "OK"
    with pytest.raises(ConnectorError) as caught:
        connect("CANARY-wrong")
    assert "CANARY" not in repr(caught.value) and caught.value.__cause__ is None


def test_elliptic_keys_sign_their_own_algorithm(rig: NetSuiteRig, tmp_path: Path) -> None:
    path = tmp_path / "ec.pem"
    path.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    options = {"certificate_id": "c", "private_key": str(path), "algorithm": "ES256"}
    connector = NetSuiteConnector(
        rig.address, "x", "", company="NORD", mapping=mapping(), options=options
    )
    rig.made.append(connector)
    assert connector.create(rig.journal(REF)).code == "LOGIN_REFUSED", "it is not the account's key"


def test_a_token_netsuite_repeats_is_in_no_word(rig: NetSuiteRig) -> None:
    def repeat(request: httpx.Request) -> httpx.Response:
        if "token" in request.url.path:
            return httpx.Response(200, json={"access_token": "CANARY-token", "expires_in": 3600})
        told = f"you sent {request.headers['authorization']}"
        detail = {"detail": told, "o:errorCode": "USER_ERROR", "o:errorPath": told}
        return httpx.Response(400, json={"o:errorDetails": [detail]})

    connector = rig.connect()
    connector.wire.close()
    connector.wire._transport = httpx.MockTransport(repeat)
    delivery = connector.delete_draft("journalEntry/1")
    assert (delivery.outcome, delivery.code) == ("NOT_SENT", "USER_ERROR")
    with pytest.raises(ConnectorError) as caught:
        connector.gl_accounts("NORD")
    words = repr(delivery) + repr(caught.value) + str(caught.value)
    assert "you sent Bearer ***" in words
    assert "CANARY" not in words


def test_no_secret_is_in_any_word(rig: NetSuiteRig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    own = rig.simulator.credentials
    secrets = [own.consumer_secret, own.token_secret, own.private_key.splitlines()[1]]
    for auth in ("m2m", "tba"):
        connector = rig.connect(auth=auth)
        words = [repr(connector), repr(vars(connector)), repr(vars(connector._session._login))]  # type: ignore[attr-defined]
        rig.fault("create", "error before", "expired token", "lost reply")
        words += [str(connector.create(rig.journal(REF))) for _ in range(3)]
        rig.fault("read", "maintenance", "no effect")
        for _ in range(2):
            with pytest.raises(ConnectorError) as caught:
                connector.read("journalEntry/1")
            words.append(repr(caught.value))
        text = json.dumps(words) + caplog.text
        assert [secret for secret in secrets if secret in text] == []
        token = getattr(connector._session._login, "_header", "none")
        assert token not in json.dumps(words[3:]) + caplog.text or token == ""
