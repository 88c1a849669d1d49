"""The embedded PostgreSQL: one server a data folder, from a wheel, no service and no root.

`ensure_server(home)` starts or reuses the server whose data lies in ``home/pg``. It outlives the
process that started it, answers only on a Unix socket in a private folder, and is stopped with
`stop_server(home)`. Data is kept safe: fsync stays on, and a server killed hard recovers at the
next start.

    >>> server = ensure_server(Path(".tieout"))          # doctest: +SKIP
    >>> server.ensure_database("tieout")                 # doctest: +SKIP
    True
    >>> server.address("tieout")                         # doctest: +SKIP
    'postgresql+psycopg://postgres@/tieout?host=/tmp/tieout-0-5f0c3a9e11&port=5432'
"""

from __future__ import annotations

import contextlib
import fcntl
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from tieout.errors import LedgerError
from tieout.ledger.postmaster import PORT, ROLE, discard, gone, postmaster, socket_dir_in_use, start

__all__ = ["Server", "ensure_server", "running_server", "stop_server"]


@dataclass(frozen=True, slots=True)
class Server:
    """A running embedded server.

    Attributes:
        home: the data folder it belongs to.
        socket_dir: folder of its Unix socket.
    """

    home: Path
    socket_dir: Path

    def address(self, database: str, *, driver: str = "psycopg") -> str:
        """SQLAlchemy address of a database; ``driver`` is ``psycopg`` (3) or ``psycopg2``."""
        return f"postgresql+{driver}://{self._tail(database)}"

    def libpq(self, database: str) -> str:
        """libpq address of a database, for psycopg, psql and other clients."""
        return f"postgresql://{self._tail(database)}"

    def environment(self) -> dict[str, str]:
        """The ``PG…`` variables for clients that take no socket folder in their address."""
        return {"PGHOST": str(self.socket_dir), "PGPORT": str(PORT), "PGUSER": ROLE}

    def has_database(self, name: str) -> bool:
        """Whether the database exists."""
        with self._maintenance() as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            return found.fetchone() is not None

    def ensure_database(self, name: str, template: str | None = None) -> bool:
        """Create a database, empty or as a copy of ``template``; return whether it was created.

        A template must have no open session; one that is closing is waited for.

        Raises:
            LedgerError: ``DATABASE_NOT_CREATED``.
        """
        if self.has_database(name):
            return False
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template or "template0")
        )
        deadline = time.monotonic() + 10
        while True:
            try:
                with self._maintenance() as connection:
                    connection.execute(statement)
                return True
            except psycopg.errors.DuplicateDatabase:
                return False  # another process was quicker
            except psycopg.errors.UniqueViolation:
                return False  # the same, seen a moment later by the server
            except psycopg.errors.ObjectInUse as error:
                if time.monotonic() > deadline:
                    raise _not_created(name, error) from error
                time.sleep(0.1)
            except psycopg.Error as error:
                raise _not_created(name, error) from error

    def drop_database(self, name: str) -> None:
        """Drop a database if it exists, ending its sessions."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        with self._maintenance() as connection:
            connection.execute(statement)

    def rename_database(self, name: str, new_name: str) -> None:
        """Rename a database without sessions; the last step of building a template."""
        statement = sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
            sql.Identifier(name), sql.Identifier(new_name)
        )
        with self._maintenance() as connection:
            connection.execute(statement)

    def _tail(self, database: str) -> str:
        host = quote(str(self.socket_dir), safe="/")
        return f"{ROLE}@/{quote(database, safe='')}?host={host}&port={PORT}"

    def _maintenance(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.libpq("postgres"), autocommit=True, connect_timeout=5)


def ensure_server(home: Path, *, durable: bool = True) -> Server:
    """Start the server of ``home`` or reuse the running one; safe from many processes at once.

    ``durable=False`` starts it without waiting for the disk: for tests, whose data may be lost
    with the machine (not with the process). A running server is taken as it is.

    Raises:
        LedgerError: ``SERVER_NOT_STARTED``, with the end of the server's log.
    """
    home = home.expanduser().resolve()
    home.mkdir(parents=True, exist_ok=True)
    with _locked(home):
        return _answering(home) or Server(home, start(home, durable=durable))


def running_server(home: Path) -> Server | None:
    """The server of ``home`` if it runs and answers; starts nothing."""
    return _answering(home.expanduser().resolve())


def stop_server(home: Path) -> bool:
    """Stop the server of ``home`` cleanly, ending its sessions; return whether one ran."""
    home = home.expanduser().resolve()
    if not home.is_dir():
        return False
    with _locked(home):
        process, socket_dir = postmaster(home), socket_dir_in_use(home)
        if process is None:
            return False
        for kind, seconds in ((signal.SIGINT, 20), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            # SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one.
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(kind)
            if gone(process, seconds):
                discard(socket_dir)
                return True
        raise LedgerError(
            "SERVER_NOT_STOPPED",
            f"the PostgreSQL server with process id {process.pid} does not stop",
            where=str(home / "pg"),
            remedy="end the process, then try again",
        )


def _answering(home: Path) -> Server | None:
    """The running server, when its socket answers within a few seconds."""
    folder = socket_dir_in_use(home)
    process = postmaster(home)
    if folder is None or process is None:
        return None
    server = Server(home, folder)
    deadline = time.monotonic() + 10
    while True:
        try:
            with psycopg.connect(server.libpq("postgres"), connect_timeout=5):
                return server
        except psycopg.OperationalError:
            # Starting up, in recovery or shutting down; without its socket it never answers.
            if not (folder / f".s.PGSQL.{PORT}").exists() or time.monotonic() > deadline:
                return None
            if gone(process, 0.05):
                return None


def _not_created(name: str, error: psycopg.Error) -> LedgerError:
    return LedgerError("DATABASE_NOT_CREATED", f"{error}".strip(), where=f"database {name}")


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[None]:
    """One process at a time starts or stops the server of a home."""
    with (home / "pg.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
