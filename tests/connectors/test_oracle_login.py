"""How tieout makes itself known to Oracle: three ways, one token for all threads, no secret told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.simulators.oracle_world import CONSTANTS
from tests.connectors.rigs.oracle import OracleRig, open_rig, profile
from tieout.connectors.oracle_fusion import OracleFusionConnector
from tieout.errors import ConnectorError, TieoutError

REFERENCE = "ABCDEFGHIJKLMNOP"
SECRET = "client-secret"


@pytest.fixture
def rig() -> Iterator[OracleRig]:
    with open_rig() as found:
        found.tenant.tokens.basic = False
        yield found


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def key_file(tmp_path: Path, key: rsa.RSAPrivateKey, rig: OracleRig) -> Path:
    """A private key whose public half the tenant knows."""
    path = tmp_path / "key.pem"
    none = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    path.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, none))
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    rig.tenant.tokens.public_key = public.decode()
    return path


def connector(rig: OracleRig, secret: str = SECRET, **options: str) -> OracleFusionConnector:
    """As the OAuth2 client of the tenant."""
    return OracleFusionConnector(
        rig.url,
        "tieout-client",
        secret,
        company="NORD",
        mapping=profile(),
        options={"auth": "client", "token_url": f"{rig.url}/oauth2/v1/token"} | options,
    )


def test_a_client_gets_a_token_once_and_keeps_it(rig: OracleRig) -> None:
    books = connector(rig)
    journal = rig.journal(REFERENCE)
    assert books.create(journal).outcome == "PENDING"
    rig.let_work()
    assert len(books.find(journal).documents) == 1
    assert rig.tenant.tokens.asked == 1
    books.close()


def test_a_client_asserts_its_user(rig: OracleRig, key_file: Path) -> None:
    extras = {"private_key": str(key_file), "user": CONSTANTS["login"], "certificate_alias": "a"}
    books = connector(rig, auth="user", **extras)
    assert books.create(rig.journal(REFERENCE)).outcome == "PENDING"
    assert rig.tenant.tokens.asked == 1
    books.close()


def test_an_assertion_of_another_key_is_refused(rig: OracleRig, key_file: Path) -> None:
    rig.tenant.tokens.public_key = ""
    extras = {"private_key": str(key_file), "user": CONSTANTS["login"]}
    books = connector(rig, auth="user", **extras)
    delivery = books.create(rig.journal(REFERENCE))
    assert (delivery.outcome, delivery.code) == ("NOT_SENT", "LOGIN_REFUSED")
    assert "invalid_grant" in delivery.message
    books.close()


def test_many_threads_make_one_login(rig: OracleRig) -> None:
    books = connector(rig)
    together = threading.Barrier(8)

    def look(number: int) -> int:
        together.wait(10)
        return len(books.find(rig.journal(f"A{number}AAAAAAAAAAAAAA")).documents)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(look, range(8))) == [0] * 8
    assert rig.tenant.tokens.asked == 1
    books.close()


def test_a_read_gets_a_new_token_once_when_its_own_has_ended(rig: OracleRig) -> None:
    books = connector(rig)
    assert books.read("journal/1") is None
    rig.tenant.clock.advance(7200)
    assert books.read("journal/1") is None
    assert rig.tenant.tokens.asked == 2
    books.close()


def test_a_write_whose_token_was_turned_away_is_not_repeated(rig: OracleRig) -> None:
    books = connector(rig)
    journal = rig.journal(REFERENCE)
    books.find(journal)
    rig.fault("create", "expired token")
    delivery = books.create(journal)
    assert (delivery.outcome, delivery.code) == ("UNKNOWN", "HTTP_401")
    assert rig.tenant.plan.seen()["create"] == 1
    assert books.create(journal).outcome == "PENDING"
    assert rig.tenant.tokens.asked == 2
    books.close()


def test_a_token_shorter_than_our_margin_is_used_once_and_not_kept(rig: OracleRig) -> None:
    rig.tenant.tokens.lifetime = 30
    books = connector(rig)
    assert books.read("journal/1") is None
    assert books.read("journal/1") is None
    assert rig.tenant.tokens.asked == 2
    books.close()


FAULTS = (
    ("no effect", "LOGIN_FAILED", "NOT_SENT"),
    ("throttle", "LOGIN_THROTTLED", "THROTTLED"),
    ("maintenance", "LOGIN_FAILED", "NOT_SENT"),
    ("error before", "LOGIN_FAILED", "NOT_SENT"),
)


@pytest.mark.parametrize(("fault", "code", "told"), FAULTS)
def test_without_a_token_nothing_is_sent(rig: OracleRig, fault: str, code: str, told: str) -> None:
    books = connector(rig)
    journal = rig.journal(REFERENCE)
    rig.fault("token", fault, fault)
    delivery = books.create(journal)
    assert (delivery.outcome, delivery.code) == (told, code)
    with pytest.raises(ConnectorError) as error:
        books.find(journal)
    assert error.value.code == code
    assert books.find(journal).documents == ()
    books.close()


def test_no_secret_is_told(rig: OracleRig, tmp_path: Path) -> None:
    """Not in a message, not in a repr, whatever goes wrong."""
    canary = "CANARY-d41d8cd98f"
    broken = tmp_path / "key.pem"
    broken.write_text(canary)
    said = []
    for options in (
        {"auth": "client"},
        {"auth": "user", "private_key": str(broken)},
        {"auth": "user", "private_key": str(tmp_path / "absent.pem")},
        {"auth": "basic"},
    ):
        books = connector(rig, canary, **options)
        delivery = books.create(rig.journal(REFERENCE))
        assert delivery.outcome == "NOT_SENT"
        said += [repr(delivery), repr(books), repr(vars(books))]
        with pytest.raises(TieoutError) as error:
            books.gl_accounts("NORD")
        said += [str(error.value), repr(error.value)]
        books.close()
    assert canary not in "\n".join(said)


WRONG = (
    ({"auth": "kerberos"}, "one of basic, client, user"),
    ({"auth": "user"}, "set private_key"),
    ({"token_url": ""}, "set token_url"),
    ({"tokenurl": "x"}, "did you mean 'token_url'?"),
)


@pytest.mark.parametrize(("options", "words"), WRONG)
def test_wrong_extras_are_refused(rig: OracleRig, options: dict[str, str], words: str) -> None:
    with pytest.raises(TieoutError) as error:
        connector(rig, **options)
    assert words in str(error.value)
