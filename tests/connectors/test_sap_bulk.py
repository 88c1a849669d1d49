"""SAP's asynchronous services: taken with 202, posted later, told by callbacks that may be lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from sandbox.simulators.sap_ledger import Document
from tests.connectors.books import outcome
from tests.connectors.rigs.sap import DAY, SapRig, open_rig
from tieout.connectors.ports import Delivery, Journal, JournalLine
from tieout.errors import ConnectorError
from tieout.posting.readback import differences


@pytest.fixture
def rig() -> Iterator[SapRig]:
    with open_rig("bulk") as opened:
        yield opened


def taken(rig: SapRig, journal: Journal) -> None:
    delivery = rig.connector.create(journal)
    assert outcome(delivery) == ("PENDING", "TAKEN"), delivery
    assert delivery.doc_id is None, "a message's id is never a document's"


def told(rig: SapRig) -> list[tuple[str, Delivery]]:
    """What the callbacks so far say, in their order."""
    callbacks, rig.tenant.inbox.callbacks = rig.tenant.inbox.callbacks, []
    return [one for body in callbacks for one in rig.connector.confirmation(body)]


def states(rig: SapRig) -> list[str]:
    return [state for parcel in rig.tenant.inbox.parcels for state in parcel.states.values()]


def test_what_was_taken_is_pending_until_the_document_is_there(rig: SapRig) -> None:
    journal = rig.journal("TAKEN")
    taken(rig, journal)
    assert rig.connector.find(journal).documents == ()
    rig.let_work()
    (document,) = rig.connector.find(journal).documents
    assert differences(journal, document) == ()
    ((reference, delivery),) = told(rig)
    assert (reference, outcome(delivery)) == ("TAKEN", ("OK", "POSTED"))
    assert delivery.doc_id == document.doc_id


def test_the_same_message_again_posts_nothing(rig: SapRig) -> None:
    """Why it is of class B: its id is our reference, and SAP refuses an id it knows."""
    journal = rig.journal("AGAIN")
    capability = rig.connector.capability(journal)
    assert (capability.kind, capability.batch_max) == ("B", 1)
    assert capability.key_lifetime == timedelta(days=60) <= capability.settle
    taken(rig, journal)
    rig.let_work()
    taken(rig, journal)
    rig.let_work()
    assert len(rig.books("AGAIN")) == 1
    assert states(rig) == ["successful", "duplicate"]
    first, second = told(rig)
    assert (first[1].outcome, second[1].outcome) == ("OK", "PENDING")
    assert len(rig.connector.find(journal).documents) == 1, "a known id is no refusal"


def test_after_sixty_days_the_id_is_forgotten(rig: SapRig) -> None:
    journal = rig.journal("FORGOTTEN")
    for _ in range(2):
        taken(rig, journal)
        rig.let_work()
        rig.tenant.clock.advance(60 * 86_400)
    assert len(rig.books("FORGOTTEN")) == 2


def test_bad_data_is_taken_like_good_and_never_refused_for_good(rig: SapRig) -> None:
    rig.close_period(DAY)
    journal = rig.journal("CLOSED")
    taken(rig, journal)
    rig.let_work()
    ((_, delivery),) = told(rig)
    assert outcome(delivery) == ("PENDING", "PERIOD_CLOSED")
    trace = rig.connector.find(journal)
    assert (trace.documents, trace.refused) == ((), "")
    assert "201(F5) Posting period 011 2026 is not open" in trace.pending
    assert "restart" in trace.pending


def test_a_person_s_restart_posts_under_the_same_id(rig: SapRig) -> None:
    rig.close_period(DAY)
    journal = rig.journal("RESTARTED")
    taken(rig, journal)
    rig.let_work()
    told(rig)
    rig.tenant.clock.advance(30 * 86_400)
    taken(rig, journal)
    rig.let_work()
    assert rig.books("RESTARTED") == []
    rig.open_period(DAY)
    assert rig.tenant.inbox.restart("RESTARTED")
    assert list(rig.connector.find(journal).documents) == rig.books("RESTARTED")
    assert len(rig.books("RESTARTED")) == 1
    assert [delivery.outcome for _, delivery in told(rig)] == ["PENDING", "OK"]


def test_a_person_may_give_up_a_message(rig: SapRig) -> None:
    rig.close_period(DAY)
    taken(rig, rig.journal("CANCELLED"))
    rig.let_work()
    assert rig.tenant.inbox.cancel("CANCELLED")
    rig.open_period(DAY)
    assert not rig.tenant.inbox.restart("CANCELLED")
    assert rig.books("CANCELLED") == []


@pytest.mark.parametrize(("fault", "count"), [("lost", 0), ("duplicate", 2), ("", 1)])
def test_lost_and_repeated_callbacks_change_nothing(rig: SapRig, fault: str, count: int) -> None:
    journal = rig.journal("CALLBACK")
    rig.fault("callback", fault)
    taken(rig, journal)
    rig.let_work()
    callbacks = told(rig)
    assert len(callbacks) == count
    assert len(set(callbacks)) <= 1, "the same callback tells the same"
    assert [d.doc_id for d in rig.connector.find(journal).documents] == ["1010/2026/0100000000"]


def test_a_delayed_message_is_waited_for(rig: SapRig) -> None:
    journal = rig.journal("DELAYED")
    rig.fault("work", "delay")
    taken(rig, journal)
    rig.let_work()
    assert rig.connector.find(journal).documents == ()
    rig.let_work()
    assert len(rig.connector.find(journal).documents) == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("lost reply", ("UNKNOWN", "CONNECTION_LOST")),
        ("late", ("UNKNOWN", "CONNECTION_LOST")),
        ("throttle", ("THROTTLED", "HTTP_429")),
        ("maintenance", ("UNKNOWN", "MAINTENANCE")),
        ("error before", ("UNKNOWN", "HTTP_500")),
    ],
)
def test_a_message_that_is_not_taken_is_told_as_it_is(
    rig: SapRig, fault: str, expected: tuple[str, str]
) -> None:
    rig.fault("create", fault)
    assert outcome(rig.connector.create(rig.journal("FAULT"))) == expected
    taken(rig, rig.journal("FAULT"))
    rig.let_work()
    assert len(rig.books("FAULT")) == 1, "whether the first one arrived or not"


def test_documents_of_a_batch_travel_one_by_one(rig: SapRig) -> None:
    """SAP compares the id of a message: in another company a document would have another one."""
    journals = tuple(rig.journal(name) for name in ("ONE", "TWO"))
    assert [one.outcome for one in rig.connector.create_batch(journals)] == ["PENDING", "PENDING"]
    rig.let_work()
    assert [parcel.id for parcel in rig.tenant.inbox.parcels] == ["ONE", "TWO"]


@pytest.mark.parametrize(
    "body", [b"", b"no xml", b"<html><body>Maintenance", b"\xff\xfe<a/>", b"<a>&lol;</a>"]
)
def test_a_callback_that_is_none_is_refused_with_words(rig: SapRig, body: bytes) -> None:
    with pytest.raises(ConnectorError) as caught:
        rig.connector.confirmation(body)
    assert caught.value.code == "CALLBACK_UNPARSABLE"


def test_a_callback_of_strangers_tells_nothing(rig: SapRig) -> None:
    assert rig.connector.confirmation(b"<Envelope><Body><Other/></Body></Envelope>") == ()


# -- clearing ---------------------------------------------------------------------------------


def opposite(rig: SapRig) -> tuple[str, str]:
    """A customer's invoice and its payment on account, both open; their lines' ids."""
    lines = (
        JournalLine("11001000", 50_000, 0),
        JournalLine("12100000", 0, 50_000, party="10100001"),
    )
    payment = Journal("PAYMENT", "NORD", "DZ", DAY, "Payment", "EUR", lines)
    taken(rig, payment)
    rig.let_work()
    told(rig)
    (document,) = rig.books("PAYMENT")
    place = [line.gl_account for line in document.lines].index("12100000") + 1
    return "1010/2026/5000000002/1", f"{document.doc_id}/{place}"


def clearing(*lines: str, reference: str = "CLEARING") -> Journal:
    return Journal(reference, "NORD", "bank", DAY, "Paid", "EUR", (), clears=lines)


def within(rig: SapRig, line: str) -> tuple[Document, str]:
    """The document a line's id names, and by which document the line is cleared."""
    _, year, number, item = line.split("/")
    document = rig.tenant.ledger.documents[year, number]
    return document, (document.items[int(item) - 1].cleared_by or ("", ""))[1]


