"""Oracle's books and masters read: pages, deltas, currencies, and messages that are only hints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.simulators.oracle_books import Line
from tests.connectors.rigs.oracle import DAY, OracleRig, connect, open_rig, profile
from tieout.connectors.oracle_callbacks import read_completion
from tieout.connectors.oracle_fusion import OracleFusionConnector
from tieout.connectors.ports import Journal, JournalLine
from tieout.errors import ConnectorError

REFERENCE = "ABCDEFGHIJKLMNOP"


@pytest.fixture
def rig() -> Iterator[OracleRig]:
    with open_rig() as found:
        yield found


def book(rig: OracleRig, reference: str, on: date = DAY, **change: Any) -> None:
    """A posted journal of the tenant's."""
    journal = replace(rig.journal(reference, booked_on=on), **change)
    assert rig.connector.create(journal).outcome == "PENDING"
    rig.let_work()
    rig.tenant.scheduler.post_automatically()


def test_the_cash_book_has_posted_lines_after_a_day(rig: OracleRig) -> None:
    for day in (2, 20, 10):
        book(rig, f"DAY{day:02}", date(2026, 11, day))
    book(rig, "OCTOBER", date(2026, 10, 31))
    rig.connector.create(rig.journal("DRAFT"))
    rig.let_work()
    lines = rig.connector.cash_book("1810", since=date(2026, 11, 2))
    assert [(line.booked_on.day, line.external_ref) for line in lines] == [
        (10, "DAY10"),
        (20, "DAY20"),
    ]
    assert [line.amount_minor for line in lines] == [-350, -350]
    everything = rig.connector.cash_book("1810", since=date(2026, 9, 30))
    assert [line.external_ref for line in everything] == ["OCTOBER", "DAY02", "DAY10", "DAY20"]


def test_others_lines_are_taken_apart_by_the_mapping(rig: OracleRig) -> None:
    book(rig, REFERENCE)
    (batch,) = rig.tenant.books.journals(REFERENCE)
    batch.name = "Payables A 4711 9999 N"
    batch.header_name = "Payments EUR"
    batch.lines[1].description = "PAY-2026-0117 run RUN-2026-47 e2e E2E-0117-1 | Supplier run"
    (line,) = rig.connector.cash_book("1810", since=date(2026, 11, 1))
    assert (line.document_no, line.payment_batch_id, line.end_to_end_id, line.narrative) == (
        "PAY-2026-0117",
        "RUN-2026-47",
        "E2E-0117-1",
        "Supplier run",
    )
    assert (line.external_ref, line.move_number) == (None, "Payables A 4711 9999 N")


def test_the_cash_book_asks_again_only_for_what_changed(rig: OracleRig) -> None:
    for reference in ("FIRST", "LAST"):
        book(rig, reference)
        rig.tenant.clock.advance(3600)
    assert len(rig.connector.cash_book("1810", since=date(2026, 10, 31))) == 2
    book(rig, "SECOND")
    read: list[str] = []
    inner = rig.connector.wire.exchange

    def spy(method: str, path: str, **given: Any) -> Any:
        answer = inner(method, path, **given)
        if path.endswith("/journalBatches"):
            read.append(answer.body.decode())
        return answer

    rig.connector.wire.exchange = spy  # type: ignore[method-assign]
    lines = rig.connector.cash_book("1810", since=date(2026, 10, 31))
    assert [line.external_ref for line in lines] == ["FIRST", "LAST", "SECOND"]
    assert "TIEOUT-FIRST" not in "".join(read)
    assert "TIEOUT-SECOND" in "".join(read)


def test_many_batches_come_in_pages(rig: OracleRig) -> None:
    mapping = profile()
    mapping["cash_book"]["page_size"] = 7
    rig.connector.create_batch(tuple(rig.journal(f"P{n:02}") for n in range(30)))
    rig.let_work()
    rig.tenant.scheduler.post_automatically()
    login, password = "TIEOUT_INTEGRATION", "sandbox"
    books = OracleFusionConnector(rig.url, login, password, company="NORD", mapping=mapping)
    before = rig.tenant.plan.seen().get("find", 0)
    lines = books.cash_book("1810", since=date(2026, 10, 31))
    assert [line.external_ref for line in lines] == [f"P{n:02}" for n in range(30)]
    assert rig.tenant.plan.seen()["find"] - before == 5 + 1  # November in 5 pages, December in one
    books.close()


def test_a_bank_account_in_dollars(rig: OracleRig) -> None:
    dollars = (
        JournalLine("6855", 1000, 0),
        JournalLine("1840", 0, 1000, foreign_minor=-1087, foreign_currency="USD"),
    )
    book(rig, "DOLLARS", lines=dollars)
    book(rig, "REVALUED", lines=(JournalLine("6880", 5, 0), JournalLine("1840", 0, 5)))
    lines = rig.connector.cash_book("1840", since=date(2026, 10, 31))
    assert [(x.amount_minor, x.currency, x.company_amount_minor) for x in lines] == [
        (-1087, "USD", -1000),
        (0, "USD", -5),
    ]
    assert rig.connector.book_balance("1840", on=DAY, currency="USD") == -1087
    with pytest.raises(ConnectorError, match="kept in USD, not EUR"):
        rig.connector.book_balance("1840", on=DAY, currency="EUR")


