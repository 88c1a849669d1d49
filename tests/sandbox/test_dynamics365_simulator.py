"""The Dynamics 365 simulator against its contract: OData, journals, the batch job, tokens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from sandbox.simulators.dynamics365 import (
    CLIENT_ID,
    CLIENT_SECRET,
    TENANT,
    D365Simulator,
    simulator,
)
from tests.connectors.rigs.dynamics365 import staged

HEADER = {"dataAreaId": "nord", "JournalName": "BankAdj", "Description": "By hand"}
LINE = {
    "dataAreaId": "nord",
    "JournalBatchNumber": "J1",
    "TransDate": "2026-11-20T12:00:00Z",
    "AccountDisplayValue": "6855",
    "CurrencyCode": "EUR",
    "DebitAmount": 3.50,
    "Document": "DOC-1",
}


class Client:
    """Raw requests to a simulator."""

    def __init__(self, base: str, told: D365Simulator) -> None:
        self.simulator = told
        self.http = httpx.Client(base_url=base, trust_env=False)
        form = {
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "scope": f"{base}/.default",
        }
        self.form = form
        token = self.http.post(f"/{TENANT}/oauth2/v2.0/token", data=form).json()
        self.http.headers["Authorization"] = f"Bearer {token['access_token']}"

    def get(self, entity: str, **query: str) -> httpx.Response:
        params = {k.replace("_", "$", 1): v for k, v in query.items()}
        return self.http.get(f"/data/{entity}", params={"cross-company": "true"} | params)

    def values(self, entity: str, **query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(entity, **query).json()["value"]
        return found

    def post(self, entity: str, values: dict[str, Any]) -> httpx.Response:
        return self.http.post(f"/data/{entity}", json=values)

    def journal(self, number: str = "J1", *amounts: float) -> None:
        self.post("LedgerJournalHeaders", HEADER | {"JournalBatchNumber": number})
        for amount in amounts:
            side = {"DebitAmount": max(amount, 0), "CreditAmount": max(-amount, 0)}
            self.post("LedgerJournalLines", LINE | {"JournalBatchNumber": number} | side)

    def work(self) -> None:
        self.http.post("/_control/work")

    def header(self, number: str = "J1") -> dict[str, Any]:
        return self.values("LedgerJournalHeaders", _filter=f"JournalBatchNumber eq '{number}'")[0]


def infolog(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["innererror"]["message"])


@contextmanager
def opened_client() -> Iterator[Client]:
    told = simulator()
    with staged(told) as base:
        found = Client(base, told)
        yield found
        found.http.close()


@pytest.fixture
def client() -> Iterator[Client]:
    with opened_client() as found:
        yield found


def test_paths_and_properties_tell_upper_from_lower_case(client: Client) -> None:
    assert client.get("LedgerJournalHeaders").status_code == 200
    assert client.get("ledgerjournalheaders").status_code == 404
    assert client.get("MainAccounts", _filter="mainaccountid eq '1810'").status_code == 400
    assert client.get("MainAccounts", _select="mainAccountId").status_code == 400


def test_only_the_users_own_company_shows_unless_companies_are_crossed(client: Client) -> None:
    assert client.http.get("/data/VendorsV2").json()["value"] == []
    assert client.values("VendorsV2", _filter="dataAreaId eq 'nord'")
    client.journal()
    key = "/data/LedgerJournalHeaders(dataAreaId='nord',JournalBatchNumber='J1')"
    assert client.http.get(key).status_code == 404
    assert client.http.get(f"{key}?cross-company=true").status_code == 200
    assert client.http.delete(key).status_code == 404


@pytest.mark.parametrize(
    ("text", "status", "count"),
    [
        ("IsPosted eq Microsoft.Dynamics.DataEntities.NoYes'No'", 200, 1),
        ("IsPosted eq Microsoft.Dynamics.DataEntities.NoYes'Yes'", 200, 0),
        ("IsPosted eq Other.NoYes'No'", 400, 0),
        ("Description eq 'By*'", 200, 1),
        ("Description eq '*xyz*'", 200, 0),
        ("contains(Description,'By')", 400, 0),
        ("JournalBatchNumber in ('J1')", 400, 0),
        (
            "(JournalBatchNumber eq 'J1' or JournalBatchNumber eq 'J2') and dataAreaId eq 'nord'",
            200,
            1,
        ),
    ],
)
def test_filters_take_what_the_system_takes(
    client: Client, text: str, status: int, count: int
) -> None:
    client.journal()
    answer = client.get("LedgerJournalHeaders", _filter=text)
    assert answer.status_code == status
    assert len(answer.json().get("value", [])) == count


def test_an_unknown_query_option_is_refused(client: Client) -> None:
    assert client.get("MainAccounts", _apply="x").status_code == 400


def test_a_long_answer_goes_on_at_the_next_link(client: Client) -> None:
    client.simulator.api.page_max = 7
    page = client.get("MainAccounts").json()
    codes = [row["MainAccountId"] for row in page["value"]]
    while "@odata.nextLink" in page:
        page = client.http.get(page["@odata.nextLink"]).json()
        codes += [row["MainAccountId"] for row in page["value"]]
    assert len(codes) == len(set(codes)) == len(client.simulator.books.tables["MainAccounts"])


def test_a_line_needs_its_header_first(client: Client) -> None:
    answer = client.post("LedgerJournalLines", LINE)
    assert answer.status_code == 400
    assert "does not exist" in infolog(answer)
    assert infolog(answer).startswith(
        "Write failed for table row of type 'LedgerJournalLineEntity'"
    )


def test_numbers_and_vouchers_are_given(client: Client) -> None:
    first = client.post("LedgerJournalHeaders", HEADER)
    assert first.status_code == 201
    number = first.json()["JournalBatchNumber"]
    lines = [
        client.post("LedgerJournalLines", LINE | {"JournalBatchNumber": number}).json()
        for _ in range(2)
    ]
    assert [line["LineNumber"] for line in lines] == [1, 2]
    assert lines[0]["Voucher"] == lines[1]["Voucher"] == "GL00000001"
    client.simulator.books.manual_numbers = False
    refused = client.post("LedgerJournalHeaders", HEADER | {"JournalBatchNumber": "J9"})
    assert "does not allow a manual" in infolog(refused)


def test_a_second_record_with_a_key_already_exists(client: Client) -> None:
    client.journal()
    answer = client.post("LedgerJournalHeaders", HEADER | {"JournalBatchNumber": "J1"})
    assert answer.status_code == 400
    assert "The record already exists." in infolog(answer)
    client.post("LedgerJournalLines", LINE | {"LineNumber": 1})
    assert "already exists" in infolog(client.post("LedgerJournalLines", LINE | {"LineNumber": 1}))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"Documents": "x"}, "does not exist on type"),
        ({"AccountType": "Vendor"}, "no value of the enum"),
        ({"DebitAmount": "3.50"}, "another type"),
        ({"TransDate": "20.11.2026"}, "Edm.DateTimeOffset"),
        ({"Text": "x" * 61}, "longer than 60"),
        ({"CreditAmount": 1}, "not both"),
        ({"DebitAmount": -1}, "not both"),
        ({"DebitAmount": 1.005}, "decimals"),
        ({"AccountDisplayValue": "4711"}, "Account 4711 does not exist"),
        ({"AccountDisplayValue": "6855-999"}, "dimension CostCenter does not exist"),
        ({"AccountDisplayValue": "6855-100-1"}, "does not fit the format"),
        ({"AccountDisplayValue": "3300"}, "not allowed for manual entry"),
        ({"AccountType": "Vend", "AccountDisplayValue": "V-300"}, "on hold"),
    ],
)
def test_a_line_that_is_not_right_is_refused(
    client: Client, changed: dict[str, Any], says: str
) -> None:
    client.journal()
    answer = client.post("LedgerJournalLines", LINE | changed)
    assert answer.status_code == 400
    assert says in infolog(answer)
    assert client.values("LedgerJournalLines") == []


def test_a_read_only_property_of_a_header_is_refused(client: Client) -> None:
    assert client.post("LedgerJournalHeaders", HEADER | {"IsPosted": "Yes"}).status_code == 400


def test_only_the_batch_job_posts_and_its_lines_are_then_fixed(client: Client) -> None:
    client.journal("J1", 3.5, -3.5)
    assert client.header()["IsPosted"] == "No"
    assert client.values("GeneralJournalAccountEntries") == []
    client.work()
    assert client.header()["IsPosted"] == "Yes"
    entries = client.values("GeneralJournalAccountEntries")
    assert [(e["TransactionCurrencyAmount"], e["IsCredit"]) for e in entries] == [
        (3.5, "No"),
        (-3.5, "Yes"),
    ]
    assert "has been posted" in infolog(client.post("LedgerJournalLines", LINE))
    gone = client.http.delete(
        "/data/LedgerJournalHeaders(dataAreaId='nord',JournalBatchNumber='J1')?cross-company=true"
    )
    assert "has been posted" in infolog(gone)


def test_the_batch_job_leaves_what_it_cannot_post_with_a_log(client: Client) -> None:
    client.journal("J1", 3.5, -3.4)
    client.journal("J2", 1, -1)
    client.journal("J3", 2, -2)
    client.simulator.plan.add("poster", "", "skip")
    client.work()
    assert "do not balance" in client.header("J1")["TieoutPostingLog"]
    assert [client.header(n)["IsPosted"] for n in ("J1", "J2", "J3")] == ["No", "No", "Yes"]
    client.simulator.close_period(dt.date(2026, 11, 20))
    client.work()
    assert "period" in client.header("J2")["TieoutPostingLog"]
    client.simulator.open_period(dt.date(2026, 11, 20))
    client.work()
    assert client.header("J2")["IsPosted"] == "Yes"


def test_an_empty_journal_is_never_posted(client: Client) -> None:
    client.journal()
    client.work()
    assert client.header()["IsPosted"] == "No"


def test_a_changed_record_is_not_deleted_by_its_old_tag(client: Client) -> None:
    client.journal()
    tag = client.header()["@odata.etag"]
    key = "/data/LedgerJournalHeaders(dataAreaId='nord',JournalBatchNumber='J1')?cross-company=true"
    assert client.http.patch(key, json={"Description": "Other"}).status_code == 204
    assert client.http.delete(key, headers={"If-Match": tag}).status_code == 412
    assert client.http.delete(key, headers={"If-Match": "*"}).status_code == 204


def batched(*operations: str, prefer: str = "") -> dict[str, Any]:
    """A batch in which each operation is a change set of its own, or one of several."""
    lines = []
    for index, group in enumerate(operations):
        lines += ["--b", f"Content-Type: multipart/mixed; boundary=c{index}", ""]
        for number, operation in enumerate(group.split("&&"), start=1):
            entity, _, body = operation.partition(" ")
            lines += [
                f"--c{index}",
                "Content-Type: application/http",
                f"Content-ID: {number}",
                "",
                f"POST /data/{entity} HTTP/1.1",
                "Content-Type: application/json",
                "",
                body,
            ]
        lines.append(f"--c{index}--")
    headers = {"Content-Type": "multipart/mixed; boundary=b"} | (
        {"Prefer": prefer} if prefer else {}
    )
    return {"content": "\r\n".join([*lines, "--b--", ""]), "headers": headers}


H = 'LedgerJournalHeaders {"dataAreaId":"nord","JournalName":"BankAdj","JournalBatchNumber":"%s"}'
BAD = 'LedgerJournalLines {"dataAreaId":"nord","JournalBatchNumber":"J1"}'


def test_a_change_set_is_done_whole_or_not_at_all(client: Client) -> None:
    answer = client.http.post("/data/$batch", **batched(f"{H % 'J1'}&&{BAD}"))
    assert answer.status_code == 200
    assert answer.text.count("HTTP/1.1 400") == 1
    assert "HTTP/1.1 201" not in answer.text
    assert client.values("LedgerJournalHeaders") == []


@pytest.mark.parametrize(
    ("prefer", "made"), [("", ["J0"]), ("odata.continue-on-error", ["J0", "J2"])]
)
def test_a_batch_stops_at_the_first_refusal_unless_told_to_go_on(
    client: Client, prefer: str, made: list[str]
) -> None:
    sets = (H % "J0", f"{H % 'J1'}&&{BAD}", H % "J2")
    client.http.post("/data/$batch", **batched(*sets, prefer=prefer))
    rows = client.values("LedgerJournalHeaders")
    assert [row["JournalBatchNumber"] for row in rows] == made


def test_a_batch_has_at_most_5000_operations_and_must_be_whole(client: Client) -> None:
    many = "&&".join(["LedgerJournalHeaders {}"] * 5001)
    assert client.http.post("/data/$batch", **batched(many)).status_code == 400
    whole = batched(H % "J1")
    whole["content"] = whole["content"].removesuffix("--b--\r\n")
    assert client.http.post("/data/$batch", **whole).status_code == 400
    assert client.values("LedgerJournalHeaders") == []


def test_tokens_end_and_unregistered_apps_are_turned_away(client: Client) -> None:
    assert client.get("MainAccounts").status_code == 200
    client.http.post("/_control/clock", json={"seconds": 3600})
    assert client.get("MainAccounts").status_code == 401
    other = client.form | {"client_id": "another-app"}
    token = client.http.post(f"/{TENANT}/oauth2/v2.0/token", data=other).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert client.http.get("/data/MainAccounts", headers=headers).status_code == 401
    wrong = client.form | {"client_secret": "wrong"}
    answer = client.http.post(f"/{TENANT}/oauth2/v2.0/token", data=wrong)
    assert answer.json()["error"] == "invalid_client"


def test_throttling_says_how_long_and_maintenance_is_a_page(client: Client) -> None:
    faults = {"operation": "masters", "faults": ["throttle", "maintenance", "error before"]}
    client.http.post("/_control/faults", json=faults)
    found = [client.get("MainAccounts") for _ in range(3)]
    assert [answer.status_code for answer in found] == [429, 503, 500]
    assert found[0].headers["retry-after"] == "7"
    assert found[1].headers["content-type"] == "text/html"


def test_the_control_routes_drive_it_from_another_process(client: Client) -> None:
    client.journal("J1", 3.5, -3.5)
    on = {"on": "2026-11-20"}
    assert client.http.post("/_control/periods", json=on | {"open": False}).status_code == 200
    client.work()
    (document,) = client.http.get("/_control/documents", params={"reference": "DOC-1"}).json()
    assert (document["posted"], document["doc_id"]) == (False, "nord/J1")
    client.http.post("/_control/periods", json=on | {"open": True})
    client.work()
    (document,) = client.http.get("/_control/documents", params={"reference": "DOC-1"}).json()
    assert (document["posted"], document["voucher"]) == (True, "GL00000001")
