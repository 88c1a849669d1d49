"""The same scenarios over every connector: what the posting protocol may rely on."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from importlib import import_module

import pytest

from tests.connectors.rigs import Rig
from tests.services import Tryton
from tieout.connectors.ports import Delivery, ErpDocument, Journal, PostingReader, Previewer
from tieout.errors import ConnectorError
from tieout.posting.readback import differences

VENDORS = (
    "tryton",
    "sap",
    "oracle",
    "dynamics365",
    "dynamics365_package",
    "dynamics365_service",
    "netsuite",
)


@pytest.fixture(params=VENDORS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """A fresh simulator of each vendor; of Tryton the real server."""
    opened = import_module(f"tests.connectors.rigs.{request.param}").open_rig
    if request.param == "tryton":
        tryton: Tryton = request.getfixturevalue("tryton")
        with opened(tryton) as rig:
            yield rig
        return
    with opened() as rig:
        yield rig


@pytest.fixture
def reference(request: pytest.FixtureRequest) -> str:
    """A reference of this test's own, in the form ours have."""
    return base64.b32encode(hashlib.sha256(request.node.name.encode()).digest()).decode()[:16]


def known(rig: Rig, delivery: Delivery, journal: Journal) -> str:
    """The document's id, at once or when the system has worked."""
    if delivery.outcome == "OK":
        assert delivery.doc_id is not None
        return delivery.doc_id
    assert delivery.outcome == "PENDING", delivery
    rig.let_work()
    trace = rig.connector.find(journal)
    assert len(trace.documents) == 1, trace
    return trace.documents[0].doc_id


def posted(rig: Rig, doc_id: str) -> ErpDocument:
    """Bring a document to its posting as the outbox does; bounded."""
    for _ in range(6):
        document = rig.connector.read(doc_id)
        assert document is not None
        if document.state == "posted":
            return document
        assert rig.connector.post(doc_id).outcome in ("OK", "PENDING")
        rig.let_work()
    raise AssertionError("it is never posted")


def booked(rig: Rig, reference: str) -> list[ErpDocument]:
    return [document for document in rig.books(reference) if document.state == "posted"]


def test_a_journal_is_created_posted_and_found_as_it_was_sent(rig: Rig, reference: str) -> None:
    journal = rig.journal(reference, amount=12_345)
    document = posted(rig, known(rig, rig.connector.create(journal), journal))
    assert differences(journal, document) == ()
    assert document.number
    (found,) = rig.connector.find(journal).documents
    assert (found.doc_id, found.state) == (document.doc_id, "posted")
    (within,) = booked(rig, reference)
    assert within.booked_on == journal.booked_on
    assert sorted(line.debit_minor for line in within.lines) == [0, 12_345]
    assert rig.connector.post(document.doc_id).outcome == "OK", "posting twice is posting once"
    assert len(booked(rig, reference)) == 1


def test_what_was_never_sent_is_not_found(rig: Rig, reference: str) -> None:
    trace = rig.connector.find(rig.journal(reference))
    assert (trace.documents, trace.pending, trace.refused) == ((), "", "")


def test_the_class_of_the_endpoint_is_what_it_says(rig: Rig, reference: str) -> None:
    """The same create twice: A and B make one document, C two drafts, D two documents."""
    journal = rig.journal(reference)
    capability = rig.connector.capability(journal)
    first = rig.connector.create(journal)
    rig.let_work()
    second = rig.connector.create(journal)
    rig.let_work()
    assert first.outcome in ("OK", "PENDING")
    there = rig.books(reference)
    if capability.kind in ("A", "B"):
        assert second.outcome in ("OK", "EXISTS", "PENDING")
        assert len(there) == 1
        return
    assert len(there) == 2, "if it made one only, it would be of class A"
    if capability.kind == "C":
        assert [document.state for document in there] == ["draft", "draft"]
        assert capability.settle.total_seconds() == 0
    else:
        assert capability.settle.total_seconds() > 0


@pytest.mark.parametrize("fault", ["lost reply", "no effect", "maintenance", "error before"])
def test_an_unanswered_create_is_never_taken_for_an_answer(
    rig: Rig, reference: str, fault: str
) -> None:
    journal = rig.journal(reference)
    rig.fault("create", fault)
    delivery = rig.connector.create(journal)
    assert delivery.outcome in ("UNKNOWN", "THROTTLED", "NOT_SENT"), delivery
    assert (delivery.outcome == "UNKNOWN") or fault == "maintenance"
    rig.let_work()
    there = rig.books(reference)
    assert len(there) == (fault == "lost reply")
    assert len(rig.connector.find(journal).documents) == len(there)
    assert rig.connector.create(journal).outcome in ("OK", "PENDING", "EXISTS")


@pytest.mark.parametrize("operation", ["find", "read"])
def test_a_look_that_fails_says_so_and_never_nothing(
    rig: Rig, reference: str, operation: str
) -> None:
    journal = rig.journal(reference)
    doc_id = known(rig, rig.connector.create(journal), journal)
    for fault in ("no effect", "maintenance", "error before"):
        rig.fault(operation, fault)
        with pytest.raises(ConnectorError):
            _ = rig.connector.find(journal) if operation == "find" else rig.connector.read(doc_id)
    assert rig.connector.read(doc_id) is not None


