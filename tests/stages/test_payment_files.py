"""Payment files and status reports on a bank's drop: recorded as files, kept, and explained."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from tests.parsers.reading import SAMPLES
from tieout.drops.local import LocalDrop
from tieout.ledger import Ledger
from tieout.ledger.models import FileRow, FindingRow, StatementRow
from tieout.stages import ingest

NAMES = ("pain001_v09.xml", "pain002_part.xml")


def test_a_file_without_statements_is_recorded_and_kept(
    fresh_ledger: Ledger, tmp_path: Path
) -> None:
    (tmp_path / "drop").mkdir()
    for name in NAMES:
        (tmp_path / "drop" / name).write_bytes((SAMPLES / name).read_bytes())
    drop = LocalDrop(tmp_path / "drop", name="banks")
    ids = ingest.claim_files(fresh_ledger, drop, tmp_path, settle_seconds=0)
    assert len(ids) == 2
    assert {ingest.read_file(fresh_ledger, tmp_path, i) for i in ids} == {"identified"}
    good = ingest.validate_files(fresh_ledger, tmp_path, ids)
    assert good == ids
    assert ingest.record_files(fresh_ledger, tmp_path, good) == []
    with fresh_ledger.session() as session:
        files = {f.name: f for f in session.scalars(select(FileRow))}
        found = list(session.scalars(select(FindingRow).order_by(FindingRow.code)))
        assert session.scalars(select(StatementRow)).all() == []
        assert [files[n].state for n in NAMES] == ["recorded", "recorded"]
        assert [files[n].format for n in NAMES] == ["pain.001.001.09", "pain.002.001.10"]
        kept = {f.subject_id: f.message for f in found if f.code == "FILE_WITHOUT_STATEMENTS"}
    assert "4 payments, 0 statuses" in kept[files[NAMES[0]].file_id]
    assert "0 payments, 5 statuses" in kept[files[NAMES[1]].file_id]
    assert all("kept in the archive for the payment status work" in m for m in kept.values())
    assert ingest.claim_files(fresh_ledger, drop, tmp_path, settle_seconds=0) == []
    assert ingest.record_files(fresh_ledger, tmp_path, ids) == []
