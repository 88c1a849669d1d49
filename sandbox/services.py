"""Everything the day needs around Airflow: PostgreSQL, ledger, Tryton, SFTP, SMTP, the files.

`prepare` is idempotent: what runs is reused, what is there is left as it is. Steps that take long
once (the template of Tryton's books, of Airflow's metadata) are kept by a reset.
"""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sandbox import airflow, sftp, smtp
from sandbox import world as worlds
from sandbox.tryton import loading, service
from sandbox.tryton.probe import is_free
from tieout.errors import ConnectorError
from tieout.ledger import Ledger
from tieout.ledger.embedded import Server, ensure_server, running_server, stop_server

__all__ = ["Day", "Steps", "free_port", "prepare", "reset", "stop"]

_LEDGER: Final = "tieout"
_BOOKS: Final = "erp"
_TRIES: Final = 3
#: Folders of a home that hold state of the day; templates and secrets lie elsewhere.
_STATE: Final = ("archive", "staging", "spool", "reports", "docs", "airflow/logs", "sandbox/sftp")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Day:
    """What runs, and the environment in which DAGs and commands find it.

    Attributes:
        environment: Airflow's settings, our addresses and Airflow's connections.
        addresses: only ours, ``TIEOUT_…``.
    """

    home: Path
    server: Server
    world: worlds.World
    environment: dict[str, str]
    addresses: dict[str, str]


class Steps:
    """Progress lines with seconds: ``[3/8] Tryton ... 1.2 s``."""

    def __init__(self, count: int, say: Say = print) -> None:
        self.count = count
        self.say = say
        self.number = 0

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """One step; the line is said when it begins and its seconds when it ends."""
        self.number += 1
        started = time.monotonic()
        self.say(f"[{self.number}/{self.count}] {text}")
        yield
        self.say(f"      {time.monotonic() - started:.1f} s")


def prepare(home: Path, steps: Steps, *, missing: bool = False) -> Day:
    """Start and fill everything but Airflow's own processes (six steps).

    Args:
        missing: also lay the statement that one account's bank has not sent.
    """
    home = home.resolve()
    with steps.step("PostgreSQL and the ledger"):
        server = ensure_server(home)
        server.ensure_database(_LEDGER)
        ledger = Ledger(server.address(_LEDGER))
        ledger.upgrade()
        ledger.close()
    with steps.step("Tryton: the company's books (a real ERP)"):
        service.ensure_template(home, say=steps.say)
        world = worlds.build()
        _fill_books(home, server, world)
    with steps.step("Tryton's server, the SFTP server of the banks, the mail server"):
        books = _start_books(home)
        files = sftp.start(home)
        mail = smtp.start(home)
    with steps.step(f"the business day {world.business_day} on the drops"):
        late = [worlds.missing_statement(world)] if missing else []
        _lay([*world.files, *late], files.root)
    with steps.step("Airflow's metadata"):
        airflow.migrate(home, server, say=steps.say)
    key = f"key_path={quote(str(files.key_path))}&host_key={quote(files.host_key)}"
    drop = f"sftp://{files.login}@{files.host}:{files.port}"
    addresses = {
        "TIEOUT_HOME": str(home),
        "TIEOUT_DATABASE": server.address(_LEDGER),
        "TIEOUT_DAY": world.business_day.isoformat(),
        "TIEOUT_DROP_BANK": f"{drop}/banks?{key}&name=banks",
        "TIEOUT_DROP_EXPENSE": f"{drop}/expense?{key}&name=expense",
        "TIEOUT_ERP_TRYTON": books.endpoint,
        "TIEOUT_SMTP": f"smtp://{mail.host}:{mail.port}",
    }
    environment = airflow.settings(home, server)
    for name in ("TIEOUT_HOME", "TIEOUT_DATABASE", "TIEOUT_DAY"):
        environment[name] = addresses[name]
    for name in ("DROP_BANK", "DROP_EXPENSE", "ERP_TRYTON", "SMTP"):
        # Secrets reach the DAGs as Airflow connections only.
        environment[f"AIRFLOW_CONN_TIEOUT_{name}"] = addresses[f"TIEOUT_{name}"]
    return Day(home, server, world, environment, addresses)


def stop(home: Path) -> list[str]:
    """Stop what `prepare` started, PostgreSQL last; return the names of what ran."""
    home = home.resolve()
    steps: list[tuple[str, Callable[[], bool]]] = [
        ("SMTP", lambda: smtp.stop(home)),
        ("SFTP", lambda: sftp.stop(home)),
        ("Tryton", lambda: service.stop(home, _BOOKS)),
        ("PostgreSQL", lambda: stop_server(home)),
    ]
    return [name for name, ended in steps if ended()]


def reset(home: Path) -> None:
    """Forget the day: databases and files of it; templates, keys and passwords stay."""
    home = home.resolve()
    had_run = running_server(home) is not None
    if (home / "pg").exists():
        service.stop(home, _BOOKS)
        server = ensure_server(home)
        for name in (_LEDGER, _BOOKS, airflow.DATABASE):
            server.drop_database(name)
        if not had_run:
            stop_server(home)
    sftp.stop(home)
    smtp.stop(home)
    for name in (*_STATE, "sandbox/mail"):
        shutil.rmtree(home / name, ignore_errors=True)


def free_port(wanted: int = 0) -> int:
    """The wanted port of loopback if it is free, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


def _fill_books(home: Path, server: Server, world: worlds.World) -> None:
    """Clone the template and enter the world's documents; half-filled books never get the name."""
    if server.has_database(_BOOKS):
        return
    filling = f"{_BOOKS}_filling"
    server.drop_database(filling)
    service.clone(server, filling)
    loading.load(home, filling, world)
    server.rename_database(filling, _BOOKS)


def _lay(files: Sequence[worlds.DropFile], root: Path) -> None:
    """Lay the files on the drops; a file that is there keeps its time, and so its claim."""
    for file in files:
        target = root / file.path
        if target.exists() and target.read_bytes() == file.content:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(target.name + ".part")
        draft.write_bytes(file.content)
        draft.replace(target)


def _start_books(home: Path) -> service.Process:
    """Tryton's server; on another port where somebody was quicker to take the free one."""
    for _ in range(_TRIES):
        port = _port(home, "tryton", 8000)
        try:
            return service.start(home, _BOOKS, port)
        except ConnectorError:
            if is_free(port):
                raise
    return service.start(home, _BOOKS, _port(home, "tryton", 8000))


def _port(home: Path, name: str, wanted: int) -> int:
    """The port a server had before while that is its own or free; else another, remembered."""
    path = home / "sandbox" / "ports.json"
    known: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    had = known.get(name, wanted)
    if _mine(home, had):
        return had
    known[name] = free_port(had)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(known) + "\n")
    return known[name]


def _mine(home: Path, port: int) -> bool:
    """Whether our own Tryton holds the port."""
    pid_file = home / "sandbox" / f"trytond-{_BOOKS}.pid"
    return pid_file.exists() and pid_file.read_text().split()[-1:] == [str(port)]
