"""Real servers for the tests: embedded PostgreSQL and Tryton, started here and stopped here.

One PostgreSQL serves all test processes (pytest-xdist included) from ``TIEOUT_TEST_HOME``, default
``.tieout/test``; the last test session to end stops it. The template of Tryton's books is built
once and kept there, so that the next run finds it. Every database a test gets is its own.
"""

from __future__ import annotations

import fcntl
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from sandbox.tryton import service
from tieout.connectors.tryton import TrytonConnector
from tieout.connectors.tryton_wire import Wire
from tieout.errors import ConnectorError
from tieout.ledger.embedded import Server, ensure_server, stop_server
from tieout.ledger.ledger import Ledger
from tieout.profiles import load, mappings_dir

_PREFIX = "test_"


@dataclass(frozen=True)
class Tryton:
    """A running Tryton server with the sandbox company's books in a database of its own."""

    home: Path
    process: service.Process

    def connector(self, *, port: int = 0, wire: Wire | None = None) -> TrytonConnector:
        """A connector as the integration user; ``port`` goes by way of a proxy."""
        return TrytonConnector(
            f"http://127.0.0.1:{port or self.process.port}",
            self.process.database,
            self.process.login,
            self.process.password,
            company="NORD",
            mapping=load(mappings_dir() / "erp" / "tryton.toml"),
            wire=wire,
        )


def free_port() -> int:
    """A loopback port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def own_ledger(server: Server, name: str, *, durable: bool) -> Iterator[Ledger]:
    """A migrated ledger in a database of its own, whose name begins so and which is dropped.

    Args:
        durable: whether a commit waits for the disk; workers may be killed either way, the database
            is not.
    """
    name = f"{name}_{uuid.uuid4().hex[:8]}"
    server.ensure_database(name)
    try:
        if not durable:
            with psycopg.connect(server.libpq("postgres")) as connection:
                connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        ledger = Ledger(server.address(name))
        try:
            ledger.upgrade()
            yield ledger
        finally:
            ledger.close()
    finally:
        server.drop_database(name)


def start_tryton(server: Server) -> Tryton:
    """Clone the books and run Tryton on them; the caller stops it with `stop_tryton`."""
    database = _new_name()
    service.clone(server, database)
    for attempt in range(3):
        try:
            return Tryton(server.home, service.start(server.home, database, free_port()))
        except ConnectorError:  # another process may have taken the port in between
            if attempt == 2:
                raise
    raise AssertionError


def stop_tryton(server: Server, tryton: Tryton) -> None:
    """Stop the server process and drop its database."""
    service.stop(tryton.home, tryton.process.database)
    server.drop_database(tryton.process.database)


@pytest.fixture(scope="session")
def services_home() -> Path:
    """The folder the test servers live in."""
    home = Path(os.environ.get("TIEOUT_TEST_HOME", ".tieout/test")).resolve()
    home.mkdir(parents=True, exist_ok=True)
    return home


@pytest.fixture(scope="session")
def postgres(services_home: Path) -> Iterator[Server]:
    """The shared embedded server; stopped by the last test session that uses it."""
    with (services_home / "users.lock").open("a") as users:
        if _lock(users.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB):
            _drop_leftovers(ensure_server(services_home, durable=False))
        fcntl.flock(users, fcntl.LOCK_SH)
        yield ensure_server(services_home, durable=False)
        fcntl.flock(users, fcntl.LOCK_UN)
        if _lock(users.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB):
            stop_server(services_home)


@pytest.fixture
def database(postgres: Server) -> Iterator[str]:
    """SQLAlchemy address of a fresh, empty database."""
    name = _new_name()
    postgres.ensure_database(name)
    yield postgres.address(name)
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def tryton_template(postgres: Server) -> Server:
    """The server with the template of Tryton's books in it, built if need be."""
    service.ensure_template(postgres.home)
    return postgres


@pytest.fixture(scope="module")
def tryton(tryton_template: Server) -> Iterator[Tryton]:
    """A running Tryton on books of its own, shared by a module's tests."""
    running = start_tryton(tryton_template)
    yield running
    stop_tryton(tryton_template, running)


@pytest.fixture
def tryton_other(tryton_template: Server) -> Iterator[Tryton]:
    """A Tryton for one test alone, which may stop it."""
    running = start_tryton(tryton_template)
    yield running
    stop_tryton(tryton_template, running)


def _new_name() -> str:
    return f"{_PREFIX}{uuid.uuid4().hex[:12]}"


def _lock(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how)
    except BlockingIOError:
        return False
    return True


def _drop_leftovers(server: Server) -> None:
    """Databases and servers of test sessions that were killed."""
    for configuration in server.home.glob(f"sandbox/trytond-{_PREFIX}*.conf"):
        service.stop(server.home, configuration.stem.removeprefix("trytond-"))
        configuration.unlink()
    with psycopg.connect(server.libpq("postgres")) as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'test\\_%'")
        names = [str(row[0]) for row in found]
    for name in names:
        server.drop_database(name)
