"""The sandbox's servers as processes: started once, reused, stopped; loopback and keys only."""

from __future__ import annotations

import base64
import smtplib
from email import message_from_bytes
from pathlib import Path

import paramiko
import pytest

from sandbox import processes, sftp, smtp
from tests.servers import Server


def test_sftp_starts_once_and_stops(tmp_path: Path) -> None:
    first = sftp.start(tmp_path)
    try:
        assert first.host == "127.0.0.1" and first.root == tmp_path / "sandbox" / "sftp"
        assert first.key_path.stat().st_mode & 0o777 == 0o600
        assert sftp.start(tmp_path) == first
    finally:
        assert sftp.stop(tmp_path) is True
    assert sftp.stop(tmp_path) is False
    again = sftp.start(tmp_path, tmp_path / "elsewhere")
    try:
        assert again.host_key == first.host_key  # made once
        moved = sftp.start(tmp_path)
        assert moved.root == first.root  # another root is another server
    finally:
        sftp.stop(tmp_path)


def test_smtp_keeps_mails_in_order(tmp_path: Path) -> None:
    sink = smtp.start(tmp_path)
    try:
        for number in (1, 2):
            with smtplib.SMTP(sink.host, sink.port, timeout=10) as client:
                text = f"Subject: mail {number}\r\n\r\nGrüße\r\n".encode()
                client.sendmail("a@nord.example", ["b@nord.example", "c@nord.example"], text)
        assert smtp.start(tmp_path) == sink
    finally:
        assert smtp.stop(tmp_path) is True
    kept = smtp.mails(sink.folder)
    assert [path.name for path in kept] == ["000001.eml", "000002.eml"]
    mail = message_from_bytes(kept[1].read_bytes())
    assert mail["Subject"] == "mail 2" and mail["X-Mail-From"] == "a@nord.example"
    assert mail.get_all("X-Rcpt-To") == ["b@nord.example", "c@nord.example"]
    assert mail.get_payload(decode=True) == "Grüße\r\n".encode()


def test_smtp_sink_fixture(smtp_sink: smtp.SmtpEndpoint) -> None:
    with smtplib.SMTP(smtp_sink.host, smtp_sink.port, timeout=10) as client:
        client.sendmail("a@nord.example", ["b@nord.example"], b"Subject: x\r\n\r\n")
    assert len(smtp.mails(smtp_sink.folder)) == 1


def test_a_server_that_cannot_start_says_why(tmp_path: Path, sftp_server: Server) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)did not start.*in use"):
        sftp.start(tmp_path, port=sftp_server.port)
    assert processes.running(tmp_path, "sftp") is None


def test_sftp_clients_cannot_leave_the_root(sftp_server: Server) -> None:
    kind, text = sftp_server.host_key.split()
    host_key = paramiko.PKey.from_type_string(kind, base64.b64decode(text))
    with paramiko.Transport((sftp_server.host, sftp_server.port)) as transport:
        key = paramiko.PKey.from_path(sftp_server.key_path)
        transport.connect(hostkey=host_key, username=sftp_server.login, pkey=key)
        client = paramiko.SFTPClient.from_transport(transport)
        assert client is not None
        client.symlink("/etc", f"{sftp_server.root}/out")
        for path in ("/../../etc/passwd", f"{sftp_server.root}/out/passwd", "/etc/passwd"):
            with pytest.raises(FileNotFoundError):
                client.open(path)
