"""The simulated NetSuite keeps the manners of the real one: logins, queries, jobs, limits."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.simulators.netsuite_fields import RECORDS, SUBLISTS
from tests.sandbox.netsuite_client import HOST, RECORD, Client, journal, reasons

JOURNAL = f"{RECORD}/journalEntry"
SCHEMAS = Path(__file__).resolve().parents[3] / "shared/specs/netsuite/record_schemas.tsv"
ASYNC = {"Prefer": "respond-async"}


@pytest.fixture
def client() -> Client:
    return Client()


def key() -> str:
    return str(uuid.uuid4())


ASSERTIONS: dict[str, dict[str, Any]] = {
    "RS256": {"header": {"alg": "RS256"}},
    "another certificate": {"header": {"kid": "certificate-2"}},
    "another audience": {"aud": "https://elsewhere.example/token"},
    "another client": {"iss": "somebody"},
    "longer than an hour": {"exp": 3_700},
    "expired": {"iat": -600, "exp": -300},
    "without jti": {"jti": None},
}


@pytest.mark.parametrize("spoilt", ASSERTIONS.values(), ids=ASSERTIONS)
def test_a_spoilt_assertion_gets_no_token(client: Client, spoilt: dict[str, Any]) -> None:
    now = int(time.time())  # of the moment it is sent: other tests may have run for minutes
    claims = {k: now + v if k in ("exp", "iat") else v for k, v in spoilt.items()}
    answer = client.token(client.assertion(**claims))
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})


def test_an_assertion_is_good_once(client: Client) -> None:
    assertion = client.assertion()
    granted = client.token(assertion).json()
    assert (granted["expires_in"], granted["token_type"]) == ("3600", "Bearer")
    assert "refresh_token" not in granted
    assert client.token(assertion).json() == {"error": "invalid_grant"}
    assert client.token(grant_type="password").json() == {"error": "unsupported_grant_type"}
    scope = client.assertion(scope=["restlets"])
    assert client.token(scope).json() == {"error": "invalid_scope"}


def test_a_token_lives_an_hour(client: Client) -> None:
    assert client.request("GET", JOURNAL).status_code == 200
    client.simulator.clock.advance(3_601)
    assert reasons(client.request("GET", JOURNAL)) == (401, "INVALID_LOGIN", "")


def test_suiteql_answers_in_its_envelope(client: Client) -> None:
    page = client.suiteql("SELECT ID, AcctNumber, currency FROM account ORDER BY id", limit="3")
    found = page.json()
    assert set(found) == {"links", "count", "hasMore", "items", "offset", "totalResults"}
    assert (found["count"], found["hasMore"], found["offset"]) == (3, True, 0)
    first = found["items"][0]
    assert (first["id"], first["acctnumber"]) == ("58", "6855"), "lower case, ids as text"
    assert "currency" not in first, "a column without a value is left out"


QUERIES = {
    "limit": ("SELECT id FROM account", {"limit": "1001"}, "INVALID_PARAMETER"),
    "offset": ("SELECT id FROM account", {"limit": "10", "offset": "5"}, "INVALID_PARAMETER"),
    "column": ("SELECT nothing FROM account", {}, "INVALID_PARAMETER"),
    "change": ("DELETE FROM account", {}, "INVALID_PARAMETER"),
    "two": ("SELECT id FROM account; SELECT 1", {}, "INVALID_PARAMETER"),
}


@pytest.mark.parametrize(("query", "params", "code"), QUERIES.values(), ids=QUERIES)
def test_a_spoilt_query_is_refused(
    client: Client, query: str, params: dict[str, str], code: str
) -> None:
    assert reasons(client.suiteql(query, **params))[:2] == (400, code)


def test_a_query_must_be_transient(client: Client) -> None:
    answer = client.request("POST", "/services/rest/query/v1/suiteql", {"q": "SELECT 1"})
    assert reasons(answer) == (400, "INVALID_REQUEST", "Prefer")


def test_a_query_reaches_so_many_rows_and_no_more(client: Client) -> None:
    tables = client.simulator.ledger.tables
    assert tables.rows_max == 100_000
    tables.rows_max = 4
    page = client.suiteql("SELECT id FROM account", limit="2", offset="2").json()
    assert (page["count"], page["hasMore"], page["totalResults"]) == (2, False, 4)
    assert client.suiteql("SELECT id FROM account", limit="2", offset="4").json()["items"] == []


def test_a_job_goes_its_way_and_its_result_is_replayed(client: Client) -> None:
    taken = client.request("POST", JOURNAL, journal("EXP-1"), **ASYNC)
    assert (taken.status_code, taken.headers["preference-applied"]) == (202, "respond-async")
    job = taken.headers["location"].removeprefix(HOST)
    assert client.simulator.documents("EXP-1") == [], "202 is not done"
    told = client.request("GET", job).json()
    assert (told["progress"], told["completed"]) == ("pending", False)
    assert client.request("GET", f"{job}/task/1/result").status_code == 404
    client.simulator.jobs.begin()
    assert client.request("GET", job).json()["progress"] == "processing"
    client.simulator.work()
    assert client.request("GET", job).json() | {"links": []} == told | {
        "links": [],
        "progress": "succeeded",
        "completed": True,
    }
    result = client.request("GET", f"{job}/task/1/result")
    (document,) = client.simulator.documents("EXP-1")
    assert (result.status_code, result.content) == (204, b"")
    assert result.headers["location"] == f"{HOST}{JOURNAL}/{document['id']}"


def test_a_job_that_fails_replays_the_error(client: Client) -> None:
    taken = client.request("POST", JOURNAL, journal("EXP-1", credit=99), **ASYNC)
    client.simulator.work()
    job = taken.headers["location"].removeprefix(HOST)
    assert client.request("GET", job).json()["progress"] == "failed"
    assert client.request("GET", f"{job}/task").json()["count"] == 1
    assert reasons(client.request("GET", f"{job}/task/1/result")) == (400, "USER_ERROR", "line")


def test_a_key_used_again_names_the_first_job_for_a_day(client: Client) -> None:
    own = {**ASYNC, "X_NetSuite_Idempotency_Key": key()}
    first = client.request("POST", JOURNAL, journal("EXP-1"), **own)
    again = client.request("POST", JOURNAL, journal("EXP-1"), **own)
    assert (again.json()["title"], reasons(again)[1]) == ("Conflict", "IDEMPOTENCY_ERROR")
    assert again.headers["location"] == first.headers["location"]
    client.simulator.clock.advance(86_401)
    client.headers = Client(client.simulator).headers
    later = client.request("POST", JOURNAL, journal("EXP-1"), **own)
    assert later.headers["location"] != first.headers["location"], "the key is forgotten"
    client.simulator.work()
    assert len(client.simulator.documents("EXP-1")) == 1, "the external id is not"


def test_a_key_is_a_uuid_and_means_nothing_to_a_direct_request(client: Client) -> None:
    refused = client.request(
        "POST", JOURNAL, journal("EXP-1"), **ASYNC, X_NetSuite_Idempotency_Key="EXP-1"
    )
    assert reasons(refused) == (400, "INVALID_REQUEST", "X-NetSuite-Idempotency-Key")
    own = {"X_NetSuite_Idempotency_Key": key()}
    for _ in range(2):
        assert client.request("POST", JOURNAL, journal(), **own).status_code == 204


def test_a_collection_is_taken_in_the_queue_only(client: Client) -> None:
    kind = {"Content_Type": "application/vnd.oracle.resource+json; type=collection"}
    bodies = {"items": [journal("EXP-1"), journal("EXP-2", credit=1), journal("EXP-3")]}
    assert reasons(client.request("POST", JOURNAL, bodies, **kind))[1] == "INVALID_REQUEST"
    many = {"items": [journal()] * 101}
    assert reasons(client.request("POST", JOURNAL, many, **kind, **ASYNC))[2] == "items"
    taken = client.request("POST", JOURNAL, bodies, **kind, **ASYNC)
    client.simulator.work()
    job = taken.headers["location"].removeprefix(HOST)
    results = [client.request("GET", f"{job}/task/{n}/result").status_code for n in (1, 2, 3)]
    assert results == [204, 400, 204], "each record has an outcome of its own"


def test_the_limit_of_concurrency_is_the_whole_account_s(client: Client) -> None:
    client.simulator.gate.occupied = 5
    refused = client.request("POST", JOURNAL, journal("EXP-1"))
    assert reasons(refused) == (429, "CONCURRENCY_LIMIT_EXCEEDED", "")
    assert "retry-after" not in refused.headers
    client.simulator.gate.occupied = 4
    assert client.request("POST", JOURNAL, journal("EXP-1")).status_code == 204


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("throttle", 429, "CONCURRENCY_LIMIT_EXCEEDED"),
        ("nested throttle", 400, "USER_ERROR"),
        ("restlet throttle", 400, "SSS_REQUEST_LIMIT_EXCEEDED"),
        ("expired token", 401, "INVALID_LOGIN"),
        ("error before", 500, "UNEXPECTED_ERROR"),
    ],
)
def test_faults_are_told_in_netsuite_s_manner(
    client: Client, fault: str, status: int, code: str
) -> None:
    client.simulator.plan.add("create", fault)
    assert reasons(client.request("POST", JOURNAL, journal("EXP-1")))[:2] == (status, code)
    assert client.simulator.documents("EXP-1") == []


def test_every_property_is_one_netsuite_has() -> None:
    if not SCHEMAS.is_file():
        pytest.skip(f"the tables of record types are not there: {SCHEMAS}")
    known: dict[str, set[str]] = {}
    with SCHEMAS.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            known.setdefault(row["definition"], set()).add(row["property"])
    # The table of a payment's credits is not among them; its twin's columns are.
    known["vendorPayment-credit"] = known["vendorPayment-apply"]
    for name, properties in {**RECORDS, **SUBLISTS}.items():
        assert set(properties) - known[name] == set(), name


def test_it_is_driven_and_checked_from_another_process() -> None:
    command = [sys.executable, "-m", "sandbox.simulators.netsuite", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            base = process.stdout.readline().strip()
            with httpx.Client(base_url=base, timeout=5, trust_env=False) as control:
                own = control.get("/_control/credentials").json()
                assert own["private_key"].startswith("-----BEGIN PRIVATE KEY-----")
                control.post(
                    "/_control/faults", json={"operation": "token", "faults": ["throttle"]}
                )
                assert control.post("/services/rest/auth/oauth2/v1/token").status_code == 429
                assert control.get("/_control/seen").json() == {"token": 1}
                assert len(control.get("/_control/documents").json()) == 7
                now = control.post("/_control/clock", json={"seconds": 60}).json()["now"]
                assert now == "2026-11-21T06:01:00+00:00"
                assert json.loads(control.post("/_control/work").text) == {}
        finally:
            process.terminate()
