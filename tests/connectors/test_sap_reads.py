"""SAP's books and masters read: pages, zeros, ledgers, currencies, and answers that are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from sandbox.simulators.sap_odata import PAGE
from tests.connectors.rigs.sap import DAY, SapRig, mapping, open_rig
from tieout.connectors.reads import CashBookLine
from tieout.connectors.sap_odata import day, instant, number, same
from tieout.connectors.sap_s4hana import SapConnector
from tieout.errors import ConnectorError, ProfileError

SINCE = date(2026, 11, 1)


@pytest.fixture(scope="module")
def rig() -> Iterator[SapRig]:
    with open_rig() as opened:
        yield opened


def answering(answer: Callable[[httpx.Request], httpx.Response]) -> SapConnector:
    """A connector to something that is not SAP."""
    transport = httpx.MockTransport(answer)
    return SapConnector(
        "https://sap.test", "U", "P", company="NORD", mapping=mapping(), transport=transport
    )


def rows(*found: dict[str, Any], **more: Any) -> httpx.Response:
    return httpx.Response(200, json={"d": {"results": list(found)} | more})


def test_bank_lines_are_those_of_the_leading_ledger(rig: SapRig) -> None:
    (line,) = rig.connector.cash_book("11001000", since=SINCE)
    assert line == CashBookLine(
        line_id="1010/2026/5000000004/1",
        move_id="1010/2026/5000000004",
        move_number="5000000004",
        booked_on=date(2026, 11, 18),
        amount_minor=-11_900,
        currency="EUR",
        company_amount_minor=-11_900,
        party_code=None,
        party_name=None,
        document_no="ER-4710",
        payment_batch_id="RUN-2026-1117",
        end_to_end_id=None,
        narrative=None,
    )


def test_the_day_itself_is_not_after_it(rig: SapRig) -> None:
    assert rig.connector.cash_book("11001000", since=date(2026, 11, 18)) == []
    assert len(rig.connector.cash_book("11001000", since=date(2026, 11, 17))) == 1


def test_our_postings_come_back_with_our_reference() -> None:
    with open_rig() as rig:
        rig.connector.create(rig.journal("CASHBOOKLINEOURS", amount=777))
        lines = rig.connector.cash_book("11001000", since=SINCE)
        (line,) = [one for one in lines if one.external_ref]
        assert (line.external_ref, line.amount_minor) == ("CASHBOOKLINEOURS", -777)
        assert (line.document_no, line.narrative) == (None, "Bank charges")


def test_a_balance_is_every_year_s_lines_once(rig: SapRig) -> None:
    """What was carried forward and the other ledger are the same postings again."""
    balance = rig.connector.book_balance
    assert balance("11001000", on=DAY, currency="EUR") == 9_988_100
    assert balance("11001000", on=date(2026, 11, 17), currency="EUR") == 10_000_000
    assert balance("11001000", on=date(2026, 1, 2), currency="EUR") == 0
    assert balance("11002000", on=DAY, currency="USD") == 1_085_000
    assert balance("11002000", on=DAY, currency="EUR") == 1_000_000


def test_a_balance_in_a_currency_the_account_is_not_kept_in_is_refused(rig: SapRig) -> None:
    with pytest.raises(ConnectorError) as caught:
        rig.connector.book_balance("11002000", on=DAY, currency="CHF")
    assert caught.value.code == "CURRENCY_OTHER"


def test_an_account_nobody_knows_has_no_lines_and_no_balance(rig: SapRig) -> None:
    for look in (
        lambda: rig.connector.book_balance("99999999", on=DAY, currency="EUR"),
        lambda: rig.connector.cash_book("99999999", since=SINCE),
    ):
        with pytest.raises(ConnectorError) as caught:
            look()
        assert caught.value.code == "GL_ACCOUNT_UNKNOWN"


def test_open_items_are_signed_as_the_bank_will_move(rig: SapRig) -> None:
    receivable, payable = rig.connector.open_items("NORD", on=DAY)
    assert (receivable.kind, receivable.amount_minor) == ("receivable", 50_000)
    assert (receivable.party_code, receivable.party_name) == ("10100001", "Kranbau Ostsee GmbH")
    assert (receivable.document_no, receivable.due_on) == ("RE-2026-0001", date(2026, 12, 2))
    assert (payable.kind, payable.amount_minor, payable.gl_account) == (
        "payable",
        -23_800,
        "21100000",
    )
    assert [i.kind for i in rig.connector.open_items("NORD", on=date(2026, 11, 2))] == [
        "receivable"
    ]


def test_master_data_is_listed(rig: SapRig) -> None:
    accounts = {account.code: account for account in rig.connector.gl_accounts("NORD")}
    assert list(accounts) == sorted(accounts)
    assert accounts["65100000"].name == "Bank charges", "in English where there is"
    assert not accounts["65190000"].active
    assert [code for code, a in accounts.items() if a.open_items] == [
        "12100000",
        "21100000",
        "21300000",
    ]
    partners = {partner.code: partner for partner in rig.connector.partners("NORD")}
    assert partners["90000001"].kind == "employee"
    assert partners["10100001"].kind == "customer"
    assert partners["10300001"].accounts == ("DE02120300000000202051", "US-ACCT-0099")
    assert not partners["10300002"].active
    centers = [(c.code, c.valid_from) for c in rig.connector.cost_centers("NORD")]
    assert centers[1:3] == [("10101201", date(2020, 1, 1)), ("10101201", date(2026, 7, 1))]
    assert rig.connector.tax_codes("NORD") == []
    assert rig.connector.company_rates() == []
    assert rig.connector.period_status("NORD", DAY) == "unknown"
    with pytest.raises(ConnectorError):
        rig.connector.partners("OTHER")


def test_every_page_is_read_once() -> None:
    with open_rig() as rig:
        count = PAGE + 7
        batch = tuple(rig.journal(f"PAGE{place:04d}") for place in range(count))
        assert {d.outcome for d in rig.connector.create_batch(batch)} == {"OK"}
        before = dict(rig.tenant.plan.seen())
        lines = rig.connector.cash_book("11001000", since=date(2026, 11, 19))
        assert len(lines) == len({line.line_id for line in lines}) == count
        assert rig.tenant.plan.seen()["books"] - before.get("books", 0) == 2
        assert rig.tenant.plan.seen()["cube"] - before.get("cube", 0) == 3


def test_changes_are_read_with_an_overlap_and_only_ours() -> None:
    with open_rig() as rig:
        rig.connector.create(rig.journal("AAAAAAAAAAAAAAAA"))
        rig.tenant.clock.advance(5 * 86_400)
        rig.connector.create(rig.journal("BBBBBBBBBBBBBBBB"))
        today = rig.tenant.clock.now().date()
        changed = rig.connector.changed_documents
        assert [d.external_ref for d in changed(today)] == ["BBBBBBBBBBBBBBBB"]
        overlap = [d.external_ref for d in changed(date(2026, 11, 23))]
        assert overlap == ["AAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBB"], "two days further back"
        first = changed(date(2026, 11, 21))[0]
        back = replace(rig.journal("CCCCCCCCCCCCCCCC"), reverses=first.doc_id)
        assert rig.connector.create(back).outcome == "OK"
        refs = [d.external_ref for d in changed(today)]
        assert refs[0] == "AAAAAAAAAAAAAAAA", "reversing a document changes it"


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (httpx.Response(200, text="no json"), "ANSWER_UNEXPECTED"),
        (httpx.Response(200, json=[]), "ANSWER_UNEXPECTED"),
        (httpx.Response(200, json={"d": {"results": 7}}), "ANSWER_UNEXPECTED"),
        (httpx.Response(200, json={"d": {"results": [7]}}), "ANSWER_UNEXPECTED"),
        (httpx.Response(200, json={"d": {"results": [{}]}}), "ANSWER_UNEXPECTED"),
        (httpx.Response(200, json={"d": {"results": [], "__count": "3"}}), "READ_INCOMPLETE"),
        (httpx.Response(200, html="<html>System Maintenance</html>"), "MAINTENANCE"),
        (httpx.Response(503, html="<html>System Maintenance</html>"), "MAINTENANCE"),
        (httpx.Response(302, headers={"location": "https://evil.test"}), "HTTP_302"),
        (httpx.Response(404, json={"error": {}}), "HTTP_404"),
    ],
)
def test_an_answer_that_is_none_is_an_error_in_words(response: httpx.Response, code: str) -> None:
    connector = answering(lambda request: response)
    with pytest.raises(ConnectorError) as caught:
        connector.gl_accounts("NORD")
    assert caught.value.code == code


def test_sap_s_own_words_are_told() -> None:
    words = {"error": {"code": "56/393", "message": {"lang": "en", "value": "No  authorisation"}}}
    connector = answering(lambda request: httpx.Response(403, json=words))
    with pytest.raises(ConnectorError, match="56/393: No authorisation"):
        connector.open_items("NORD", on=DAY)


def test_the_next_page_is_asked_of_our_host_whatever_it_says() -> None:
    hosts = []

    def answer(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        if "skiptoken" in str(request.url):
            return rows()
        return rows(__next="https://evil.test/steal?$skiptoken=50")

    assert answering(answer).open_items("NORD", on=DAY) == []
    assert hosts == ["sap.test", "sap.test"]


def test_a_company_code_that_is_not_there_names_the_mapping() -> None:
    connector = answering(lambda request: rows())
    with pytest.raises(ConnectorError) as caught:
        connector.gl_accounts("NORD")
    assert caught.value.code == "COMPANY_UNKNOWN"
    assert caught.value.where.endswith("[company] company_code")


def test_a_company_kept_in_another_currency_is_not_ours() -> None:
    row = {"CompanyCode": "1010", "Currency": "CHF", "ChartOfAccounts": "X", "ControllingArea": "Y"}
    connector = answering(lambda request: rows(row))
    with pytest.raises(ConnectorError) as caught:
        connector.gl_accounts("NORD")
    assert caught.value.code == "CURRENCY_OTHER"


def test_values_of_odata_are_exact() -> None:
    assert day("/Date(1795132800000)/") == date(2026, 11, 20)
    assert day("/Date(-62135596800000)/") == date(1, 1, 1)
    found = instant("/Date(1795132800123+0000)/")
    assert found is not None and found.isoformat() == "2026-11-20T00:00:00.123000+00:00"
    assert (day(None), day("")) == (None, None)
    assert number("-1234567890.123") == Decimal("-1234567890.123")
    assert same("SupplierName", "O'Neill") == "SupplierName eq 'O''Neill'"
    for spoilt in ("2026-11-20", "/Date()/", "/Date(99999999999999999)/", "x"):
        with pytest.raises(ValueError):
            day(spoilt)
    for spoilt in ("1e5", "NaN", "1,5", "", "None"):
        with pytest.raises(ValueError):
            number(spoilt)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("cash_book", "text", "(?P<document"),
        ("cash_book", "text", "(?P<unknown>.*)"),
        ("cash_book", "colour", 1),
        ("posting", "way", "carrier pigeon"),
        ("posting", "created_by", "LONGER THAN TWELVE"),
        ("nonsense", "a", 1),
    ],
)
def test_a_wrong_mapping_is_refused_by_name(section: str, key: str, value: Any) -> None:
    content = mapping()
    content.setdefault(section, {})[key] = value
    with pytest.raises(ProfileError):
        SapConnector("https://sap.test", "U", "P", company="NORD", mapping=content)
