"""NetSuite: bills, expense reports, clearings and reversals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.connectors.rigs.netsuite import DAY, NetSuiteRig, mapping, open_rig
from tieout.connectors.ports import Delivery, Journal, JournalLine, Liability
from tieout.posting.readback import differences

REF = "A" * 16
DUE = date(2026, 12, 20)


@pytest.fixture
def rig() -> Iterator[NetSuiteRig]:
    with open_rig() as opened:
        yield opened


def told(delivery: Delivery) -> tuple[str, str]:
    return delivery.outcome, delivery.code


def made(rig: NetSuiteRig, journal: Journal) -> str:
    delivery = rig.connector.create(journal)
    assert told(delivery) == ("OK", "CREATED"), delivery
    assert delivery.doc_id is not None
    return delivery.doc_id


def owed(party: str, kind: str, account: str, *lines: JournalLine, number: str = "4711") -> Journal:
    total = sum(line.debit_minor - line.credit_minor for line in lines)
    liability = Liability(party, "supplier" if kind == "supplier" else "employee", number, DAY, DUE)
    credit = JournalLine(account, 0, total, party=party)
    every = (*lines, credit)
    return Journal(REF, "NORD", "bank", DAY, "Owed", "EUR", every, liability=liability)


def bill(**named: str) -> Journal:
    lines = (JournalLine("5400", 10_000, 0, narrative="Steel"), JournalLine("6855", 250, 0))
    return owed("V-1002", "supplier", "3300", *lines, **named)


def report() -> Journal:
    lines = (JournalLine("6650", 12_050, 0, narrative="Train"), JournalLine("6640", 1_999, 0))
    return owed("E-3001", "employee", "3720", *lines)


@pytest.mark.parametrize(
    ("journal", "kind"),
    [(bill(), "vendorBill"), (report(), "expenseReport")],
    ids=["bill", "report"],
)
def test_a_liability_is_an_invoice_of_netsuite_s_kind(
    rig: NetSuiteRig, journal: Journal, kind: str
) -> None:
    doc_id = made(rig, journal)
    assert doc_id.startswith(f"{kind}/")
    document = rig.connector.read(doc_id)
    assert document is not None
    assert (document.state, document.number) == ("posted", "4711")
    assert differences(journal, document) == ()
    assert rig.connector.find(journal).documents == (document,)
    assert told(rig.connector.create(journal)) == ("EXISTS", "EXISTS")
    (item,) = [
        i for i in rig.connector.open_items("NORD", on=DAY) if i.move_id == doc_id.split("/")[1]
    ]
    total = sum(line.credit_minor for line in journal.lines)
    assert (item.kind, item.source, item.amount_minor) == ("payable", "invoice", -total)
    assert (item.due_on, item.document_no, item.external_ref) == (DUE, "4711", REF)


def test_a_report_waits_for_accounting(rig: NetSuiteRig) -> None:
    rig.simulator.ledger.approval = "1"
    doc_id = made(rig, report())
    assert told(rig.connector.post(doc_id)) == ("PENDING", "APPROVAL_PENDING")
    ours = rig.connect(approve=True)
    assert told(ours.post(doc_id)) == ("OK", "POSTED")
    assert [document.state for document in rig.books(REF)] == ["posted"]


def test_a_bill_in_another_currency_comes_back_to_the_cent(rig: NetSuiteRig) -> None:
    lines = (
        JournalLine("5400", 9_201, 0, 10_000, "USD"),
        JournalLine("3300", 0, 9_201, -10_000, "USD", party="V-1001"),
    )
    liability = Liability("V-1001", "supplier", "US-1", DAY, DUE)
    journal = Journal(REF, "NORD", "bank", DAY, "", "EUR", lines, liability=liability)
    document = rig.connector.read(made(rig, journal))
    assert document is not None
    assert differences(journal, document) == ()


def test_a_liability_netsuite_cannot_take_is_refused(rig: NetSuiteRig) -> None:
    good = bill()
    unknown = owed("V-9999", "supplier", "3300", *good.lines[:2])
    nobody = replace(good, lines=(*good.lines[:2], replace(good.lines[2], party=None)))
    cases = {
        "TEXT_TOO_LONG": bill(number="4" * 46),
        "PARTY_UNKNOWN": unknown,
        "LIABILITY_LINES": nobody,
        "EXPENSE_CATEGORY_UNKNOWN": owed("E-3001", "employee", "3720", *good.lines[:1]),
        "GL_ACCOUNT_UNKNOWN": owed("V-1002", "supplier", "9", *good.lines[:2]),
    }
    found = {code: told(rig.connector.create(journal)) for code, journal in cases.items()}
    assert found == {code: ("REJECT", code) for code in cases}
    assert "create" not in rig.simulator.plan.seen()


def clears(rig: NetSuiteRig, *numbers: str, reference: str = REF) -> Journal:
    items = {item.document_no: item for item in rig.connector.open_items("NORD", on=DAY)}
    ids = tuple(items[number].line_id for number in numbers)
    return Journal(reference, "NORD", "bank", DAY, "Settled", "EUR", (), clears=ids)


def test_payables_are_cleared_against_one_another(rig: NetSuiteRig) -> None:
    """Steel for 250.00, and 250.00 paid twice before: both are settled, no money moves."""
    journal = clears(rig, "OS-55", "JOU3")
    doc_id = made(rig, journal)
    document = rig.connector.read(doc_id)
    assert document is not None
    assert (document.state, document.lines, differences(journal, document)) == ("posted", (), ())
    left = [item.document_no for item in rig.connector.open_items("NORD", on=DAY)]
    assert left == ["RE-2026-0811", "ER-7714"]
    assert rig.connector.book_balance("1810", on=DAY, currency="EUR") == 10_250_000
    again = rig.connector.create(journal)
    assert told(again) == ("REJECT", "ITEM_UNKNOWN"), "nothing is open to be sent for"
    assert rig.connector.find(journal).documents == (document,)


def test_what_cannot_be_cleared_is_refused(rig: NetSuiteRig) -> None:
    cases = {
        "UNBALANCED": clears(rig, "OS-55"),
        "NOT_OFFERED": clears(rig, "RE-2026-0811"),
        "CLEARING_MIXED": clears(rig, "OS-55", "ER-7714"),
        "ITEM_UNKNOWN": replace(clears(rig, "OS-55"), clears=("7/7",)),
    }
    found = {code: told(rig.connector.create(journal)) for code, journal in cases.items()}
    assert found == {code: ("REJECT", code) for code in cases}
    changed = mapping()
    del changed["posting"]["clearing_account"]
    nameless = rig.connect(mapped=changed).create(clears(rig, "OS-55", "JOU3"))
    assert told(nameless) == ("REJECT", "CLEARING_ACCOUNT_MISSING")
    malformed = replace(cases["ITEM_UNKNOWN"], clears=("1 OR 1=1",))
    assert told(rig.connector.create(malformed)) == ("REJECT", "ITEM_UNKNOWN")


def test_a_reversal_is_a_journal_of_ours_with_its_own_reference(rig: NetSuiteRig) -> None:
    doc_id = made(rig, rig.journal("B" * 16))
    original = rig.connector.read(doc_id)
    assert original is not None
    lines = tuple(
        JournalLine(line.gl_account, line.credit_minor, line.debit_minor) for line in original.lines
    )
    reversal = replace(rig.journal(REF), lines=lines, reverses=doc_id)
    document = rig.connector.read(made(rig, reversal))
    assert document is not None
    assert differences(reversal, document) == ()
    assert rig.connector.capability(reversal).kind == "A"
    assert told(rig.connector.create(reversal)) == ("EXISTS", "EXISTS")
    assert rig.connector.book_balance("6855", on=DAY, currency="EUR") == 0


def test_what_is_not_there_or_reversed_already_is_not_reversed(rig: NetSuiteRig) -> None:
    doc_id = made(rig, rig.journal("B" * 16))
    kind, record_id = doc_id.split("/")
    reversal = replace(rig.journal(REF), reverses=doc_id)
    gone = replace(reversal, reverses="journalEntry/99999")
    assert told(rig.connector.create(gone)) == ("REJECT", "ORIGINAL_UNKNOWN")
    rig.simulator.ledger.update(kind, record_id, {"approvalStatus": {"id": "1"}})
    assert told(rig.connector.create(reversal)) == ("REJECT", "ORIGINAL_NOT_POSTED")
    back = {"approvalStatus": {"id": "2"}, "reversalEntry": "10099"}
    rig.simulator.ledger.update(kind, record_id, back)
    assert told(rig.connector.create(reversal)) == ("REJECT", "ALREADY_REVERSED")
    rig.fault("read", "error before")
    assert told(rig.connector.create(reversal)) == ("NOT_SENT", "UNEXPECTED_ERROR")


def test_the_ledger_itself_tells_of_all_our_documents(rig: NetSuiteRig) -> None:
    """What a nightly check compares with what we think we posted."""
    journals = [
        replace(bill(), external_ref="A" * 16),
        replace(report(), external_ref="B" * 16),
        clears(rig, "OS-55", "JOU3", reference="C" * 16),
        rig.journal("D" * 16),
    ]
    for journal in journals:
        made(rig, journal)
    foreign = {"externalId": "SOMEBODY-ELSES", "subsidiary": {"id": "4"}, "line": []}
    lines = [
        {"account": {"id": "58"}, "debit": Decimal(1)},
        {"account": {"id": "69"}, "credit": Decimal(1)},
    ]
    rig.simulator.ledger.create("journalEntry", {**foreign, "line": lines})
    rig.simulator.ledger.approval = "1"
    made(rig, rig.journal("E" * 16))
    found = rig.connector.changed_documents(date(2026, 11, 21))
    assert [(d.external_ref[0], d.state) for d in found] == [
        ("A", "posted"),
        ("B", "posted"),
        ("C", "posted"),
        ("D", "posted"),
        ("E", "draft"),
    ]
    for journal, document in zip(journals, found, strict=False):
        assert differences(journal, document) == ()
    rig.simulator.clock.advance(3 * 86_400)
    assert rig.connect().changed_documents(date(2026, 11, 24)) == []
