"""Dynamics 365: liabilities as pending vendor invoices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from tests.connectors.rigs.dynamics365 import DAY, Dynamics365Rig, opened
from tieout.connectors.ports import Journal, JournalLine, Liability
from tieout.posting.readback import differences

REF = "ABCDEFGHIJKLMNOP"
DOC = f"nord/invoice/{REF}"


@pytest.fixture
def rig() -> Iterator[Dynamics365Rig]:
    with opened({"liabilities": {"way": "pending"}}) as found:
        yield found


def invoice(rig: Dynamics365Rig, account: str = "3300", party: str = "V-100") -> Journal:
    owed = Liability(party, "supplier", "OS-78", date(2026, 11, 18), date(2026, 12, 4))
    lines = (
        JournalLine("6600", 4000, 0, narrative="Hotel"),
        JournalLine("6855", 210, 0, narrative="Fee"),
        JournalLine(account, 0, 4210, party=party),
    )
    return replace(rig.journal(REF), lines=lines, liability=owed)


@pytest.mark.parametrize(("account", "party"), [("3300", "V-100"), ("3720", "E-001")])
def test_an_invoice_is_pending_then_posted_as_it_was_sent(
    rig: Dynamics365Rig, account: str, party: str
) -> None:
    journal = invoice(rig, account, party)
    made = rig.connector.create(journal)
    assert (made.outcome, made.doc_id) == ("OK", DOC)
    draft = rig.connector.read(DOC)
    assert draft is not None
    assert (draft.state, differences(journal, draft)) == ("draft", ())
    assert rig.connector.post(DOC).outcome == "PENDING"
    rig.let_work()
    posted = rig.connector.post(DOC)
    assert (posted.outcome, posted.number) == ("OK", "VI00000001")
    (document,) = rig.connector.find(journal).documents
    assert (document.state, differences(journal, document)) == ("posted", ())
    assert [one.state for one in rig.books(REF)] == ["posted"]


def test_a_posted_invoice_frees_its_key_so_the_endpoint_is_of_class_d(
    rig: Dynamics365Rig,
) -> None:
    journal = invoice(rig)
    assert rig.connector.capability(journal).kind == "D"
    assert rig.connector.capability(rig.journal(REF)).kind == "A"
    rig.connector.create(journal)
    assert rig.connector.create(journal).outcome == "EXISTS"
    rig.let_work()
    assert rig.connector.create(journal).outcome == "OK"
    rig.let_work()
    assert len(rig.books(REF)) == 2


def test_posted_invoices_are_listed_from_the_ledger(rig: Dynamics365Rig) -> None:
    """Each voucher once, also of two under one reference; with the id that reads it."""
    journal = invoice(rig)
    for documents in range(3):
        listed = rig.connector.posted_since("nord", DAY)
        assert [one.external_ref for one in listed] == [REF] * documents
        assert [differences(journal, one) for one in listed] == [()] * documents
        assert len({one.doc_id for one in listed}) == documents
        assert [one.doc_id for one in listed[:1]] == [DOC][:documents]
        rig.connector.create(journal)
        assert len(rig.connector.posted_since("nord", DAY)) == documents, "pending is not posted"
        rig.let_work()
    assert rig.connector.posted_since("nord", date(2026, 11, 21)) == []


@pytest.mark.parametrize(
    ("fault", "there"), [("lost reply", 1), ("error after", 1), ("no effect", 0)]
)
def test_an_unanswered_invoice_is_looked_for(rig: Dynamics365Rig, fault: str, there: int) -> None:
    rig.fault("create", fault)
    assert rig.connector.create(invoice(rig)).outcome == "UNKNOWN"
    assert len(rig.connector.find(invoice(rig)).documents) == there
    assert len(rig.books(REF)) == there


def test_a_pending_invoice_is_deleted_and_a_posted_one_is_not(rig: Dynamics365Rig) -> None:
    rig.connector.create(invoice(rig))
    rig.fault("delete", "no effect")
    assert rig.connector.delete_draft(DOC).outcome == "UNKNOWN"
    assert rig.connector.delete_draft(DOC).code == "DELETED"
    assert rig.connector.delete_draft(DOC).code == "GONE"
    assert rig.connector.post(DOC).code == "GONE"
    rig.connector.create(invoice(rig))
    rig.let_work()
    assert rig.connector.delete_draft(DOC).code == "ALREADY_POSTED"


def test_an_invoice_that_the_workflow_left_says_why(rig: Dynamics365Rig) -> None:
    rig.connector.create(invoice(rig))
    rig.close_period(DAY)
    rig.let_work()
    assert rig.connector.post(DOC).code == "PERIOD_CLOSED"


def test_what_a_pending_invoice_cannot_say_is_refused(rig: Dynamics365Rig) -> None:
    journal = invoice(rig)
    foreign = replace(journal.lines[0], foreign_minor=4400, foreign_currency="USD")
    assert journal.liability is not None
    other = replace(journal.liability, party="V-200")
    long = replace(journal.liability, invoice_no="X" * 21)
    for spoilt, code in (
        (replace(journal, lines=(foreign, *journal.lines[1:])), "LIABILITY_SHAPE"),
        (replace(journal, liability=other), "LIABILITY_SHAPE"),
        (replace(journal, liability=long), "TEXT_TOO_LONG"),
    ):
        made = rig.connector.create(spoilt)
        assert (made.outcome, made.code) == ("REJECT", code)
    assert rig.simulator.plan.seen().get("create", 0) == 0


def test_an_invoice_is_reversed_by_a_counter_journal(rig: Dynamics365Rig) -> None:
    journal = invoice(rig)
    rig.connector.create(journal)
    back = tuple(
        replace(line, debit_minor=line.credit_minor, credit_minor=line.debit_minor)
        for line in journal.lines
    )
    reversal = replace(
        journal, external_ref="REVERSEABCDEFGHI", lines=back, liability=None, reverses=DOC
    )
    assert rig.connector.create(reversal).code == "REVERSES_UNKNOWN", "it is only pending"
    rig.let_work()
    assert rig.connector.create(reversal).outcome == "OK"
    rig.let_work()
    assert rig.connector.book_balance("3300", on=DAY, currency="EUR") == 0
