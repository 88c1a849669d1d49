"""The Oracle simulator is as strict as its contract: one test for each point of its list."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.simulators.oracle import OracleSimulator, simulator
from sandbox.simulators.oracle_loader import LAYOUTS, LoadError, load
from sandbox.simulators.oracle_routes import BASE
from sandbox.simulators.oracle_world import CONSTANTS
from sandbox.simulators.serve import serving

AUTH = (CONSTANTS["login"], CONSTANTS["password"])
JOB = "/oracle/apps/ess/financials/generalLedger/programs/common,JournalImportLauncher"
Line = dict[int, str]


class Tenant:
    """A simulator and a client in one process."""

    def __init__(self) -> None:
        self.simulator: OracleSimulator = simulator()
        self._transport = httpx.ASGITransport(self.simulator.application)

    async def _ask(self, method: str, path: str, given: dict[str, Any]) -> httpx.Response:
        async with httpx.AsyncClient(
            transport=self._transport, base_url="http://oracle.invalid", auth=AUTH
        ) as client:
            return await client.request(method, path, **given)

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        import asyncio

        return asyncio.run(self._ask(method, path, given))

    def get(self, path: str, version: str = "4", **given: Any) -> Any:
        headers = {"REST-Framework-Version": version} | given.pop("headers", {})
        return self.ask("GET", f"{BASE}/{path}", headers=headers, **given)

    def submit(self, content: bytes, **changes: Any) -> httpx.Response:
        body = request(content) | changes
        body = {key: value for key, value in body.items() if value is not ...}
        return self.ask("POST", f"{BASE}/erpintegrations", json=body)


@pytest.fixture
def tenant() -> Iterator[Tenant]:
    yield Tenant()


def row(debit: str, credit: str, **change: str) -> Line:
    """One line of a good file, by place; ``c10`` changes column 10."""
    found = {
        1: "NEW",
        2: CONSTANTS["ledger_id"],
        3: "2026/11/20",
        4: CONSTANTS["source"],
        5: "Adjustment",
        6: "EUR",
        7: "2026/11/20",
        8: "A",
        9: "01",
        10: "6855",
        11: "110",
        39: debit,
        40: credit,
        43: "BATCH",
        46: "JOURNAL",
        52: "Fee",
        67: "777",
    }
    return found | {int(key[1:]): value for key, value in change.items()}


def zipped(*rows: Line, name: str = "GlInterface.csv", columns: int = 149) -> bytes:
    texts = [",".join(f'"{line.get(n, "")}"' for n in range(1, columns + 1)) for line in rows]
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr(name, "".join(f"{text}\n" for text in texts))
    return memory.getvalue()


def good(**change: str) -> bytes:
    return zipped(row("3.50", "", **change), row("", "3.50", **change))


def request(content: bytes) -> dict[str, Any]:
    das, ledger = CONSTANTS["data_access_set_id"], CONSTANTS["ledger_id"]
    return {
        "OperationName": "importBulkData",
        "DocumentContent": base64.b64encode(content).decode(),
        "ContentType": "zip",
        "FileName": "JE_1.zip",
        "DocumentAccount": "fin$/generalLedger$/import$",
        "JobName": JOB,
        "ParameterList": f"{das},{CONSTANTS['source']},{ledger},777,N,N,N",
        "CallbackURL": "#NULL",
        "NotificationCode": "10",
        "JobOptions": "InterfaceDetails=15,ImportOption=Y,PurgeOption=Y,ExtractFileType=ALL",
    }


def outputs(tenant: Tenant, number: int, kind: str) -> dict[str, str]:
    """The texts of a request's execution details, by file name."""
    finder = f"ESSJobExecutionDetailsRF;requestId={number},fileType={kind}"
    content = tenant.get("erpintegrations", params={"finder": finder}).json()["items"][0]
    if content["DocumentContent"] is None:
        return {}
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(content["DocumentContent"]))) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


