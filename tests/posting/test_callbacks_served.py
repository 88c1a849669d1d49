"""The receiver as a process of its own: TLS, a certificate of the caller, nothing secret said."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from tests.connectors.certificates import certificate
from tests.posting.test_callbacks import LOGIN, message
from tieout.cli import main
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import Callback

PASSWORD = f"{LOGIN[0]}:{LOGIN[1]}"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def served(ledger: Ledger, log: Path, *options: str) -> Iterator[int]:
    """``tieout serve-callbacks sap`` on a port of its own."""
    port = free_port()
    environment = os.environ | {
        "TIEOUT_DATABASE": ledger.address,
        "TIEOUT_CALLBACKS_SAP": f"basic://{PASSWORD}@",
    }
    command = [sys.executable, "-m", "tieout.cli", "serve-callbacks", "sap", "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen([*command, *options], env=environment, stdout=out, stderr=out)
        try:
            until = time.monotonic() + 30
            while time.monotonic() < until and process.poll() is None:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield port
        finally:
            process.terminate()
            process.wait(20)


def kept(ledger: Ledger) -> int:
    with ledger.session() as session:
        return session.scalars(select(func.count()).select_from(Callback)).one()


def test_it_wants_a_certificate_and_a_password(ledger: Ledger, tmp_path: Path) -> None:
    ours, theirs = certificate(tmp_path, "tieout"), certificate(tmp_path, "sap")
    files = ["--certificate", str(ours[0]), "--key", str(ours[1]), "--clients", str(theirs[0])]
    trusting = ssl.create_default_context(cafile=str(ours[0]))
    known = ssl.create_default_context(cafile=str(ours[0]))
    known.load_cert_chain(*theirs)
    with served(ledger, tmp_path / "log", *files) as port:
        address = f"https://127.0.0.1:{port}/callbacks/sap"
        body = message("ABCDEFGHIJKLMNOP", number="SERVED")
        with httpx.Client(verify=trusting) as stranger, pytest.raises(httpx.HTTPError):
            stranger.post(address, content=body, auth=LOGIN)
        with pytest.raises(httpx.HTTPError):
            httpx.post(address.replace("https", "http"), content=body, auth=LOGIN)
        with httpx.Client(verify=known) as caller:
            assert caller.post(address, content=body, auth=(LOGIN[0], "no")).status_code == 401
            assert kept(ledger) == 0
            answer = caller.post(address, content=body, auth=LOGIN)
        assert (answer.status_code, answer.content) == (202, b"")
        assert "server" not in answer.headers
    assert kept(ledger) == 1
    said = (tmp_path / "log").read_text()
    assert LOGIN[1] not in said and "callbacks of sap at 127.0.0.1" in said


@pytest.mark.parametrize(
    ("options", "environment", "code"),
    [
        (["--host", "0.0.0.0"], f"basic://{PASSWORD}@", "ENDPOINT_INSECURE"),
        (["--clients", "ca.pem"], f"basic://{PASSWORD}@", "ENDPOINT_INSECURE"),
        (["--certificate", "no.pem"], f"basic://{PASSWORD}@", "CERTIFICATE_MISSING"),
        ([], "", "ENDPOINT_MISSING"),
        ([], "basic://name@", "CALLBACK_SECRET"),
    ],
)
def test_what_would_not_be_safe_is_not_served(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    environment: str,
    code: str,
) -> None:
    monkeypatch.setenv("TIEOUT_CALLBACKS_SAP", environment)
    assert main(["serve-callbacks", "sap", *options]) == 2
    said = capsys.readouterr()
    assert code in said.err and LOGIN[1] not in said.err + said.out
