"""The sandbox's Airflow: its settings, its metadata on the embedded PostgreSQL, a day run at once.

Everything lies in ``<home>/airflow``: secrets made once (``secrets.json``), logs, the login. The
metadata is cloned from a template database that is migrated once for a version of Airflow.

`run_day` needs no server: it starts `tieout_airflow.oneprocess`, which is Airflow's own scheduler
and task supervisor in one process. The four components of a real Airflow are in `sandbox.up`.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from tieout.errors import TieoutError
from tieout.ledger.embedded import Server

__all__ = ["DATABASE", "LOGIN", "ROOT", "end", "migrate", "password", "run_day", "settings"]

ROOT: Final = Path(__file__).resolve().parents[1]
DATABASE: Final = "airflow"
LOGIN: Final = "treasurer"
_TEMPLATE: Final = "airflow_template"

Say = Callable[[str], None]


def settings(home: Path, server: Server, *, database: str = DATABASE) -> dict[str, str]:
    """The environment of every Airflow process of this home; nothing of a user's own Airflow.

    ``sandbox.up`` adds the address of the API server.
    """
    folder = home / "airflow"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    known = _secrets(folder)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW_", "AIRFLOW__", "TIEOUT_", "PG"))
    }
    path = [str(ROOT), str(ROOT / "plugins"), *filter(None, [kept.get("PYTHONPATH")])]
    section = {
        "CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "4",
        "CORE__FERNET_KEY": known["fernet"],
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{LOGIN}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
        # psycopg 3 is there for the ledger; without this line Airflow asks for asyncpg.
        "DATABASE__SQL_ALCHEMY_CONN": server.address(database, driver="psycopg2"),
        "DATABASE__SQL_ALCHEMY_CONN_ASYNC": server.address(database, driver="psycopg_async"),
        "LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
        "API__SECRET_KEY": known["api"],
        "API_AUTH__JWT_SECRET": known["jwt"],
        "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        # A supervisor that missed the end of its task looks again after this many seconds.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    }
    return kept | {
        "AIRFLOW_HOME": str(folder),
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONWARNINGS": "ignore",
        **{f"AIRFLOW__{name}": value for name, value in section.items()},
    }


def password(home: Path) -> str:
    """The password of `LOGIN`, made at the first call and kept."""
    return _secrets(home / "airflow")["password"]


def migrate(home: Path, server: Server, *, say: Say = print) -> bool:
    """Make the metadata database ready; return whether it had to be migrated (some seconds)."""
    wanted = f"airflow {version('apache-airflow')}"
    if server.has_database(DATABASE):
        if _comment(server, DATABASE) == wanted:
            return False
        say("  airflow: migrating the metadata to this version")
        _migrate(home, server, DATABASE, wanted)
        return True
    migrated = False
    if not (server.has_database(_TEMPLATE) and _comment(server, _TEMPLATE) == wanted):
        say("  airflow: making the template of its metadata (once; about 5 s)")
        building = f"{_TEMPLATE}_building"
        server.drop_database(building)
        server.ensure_database(building)
        _migrate(home, server, building, wanted)
        server.drop_database(_TEMPLATE)
        server.rename_database(building, _TEMPLATE)
        migrated = True
    server.ensure_database(DATABASE, template=_TEMPLATE)
    _set_comment(server, DATABASE, wanted)
    return migrated


def run_day(
    home: Path, environment: dict[str, str], waves: Sequence[Sequence[str]], *, say: Say = print
) -> None:
    """Run waves of DAGs (``name`` or ``name:key=value``), each until all it set off is done.

    Raises:
        TieoutError: ``DAY_FAILED``, with the failed tasks and their log files.
    """
    command = [sys.executable, "-m", "tieout_airflow.oneprocess"]
    for wave in waves:
        command += ["--wave", *wave]
    log = home / "logs" / "airflow-day.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    failed: list[str] = []
    with log.open("ab") as errors:
        child = subprocess.Popen(
            command,
            env=environment,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        try:
            assert child.stdout is not None
            for line in child.stdout:
                say(f"  {line.rstrip()}")
                if line.startswith("FAILED"):
                    failed.append(line.rstrip())
            code = child.wait()
        finally:
            end(child.pid, seconds=5)
    if code:
        raise TieoutError(
            "DAY_FAILED",
            "; ".join(failed) or f"the runner ended with code {code}",
            where=str(log),
            remedy="read the log named above; running the demo again goes on where it stopped",
        )


def end(*pids: int, seconds: float = 20.0) -> list[int]:
    """End processes and everything they started, gently first; return those that were running."""
    import psutil

    parents: list[psutil.Process] = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            parents.append(psutil.Process(pid))
    family = list(parents)
    for parent in parents:
        with suppress(psutil.NoSuchProcess):
            family += parent.children(recursive=True)
            parent.send_signal(signal.SIGTERM)
    psutil.wait_procs(parents, timeout=seconds)
    left = [each for each in family if each.is_running()]
    for kind in (signal.SIGTERM, signal.SIGKILL):
        for each in left:
            with suppress(psutil.NoSuchProcess):
                each.send_signal(kind)
        _, left = psutil.wait_procs(left, timeout=5)
    return [each.pid for each in parents]


def _migrate(home: Path, server: Server, database: str, wanted: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"],
        env=settings(home, server, database=database),
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = (done.stderr + done.stdout)[-1500:].strip()
        raise TieoutError("METADATA_NOT_MIGRATED", tail, where=f"database {database}")
    _set_comment(server, database, wanted)


def _comment(server: Server, database: str) -> str | None:
    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
    with psycopg.connect(server.libpq("postgres")) as connection:
        row = connection.execute(query, [database]).fetchone()
    return row[0] if row else None


def _set_comment(server: Server, database: str, text: str) -> None:
    statement = sql.SQL("COMMENT ON DATABASE {} IS {}")
    with psycopg.connect(server.libpq("postgres"), autocommit=True) as connection:
        connection.execute(statement.format(sql.Identifier(database), sql.Literal(text)))


def _secrets(folder: Path) -> dict[str, str]:
    """Keys and the login's password, made once; the password file is Airflow's own shape."""
    path = folder / "secrets.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = {
            "fernet": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "api": secrets.token_hex(32),
            "jwt": secrets.token_hex(64),
            "password": secrets.token_urlsafe(9),
        }
        _write(folder / "passwords.json", {LOGIN: made["password"]})
        _write(path, made)
    known: dict[str, str] = json.loads(path.read_text())
    return known


def _write(path: Path, content: dict[str, str]) -> None:
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content) + "\n")
    draft.replace(path)
