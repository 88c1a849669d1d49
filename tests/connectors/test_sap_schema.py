"""Our SOAP and our queries against SAP's own schema and metadata, where they are at hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from sandbox.simulators.sap_rows import SETS
from tests.connectors.rigs.sap import DAY, SapRig, connector_to, mapping, open_rig
from tests.connectors.test_sap_posting import posted, reimbursement, usd
from tieout.connectors.ports import Journal, JournalLine

SPECS = Path(__file__).resolve().parents[3] / "shared" / "specs" / "sap"
XSD = "{http://www.w3.org/2001/XMLSchema}"
SFIN = "http://sap.com/xi/SAPSCORE/SFIN"
BODY = "{http://schemas.xmlsoap.org/soap/envelope/}Body"
WSDL = "JournalEntryCreateRequestConfirmation_In.wsdl"

pytestmark = pytest.mark.skipif(
    not SPECS.is_dir(), reason="SAP's service descriptions are not in ../shared/specs/sap"
)


@cache
def schema() -> etree.XMLSchema:
    found = etree.parse(SPECS / WSDL).find(f".//{XSD}schema")
    assert found is not None
    return etree.XMLSchema(etree.fromstring(etree.tostring(found)))


@cache
def properties() -> dict[str, dict[str, bool]]:
    """Entity set → its properties, and whether they may be filtered by."""
    sets: dict[str, dict[str, bool]] = {}
    for path in sorted(SPECS.glob("*.edmx")):
        types: dict[str, dict[str, bool]] = {}
        tree = etree.parse(path)
        for entity in tree.iter("{*}EntityType"):
            types[str(entity.get("Name"))] = {
                str(one.get("Name")): one.get("{http://www.sap.com/Protocols/SAPData}filterable")
                != "false"
                for one in entity.iter("{*}Property")
            }
        for named in tree.iter("{*}EntitySet"):
            found = types[str(named.get("EntityType")).split(".")[-1]]
            sets[str(named.get("Name"))] = found
    return sets


@pytest.fixture
def rig() -> Iterator[SapRig]:
    with open_rig() as opened:
        yield opened


def message(body: bytes) -> etree._Element:
    found = etree.fromstring(body).find(f"{BODY}/{{{SFIN}}}JournalEntryBulkCreateRequest")
    assert found is not None
    return etree.fromstring(etree.tostring(found))


def test_our_entries_are_of_the_service_s_schema(rig: SapRig) -> None:
    partner = (
        JournalLine("11001000", 500, 0),
        JournalLine("12100000", 0, 500, party="10100001"),
    )
    journals = (
        rig.journal("JOURNAL", amount=10**15),
        replace(rig.journal("TEXTS"), narrative="Ünïcode & <tags> " * 9),
        usd("DOLLAR", 100, 50, foreign=163),
        reimbursement("OWED"),
        Journal("PARTNER", "NORD", "DZ", DAY, "Payment", "EUR", partner),
    )
    assert {one.outcome for one in rig.connector.create_batch(journals)} == {"OK"}
    (body,) = rig.tenant.bodies
    schema().assertValid(message(body))


def test_an_entry_with_a_tax_is_of_the_service_s_schema(rig: SapRig) -> None:
    content = mapping()
    content["dimensions"]["tax_codes"] = {"61003000": "V0"}
    connector = connector_to(rig.address, content=content)
    assert connector.create(reimbursement("TAXED")).outcome == "OK"
    connector.close()
    schema().assertValid(message(rig.tenant.bodies[0]))


def test_a_reversal_adds_only_the_fields_of_later_releases(rig: SapRig) -> None:
    journal = rig.journal("FIRST")
    posted(rig, replace(journal, external_ref="BACK", reverses=posted(rig, journal)))
    found = message(rig.tenant.bodies[-1])
    later = [*found.iter("ReversalReason"), *found.iter("ReversalReferenceDocument")]
    assert [one.text for one in later] == ["01", "010000000010102026"]
    assert not schema().validate(found)
    for one in later:
        parent = one.getparent()
        assert parent is not None
        parent.remove(one)
    schema().assertValid(found)


def test_the_simulator_confirms_as_the_service_does(rig: SapRig) -> None:
    rig.close_period(DAY)
    answers = []
    exchange = rig.connector.wire.exchange

    def keep(*args, **named):  # type: ignore[no-untyped-def]
        answer = exchange(*args, **named)
        answers.append(answer.body)
        return answer

    rig.connector.wire.exchange = keep  # type: ignore[method-assign]
    rig.connector.create(rig.journal("CLOSED"))
    rig.open_period(DAY)
    rig.connector.create(rig.journal("OPEN"))
    name = f"{{{SFIN}}}JournalEntryBulkCreateConfirmation"
    told = [
        found
        for body in answers
        if b"JournalEntryBulkCreateConfirmation" in body
        and (found := etree.fromstring(body).find(f"{BODY}/{name}")) is not None
    ]
    assert len(told) == 2
    for found in told:
        schema().assertValid(etree.fromstring(etree.tostring(found)))


def test_the_simulator_takes_nothing_the_schema_refuses(rig: SapRig) -> None:
    """What its table of elements says, element by element, against the schema's own sequence."""
    posted(rig, reimbursement("OWED"))
    body = rig.tenant.bodies[0]
    spoilt = [
        body.replace(b"<CompanyCode>1010</CompanyCode>", b"", 1),
        body.replace(b"<BusinessTransactionType>RFBU</BusinessTransactionType>", b""),
        body.replace(b"<Creditor>", b"<Debtor>").replace(b"</Creditor>", b"</Debtor>"),
        body.replace(b"P8D", b"8"),
        body.replace(b'currencyCode="EUR"', b""),
        body.replace(b"<GLAccount>00", b"<GLAccount>00000000"),
        body.replace(b"<DocumentDate>", b"<Date>").replace(b"</DocumentDate>", b"</Date>"),
    ]
    for one in spoilt:
        assert one != body
        assert not schema().validate(message(one))
        assert rig.tenant.create(one, "")[0] == 500


