"""The embedded PostgreSQL: it outlives its starter, survives a hard kill, and stops cleanly."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import sqlalchemy

from tieout.errors import LedgerError
from tieout.ledger.embedded import Server, ensure_server, running_server, stop_server
from tieout.ledger.postmaster import postmaster

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (
    "import sys; from pathlib import Path; from tieout.ledger.embedded import ensure_server;"
    "print(ensure_server(Path(sys.argv[1]), durable=False).address('postgres'))"
)


@pytest.fixture
def home() -> Iterator[Path]:
    """A home outside pytest's own folder: any other pytest that starts closes that to others."""
    path = Path(tempfile.mkdtemp(prefix="tieout-home-"))
    yield path
    stop_server(path)
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    path = Path(tempfile.mkdtemp(prefix="tieout-home-"))
    server = ensure_server(path, durable=False)
    yield server
    stop_server(path)
    assert running_server(path) is None
    assert not server.socket_dir.exists()
    shutil.rmtree(path)


def server_pid(server: Server) -> int:
    process = postmaster(server.home)
    assert process is not None
    return int(process.pid)


def version(address: str) -> str:
    engine = sqlalchemy.create_engine(address)
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SHOW server_version").scalar_one()
    engine.dispose()
    return str(found)


def test_addresses(server: Server) -> None:
    assert version(server.address("postgres")).startswith("18.")
    assert version(server.address("postgres", driver="psycopg2")).startswith("18.")
    with psycopg.connect(server.libpq("postgres")) as connection:
        settings = connection.execute(
            "SELECT current_setting('max_connections'), current_setting('listen_addresses'),"
            " current_setting('TimeZone'), current_setting('server_encoding')"
        ).fetchone()
    assert settings == ("200", "", "UTC", "UTF8")


def test_the_other_variables_of_a_user_do_not_matter(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGHOST", "nowhere.invalid")
    monkeypatch.setenv("PGDATABASE", "nothing")
    assert running_server(server.home) == server


def test_databases(server: Server) -> None:
    assert server.ensure_database("first")
    assert not server.ensure_database("first")
    with psycopg.connect(server.libpq("first")) as connection:
        connection.execute("CREATE TABLE t AS SELECT 7 AS n")
    assert server.ensure_database('copy "of" first', template="first")
    connection = psycopg.connect(server.libpq('copy "of" first'))
    assert connection.execute("SELECT n FROM t").fetchone() == (7,)
    server.drop_database('copy "of" first')  # ends the session
    connection.close()
    assert not server.has_database('copy "of" first')
    server.rename_database("first", "second")
    assert (server.has_database("first"), server.has_database("second")) == (False, True)
    server.drop_database("second")
    server.drop_database("second")


def test_a_template_that_is_not_there(server: Server) -> None:
    with pytest.raises(LedgerError, match="DATABASE_NOT_CREATED"):
        server.ensure_database("copy", template="nowhere")


def test_many_at_once_make_one_database(server: Server) -> None:
    made: list[bool] = []
    threads = [
        threading.Thread(target=lambda: made.append(server.ensure_database("race")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [False, False, False, True]


def test_it_outlives_the_process_that_started_it(home: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(home)]
    first = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    server = running_server(home)
    assert server is not None
    assert first.stdout.strip() == server.address("postgres")
    pid = server_pid(server)
    assert ensure_server(home) == server
    assert server_pid(server) == pid
    assert stop_server(home)
    assert not stop_server(home)
    assert running_server(home) is None


def test_two_processes_start_one_server(home: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(home)]
    both = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = {child.communicate(timeout=60)[0] for child in both}
    assert [child.returncode for child in both] == [0, 0]
    assert len(said) == 1
    assert stop_server(home)


def test_it_recovers_from_a_hard_kill(home: Path) -> None:
    server = ensure_server(home, durable=False)
    server.ensure_database("kept")
    with psycopg.connect(server.libpq("kept"), autocommit=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT 7 AS n")
    os.kill(server_pid(server), signal.SIGKILL)
    again = ensure_server(home, durable=False)
    with psycopg.connect(again.libpq("kept")) as connection:
        assert connection.execute("SELECT n FROM t").fetchone() == (7,)
    assert stop_server(home)


@pytest.mark.parametrize("pid", ["ours", "999999999", "not a number", ""])
def test_a_stale_process_id_file_is_no_hindrance(home: Path, pid: str) -> None:
    """A process id may by now be another program's: ours, here."""
    server = ensure_server(home, durable=False)
    stop_server(home)
    first = str(os.getpid()) if pid == "ours" else pid
    stale = f"{first}\n{home}/pg\n1\n5432\n{server.socket_dir}\n"
    (home / "pg" / "postmaster.pid").write_text(stale)
    assert not stop_server(home)
    assert psutil.pid_exists(os.getpid())
    assert ensure_server(home, durable=False) == server
    assert stop_server(home)


def test_a_server_without_its_socket_is_replaced(home: Path) -> None:
    server = ensure_server(home, durable=False)
    pid = server_pid(server)
    shutil.rmtree(server.socket_dir)
    again = ensure_server(home, durable=False)
    assert server_pid(again) != pid
    assert version(again.address("postgres"))
    assert stop_server(home)


def test_deep_folders_with_odd_names(home: Path) -> None:
    deep = home / ("deep" * 30) / "with 'quotes' and spaces %41"
    server = ensure_server(deep, durable=False)
    assert len(str(server.socket_dir)) < 100 < len(str(deep))
    assert version(server.address("postgres")).startswith("18.")
    assert stop_server(deep)


def test_half_a_data_folder_never_counts(home: Path) -> None:
    (home / "pg.new" / "base").mkdir(parents=True)
    server = ensure_server(home, durable=False)
    assert version(server.address("postgres"))
    assert not (home / "pg.new").exists()
    assert stop_server(home)


def test_data_that_is_none_of_ours_is_not_overwritten(home: Path) -> None:
    (home / "pg").mkdir()
    (home / "pg" / "precious").write_text("x")
    with pytest.raises(LedgerError, match="SERVER_NOT_STARTED"):
        ensure_server(home)
    assert (home / "pg" / "precious").read_text() == "x"


def as_nobody(command: list[str], home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        user=65534,
        group=65534,
        extra_groups=[],
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="the suite already runs as an ordinary user")
def test_as_an_ordinary_user(home: Path) -> None:
    os.chown(home, 65534, 65534)
    try:
        as_nobody([sys.executable, "-c", "pass"], home)
    except PermissionError:
        pytest.skip("an ordinary user cannot run this environment's Python")
    child = as_nobody([sys.executable, "-B", "-c", PROGRAM, str(home)], home)
    assert child.returncode == 0, child.stderr
    process = postmaster(home)
    assert process is not None
    assert process.uids().real == 65534
    assert version(child.stdout.strip()).startswith("18.")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_s_server_runs_as_someone_else(server: Server) -> None:
    process = postmaster(server.home)
    assert process is not None
    assert process.uids().real != 0
    assert server.socket_dir.stat().st_mode & 0o077 == 0