def test_open_lines_are_cleared_against_one_another(rig: SapRig) -> None:
    invoice, payment = opposite(rig)
    journal = clearing(invoice, payment)
    assert rig.connector.capability(journal).kind == "B"
    before = {item.line_id for item in rig.connector.open_items("NORD", on=DAY)}
    assert {invoice, payment} <= before
    taken(rig, journal)
    rig.let_work()
    ((_, delivery),) = told(rig)
    (document,) = rig.connector.find(journal).documents
    assert delivery.doc_id == document.doc_id
    assert differences(journal, document) == ()
    assert rig.connector.read(document.doc_id) == document
    assert within(rig, invoice)[1] == within(rig, payment)[1] == document.number
    assert within(rig, invoice)[0].changed_on == rig.tenant.clock.now().date()
    after = {item.line_id for item in rig.connector.open_items("NORD", on=DAY)}
    assert after == before - {invoice, payment}


def test_a_clearing_of_many_lines_is_asked_for_in_parts(rig: SapRig) -> None:
    """An address has no room for hundreds of documents."""
    lines = []
    for place in range(26):
        sign = 1 if place % 2 else -1
        amounts = (max(sign * 700, 0), max(-sign * 700, 0))
        entry = (
            JournalLine("12100000", *amounts, party="10100001"),
            JournalLine("11001000", amounts[1], amounts[0]),
        )
        taken(rig, Journal(f"MANY{place}", "NORD", "DZ", DAY, "Many", "EUR", entry))
        rig.let_work()
        (document,) = rig.books(f"MANY{place}")
        item = [line.gl_account for line in document.lines].index("12100000") + 1
        lines.append(f"{document.doc_id}/{item}")
    before = rig.tenant.plan.seen().get("cube", 0)
    taken(rig, clearing(*lines))
    assert rig.tenant.plan.seen()["cube"] - before == 2
    rig.let_work()
    assert {within(rig, line)[1] for line in lines} == {rig.books("CLEARING")[0].number}


