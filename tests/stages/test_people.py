"""People's word on input: a damaged statement resolved, a quarantined file released."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from tests.stages.small import DAY, Small
from tests.stages.test_reruns import lay
from tieout.errors import LedgerError
from tieout.ledger import Ledger
from tieout.ledger.models import AuditRow, FileRow
from tieout.stages import ingest
from tieout.stages.people import (
    file_rows,
    release_file,
    resolve_statement,
    statement_rows,
)


@pytest.fixture
def small(fresh_ledger: Ledger) -> Small:
    return Small(fresh_ledger)


def _states(small: Small) -> list[str]:
    with small.ledger.session() as session:
        return [row["state"] for row in statement_rows(session, small.code)]


def test_a_damaged_statement_waits_until_somebody_resolves_it(small: Small) -> None:
    small.statement(DAY, (-490, "Kontoführung"), incomplete=True)
    small.statement(DAY, (500, "next"))
    small.reconcile()
    assert _states(small) == ["staged, incomplete", "staged"]
    assert small.adjustments() == []
    with small.ledger.session() as session:
        damaged = statement_rows(session)[0]["id"]
    assert resolve_statement(small.ledger, damaged, "anna", "only a text line") == "accepted"
    small.reconcile()
    assert _states(small) == ["accepted, incomplete", "accepted"]
    assert [a.state for a in small.adjustments()] == ["approved"]
    with small.ledger.session() as session:
        said = select(AuditRow.actor, AuditRow.action).where(AuditRow.action == "resolved")
        assert session.execute(said).all() == [("anna", "resolved")]
    with pytest.raises(LedgerError, match="STATEMENT_WHOLE"):
        resolve_statement(small.ledger, damaged, "anna", "again")


def test_balances_must_prove_what_is_resolved(small: Small) -> None:
    small.statement(DAY, (-490, "fee"), incomplete=True, closing_minor=small.closing - 990)
    with small.ledger.session() as session:
        damaged = statement_rows(session)[0]["id"]
    with pytest.raises(LedgerError, match="STATEMENT_UNPROVEN"):
        resolve_statement(small.ledger, damaged, "anna", "looks fine")
    assert _states(small) == ["staged, incomplete"]


def test_a_whole_telling_takes_the_place_of_a_damaged_one(small: Small) -> None:
    small.statement(DAY, (-490, "fee"), incomplete=True)
    small.closing, small.number = small.account.cutover_minor, small.number - 1
    small.statement(DAY, (-490, "fee"), (7, "the lost one"), version=2)
    assert _states(small) == ["superseded, incomplete", "accepted"]


def test_a_released_file_is_read_again(fresh_ledger: Ledger, tmp_path: Path) -> None:
    drop = lay(tmp_path, "odd.txt", b"nothing a bank would send")
    (file_id,) = ingest.claim_files(fresh_ledger, drop, tmp_path, settle_seconds=0)
    assert ingest.read_file(fresh_ledger, tmp_path, file_id) == "quarantined"
    with fresh_ledger.session() as session:
        (row,) = file_rows(session, "quarantined")
        assert "FORMAT_UNKNOWN" in row["reason"]
        assert release_file(session, file_id[:8], "anna", "a reader was added").state == "claimed"
    assert ingest.claim_files(fresh_ledger, drop, tmp_path, settle_seconds=0) == [file_id]
    assert ingest.read_file(fresh_ledger, tmp_path, file_id) == "quarantined"
    with fresh_ledger.session() as session:
        assert session.get_one(FileRow, file_id).attempts == 1
        with pytest.raises(LedgerError, match="FILE_UNKNOWN"):
            release_file(session, "no such", "anna", "typo")