def test_a_closed_period_is_refused_before_anything_is_sent(rig: Rig, reference: str) -> None:
    rig.close_period(rig.spare_day)
    try:
        refused = rig.connector.create(rig.journal(reference, booked_on=rig.spare_day))
    finally:
        rig.open_period(rig.spare_day)
    assert (refused.outcome, refused.code) == ("REJECT", "PERIOD_CLOSED")
    rig.let_work()
    assert rig.books(reference) == []


def test_a_preview_shows_the_request_and_sends_nothing(rig: Rig, reference: str) -> None:
    journal = rig.journal(reference)
    assert isinstance(rig.connector, Previewer)
    shown = rig.connector.preview(journal)
    method, address, *body = shown.split(maxsplit=2)
    assert method in ("POST", "PUT") and "/" in address and body
    assert rig.connector.preview(journal) == shown, "the same journal, the same bytes"
    rig.let_work()
    assert rig.books(reference) == []
    with pytest.raises(ConnectorError):
        rig.connector.preview(replace(journal, lines=()))
    assert known(rig, rig.connector.create(journal), journal), "and then it is really sent"
    assert len(rig.books(reference)) == 1


def test_what_the_masters_do_not_know_is_refused_with_words(rig: Rig, reference: str) -> None:
    journal = rig.journal(reference)
    expense, bank = journal.lines
    cases = {
        "account": replace(journal, lines=(replace(expense, gl_account="9999999"), bank)),
        "balance": replace(journal, lines=(replace(expense, debit_minor=1), bank)),
        "company": replace(journal, company="NO SUCH COMPANY"),
        "lines": replace(journal, lines=()),
        "day": replace(journal, booked_on=date(1999, 1, 4)),
    }
    for name, spoilt in cases.items():
        refused = rig.connector.create(spoilt)
        assert refused.outcome == "REJECT", (name, refused)
        assert refused.code and refused.message, name
    rig.let_work()
    assert rig.books(reference) == []


def test_posted_documents_are_listed_by_the_form_of_their_reference(
    rig: Rig, reference: str
) -> None:
    """Whoever made them; by day, with what is in the books and nothing that is not posted."""
    other, waits, short = reference[::-1], f"W{reference[1:]}", reference[:9]
    made = [rig.journal(reference), rig.journal(other, booked_on=rig.spare_day, amount=777)]
    rig.close_period(rig.spare_day)
    rig.open_period(rig.spare_day)  # it may not have been open
    early, late = sorted(made, key=lambda journal: journal.booked_on)
    for journal in (*made, rig.journal(short)):
        posted(rig, known(rig, rig.connector.create(journal), journal))
    rig.connector.create(rig.journal(waits))
    connector: object = rig.connector
    assert isinstance(connector, PostingReader)
    listed = connector.posted_since(early.company, early.booked_on)
    ours = [document for document in listed if document.external_ref in (reference, other)]
    assert [document.external_ref for document in ours] == [early.external_ref, late.external_ref]
    assert [differences(*each) for each in zip((early, late), ours, strict=True)] == [(), ()]
    for document in ours:
        read = rig.connector.read(document.doc_id)
        assert read is not None, "the id is the one that reads it"
        assert (read.number, read.state) == (document.number, document.state)
    assert {document.external_ref for document in listed}.isdisjoint({short})
    standing = booked(rig, waits)
    assert [d.external_ref for d in listed].count(waits) == len(standing)
    listed = connector.posted_since(late.company, late.booked_on)
    assert early.external_ref not in [document.external_ref for document in listed]
    assert late.external_ref in [document.external_ref for document in listed]
    with pytest.raises(ConnectorError):
        connector.posted_since("NO SUCH COMPANY", late.booked_on)
    rig.fault("list", "no effect")
    with pytest.raises(ConnectorError):
        connector.posted_since(late.company, late.booked_on)


def test_a_document_nobody_made_is_not_there(rig: Rig, reference: str) -> None:
    journal = rig.journal(reference)
    doc_id = known(rig, rig.connector.create(journal), journal)
    digits = re.search(r"\d*$", doc_id)
    assert digits is not None
    end = f"{int(digits[0]) + 5000:0{len(digits[0])}}" if digits[0] else "2"
    stranger = doc_id[: digits.start()] + end if digits[0] else doc_id[:-1] + end
    assert rig.connector.read(stranger) is None


def test_a_draft_is_deleted_once_and_a_posted_document_never(rig: Rig, reference: str) -> None:
    journal = rig.journal(reference)
    doc_id = known(rig, rig.connector.create(journal), journal)
    before = rig.connector.read(doc_id)
    assert before is not None
    deleted = rig.connector.delete_draft(doc_id)
    if before.state == "draft" and deleted.outcome == "OK":
        assert rig.books(reference) == []
        assert rig.connector.delete_draft(doc_id).outcome == "OK"
        again = rig.connector.create(journal)
        if again.outcome == "REJECT":
            return  # a voided document's key is used up for good
        doc_id = known(rig, again, journal)
    else:
        assert deleted.outcome == "REJECT"
    document = posted(rig, doc_id)
    assert rig.connector.delete_draft(document.doc_id).outcome == "REJECT"
    assert len(booked(rig, reference)) == 1
