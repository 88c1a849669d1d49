"""Files in the ledger: archived once, delivered as often as they come, put aside with findings."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.dialects.postgresql import insert

from tieout.audit import append
from tieout.drops import Fetched, RemoteFile
from tieout.errors import DropError, Finding, InputError
from tieout.home import archive_path
from tieout.identity import content_id
from tieout.ledger import Ledger
from tieout.ledger.models import Delivery, FileRow
from tieout.stages.runs import record_findings
from tieout.states import move

__all__ = ["archive_file", "finding_of", "quarantine"]


def archive_file(
    ledger: Ledger, drop: str, remote: RemoteFile, fetched: Fetched, home: Path
) -> bool:
    """Move a spooled file into the archive and record its delivery; whether its bytes are new."""
    target = archive_path(home, fetched.sha256)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if target.exists():
        fetched.spool_path.unlink()
    else:
        fetched.spool_path.replace(target)
        target.chmod(0o400)
    with ledger.session() as session:
        new = session.execute(
            insert(FileRow)
            .values(
                file_id=fetched.sha256,
                size=fetched.size,
                name=remote.path,
                drop=drop,
                state="claimed",
            )
            .on_conflict_do_nothing()
            .returning(FileRow.file_id)
        ).first()
        session.execute(
            insert(Delivery)
            .values(
                delivery_id=content_id(
                    "delivery", drop, remote.path, remote.size, remote.modified_at
                ),
                file_id=fetched.sha256,
                drop=drop,
                path=remote.path,
                size=remote.size,
                modified_at=remote.modified_at,
                duplicate=new is None,
            )
            .on_conflict_do_nothing()
        )
        action = "claimed" if new else "delivered again"
        append(session, "tieout", action, "file", fetched.sha256, {"path": remote.path})
    return new is not None


def quarantine(ledger: Ledger, file_id: str, findings: list[Finding]) -> str:
    """Put a file aside with its findings; the raw bytes stay in the archive."""
    with ledger.session() as session:
        file = session.get_one(FileRow, file_id, with_for_update=True)
        if file.state == "quarantined":
            return file.state  # by this task before it was killed, or by another
        file.state = move("file", file.state, "refused")
        record_findings(session, None, "file", file_id, findings)
        codes = [f.code for f in findings]
        append(session, "tieout", "quarantined", "file", file_id, {"codes": codes})
    return "quarantined"


def finding_of(error: InputError | DropError) -> Finding:
    """An error as a finding."""
    return Finding(error.code, "error", error.where, error.message, error.remedy)
