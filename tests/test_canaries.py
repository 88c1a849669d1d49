"""No secret of any connection is seen anywhere, whatever fails and whatever the other side says."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import text

from tests import canaries
from tests.canaries import ANSWERS
from tests.gnupg import Gnupg, needs_gpg
from tests.parsers.reading import SAMPLES
from tests.posting.books import approved, open_books
from tests.servers import Server
from tests.stages.small import DAY, Small
from tieout.cli import main
from tieout.connectors.ports import Journal
from tieout.errors import ConnectorError
from tieout.ledger import Ledger
from tieout.posting.gate import Gate
from tieout.posting.maintenance import Rule, Window
from tieout.posting.traffic import Terms
from tieout.redaction import forget
from tieout.wiring import Endpoint, open_connector

#: With signs that every encoding writes differently.
SECRETS = {
    "password": "Kanarie/ä+Pass=wort&1?",
    "client secret": "kanarie~Client%Secret/2 :x",
    "token": "Kanarie.token_3-abcdefghijkl",
    "passphrase": 'Kanarie\'s "open" sesame 4',
    "mail password": "kanarie+mail/5==",
}


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    """Secrets of one test are not known in the next."""
    yield
    forget()


class Watched:
    """Everything somebody could read after a run."""

    def __init__(
        self,
        ledger: Ledger,
        home: Path,
        capsys: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        self.ledger, self.home, self._capsys, self._caplog = ledger, home, capsys, caplog
        self.said: dict[str, str] = {}
        self.codes: list[int | str] = []

    def run(self, *arguments: str) -> None:
        """Run a command; whatever it says or raises is kept."""
        name = f"{len(self.codes)} {' '.join(arguments)}"
        try:
            self.codes.append(main(arguments))
        except Exception as error:  # what escapes is read by somebody too
            self.codes.append(type(error).__name__)
            self.said[f"{name} raised"] = "".join(traceback.format_exception(error))
        out, err = self._capsys.readouterr()
        self.said |= {f"{name} out": out, f"{name} err": err}

    def texts(self) -> dict[str, str]:
        logged = "\n".join(
            f"{record.name} {record.getMessage()} {record.exc_text or ''} {record.args!r}"
            for record in self._caplog.records
        )
        return self.said | {"logs": logged} | canaries.dump(self.ledger) | canaries.files(self.home)


@pytest.fixture
def watched(
    fresh_ledger: Ledger,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Watched:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("TIEOUT_DATABASE", fresh_ledger.address)
    monkeypatch.setenv("TIEOUT_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return Watched(fresh_ledger, tmp_path / "home", capsys, caplog)


@pytest.fixture(scope="module")
def key() -> tuple[bytes, bytes]:
    """A private key in PEM: open, and locked by the passphrase."""
    made = rsa.generate_private_key(65537, 2048)
    locks = (
        serialization.NoEncryption(),
        serialization.BestAvailableEncryption(SECRETS["passphrase"].encode()),
    )
    pems = [
        made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
        for lock in locks
    ]
    return pems[0], pems[1]


def secrets_with(*pems: bytes) -> dict[str, str]:
    """The canaries, and a line from the middle of each key."""
    return SECRETS | {
        f"private key {number}": pem.decode().splitlines()[5] for number, pem in enumerate(pems)
    }


Extras = Callable[[str, Path, Path], dict[str, str]]

#: ERP and way to log in → (login, password, extras for the echo's address and the key files).
LOGINS: dict[str, tuple[str, str, Extras]] = {
    "tryton": ("tieout", SECRETS["password"], lambda url, plain, locked: {}),
    "sap basic": ("TIEOUT", SECRETS["password"], lambda url, plain, locked: {}),
    "sap oauth2": (
        "client",
        SECRETS["client secret"],
        lambda url, plain, locked: {"token_url": f"{url}/token"},
    ),
    "oracle basic": ("tieout", SECRETS["password"], lambda url, plain, locked: {}),
    "oracle client": (
        "client",
        SECRETS["client secret"],
        lambda url, plain, locked: {"auth": "client", "token_url": f"{url}/token"},
    ),
    "oracle user": (
        "client",
        SECRETS["client secret"],
        lambda url, plain, locked: {
            "auth": "user",
            "token_url": f"{url}/token",
            "private_key": str(plain),
        },
    ),
    "dynamics365": (
        "app",
        SECRETS["client secret"],
        lambda url, plain, locked: {"token_url": f"{url}/token"},
    ),
    "netsuite m2m": (
        "client",
        SECRETS["passphrase"],
        lambda url, plain, locked: {
            "certificate_id": "c1",
            "private_key": str(locked),
            "token_url": f"{url}/token",
        },
    ),
    "netsuite tba": (
        "consumer",
        SECRETS["client secret"],
        lambda url, plain, locked: {
            "auth": "tba",
            "account": "1234567",
            "token_id": "t1",
            "token_secret": SECRETS["token"],
        },
    ),
}


def address(scheme: str, login: str, password: str, place: str, extra: dict[str, str]) -> str:
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in extra.items())
    who = f"{quote(login, safe='')}:{quote(password, safe='')}"
    return f"{scheme}://{who}@{place}" + (f"?{query}" if query else "")


@pytest.mark.parametrize("way", sorted(LOGINS))
def test_an_erp_that_repeats_what_it_was_sent(
    way: str,
    watched: Watched,
    key: tuple[bytes, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Reads, postings, dry runs and checks through every kind of refusal."""
    erp = way.split()[0]
    open_books(watched.ledger, erp, company="NORD", journal="bank", gl_account="1810")
    approved(watched.ledger, erp, 1, company="NORD", journal="bank", accounts=("6855", "1810"))
    files = [tmp_path / "plain.pem", tmp_path / "locked.pem"]
    for file, pem in zip(files, key, strict=True):
        file.write_bytes(pem)
    login, password, extras = LOGINS[way]
    with canaries.echoing() as echo:
        place = f"127.0.0.1:{echo.server_port}"
        extra = extras(f"http://{place}", *files)
        path = "/erp" if erp == "tryton" else ""
        monkeypatch.setenv(
            f"TIEOUT_ERP_{erp.upper()}", address("http", login, password, place + path, extra)
        )
        for answer in ANSWERS:
            echo.answer = answer
            with watched.ledger.session() as session:
                session.execute(text("UPDATE outbox SET next_at = now(), lease_until = NULL"))
                session.execute(text("DELETE FROM erp_permits"))
                session.execute(text("DELETE FROM erp_traffic"))
            for arguments in (("post",), ("post", "--dry-run"), ("outbox", "check")):
                watched.run(*arguments, "--erp", erp)
            if erp == "tryton":
                watched.run("sync")
        assert echo.seen, watched.said
        repeated = canaries.find(SECRETS, {"the echo": "\n".join(echo.seen)})
        assert bool(repeated) != way.startswith("netsuite"), "who signs, sends no secret"
    watched.run("outbox", "list", "--all", "--json")
    assert watched.codes[0] != 0
    assert canaries.find(secrets_with(*key), watched.texts()) == []


