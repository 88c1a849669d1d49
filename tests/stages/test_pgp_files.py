"""PGP files on a drop: from the bank's encrypted file to entries in the ledger, and nothing less."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import func, select

from sandbox import world as worlds
from tests.gnupg import Gnupg, needs_gpg
from tests.servers import Server
from tieout.drops import Drop
from tieout.drops.local import LocalDrop
from tieout.drops.sftp import SftpDrop
from tieout.home import archive_path
from tieout.ledger import Ledger
from tieout.ledger.models import AuditRow, Delivery, EntryRow, FileRow, FindingRow
from tieout.profiles import mappings_dir
from tieout.stages import ingest

pytestmark = needs_gpg

_HANSEBANK = """
# Hansebank encrypts for us and signs with its delivery key of 2024.
paths = ["hansebank/*"]
home = "hansebank"
signers = ["{signer}"]
"""


def _statements() -> tuple[bytes, bytes]:
    """Two whole bank files of the demo world: camt.053.001.08 and .02."""
    files = {f.path: f.content for f in worlds.build(7).files}
    name = "banks/{}/out/camt053_20261120_001.xml"
    return files[name.format("hansebank")], files[name.format("alpenbank")]


@pytest.fixture
def mappings(tmp_path: Path, gnupg: Gnupg, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's mappings with a folder ``pgp``; homes are below the data folder's ``pgp``."""
    own = tmp_path / "mappings"
    own.mkdir()
    for folder in mappings_dir().iterdir():
        if folder.name != "pgp":
            (own / folder.name).symlink_to(folder)
    (own / "pgp").mkdir()
    (tmp_path / "homes").mkdir()
    (tmp_path / "homes" / "hansebank").symlink_to(gnupg.company)
    monkeypatch.setenv("TIEOUT_MAPPINGS", str(own))
    monkeypatch.setenv("TIEOUT_PGP", str(tmp_path / "homes"))
    return own


def _configure(mappings: Path, gnupg: Gnupg) -> None:
    text = _HANSEBANK.format(signer=gnupg.prints["good"])
    (mappings / "pgp" / "hansebank.toml").write_text(text)


def _lay(folder: Path, name: str, content: bytes) -> None:
    target = folder / "hansebank" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def _ingest(ledger: Ledger, home: Path, drop: Drop) -> None:
    """The whole stage: claim, read, validate, record."""
    claimed = ingest.claim_files(ledger, drop, home, settle_seconds=0)
    read = [i for i in claimed if ingest.read_file(ledger, home, i) == "identified"]
    good = ingest.validate_files(ledger, home, read)
    ingest.record_files(ledger, home, good)


def _states(ledger: Ledger) -> dict[str, tuple[str, str | None]]:
    with ledger.session() as session:
        return {f.name: (f.state, f.format) for f in session.scalars(select(FileRow))}


def _codes(ledger: Ledger, name: str) -> list[str]:
    with ledger.session() as session:
        file_id = select(FileRow.file_id).where(FileRow.name == name).scalar_subquery()
        found = select(FindingRow).where(FindingRow.subject_id == file_id)
        rows = sorted(session.scalars(found), key=lambda row: row.code)
        assert all(row.remedy for row in rows)
        return [row.code for row in rows]


def _entries(ledger: Ledger) -> int:
    with ledger.session() as session:
        return session.scalars(select(func.count()).select_from(EntryRow)).one()


def test_from_the_banks_sftp_to_the_ledger(
    fresh_ledger: Ledger, tmp_path: Path, mappings: Path, gnupg: Gnupg, sftp_server: Server
) -> None:
    one, two = _statements()
    _configure(mappings, gnupg)
    sent = gnupg.file(one)
    _lay(sftp_server.folder, "good.pgp", sent)
    _lay(sftp_server.folder, "forged.pgp", gnupg.file(two, signer="other"))
    with SftpDrop(**sftp_server.options()) as drop:
        _ingest(fresh_ledger, tmp_path, drop)
    assert _states(fresh_ledger) == {
        "hansebank/forged.pgp": ("quarantined", None),
        "hansebank/good.pgp": ("recorded", "pgp"),
        "hansebank/good.pgp/content": ("recorded", "camt.053.001.08"),
    }
    assert _codes(fresh_ledger, "hansebank/forged.pgp") == ["FILE_SIGNER_WRONG"]
    assert _entries(fresh_ledger) == one.count(b"<Ntry>") > 0
    # The archive holds what the bank sent, and what it said.
    for content in (sent, one):
        key = hashlib.sha256(content).hexdigest()
        assert archive_path(tmp_path, key).read_bytes() == content
    assert list((tmp_path / "spool").iterdir()) == []
    with fresh_ledger.session() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.action == "opened"))
        (said,) = [row.detail for row in rows]
    assert said["signer"] == gnupg.prints["good"]
    assert (said["keys"], said["encrypted"]) == ("hansebank", True)
    assert said["members"] == ["hansebank/good.pgp/content"]


