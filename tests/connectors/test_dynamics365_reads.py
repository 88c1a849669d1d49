"""Dynamics 365: cash book, balances, open items, rates and master data, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import httpx
import pytest

from tests.connectors.rigs.dynamics365 import DAY, Dynamics365Rig, mapping, open_rig, opened
from tieout.connectors.dynamics365 import DynamicsConnector
from tieout.connectors.ports import JournalLine
from tieout.errors import ConnectorError, ProfileError


@pytest.fixture
def rig() -> Iterator[Dynamics365Rig]:
    with open_rig() as found:
        yield found


def pay(rig: Dynamics365Rig, reference: str, text: str, on: date = DAY) -> None:
    """A payment somebody else booked: another's document number, and a text of the cash book."""
    lines = (
        JournalLine("1370", 5000, 0, narrative=text),
        JournalLine("1810", 0, 5000, narrative=text),
    )
    rig.connector.create(replace(rig.journal(reference, booked_on=on), lines=lines))
    for row in rig.simulator.books.lines["nord", reference[:10]].values():
        row["Document"] = "PV-1" if reference.startswith("PAY") else row["Document"]


def test_the_cash_book_tells_ours_from_others(rig: Dynamics365Rig) -> None:
    pay(rig, "PAY2ABCDEFGHIJKL", "PAY-2026-0117 run RUN-47 e2e E2E-1 | Supplier run")
    pay(rig, "OURSABCDEFGHIJKL", "Interest")
    pay(rig, "PAY3ABCDEFGHIJKL", "Before", on=date(2026, 11, 19))
    rig.let_work()
    theirs, ours = rig.connector.cash_book("1810", since=date(2026, 11, 19))
    assert (theirs.document_no, theirs.payment_batch_id, theirs.end_to_end_id) == (
        "PAY-2026-0117",
        "RUN-47",
        "E2E-1",
    )
    assert (theirs.narrative, theirs.external_ref) == ("Supplier run", None)
    assert (ours.external_ref, ours.document_no, ours.narrative) == (
        "OURSABCDEFGHIJKL",
        None,
        "Interest",
    )
    assert [line.amount_minor for line in (theirs, ours)] == [-5000, -5000]
    assert rig.connector.book_balance("1810", on=DAY, currency="EUR") == -15000
    assert rig.connector.book_balance("1810", on=date(2026, 11, 19), currency="EUR") == -5000


def test_entries_behind_dimensions_are_the_main_accounts(rig: Dynamics365Rig) -> None:
    rig.connector.create(rig.journal("ABCDEFGHIJKLMNOP"))
    rig.let_work()
    (line,) = rig.connector.cash_book("6855", since=date(2026, 11, 1))
    assert line.amount_minor == 350


def test_an_account_in_another_currency_counts_in_it(rig: Dynamics365Rig) -> None:
    lines = (
        JournalLine("1370", 9250, 0),
        JournalLine("1840", 0, 9250, foreign_minor=-10000, foreign_currency="USD"),
    )
    rig.connector.create(replace(rig.journal("ABCDEFGHIJKLMNOP"), lines=lines))
    rig.let_work()
    (line,) = rig.connector.cash_book("1840", since=date(2026, 11, 1))
    assert (line.amount_minor, line.currency, line.company_amount_minor) == (-10000, "USD", -9250)
    assert rig.connector.book_balance("1840", on=DAY, currency="USD") == -10000
    with pytest.raises(ConnectorError, match="CURRENCY_OTHER"):
        rig.connector.book_balance("1840", on=DAY, currency="EUR")


def test_pages_are_read_to_the_end(rig: Dynamics365Rig) -> None:
    whole = rig.connector.gl_accounts("nord")
    rig.simulator.api.page_max = 3
    with opened({}) as other:
        other.simulator.api.page_max = 3
        assert other.connector.gl_accounts("nord") == whole
    assert [account.code for account in whole] == sorted(account.code for account in whole)
    assert len(whole) == 17


