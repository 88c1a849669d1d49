"""Postings of class C, against a real Tryton: what is refused, and what is in the books after."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.books import DAY, administrator, draft, fee, found, outcome
from tests.connectors.proxy import Proxy
from tests.services import Tryton
from tieout.connectors.http_wire import Timeouts
from tieout.connectors.ports import Delivery, DocumentLine, JournalLine
from tieout.connectors.tryton import TrytonConnector
from tieout.connectors.tryton_session import Session
from tieout.connectors.tryton_wire import Wire
from tieout.errors import ConnectorError


def test_create_post_read_back(books: TrytonConnector) -> None:
    doc_id = draft(books, fee("ROUND00000000001"))
    before = books.read(doc_id)
    assert before is not None
    assert (before.state, before.number, before.external_ref) == (
        "draft",
        None,
        "ROUND00000000001",
    )
    posted = books.post(doc_id)
    assert outcome(posted) == ("OK", "POSTED")
    after = books.read(doc_id)
    assert after is not None
    assert (after.state, after.booked_on) == ("posted", DAY)
    assert after.number is not None
    assert after.lines == (
        DocumentLine("6855", 350, 0, None, None, None, "Fee of the bank"),
        DocumentLine("1810", 0, 350, None, None, None, ""),
    )
    assert found(books, "ROUND00000000001") == [after]


def test_our_postings_come_back_in_the_cash_book(books: TrytonConnector) -> None:
    books.post(draft(books, fee("CASHBOOK00000001", amount=777)))
    lines = books.cash_book("1810", since=date(2026, 11, 1))
    (line,) = [line for line in lines if line.external_ref == "CASHBOOK00000001"]
    assert (line.amount_minor, line.document_no, line.narrative) == (-777, None, "Bank charges")


def test_posting_twice_is_one_document(books: TrytonConnector) -> None:
    doc_id = draft(books, fee("TWICE00000000001"))
    first, second = books.post(doc_id), books.post(doc_id)
    assert (outcome(first), outcome(second)) == (("OK", "POSTED"), ("OK", "ALREADY_POSTED"))
    (document,) = found(books, "TWICE00000000001")
    assert document.number == second.number is not None


def test_posting_at_once_is_one_document(books: TrytonConnector) -> None:
    doc_id = draft(books, fee("RACE000000000001"))
    found: list[Delivery] = []
    threads = [threading.Thread(target=lambda: found.append(books.post(doc_id))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {delivery.outcome for delivery in found} <= {"OK", "UNKNOWN", "REJECT"}
    document = books.read(doc_id)
    assert document is not None and document.state == "posted"
    assert {d.number for d in found if d.code == "ALREADY_POSTED"} <= {document.number}


def test_find_tells_all_drafts_of_exactly_one_reference(books: TrytonConnector) -> None:
    first = draft(books, fee("DOUBLE0000000001"))
    second = draft(books, fee("DOUBLE0000000001"))
    draft(books, fee("DOUBLE000000000"))
    twins = found(books, "DOUBLE0000000001")
    assert [document.doc_id for document in twins] == [first, second]
    assert found(books, "NOSUCH0000000001") == []
    assert found(books, "%") == []


def test_delete_draft(books: TrytonConnector) -> None:
    doc_id = draft(books, fee("DELETE0000000001"))
    assert outcome(books.delete_draft(doc_id)) == ("OK", "DELETED")
    assert books.read(doc_id) is None
    assert outcome(books.delete_draft(doc_id)) == ("OK", "GONE")
    assert outcome(books.post(doc_id)) == ("REJECT", "GONE")


def test_a_posted_document_is_not_deleted(books: TrytonConnector) -> None:
    doc_id = draft(books, fee("KEEP000000000001"))
    books.post(doc_id)
    refused = books.delete_draft(doc_id)
    assert outcome(refused) == ("REJECT", "ALREADY_POSTED")
    document = books.read(doc_id)
    assert document is not None and refused.number == document.number


def test_a_stranger_s_draft_is_not_deleted(tryton: Tryton, books: TrytonConnector) -> None:
    doc_id = draft(books, fee("STRANGER00000001"))
    session = administrator(tryton)
    session.ask("model.account.move.write", [int(doc_id)], {"description": "Mine now"})
    session.wire.close()
    assert outcome(books.delete_draft(doc_id)) == ("REJECT", "NOT_OURS")


def test_two_currencies(books: TrytonConnector) -> None:
    lines = (
        JournalLine("6855", 1_000, 0, narrative="Wire fee"),
        JournalLine("1840", 0, 1_000, -1_085, "USD"),
    )
    journal = replace(fee("FOREIGN000000001"), lines=lines)
    doc_id = draft(books, journal)
    assert books.post(doc_id).outcome == "OK"
    document = books.read(doc_id)
    assert document is not None
    assert document.lines[1] == DocumentLine("1840", 0, 1_000, -1_085, "USD", None, "")
    assert books.book_balance("1840", on=DAY, currency="USD") == -1_085


def test_a_party_by_its_code(books: TrytonConnector) -> None:
    lines = (JournalLine("1200", 500, 0, party="NORD"), JournalLine("4400", 0, 500))
    doc_id = draft(books, replace(fee("PARTY00000000001"), lines=lines))
    document = books.read(doc_id)
    assert document is not None
    assert document.lines[0].party == "Nordlicht Maschinenbau GmbH"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"expense": "9999"}, "ACCOUNT_UNKNOWN"),
    ({"expense": "1200"}, "PARTY_MISSING"),
    ({"expense": "1840"}, "FOREIGN_MISSING"),
    ({"journal": "NOPE"}, "JOURNAL_UNKNOWN"),
    ({"booked_on": date(2025, 6, 30)}, "PERIOD_UNKNOWN"),
    ({"credit": 349}, "UNBALANCED"),
    ({"amount": 0}, "LINE_SIDES"),
    ({"amount": -5}, "LINE_SIDES"),
    ({"currency": "USD"}, "CURRENCY_OTHER"),
    ({"company": "SUED"}, "COMPANY_OTHER"),
    ({"reference": "lower case"}, "REFERENCE_MALFORMED"),
    ({"reference": "TOOLONG0000000001"}, "REFERENCE_MALFORMED"),
]


@pytest.mark.parametrize(("spoilt", "code"), REFUSED)
def test_refused_before_anything_is_sent(
    spoiled: TrytonConnector, proxy: Proxy, spoilt: dict[str, Any], code: str
) -> None:
    assert outcome(spoiled.create(fee(**spoilt))) == ("REJECT", code)
    assert not [request for request in proxy.seen if b"account.move.create" in request]


def test_unknown_party_and_no_lines(books: TrytonConnector) -> None:
    lines = (JournalLine("1200", 500, 0, party="Nobody"), JournalLine("4400", 0, 500))
    assert outcome(books.create(replace(fee(), lines=lines))) == ("REJECT", "PARTY_UNKNOWN")
    assert outcome(books.create(replace(fee(), lines=()))) == ("REJECT", "UNBALANCED")


def test_closed_period(tryton: Tryton, books: TrytonConnector) -> None:
    doc_id = draft(books, fee("LATE000000000001", booked_on=date(2027, 3, 5)))
    session = administrator(tryton)
    (period,) = session.rows("account.period", [["name", "=", "2027-03"]], ["state"])
    assert books.delete_draft(doc_id).outcome == "OK"  # a period with drafts does not close
    session.ask("model.account.period.close", [period["id"]])
    session.wire.close()
    refused = books.create(fee("LATE000000000002", booked_on=date(2027, 3, 5)))
    assert outcome(refused) == ("REJECT", "PERIOD_CLOSED")
    assert "2027-03" in refused.message


def test_tryton_s_own_refusal_is_told(books: TrytonConnector, tryton: Tryton) -> None:
    """An unbalanced draft slips past our checks only by other means; Tryton does not post it."""
    doc_id = draft(books, fee("CROOKED000000001"))
    session = administrator(tryton)
    (line, *_) = session.rows("account.move.line", [["move", "=", int(doc_id)]], ["debit"])
    session.ask("model.account.move.line.write", [line["id"]], {"debit": Decimal("9.99")})
    session.wire.close()
    refused = books.post(doc_id)
    assert outcome(refused) == ("REJECT", "REFUSED")
    assert "balance" in refused.message
    assert books.delete_draft(doc_id).outcome == "OK"


def test_the_integration_user_is_no_administrator(tryton: Tryton) -> None:
    wire = Wire(tryton.process.url, tryton.process.database, Timeouts())
    session = Session(wire, tryton.process.login, tryton.process.password, 100)
    for method in ("model.account.period.close", "model.account.account.delete"):
        with pytest.raises(ConnectorError, match="USERERROR"):
            session.ask(method, [1])
    wire.close()