def test_a_balance_counts_earlier_periods_and_this_one_up_to_the_day(rig: OracleRig) -> None:
    for reference, on in (
        ("OCT", date(2026, 10, 31)),
        ("NOV10", date(2026, 11, 10)),
        ("NOV20", DAY),
    ):
        book(rig, reference, on)
    found = [
        rig.connector.book_balance("1810", on=on, currency="EUR")
        for on in (date(2026, 10, 30), date(2026, 10, 31), date(2026, 11, 19), DAY)
    ]
    assert found == [0, -350, -700, -1050]
    with pytest.raises(ConnectorError, match="no period for"):
        rig.connector.book_balance("1810", on=date(2031, 1, 1), currency="EUR")


def test_open_items_are_what_is_not_paid(rig: OracleRig) -> None:
    for reference in ("OPENA", "PARTLY", "PAID", "NOTVALID"):
        created = rig.connector.create(rig.invoice(reference))
        assert created.doc_id is not None
        if reference != "NOTVALID":
            rig.connector.post(created.doc_id)
    rig.tenant.books.invoices_of("PARTLY")[0].paid = Decimal("1.00")
    rig.tenant.books.invoices_of("PAID")[0].paid = Decimal("3.50")
    rig.tenant.books.receivables += [_receivable("RE-1", "120.00"), _receivable("RE-2", "0")]
    rig.tenant.books.receivables.append(
        _receivable("RE-3", "108.75") | {"InvoiceCurrencyCode": "USD", "ConversionRate": "0.92"}
    )
    items = rig.connector.open_items("NORD", on=DAY)
    assert [(x.document_no, x.kind, x.amount_minor, x.company_amount_minor) for x in items] == [
        ("RE-1", "receivable", 12000, 12000),
        ("RE-3", "receivable", 10875, 10005),
        ("R-OPENA", "payable", -350, -350),
        ("R-PARTLY", "payable", -250, -250),
    ]
    assert rig.connector.open_items("NORD", on=date(2026, 11, 1)) == []
    with pytest.raises(ConnectorError, match="not 'OTHER'"):
        rig.connector.open_items("OTHER", on=DAY)


def _receivable(number: str, left: str) -> dict[str, Any]:
    return {
        "CustomerTransactionId": 700 + int(number[-1]),
        "TransactionNumber": number,
        "AccountingDate": "2026-11-12",
        "DueDate": "2026-12-12",
        "InvoiceBalanceAmount": Decimal(left),
        "InvoiceCurrencyCode": "EUR",
        "ConversionRate": None,
        "BillToCustomerName": "Hafenbau AG",
        "BillToCustomerNumber": "C77",
        "Comments": None,
        "PurchaseOrder": None,
    }


def test_masters_are_ordered_and_tell_what_is_in_force(rig: OracleRig) -> None:
    world = rig.tenant.books.world
    world.accounts["7310"].enabled = False
    accounts = {account.code: account for account in rig.connector.gl_accounts("NORD")}
    assert list(accounts) == sorted(accounts)
    assert (accounts["7310"].active, accounts["6855"].name) == (False, "Bank charges")
    assert [c.code for c in rig.connector.cost_centers("NORD")] == ["000", "110", "120"]
    partners = {p.code: (p.kind, p.active) for p in rig.connector.partners("NORD")}
    assert partners["1254"] == ("supplier", False)
    assert partners["E1001"] == ("employee", True)
    assert rig.connector.tax_codes("NORD") == []
    statuses = [
        rig.connector.period_status("NORD", date(2026, month, 5)) for month in (9, 10, 11, 12)
    ]
    assert statuses == ["closed", "open", "open", "future"]
    assert rig.connector.period_status("NORD", date(2031, 1, 1)) == "unknown"
    rates = rig.connector.company_rates()
    assert [(r.currency, r.on.day, r.rate) for r in rates] == [
        ("USD", 19, Decimal("1.0850")),
        ("USD", 20, Decimal("1.0875")),
    ]


def test_a_ledger_that_is_not_there_is_named(rig: OracleRig) -> None:
    mapping = profile()
    mapping["company"]["ledger_id"] = "42"
    login, password = "TIEOUT_INTEGRATION", "sandbox"
    books = OracleFusionConnector(rig.url, login, password, company="NORD", mapping=mapping)
    delivery = books.create(rig.journal(REFERENCE))
    assert (delivery.outcome, delivery.code) == ("NOT_SENT", "COMPANY_UNKNOWN")
    books.close()


