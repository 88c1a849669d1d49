"""``make up``: a real Airflow over the day's state; used over its REST API, cleared, and ended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from sandbox import airflow, services, up
from tests.dags.day import RunDay

pytestmark = pytest.mark.e2e

_RUN_SECONDS_MAX = 180


@pytest.fixture(scope="module")
def address(run_day: RunDay) -> Iterator[str]:
    """A real Airflow, up for the tests of this module."""
    yield up.start(run_day.home, say=lambda _: None)
    up.stop(run_day.home, say=lambda _: None)


@pytest.fixture(scope="module")
def api(address: str, run_day: RunDay) -> Iterator[up.Api]:
    """Logged in with the generated password."""
    found = up.Api(address, airflow.password(run_day.home))
    yield found
    found.close()


def _wait(api: up.Api, dag_id: str, run_id: str) -> str:
    deadline = time.monotonic() + _RUN_SECONDS_MAX
    while True:
        state = str(api.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}")["state"])
        if state in ("success", "failed"):
            return state
        assert time.monotonic() < deadline, f"{dag_id} {run_id} is {state}"
        time.sleep(0.3)


def _runs(api: up.Api, dag_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.call("GET", f"/dags/{dag_id}/dagRuns")["dag_runs"]  # type: ignore[assignment]
    return found


def _postings(run_day: RunDay) -> int:
    with psycopg.connect(run_day.server().libpq("tieout")) as connection:
        row = connection.execute("SELECT count(*) FROM outbox").fetchone()
    assert row is not None
    return int(row[0])


def test_it_listens_on_loopback_only(address: str, run_day: RunDay) -> None:
    assert address.startswith("http://127.0.0.1:")
    open_ports = [
        connection.laddr.ip
        for pid in up.components(run_day.home).values()
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert set(open_ports) == {"127.0.0.1"}


@pytest.mark.parametrize(
    "path", ["docs/index.html", "reports/2026-11-20/x.pdf", "docs/", "docs/.."]
)
def test_strangers_see_no_page_of_ours(address: str, path: str) -> None:
    answer = httpx.get(f"{address}/tieout/{path.replace('..', '%2e%2e')}", trust_env=False)
    assert answer.status_code == 401


def test_data_docs_open_for_who_is_logged_in(api: up.Api) -> None:
    answer = api.get("/tieout/docs/index.html")
    assert answer.status_code == 200
    assert "<html" in answer.text.lower()
    assert api.get("/tieout/docs/%2e%2e/pg.lock").status_code == 404


def test_a_run_links_to_its_own_data_docs(api: up.Api) -> None:
    first = min(run["dag_run_id"] for run in _runs(api, "ingest_statements"))
    place = f"/dags/ingest_statements/dagRuns/{first}/taskInstances/validate/links"
    links: Any = api.call("GET", place)["extra_links"]
    assert str(links["Data Docs"]).startswith("/tieout/docs/statements/")
    page = api.get(str(links["Data Docs"]))
    assert page.status_code == 200
    assert "Data quality: statements" in page.text
    assert "entries" in page.text


def test_arrivals_of_the_day_are_asked_for(api: up.Api) -> None:
    day = {"day": "2026-11-20"}
    run = api.call("POST", "/dags/expect_statements/dagRuns", logical_date=None, conf=day)
    run_id = str(run["dag_run_id"])
    assert _wait(api, "expect_statements", run_id) == "success"
    place = f"/dags/expect_statements/dagRuns/{run_id}/taskInstances/arrivals"
    assert api.call("GET", place)["state"] == "skipped"  # every statement of the day is there


def test_the_runs_of_the_demo_are_there(api: up.Api) -> None:
    runs = _runs(api, "close_report")
    assert runs
    assert {run["state"] for run in runs} == {"success"}


def test_a_dag_triggered_by_hand_succeeds(api: up.Api, run_day: RunDay) -> None:
    before = _postings(run_day)
    run = api.call("POST", "/dags/ingest_statements/dagRuns", logical_date=None)
    assert _wait(api, "ingest_statements", str(run["dag_run_id"])) == "success"
    assert _postings(run_day) == before


@pytest.mark.parametrize("dag_id", ["ingest_statements", "reconcile", "post_adjustments"])
def test_clearing_a_run_posts_nothing_twice(api: up.Api, run_day: RunDay, dag_id: str) -> None:
    before = _postings(run_day)
    assert before > 0
    run_id = min(run["dag_run_id"] for run in _runs(api, dag_id))
    api.call("POST", f"/dags/{dag_id}/dagRuns/{run_id}/clear", dry_run=False)
    assert _wait(api, dag_id, run_id) == "success"
    assert _postings(run_day) == before


def test_down_leaves_no_process(address: str, run_day: RunDay) -> None:
    family = [
        process
        for pid in up.components(run_day.home).values()
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    ]
    assert len(family) >= 8  # four components and the scheduler's workers
    up.stop(run_day.home, say=lambda _: None)
    assert [each for each in family if each.is_running()] == []
    assert up.running(run_day.home) is None
    assert services.stop(run_day.home) == []
