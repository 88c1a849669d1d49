"""The Dynamics 365 simulator's data management against its contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.sandbox.test_dynamics365_simulator import Client, infolog, opened_client
from tieout.connectors.dynamics365_packages import package

ACTIONS = "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities."
HEADER = {"JournalBatchNumber": "J1", "JournalName": "BankAdj", "Description": "By package"}
LINE = {
    "LineNumber": 1,
    "AccountType": "Ledger",
    "AccountDisplayValue": "6855",
    "CurrencyCode": "EUR",
    "DebitAmount": 5,
    "Document": "DOC-1",
    "TransDate": "2026-11-20",
}


@pytest.fixture
def client() -> Iterator[Client]:
    with opened_client() as found:
        yield found


def act(client: Client, action: str, **asked: Any) -> httpx.Response:
    return client.http.post(f"{ACTIONS}{action}", json=asked)


def value(client: Client, action: str, **asked: Any) -> Any:
    return act(client, action, **asked).json()["value"]


def uploaded(client: Client, *lines: dict[str, Any]) -> str:
    told = json.loads(value(client, "GetAzureWriteUrl", uniqueFileName="a.zip"))
    assert set(told) == {"BlobId", "BlobUrl"}
    content = package("G", HEADER, lines)
    put = httpx.put(told["BlobUrl"], content=content, headers={"x-ms-blob-type": "BlockBlob"})
    assert put.status_code == 201
    return str(told["BlobUrl"])


def taken(client: Client, address: str, execution: str = "E1", group: str = "G") -> httpx.Response:
    return act(
        client,
        "ImportFromPackage",
        packageUrl=address,
        definitionGroupId=group,
        executionId=execution,
        execute=True,
        overwrite=True,
        legalEntityId="NORD",
    )


def test_values_are_json_within_a_string_and_uploads_need_their_address(client: Client) -> None:
    told = value(client, "GetAzureWriteUrl", uniqueFileName="a.zip")
    assert isinstance(told, str)
    address = json.loads(told)["BlobUrl"]
    assert httpx.put(address, content=b"x").status_code == 400
    other = address.replace("a.zip", "b.zip")
    assert (
        httpx.put(other, content=b"x", headers={"x-ms-blob-type": "BlockBlob"}).status_code == 403
    )


def test_an_import_runs_and_its_journal_is_not_posted_by_it(client: Client) -> None:
    answer = taken(client, uploaded(client, LINE))
    assert answer.json()["value"] == "E1"
    assert value(client, "GetExecutionSummaryStatus", executionId="E1") == "NotRun"
    assert value(client, "GetExecutionSummaryStatus", executionId="E2") == "Unknown"
    client.simulator.packages.run()
    assert value(client, "GetExecutionSummaryStatus", executionId="E1") == "Succeeded"
    assert client.header("J1")["IsPosted"] == "No"
    (line,) = client.values("LedgerJournalLines")
    assert (line["DebitAmount"], line["Voucher"]) == (5, "GL00000001")


def test_an_execution_id_is_taken_once(client: Client) -> None:
    address = uploaded(client, LINE)
    taken(client, address)
    assert "already exists" in infolog(taken(client, address))
    client.simulator.packages.reuse = "returned"
    assert taken(client, address).json()["value"] == "E1"
    client.simulator.packages.run()
    assert len(client.values("LedgerJournalLines")) == 1


def test_one_data_project_does_not_run_twice_at_a_time(client: Client) -> None:
    address = uploaded(client, LINE)
    taken(client, address)
    assert taken(client, address, "E2").status_code == 500
    assert taken(client, address, "E3", "OTHER").status_code == 200


def test_rows_that_are_refused_are_told_by_their_keys(client: Client) -> None:
    bad = LINE | {"LineNumber": 2, "AccountDisplayValue": "4711"}
    taken(client, uploaded(client, LINE, bad))
    client.simulator.packages.run()
    assert value(client, "GetExecutionSummaryStatus", executionId="E1") == "PartiallySucceeded"
    assert len(client.values("LedgerJournalLines")) == 1
    (error,) = json.loads(value(client, "GetExecutionErrors", executionId="E1"))
    assert "Account 4711 does not exist" in error["ErrorMessage"]
    assert value(client, "GetImportTargetErrorKeysFileUrl", executionId="E1") == ""
    assert value(client, "GenerateImportTargetErrorKeysFile", executionId="E1") is True
    address = value(client, "GetImportTargetErrorKeysFileUrl", executionId="E1")
    assert httpx.get(address).text == "J1,2"


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + b"\0" * 18])
def test_a_package_that_is_none_fails_or_is_refused(client: Client, content: bytes) -> None:
    address = uploaded(client, LINE)
    client.simulator.packages.blobs[address.rpartition("/")[2]] = content
    answer = taken(client, address)
    client.simulator.packages.run()
    status = value(client, "GetExecutionSummaryStatus", executionId="E1")
    assert (answer.status_code, status) in [(400, "Unknown"), (200, "Failed")]
    assert client.values("LedgerJournalHeaders") == []


def test_unknown_actions_and_parameters_are_refused(client: Client) -> None:
    assert act(client, "getazurewriteurl", uniqueFileName="a").status_code == 404
    assert act(client, "GetAzureWriteUrl").status_code == 400
    assert act(client, "ImportFromPackage", packageUrl="x", company="NORD").status_code == 400


def test_a_file_comes_back_until_it_is_acknowledged(client: Client) -> None:
    key = client.simulator.api.queues.offer("job-1", "Entries.zip", b"content")
    assert client.http.get("/api/connector/dequeue/job-2").status_code == 204
    first = client.http.get("/api/connector/dequeue/job-1").json()
    assert first["CorrelationId"] == key
    assert client.http.get(first["DownloadLocation"]).content == b"content"
    assert client.http.get("/api/connector/dequeue/job-1").status_code == 204
    client.http.post("/_control/clock", json={"seconds": 1801})
    again = client.http.get("/api/connector/dequeue/job-1").json()
    assert again["CorrelationId"] == key
    assert client.http.post("/api/connector/ack/job-1", json=first).status_code == 400
    assert client.http.post("/api/connector/ack/job-1", json=again).status_code == 200
    client.http.post("/_control/clock", json={"seconds": 1000})
    assert client.http.get("/api/connector/dequeue/job-1").status_code == 204


def test_a_file_to_import_needs_its_entity(client: Client) -> None:
    assert client.http.post("/api/connector/enqueue/job-1", content=b"x").status_code == 400
    told = client.http.post("/api/connector/enqueue/job-1?entity=General%20journal", content=b"x")
    assert told.json() in client.simulator.api.queues.messages