def test_an_answer_of_another_shape_is_an_error_of_ours_not_a_crash(rig: OracleRig) -> None:
    book(rig, REFERENCE)
    (batch,) = rig.tenant.books.journals(REFERENCE)
    batch.lines.append(Line(3, ("01",), "EUR", *[Decimal("0.001")] * 4, ""))
    with pytest.raises(ConnectorError, match="unexpected shape"):
        rig.connector.cash_book("1810", since=date(2026, 10, 31))


def test_a_completion_is_a_hint_whose_document_it_was(rig: OracleRig) -> None:
    """Doubled or lost, it changes nothing: only a look counts."""
    journal = rig.journal(REFERENCE)
    rig.connector.create(journal)
    (job,) = rig.tenant.scheduler.jobs.values()
    job.callback = "https://tieout.invalid/callback"
    rig.fault("callback", "twice")
    rig.let_work()
    messages = rig.tenant.integrations.callbacks()
    assert len(messages) == 2
    said = [read_completion(body) for _, body in messages]
    assert said[0] == said[1]
    assert (said[0].request_id, said[0].state) == (str(job.id), "SUCCEEDED")
    assert said[0].reference == REFERENCE
    assert len(said[0].jobs) == 4
    assert rig.tenant.integrations.callbacks() == []


@given(st.binary(max_size=300))
def test_no_message_breaks_us(body: bytes) -> None:
    with pytest.raises(ConnectorError, match="no onJobCompletion"):
        read_completion(body)


HOSTILE = (
    b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]><x>&a;</x>",
    b"<x><requestId>1</requestId><state>S</state><resultMessage>[]</resultMessage></x>",
    b"<x><requestId>1</requestId><state>S</state><resultMessage>"
    + b"[" * 5000
    + b"</resultMessage></x>",
    b"<x><requestId>1</requestId><state>S</state><resultMessage>"
    + b'{"JOBS": ' * 1
    + b'[{"CHILD": ' * 30
    + b"[]"
    + b"}]" * 30
    + b"}</resultMessage></x>",
    b" " * (1024 * 1024 + 1),
)


@pytest.mark.parametrize("body", HOSTILE)
def test_a_hostile_message_is_refused(body: bytes) -> None:
    with pytest.raises(ConnectorError, match="no onJobCompletion"):
        read_completion(body)


def test_two_connectors_read_the_same(rig: OracleRig) -> None:
    book(rig, REFERENCE)
    other = connect(rig.url)
    since = date(2026, 10, 31)
    assert other.cash_book("1810", since=since) == rig.connector.cash_book("1810", since=since)
    other.close()


ERRORS = (
    # content type, body, what of it is told
    ("text/plain", "The attribute Staus is not valid", "The attribute Staus is not valid"),
    (
        "application/vnd.oracle.adf.error+json",
        '{"title": "Bad Request", "status": "400", "o:errorDetails": '
        '[{"detail": "not valid", "o:errorCode": "27024", "o:errorPath": "/Staus"}]}',
        "not valid /Staus",
    ),
    ("application/json", '{"title": "Bad Request", "detail": "so it is"}', "so it is"),
    ("text/html", "<html>secret page</html>", "HTTP 400"),
)


@pytest.mark.parametrize(("kind", "body", "words"), ERRORS)
def test_errors_are_told_in_oracles_words_plain_or_structured(
    kind: str, body: str, words: str
) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(400, headers={"content-type": kind}, content=body.encode())

    books = OracleFusionConnector(
        "http://oracle.invalid",
        "user",
        "secret",
        company="NORD",
        mapping=profile(),
        transport=httpx.MockTransport(answer),
    )
    with pytest.raises(ConnectorError) as error:
        books.gl_accounts("NORD")
    books.close()
    assert words in str(error.value)
    assert "secret" not in str(error.value)
    assert asked[0].headers["rest-framework-version"] == "4"
    assert "application/vnd.oracle.adf.error+json" in asked[0].headers["accept"]


SHAPES = ('{"items": 7, "hasMore": false}', '{"items": []}', "[]", '{"items": [7]}', "null")


@pytest.mark.parametrize("body", SHAPES)
def test_a_page_of_another_shape_is_refused(body: str) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=body.encode()))
    login = ("http://oracle.invalid", "user", "secret")
    books = OracleFusionConnector(*login, company="NORD", mapping=profile(), transport=transport)
    with pytest.raises(ConnectorError):
        books.gl_accounts("NORD")
    with pytest.raises(ConnectorError):
        books.find(_journal())
    books.close()


def test_a_collection_that_promises_more_and_has_none_ends() -> None:
    body = b'{"items": [], "hasMore": true}'
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=body))
    login = ("http://oracle.invalid", "user", "secret")
    books = OracleFusionConnector(*login, company="NORD", mapping=profile(), transport=transport)
    with pytest.raises(ConnectorError, match="has no end"):
        books.partners("NORD")
    books.close()


def _journal() -> Journal:
    lines = (JournalLine("6855", 1, 0), JournalLine("1810", 0, 1))
    return Journal(REFERENCE, "NORD", "bank", DAY, "Fee", "EUR", lines)
