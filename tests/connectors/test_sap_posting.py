"""Postings to the SAP simulator: what is in its books, and what the connector says of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.simulators.sap import LOGIN
from tests.connectors.books import outcome
from tests.connectors.rigs.sap import DAY, SapRig, mapping, open_rig
from tieout.connectors.ports import Journal, JournalLine, Liability
from tieout.connectors.sap_entries import spread
from tieout.connectors.sap_s4hana import SapConnector
from tieout.errors import ConnectorError
from tieout.posting.readback import differences


@pytest.fixture
def rig() -> Iterator[SapRig]:
    with open_rig() as opened:
        yield opened


def posted(rig: SapRig, journal: Journal) -> str:
    delivery = rig.connector.create(journal)
    assert outcome(delivery) == ("OK", "POSTED"), delivery
    assert delivery.doc_id is not None
    return delivery.doc_id


def usd(reference: str, *counters: int, foreign: int) -> Journal:
    """A charge on the dollar account: its counters are in the company's currency only."""
    lines = [
        JournalLine("65100000", amount, 0, narrative=f"Fee {place}")
        for place, amount in enumerate(counters)
    ]
    bank = JournalLine("11002000", 0, sum(counters), -foreign, "USD")
    return Journal(reference, "NORD", "bank", DAY, "Charges", "EUR", (bank, *lines))


def reimbursement(reference: str, **changes: object) -> Journal:
    liability = Liability("90000001", "employee", "RPT-2026-0007", date(2026, 11, 12), DAY)
    lines = (JournalLine("61003000", 11_900, 0), JournalLine("21300000", 0, 11_900))
    journal = Journal(
        reference, "NORD", "expenses", DAY, "Travel", "EUR", lines, liability=liability
    )
    return replace(journal, **changes)  # type: ignore[arg-type]


def test_a_journal_stands_in_the_books_as_it_was_sent(rig: SapRig) -> None:
    journal = rig.journal("AAAAAAAAAAAAAAAA", amount=12_345)
    doc_id = posted(rig, journal)
    assert doc_id == "1010/2026/0100000000"
    document = rig.connector.read(doc_id)
    assert document is not None
    assert differences(journal, document) == ()
    assert [document] == rig.books("AAAAAAAAAAAAAAAA")
    (within,) = rig.tenant.documents("AAAAAAAAAAAAAAAA")
    assert (within.reference, within.reference1) == ("AAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAA")
    assert (within.header_text, within.kind) == ("Bank charges", "SA")
    assert within.items[0].cost_center == "0010101101", "the account of costs has a cost center"


def test_the_same_journal_makes_the_same_bytes(rig: SapRig) -> None:
    posted(rig, rig.journal("AAAAAAAAAAAAAAAA"))
    rig.tenant.clock.advance(86_400)
    posted(rig, rig.journal("AAAAAAAAAAAAAAAA"))
    first, second = rig.tenant.bodies
    assert first == second


def test_the_synchronous_service_posts_twice(rig: SapRig) -> None:
    """Why it is of class D: nothing there is unique."""
    capability = rig.connector.capability(rig.journal("TWICE"))
    assert (capability.kind, capability.batch_max) == ("D", 50)
    assert capability.settle >= timedelta(seconds=660), "SAP's longest request, lag and deadline"
    posted(rig, rig.journal("TWICE"))
    posted(rig, rig.journal("TWICE"))
    assert len(rig.connector.find(rig.journal("TWICE")).documents) == 2


@pytest.mark.parametrize(
    ("fault", "expected", "documents"),
    [
        ("lost reply", ("UNKNOWN", "CONNECTION_LOST"), 1),
        ("no effect", ("UNKNOWN", "CONNECTION_LOST"), 0),
        ("late", ("UNKNOWN", "CONNECTION_LOST"), 1),
        ("throttle", ("THROTTLED", "HTTP_429"), 0),
        ("maintenance", ("UNKNOWN", "MAINTENANCE"), 0),
        ("error before", ("UNKNOWN", "HTTP_500"), 0),
        ("error after", ("UNKNOWN", "HTTP_500"), 1),
        ("wrong severity", ("UNKNOWN", "CONTRADICTION"), 1),
    ],
)
def test_what_goes_wrong_is_told_as_it_is(
    rig: SapRig, fault: str, expected: tuple[str, str], documents: int
) -> None:
    journal = rig.journal("FAULT")
    rig.fault("create", fault)
    delivery = rig.connector.create(journal)
    assert outcome(delivery) == expected
    assert delivery.doc_id is None
    rig.let_work()
    assert len(rig.books("FAULT")) == documents
    assert list(rig.connector.find(journal).documents) == rig.books("FAULT")
    assert rig.tenant.plan.seen()["create"] == 1, "nothing is sent again"


