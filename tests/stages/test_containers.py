"""Containers on a drop: opened once, every file in them once, killed half-way or delivered again."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from sandbox import world as worlds
from tieout.drops.local import LocalDrop
from tieout.home import archive_path
from tieout.ledger import Ledger
from tieout.ledger.models import Delivery, FileRow, FindingRow
from tieout.stages import containers, ingest
from tieout.stages.files import archive_file


def _statements() -> tuple[bytes, bytes]:
    """Two whole bank files of the demo world."""
    files = [f.content for f in worlds.build(7).files if f.path.endswith(".xml")]
    return files[0], files[1]


def _zip(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def _lay(home: Path, name: str, content: bytes) -> LocalDrop:
    (home / "drop").mkdir(exist_ok=True)
    (home / "drop" / name).write_bytes(content)
    return LocalDrop(home / "drop", name="banks")


def _claim(ledger: Ledger, home: Path, drop: LocalDrop) -> list[str]:
    return ingest.claim_files(ledger, drop, home, settle_seconds=0)


def _rows(ledger: Ledger) -> dict[str, tuple[str, str | None]]:
    with ledger.session() as session:
        return {f.name: (f.state, f.format) for f in session.scalars(select(FileRow))}


def test_each_file_in_it_is_claimed_and_read(fresh_ledger: Ledger, tmp_path: Path) -> None:
    one, two = _statements()
    archive = _zip(("in/one.xml", one), ("in/two.xml", two))
    claimed = _claim(fresh_ledger, tmp_path, _lay(tmp_path, "day.zip", archive))
    assert len(claimed) == 2
    assert _rows(fresh_ledger) == {
        "day.zip": ("recorded", "zip"),
        "day.zip/in/one.xml": ("claimed", None),
        "day.zip/in/two.xml": ("claimed", None),
    }
    assert {archive_path(tmp_path, i).read_bytes() for i in claimed} == {one, two}
    states = {ingest.read_file(fresh_ledger, tmp_path, file_id) for file_id in claimed}
    assert states <= {"identified", "quarantined"}
    assert list((tmp_path / "spool").iterdir()) == []


def test_the_same_file_bare_and_in_a_container_is_taken_once(
    fresh_ledger: Ledger, tmp_path: Path
) -> None:
    one, two = _statements()
    assert len(_claim(fresh_ledger, tmp_path, _lay(tmp_path, "one.xml", one))) == 1
    _lay(tmp_path, "again.xml.gz", gzip.compress(one))
    drop = _lay(tmp_path, "day.zip", _zip(("one.xml", one), ("two.xml", two)))
    assert len(_claim(fresh_ledger, tmp_path, drop)) == 2
    with fresh_ledger.session() as session:
        found = {d.path: d.duplicate for d in session.scalars(select(Delivery))}
    assert found == {
        "again.xml.gz": False,
        "again.xml.gz/content": True,
        "day.zip": False,
        "day.zip/one.xml": True,
        "day.zip/two.xml": False,
        "one.xml": False,
    }
    assert len(_claim(fresh_ledger, tmp_path, drop)) == 2


def test_killed_half_way_it_is_opened_again(
    fresh_ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = _statements()
    drop = _lay(tmp_path, "day.zip", _zip(("one.xml", one), ("two.xml", two)))
    calls: list[Any] = []

    def killed(*args: Any) -> bool:
        if calls:
            raise KeyboardInterrupt
        calls.append(args)
        return archive_file(*args)

    with monkeypatch.context() as patch:
        patch.setattr(containers, "archive_file", killed)
        with pytest.raises(KeyboardInterrupt):
            _claim(fresh_ledger, tmp_path, drop)
    assert _rows(fresh_ledger)["day.zip"] == ("claimed", None)
    assert len(_claim(fresh_ledger, tmp_path, drop)) == 2
    with fresh_ledger.session() as session:
        found = {d.path: d.duplicate for d in session.scalars(select(Delivery))}
    assert found == {"day.zip": False, "day.zip/one.xml": False, "day.zip/two.xml": False}


def test_a_bad_container_is_put_aside_and_the_others_go_on(
    fresh_ledger: Ledger, tmp_path: Path
) -> None:
    one, _ = _statements()
    _lay(tmp_path, "bad.zip", _zip(("../one.xml", one)))
    drop = _lay(tmp_path, "one.xml", one)
    assert len(_claim(fresh_ledger, tmp_path, drop)) == 1
    assert _rows(fresh_ledger) == {
        "bad.zip": ("quarantined", None),
        "one.xml": ("claimed", None),
    }
    with fresh_ledger.session() as session:
        finding = session.scalars(select(FindingRow)).one()
    assert (finding.code, finding.where) == ("CONTAINER_NAME", "../one.xml")