def test_open_items_come_from_the_companys_own_entity(rig: Dynamics365Rig) -> None:
    found = rig.connector.open_items("nord", on=DAY)
    assert [(i.kind, i.amount_minor, i.document_no, i.party_code) for i in found] == [
        ("payable", -25040, "OS-77", "V-100"),
        ("receivable", 11900, "FTI-1001", "C-100"),
    ]
    assert rig.connector.open_items("nord", on=date(2026, 11, 1)) == []
    with (
        opened({"open_items": {"entity": ""}}) as other,
        pytest.raises(ConnectorError, match="NOT_OFFERED"),
    ):
        other.connector.open_items("nord", on=DAY)


def test_rates_are_units_of_the_currency_for_one_of_the_companys(rig: Dynamics365Rig) -> None:
    (rate,) = rig.connector.company_rates()
    assert (rate.currency, rate.on) == ("USD", date(2026, 11, 1))
    assert round(rate.rate * Decimal("92.5"), 20) == 100


def test_partners_are_vendors_customers_and_workers(rig: Dynamics365Rig) -> None:
    found = {(p.code, p.kind): p for p in rig.connector.partners("nord")}
    assert found["V-100", "supplier"].accounts == ("DE00TEST0001",)
    assert not found["V-300", "supplier"].active
    assert found["C-100", "customer"].name == "Weser Werft AG"
    assert found["E-001", "employee"].name == "Mara Lindqvist"


def test_cost_centers_have_their_spans_and_suspended_ones_are_left_out(
    rig: Dynamics365Rig,
) -> None:
    found = rig.connector.cost_centers("nord")
    assert [(c.code, c.valid_from, c.valid_to) for c in found] == [
        ("100", None, None),
        ("300", None, date(2026, 6, 30)),
    ]


def test_tax_codes_and_periods(rig: Dynamics365Rig) -> None:
    assert [tax.code for tax in rig.connector.tax_codes("nord")] == ["VAT19"]
    assert rig.connector.period_status("nord", DAY) == "open"
    assert rig.connector.period_status("nord", date(2026, 12, 1)) == "future"
    assert rig.connector.period_status("nord", date(2027, 1, 1)) == "unknown"
    rig.close_period(DAY)
    assert rig.connector.period_status("nord", DAY) == "closed"
    with opened({"periods": {"entity": ""}}) as other:
        assert other.connector.period_status("nord", DAY) == "unknown"


def test_another_company_is_refused(rig: Dynamics365Rig) -> None:
    with pytest.raises(ConnectorError, match="COMPANY_OTHER"):
        rig.connector.gl_accounts("nous")


@pytest.mark.parametrize(
    ("section", "values", "code"),
    [
        ("posting", {"way": "sometimes"}, "PROFILE_VALUE"),
        ("posting", {"way": "service", "service": "https://x"}, "PROFILE_VALUE"),
        ("posting", {"weg": "batch"}, "PROFILE_KEY"),
        ("cash_book", {"text": "("}, "PROFILE_PATTERN"),
    ],
)
def test_a_wrong_mapping_is_refused_by_name(
    section: str, values: dict[str, str], code: str
) -> None:
    with pytest.raises(ProfileError) as raised:
        DynamicsConnector(
            "http://x", "a", "b", company="nord", mapping=mapping(**{section: values})
        )
    assert raised.value.code == code
    assert section in str(raised.value)


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (
            {"value": [], "@odata.nextLink": "https://elsewhere.example/data/MainAccounts"},
            "ANSWER_UNEXPECTED",
        ),
        ({"value": [], "@odata.nextLink": "http://d365.test/data/X"}, "ANSWER_UNEXPECTED"),
        ({"values": []}, "ANSWER_UNEXPECTED"),
        ({"value": [{"TaxCode": "A"}]}, "ANSWER_UNEXPECTED"),
    ],
)
def test_an_answer_that_leads_astray_or_is_misshaped_is_an_error(
    page: dict[str, object], code: str
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host in ("d365.test", "entra.test")
        if request.url.host == "entra.test":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 3599})
        return httpx.Response(200, json=page)

    connector = DynamicsConnector(
        "http://d365.test",
        "a",
        "b",
        company="nord",
        mapping=mapping(),
        options={"token_url": "http://entra.test/token"},
        transport=httpx.MockTransport(answer),
    )
    with pytest.raises(ConnectorError) as raised:
        connector.tax_codes("nord")
    assert raised.value.code == code
