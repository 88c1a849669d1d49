"""The simulated NetSuite keeps the manners of the real one: records and what refuses them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.netsuite_client import HOST, RECORD, Client, journal, reasons

JOURNAL = f"{RECORD}/journalEntry"


@pytest.fixture
def client() -> Client:
    return Client()


def amounts(client: Client, reference: str) -> list[str]:
    (document,) = client.simulator.documents(reference)
    return [line["amount"] for line in document["lines"]]


def test_a_create_answers_where_the_record_is_and_nothing_else(client: Client) -> None:
    answer = client.request("POST", JOURNAL, journal("EXP-1"))
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["location"].startswith(f"{HOST}{JOURNAL}/")
    record = client.request("GET", answer.headers["location"].removeprefix(HOST)).json()
    assert isinstance(record["id"], str)
    assert record["subsidiary"]["id"] == "3"
    assert "items" not in record["line"], "a sublist is a link unless it is expanded"


def test_sublists_are_expanded_when_asked_for(client: Client) -> None:
    client.request("POST", JOURNAL, journal("EXP-1"))
    params = {"expandSubResources": "true"}
    record = client.request("GET", f"{JOURNAL}/eid:EXP-1", params=params).json()
    first, second = record["line"]["items"]
    assert (first["debit"], first["account"]["id"], first["line"]) == (100, "58", 1)
    assert second["account"]["refName"] == "1810 Hansebank EUR"
    chosen = client.request("GET", f"{JOURNAL}/eid:EXP-1", params={"fields": "externalId"})
    assert set(chosen.json()) == {"links", "id", "externalId"}


def test_an_external_id_is_taken_once_by_post(client: Client) -> None:
    assert client.request("POST", JOURNAL, journal("EXP-1")).status_code == 204
    again = client.request("POST", JOURNAL, journal("EXP-1"))
    assert reasons(again) == (400, "USER_ERROR", "externalId")
    assert amounts(client, "EXP-1") == ["100.0", "-100.0"]


def test_a_put_sent_again_without_replace_doubles_the_lines(client: Client) -> None:
    for _ in range(2):
        assert client.request("PUT", f"{JOURNAL}/eid:EXP-1", journal()).status_code == 204
    assert amounts(client, "EXP-1") == ["100.0", "-100.0", "100.0", "-100.0"]


def test_a_put_sent_again_with_replace_undoes_what_people_changed(client: Client) -> None:
    """Why a journal is created by POST: this one is posted, and somebody has worked on it."""
    path = f"{JOURNAL}/eid:EXP-1"
    client.request("PUT", path, journal(), params={"replace": "line"})
    edited = {"line": {"items": [{"line": 2, "cleared": True, "clearedDate": "2026-11-20"}]}}
    assert client.request("PATCH", path, edited).status_code == 204
    assert client.request("PUT", path, journal(), params={"replace": "line"}).status_code == 204
    record = client.request("GET", path, params={"expandSubResources": "true"}).json()
    assert len(record["line"]["items"]) == 2
    assert "cleared" not in record["line"]["items"][1]


def test_a_post_sent_again_leaves_what_people_changed(client: Client) -> None:
    client.request("POST", JOURNAL, journal("EXP-1"))
    client.request("PATCH", f"{JOURNAL}/eid:EXP-1", {"memo": "by hand"})
    client.request("POST", JOURNAL, journal("EXP-1"))
    assert client.request("GET", f"{JOURNAL}/eid:EXP-1").json()["memo"] == "by hand"


def test_an_unknown_property_is_ignored_unless_asked_otherwise(client: Client) -> None:
    body = {**journal("EXP-1"), "postingDate": "2026-11-20"}
    strict = {"X_NetSuite_PropertyNameValidation": "Error"}
    assert reasons(client.request("POST", JOURNAL, body, **strict)) == (
        400,
        "INVALID_CONTENT",
        "postingDate",
    )
    assert client.request("POST", JOURNAL, body).status_code == 204
    body["line"]["items"][0]["costCenter"] = {"id": "1"}
    refused = client.request("POST", JOURNAL, {**body, "externalId": "EXP-2"}, **strict)
    assert reasons(refused)[1] == "INVALID_CONTENT"


def test_a_value_of_the_wrong_kind_is_refused_unless_asked_otherwise(client: Client) -> None:
    body = {**journal("EXP-1"), "memo": 7}
    assert reasons(client.request("POST", JOURNAL, body)) == (400, "INVALID_CONTENT", "memo")
    loose = {"X_NetSuite_PropertyValueValidation": "Ignore"}
    assert client.request("POST", JOURNAL, body, **loose).status_code == 204


def spoilt(**changes: Any) -> dict[str, Any]:
    body = journal("EXP-1")
    line = changes.pop("line", {})
    body["line"]["items"][0].update(line)
    return body | changes


REFUSALS: list[tuple[str, dict[str, Any], str, str]] = [
    ("unbalanced", spoilt(line={"debit": 99}), "USER_ERROR", "line"),
    ("no lines", spoilt() | {"line": {"items": []}}, "USER_ERROR", "line"),
    ("no such account", spoilt(line={"account": {"id": "9999"}}), "INVALID_CONTENT", "line.items[0].account"),
    ("another subsidiary's account", spoilt(line={"account": {"id": "113"}}), "USER_ERROR", "line.items[0].account"),
    ("an inactive account", spoilt(line={"account": {"id": "68"}}), "USER_ERROR", "line.items[0].account"),
    ("a summary account", spoilt(line={"account": {"id": "67"}}), "USER_ERROR", "line.items[0].account"),
    ("another currency's bank", spoilt(line={"account": {"id": "112"}}), "USER_ERROR", "line.items[0].account"),
    ("a payable of nobody", spoilt(line={"account": {"id": "120"}}), "USER_ERROR", "line.items[0].entity"),
    ("an inactive vendor", spoilt(line={"entity": {"id": "904"}}), "INVALID_CONTENT", "line.items[0].entity"),
    ("no such department", spoilt(line={"department": {"id": "99"}}), "INVALID_CONTENT", "line.items[0].department"),
    ("both sides", spoilt(line={"credit": 100.0}), "USER_ERROR", "line.items[0].debit"),
    ("half cents", spoilt(line={"debit": 99.995}), "USER_ERROR", "line.items[0].debit"),
    ("no such subsidiary", spoilt(subsidiary={"id": "5"}), "INVALID_CONTENT", "subsidiary"),
    ("a long text", spoilt(memo="x" * 1_000), "USER_ERROR", "memo"),
    ("no such period", spoilt(tranDate="2030-01-01"), "USER_ERROR", "tranDate"),
    ("malformed day", spoilt(tranDate="20.11.2026"), "INVALID_CONTENT", "tranDate"),
    ("no reference", spoilt(subsidiary="3"), "INVALID_CONTENT", "subsidiary"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code", "place"), [r[1:] for r in REFUSALS], ids=[r[0] for r in REFUSALS]
)
def test_a_refusal_says_where(client: Client, body: dict[str, Any], code: str, place: str) -> None:
    assert reasons(client.request("POST", JOURNAL, body)) == (400, code, place)
    assert client.simulator.documents("EXP-1") == []


def test_a_closed_period_takes_no_creates_changes_or_deletes(client: Client) -> None:
    client.request("POST", JOURNAL, journal("EXP-1"))
    period = client.raw(
        "POST", f"{HOST}/_control/periods", json={"on": "2026-11-20", "closed": True}
    )
    assert period.status_code == 200
    closed = (400, "USER_ERROR", "postingPeriod")
    assert reasons(client.request("POST", JOURNAL, journal("EXP-2"))) == closed
    assert reasons(client.request("PATCH", f"{JOURNAL}/eid:EXP-1", {"memo": "x"})) == closed
    assert reasons(client.request("DELETE", f"{JOURNAL}/eid:EXP-1")) == closed
    client.raw("POST", f"{HOST}/_control/periods", json={"on": "2026-11-20", "closed": False})
    assert client.request("DELETE", f"{JOURNAL}/eid:EXP-1").status_code == 204
    assert reasons(client.request("GET", f"{JOURNAL}/eid:EXP-1"))[:2] == (404, "NONEXISTENT_ID")


def test_what_waits_for_approval_is_not_in_the_ledger(client: Client) -> None:
    client.simulator.ledger.approval = "1"
    client.request("POST", JOURNAL, journal("EXP-1"))
    posted = "SELECT tal.account FROM transactionaccountingline tal JOIN transaction t ON t.id = tal.transaction WHERE tal.posting = 'T' AND t.externalid = 'EXP-1'"
    assert client.simulator.documents("EXP-1")[0]["state"] == "draft"
    assert client.suiteql(posted).json()["items"] == []
    client.request("PATCH", f"{JOURNAL}/eid:EXP-1", {"approvalStatus": {"id": "2"}})
    assert client.simulator.documents("EXP-1")[0]["state"] == "posted"
    assert len(client.suiteql(posted).json()["items"]) == 2


def test_a_list_of_records_comes_in_pages(client: Client) -> None:
    for number in range(3):
        client.request("POST", JOURNAL, journal(f"EXP-{number}"))
    params = {"limit": "2", "offset": "4"}
    page = client.request("GET", JOURNAL, params=params).json()
    assert (page["count"], page["totalResults"], page["hasMore"]) == (2, 7, True)
    assert all(
        isinstance(item["id"], str) and set(item) == {"id", "links"} for item in page["items"]
    )


def test_a_bill_becomes_a_payment(client: Client) -> None:
    (bill,) = [d for d in client.simulator.documents() if d["number"] == "OS-55"]
    path = f"{RECORD}/vendorBill/{bill['id']}/!transform/vendorPayment"
    answer = client.request("POST", path, {"account": {"id": "111"}, "externalId": "PAY-1"})
    assert answer.status_code == 204
    (payment,) = client.simulator.documents("PAY-1")
    lines = [(line["account"], Decimal(line["amount"])) for line in payment["lines"]]
    assert lines == [("1810", Decimal(-250)), ("3300", Decimal(250))]
    again = client.request("POST", path, {"account": {"id": "111"}})
    assert again.status_code == 400, "nothing is open any more"


def test_other_hosts_and_types_are_not_there(client: Client) -> None:
    other = "https://tstdrv9999.suitetalk.api.netsuite.com"
    assert client.request("GET", f"{JOURNAL}/1", host=other).status_code == 404
    assert reasons(client.request("GET", f"{RECORD}/noSuchType/1"))[:2] == (404, "NONEXISTENT_ID")
    broken = client.raw(
        "POST",
        f"{HOST}{JOURNAL}",
        content=b"{",
        headers={**client.headers, "Content-Type": "application/json"},
    )
    assert reasons(broken)[:2] == (400, "INVALID_CONTENT")


def test_the_account_describes_itself(client: Client) -> None:
    schema = client.request("GET", f"{RECORD}/metadata-catalog/journalEntry").json()
    assert schema["properties"]["externalId"] == {"type": "string"}
    limits = client.request("GET", "/services/rest/system/v1/governanceLimits").json()
    assert limits["accountConcurrencyLimit"] == 5