REFUSED = (
    {"ParameterList": "1,2,3"},
    {"DocumentAccount": "fin$/payables$/import$"},
    {"JobName": "/oracle/apps/ess/nothing,Nothing"},
    {"ContentType": "csv"},
    {"JobOptions": "InterfaceDetails=1"},
)


@pytest.mark.parametrize("change", REFUSED)
def test_a_refused_submission_is_201_with_minus_one(tenant: Tenant, change: dict[str, str]) -> None:
    answer = tenant.submit(good(), **change)
    assert (answer.status_code, answer.json()["ReqstId"]) == (201, "-1")
    assert tenant.simulator.scheduler.jobs == {}


def test_ids_are_text_and_the_echo_is_there(tenant: Tenant) -> None:
    found = tenant.submit(good()).json()
    assert found["ReqstId"].isdecimal()
    assert found["FileName"] == "JE_1.zip"


UNKNOWN = ({"Filename": "x"}, {"FileName": 7}, {"JobName": ...}, {"OperationName": "import"})


@pytest.mark.parametrize("change", UNKNOWN)
def test_an_unknown_or_missing_field_is_refused(tenant: Tenant, change: dict[str, Any]) -> None:
    assert tenant.submit(good(), **change).status_code == 400


def test_the_parent_pauses_while_its_children_work(tenant: Tenant) -> None:
    number = tenant.submit(good()).json()["ReqstId"]
    states = []
    while not states or states[-1] != "SUCCEEDED":
        finder = f"ESSJobStatusRF;requestId={number}"
        found = tenant.get("erpintegrations", params={"finder": finder}).json()
        states.append(found["items"][0]["RequestStatus"])
        tenant.simulator.scheduler.step()
    ordered = list(dict.fromkeys(states))
    assert ordered == ["WAIT", "READY", "RUNNING", "PAUSED", "COMPLETED", "SUCCEEDED"]
    children = tenant.simulator.scheduler.children(int(number))
    assert [child.state for child in children] == ["SUCCEEDED"] * 4


def test_a_foreign_job_is_blank_to_the_finder_and_known_to_the_scheduler(tenant: Tenant) -> None:
    tenant.submit(good())
    tenant.simulator.scheduler.work()
    child = tenant.simulator.scheduler.children(min(tenant.simulator.scheduler.jobs))[0]
    finder = f"ESSJobStatusRF;requestId={child.id}"
    found = tenant.get("erpintegrations", params={"finder": finder}).json()
    assert found["items"][0]["RequestStatus"] == ""
    asked = tenant.ask("GET", f"/ess/rest/scheduler/v1/requests/{child.id}").json()
    assert (asked["state"], asked["parentRequestId"]) == ("SUCCEEDED", child.parent)


LOADS = (
    # what the file holds, what the loader says
    (good(c7=""), "column 7: ORA-01400"),
    (good(c3="20.11.2026"), "column 3: ORA-01861"),
    (good(c3="2026/11/31"), "column 3: ORA-01861"),
    (good(c39="3,50"), "column 39: ORA-01722"),
    (good(c45="x"), "column 45: no such column"),
    (good(c43="B" * 101), "column 43: Field in data file exceeds maximum length"),
    (zipped(row("1", ""), columns=148), "148 columns, 149 expected"),
    (zipped(row("1", ""), columns=150), "150 columns, 149 expected"),
    (zipped(row("1", ""), name="glinterface.csv"), "the zip holds"),
    (zipped(), "no record"),
    (b"GlInterface.csv", "not a zip"),
)


@pytest.mark.parametrize(("content", "words"), LOADS)
def test_one_bad_record_fails_the_whole_load(tenant: Tenant, content: bytes, words: str) -> None:
    with pytest.raises(LoadError, match=words):
        load(content, "15", 1)
    tenant.submit(content)
    tenant.simulator.scheduler.work()
    jobs = list(tenant.simulator.scheduler.jobs.values())
    assert jobs[0].state == "ERROR"
    assert tenant.simulator.books.rows == []
    assert words in "".join(outputs(tenant, jobs[2].id, "LOG").values())


