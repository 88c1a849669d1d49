"""A file that ends the process that reads it, each time: put aside, and the others go on."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

import parsers
from sandbox import world as worlds
from tieout.drops.local import LocalDrop
from tieout.home import archive_path
from tieout.ledger import Ledger
from tieout.ledger.models import FileRow, FindingRow
from tieout.stages import ingest


class _Died(BaseException):
    """What a killed process leaves: nothing is caught, nothing is concluded."""


def test_a_file_that_kills_its_reader_is_put_aside_and_the_others_go_on(
    fresh_ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = next(f.content for f in worlds.build(7).files if f.path.endswith(".xml"))
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "good.xml").write_bytes(good)
    (drop / "poison.xml").write_bytes(good.replace(b"</Document>", b"<!-- x --></Document>"))
    claimed = ingest.claim_files(
        fresh_ledger, LocalDrop(drop, name="banks"), tmp_path, settle_seconds=0
    )
    with fresh_ledger.session() as session:
        ids = {f.name: f.file_id for f in session.scalars(select(FileRow))}
    assert sorted(claimed) == sorted(ids.values())
    read = parsers.stream_file
    deadly = archive_path(tmp_path, ids["poison.xml"])

    def dies(path: Path, encoding: str | None = None) -> parsers.Stream:
        if path == deadly:
            raise _Died
        return read(path, encoding)

    monkeypatch.setattr(parsers, "stream_file", dies)
    for _ in range(ingest.ATTEMPTS_MAX):
        with pytest.raises(_Died):
            ingest.read_file(fresh_ledger, tmp_path, ids["poison.xml"])
    assert ingest.read_file(fresh_ledger, tmp_path, ids["poison.xml"]) == "quarantined"
    assert ingest.read_file(fresh_ledger, tmp_path, ids["good.xml"]) == "identified"
    with fresh_ledger.session() as session:
        said = [f.code for f in session.scalars(select(FindingRow)) if f.severity == "error"]
    assert said == ["FILE_POISON"]
