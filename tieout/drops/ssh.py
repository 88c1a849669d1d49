"""SSH as `tieout.drops.sftp` needs it: the pinned key, our own key, and names as bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import paramiko
from paramiko.sftp import CMD_CLOSE, CMD_HANDLE, CMD_NAME, CMD_OPENDIR, CMD_READDIR, SFTPError

from tieout.errors import DropError

__all__ = ["NameClient", "NotPinned", "host_key_changed", "parse_host_key", "private_key"]


class NameClient(paramiko.SFTPClient):
    """paramiko decodes names strictly as UTF-8: one foreign name would end the whole listing."""

    _request: Callable[..., tuple[int, paramiko.Message]]  # of the base; its stubs leave it out

    def names(self, folder: bytes) -> Iterator[bytes]:
        """Names in a folder as bytes, page by page; ``.`` and ``..`` left out."""
        kind, message = self._request(CMD_OPENDIR, folder)
        if kind != CMD_HANDLE:
            raise SFTPError("expected a handle")
        handle = message.get_string()
        try:
            while True:
                try:
                    kind, message = self._request(CMD_READDIR, handle)
                except EOFError:
                    return
                if kind != CMD_NAME:
                    raise SFTPError("expected names")
                for _ in range(message.get_int()):
                    name = message.get_string()
                    message.get_string()
                    _skip_attributes(message)
                    if name in (b".", b".."):
                        continue
                    if b"/" in name or b"\0" in name or not name:
                        raise SFTPError(f"the server listed the impossible name {name[:80]!r}")
                    yield name
        finally:
            self._request(CMD_CLOSE, handle)


def _skip_attributes(message: paramiko.Message) -> None:
    """Move past the attributes that follow a name (SFTP version 3, section 5)."""
    flags = message.get_int()
    message.get_bytes(8 * bool(flags & 1) + 8 * bool(flags & 2))
    message.get_bytes(4 * bool(flags & 4) + 8 * bool(flags & 8))
    for _ in range(message.get_int() if flags & 0x80000000 else 0):
        message.get_string()
        message.get_string()


class NotPinned(paramiko.RejectPolicy):
    """Refuse, and say the fingerprint, so that a person can pin it after asking the bank."""

    def __init__(self, name: str) -> None:
        self._name = name

    def missing_host_key(
        self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey
    ) -> NoReturn:
        """Always raises `DropError` ``DROP_HOST_KEY_MISSING``."""
        raise DropError(
            "DROP_HOST_KEY_MISSING",
            f"no host key is pinned; the server shows {key.get_name()} {key.fingerprint}",
            where=self._name,
            remedy="compare the fingerprint with the one the bank publishes, then set host_key to "
            f"'{key.get_name()} {key.get_base64()}'",
        )


def host_key_changed(name: str, expected: paramiko.PKey, seen: paramiko.PKey) -> DropError:
    """The error for a server that shows another key than the pinned one."""
    return DropError(
        "DROP_HOST_KEY",
        f"the server is not the pinned one: expected {expected.get_name()} "
        f"{expected.fingerprint}, seen {seen.get_name()} {seen.fingerprint}",
        where=name,
        remedy="nothing was read; ask the bank whether it changed its key, and only then pin the "
        "new one as host_key",
    )


def parse_host_key(text: str, name: str) -> paramiko.PKey:
    """A public key of one line.

    Raises:
        DropError: ``DROP_HOST_KEY_MALFORMED``.
    """
    kind, _, rest = text.strip().partition(" ")
    try:
        entry = paramiko.hostkeys.HostKeyEntry.from_line(f"pinned {kind} {rest.split()[0]}")
    except (IndexError, ValueError, paramiko.SSHException):
        entry = None
    if entry is not None and entry.key is not None and entry.key.get_name() == kind:
        return entry.key
    raise DropError(
        "DROP_HOST_KEY_MALFORMED",
        f"host_key {text[:40]!r} is no public key",
        where=name,
        remedy="expected one line such as 'ssh-ed25519 AAAA…' (ed25519, ECDSA or RSA)",
    )


def private_key(path: Path, name: str) -> paramiko.PKey:
    """Our own key from a file.

    Raises:
        DropError: ``DROP_KEY``.
    """
    try:
        return paramiko.PKey.from_path(path)
    except (OSError, ValueError, TypeError, paramiko.SSHException) as error:
        raise DropError(
            "DROP_KEY",
            f"our private key {str(path)!r} cannot be used: {error}",
            where=name,
            remedy="give a readable OpenSSH or PEM key without passphrase",
        ) from error