def test_the_known_columns_are_those_of_the_layout() -> None:
    assert {
        name: layout.columns for files in LAYOUTS.values() for name, layout in files.items()
    } == {
        "GlInterface.csv": 149,
        "ApInvoicesInterface.csv": 135,
        "ApInvoiceLinesInterface.csv": 164,
    }


@pytest.mark.parametrize("change", [{"c67": "778"}, {"c4": "Spreadsheet"}, {"c2": "1"}])
def test_rows_of_another_group_source_or_ledger_are_not_looked_at(
    tenant: Tenant, change: dict[str, str]
) -> None:
    tenant.submit(good(**change))
    tenant.simulator.scheduler.work()
    assert {job.state for job in tenant.simulator.scheduler.jobs.values()} == {"SUCCEEDED"}
    assert [found.status for found in tenant.simulator.books.rows] == ["NEW", "NEW"]
    assert tenant.simulator.books.batches == {}


STATUSES = (
    # a change of the first line, the status of both
    ({"c10": "9999"}, "EF04"),
    ({"c11": "190"}, "EF01"),
    ({"c3": "2026/09/30"}, "EP01"),
    ({"c6": "XXX"}, "EC08"),
    ({"c39": "3.51"}, "EU02"),
)


@pytest.mark.parametrize(("change", "status"), STATUSES)
def test_rejected_rows_stay_behind_a_success(
    tenant: Tenant, change: dict[str, str], status: str
) -> None:
    content = zipped(row("3.50", "", **change), row("", "3.50"))
    tenant.submit(content)
    tenant.simulator.scheduler.work()
    jobs = list(tenant.simulator.scheduler.jobs.values())
    assert {job.state for job in jobs} == {"SUCCEEDED"}
    assert status in [found.status for found in tenant.simulator.books.rows]
    assert tenant.simulator.books.batches == {}
    assert status in "".join(outputs(tenant, jobs[3].id, "OUT").values())
    assert outputs(tenant, jobs[3].id, "LOG").keys() == {f"{jobs[3].id}.log"}
    assert len(outputs(tenant, jobs[3].id, "ALL")) == 2


def test_suspense_makes_an_unbalanced_journal_a_warning(tenant: Tenant) -> None:
    parameters = request(b"")["ParameterList"].replace("777,N", "777,Y")
    tenant.submit(zipped(row("3.50", "")), ParameterList=parameters)
    tenant.simulator.scheduler.work()
    assert [found.status for found in tenant.simulator.books.rows] == ["P"]
    assert len(tenant.simulator.books.batches) == 1


@pytest.mark.parametrize(("siblings", "count"), [(True, 1), (False, 0)])
def test_a_good_journal_beside_a_bad_one(tenant: Tenant, siblings: bool, count: int) -> None:
    tenant.simulator.books.siblings = siblings
    bad = (row("1", "", c46="BAD", c43="BAD", c10="9999"), row("", "1", c46="BAD", c43="BAD"))
    tenant.submit(zipped(row("2", ""), row("", "2"), *bad))
    tenant.simulator.scheduler.work()
    assert len(tenant.simulator.books.batches) == count


def test_names_come_back_decorated(tenant: Tenant) -> None:
    tenant.submit(good())
    tenant.simulator.scheduler.work()
    (batch,) = tenant.get("journalBatches").json()["items"]
    assert batch["BatchName"].startswith("BATCH Tieout ")
    assert batch["BatchName"].endswith(": A 777")


def test_posting_is_a_second_job_and_posts_one_batch(tenant: Tenant) -> None:
    for _ in range(2):
        tenant.submit(good())
        tenant.simulator.scheduler.work()
    first, second = sorted(tenant.simulator.books.batches)
    body = {
        "OperationName": "submitESSJobRequest",
        "JobPackageName": JOB.partition(",")[0],
        "JobDefName": "AutomaticPosting",
        "DocumentId": "#NULL",
        "ESSParameters": f"1,2,{second}",
    }
    path = f"{BASE}/erpintegrations"
    assert tenant.ask("POST", path, json=body).json()["ReqstId"].isdecimal()
    assert tenant.ask("POST", path, json=body | {"JobDefName": "X"}).json()["ReqstId"] == "-1"
    tenant.simulator.scheduler.work()
    found = {number: batch.status for number, batch in tenant.simulator.books.batches.items()}
    assert found == {first: "U", second: "P"}


