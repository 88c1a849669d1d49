"""NetSuite: its books and master data read with SuiteQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.connectors.rigs.netsuite import DAY, NetSuiteRig, mapping, open_rig
from tieout.connectors.netsuite_session import quoted
from tieout.connectors.reads import GlAccount, Rate
from tieout.errors import ConnectorError

BEGIN = date(2026, 1, 1)


@pytest.fixture
def rig() -> Iterator[NetSuiteRig]:
    with open_rig() as opened:
        yield opened


def numbers(lines: Any) -> list[str | None]:
    return [line.move_number for line in lines]


def test_the_cash_book_is_taken_apart(rig: NetSuiteRig) -> None:
    (line,) = rig.connector.cash_book("1810", since=date(2026, 10, 30))
    assert (line.booked_on, line.amount_minor, line.currency) == (
        date(2026, 11, 19),
        250_000,
        "EUR",
    )
    assert (line.document_no, line.payment_batch_id, line.end_to_end_id, line.narrative) == (
        "PAY-2026-0117",
        "RUN-2026-47",
        "E2E-0117-1",
        "Customer run week 47",
    )
    assert (line.party_code, line.party_name) == ("C-2001", "Kranbau Ostsee GmbH")
    assert line.line_id == f"{line.move_id}/0"


def test_our_own_postings_are_known_by_their_reference(rig: NetSuiteRig) -> None:
    rig.connector.create(rig.journal("A" * 16))
    line = rig.connector.cash_book("1810", since=date(2026, 11, 19))[0]
    assert (line.external_ref, line.amount_minor, line.narrative) == (
        "A" * 16,
        -350,
        "Fee of the bank",
    )


def test_what_waits_for_approval_is_not_in_the_books(rig: NetSuiteRig) -> None:
    rig.simulator.ledger.approval = "1"
    rig.connector.create(rig.journal("A" * 16))
    assert rig.connector.cash_book("1810", since=date(2026, 11, 19)) == []
    assert rig.connector.book_balance("1810", on=DAY, currency="EUR") == 10_250_000


def test_lines_netsuite_has_reconciled_can_be_left_out(rig: NetSuiteRig) -> None:
    everything = rig.connector.cash_book("1810", since=BEGIN)
    changed = mapping()
    changed["cash_book"]["lines"] = "uncleared"
    uncleared = rig.connect(mapped=changed).cash_book("1810", since=BEGIN)
    assert (numbers(everything), numbers(uncleared)) == (["JOU1", "JOU4"], ["JOU4"])


def test_balances_are_in_the_account_s_own_currency(rig: NetSuiteRig) -> None:
    balance = rig.connector.book_balance
    assert balance("1810", on=DAY, currency="EUR") == 10_250_000
    assert balance("1810", on=date(2026, 11, 18), currency="EUR") == 10_000_000
    assert balance("1840", on=DAY, currency="USD") == 5_000_000
    assert balance("1840", on=BEGIN, currency="USD") == 0
    with pytest.raises(ConnectorError, match="CURRENCY_OTHER"):
        balance("1840", on=DAY, currency="EUR")
    with pytest.raises(ConnectorError, match="GL_ACCOUNT_UNKNOWN"):
        balance("nothing", on=DAY, currency="EUR")


def test_the_foreign_cash_book_has_both_amounts(rig: NetSuiteRig) -> None:
    (line,) = rig.connector.cash_book("1840", since=BEGIN)
    amounts = (line.amount_minor, line.currency, line.company_amount_minor)
    assert amounts == (5_000_000, "USD", 4_600_000)


def test_open_items_are_signed_as_the_bank_would_move(rig: NetSuiteRig) -> None:
    items = rig.connector.open_items("NORD", on=DAY)
    assert [(i.document_no, i.kind, i.source, i.amount_minor, i.currency) for i in items] == [
        ("RE-2026-0811", "receivable", "invoice", 119_000, "EUR"),
        ("ER-7714", "payable", "invoice", -10_850, "USD"),
        ("OS-55", "payable", "invoice", -25_000, "EUR"),
        ("JOU3", "payable", "move", 25_000, "EUR"),
    ]
    assert items[1].company_amount_minor == -9_982
    assert (items[0].due_on, items[0].party_code) == (date(2026, 12, 2), "C-2001")
    before = rig.connector.open_items("NORD", on=date(2026, 11, 4))
    assert numbers(before) == numbers(items)[:3]
    with pytest.raises(ConnectorError, match="COMPANY_OTHER"):
        rig.connector.open_items("ACME", on=DAY)


def test_an_item_paid_in_part_is_open_by_the_rest(rig: NetSuiteRig) -> None:
    bill = next(d for d in rig.simulator.documents() if d["number"] == "OS-55")
    payment = {
        "entity": {"id": "903"},
        "account": {"id": "111"},
        "apAcct": {"id": "120"},
        "apply": [{"doc": {"id": bill["id"]}, "apply": True, "amount": Decimal("100.10")}],
    }
    rig.simulator.ledger.create("vendorPayment", payment)
    items = {i.document_no: i for i in rig.connector.open_items("NORD", on=DAY)}
    assert items["OS-55"].amount_minor == -14_990


@pytest.mark.parametrize("page_size", [1, 2, 7])
def test_pages_follow_the_last_line_and_miss_none(rig: NetSuiteRig, page_size: int) -> None:
    for number in range(9):
        rig.connector.create(rig.journal(f"{'ABCDEFGHI'[number]}" * 16))
    changed = mapping()
    changed["cash_book"]["page_size"] = page_size
    small = rig.connect(mapped=changed)
    lines = small.cash_book("1810", since=BEGIN)
    assert lines == rig.connector.cash_book("1810", since=BEGIN)
    assert len(lines) == 11
    assert small.open_items("NORD", on=DAY) == rig.connector.open_items("NORD", on=DAY)


def test_more_rows_than_a_query_reaches_are_all_read(rig: NetSuiteRig) -> None:
    rig.simulator.ledger.tables.rows_max = 3
    changed = mapping()
    changed["cash_book"]["page_size"] = 3
    accounts = rig.connect(mapped=changed).gl_accounts("NORD")
    assert len(accounts) == 19


def test_rates_are_units_for_one_of_the_company_s(rig: NetSuiteRig) -> None:
    assert rig.connector.company_rates() == [
        Rate("GBP", date(2026, 11, 1), Decimal("0.869565217391")),
        Rate("USD", date(2026, 11, 1), Decimal("1.086956521739")),
    ]


def test_master_data_is_listed_in_order(rig: NetSuiteRig) -> None:
    connector = rig.connector
    accounts = {account.code: account for account in connector.gl_accounts("NORD")}
    assert list(accounts) == sorted(accounts)
    assert accounts["3300"] == GlAccount("3300", "Accounts Payable", True, True)
    assert [code for code, a in accounts.items() if not a.active] == ["6000", "6999"]
    partners = connector.partners("NORD")
    assert [(p.code, p.kind, p.active) for p in partners] == [
        ("C-2001", "customer", True),
        ("E-3001", "employee", True),
        ("V-1001", "supplier", True),
        ("V-1002", "supplier", True),
        ("V-1003", "supplier", False),
    ]
    assert partners[1].name == "Ada Brandt"
    assert [center.code for center in connector.cost_centers("NORD")] == ["Sales", "Treasury"]
    assert connector.tax_codes("NORD") == []


def test_the_period_is_asked_for_every_time(rig: NetSuiteRig) -> None:
    status = rig.connector.period_status
    assert status("NORD", DAY) == "open"
    rig.close_period(DAY)
    assert status("NORD", DAY) == "closed"
    assert status("NORD", date(2031, 1, 1)) == "unknown"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("throttle", "CONCURRENCY_LIMIT_EXCEEDED"),
        ("nested throttle", "CONCURRENCY_LIMIT_EXCEEDED"),
        ("maintenance", "HTTP_503"),
        ("no effect", "CONNECTION_LOST"),
        ("error before", "UNEXPECTED_ERROR"),
    ],
)
def test_a_read_that_fails_says_why_and_is_not_repeated(
    rig: NetSuiteRig, fault: str, code: str
) -> None:
    rig.fault("query", fault)
    with pytest.raises(ConnectorError) as caught:
        rig.connector.gl_accounts("NORD")
    assert caught.value.code == code
    assert rig.simulator.plan.seen()["query"] == 1


def test_a_create_whose_masters_are_throttled_is_not_sent(rig: NetSuiteRig) -> None:
    rig.fault("query", "throttle", "error before")
    outcomes = [rig.connector.create(rig.journal("A" * 16)).outcome for _ in range(3)]
    assert outcomes == ["THROTTLED", "NOT_SENT", "OK"]
    assert rig.simulator.plan.seen()["create"] == 1


def test_text_from_outside_stays_text(rig: NetSuiteRig) -> None:
    assert quoted("O'Brien' OR '1'='1") == "'O''Brien'' OR ''1''=''1'"
    with pytest.raises(ConnectorError, match="GL_ACCOUNT_UNKNOWN"):
        rig.connector.cash_book("1810' OR '1'='1", since=BEGIN)


SHAPES: list[tuple[int, Any]] = [
    (200, []),
    (200, {"items": 7, "hasMore": False}),
    (200, {"items": [7], "hasMore": False}),
    (200, {"items": [], "hasMore": "no"}),
    (200, {"items": [{"id": "x"}], "hasMore": False}),
    (200, {"items": [{}], "hasMore": False}),
    (200, {"items": [{"id": "2"}, {"id": "1"}], "hasMore": False}),
    (200, None),
    (302, None),
    (204, None),
]


@pytest.mark.parametrize(("status", "body"), SHAPES)
def test_an_answer_of_another_shape_is_our_error(rig: NetSuiteRig, status: int, body: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "token" in request.url.path:
            return httpx.Response(200, json={"access_token": "x", "expires_in": "3600"})
        return httpx.Response(status, json=body, headers={"Location": "http://127.0.0.1:1/"})

    own = rig.connect()
    own.wire._transport = httpx.MockTransport(answer)
    with pytest.raises(ConnectorError):
        own.gl_accounts("NORD")
    with pytest.raises(ConnectorError):
        own.cash_book("1810", since=BEGIN)
