"""The demo's day through Airflow's own machinery: what it did, and that a second one does nothing.

Everything is real: SFTP, Tryton, SMTP, PostgreSQL, Airflow's scheduler and task supervisor.
"""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any

import psycopg
import pytest

from sandbox import services, smtp
from sandbox.tryton import service
from tests import canaries
from tests.dags.day import RunDay

pytestmark = pytest.mark.e2e


@pytest.fixture
def metadata(run_day: RunDay) -> Iterator[psycopg.Connection[Any]]:
    """A session in Airflow's metadata."""
    with psycopg.connect(run_day.server().libpq("airflow")) as connection:
        yield connection
    services.stop(run_day.home)


@pytest.fixture
def ledger(run_day: RunDay) -> Iterator[psycopg.Connection[Any]]:
    """A session in the ledger."""
    with psycopg.connect(run_day.server().libpq("tieout")) as connection:
        yield connection
    services.stop(run_day.home)


def _column(connection: psycopg.Connection[Any], query: str) -> list[Any]:
    return [row[0] for row in connection.execute(query)]


def test_every_run_succeeded(metadata: psycopg.Connection[Any]) -> None:
    states = set(_column(metadata, "SELECT state FROM dag_run"))
    assert states == {"success"}


def test_all_six_dags_ran(metadata: psycopg.Connection[Any]) -> None:
    ran = _column(metadata, "SELECT DISTINCT dag_id FROM dag_run ORDER BY 1")
    assert ran == [
        "close_report",
        "ingest_statements",
        "post_adjustments",
        "reconcile",
        "sync_books",
        "sync_expenses",
    ]


def test_assets_set_off_the_later_dags(metadata: psycopg.Connection[Any]) -> None:
    query = "SELECT DISTINCT dag_id FROM dag_run WHERE run_type = 'asset_triggered' ORDER BY 1"
    assert _column(metadata, query) == ["post_adjustments", "reconcile", "sync_books"]
    consumed = "SELECT count(*) FROM dagrun_asset_event"
    assert _column(metadata, consumed)[0] > 0


def test_the_ring_of_assets_came_to_rest(metadata: psycopg.Connection[Any]) -> None:
    assert _column(metadata, "SELECT count(*) FROM asset_dag_run_queue") == [0]


def test_files_and_accounts_were_mapped(metadata: psycopg.Connection[Any]) -> None:
    query = (
        "SELECT DISTINCT dag_id || '.' || task_id FROM task_instance "
        "WHERE map_index >= 0 ORDER BY 1"
    )
    assert _column(metadata, query) == ["ingest_statements.read", "reconcile.account"]


def test_tasks_left_their_logs_where_airflow_looks(run_day: RunDay) -> None:
    logs = list((run_day.home / "airflow" / "logs").rglob("task_id=post_tryton/attempt=1.log"))
    assert logs
    assert any("PostResult(" in log.read_text() for log in logs)


def test_secrets_are_in_no_log_table_report_or_mail(run_day: RunDay) -> None:
    """In Airflow's metadata too: rendered templates, XComs, events, serialised DAGs."""
    keys = [key for key in (run_day.home / "sandbox" / "keys").iterdir() if not key.suffix]
    secrets = {"Tryton": service.passwords(run_day.home)[service.LOGIN]} | {
        key.name: key.read_text().splitlines()[2] for key in keys if "PRIVATE" in key.read_text()
    }
    assert len(secrets) > 1
    texts: dict[str, str] = {}
    public = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    for database in ("airflow", "tieout"):
        with psycopg.connect(run_day.server().libpq(database)) as connection:
            for table in _column(connection, public):
                rows = _column(connection, f'SELECT row_to_json(t)::text FROM "{table}" t')
                texts[f"{database} {table}"] = "\n".join(rows)
    services.stop(run_day.home)
    assert texts["airflow rendered_task_instance_fields"]
    for place in ("airflow/logs", "reports", "docs", "logs", "sandbox/mail"):
        if (run_day.home / place).is_dir():
            texts |= canaries.files(run_day.home / place)
    assert canaries.find(secrets, texts) == []


def test_xcoms_hold_ids_only(metadata: psycopg.Connection[Any]) -> None:
    longest = _column(metadata, "SELECT max(length(value::text)) FROM xcom")[0]
    assert longest < 2000


def test_postings_have_numbers_of_the_erp(ledger: psycopg.Connection[Any]) -> None:
    numbers = _column(ledger, "SELECT document_no FROM outbox WHERE state = 'CONFIRMED' ORDER BY 1")
    assert numbers
    assert all(number for number in numbers)
    assert len(set(numbers)) == len(numbers)


def test_the_report_was_mailed_once(run_day: RunDay) -> None:
    mails = smtp.mails(run_day.home / "sandbox" / "mail")
    assert len(mails) == 1
    message = message_from_bytes(mails[0].read_bytes(), policy=policy.default)
    kinds = sorted(part.get_content_type() for part in message.iter_attachments())
    assert "application/pdf" in kinds


def test_the_summary_is_printed(run_day: RunDay) -> None:
    for wanted in ("NORD-EUR-MAIN", "NORD-USD", "Posted", "Data Docs", "make demo RESET=1"):
        assert wanted in run_day.said


def test_a_second_day_takes_nothing_in_and_posts_nothing(run_day: RunDay) -> None:
    again = run_day.demo()
    assert again.returncode == 0, again.stdout[-3000:] + again.stderr[-3000:]
    assert "0 files new, 0 postings: nothing to do" in again.stdout
    assert len(smtp.mails(run_day.home / "sandbox" / "mail")) == 1


def test_nothing_runs_after_the_demo(run_day: RunDay) -> None:
    assert services.stop(run_day.home) == []
