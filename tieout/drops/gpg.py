"""GnuPG as a process of its own, for one file: bounded in time, bytes and what it may touch.

Each run has a home of its own in a short temporary folder that only points to the bank's keys, so
that the bank's home may be read-only, two runs never meet, no configuration of this user counts,
and the agent GnuPG starts is ours to end. Nothing it writes is worth anything before it has ended
and `tieout.drops.gpg_status` has read what it said.
"""

from __future__ import annotations

import os
import resource
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from tieout.drops.gpg_status import Verdict, verdict

__all__ = ["Limits", "Outcome", "decrypt", "program"]

_CHUNK: Final = 1 << 16
_STATUS_MAX: Final = 1 << 20
_SAID_MAX: Final = 4_000
_BASE_MAX: Final = 60
#: What of a bank's home is looked at: keys, and nothing that configures.
_KEYS: Final = ("pubring.kbx", "pubring.gpg", "public-keys.d", "private-keys-v1.d")
_OPTIONS: Final = (
    "--no-options", "--batch", "--no-tty", "--no-greeting", "--no-permission-warning",
    "--trust-model", "always", "--no-auto-check-trustdb", "--no-auto-key-locate",
    "--no-auto-key-retrieve", "--disable-dirmngr", "--no-symkey-cache", "--no-random-seed-file",
    "--exit-on-status-write-error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may cost.

    Attributes:
        seconds: for the whole of it.
        bytes_max: most bytes that may come out.
        ratio_max: most bytes out for a byte in, above `slack` bytes.
        slack: below this no ratio is asked for.
    """

    seconds: int = 600
    bytes_max: int = 5 * 1024**3
    ratio_max: int = 200
    slack: int = 16 << 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: what GnuPG said, and why it was stopped (``time``, ``bytes``, or "")."""

    verdict: Verdict
    code: int
    stopped: str
    said: str
    size: int


def program() -> str | None:
    """Where GnuPG is, or None."""
    return shutil.which("gpg")


def decrypt(
    gpg: str, home: Path, source: Path, target: BinaryIO, passphrase: str | None, limits: Limits
) -> Outcome:
    """Decrypt and verify a file into an open one; the caller decides whether to believe it.

    Args:
        gpg: the program.
        home: the bank's keys; only read.
        source: the file as received.
        target: takes what comes out, up to the limits.
        passphrase: of our private key; none and empty are the same.
        limits: time and bytes.

    Raises:
        OSError: the program cannot be run, or the target cannot be written.
    """
    with _own_home(home) as own, source.open("rb") as stream:
        status, words = own / "status", own / "words"
        mode = "loopback" if passphrase else "error"
        options = ["--homedir", str(own), "--status-file", str(status), "--pinentry-mode", mode]
        secret = _secret(passphrase)
        if secret is not None:
            options += ["--passphrase-fd", str(secret)]
        try:
            with words.open("wb") as said:
                process = subprocess.Popen(  # noqa: S603 - no shell, and no name of the other side
                    [gpg, *_OPTIONS, *options, "--output", "-", "--decrypt"],
                    stdin=stream, stdout=subprocess.PIPE, stderr=said, env=_environment(),
                    pass_fds=() if secret is None else (secret,), start_new_session=True,
                )  # fmt: skip
        finally:
            if secret is not None:
                os.close(secret)
        room = min(limits.bytes_max, max(limits.slack, limits.ratio_max * source.stat().st_size))
        stopped, size = _pump(process, target, time.monotonic() + limits.seconds, room)
        return Outcome(
            verdict(_text(status, _STATUS_MAX).splitlines()), process.returncode, stopped,
            _text(words, _SAID_MAX).strip(), size,
        )  # fmt: skip


def _pump(
    process: subprocess.Popen[bytes], target: BinaryIO, deadline: float, room: int
) -> tuple[str, int]:
    """Take what comes out until the end, the deadline or the last byte there is room for."""
    out = process.stdout
    assert out is not None  # noqa: S101 - Popen was given a pipe
    stopped, size = "", 0
    try:
        # It writes its status and its words to files: they must not fill the disk. Where it has
        # ended already there is nothing to limit.
        with suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (_STATUS_MAX, _STATUS_MAX))
        with selectors.DefaultSelector() as ready:
            ready.register(out, selectors.EVENT_READ)
            while not stopped:
                if not ready.select(max(0, deadline - time.monotonic())):
                    stopped = "time"
                    break
                chunk = os.read(out.fileno(), _CHUNK)
                if not chunk:
                    break
                size += len(chunk)
                if size > room:
                    stopped = "bytes"
                    break
                target.write(chunk)
        if not stopped:
            process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        stopped = "time"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        out.close()
    return stopped, size


@contextmanager
def _own_home(home: Path) -> Iterator[Path]:
    """A private home that points to the bank's keys; its agent has ended when the block ends."""
    # Not below the spool: the agent's socket must fit in 107 bytes.
    base = tempfile.gettempdir()
    short = base if len(os.fsencode(base)) <= _BASE_MAX else "/tmp"  # noqa: S108 - made private
    own = Path(tempfile.mkdtemp(prefix="tieout-pgp-", dir=short))
    try:
        for name in _KEYS:
            if (home / name).exists():
                (own / name).symlink_to((home / name).resolve())
        (own / "gpg-agent.conf").write_text("disable-scdaemon\n", encoding="ascii")
        if (home / "public-keys.d").exists():
            (own / "common.conf").write_text("use-keyboxd\n", encoding="ascii")
        yield own
    finally:
        _end_daemons(own)
        shutil.rmtree(own, ignore_errors=True)


def _end_daemons(own: Path) -> None:
    conf = shutil.which("gpgconf")
    if conf is None:
        return  # the agent ends by itself when its home is gone
    for action in (["--kill", "all"], ["--remove-socketdir"]):
        subprocess.run(  # noqa: S603 - no shell, our own folder
            [conf, "--homedir", str(own), *action],
            env=_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, timeout=30, check=False,
        )  # fmt: skip


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _secret(passphrase: str | None) -> int | None:
    """A pipe's end from which the passphrase can be read once; it is on no command line."""
    if not passphrase:
        return None
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as out:
        out.write(passphrase.encode() + b"\n")
    return reader


def _text(path: Path, most: int) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as stream:
        return stream.read(most).decode("utf-8", "replace")