def test_autopost_posts_what_is_open_and_says_what_is_not(tenant: Tenant) -> None:
    tenant.submit(good(c3="2026/12/01"))  # future: it may be imported, not posted
    tenant.simulator.autopost = True
    tenant.simulator.work()
    (batch,) = tenant.get("journalBatches").json()["items"]
    assert (batch["Status"], batch["ErrorMessage"]) == ("U", "Unopened accounting period Dec-26")
    tenant.simulator.books.world.set_status(
        tenant.simulator.books.batches[batch["JeBatchId"]].booked_on, "O"
    )
    tenant.simulator.work()
    assert tenant.get("journalBatches").json()["items"][0]["StatusMeaning"] == "Posted"


@pytest.mark.parametrize(("fault", "times"), [("", 1), ("twice", 2), ("lost", 0)])
def test_callbacks_come_once_twice_or_never(tenant: Tenant, fault: str, times: int) -> None:
    tenant.simulator.plan.add("callback", fault)
    tenant.submit(good(), CallbackURL="https://tieout.invalid/callback")
    assert tenant.simulator.integrations.callbacks() == []
    tenant.simulator.scheduler.work()
    found = tenant.simulator.integrations.callbacks()
    assert [address for address, _ in found] == ["https://tieout.invalid/callback"] * times


def test_without_job_options_nobody_is_called_back(tenant: Tenant) -> None:
    tenant.submit(good(), CallbackURL="https://tieout.invalid/callback", JobOptions=...)
    tenant.simulator.scheduler.work()
    assert tenant.simulator.integrations.callbacks() == []


def test_pages_say_whether_there_is_more(tenant: Tenant) -> None:
    tenant.simulator.books.world.accounts |= {
        str(n): type(tenant.simulator.books.world.accounts["6855"])(str(n), "Made up")
        for n in range(10_000, 10_600)
    }
    path = "valueSets/NORD_ACCOUNT/child/values"
    assert tenant.get(path).json()["count"] == 25
    found = tenant.get(path, params={"limit": "1000", "totalResults": "true"}).json()
    assert (found["count"], found["limit"], found["hasMore"]) == (499, 499, True)
    assert found["totalResults"] == 615
    last = tenant.get(path, params={"limit": "499", "offset": "499"}).json()
    assert (last["count"], last["hasMore"]) == (116, False)
    assert "totalResults" not in last


QUERIES = (
    # q, framework version, status
    ("Status='P'", "1", 200),
    ("BatchName LIKE 'B%'", "4", 200),
    ("BatchName LIKE 'B%'", "1", 400),
    ("Nothing='P'", "4", 400),
    ("Status==P", "4", 400),
)


@pytest.mark.parametrize(("query", "version", "status"), QUERIES)
def test_filters_are_read_by_framework_version(
    tenant: Tenant, query: str, version: str, status: int
) -> None:
    tenant.submit(good())
    tenant.simulator.scheduler.work()
    answer = tenant.get("journalBatches", version, params={"q": query})
    assert answer.status_code == status


def test_expanded_children_differ_by_framework_version(tenant: Tenant) -> None:
    tenant.submit(good())
    tenant.simulator.scheduler.work()
    expand = {"expand": "journalHeaders.journalLines"}
    old = tenant.get("journalBatches", "1", params=expand).json()["items"][0]
    new = tenant.get("journalBatches", "4", params=expand).json()["items"][0]
    assert isinstance(old["journalHeaders"], list)
    assert new["journalHeaders"]["items"][0]["journalLines"]["count"] == 2


