"""The sandbox's Tryton: a template of its books, clones of it, and its server process.

`ensure_template` builds the company's books once for a data folder (a minute at most) and builds
them again only when the code that made them, Tryton's version or the secrets have changed. `clone`
copies them in under a second; `start` runs the real ``trytond`` on loopback.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil
import psycopg
from psycopg import sql

from sandbox.tryton.probe import answers, is_free
from tieout.errors import ConnectorError
from tieout.ledger.embedded import Server, ensure_server

__all__ = [
    "LOGIN",
    "TEMPLATE",
    "Process",
    "child_environment",
    "clone",
    "ensure_template",
    "passwords",
    "start",
    "stop",
]

TEMPLATE: Final = "erp_template"
LOGIN: Final = "tieout"
_PACKAGES: Final = ("trytond", "trytond-account", "trytond-account-invoice", "trytond-bank")
_START_SECONDS_MAX: Final = 30

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Process:
    """A running Tryton server.

    Attributes:
        url: its base address, ``http://127.0.0.1:8000``.
        login, password: of the integration user.
    """

    pid: int
    port: int
    database: str
    url: str
    login: str
    password: str
    log: Path

    @property
    def endpoint(self) -> str:
        """The address for ``TIEOUT_ERP_TRYTON``."""
        return f"http://{self.login}:{self.password}@127.0.0.1:{self.port}/{self.database}"


def passwords(home: Path) -> dict[str, str]:
    """The users' passwords, made at the first call and kept in ``home/sandbox/tryton.json``."""
    path = home / "sandbox" / "tryton.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = {login: secrets.token_urlsafe(18) for login in ("admin", LOGIN)}
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(made, indent=1) + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)  # the first of several processes wins
        fresh.unlink()
    found: dict[str, str] = json.loads(path.read_text())
    return found


