"""``make demo``: a business day end to end; ``python -m sandbox.demo [--reset]``.

Starts a real Tryton, SFTP and mail server, lays a day of bank files and an expense extract on the
drops, runs the real DAGs through Airflow's own machinery, and prints the day's summary. A second
run on the same state finds nothing new and posts nothing. What it started is stopped at its end,
also after Ctrl-C or an error; everything it made lies in the data folder (``TIEOUT_HOME``).
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import Final

import psycopg

from sandbox import airflow, services, smtp, up
from tieout.errors import TieoutError
from tieout.home import data_home

__all__ = ["main"]

_STEPS: Final = 7
_COUNTS: Final = (
    "SELECT (SELECT count(*) FROM files), (SELECT count(*) FROM outbox WHERE state = 'CONFIRMED')"
)


def main(argv: list[str] | None = None) -> int:
    """Run the demo; 0 when every DAG run succeeded, 1 with the reason otherwise, 130 on Ctrl-C."""
    parser = argparse.ArgumentParser(prog="sandbox.demo", description="a business day, end to end")
    parser.add_argument("--reset", action="store_true", help="forget the day and start over")
    parser.add_argument("--missing", action="store_true", help="the missing statement arrives")
    parser.add_argument("--home", type=Path, default=data_home(), help="data folder")
    args = parser.parse_args(argv)
    home: Path = args.home.resolve()
    address = up.running(home)
    if address is not None:
        print(f"Airflow is up at {address}: trigger ingest_statements there, or `make down`")
        return 1
    # Ended from outside is ended like Ctrl-C, and Ctrl-C counts also where a shell ignores it for
    # its background jobs: the servers are stopped.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    home.mkdir(parents=True, exist_ok=True)
    with (home / "demo.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"another demo is at work in {_short(home)}: wait for it", file=sys.stderr)
            return 1
        return _guarded(home, reset=args.reset, missing=args.missing)


def _guarded(home: Path, *, reset: bool, missing: bool) -> int:
    """Run the day; whatever happens, stop what was started."""
    try:
        if reset:
            services.reset(home)
        _run(home, missing=missing)
    except KeyboardInterrupt:
        print("\nstopped; `make demo` goes on where this one ended", file=sys.stderr)
        return 130
    except (TieoutError, RuntimeError) as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1
    finally:
        services.stop(home)
    return 0


def _run(home: Path, *, missing: bool) -> None:
    steps = services.Steps(_STEPS)
    started = time.monotonic()
    day = services.prepare(home, steps, missing=missing)
    ready = time.monotonic()
    files, postings = _count(day)
    with steps.step("the day: six DAGs, run by Airflow's own scheduler and supervisor"):
        report = f"close_report:day={day.world.business_day}"
        waves = [["ingest_statements", "sync_expenses"], [report]]
        airflow.run_day(home, day.environment, waves)
    with steps.step("what the treasurer sees"):
        proposals = _summary(day)
    files_now, postings_now = _count(day)
    done = time.monotonic()
    print(_outcome(files_now - files, postings_now - postings))
    print(f"{done - started:.0f} s in all, of them {done - ready:.0f} s for the day itself\n")
    _places(day)
    _next(proposals)


def _count(day: services.Day) -> tuple[int, int]:
    """How many files the ledger knows, and how many postings the ERP has confirmed."""
    with psycopg.connect(day.server.libpq("tieout")) as connection:
        row = connection.execute(_COUNTS).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _outcome(files: int, postings: int) -> str:
    if not files and not postings:
        return "0 files new, 0 postings: nothing to do"
    return f"files new: {files}, postings: {postings}"


def _summary(day: services.Day) -> list[str]:
    """Show the day's tie-out, read as the report's mail was; returns the commands that approve."""
    from tieout.ledger import Ledger
    from tieout.reports import text
    from tieout.stages.report import build_report

    ledger = Ledger(day.server.address("tieout"))
    try:
        with ledger.session() as session:
            report = build_report(session, day.world.business_day, day.world.company_name)
        text.show(report)
    finally:
        ledger.close()
    return [row.command for row in report.proposals]


def _places(day: services.Day) -> None:
    home = day.home
    mails = smtp.mails(home / "sandbox" / "mail")
    reports = sorted((home / "reports").rglob("*.*"))
    shown = [("mail", mails[-1])] if mails else []
    shown += [(path.suffix[1:].upper(), path) for path in reports if path.is_file()]
    docs = home / "docs" / "index.html"
    shown += [("Data Docs", docs)] if docs.exists() else []
    for name, path in shown:
        print(f"  {name:<10} {_short(path)}")
    print(f"  {'ledger':<10} PostgreSQL in {_short(home / 'pg')}, database tieout")


def _next(proposals: list[str]) -> None:
    """What to try next, each line as one types it."""
    tries = [("make demo", "the same day again: takes nothing in, posts nothing")]
    if proposals:
        command = f".venv/bin/{proposals[0]} --as anna"
        tries.append((command, "a second person approves; the next run posts it"))
    tries += [
        ("make demo MISSING=1", "the missing statement arrives: the red account ties out"),
        ("make up", "look at the runs in Airflow; clear or trigger them"),
        (".venv/bin/tieout verify", "walk the audit chain, ask the posting invariants"),
        ("make demo RESET=1", "start over"),
    ]
    width = max(len(command) for command, _ in tries)
    print("\nNext:")
    for command, words in tries:
        print(f"  {command:<{width}}  {words}")


def _short(path: Path) -> str:
    """The path as one types it: relative where that is shorter, quoted where it must be."""
    relative = os.path.relpath(path)
    return shlex.quote(min(relative, str(path), key=len))


if __name__ == "__main__":
    raise SystemExit(main())