def test_every_property_we_ask_for_is_in_the_metadata(rig: SapRig) -> None:
    journal = rig.journal("AAAAAAAAAAAAAAAA")
    doc_id = posted(rig, journal)
    connector = rig.connector
    connector.read(doc_id)
    connector.find(journal)
    connector.find(replace(journal, lines=(), clears=(f"{doc_id}/1", f"{doc_id}/2")))
    connector.cash_book("11001000", since=DAY)
    connector.book_balance("11002000", on=DAY, currency="USD")
    connector.open_items("NORD", on=DAY)
    connector.changed_documents(DAY)
    connector.create(reimbursement("OWED"))
    for look in (connector.gl_accounts, connector.partners, connector.cost_centers):
        assert look("NORD")
    known = properties()
    missing = sorted(
        (entity_set, name)
        for entity_set, name in rig.tenant.asked
        if name not in known.get(entity_set, {})
    )
    assert missing == []
    assert {entity_set for entity_set, _ in rig.tenant.asked} <= set(known)
    assert len(rig.tenant.asked) > 60


def test_the_simulator_shows_no_property_the_metadata_does_not_have(rig: SapRig) -> None:
    known = properties()
    for (_, entity_set), rows in SETS.items():
        shown = {name for row in rows(rig.tenant.ledger) for name in row}
        assert shown <= set(known[entity_set]), entity_set


def test_nothing_is_filtered_by_that_cannot_be() -> None:
    """The simulator refuses filters by amounts; so does the metadata of the ledger's lines."""
    assert not properties()["GLAccountLineItem"]["AmountInCompanyCodeCurrency"]
    assert properties()["A_OperationalAcctgDocItemCube"]["Reference1InDocumentHeader"]
