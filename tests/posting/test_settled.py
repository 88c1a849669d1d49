"""What the protocol gave up is ended by two people, and by nobody alone."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from sandbox.simulators.sap import LOGIN
from tests.connectors.rigs.sap import open_rig as open_sap
from tests.posting.books import QUICK, approved, open_books
from tests.posting.test_delivery import adjustment_of, check, ready, row_of, run, states_of
from tests.posting.test_words import words_of
from tieout.cli import main
from tieout.connectors.fake import FakeErp, Fault
from tieout.connectors.ports import Capability, ErpDocument, Journal, Trace
from tieout.errors import ConnectorError, LedgerError
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import PostingIntent
from tieout.posting.delivery import drain
from tieout.posting.intents import make_intents
from tieout.stages.outbox_settled import settle
from tieout.stages.outbox_words import say


class FileErp(FakeErp):
    """Takes files, posts them at once, and answers no question (class E)."""

    def capability(self, journal: Journal) -> Capability:
        return Capability("E")

    def find(self, journal: Journal) -> Trace:
        return Trace()

    def read(self, doc_id: str) -> ErpDocument | None:
        raise ConnectorError("NOT_OFFERED", "nothing can be asked here")


def stuck(ledger: Ledger, erp: str, fake: FakeErp, fault: Fault = "lost reply") -> str:
    """A posting whose answer was lost, given up."""
    (intent,) = ready(ledger, erp)
    fake.plan("create", fault)
    for _ in range(3):
        run(ledger, fake, erp, replace(QUICK, attempts_max=1))
    row = row_of(ledger, intent)
    assert row.state == "MANUAL", (row.state, row.reason)
    return intent


def word(ledger: Ledger, fake: FakeErp, intent: str, person: str, document: str = "F-77") -> str:
    return settle(ledger, fake, intent, person, document=document, evidence="bank's list, p. 3")


def refused(
    code: str, ledger: Ledger, fake: FakeErp, intent: str, person: str, document: str = "F-77"
) -> None:
    with pytest.raises(LedgerError) as caught:
        word(ledger, fake, intent, person, document)
    assert caught.value.code == code


def test_where_nothing_can_be_asked_two_people_confirm(ledger: Ledger, erp: str) -> None:
    fake = FileErp()
    intent = stuck(ledger, erp, fake)
    assert "another person" in word(ledger, fake, intent, "anna")
    assert row_of(ledger, intent).state == "MANUAL"
    refused("SETTLE_SELF", ledger, fake, intent, " ANNA")
    assert "confirmed as document F-77" in word(ledger, fake, intent, "bert")
    row, adjustment = row_of(ledger, intent), adjustment_of(ledger, intent)
    assert (row.state, row.erp_doc_id, row.document_no) == ("CONFIRMED", "F-77", "F-77")
    assert "anna and bert" in row.reason
    assert (adjustment.state, adjustment.document_no) == ("posted", "F-77")
    assert words_of(ledger, intent) == [("state", "anna"), ("confirm", "bert")]
    assert states_of(ledger, intent)[-2:] == ["MANUAL", "CONFIRMED"]
    refused("OUTBOX_STATE", ledger, fake, intent, "anna")
    check(ledger)


def test_they_must_say_the_same(ledger: Ledger, erp: str) -> None:
    fake = FileErp()
    intent = stuck(ledger, erp, fake)
    word(ledger, fake, intent, "anna", "F-77")
    word(ledger, fake, intent, "bert", "F-78")
    refused("SETTLE_SELF", ledger, fake, intent, "bert", "F-78")
    assert row_of(ledger, intent).state == "MANUAL"
    word(ledger, fake, intent, "anna", "F-78")
    assert row_of(ledger, intent).document_no == "F-78"
    check(ledger)


def test_what_never_arrived_is_refused_and_can_be_replayed(ledger: Ledger, erp: str) -> None:
    fake = FileErp()
    intent = stuck(ledger, erp, fake)
    word(ledger, fake, intent, "anna", "")
    assert "replay" in word(ledger, fake, intent, "bert", "")
    assert row_of(ledger, intent).state == "REJECTED"
    assert "proposed again" in say(ledger, "replay", intent, "anna", "the bank has no such file")
    check(ledger)


def test_what_can_be_read_is_read_and_compared(ledger: Ledger, erp: str) -> None:
    """It was given up, and arrived afterwards."""
    fake = FakeErp()
    intent = stuck(ledger, erp, fake, "late")
    fake.deliver_late()
    (ours,) = [d.doc_id for d in fake.documents.values()]
    refused("DOCUMENT_ABSENT", ledger, fake, intent, "anna", "4711")
    refused("DOCUMENT_THERE", ledger, fake, intent, "anna", "")
    true = fake.documents[ours]
    fake.documents[ours] = replace(true, external_ref="ANOTHER")
    refused("DOCUMENT_DIFFERS", ledger, fake, intent, "anna", ours)
    fake.documents[ours] = true
    fake.plan("read", "no effect")
    with pytest.raises(ConnectorError):
        word(ledger, fake, intent, "anna", ours)
    word(ledger, fake, intent, "anna", ours)
    assert "read and compared" in word(ledger, fake, intent, "bert", ours)
    assert row_of(ledger, intent).state == "DRAFTED"
    assert run(ledger, fake, erp).confirmed == (intent,)
    assert len(fake.posted(true.external_ref)) == 1
    check(ledger)


def test_an_id_that_is_on_record_stays(ledger: Ledger, erp: str) -> None:
    """A document that differs was found, its id written, and the posting given up."""
    fake, (intent,) = FakeErp(), ready(ledger, erp)
    fake.plan("create", "round")
    run(ledger, fake, erp)
    assert row_of(ledger, intent).state == "MANUAL"
    refused("DOCUMENT_OTHER", ledger, fake, intent, "anna", "4711")


def test_the_command_asks_the_erp_too(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    open_books(ledger, "sap", company="NORD", journal="bank", gl_account="11001000")
    accounts = ("65100000", "11001000")
    approved(ledger, "sap", company="NORD", journal="bank", accounts=accounts)
    (intent,) = make_intents(ledger, "sap", actor="test").made
    with open_sap() as rig:
        rig.fault("create", "late")
        for _ in range(2):
            limits = replace(QUICK, attempts_max=1)
            drain(ledger, rig.connector, "sap", owner="test", budget=20, limits=limits)
        assert row_of(ledger, intent).state == "MANUAL"
        login = f"{quote(LOGIN[0])}:{quote(LOGIN[1])}@"
        monkeypatch.setenv("TIEOUT_DATABASE", ledger.address)
        monkeypatch.setenv("TIEOUT_ERP_SAP", rig.address.replace("://", f"://{login}"))
        order = ["outbox", "settle", intent, "--evidence", "asked accounting"]
        assert main([*order, "--absent", "--as", "anna"]) == 0
        rig.let_work()
        assert main([*order, "--absent", "--as", "bert"]) == 2
        assert "DOCUMENT_THERE" in capsys.readouterr().err
        assert main([*order, "--document", "1010/2026/4711000000", "--as", "bert"]) == 2
        assert "DOCUMENT_ABSENT" in capsys.readouterr().err
        with ledger.session() as session:
            (there,) = rig.books(session.get_one(PostingIntent, intent).ext_ref)
        for person in ("anna", "bert"):
            assert main([*order, "--document", there.doc_id, "--as", person]) == 0
        done = drain(ledger, rig.connector, "sap", owner="test", budget=20, limits=QUICK)
        assert done.confirmed == (intent,)
        assert main([*order, "--document", " ", "--as", "anna"]) == 2
    check(ledger)


def test_without_evidence_it_is_no_word(ledger: Ledger, erp: str) -> None:
    with pytest.raises(LedgerError, match="EVIDENCE_MISSING"):
        settle(ledger, FakeErp(), "x", "anna", document="1", evidence="  ")


@pytest.mark.parametrize(
    ("words", "state", "document"),
    [
        ([], "CONFIRMED", "F-1"),
        ([("state", "anna", "F-1")], "CONFIRMED", "F-1"),
        ([("state", "anna", "F-1"), ("confirm", "Anna ", "F-1")], "CONFIRMED", "F-1"),
        ([("state", "anna", "F-1"), ("confirm", "bert", "F-2")], "CONFIRMED", "F-2"),
        ([("state", "anna", "F-1"), ("confirm", "bert", "F-1")], "CONFIRMED", "F-2"),
        ([("state", "anna", "F-1"), ("confirm", "bert", "F-1")], "REJECTED", None),
        ([("state", "anna", ""), ("confirm", "bert", "")], "DRAFTED", "F-1"),
    ],
)
def test_the_database_wants_two_people_of_one_mind(
    ledger: Ledger, erp: str, words: list[tuple[str, str, str]], state: str, document: str | None
) -> None:
    intent = stuck(ledger, erp, FileErp())
    word_by_hand = text(
        "INSERT INTO outbox_words (intent_id, verb, person, reason, fence, document) "
        "SELECT intent_id, :verb, :person, 'by hand', fence, :document "
        "FROM outbox WHERE intent_id = :intent"
    )
    by_hand = text(
        "UPDATE outbox SET state = :state, erp_doc_id = :document WHERE intent_id = :intent"
    )
    with pytest.raises(DBAPIError, match="two people"), ledger.session() as session:
        for verb, person, of in words:
            values = {"verb": verb, "person": person, "document": of, "intent": intent}
            session.execute(word_by_hand, values)
        session.execute(by_hand, {"state": state, "document": document, "intent": intent})


def test_old_words_do_not_settle_new_trouble(ledger: Ledger, erp: str) -> None:
    fake = FileErp()
    intent = stuck(ledger, erp, fake)
    word(ledger, fake, intent, "anna")
    say(ledger, "release", intent, "anna", "look again")
    say(ledger, "release", intent, "bert", "look again")
    run(ledger, fake, erp)
    assert row_of(ledger, intent).state == "MANUAL"
    assert "another person" in word(ledger, fake, intent, "bert")
    assert row_of(ledger, intent).state == "MANUAL"