def test_a_fault_is_told_in_sap_s_words(rig: SapRig) -> None:
    rig.fault("create", "error before")
    delivery = rig.connector.create(rig.journal("FAULT"))
    assert delivery.message == "Internal error: ABAP runtime error"


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, content=b""),
        httpx.Response(200, content=b"<a/>"),
        httpx.Response(200, content=b"<html>hello", headers={"content-type": "text/html"}),
        httpx.Response(202, content=b""),
        httpx.Response(204),
        httpx.Response(307, headers={"location": "https://evil.test/"}),
        httpx.Response(401, content=b"\xff"),
        httpx.Response(403, json={"error": {"code": "x", "message": {"value": "no"}}}),
        httpx.Response(500, content=b"<broken"),
        httpx.Response(504),
    ],
)
def test_an_answer_that_proves_nothing_is_unknown(rig: SapRig, response: httpx.Response) -> None:
    """Masters are read from the simulator; the write is answered by something else."""
    writes = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            writes.append(request.url.host)
            return response
        address = rig.address + request.url.raw_path.decode()
        return httpx.get(address, auth=LOGIN, trust_env=False)

    connector = SapConnector(
        "https://sap.test",
        *LOGIN,
        company="NORD",
        mapping=mapping(),
        transport=httpx.MockTransport(answer),
    )
    delivery = connector.create(rig.journal("NOTHING"))
    connector.close()
    assert delivery.outcome == "UNKNOWN", delivery
    assert delivery.doc_id is None and delivery.message and delivery.code != "OK"
    assert writes == ["sap.test"], "sent once, and no redirect followed"


def test_a_preview_is_what_is_sent(rig: SapRig) -> None:
    journal = rig.journal("PREVIEW")
    shown = rig.connector.preview(journal)
    assert "create" not in rig.tenant.plan.seen()
    posted(rig, journal)
    head, body = shown.split("\n\n", 1)
    assert body.encode() == rig.tenant.bodies[0]
    assert head.startswith("POST /sap/bc/srt/scs_ext/sap/journalentrycreaterequestconfi\n")
    assert "Authorization" not in shown and LOGIN[1] not in shown
    with pytest.raises(ConnectorError) as caught:
        rig.connector.preview(replace(journal, lines=()))
    assert caught.value.code == "UNBALANCED"


def test_everything_of_ours_is_listed_for_the_completeness_check(rig: SapRig) -> None:
    for name, on in (("LISTEDDOCUMENTAA", DAY), ("LISTEDDOCUMENTBB", date(2026, 10, 5))):
        posted(rig, rig.journal(name, booked_on=on))
    posted(rig, rig.journal("SHORT"))
    listed = rig.connector.posted_since
    assert [d.external_ref for d in listed("NORD", DAY)] == ["LISTEDDOCUMENTAA"]
    assert [d.external_ref for d in listed("NORD", date(2026, 10, 1))] == [
        "LISTEDDOCUMENTBB",
        "LISTEDDOCUMENTAA",
    ]
    assert listed("NORD", DAY) == rig.books("LISTEDDOCUMENTAA")


def test_a_pause_is_told_as_long_as_sap_asks(rig: SapRig) -> None:
    rig.fault("create", "throttle")
    assert rig.connector.create(rig.journal("PAUSE")).retry_after == timedelta(seconds=7)


def test_a_refusal_with_a_mild_severity_is_no_refusal(rig: SapRig) -> None:
    rig.close_period(DAY)
    rig.fault("create", "wrong severity")
    assert outcome(rig.connector.create(rig.journal("MILD"))) == ("UNKNOWN", "CONTRADICTION")


def test_other_amounts_are_seen_when_read_back(rig: SapRig) -> None:
    journal = rig.journal("ROUND")
    rig.fault("create", "round")
    document = rig.connector.read(posted(rig, journal))
    assert document is not None
    assert len(differences(journal, document)) == 4


def test_a_closed_period_is_sap_s_own_refusal(rig: SapRig) -> None:
    rig.close_period(DAY)
    refused = rig.connector.create(rig.journal("CLOSED"))
    assert outcome(refused) == ("REJECT", "PERIOD_CLOSED")
    assert "201(F5) Posting period 011 2026 is not open" in refused.message
    assert refused.response_sha256
    assert rig.books("CLOSED") == []


