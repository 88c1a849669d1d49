"""Drafts made with one call, against a real Tryton: whole or not at all, an outcome for each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.connectors.books import administrator, fee, found, outcome
from tests.connectors.proxy import Proxy, answer_bytes
from tests.services import Tryton
from tieout.connectors.ports import Journal
from tieout.connectors.tryton import TrytonConnector


def batch(word: str, count: int = 3) -> tuple[Journal, ...]:
    """Fees with references of a word."""
    return tuple(fee(f"{word}{number:0{16 - len(word)}d}") for number in range(count))


def test_one_call_makes_all_drafts_in_their_order(books: TrytonConnector) -> None:
    journals = batch("MANY", 20)
    assert books.capability(journals[0]).batch_max == 20
    made = books.create_batch(journals)
    assert {outcome(one) for one in made} == {("OK", "DRAFTED")}
    for journal, one in zip(journals, made, strict=True):
        document = books.read(one.doc_id or "")
        assert document is not None
        assert (document.external_ref, document.state) == (journal.external_ref, "draft")


def test_what_our_checks_refuse_does_not_hold_the_others_back(books: TrytonConnector) -> None:
    good, bad, other = batch("CHECKED")
    made = books.create_batch((good, replace(bad, company="OTHER"), other))
    assert [one.code for one in made] == ["DRAFTED", "COMPANY_OTHER", "DRAFTED"]
    assert [len(found(books, x.external_ref)) for x in (good, bad, other)] == [1, 0, 1]
    wrong = replace(bad, company="OTHER")
    assert [one.code for one in books.create_batch((wrong, wrong))] == ["COMPANY_OTHER"] * 2


def test_what_tryton_refuses_whole_is_told_one_by_one(
    books: TrytonConnector, tryton: Tryton
) -> None:
    """A period that closed after it was asked for: Tryton takes nothing of the call."""
    good, _, other = batch("WHOLE")
    late = fee("WHOLELATE0000001", booked_on=date(2027, 2, 5))
    assert books.delete_draft(str(books.create(late).doc_id)).outcome == "OK"
    session = administrator(tryton)
    (period,) = session.rows("account.period", [["name", "=", "2027-02"]], ["state"])
    session.ask("model.account.period.close", [period["id"]])
    session.wire.close()
    made = books.create_batch((good, late, other))
    assert [outcome(one) for one in made] == [
        ("OK", "DRAFTED"),
        ("REJECT", "PERIOD_CLOSED"),
        ("OK", "DRAFTED"),
    ]
    assert [len(found(books, x.external_ref)) for x in (good, late, other)] == [1, 0, 1]


@pytest.mark.parametrize(
    ("fault", "told", "drafts"),
    [
        ("cut", "UNKNOWN", 0),
        ("swallow", "UNKNOWN", 1),
        (answer_bytes(200, '{"id": 1, "result": [7]}'), "UNKNOWN", 0),
        (answer_bytes(200, '{"id": 1, "result": [7, 7]}'), "UNKNOWN", 0),
        (answer_bytes(200, '{"id": 1, "result": ["7", "8"]}'), "UNKNOWN", 0),
    ],
)
def test_a_call_that_is_not_answered_is_unknown_for_each(
    spoiled: TrytonConnector, proxy: Proxy, fault: str | bytes, told: str, drafts: int
) -> None:
    journals = batch(f"LOST{len(fault)}", 2)
    before = [len(found(spoiled, journal.external_ref)) for journal in journals]
    proxy.match, proxy.fault = b"account.move.create", fault
    assert [one.outcome for one in spoiled.create_batch(journals)] == [told] * 2
    proxy.match = b"\0"
    after = [len(found(spoiled, journal.external_ref)) for journal in journals]
    assert [now - then for now, then in zip(after, before, strict=True)] == [drafts] * 2


def test_after_one_that_is_not_answered_nothing_more_is_sent(
    spoiled: TrytonConnector, proxy: Proxy, tryton: Tryton
) -> None:
    """Tryton refuses all; of those sent alone the first breaks off, the second stays here."""
    journals = batch("BROKEN", 2)
    proxy.match = b"account.move.create"
    proxy.fault = answer_bytes(200, '{"id": 1, "error": ["UserError", ["no", ""]]}')
    refused = spoiled.create_batch(journals)
    assert [one.outcome for one in refused] == ["REJECT"] * 2
    inner = spoiled.wire.exchange
    calls = 0

    def first_refused(method: str, *given: object) -> object:
        nonlocal calls
        calls += method.endswith("move.create")
        if method.endswith("move.create") and calls > 1:
            proxy.fault = "cut"
        return inner(method, *given)  # type: ignore[arg-type]

    spoiled.wire.exchange = first_refused  # type: ignore[method-assign, assignment]
    told = spoiled.create_batch(journals)
    assert [one.code for one in told] == ["CONNECTION_LOST", "KEPT_BACK"]
    assert [one.outcome for one in told] == ["UNKNOWN", "NOT_SENT"]
    proxy.match = b"\0"
    assert [found(spoiled, journal.external_ref) for journal in journals] == [[], []]
