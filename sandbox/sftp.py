"""The bank side's SFTP server: asyncssh on loopback, key login only, confined to one folder.

Run as ``python -m sandbox.sftp --root DIR --port P --home DIR``. The host key and the client's
key are made once, in ``<home>/sandbox/keys``. The chroot is asyncssh's: clients see the folder as
``/`` and cannot leave it by ``..`` or by a link they make (a link made on this machine they can).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sandbox import processes

__all__ = ["LOGIN", "SftpEndpoint", "make_keys", "serve", "start", "stop"]

LOGIN: Final = "tieout"
_HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class SftpEndpoint:
    """How to reach the server: everything `tieout.drops.sftp.SftpDrop` asks for."""

    host: str
    port: int
    login: str
    key_path: Path
    host_key: str
    root: Path


def make_keys(home: Path) -> tuple[Path, Path]:
    """Paths of the host key and the client key (ed25519, mode 0600), made if absent."""
    import asyncssh

    folder = home / "sandbox" / "keys"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths = (folder / "host_ed25519", folder / "client_ed25519")
    for path in paths:
        if not path.exists():
            key = asyncssh.generate_private_key(
                "ssh-ed25519", comment=f"tieout sandbox {path.stem}"
            )
            draft = path.with_suffix(f".{os.getpid()}")
            draft.touch(mode=0o600)
            key.write_private_key(draft)
            key.write_public_key(path.with_suffix(".pub"))
            draft.replace(path)
    return paths


async def serve(root: Path, port: int, home: Path) -> Any:
    """Start listening (port 0: any free one) inside a running loop; returns the acceptor."""
    import asyncssh

    class Confined(asyncssh.SFTPServer):  # type: ignore[misc, unused-ignore]
        def __init__(self, channel: Any) -> None:
            super().__init__(channel, chroot=os.fsencode(root))

    host_key, client_key = make_keys(home)
    root.mkdir(parents=True, exist_ok=True)
    authorized = asyncssh.import_authorized_keys(client_key.with_suffix(".pub").read_text())
    return await asyncssh.listen(
        _HOST,
        port,
        server_host_keys=[str(host_key)],
        authorized_client_keys=authorized,
        password_auth=False,
        kbdint_auth=False,
        sftp_factory=Confined,
        allow_scp=False,
        agent_forwarding=False,
    )


def start(home: Path, root: Path | None = None, port: int = 0) -> SftpEndpoint:
    """Start the server as a process unless it serves that root already.

    ``root`` defaults to ``<home>/sandbox/sftp``.

    Raises:
        RuntimeError: it did not come up.
    """
    home = home.absolute()
    folder = (root or home / "sandbox" / "sftp").absolute()
    facts = processes.running(home, "sftp")
    if facts is not None and facts["root"] != str(folder):
        processes.stop(home, "sftp")  # it serves another folder
    arguments = ["--root", str(folder), "--port", str(port), "--home", str(home)]
    return _endpoint(home, processes.ensure(home, "sftp", arguments))


def stop(home: Path) -> bool:
    """Stop the server of this home; True if one was running."""
    return processes.stop(home.absolute(), "sftp")


def _endpoint(home: Path, facts: dict[str, str | int]) -> SftpEndpoint:
    host_key, client_key = make_keys(home)
    kind, text = host_key.with_suffix(".pub").read_text().split()[:2]
    return SftpEndpoint(
        str(facts["host"]),
        int(facts["port"]),
        LOGIN,
        client_key,
        f"{kind} {text}",
        Path(str(facts["root"])),
    )


async def _run(root: Path, port: int, home: Path) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    acceptor = await serve(root, port, home)
    facts = {"host": _HOST, "port": acceptor.get_port(), "root": str(root)}
    processes.announce(home, "sftp", facts)
    await ended.wait()
    acceptor.close()


def main(arguments: list[str] | None = None) -> int:
    """Entry of ``python -m sandbox.sftp``; runs until SIGTERM."""
    parser = argparse.ArgumentParser(prog="sandbox.sftp", description="SFTP server of the sandbox")
    parser.add_argument("--root", type=Path, required=True, help="folder the clients see as /")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--home", type=Path, required=True, help="where keys and pid file live")
    given = parser.parse_args(arguments)
    asyncio.run(_run(given.root.absolute(), given.port, given.home.absolute()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