def test_each_document_of_a_request_has_its_own_outcome(rig: SapRig) -> None:
    rig.close_period(date(2026, 10, 5))
    good = rig.journal("GOOD")
    late = rig.journal("CLOSED", booked_on=date(2026, 10, 5))
    bad = replace(good, external_ref="BAD", lines=good.lines[:1])
    told = rig.connector.create_batch((late, good, bad, good, replace(good, external_ref="BEST")))
    assert [outcome(one) for one in told] == [
        ("REJECT", "PERIOD_CLOSED"),
        ("OK", "POSTED"),
        ("REJECT", "UNBALANCED"),
        ("NOT_SENT", "TWICE_IN_BATCH"),
        ("OK", "POSTED"),
    ]
    assert rig.tenant.plan.seen()["create"] == 1, "one request for all"
    assert told[1].doc_id == rig.books("GOOD")[0].doc_id
    assert told[4].doc_id == rig.books("BEST")[0].doc_id


def test_a_lost_answer_leaves_every_document_of_a_request_unknown(rig: SapRig) -> None:
    rig.fault("create", "lost reply")
    told = rig.connector.create_batch((rig.journal("ONE"), rig.journal("TWO")))
    assert {one.outcome for one in told} == {"UNKNOWN"}
    assert (len(rig.books("ONE")), len(rig.books("TWO"))) == (1, 1)


def test_a_foreign_account_s_document_is_in_its_currency(rig: SapRig) -> None:
    """What the counters are in dollars is their share, and the shares add up."""
    journal = usd("DOLLAR", 100, 100, 100, foreign=326)
    document = rig.connector.read(posted(rig, journal))
    assert document is not None
    assert differences(journal, document) == ()
    assert [line.foreign_minor for line in document.lines] == [-326, 109, 108, 109]
    assert {line.foreign_currency for line in document.lines} == {"USD"}
    assert rig.books("DOLLAR") == [document]


def test_a_difference_of_rates_moves_no_foreign_amount(rig: SapRig) -> None:
    lines = (
        JournalLine("11002000", 0, 250, 0, "USD"),
        JournalLine("72040000", 250, 0),
    )
    journal = Journal("RATES", "NORD", "bank", DAY, "Rates", "EUR", lines)
    document = rig.connector.read(posted(rig, journal))
    assert document is not None
    assert differences(journal, document) == ()
    assert [line.foreign_minor for line in document.lines] == [0, 0]


def test_a_reimbursement_is_owed_to_the_employee_until_its_day(rig: SapRig) -> None:
    journal = reimbursement("OWEDTOANEMPLOYEE")
    document = rig.connector.read(posted(rig, journal))
    assert document is not None
    assert differences(journal, document) == ()
    assert document.lines[1].party == "90000001"
    items = rig.connector.open_items("NORD", on=DAY)
    (item,) = [one for one in items if one.external_ref == "OWEDTOANEMPLOYEE"]
    assert item.document_no == "RPT-2026-0007"
    assert (item.kind, item.amount_minor, item.due_on) == ("payable", -11_900, DAY)
    assert item.party_name == "Meike Petersen"
    (within,) = rig.tenant.documents("OWEDTOANEMPLOYEE")
    assert (within.reference, within.document_on) == ("RPT-2026-0007", date(2026, 11, 12))


def test_an_invoice_number_is_never_cut(rig: SapRig) -> None:
    liability = Liability("90000001", "employee", "RPT-2026-000000007", DAY, DAY)
    refused = rig.connector.create(reimbursement("LONG", liability=liability))
    assert outcome(refused) == ("REJECT", "TEXT_TOO_LONG")


def test_a_narrative_is_cut_to_what_the_field_holds(rig: SapRig) -> None:
    journal = replace(rig.journal("CUT"), narrative="Bank\tcharges of November 2026, all of them")
    posted(rig, journal)
    (within,) = rig.tenant.documents("CUT")
    assert within.header_text == "Bank charges of November"
    assert within.items[1].text == "Bank charges of November 2026, all of them"


