"""What people decide on postings: held, released by two, cancelled before it is sent, replayed."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from tests.posting.books import QUICK, approve
from tests.posting.test_delivery import adjustment_of, check, ready, row_of, run, states_of
from tieout.cli import main
from tieout.connectors.fake import FakeErp
from tieout.errors import LedgerError
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import Adjustment, OutboxWord
from tieout.posting.intents import make_intents
from tieout.stages.outbox_words import say


def words_of(ledger: Ledger, intent_id: str) -> list[tuple[str, str]]:
    with ledger.session() as session:
        rows = session.scalars(
            select(OutboxWord).where(OutboxWord.intent_id == intent_id).order_by(OutboxWord.word_no)
        )
        return [(row.verb, row.person) for row in rows]


def refused(code: str, ledger: Ledger, verb: str, intent: str, person: str = "anna") -> str:
    with pytest.raises(LedgerError) as caught:
        say(ledger, verb, intent, person, "because")
    assert caught.value.code == code
    return str(caught.value)


def test_what_is_held_is_not_sent_until_somebody_releases_it(ledger: Ledger, erp: str) -> None:
    fake, (held, other) = FakeErp(), sorted(ready(ledger, erp, 2))
    say(ledger, "hold", held, "anna", "the amount looks odd")
    result = run(ledger, fake, erp)
    assert (result.confirmed, result.held) == ((other,), 1)
    assert row_of(ledger, held).held == "anna: the amount looks odd"
    refused("OUTBOX_STATE", ledger, "hold", other)
    assert "released" in say(ledger, "release", held, "anna", "checked with the bank")
    refused("OUTBOX_STATE", ledger, "release", held)
    assert run(ledger, fake, erp).confirmed == (held,)
    assert words_of(ledger, held) == [("hold", "anna"), ("release", "anna")]
    check(ledger)


def test_a_hold_stops_a_worker_before_its_next_request(ledger: Ledger, erp: str) -> None:
    """Said while the draft is being made: it is made, and not posted."""
    fake, (intent,) = FakeErp(), ready(ledger, erp)

    def hook(phase: str, moment: str) -> None:
        if (phase, moment) == ("create", "before"):
            say(ledger, "hold", intent, "anna", "wait")

    fake.hook = hook
    run(ledger, fake, erp)
    assert (row_of(ledger, intent).state, row_of(ledger, intent).owner) == ("DRAFTED", None)
    assert [document.state for document in fake.documents.values()] == ["draft"]
    say(ledger, "release", intent, "bert", "go on")
    assert run(ledger, fake, erp).confirmed == (intent,)
    check(ledger)


def manual(ledger: Ledger, fake: FakeErp, erp: str) -> str:
    """A posting that spent its attempts while nobody answered."""
    (intent,) = ready(ledger, erp)
    fake.plan("create", "no effect", "no effect")
    for _ in range(3):
        run(ledger, fake, erp, replace(QUICK, attempts_max=2))
    assert row_of(ledger, intent).state == "MANUAL"
    return intent


def test_a_release_from_manual_needs_two_people(ledger: Ledger, erp: str) -> None:
    fake = FakeErp()
    intent = manual(ledger, fake, erp)
    refused("OUTBOX_STATE", ledger, "hold", intent)
    assert "another person" in say(ledger, "release", intent, "anna", "the line is mended")
    assert row_of(ledger, intent).state == "MANUAL"
    assert "may not grant" in refused("RELEASE_SELF", ledger, "release", intent, " Anna ")
    assert "anna and bert" in say(ledger, "release", intent, "bert", "seen, nothing there")
    row = row_of(ledger, intent)
    assert (row.state, row.attempts) == ("UNKNOWN", 0)
    assert run(ledger, fake, erp).confirmed == (intent,)
    assert len(fake.documents) == 1
    assert states_of(ledger, intent)[-4:] == ["UNKNOWN", "SENDING", "DRAFTED", "CONFIRMED"]
    check(ledger)


def test_an_old_word_does_not_count_for_new_trouble(ledger: Ledger, erp: str) -> None:
    fake = FakeErp()
    intent = manual(ledger, fake, erp)
    say(ledger, "release", intent, "anna", "again")
    say(ledger, "release", intent, "bert", "again")
    fake.plan("create", "no effect", "no effect")
    for _ in range(3):
        run(ledger, fake, erp, replace(QUICK, attempts_max=2))
    assert row_of(ledger, intent).state == "MANUAL"
    assert "another person" in say(ledger, "release", intent, "bert", "third time")
    assert row_of(ledger, intent).state == "MANUAL"


@pytest.mark.parametrize("people", [(), ("anna",), ("anna", "ANNA ")])
def test_the_database_wants_two_people_too(
    ledger: Ledger, erp: str, people: tuple[str, ...]
) -> None:
    intent = manual(ledger, FakeErp(), erp)
    verbs = ("ask", "release")
    word = text(
        "INSERT INTO outbox_words (intent_id, verb, person, reason, fence) "
        "SELECT intent_id, :verb, :person, 'by hand', fence FROM outbox WHERE intent_id = :intent"
    )
    by_hand = text("UPDATE outbox SET state = 'READY' WHERE intent_id = :intent")
    with pytest.raises(DBAPIError, match="two people"), ledger.session() as session:
        for verb, person in zip(verbs, people, strict=False):
            session.execute(word, {"verb": verb, "person": person, "intent": intent})
        session.execute(by_hand, {"intent": intent})


def test_only_what_was_never_taken_can_be_cancelled(ledger: Ledger, erp: str) -> None:
    fake, (gone, sent) = FakeErp(), sorted(ready(ledger, erp, 2))
    assert "rejected" in say(ledger, "cancel", gone, "anna", "booked by hand already")
    assert run(ledger, fake, erp).confirmed == (sent,)
    for intent in (gone, sent):
        refused("OUTBOX_SENT", ledger, "cancel", intent)
    assert (row_of(ledger, gone).state, adjustment_of(ledger, gone).state) == (
        "CANCELLED",
        "rejected",
    )
    assert make_intents(ledger, erp, actor="tieout").made == ()
    check(ledger)


def test_what_a_fail_over_may_have_sent_cannot_be_cancelled(ledger: Ledger, erp: str) -> None:
    (intent,) = ready(ledger, erp)
    with ledger.session() as session:
        session.execute(text("UPDATE outbox SET epoch = 'other/1' WHERE erp = :e"), {"e": erp})
    assert "restore" in refused("OUTBOX_SENT", ledger, "cancel", intent)


def test_cancel_and_claim_race_to_one_end(ledger: Ledger, erp: str) -> None:
    """Twelve postings, one worker, one person who cancels all: each is either sent or cancelled."""
    fake, intents = FakeErp(), ready(ledger, erp, 12)
    second = Ledger(ledger.address)
    cancelled: list[str] = []

    def cancel() -> None:
        for intent in reversed(intents):
            try:
                say(second, "cancel", intent, "anna", "all of them")
            except LedgerError:
                continue
            cancelled.append(intent)

    person = threading.Thread(target=cancel)
    person.start()
    confirmed = run(ledger, fake, erp).confirmed
    person.join()
    confirmed += run(ledger, fake, erp).confirmed
    second.close()
    assert sorted([*confirmed, *cancelled]) == sorted(intents)
    assert len(fake.documents) == len(confirmed)
    check(ledger)


def test_a_refused_posting_is_proposed_again_and_approved_anew(ledger: Ledger, erp: str) -> None:
    fake, (intent,) = FakeErp(), ready(ledger, erp)
    refused("OUTBOX_STATE", ledger, "replay", intent)
    fake.plan("create", "reject")
    run(ledger, fake, erp)
    say(ledger, "replay", intent, "anna", "the period is open again")
    old = adjustment_of(ledger, intent)
    with ledger.session() as session:
        word = session.scalars(
            select(OutboxWord).where(OutboxWord.intent_id == intent, OutboxWord.verb == "replay")
        ).one()
        new = session.get_one(Adjustment, word.successor)
        assert (old.state, new.state, new.maker) == ("withdrawn", "pending", "anna")
        assert (new.payload_sha256, new.business_key) == (
            old.payload_sha256,
            f"{old.business_key}|2",
        )
    assert make_intents(ledger, erp, actor="tieout").made == ()
    with ledger.session() as session:
        approve(session, new.adjustment_id, "bert")
        session.get_one(Adjustment, new.adjustment_id).state = "approved"
    (again,) = make_intents(ledger, erp, actor="tieout").made
    assert run(ledger, fake, erp).confirmed == (again,)
    assert row_of(ledger, intent).state == "REJECTED"
    refused("STATE_ILLEGAL", ledger, "replay", intent)
    check(ledger)


def test_the_commands_say_what_became_of_it(
    ledger: Ledger, erp: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIEOUT_DATABASE", ledger.address)
    (intent,) = ready(ledger, erp)
    assert main(["outbox", "hold", intent[:12], "--as", "anna"]) == 2
    assert "REASON_MISSING" in capsys.readouterr().err
    assert main(["outbox", "hold", intent[:12], "--as", "tieout", "--reason", "x"]) == 2
    assert "PERSON_RESERVED" in capsys.readouterr().err
    assert main(["outbox", "hold", intent[:12], "--as", "anna", "--reason", "odd"]) == 0
    assert "held by anna; it stays READY" in capsys.readouterr().out
    assert main(["outbox", "list"]) == 0
    assert "READY (held)" in capsys.readouterr().out
    assert main(["outbox", "show", intent]) == 0
    assert '"did": "held"' in capsys.readouterr().out
    assert main(["outbox", "release", intent, "--as", "bert", "--reason", "fine"]) == 0
    assert main(["outbox", "cancel", intent, "--as", "bert", "--reason", "by hand"]) == 0
    assert "cancelled" in capsys.readouterr().out


def test_who_holds_an_erp_is_shown(
    ledger: Ledger, erp: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIEOUT_DATABASE", ledger.address)
    ready(ledger, erp)
    with ledger.session() as session:
        session.execute(
            text("INSERT INTO erp_traffic (erp, not_before) VALUES (:erp, :until)"),
            {"erp": erp, "until": dt.datetime(2099, 1, 1, tzinfo=dt.UTC)},
        )
    assert main(["outbox", "list"]) == 0
    assert f"{erp} gets nothing now: the system asked us to wait; until 2099" in (
        capsys.readouterr().out
    )
