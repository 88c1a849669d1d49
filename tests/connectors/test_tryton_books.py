"""Reads of the books, against a real Tryton with documents in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from sandbox import world as worlds
from sandbox.tryton.loading import load
from tests.connectors.books import CUTOVER, DAY, small_books
from tests.services import Tryton
from tieout.connectors.reads import Rate
from tieout.connectors.tryton import TrytonConnector
from tieout.errors import ConnectorError, ProfileError


@pytest.fixture(scope="module")
def books(tryton: Tryton) -> Iterator[TrytonConnector]:
    counts = load(tryton.home, tryton.process.database, small_books())
    assert counts == {"parties": 2, "openings": 2, "invoices": 3, "cash_book": 3, "settled": 1}
    connector = tryton.connector()
    yield connector
    connector.close()


def test_loading_again_enters_nothing(tryton: Tryton, books: TrytonConnector) -> None:
    counts = load(tryton.home, tryton.process.database, small_books())
    assert set(counts.values()) == {0}


def test_cash_book_lines(books: TrytonConnector) -> None:
    first, second = books.cash_book("1810", since=CUTOVER)
    assert (first.document_no, first.amount_minor, first.currency) == ("CB-1", 50_000, "EUR")
    assert (first.party_name, first.narrative, first.external_ref) == (
        "Kranbau Ostsee GmbH",
        None,
        None,
    )
    assert first.booked_on == DAY
    assert first.move_number is not None and first.move_number.startswith("2026/")
    assert (second.document_no, second.party_name) == ("CB-2", None)
    assert second.narrative == "Found | in the post"


def test_cash_book_in_another_currency(books: TrytonConnector) -> None:
    (line,) = books.cash_book("1840", since=CUTOVER)
    assert (line.amount_minor, line.currency, line.company_amount_minor) == (-5_425, "USD", -5_000)
    assert (line.payment_batch_id, line.end_to_end_id) == ("RUN-1", "E2E-3")


@pytest.mark.parametrize(
    ("gl_account", "currency", "on", "balance"),
    [
        ("1810", "EUR", date(2026, 11, 18), 0),
        ("1810", "EUR", CUTOVER, 100_000),
        ("1810", "EUR", DAY, 150_999),
        ("1810", "EUR", date(2027, 3, 1), 150_999),
        ("1840", "USD", CUTOVER, 108_500),
        ("1840", "USD", DAY, 103_075),
        ("1850", "EUR", DAY, 0),
    ],
)
def test_balance(
    books: TrytonConnector, gl_account: str, currency: str, on: date, balance: int
) -> None:
    assert books.book_balance(gl_account, on=on, currency=currency) == balance


def test_cash_book_and_balance_agree(books: TrytonConnector) -> None:
    for gl_account, currency in (("1810", "EUR"), ("1840", "USD")):
        opening = books.book_balance(gl_account, on=CUTOVER, currency=currency)
        moved = sum(line.amount_minor for line in books.cash_book(gl_account, since=CUTOVER))
        assert opening + moved == books.book_balance(gl_account, on=DAY, currency=currency)


def test_open_items(books: TrytonConnector) -> None:
    items = books.open_items("NORD", on=DAY)
    found = [(i.kind, i.source, i.document_no, i.amount_minor, i.currency) for i in items]
    assert found == [
        ("receivable", "invoice", "RE-2", 7_000, "EUR"),
        ("payable", "invoice", "ER-1", -10_850, "USD"),
        ("payable", "move", "CB-3", 5_425, "USD"),
    ]
    assert items[0].due_on == date(2026, 12, 2)
    assert items[0].narrative == "Crane parts"
    assert items[1].company_amount_minor == -10_000
    assert books.open_items("NORD", on=date(2026, 10, 31)) == []


def test_rates(books: TrytonConnector) -> None:
    assert Rate("USD", date(2026, 11, 1), Decimal("1.0850")) in books.company_rates()


@pytest.mark.parametrize("page_size", [1, 2])
def test_pages_add_up(tryton: Tryton, books: TrytonConnector, page_size: int) -> None:
    process = tryton.process
    paged = TrytonConnector(
        process.url,
        process.database,
        process.login,
        process.password,
        company="NORD",
        mapping={"cash_book": {"page_size": page_size}},
    )
    lines = paged.cash_book("1810", since=date(2026, 1, 1))
    paged.close()
    assert [line.amount_minor for line in lines] == [100_000, 50_000, 999]
    assert lines[1].narrative == "CB-1"  # without the mapping's pattern all is narrative


def test_wrong_questions(books: TrytonConnector) -> None:
    with pytest.raises(ConnectorError, match="ACCOUNT_UNKNOWN"):
        books.cash_book("9999", since=CUTOVER)
    with pytest.raises(ConnectorError, match="CURRENCY_OTHER"):
        books.book_balance("1840", on=DAY, currency="EUR")
    with pytest.raises(ConnectorError, match="COMPANY_OTHER"):
        books.open_items("OTHER", on=DAY)


def test_mapping_is_checked() -> None:
    def make(mapping: dict[str, object]) -> TrytonConnector:
        return TrytonConnector("http://erp", "erp", "x", "y", company="N", mapping=mapping)

    with pytest.raises(ProfileError, match="cash_book"):
        make({"cash_bok": {}})
    with pytest.raises(ProfileError, match="narrative"):
        make({"cash_book": {"text": "(?P<narative>.*)"}})
    with pytest.raises(ProfileError, match="PROFILE_PATTERN"):
        make({"cash_book": {"text": "(?P<narrative>.*"}})
    with pytest.raises(ProfileError, match="read"):
        make({"timeouts": {"reed": 1}})


def test_the_demo_world_arrives_whole(tryton_other: Tryton) -> None:
    world = worlds.build()
    load(tryton_other.home, tryton_other.process.database, world)
    connector = tryton_other.connector()
    for account in world.accounts:
        wanted = [
            (d.document_no, d.amount_minor, d.company_amount_minor, d.narrative or None)
            for d in world.documents
            if d.account_code == account.code
        ]
        lines = connector.cash_book(account.gl_account, since=world.cutover_on)
        found = [
            (x.document_no, x.amount_minor, x.company_amount_minor, x.narrative) for x in lines
        ]
        assert found == wanted
        balance = connector.book_balance(
            account.gl_account, on=world.business_day, currency=account.currency
        )
        assert balance == account.opening_minor + sum(line.amount_minor for line in lines)
    paid = {d.settles for d in world.documents}
    unpaid = {d.document_no for d in world.documents if d.account_code == ""} - paid
    items = connector.open_items("NORD", on=world.business_day)
    assert {item.document_no for item in items if item.source == "invoice"} == unpaid
    connector.close()