def test_a_document_is_reversed_once(rig: SapRig) -> None:
    journal = rig.journal("FIRST")
    doc_id = posted(rig, journal)
    expense, bank = journal.lines
    swapped = (
        replace(expense, debit_minor=0, credit_minor=350),
        replace(bank, debit_minor=350, credit_minor=0),
    )
    back = replace(journal, external_ref="TAKENBACKTAKENBA", reverses=doc_id, lines=swapped)
    document = rig.connector.read(posted(rig, back))
    assert document is not None
    assert differences(back, document) == ()
    assert list(rig.connector.find(back).documents) == rig.books("TAKENBACKTAKENBA")
    again = replace(back, external_ref="TAKENBACKAGAINAA")
    assert outcome(rig.connector.create(again)) == ("REJECT", "ALREADY_REVERSED")
    trace = rig.connector.find(again)
    assert trace.documents == ()
    assert trace.refused == f"document {doc_id} is reversed by {document.doc_id} already"
    within = {d.number: d for d in rig.tenant.ledger.all()}
    assert within[doc_id[-10:]].reversed_by == ("2026", document.number)
    assert within[document.number or ""].reverses == ("2026", doc_id[-10:])


def test_a_reversal_of_ours_without_our_reference_is_shown_to_a_person(rig: SapRig) -> None:
    """Should SAP not keep references of a reversal, it is a conflict, and never taken for none."""
    journal = rig.journal("FIRST")
    back = replace(journal, external_ref="TAKENBACKTAKENBA", reverses=posted(rig, journal))
    rig.fault("create", "bare")
    posted(rig, back)
    (document,) = rig.connector.find(back).documents
    assert document.doc_id == "1010/2026/0100000001"
    assert "reference '', sent 'TAKENBACKTAKENBA'" in differences(back, document)


def test_a_reversal_by_a_person_is_no_reversal_of_ours(rig: SapRig) -> None:
    journal = rig.journal("FIRST")
    back = replace(journal, external_ref="TAKENBACKTAKENBA", reverses=posted(rig, journal))
    rig.fault("create", "bare")
    posted(rig, back)
    rig.tenant.ledger.all()[1].created_by = "ACCOUNTANT"
    trace = rig.connector.find(back)
    assert (trace.documents, bool(trace.refused)) == ((), True)


AMOUNTS = st.lists(st.integers(1, 10**9), min_size=1, max_size=30)


@given(AMOUNTS, st.integers(1, 10**10))
def test_shares_of_a_foreign_amount_add_up_and_keep_their_side(
    counters: list[int], foreign: int
) -> None:
    amounts = spread(usd("SHARES", *counters, foreign=foreign))
    assert sum(one.amount for one in amounts) == 0
    assert sum(one.company for one in amounts) == 0
    for one, counter in zip(amounts[1:], counters, strict=True):
        assert one.amount >= 0
        exact = Decimal(foreign) * counter / sum(counters)
        assert abs(one.amount * 100 - exact) <= 1


def test_an_unanswered_reversal_is_found_by_our_reference(rig: SapRig) -> None:
    journal = rig.journal("FIRST")
    back = replace(journal, external_ref="BACK", reverses=posted(rig, journal))
    rig.fault("create", "lost reply")
    assert rig.connector.create(back).outcome == "UNKNOWN"
    assert [d.external_ref for d in rig.connector.find(back).documents] == ["BACK"]


def test_there_are_no_drafts(rig: SapRig) -> None:
    doc_id = posted(rig, rig.journal("POSTED"))
    assert outcome(rig.connector.post(doc_id)) == ("OK", "ALREADY_POSTED")
    assert outcome(rig.connector.delete_draft(doc_id)) == ("REJECT", "NOT_OFFERED")
    assert outcome(rig.connector.post("1010/2026/0199999999")) == ("UNKNOWN", "NOT_THERE")
    assert rig.connector.read("no such id") is None


def test_a_document_number_is_the_same_with_and_without_zeros(rig: SapRig) -> None:
    journal = rig.journal("ZEROS")
    doc_id = posted(rig, journal)
    shown = rig.connector.read(doc_id)
    rig.tenant.aged = True
    assert rig.connector.read(doc_id) == shown
    assert list(rig.connector.find(journal).documents) == [shown]


@pytest.mark.parametrize("fault", ["no effect", "maintenance", "error before", "throttle"])
def test_a_look_that_fails_says_so(rig: SapRig, fault: str) -> None:
    doc_id = posted(rig, rig.journal("LOOK"))
    rig.fault("read", fault)
    with pytest.raises(ConnectorError):
        rig.connector.read(doc_id)
    rig.fault("post", fault)
    assert rig.connector.post(doc_id).outcome in ("NOT_SENT", "THROTTLED")
    assert rig.connector.read(doc_id) is not None
