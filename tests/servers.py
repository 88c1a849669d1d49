"""Fixtures that start the servers tests need: SFTP (asyncssh, and OpenSSH where it is), SMTP."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from sandbox import sftp, smtp

_SSHD = "/usr/sbin/sshd"


@dataclass(frozen=True)
class Server:
    """An SFTP server under test: how to log in, and where its files really are."""

    host: str
    port: int
    login: str
    key_path: Path
    host_key: str
    root: str
    folder: Path

    def options(self, **changes: Any) -> dict[str, Any]:
        """Arguments for `SftpDrop`."""
        names = ("host", "port", "login", "key_path", "host_key", "root")
        return {name: getattr(self, name) for name in names} | {"timeout": 10.0} | changes


@pytest.fixture(scope="session")
def sftp_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sftp.SftpEndpoint]:
    """The sandbox's SFTP server as a process, one for all tests of a worker."""
    home = tmp_path_factory.mktemp("sftp")
    yield sftp.start(home)
    sftp.stop(home)


@pytest.fixture
def sftp_server(sftp_process: sftp.SftpEndpoint) -> Server:
    """A folder of its own on that server, for one test."""
    name = uuid.uuid4().hex
    folder = sftp_process.root / name
    folder.mkdir()
    found = sftp_process
    return Server(
        found.host, found.port, found.login, found.key_path, found.host_key, f"/{name}", folder
    )


@pytest.fixture(params=["root", "own user"])
def openssh_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A real OpenSSH server: chrooted as root, or as an ordinary user for that user only."""
    if not Path(_SSHD).exists():
        pytest.skip(f"no OpenSSH server at {_SSHD}")
    as_root = os.geteuid() == 0
    if request.param == "root" and not as_root:
        pytest.skip("a chroot needs root")
    account = pwd.getpwuid(os.geteuid())
    prefix: list[str] = []
    if request.param == "own user" and as_root:
        # Run it as somebody else, so that root's own tests see the ordinary user's server too.
        account = pwd.getpwnam("daemon")  # systemd calls "nobody" a locked account
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("no setpriv to become an ordinary user with")
        prefix = [setpriv, f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}"]
        prefix.append("--clear-groups")
    # Not below pytest's folder: a chroot's parents must be root's, and writable for nobody else.
    base = Path(tempfile.mkdtemp(prefix="tieout-sshd-", dir="/run" if as_root else None))
    try:
        yield from _openssh(base, account, prefix, chroot=request.param == "root")
    finally:
        shutil.rmtree(base)


def _openssh(
    base: Path, account: pwd.struct_passwd, prefix: list[str], *, chroot: bool
) -> Iterator[Server]:
    if chroot and not _owned_by_root(base):
        pytest.skip(f"{base} has a parent that is not root's alone: no chroot there")
    if chroot:
        Path("/run/sshd").mkdir(exist_ok=True)
    key = asyncssh.generate_private_key("ssh-ed25519")
    host = asyncssh.generate_private_key("ssh-ed25519")
    for name, one in (("client", key), ("host", host)):
        one.write_private_key(base / name)
        (base / name).chmod(0o600)
    (base / "authorized").write_bytes(key.export_public_key())
    folder = base / "drop" / "files"
    folder.mkdir(parents=True)
    port = _free_port()
    lines = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {base / 'host'}",
        f"AuthorizedKeysFile {base / 'authorized'}",
        f"PidFile {base / 'pid'}",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "UsePAM no",
        "StrictModes no",
        "Subsystem sftp internal-sftp",
        f"AllowUsers {account.pw_name}",
        "ForceCommand internal-sftp",
    ]
    if chroot:
        lines += ["PermitRootLogin prohibit-password", f"ChrootDirectory {base / 'drop'}"]
    (base / "config").write_text("\n".join(lines) + "\n")
    if prefix:
        for path in (base, *base.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid)
    base.chmod(0o755)
    log = base / "log"  # must be absolute, or every connection is reset
    command = [*prefix, _SSHD, "-D", "-f", str(base / "config"), "-E", str(log)]
    process = subprocess.Popen(command)
    try:
        _wait_for(port, process, log)
        yield Server(
            "127.0.0.1",
            port,
            account.pw_name,
            base / "client",
            host.export_public_key().decode().strip(),
            "/files" if chroot else str(folder),
            folder,
        )
    finally:
        process.terminate()
        process.wait(10)


def _owned_by_root(path: Path) -> bool:
    chain = (path, *path.parents)
    # A sticky folder (/var/tmp) is writable for all: sshd refuses that too.
    return all(p.stat().st_uid == 0 and not p.stat().st_mode & 0o022 for p in chain[1:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    said = log.read_text() if log.exists() else "nothing in its log"
    pytest.fail(f"sshd did not start: {said}")


def other_key(server: Server) -> Server:
    """The same server with another host key pinned."""
    stranger = asyncssh.generate_private_key("ssh-ed25519")
    return replace(server, host_key=stranger.export_public_key().decode().strip())


@pytest.fixture
def smtp_sink(tmp_path: Path) -> Iterator[smtp.SmtpEndpoint]:
    """The sandbox's mail sink in a thread of this process."""
    folder = tmp_path / "mail"
    controller = smtp.serve(folder, 0)
    yield smtp.SmtpEndpoint("127.0.0.1", controller.port, folder)
    controller.stop()
