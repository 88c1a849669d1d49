"""What is owed to a supplier, by REST and by file; reversals; what Oracle does not offer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.connectors.rigs.oracle import DAY, OracleRig, open_rig
from tieout.connectors.ports import Delivery, JournalLine, Trace
from tieout.posting.readback import differences

REFERENCE = "ABCDEFGHIJKLMNOP"


@pytest.fixture(params=["rest", "file"])
def rig(request: pytest.FixtureRequest) -> Iterator[OracleRig]:
    with open_rig(invoices_by=request.param) as found:
        yield found


@pytest.fixture
def rest() -> Iterator[OracleRig]:
    with open_rig() as found:
        yield found


def outcome(delivery: Delivery) -> tuple[str, str]:
    return delivery.outcome, delivery.code


def test_an_invoice_is_created_found_and_validated(rig: OracleRig) -> None:
    journal = rig.invoice(REFERENCE)
    assert rig.connector.find(journal) == Trace()
    created = rig.connector.create(journal)
    assert created.outcome in ("OK", "PENDING")
    rig.let_work()
    (document,) = rig.connector.find(journal).documents
    assert created.doc_id in (None, document.doc_id)
    assert (document.state, differences(journal, document)) == ("draft", ())
    assert rig.books(REFERENCE) == [document]
    assert outcome(rig.connector.post(document.doc_id)) == ("OK", "POSTED")
    posted = rig.connector.read(document.doc_id)
    assert posted is not None
    assert (posted.state, posted.number) == ("posted", f"R-{REFERENCE}")
    assert outcome(rig.connector.post(document.doc_id)) == ("OK", "ALREADY_POSTED")


def test_validated_invoices_are_listed_with_the_journals(rig: OracleRig) -> None:
    journal, invoice = rig.journal(REFERENCE[::-1]), rig.invoice(REFERENCE)
    for one in (invoice, journal):
        rig.connector.create(one)
        rig.let_work()
    assert rig.connector.posted_since("NORD", DAY) == [], "neither is posted"
    for one in (invoice, journal):
        (document,) = rig.connector.find(one).documents
        rig.connector.post(document.doc_id)
        rig.let_work()
    listed = rig.connector.posted_since("NORD", DAY)
    assert [each.external_ref for each in listed] == [REFERENCE, REFERENCE[::-1]]
    assert [
        differences(one, each) for one, each in zip((invoice, journal), listed, strict=True)
    ] == [
        (),
        (),
    ]
    assert [each.doc_id.partition("/")[0] for each in listed] == ["invoice", "journal"]
    assert rig.connector.posted_since("NORD", date(2026, 11, 21)) == []


def test_the_same_create_twice_is_one_invoice(rig: OracleRig) -> None:
    """Class A through REST; a repeated file is rejected in the interface."""
    journal = rig.invoice(REFERENCE)
    rig.connector.create(journal)
    rig.let_work()
    again = rig.connector.create(journal)
    rig.let_work()
    kind = rig.connector.capability(journal).kind
    assert (kind, again.outcome) in (("A", "EXISTS"), ("D", "PENDING"))
    assert len(rig.books(REFERENCE)) == 1
    assert len(rig.connector.find(journal).documents) == 1


def test_a_number_the_supplier_has_used_is_refused(rig: OracleRig) -> None:
    rig.connector.create(rig.invoice("FIRSTAAAAAAAAAAA", number="4711"))
    rig.let_work()
    other = rig.invoice(REFERENCE, number="4711")
    delivery = rig.connector.create(other)
    rig.let_work()
    if rig.connector.capability(other).kind == "A":
        assert outcome(delivery) == ("REJECT", "DUPLICATE_INVOICE")
    else:
        assert rig.connector.find(other).refused == "DUPLICATE_INVOICE: DUPLICATE INVOICE NUMBER"
    assert rig.books(REFERENCE) == []


def test_an_invoice_of_ours_whose_text_was_changed_is_not_taken_for_anothers(
    rest: OracleRig,
) -> None:
    """Refused as a duplicate for good, somebody would enter it again under another number."""
    journal = rest.invoice(REFERENCE)
    rest.connector.create(journal)
    (invoice,) = rest.tenant.books.invoices_of(REFERENCE)
    invoice.description = "Travel in May"
    assert outcome(rest.connector.create(journal)) == ("UNKNOWN", "DUPLICATE_INVOICE")
    invoice.source = "Manual Invoice Entry"
    assert outcome(rest.connector.create(journal)) == ("REJECT", "DUPLICATE_INVOICE")


def test_another_supplier_may_use_the_number(rest: OracleRig) -> None:
    rest.connector.create(rest.invoice("FIRSTAAAAAAAAAAA", number="4711"))
    other = rest.invoice(REFERENCE, number="4711")
    assert other.liability is not None
    other = replace(other, liability=replace(other.liability, party="1253"))
    assert outcome(rest.connector.create(other)) == ("OK", "CREATED")


def test_an_employee_is_paid_as_a_supplier(rest: OracleRig) -> None:
    journal = rest.invoice(REFERENCE)
    assert journal.liability is not None
    debt = replace(journal.liability, party="E1001", kind="employee", invoice_no="EXP-7")
    lines = (JournalLine("6300", 1234, 0), JournalLine("3720", 0, 1234, party="E1001"))
    journal = replace(journal, liability=debt, lines=lines)
    delivery = rest.connector.create(journal)
    assert delivery.doc_id is not None
    document = rest.connector.read(delivery.doc_id)
    assert document is not None
    assert differences(journal, document) == ()


def test_amounts_are_exact_on_the_wire(rest: OracleRig) -> None:
    """No binary fraction comes near: 0.1 + 0.2 and seventeen digits."""
    lines = (
        JournalLine("6300", 10, 0),
        JournalLine("6855", 99_999_999_999_990, 0),
        JournalLine("3300", 0, 100_000_000_000_000, party="1252"),
    )
    journal = replace(rest.invoice(REFERENCE), lines=lines)
    assert rest.connector.create(journal).outcome == "OK"
    (invoice,) = rest.tenant.books.invoices_of(REFERENCE)
    assert invoice.amount == Decimal("1000000000000.00")
    assert [line.amount for line in invoice.lines] == [Decimal("0.1"), Decimal("999999999999.9")]


REFUSED = (
    # what is wrong, the code
    ("party", "PARTY_UNKNOWN"),
    ("inactive", "PARTY_BLOCKED"),
    ("two", "LIABILITY_LINES"),
    ("foreign", "FOREIGN_NOT_OFFERED"),
    ("number", "TEXT_TOO_LONG"),
    ("account", "GL_ACCOUNT_UNKNOWN"),
    ("period", "PERIOD_CLOSED"),
)


@pytest.mark.parametrize(("what", "code"), REFUSED)
def test_what_cannot_be_an_invoice_is_refused_unsent(rest: OracleRig, what: str, code: str) -> None:
    journal = rest.invoice(REFERENCE)
    debt = journal.liability
    assert debt is not None
    owes = JournalLine("3300", 0, 350, party="1252")
    dollars = replace(owes, foreign_minor=-400, foreign_currency="USD")
    spoiled = {
        "party": replace(journal, liability=replace(debt, party="9999")),
        "inactive": replace(journal, liability=replace(debt, party="1254")),
        "two": replace(journal, lines=(JournalLine("6300", 700, 0), owes, owes)),
        "foreign": replace(journal, lines=(JournalLine("6300", 350, 0), dollars)),
        "number": replace(journal, liability=replace(debt, invoice_no="X" * 51)),
        "account": replace(journal, lines=(JournalLine("9999", 350, 0), owes)),
        "period": replace(journal, booked_on=date(2026, 9, 30)),
    }
    assert outcome(rest.connector.create(spoiled[what])) == ("REJECT", code)
    assert "create" not in rest.tenant.plan.seen()


def test_payables_own_refusals_are_known(rest: OracleRig) -> None:
    """Masters changed between the check and the create."""
    journal = rest.invoice(REFERENCE)
    rest.connector.create(replace(journal, external_ref="FIRSTAAAAAAAAAAA"))
    rest.tenant.books.world.suppliers[0].active = False
    assert outcome(rest.connector.create(rest.invoice(REFERENCE))) == ("REJECT", "PARTY_UNKNOWN")


def test_an_invoice_of_a_closed_period_is_not_validated(rest: OracleRig) -> None:
    created = rest.connector.create(rest.invoice(REFERENCE))
    assert created.doc_id is not None
    rest.close_period(DAY)
    assert outcome(rest.connector.post(created.doc_id)) == ("REJECT", "PERIOD_CLOSED")
    assert outcome(rest.connector.delete_draft(created.doc_id)) == ("REJECT", "NOT_OFFERED")


def test_a_reversal_is_a_journal_of_ours_with_the_sides_exchanged(rest: OracleRig) -> None:
    journal = rest.journal("FIRSTAAAAAAAAAAA")
    rest.connector.create(journal)
    rest.let_work()
    (first,) = rest.connector.find(journal).documents
    lines = tuple(
        JournalLine(line.gl_account, line.credit_minor, line.debit_minor) for line in journal.lines
    )
    reversal = replace(journal, external_ref=REFERENCE, lines=lines, reverses=first.doc_id)
    assert outcome(rest.connector.create(reversal)) == ("REJECT", "NOT_REVERSIBLE")
    rest.tenant.scheduler.post_automatically()
    assert rest.connector.create(reversal).outcome == "PENDING"
    rest.let_work()
    rest.tenant.scheduler.post_automatically()
    (second,) = rest.connector.find(reversal).documents
    assert differences(reversal, second) == ()
    assert rest.connector.book_balance("1810", on=DAY, currency="EUR") == 0


def test_what_oracle_does_not_offer(rest: OracleRig) -> None:
    clearing = replace(rest.journal(REFERENCE), lines=(), clears=("journal/1/1", "journal/2/1"))
    assert outcome(rest.connector.create(clearing)) == ("REJECT", "NOT_OFFERED")
    assert rest.connector.find(clearing) == Trace()
    reversal = replace(rest.journal(REFERENCE), reverses="invoice/77")
    assert outcome(rest.connector.create(reversal)) == ("REJECT", "NOT_OFFERED")
    assert rest.tenant.plan.seen().get("create") is None