def test_an_erp_that_is_not_there(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No listener; a locked key and the wrong password for it; an address that is none."""
    open_books(watched.ledger, "netsuite", company="NORD")
    approved(watched.ledger, "netsuite", 1, company="NORD")
    broken = tmp_path / "key.pem"
    broken.write_text(f"-----BEGIN PRIVATE KEY-----\n{SECRETS['token']}\n")
    extras = {"certificate_id": "1", "private_key": str(broken)}
    for place in ("127.0.0.1:9", "erp.example.invalid"):
        for scheme in ("https", "http", "ftp"):
            monkeypatch.setenv(
                "TIEOUT_ERP_NETSUITE", address(scheme, "me", SECRETS["password"], place, extras)
            )
            watched.run("post", "--erp", "netsuite")
    monkeypatch.setenv("TIEOUT_ERP_TRYTON", f"http://me:{quote(SECRETS['password'])}@127.0.0.1:9/x")
    for command in (("sync",), ("post",), ("outbox", "check")):
        watched.run(*command)
    assert set(watched.codes) <= {1, 2}
    assert canaries.find(SECRETS, watched.texts()) == []


def test_a_drop_that_is_not_the_one_we_know(
    watched: Watched, sftp_server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A wrong host key, a refused password, a private key that cannot be read, no listener."""
    known = sftp_server.host_key.split()
    wrong = f"{known[0]} {known[1][:-12]}AAAAAAAAAAA="
    broken = tmp_path / "key"
    broken.write_text(f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRETS['token']}\n")
    place = f"{sftp_server.host}:{sftp_server.port}{sftp_server.root}"
    tries = (
        (place, {"host_key": wrong}),
        (place, {"host_key": sftp_server.host_key}),
        (place, {"host_key": sftp_server.host_key, "key_path": str(broken)}),
        (place, {"host_key": ""}),
        ("127.0.0.1:9/x", {"host_key": sftp_server.host_key}),
    )
    for where, extra in tries:
        for name, command in (("BANK", "ingest"), ("EXPENSE", "expenses")):
            monkeypatch.setenv(
                f"TIEOUT_DROP_{name}",
                address("sftp", sftp_server.login, SECRETS["password"], where, extra),
            )
            watched.run(command)
    assert 0 not in watched.codes
    assert canaries.find(SECRETS, watched.texts()) == []


def mail_server(stop: threading.Event, listener: socket.socket, seen: list[str]) -> None:
    """Offers a login and refuses it with the very words it was sent."""
    while not stop.is_set():
        try:
            line, _ = listener.accept()
        except OSError:
            return
        with line, line.makefile("rwb") as stream:
            stream.write(b"220 mail\r\n")
            stream.flush()
            for raw in stream:
                said = raw.strip()
                seen.append(said.decode())
                if said[:4].upper() in (b"EHLO", b"HELO"):
                    stream.write(b"250-mail\r\n250 AUTH PLAIN LOGIN\r\n")
                elif said[:4].upper() == b"QUIT":
                    break
                elif said.upper() == b"AUTH LOGIN":
                    stream.write(b"334 VXNlcm5hbWU6\r\n")
                else:
                    stream.write(b"535 no: " + said + b"\r\n")
                stream.flush()


def test_a_mail_server_that_refuses_us(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report is made, the mail is not taken; both are looked through."""
    small = Small(watched.ledger)
    small.statement(DAY, (700, "somebody"))
    small.sync()
    small.reconcile()
    seen: list[str] = []
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = threading.Thread(target=mail_server, args=(stop, listener, seen))
        server.start()
        extra = {"sender": "tieout@example.com", "recipients": "treasury@example.com"}
        place = f"127.0.0.1:{port}"
        smtp = address("smtp", "me", SECRETS["mail password"], place, extra)
        monkeypatch.setenv("TIEOUT_SMTP", smtp)
        monkeypatch.setenv("TIEOUT_MAIL_FROM", "tieout@example.com")
        watched.run("report", "--day", DAY.isoformat())
        stop.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
    server.join(10)
    assert any(word.upper().startswith("AUTH") for word in seen), watched.said
    assert 0 not in watched.codes
    assert canaries.files(watched.home)
    assert canaries.find(SECRETS, watched.texts()) == []


@needs_gpg
def test_a_passphrase_that_does_not_open_the_key(
    watched: Watched, gnupg: Gnupg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = tmp_path / "statement.pgp"
    sent.write_bytes(gnupg.file((SAMPLES / "batch_v08.xml").read_bytes()))
    monkeypatch.setenv("TIEOUT_PGP_PASSPHRASE", SECRETS["passphrase"])
    watched.run(
        "parse",
        "--json",
        "--pgp-home",
        str(gnupg.locked),
        "--signer",
        gnupg.prints["good"],
        str(sent),
    )
    assert watched.codes == [1]
    assert canaries.find(SECRETS, watched.texts()) == []


def test_a_database_that_cannot_be_reached(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = quote(SECRETS["password"], safe="")
    monkeypatch.setenv("TIEOUT_DATABASE", f"postgresql+psycopg://me:{secret}@127.0.0.1:9/tieout")
    watched.run("outbox", "list")
    assert watched.codes != [0]
    assert canaries.find(SECRETS, watched.texts()) == []


def test_an_endpoint_shows_no_secret_of_its_own() -> None:
    endpoint = Endpoint.parse(
        address("https", "me", SECRETS["password"], "erp", {"token_secret": SECRETS["token"]})
    )
    assert endpoint.password == SECRETS["password"]
    assert canaries.find(SECRETS, {"repr": repr(endpoint), "str": str(endpoint)}) == []


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_the_canaries_would_be_found(name: str) -> None:
    """In a header, an address, a form, a log line and a dump: the search itself is tested."""
    import base64
    import json

    secret = SECRETS[name]
    texts = {
        "header": base64.b64encode(f"user:{secret}".encode()).decode(),
        "bearer": base64.urlsafe_b64encode(f"me:{secret}:x".encode()).decode(),
        "address": f"sftp://me:{quote(secret)}@host",
        "form": f"a=b&secret={quote(secret, safe='')}",
        "json": json.dumps({"password": secret}),
        "repr": repr({"password": secret}),
        "plain": f"login {secret} refused",
    }
    assert {where for found, where in canaries.find(SECRETS, texts) if found == name} == set(texts)


@pytest.mark.parametrize("way", sorted(LOGINS))
def test_every_vendors_requests_pass_the_gate(
    way: str, watched: Watched, key: tuple[bytes, bytes], tmp_path: Path
) -> None:
    """Opened as a stage opens it, with a gate that grants nothing: not one byte leaves."""
    erp = way.split()[0]
    files = [tmp_path / "plain.pem", tmp_path / "locked.pem"]
    for file, pem in zip(files, key, strict=True):
        file.write_bytes(pem)
    login, password, extras = LOGINS[way]
    always = Window("always", Rule(), dt.time(0), dt.timedelta(days=2), ZoneInfo("UTC"))
    shut = Gate(watched.ledger, erp, Terms(maintenance=(always,)), owner="test")
    with canaries.echoing() as echo:
        place = f"127.0.0.1:{echo.server_port}"
        extra = extras(f"http://{place}", *files)
        path = "/erp" if erp == "tryton" else ""
        endpoint = Endpoint.parse(address("http", login, password, place + path, extra))
        connector = open_connector(erp, endpoint, shut)
        with pytest.raises(ConnectorError) as caught:
            connector.find(Journal("AAAAAAAAAAAAAAAA", "NORD", "bank", DAY, "", "EUR", ()))
        connector.close()
        assert echo.seen == []
    assert "maintenance: always" in str(caught.value)
