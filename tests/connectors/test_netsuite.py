"""NetSuite: what becomes of creates, posts and deletes, whatever goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.rigs.netsuite import DAY, NetSuiteRig, mapping, open_rig
from tieout.connectors.ports import Capability, Delivery, Journal, JournalLine
from tieout.errors import ConnectorError, ProfileError
from tieout.posting.readback import differences
from tieout.profiles import mappings_dir

REF = "NETSUITEREF00001".replace("0", "A").replace("1", "B")


@pytest.fixture
def rig() -> Iterator[NetSuiteRig]:
    with open_rig() as opened:
        yield opened


def told(delivery: Delivery) -> tuple[str, str]:
    return delivery.outcome, delivery.code


def made(rig: NetSuiteRig, journal: Journal | None = None) -> str:
    """Create a document that must succeed; its id."""
    delivery = rig.connector.create(journal or rig.journal(REF))
    assert told(delivery) == ("OK", "CREATED")
    assert delivery.doc_id is not None
    return delivery.doc_id


def test_a_create_sent_twice_is_one_document_of_class_a(rig: NetSuiteRig) -> None:
    journal = rig.journal(REF)
    capability = rig.connector.capability(journal)
    assert (capability.kind, capability.settle.total_seconds()) == ("A", 15 * 60 + 10 + 60)
    doc_id = made(rig)
    rig.simulator.plan.clear()
    again = rig.connector.create(journal)
    assert (told(again), again.doc_id) == (("EXISTS", "EXISTS"), doc_id)
    assert len(rig.books(REF)) == 1


def test_a_document_people_worked_on_is_left_alone_by_a_second_create(rig: NetSuiteRig) -> None:
    """What a PUT would undo: the same journal again, after somebody changed the record."""
    doc_id = made(rig)
    kind, record_id = doc_id.split("/")
    rig.simulator.ledger.update(kind, record_id, {"memo": "by hand"})
    assert told(rig.connector.create(rig.journal(REF)))[0] == "EXISTS"
    assert rig.simulator.ledger.record(kind, record_id)["memo"] == "by hand"


FAULTS = [
    # fault of the create, outcome, code, documents there at once, and after late ones came
    ("lost reply", "UNKNOWN", "CONNECTION_LOST", 1, 1),
    ("no effect", "UNKNOWN", "CONNECTION_LOST", 0, 0),
    ("late", "UNKNOWN", "CONNECTION_LOST", 0, 1),
    ("throttle", "THROTTLED", "CONCURRENCY_LIMIT_EXCEEDED", 0, 0),
    ("nested throttle", "THROTTLED", "CONCURRENCY_LIMIT_EXCEEDED", 0, 0),
    ("restlet throttle", "THROTTLED", "CONCURRENCY_LIMIT_EXCEEDED", 0, 0),
    ("maintenance", "UNKNOWN", "HTTP_503", 0, 0),
    ("error before", "UNKNOWN", "UNEXPECTED_ERROR", 0, 0),
    ("error after", "UNKNOWN", "UNEXPECTED_ERROR", 1, 1),
    ("expired token", "UNKNOWN", "INVALID_LOGIN", 0, 0),
    ("no location", "UNKNOWN", "NO_LOCATION", 1, 1),
]


@pytest.mark.parametrize(
    ("fault", "outcome", "code", "now", "later"), FAULTS, ids=[f[0] for f in FAULTS]
)
def test_every_fault_has_its_outcome_and_one_document_in_the_end(
    rig: NetSuiteRig, fault: str, outcome: str, code: str, now: int, later: int
) -> None:
    journal = rig.journal(REF)
    rig.fault("create", fault)
    assert told(rig.connector.create(journal)) == (outcome, code)
    assert rig.simulator.plan.seen()["create"] == 1, "one request, no retry"
    assert len(rig.books(REF)) == len(rig.connector.find(journal).documents) == now
    rig.let_work()
    assert len(rig.books(REF)) == later
    assert rig.connector.create(journal).outcome == ("EXISTS" if later else "OK")
    assert len(rig.books(REF)) == 1


@pytest.mark.parametrize("fault", ["round", "other day"])
def test_a_document_stored_otherwise_is_seen(rig: NetSuiteRig, fault: str) -> None:
    journal = rig.journal(REF)
    rig.fault("create", fault)
    document = rig.connector.read(made(rig, journal))
    assert document is not None
    assert differences(journal, document) != ()


def test_a_refusal_that_cannot_be_looked_after_is_unknown(rig: NetSuiteRig) -> None:
    made(rig)
    rig.fault("find", "error before")
    assert told(rig.connector.create(rig.journal(REF))) == ("UNKNOWN", "NOT_READ_BACK")


def test_a_period_closed_meanwhile_is_refused_by_netsuite_and_asked_for_again(
    rig: NetSuiteRig,
) -> None:
    made(rig)
    rig.close_period(DAY)
    other = rig.journal("B" * 16)
    for _ in range(2):  # told by NetSuite, then by the masters we ask again
        assert told(rig.connector.create(other)) == ("REJECT", "PERIOD_CLOSED")
    assert rig.simulator.plan.seen()["create"] == 2
    rig.open_period(DAY)
    assert told(rig.connector.create(other)) == ("OK", "CREATED")


def line(journal: Journal, **changes: Any) -> Journal:
    first, *others = journal.lines
    return replace(journal, lines=(replace(first, **changes), *others))


def test_what_netsuite_has_not_is_refused_before_anything_is_sent(rig: NetSuiteRig) -> None:
    good = rig.journal(REF)
    cases = {
        "GL_ACCOUNT_UNKNOWN": line(good, gl_account="4711"),
        "GL_ACCOUNT_CLOSED": line(good, gl_account="6999"),
        "PARTY_MISSING": line(good, gl_account="3300"),
        "PARTY_UNKNOWN": line(good, gl_account="3300", party="V-9999"),
        "FOREIGN_MISSING": line(good, gl_account="1840"),
        "UNBALANCED": line(good, debit_minor=1),
        "LINE_SIDES": line(good, credit_minor=350),
        "COMPANY_OTHER": replace(good, company="ACME"),
        "CURRENCY_OTHER": replace(good, currency="USD"),
        "JOURNAL_UNKNOWN": replace(good, journal_code="sales"),
        "REFERENCE_MALFORMED": replace(good, external_ref="no|good"),
        "PERIOD_UNKNOWN": replace(good, booked_on=date(2031, 1, 1)),
        "CURRENCY_UNKNOWN": line(
            replace(good, lines=(good.lines[0], replace(good.lines[1], gl_account="1370"))),
            foreign_minor=350,
            foreign_currency="CHF",
        ),
    }
    found = {code: told(rig.connector.create(journal)) for code, journal in cases.items()}
    assert found == {code: ("REJECT", code) for code in cases}
    assert "create" not in rig.simulator.plan.seen()


def test_a_refusal_names_the_line_of_the_mapping(
    rig: NetSuiteRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = mappings_dir() / "erp" / "netsuite.toml"
    text = shipped.read_text(encoding="utf-8").replace('"6855" = "Treasury"', '"6855" = "Gone"')
    written = tmp_path / "erp" / "netsuite.toml"
    written.parent.mkdir()
    written.write_text(text.replace('suspense = "1370"', 'suspense = "6999"'), encoding="utf-8")
    monkeypatch.setenv("TIEOUT_MAPPINGS", str(tmp_path))
    connector = rig.connect()
    cases = {
        "COST_CENTER_UNKNOWN": (rig.journal(REF), 'by_account] "6855"'),
        "GL_ACCOUNT_CLOSED": (line(rig.journal(REF), gl_account="6999"), "accounts] suspense"),
    }
    for code, (journal, key) in cases.items():
        refused = connector.create(journal)
        assert told(refused) == ("REJECT", code)
        assert "mappings/erp/netsuite.toml:" in refused.message
        assert key in refused.message


def test_netsuite_s_own_refusal_names_the_account_it_is_about(rig: NetSuiteRig) -> None:
    """The bank account of another subsidiary: only NetSuite knows."""
    journal = rig.journal(REF)
    bank = replace(journal.lines[1], gl_account="1820")
    refused = rig.connector.create(replace(journal, lines=(journal.lines[0], bank)))
    assert told(refused) == ("REJECT", "USER_ERROR")
    assert "restricted to another subsidiary" in refused.message
    assert "(line.items[1].account); GL account 1820" in refused.message
    assert "create" in rig.simulator.plan.seen()


def test_only_narrative_is_cut(rig: NetSuiteRig) -> None:
    journal = replace(rig.journal(REF), narrative="long\n" * 400)
    document = rig.connector.read(made(rig, line(journal, narrative="x" * 2_000)))
    assert document is not None
    assert document.external_ref == REF
    assert {len(each.narrative) for each in document.lines} == {999, 15}


def test_a_journal_in_another_currency_comes_back_to_the_cent(rig: NetSuiteRig) -> None:
    lines = (
        JournalLine("6855", 1_137, 0, narrative="Fee"),
        JournalLine("6880", 13, 0),
        JournalLine("1840", 0, 1_150, -1_250, "USD", None, "Fee"),
    )
    journal = replace(rig.journal(REF), lines=lines)
    document = rig.connector.read(made(rig, journal))
    assert document is not None
    assert differences(journal, document) == ()
    (within,) = rig.simulator.documents(REF)
    assert [each["base"] for each in within["lines"]] == ["11.37", "0.13", "-11.50"]
    usd = [each.foreign_minor for each in document.lines]
    assert sum(filter(None, usd)) == 0 and usd[2] == -1_250


def test_amounts_no_rate_can_give_are_refused(rig: NetSuiteRig) -> None:
    lines = (
        JournalLine("6855", 100, 0, 100, "USD"),
        JournalLine("6880", 300, 0, 100, "USD"),
        JournalLine("1840", 0, 400, -200, "USD"),
    )
    mixed = (JournalLine("6855", 100, 0, 110, "USD"), JournalLine("1810", 0, 100, -90, "GBP"))
    journal = rig.journal(REF)
    refused = rig.connector.create(replace(journal, lines=lines))
    assert told(refused) == ("REJECT", "EXCHANGE_RATE")
    assert told(rig.connector.create(replace(journal, lines=mixed))) == ("REJECT", "CURRENCY_MIXED")


def test_a_document_that_waits_is_approved_where_the_mapping_lets_us() -> None:
    with open_rig(approve=True) as rig:
        rig.fault("create", "pending approval")
        doc_id = made(rig)
        assert rig.books(REF)[0].state == "draft"
        rig.fault("post", "lost reply")
        assert told(rig.connector.post(doc_id)) == ("UNKNOWN", "CONNECTION_LOST")
        assert told(rig.connector.post(doc_id)) == ("OK", "ALREADY_POSTED")
        assert [document.state for document in rig.books(REF)] == ["posted"]


def test_a_document_that_waits_is_pending_where_it_is_not_ours_to_approve(rig: NetSuiteRig) -> None:
    rig.simulator.ledger.approval = "1"
    doc_id = made(rig)
    document = rig.connector.read(doc_id)
    assert document is not None and document.state == "draft"
    assert told(rig.connector.post(doc_id)) == ("PENDING", "APPROVAL_PENDING")
    kind, record_id = doc_id.split("/")
    rig.simulator.ledger.update(kind, record_id, {"approvalStatus": {"id": "3"}})
    assert told(rig.connector.post(doc_id)) == ("REJECT", "APPROVAL_REFUSED")
    assert told(rig.connector.delete_draft(doc_id)) == ("OK", "DELETED")
    assert told(rig.connector.delete_draft(doc_id)) == ("OK", "GONE")
    assert told(rig.connector.post(doc_id)) == ("REJECT", "GONE")


def test_an_approval_netsuite_refuses_leaves_a_draft() -> None:
    with open_rig(approve=True) as rig:
        rig.fault("create", "pending approval")
        doc_id = made(rig)
        rig.close_period(DAY)
        assert told(rig.connector.post(doc_id)) == ("REJECT", "USER_ERROR")
        assert told(rig.connector.delete_draft(doc_id)) == ("REJECT", "USER_ERROR")
        rig.open_period(DAY)
        assert told(rig.connector.delete_draft(doc_id)) == ("OK", "DELETED")


def test_what_is_posted_or_not_ours_is_not_deleted(rig: NetSuiteRig) -> None:
    assert told(rig.connector.delete_draft(made(rig))) == ("REJECT", "ALREADY_POSTED")
    rig.simulator.ledger.approval = "1"
    doc_id = made(rig, rig.journal("B" * 16))
    kind, record_id = doc_id.split("/")
    rig.simulator.ledger.update(kind, record_id, {"externalId": ""})
    assert told(rig.connector.delete_draft(doc_id)) == ("REJECT", "NOT_OURS")


@pytest.mark.parametrize("doc_id", ["", "7", "journalEntry/x", "customer/7", "journalEntry/7/../8"])
def test_an_id_that_is_none_is_never_asked_for(rig: NetSuiteRig, doc_id: str) -> None:
    with pytest.raises(ConnectorError, match="DOCUMENT_ID_MALFORMED"):
        rig.connector.read(doc_id)
    assert told(rig.connector.post(doc_id)) == ("NOT_SENT", "DOCUMENT_ID_MALFORMED")
    assert told(rig.connector.delete_draft(doc_id)) == ("NOT_SENT", "DOCUMENT_ID_MALFORMED")


def test_the_whole_account_s_limit_throttles_and_nothing_is_lost(rig: NetSuiteRig) -> None:
    """Six at one time, five places: the sixth is turned away before it was looked at."""
    rig.connector.create(rig.journal("W" * 16))  # masters and token are there
    rig.simulator.gate.limit = 2
    rig.fault("create", "hold", "hold")
    outcomes: list[str] = []

    def create(reference: str) -> None:
        outcomes.append(rig.connector.create(rig.journal(reference)).outcome)

    threads = [threading.Thread(target=create, args=(letter * 16,)) for letter in "AB"]
    for thread in threads:
        thread.start()
    full = threading.Event()
    while rig.simulator.gate.running < 2:
        assert not full.wait(0.002)
    assert told(rig.connector.create(rig.journal("C" * 16)))[0] == "THROTTLED"
    rig.simulator.gate.holding = False
    for thread in threads:
        thread.join(10)
    assert outcomes == ["OK", "OK"]
    assert rig.books("C" * 16) == []


def test_the_way_by_put_replaces_and_is_not_repeated_in_time() -> None:
    with open_rig("upsert") as rig:
        journal = rig.journal(REF)
        capability = rig.connector.capability(journal)
        assert capability == Capability("D", capability.settle)
        for _ in range(2):
            assert told(rig.connector.create(journal)) == ("OK", "CREATED")
        (document,) = rig.books(REF)
        assert len(document.lines) == 2, "the lines are replaced, not doubled"


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("posting", "way", "guess"),
        ("posting", "approve", "yes"),
        ("posting", "key_hours", 0),
        ("posting", "retries", 3),
        ("dimensions", "cost_center", "project"),
        ("cash_book", "text", "(?P<iban>.*)"),
        ("cash_book", "text", "("),
        ("cash_book", "page_size", 1_001),
        ("cash_book", "lines", "some"),
        ("journals", "bank", 100),
        ("expense_categories", "6650", 21),
        ("dimensions", "by_account", "Treasury"),
    ],
)
def test_a_spoilt_mapping_is_named(rig: NetSuiteRig, section: str, key: str, value: object) -> None:
    changed = mapping()
    changed[section][key] = value
    with pytest.raises(ProfileError) as caught:
        rig.connect(mapped=changed)
    assert section in caught.value.where
