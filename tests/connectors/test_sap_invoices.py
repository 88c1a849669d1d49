"""Suppliers' invoices in SAP's invoice ledger: an OData write with its CSRF token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from lxml import etree

from tests.connectors.books import outcome
from tests.connectors.rigs.sap import DAY, SapRig, connector_to, mapping, open_rig
from tieout.connectors.ports import Journal, JournalLine, Liability
from tieout.connectors.sap_s4hana import SapConnector
from tieout.posting.readback import differences

REFERENCE = "SUPPLIERINVOICEA"
EDMX = Path(__file__).resolve().parents[3] / "shared/specs/sap/API_SUPPLIERINVOICE_PROCESS_SRV.edmx"


@pytest.fixture
def rig() -> Iterator[SapRig]:
    with open_rig() as opened:
        content = mapping()
        content["posting"]["supplier_invoices"] = True
        own = opened.connector
        opened.connector = connector_to(opened.address, content=content)
        yield opened
        opened.connector.close()
        own.close()


def invoice(reference: str = REFERENCE, kind: str = "supplier") -> Journal:
    party, account = ("10300001", "21100000") if kind == "supplier" else ("90000001", "21300000")
    due = DAY + timedelta(days=14)
    liability = Liability(party, kind, "ER-2026-0815", date(2026, 11, 18), due)  # type: ignore[arg-type]
    lines = (
        JournalLine("61003000", 10_000, 0, narrative="Travel of a supplier"),
        JournalLine("65100000", 1_900, 0),
        JournalLine(account, 0, 11_900),
    )
    return Journal(
        reference, "NORD", "liability", DAY, "Invoice", "EUR", lines, liability=liability
    )


def test_an_invoice_leaves_a_journal_entry_with_our_reference(rig: SapRig) -> None:
    journal = invoice()
    assert rig.connector.capability(journal).kind == "D"
    delivery = rig.connector.create(journal)
    assert outcome(delivery) == ("PENDING", "TAKEN")
    assert "supplier invoice 5105600000/2026" in delivery.message
    assert delivery.doc_id is None, "the invoice's number is not the document's"
    (document,) = rig.connector.find(journal).documents
    assert differences(journal, document) == ()
    assert rig.connector.read(document.doc_id) == document
    ((within,),) = [[d for d in rig.tenant.ledger.all() if d.header_text == REFERENCE]]
    assert (within.kind, within.origin, within.reference) == ("RE", "RMRP", "ER-2026-0815")
    items = rig.connector.open_items("NORD", on=DAY)
    (item,) = [one for one in items if one.document_no == "ER-2026-0815"]
    assert item.external_ref == REFERENCE
    assert (item.amount_minor, item.due_on) == (-11_900, date(2026, 12, 4))


def test_the_same_invoice_again_is_another_one(rig: SapRig) -> None:
    for _ in range(2):
        rig.connector.create(invoice())
    assert len(rig.connector.find(invoice()).documents) == 2


def test_employees_are_owed_by_journal_entry_as_before(rig: SapRig) -> None:
    assert outcome(rig.connector.create(invoice(kind="employee"))) == ("OK", "POSTED")
    assert "invoice" not in rig.tenant.plan.seen()


def test_a_batch_may_hold_both(rig: SapRig) -> None:
    told = rig.connector.create_batch(
        (rig.journal("ONE"), invoice(), rig.journal("TWO"), invoice("SUPPLIERINVOICEB"))
    )
    assert [one.outcome for one in told] == ["OK", "PENDING", "OK", "PENDING"]


def test_without_a_csrf_token_nothing_is_sent(rig: SapRig) -> None:
    for fault, expected in {
        "no effect": "NOT_SENT",
        "maintenance": "NOT_SENT",
        "throttle": "THROTTLED",
    }.items():
        rig.fault("invoice", fault)
        assert rig.connector.create(invoice()).outcome == expected
    assert rig.tenant.plan.seen()["invoice"] == 3
    assert rig.connector.find(invoice()).documents == ()


@pytest.mark.parametrize(
    ("fault", "expected", "documents"),
    [
        ("lost reply", ("UNKNOWN", "CONNECTION_LOST"), 1),
        ("late", ("UNKNOWN", "CONNECTION_LOST"), 1),
        ("maintenance", ("UNKNOWN", "MAINTENANCE"), 0),
        ("error after", ("UNKNOWN", "HTTP_500"), 1),
    ],
)
def test_an_unanswered_invoice_is_looked_for(
    rig: SapRig, fault: str, expected: tuple[str, str], documents: int
) -> None:
    rig.fault("invoice", "", fault)
    assert outcome(rig.connector.create(invoice())) == expected
    assert rig.tenant.plan.seen()["invoice"] == 2, "the token's request, and one write"
    rig.let_work()
    assert len(rig.connector.find(invoice()).documents) == documents


def test_a_session_that_ended_is_a_refusal_before_anything_was_looked_at(rig: SapRig) -> None:
    kept = rig.tenant.doors.may_write
    rig.tenant.doors.may_write = lambda cookie, token: False  # type: ignore[method-assign]
    assert outcome(rig.connector.create(invoice())) == ("THROTTLED", "CSRF_EXPIRED")
    rig.tenant.doors.may_write = kept  # type: ignore[method-assign]
    assert outcome(rig.connector.create(invoice())) == ("PENDING", "TAKEN")
    assert len(rig.connector.find(invoice()).documents) == 1


def test_a_closed_period_is_told_in_sap_s_words_and_left_to_a_person(rig: SapRig) -> None:
    rig.close_period(DAY)
    delivery = rig.connector.create(invoice())
    assert outcome(delivery) == ("UNKNOWN", "HTTP_400")
    assert delivery.message == "201(F5): Posting period 011 2026 is not open"


def test_an_invoice_is_not_reversed_as_an_entry(rig: SapRig) -> None:
    rig.connector.create(invoice())
    (document,) = rig.connector.find(invoice()).documents
    back = replace(rig.journal("BACK"), reverses=document.doc_id)
    refused = rig.connector.create(back)
    assert refused.outcome == "REJECT"
    assert "cancelled where it came from" in refused.message


@pytest.mark.skipif(not EDMX.is_file(), reason="SAP's metadata are not in ../shared/specs/sap")
def test_every_property_of_an_invoice_is_in_the_metadata() -> None:
    bodies: list[dict[str, object]] = []
    with open_rig() as rig:

        def forward(request: httpx.Request) -> httpx.Response:
            if request.method == "POST":
                bodies.append(json.loads(request.content))
            headers = {k: v for k, v in request.headers.items() if k not in ("host",)}
            return httpx.request(
                request.method,
                rig.address + request.url.raw_path.decode(),
                headers=headers,
                content=request.content,
                trust_env=False,
            )

        content = mapping()
        content["posting"]["supplier_invoices"] = True
        connector = SapConnector(
            "https://sap.test",
            "TIEOUT_COMM",
            "welcome-2026",
            company="NORD",
            mapping=content,
            transport=httpx.MockTransport(forward),
        )
        assert connector.create(invoice()).outcome == "PENDING"
        connector.close()
    tree = etree.parse(EDMX)
    types = {
        str(entity.get("Name")): {str(one.get("Name")): one for one in entity.iter("{*}Property")}
        for entity in tree.iter("{*}EntityType")
    }
    (body,) = bodies
    items = body.pop("to_SupplierInvoiceItemGLAcct")
    header, item = types["A_SupplierInvoiceType"], types["A_SupplierInvoiceItemGLAcctType"]
    assert set(body) <= set(header)
    for row in items["results"]:  # type: ignore[index]
        assert set(row) <= set(item)
        for name, value in row.items():
            longest = item[name].get("MaxLength")
            assert longest is None or len(value) <= int(longest), name