def test_the_same_statement_encrypted_twice_is_taken_once(
    fresh_ledger: Ledger, tmp_path: Path, mappings: Path, gnupg: Gnupg
) -> None:
    one, _ = _statements()
    _configure(mappings, gnupg)
    for name in ("first.pgp", "again.pgp"):
        _lay(tmp_path / "drop", name, gnupg.file(one))
    _ingest(fresh_ledger, tmp_path, LocalDrop(tmp_path / "drop", name="banks"))
    with fresh_ledger.session() as session:
        came = {d.path: d.duplicate for d in session.scalars(select(Delivery))}
    assert came == {
        "hansebank/again.pgp": False,
        "hansebank/again.pgp/content": False,
        "hansebank/first.pgp": False,
        "hansebank/first.pgp/content": True,
    }
    assert _entries(fresh_ledger) == one.count(b"<Ntry>")


def test_without_keys_it_waits_and_opens_once_there_are_some(
    fresh_ledger: Ledger, tmp_path: Path, mappings: Path, gnupg: Gnupg
) -> None:
    one, two = _statements()
    _lay(tmp_path / "drop", "day.pgp", gnupg.file(one))
    _lay(tmp_path / "drop", "forged.pgp", gnupg.file(two, signer="stranger"))
    drop = LocalDrop(tmp_path / "drop", name="banks")
    _ingest(fresh_ledger, tmp_path, drop)
    assert _states(fresh_ledger)["hansebank/day.pgp"] == ("quarantined", None)
    assert _codes(fresh_ledger, "hansebank/day.pgp") == ["FILE_ENCRYPTED"]
    assert _entries(fresh_ledger) == 0
    home = tmp_path / "homes" / "hansebank"
    keys = home.readlink()
    home.unlink()
    _configure(mappings, gnupg)
    _ingest(fresh_ledger, tmp_path, drop)
    assert _codes(fresh_ledger, "hansebank/day.pgp") == ["FILE_ENCRYPTED", "FILE_PGP_HOME"]
    home.symlink_to(keys)
    for _ in range(2):
        _ingest(fresh_ledger, tmp_path, drop)
        assert _states(fresh_ledger) == {
            "hansebank/day.pgp": ("recorded", "pgp"),
            "hansebank/day.pgp/content": ("recorded", "camt.053.001.08"),
            "hansebank/forged.pgp": ("quarantined", None),
        }
    assert _codes(fresh_ledger, "hansebank/forged.pgp")[-1] == "FILE_SIGNER_UNKNOWN"
    assert _entries(fresh_ledger) == one.count(b"<Ntry>")


def test_another_banks_folder_has_other_keys(
    fresh_ledger: Ledger, tmp_path: Path, mappings: Path, gnupg: Gnupg
) -> None:
    one, _ = _statements()
    _configure(mappings, gnupg)
    (tmp_path / "drop" / "alpenbank").mkdir(parents=True)
    (tmp_path / "drop" / "alpenbank" / "day.pgp").write_bytes(gnupg.file(one))
    _ingest(fresh_ledger, tmp_path, LocalDrop(tmp_path / "drop", name="banks"))
    assert _codes(fresh_ledger, "alpenbank/day.pgp") == ["FILE_ENCRYPTED"]
    assert _entries(fresh_ledger) == 0


def test_a_zip_in_pgp_and_pgp_in_a_zip(
    fresh_ledger: Ledger, tmp_path: Path, mappings: Path, gnupg: Gnupg
) -> None:
    one, two = _statements()
    _configure(mappings, gnupg)

    def packed(name: str, content: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(name, content)
        return out.getvalue()

    _lay(tmp_path / "drop", "a.pgp", gnupg.file(packed("one.xml", one)))
    _lay(tmp_path / "drop", "b.zip", packed("two.pgp", gnupg.file(two)))
    _ingest(fresh_ledger, tmp_path, LocalDrop(tmp_path / "drop", name="banks"))
    assert _states(fresh_ledger) == {
        "hansebank/a.pgp": ("recorded", "pgp"),
        "hansebank/a.pgp/content": ("recorded", "zip"),
        "hansebank/a.pgp/content/one.xml": ("recorded", "camt.053.001.08"),
        "hansebank/b.zip": ("recorded", "zip"),
        "hansebank/b.zip/two.pgp": ("recorded", "pgp"),
        "hansebank/b.zip/two.pgp/content": ("recorded", "camt.053.001.02"),
    }
    assert _entries(fresh_ledger) == one.count(b"<Ntry>") + two.count(b"<Ntry>")
