"""Approved adjustments become intents once; what was not approved as it is now does not."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from tests.posting.books import BOOKED_ON, approve, approved, propose
from tieout.connectors.ports import JournalLine
from tieout.errors import LedgerError
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import Account, Adjustment, Outbox, PostingIntent
from tieout.posting.intents import IntentsResult, make_intent, make_intents, planned_journals
from tieout.posting.payload import canonical_payload, external_ref, payload_sha256, sha256_of

LINES = [JournalLine("6855", 100, 0), JournalLine("1200", 0, 100)]


def intent_of(ledger: Ledger, intent_id: str) -> PostingIntent:
    with ledger.session() as session:
        return session.get_one(PostingIntent, intent_id)


def test_an_intent_is_made_once(ledger: Ledger, erp: str) -> None:
    (adjustment_id,) = approved(ledger, erp)
    (intent_id,) = make_intents(ledger, erp, actor="test").made
    intent = intent_of(ledger, intent_id)
    assert intent.adjustment_id == adjustment_id
    assert (intent.amount_minor, intent.currency, intent.kind) == (1250, "EUR", "ADJUST")
    assert intent.payload_sha256 == sha256_of(intent.payload)
    assert intent.payload["booked_on"] == BOOKED_ON.isoformat()
    assert [line["debit_minor"] for line in intent.payload["lines"]] == [1250, 0]
    assert make_intents(ledger, erp, actor="test") == IntentsResult((), ())
    with ledger.session() as session:
        assert session.get_one(Outbox, intent_id).state == "READY"
        assert make_intent(session, adjustment_id, erp, actor="test") is None


def test_two_makers_at_once_make_one(ledger: Ledger, erp: str) -> None:
    approved(ledger, erp, 5)
    made: list[str] = []
    makers = [
        threading.Thread(target=lambda: made.extend(make_intents(ledger, erp, actor="test").made))
        for _ in range(2)
    ]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert len(made) == len(set(made)) == 5


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE adjustment_lines SET debit_minor = debit_minor + 1 WHERE ordinal = 0 AND {this};"
        "UPDATE adjustment_lines SET credit_minor = credit_minor + 1 WHERE ordinal = 1 AND {this}",
        "UPDATE adjustment_lines SET gl_account = '9999' WHERE ordinal = 0 AND {this}",
        "UPDATE adjustments SET narrative = 'another' WHERE {this}",
        "UPDATE adjustments SET booked_on = '2026-12-31' WHERE {this}",
        "UPDATE accounts SET journal = 'CASH' WHERE erp = '{erp}'",
    ],
    ids=["amount", "account", "narrative", "day", "journal"],
)
def test_a_change_after_the_approval_voids_it(ledger: Ledger, erp: str, change: str) -> None:
    (adjustment_id,) = approved(ledger, erp)
    with ledger.session() as session:
        for statement in change.format(this=f"adjustment_id = '{adjustment_id}'", erp=erp).split(
            ";"
        ):
            session.execute(text(statement))
    result = make_intents(ledger, erp, actor="test")
    assert result.made == ()
    assert [finding.code for finding in result.refused] == ["APPROVAL_VOID"]
    with ledger.session() as session:
        assert session.scalar(select(func.count()).where(Outbox.erp == erp)) == 0


def test_marked_approved_without_an_approval_is_refused(ledger: Ledger, erp: str) -> None:
    with ledger.session() as session:
        propose(session, erp, "alone")
        good = propose(session, erp, "good")
        approve(session, good)
    result = make_intents(ledger, erp, actor="test")
    assert [finding.code for finding in result.refused] == ["APPROVAL_MISSING"]
    assert len(result.made) == 1, "the others go on"


def test_the_maker_cannot_approve(ledger: Ledger, erp: str) -> None:
    with pytest.raises(IntegrityError, match="may not decide"), ledger.session() as session:
        approve(session, propose(session, erp, "own"), person=" TIEOUT ")


def test_what_is_not_approved_makes_nothing(ledger: Ledger, erp: str) -> None:
    (adjustment_id,) = approved(ledger, erp)
    with ledger.session() as session:
        session.get_one(Adjustment, adjustment_id).state = "pending"
    assert make_intents(ledger, erp, actor="test").made == ()
    with pytest.raises(LedgerError, match="it is pending"), ledger.session() as session:
        make_intent(session, adjustment_id, erp, actor="test")


def test_one_key_with_two_payloads_is_a_conflict(ledger: Ledger, erp: str) -> None:
    """The unique business key of adjustments stands before it; the intent guards itself as well."""
    (adjustment_id,) = approved(ledger, erp)
    make_intents(ledger, erp, actor="test")
    with ledger.session() as session:
        session.get_one(Account, f"{erp}-EUR").journal = "CASH"
        adjustment = session.get_one(Adjustment, adjustment_id)
        adjustment.payload_sha256 = payload_sha256(
            company="TEST",
            journal_code="CASH",
            booked_on=adjustment.booked_on,
            narrative=adjustment.narrative,
            currency="EUR",
            lines=[
                JournalLine("6855", 1250, 0, narrative="Fee 0000"),
                JournalLine("1200", 0, 1250, narrative="Fee 0000"),
            ],
        )
        approve(session, adjustment_id, person="vera")
    with pytest.raises(LedgerError) as caught, ledger.session() as session:
        make_intent(session, adjustment_id, erp, actor="test")
    assert caught.value.code == "INTENT_CONFLICT"


def test_planned_journals_are_what_the_intents_will_hold(ledger: Ledger, erp: str) -> None:
    approved(ledger, erp, 2)
    with ledger.session() as session:
        planned, refused = planned_journals(session, erp)
    assert refused == []
    made = [intent_of(ledger, intent) for intent in make_intents(ledger, erp, actor="test").made]
    assert {journal.external_ref for _, journal in planned} == {intent.ext_ref for intent in made}


def test_the_reference_is_short_stable_and_separates_its_parts() -> None:
    assert external_ref("tryton", "NORD", "key") == external_ref("tryton", "NORD", "key")
    refs = {
        external_ref("a", "b", "cd"),
        external_ref("a", "bc", "d"),
        external_ref("ab", "c", "d"),
    }
    assert len(refs) == 3
    assert all(len(ref) == 16 and ref.isalnum() and ref.isupper() for ref in refs)


def test_the_hash_follows_every_field_and_nothing_else() -> None:
    values = {
        "company": "NORD",
        "journal_code": "BANK",
        "booked_on": dt.date(2026, 11, 20),
        "narrative": "Gebühr",
        "currency": "EUR",
        "lines": LINES,
    }
    changes = {
        "company": "SUED",
        "journal_code": "CASH",
        "booked_on": dt.date(2026, 11, 21),
        "narrative": "Gebuhr",
        "currency": "USD",
        "lines": LINES[::-1],
    }
    first = payload_sha256(**values)  # type: ignore[arg-type]
    assert first == sha256_of(canonical_payload(**values))  # type: ignore[arg-type]
    others = {payload_sha256(**values | {k: v}) for k, v in changes.items()}  # type: ignore[arg-type]
    assert len(others | {first}) == 7
