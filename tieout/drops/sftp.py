"""An SFTP server as a drop, on paramiko, trusted by one pinned host key and nothing else.

The key the server shows must be the pinned one, byte for byte, before any login is offered; there
is no learning on first use and no look into ``known_hosts``. A bank that changes its key is
refused until a person has pinned the new one, and the message says both fingerprints.
"""

from __future__ import annotations

import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final

import paramiko
from paramiko.sftp import SFTPError
from paramiko.sftp_attr import SFTPAttributes

from tieout import drops
from tieout.drops import DEPTH_MAX, FILE_BYTES_MAX, FILES_MAX, Fetched, RemoteFile
from tieout.drops.ssh import (
    NameClient,
    NotPinned,
    host_key_changed,
    parse_host_key,
    private_key,
)
from tieout.errors import DropError

__all__ = ["SftpDrop"]

_CHUNK: Final = 1 << 18
_IN_FLIGHT: Final = 64


class SftpDrop:
    """Files below a folder of an SFTP server.

    Nothing is connected before the first `list` or `fetch`.

    Args:
        host: name or address.
        port: usually 22.
        login: user name there.
        host_key: the server's public key as ``ssh-ed25519 AAAA…`` (a comment may follow).
        key_path: our private key (OpenSSH or PEM, without passphrase), or
        password: the login's password. One of the two.
        root: folder the paths are relative to.
        name: what messages and the ledger call it; default ``sftp://login@host:port/root``.
        timeout: seconds for connecting, the banner, the login, opening the channel, and for each
            silence while reading.
        seconds_max: for one listing or one file as a whole, against a server that trickles.
        files_max: most directory entries looked at in one listing.
        file_bytes_max: largest file fetched.
    """

    def __init__(
        self,
        host: str,
        port: int,
        login: str,
        *,
        host_key: str,
        key_path: Path | None = None,
        password: str | None = None,
        root: str = ".",
        name: str = "",
        timeout: float = 20.0,
        seconds_max: float = 1800.0,
        files_max: int = FILES_MAX,
        file_bytes_max: int = FILE_BYTES_MAX,
    ) -> None:
        self.host, self.port, self.login = host, port, login
        self.root = root.rstrip("/") or "/"
        shown = self.root if self.root.startswith("/") else f"/{self.root}"
        self.name = name or f"sftp://{login}@{host}:{port}{'' if shown == '/.' else shown}"
        self._key_path, self._password, self._timeout = key_path, password, timeout
        self._seconds_max = seconds_max
        self._files_max, self._file_bytes_max = files_max, file_bytes_max
        self._pinned = parse_host_key(host_key, self.name) if host_key.strip() else None
        self._client: paramiko.SSHClient | None = None
        self._sftp: NameClient | None = None

    def __enter__(self) -> SftpDrop:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def list(self) -> list[RemoteFile]:
        """Regular files below the root, ordered by path; see `tieout.drops.Drop.list`.

        Raises:
            DropError: ``DROP_HOST_KEY``, ``DROP_HOST_KEY_MISSING``, ``DROP_LOGIN``,
                ``DROP_UNREACHABLE``, ``DROP_FOLDER``, ``DROP_TOO_MANY_FILES``, ``DROP_TOO_DEEP``.
        """
        with self._told(self.name):
            return sorted(self._walk(self._open()), key=lambda file: file.path)

    def fetch(self, file: RemoteFile, spool: Path) -> Fetched:
        """Copy one listed file to the spool; see `tieout.drops.Drop.fetch`.

        Raises:
            DropError: also ``DROP_FILE_CHANGED``, ``DROP_FILE_SHORT``, ``DROP_FILE_TOO_LARGE``,
                ``DROP_NOT_A_FILE``, ``DROP_PATH``, ``DROP_TOO_SLOW``.
        """
        where = f"{self.name} {file.path}"
        path = self._wire(drops.check_relative(file.path, where=where))
        with self._told(where):
            sftp = self._open()
            if not stat.S_ISREG(sftp.lstat(path).st_mode or 0):
                raise drops.not_a_file(where)
            with sftp.open(path, "rb") as remote:
                listed, opened = (file.size, file.modified_at), _facts(remote.stat())
                if opened != listed:
                    raise drops.changed(where, listed, opened)
                if file.size > self._file_bytes_max:
                    raise drops.too_large(where, file.size, self._file_bytes_max)
                return drops.receive(
                    self._chunks(remote, opened, where),
                    spool,
                    where=where,
                    bytes_max=self._file_bytes_max,
                )

    def close(self) -> None:
        """End the session; a second call does nothing."""
        if self._client is not None:
            self._client.close()
        self._client = self._sftp = None

    def _chunks(
        self, remote: paramiko.SFTPFile, opened: tuple[int, datetime], where: str
    ) -> Iterator[bytes]:
        """The content; after the last chunk the handle must show the same file, or it raises."""
        deadline = time.monotonic() + self._seconds_max
        remote.prefetch(opened[0], max_concurrent_requests=_IN_FLIGHT)
        read = 0
        while chunk := remote.read(_CHUNK):
            read += len(chunk)
            self._in_time(deadline, where, f"{read} of {opened[0]} bytes")
            yield chunk
        after = _facts(remote.stat())
        if after != opened:
            raise drops.changed(where, opened, after)
        if read != opened[0]:
            raise drops.short(where, opened[0], read)

    def _in_time(self, deadline: float, where: str, done: str) -> None:
        if time.monotonic() > deadline:
            raise DropError(
                "DROP_TOO_SLOW",
                f"{done} came in {self._seconds_max:g} seconds",
                where=where,
                remedy="nothing was kept; it is taken again on the next run",
            )

    def _walk(self, sftp: NameClient) -> Iterator[RemoteFile]:
        deadline = time.monotonic() + self._seconds_max
        looked_at = 0
        folders: list[tuple[bytes, int]] = [(b"", 0)]
        while folders:
            prefix, depth = folders.pop()
            if depth > DEPTH_MAX:
                raise drops.too_deep(self.name, DEPTH_MAX)
            for name in sftp.names(self._wire(prefix.rstrip(b"/"))):
                looked_at += 1
                if looked_at > self._files_max:
                    raise drops.too_many(self.name, self._files_max)
                self._in_time(deadline, self.name, f"{looked_at} names")
                try:  # lstat, because servers differ in whether a listing follows links
                    status = sftp.lstat(self._wire(prefix + name))
                except FileNotFoundError:
                    continue  # renamed or taken since the folder was listed
                mode = status.st_mode or 0
                if stat.S_ISDIR(mode):
                    folders.append((prefix + name + b"/", depth + 1))
                elif stat.S_ISREG(mode) and not drops.is_temporary(drops.name_text(name)):
                    yield RemoteFile(drops.name_text(prefix + name), *_facts(status))

    def _wire(self, relative: bytes) -> bytes:
        root = self.root.encode()
        return root.rstrip(b"/") + b"/" + relative if relative else root

    def _open(self) -> NameClient:
        if self._sftp is None:
            key = private_key(self._key_path, self.name) if self._key_path else None
            client = paramiko.SSHClient()
            client.set_missing_host_key_policy(NotPinned(self.name))
            if self._pinned is not None:
                spec = self.host if self.port == 22 else f"[{self.host}]:{self.port}"
                client.get_host_keys().add(spec, self._pinned.get_name(), self._pinned)
            self._client = client
            self._connect(client, key)
            transport = client.get_transport()
            sftp = NameClient.from_transport(transport) if transport else None
            channel = sftp.get_channel() if sftp else None
            if not isinstance(sftp, NameClient) or channel is None:
                raise paramiko.SSHException("the session ended during the login")
            channel.settimeout(self._timeout)
            self._sftp = sftp
        return self._sftp

    def _connect(self, client: paramiko.SSHClient, key: paramiko.PKey | None) -> None:
        client.connect(
            self.host,
            self.port,
            self.login,
            pkey=key,
            password=None if key else self._password,
            allow_agent=False,
            look_for_keys=False,
            timeout=self._timeout,
            banner_timeout=self._timeout,
            auth_timeout=self._timeout,
            channel_timeout=self._timeout,
        )

    @contextmanager
    def _told(self, where: str) -> Iterator[None]:
        """Turn what paramiko raises into one `DropError`, and drop a broken session."""
        try:
            yield
        except _RAISED as error:
            broken = not isinstance(error, DropError) or error.code in _SESSION_ENDS
            told = error if isinstance(error, DropError) else self._explain(error, where)
            if broken:
                self.close()
            if told is error:
                raise
            raise told from error

    def _explain(self, error: Exception, where: str) -> DropError:
        if isinstance(error, paramiko.BadHostKeyException):
            return host_key_changed(self.name, error.expected_key, error.key)
        if isinstance(error, paramiko.AuthenticationException):
            return DropError(
                "DROP_LOGIN",
                f"the server refused the login of {self.login!r}",
                where=self.name,
                remedy="check the login and that our public key (or password) is known there",
            )
        if isinstance(error, FileNotFoundError | PermissionError):
            return DropError(
                "DROP_FOLDER",
                f"cannot be read: {error.strerror or error}",
                where=where,
                remedy="check the drop's root folder and the login's rights there",
            )
        what = "no answer in time" if isinstance(error, socket.timeout) else str(error)
        return DropError(
            "DROP_UNREACHABLE",
            f"the connection failed: {what or type(error).__name__}",
            where=where,
            remedy=f"check that {self.host}:{self.port} is an SFTP server and can be reached; "
            "nothing was kept, the next run tries again",
        )


#: What paramiko raises; ValueError where the server's own words are not UTF-8.
_RAISED: Final = (DropError, paramiko.SSHException, OSError, EOFError, SFTPError, ValueError)
#: After these the session holds answers nobody will read.
_SESSION_ENDS: Final = frozenset({"DROP_FILE_SHORT", "DROP_FILE_TOO_LARGE", "DROP_TOO_SLOW"})


def _facts(status: SFTPAttributes) -> tuple[int, datetime]:
    return status.st_size or 0, datetime.fromtimestamp(status.st_mtime or 0, UTC)
