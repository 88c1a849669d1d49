"""Each invariant finds what breaks it: the violation is planted, found and rolled back."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.posting.test_delivery import ready, run
from tieout.connectors.fake import FakeErp
from tieout.ledger.ledger import Ledger
from tieout.posting.invariants import INVARIANTS, violations

#: invariant → how to break it behind the protocol's back ({a} {b}: confirmed, {c}: rejected)
PLANTS = {
    "I1": "UPDATE outbox SET erp_doc_id = (SELECT erp_doc_id FROM outbox WHERE intent_id = '{a}') "
    "WHERE intent_id = '{b}'",
    "I2": "DELETE FROM posting_attempts WHERE intent_id = '{a}' AND phase IN ('read', 'find')",
    "I3": "UPDATE outbox SET document_no = 'F9' WHERE intent_id = '{c}'",
    "I4": "UPDATE posting_intents SET maker = 'Vera ' WHERE intent_id = '{a}'",
    "I5": "DELETE FROM posting_attempts WHERE intent_id = '{c}'",
    "I7": "UPDATE outbox SET erp_doc_id = '999' WHERE intent_id = '{a}'",
    "I8": "UPDATE posting_attempts SET ext_ref = 'OTHER' WHERE intent_id = '{a}'",
    "I9": "UPDATE posting_intents SET adjustment_id = (SELECT adjustment_id FROM posting_intents "
    "WHERE intent_id = '{b}') WHERE intent_id = '{a}'",
    "I10": "UPDATE posting_intents SET amount_minor = amount_minor + 1 WHERE intent_id = '{a}'",
    "I11": "DELETE FROM audit_log WHERE subject_id = '{a}' AND action = 'outbox DRAFTED'",
    "I15": "INSERT INTO outbox_words (intent_id, verb, person, reason, fence, document) "
    "SELECT intent_id, 'confirm', 'anna', 'seen', fence, erp_doc_id FROM outbox "
    "WHERE intent_id = '{a}'",
}


class UndoError(Exception):
    """Ends the transaction without keeping it."""


def test_every_invariant_has_a_plant() -> None:
    assert list(PLANTS) == list(INVARIANTS)


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_violation_is_found(ledger: Ledger, erp: str, name: str) -> None:
    fake = FakeErp()
    a, b, c = ready(ledger, erp, 3)
    with ledger.session() as session:
        session.execute(text(f"UPDATE outbox SET next_at = now() WHERE intent_id = '{c}'"))
        session.execute(text(f"UPDATE outbox SET held = 'later' WHERE intent_id IN ('{a}', '{b}')"))
    fake.plan("create", "reject")
    assert run(ledger, fake, erp).rejected == (c,)
    with ledger.session() as session:
        session.execute(text(f"UPDATE outbox SET held = NULL WHERE intent_id IN ('{a}', '{b}')"))
    assert sorted(run(ledger, fake, erp).confirmed) == sorted((a, b))
    with pytest.raises(UndoError), ledger.session() as session:
        assert violations(session) == []
        session.execute(text("SET LOCAL session_replication_role = replica"))  # no triggers
        session.execute(text(PLANTS[name].format(a=a, b=b, c=c)))
        assert name in {found.invariant for found in violations(session)}
        raise UndoError