def test_an_error_is_structured_for_those_who_ask_for_it(tenant: Tenant) -> None:
    plain = tenant.get("journalBatches", params={"wrong": "1"})
    assert plain.headers["content-type"].startswith("text/plain")
    accept = {"Accept": "application/vnd.oracle.adf.error+json"}
    told = tenant.get("journalBatches", params={"wrong": "1"}, headers=accept)
    assert (plain.status_code, told.status_code) == (400, 400)
    assert told.json()["o:errorDetails"][0]["o:errorPath"] == "wrong"


def test_upsert_is_refused_where_it_is_not_supported(tenant: Tenant) -> None:
    headers = {"Upsert-Mode": "true", "Accept": "application/vnd.oracle.adf.error+json"}
    answer = tenant.ask("POST", f"{BASE}/invoices", json={}, headers=headers)
    assert answer.status_code == 400


TYPES = "http://xmlns.oracle.com/apps/financials/commonModules/shared/model/erpIntegrationService/types/"
SOAP = (
    # the message, status, words
    (f'<a xmlns:t="{TYPES}"><t:getESSJobStatus><t:requestID>9763072</t:requestID></t:getESSJobStatus></a>', 200, "WAIT"),
    (f'<a xmlns:t="{TYPES}"><t:getESSJobStatus><t:requestID>1</t:requestID></t:getESSJobStatus></a>', 500, "JBO-26061"),
    ("<a/>", 500, "JBO-27014"),
    ("<a", 500, "JBO-25013"),
)  # fmt: skip


@pytest.mark.parametrize(("message", "status", "words"), SOAP)
def test_soap_faults_are_always_500(tenant: Tenant, message: str, status: int, words: str) -> None:
    tenant.submit(good())
    answer = tenant.ask("POST", "/fscmService/ErpIntegrationService", content=message)
    assert answer.status_code == status
    assert words in answer.text


def test_nobody_comes_in_without_credentials(tenant: Tenant) -> None:
    tenant.simulator.tokens.basic = False
    for path in (f"{BASE}/journalBatches", "/ess/rest/scheduler/v1/requests"):
        assert tenant.ask("GET", path).status_code == 401
    assert "FailedAuthentication" in tenant.ask("POST", "/fscmService/ErpIntegrationService").text


def test_another_process_drives_and_checks_it() -> None:
    found = simulator()
    with serving(found.application) as url, httpx.Client(base_url=url, auth=AUTH) as client:
        client.post("/_control/faults", json={"create": ["late"]})
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(f"{BASE}/erpintegrations", json=request(good()))
        assert client.get("/_control/documents").json() == []
        assert client.post("/_control/work").json() == {"late": 1}
        asked = client.get("/_control/documents", params={"reference": "BATCH"})
        (document,) = asked.json()
        assert (document["state"], document["lines"][0]) == ("draft", ["6855", "3.50", "0"])
        client.post("/_control/periods", json={"on": "2026-11-20", "status": "C"})
        assert found.books.post(next(iter(found.books.batches))) != ""
        before = found.clock.now()
        client.post("/_control/clock", json={"seconds": 60})
        assert (found.clock.now() - before).total_seconds() == 60


def test_every_field_of_json_is_a_plain_value(tenant: Tenant) -> None:
    tenant.submit(good())
    tenant.simulator.scheduler.work()
    text = tenant.get("journalBatches", params={"expand": "journalHeaders.journalLines"}).text
    lines = json.loads(text)["items"][0]["journalHeaders"]["items"][0]["journalLines"]["items"]
    assert [line["AccountedDr"] for line in lines] == [3.5, None]


def test_jobs_go_on_with_every_request_where_they_are_told_to(tenant: Tenant) -> None:
    tenant.simulator.auto = True
    number = tenant.submit(good()).json()["ReqstId"]
    finder = {"finder": f"ESSJobStatusRF;requestId={number}"}
    states = []
    while len(states) < 40 and "SUCCEEDED" not in states:
        found = tenant.get("erpintegrations", params=finder).json()["items"][0]
        states.append(found["RequestStatus"])
    assert states[-1] == "SUCCEEDED"
    assert len(tenant.simulator.books.batches) == 1