def ensure_template(home: Path, *, say: Say = print) -> bool:
    """Build the template unless the right one is there; return whether it was built.

    Raises:
        ConnectorError: ``TEMPLATE_FAILED``, with the end of what the build wrote.
    """
    server = ensure_server(home)
    key = _template_key(home)
    with (home / "sandbox" / "tryton-template.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second process waits and finds it built
        if _comment(server, TEMPLATE) == key:
            return False
        _build_template(home, server, key, say)
    return True


def _build_template(home: Path, server: Server, key: str, say: Say) -> None:
    say("  tryton: building the template of the books (once; less than a minute)")
    building = f"{TEMPLATE}_building"
    server.drop_database(building)
    server.ensure_database(building)
    log = _logs(home) / "tryton-template.log"
    with log.open("wb") as errors:
        child = subprocess.Popen(
            [sys.executable, "-m", "sandbox.tryton.bootstrap", building],
            # A template that was cut short is built anew: no wait for the disk at each commit.
            env=child_environment(server) | {"PGOPTIONS": "-c synchronous_commit=off"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(json.dumps(passwords(home)))
        child.stdin.close()
        for line in child.stdout:
            say(line.rstrip())
        child.stdout.close()
        if child.wait() != 0:
            tail = log.read_text(errors="replace")[-800:].strip()
            raise ConnectorError("TEMPLATE_FAILED", tail, where=str(log), remedy="read the log")
    with psycopg.connect(server.libpq(building), autocommit=True) as connection:
        connection.execute("VACUUM (FREEZE, ANALYZE)")
    server.drop_database(TEMPLATE)
    server.rename_database(building, TEMPLATE)
    with psycopg.connect(server.libpq("postgres"), autocommit=True) as connection:
        text = sql.SQL("COMMENT ON DATABASE {} IS {}")
        connection.execute(text.format(sql.Identifier(TEMPLATE), sql.Literal(key)))


def clone(server: Server, name: str) -> bool:
    """Copy the template to a new database; return False when the database is there already."""
    return server.ensure_database(name, template=TEMPLATE)


def start(home: Path, database: str, port: int) -> Process:
    """Run ``trytond`` for one database on loopback until it answers; reuse the one that runs.

    Its log is ``home/logs/tryton-<database>.log``, its process id in ``home/sandbox``.

    Raises:
        ConnectorError: ``PORT_TAKEN``; ``TRYTON_NOT_STARTED``, with the end of its log.
    """
    home = home.resolve()
    found = _running(home, database)
    log = _logs(home) / f"tryton-{database}.log"
    if found is not None and found[1] == port and answers(port):
        return _process(home, found[0].pid, database, port, log)
    stop(home, database)
    if not is_free(port):
        # Another home's Tryton may answer there: it must not be taken for ours.
        message = f"port {port} is taken by another program"
        raise ConnectorError("PORT_TAKEN", message, remedy="stop it, or choose another port")
    server = ensure_server(home)
    configuration = _write_configuration(home, database, server, port)
    with log.open("ab") as output:
        child = subprocess.Popen(
            [
                str(Path(sys.executable).parent / "trytond"),
                "-c",
                str(configuration),
                "-d",
                database,
            ],
            env=child_environment(server),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    _pid_file(home, database).write_text(f"{child.pid} {port}\n")
    deadline = time.monotonic() + _START_SECONDS_MAX
    while not (_listens(child.pid, port) and answers(port)):
        if child.poll() is not None or time.monotonic() > deadline:
            stop(home, database)
            tail = log.read_text(errors="replace")[-800:].strip() or "it wrote nothing"
            raise ConnectorError("TRYTON_NOT_STARTED", tail, where=str(log), remedy="read the log")
        time.sleep(0.05)
    child.returncode = 0  # it is to outlive us: nobody here waits for it
    return _process(home, child.pid, database, port, log)


def _listens(pid: int, port: int) -> bool:
    """Whether that very process holds the port: another home's Tryton would answer just as well."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return any(
            one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port
            for one in psutil.Process(pid).net_connections("tcp")
        )
    return False


def stop(home: Path, database: str = "erp") -> bool:
    """Stop the server of a database; return whether one ran."""
    home = home.resolve()
    found = _running(home, database)
    _pid_file(home, database).unlink(missing_ok=True)
    if found is None:
        return False
    process = found[0]
    for kind in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(kind)
        with contextlib.suppress(psutil.TimeoutExpired, psutil.NoSuchProcess):
            process.wait(timeout=5)
            return True
    return True


def child_environment(server: Server) -> dict[str, str]:
    """Environment of a process that uses Tryton on this server, free of a user's own settings."""
    mine = ("TRYTOND_", "PG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    root = Path(__file__).resolve().parents[2]
    return kept | {
        "TRYTOND_DATABASE__URI": server.libpq(""),
        "TRYTOND_CONFIG": "",
        "PYTHONPATH": os.pathsep.join([str(root), *filter(None, [kept.get("PYTHONPATH")])]),
        "PYTHONUNBUFFERED": "1",
    }


def _template_key(home: Path) -> str:
    digest = hashlib.sha256()
    for name in ("bootstrap.py", "chart.py", "inprocess.py"):
        digest.update(Path(__file__).with_name(name).read_bytes())
    for package in _PACKAGES:
        digest.update(f"{package} {version(package)}\n".encode())
    digest.update(json.dumps(passwords(home), sort_keys=True).encode())
    return digest.hexdigest()[:32]


def _comment(server: Server, database: str) -> str | None:
    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
    with psycopg.connect(server.libpq("postgres")) as connection:
        row = connection.execute(query, [database]).fetchone()
    return row[0] if row else None


def _write_configuration(home: Path, database: str, server: Server, port: int) -> Path:
    folder = home / "sandbox"
    (folder / "www").mkdir(parents=True, exist_ok=True)
    path = folder / f"trytond-{database}.conf"
    path.write_text(
        f"[database]\nuri = {server.libpq('')}\nlist = False\n"
        f"[web]\nlisten = 127.0.0.1:{port}\nroot = {folder / 'www'}\n"
        "[request]\ntimeout = 60\n"
    )
    return path


def _process(home: Path, pid: int, database: str, port: int, log: Path) -> Process:
    url = f"http://127.0.0.1:{port}"
    return Process(pid, port, database, url, LOGIN, passwords(home)[LOGIN], log)


def _logs(home: Path) -> Path:
    (home / "logs").mkdir(parents=True, exist_ok=True)
    return home / "logs"


def _pid_file(home: Path, database: str) -> Path:
    (home / "sandbox").mkdir(parents=True, exist_ok=True)
    return home / "sandbox" / f"trytond-{database}.pid"


def _running(home: Path, database: str) -> tuple[psutil.Process, int] | None:
    """The server's process and port; a process id that now is another program's is not it."""
    try:
        pid, port = (int(word) for word in _pid_file(home, database).read_text().split())
        process = psutil.Process(pid)
        words = process.cmdline()
        if process.status() == psutil.STATUS_ZOMBIE or f"trytond-{database}.conf" not in str(words):
            return None
    except (OSError, ValueError, psutil.Error):
        return None
    return process, port