def test_the_same_clearing_again_changes_nothing(rig: SapRig) -> None:
    journal = clearing(*opposite(rig))
    taken(rig, journal)
    taken(rig, journal)
    rig.let_work()
    assert len(rig.books("CLEARING")) == 1
    assert outcome(rig.connector.create(journal)) == ("REJECT", "ITEM_CLEARED")


def test_lines_that_others_cleared_are_told(rig: SapRig) -> None:
    lines = opposite(rig)
    taken(rig, clearing(*lines, reference="OTHER"))
    rig.let_work()
    trace = rig.connector.find(clearing(*lines))
    assert trace.documents == ()
    assert trace.refused == f"line {lines[0]} is cleared by {rig.books('OTHER')[0].doc_id} already"


def test_a_rehearsal_changes_nothing_and_leaves_the_id_free(rig: SapRig) -> None:
    journal = clearing(*opposite(rig))
    assert outcome(rig.connector.rehearse(journal)) == ("PENDING", "TAKEN")
    rig.let_work()
    ((reference, delivery),) = told(rig)
    assert (reference, delivery.outcome) == ("CLEARING-REHEARSAL", "PENDING")
    assert "no errors" in delivery.message
    assert rig.books("CLEARING") == []
    taken(rig, journal)
    rig.let_work()
    assert len(rig.books("CLEARING")) == 1


def test_only_lines_that_can_be_cleared_are_sent(rig: SapRig) -> None:
    invoice, payment = opposite(rig)
    bank = f"{payment.rsplit('/', 1)[0]}/{3 - int(payment[-1])}"
    cases = {
        (invoice, bank): "ITEM_NOT_MANAGED",
        (invoice, "1010/2026/0100009999/1"): "LINE_UNKNOWN",
        (invoice, "4711"): "LINE_UNKNOWN",
        (invoice, invoice): "LINES_TOO_FEW",
        (invoice,): "LINES_TOO_FEW",
        (invoice, "1010/2026/5000000003/1"): "UNBALANCED",
        ("1010/2026/5000000001/1", invoice): "ITEM_NOT_MANAGED",
    }
    sent = rig.tenant.plan.seen()["create"]
    for lines, code in cases.items():
        assert outcome(rig.connector.create(clearing(*lines))) == ("REJECT", code), lines
    other = replace(clearing(invoice, payment), company="OTHER")
    assert outcome(rig.connector.create(other)) == ("REJECT", "COMPANY_OTHER")
    assert rig.tenant.plan.seen()["create"] == sent, "nothing left us"
