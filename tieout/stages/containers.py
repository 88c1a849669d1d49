"""Containers on a drop: the raw one stays in the archive, each file in it becomes one of its own.

A container is a zip, tar or gzip, or a PGP file whose bank's keys are configured. It is opened
whole or quarantined whole. It is recorded once all its members are claimed, so that a run killed
half-way opens it again; members that are known already change nothing. What comes out of a PGP
file may be a zip, and the other way round.

A PGP file that waits in quarantine for keys, or for a home that can be used, is opened as soon as
there is one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import exists, select

import parsers
from tieout.audit import append
from tieout.drops import Fetched, RemoteFile, pgp
from tieout.drops.pgp_verdict import SETUP_CODES
from tieout.errors import InputError
from tieout.home import archive_path, folder
from tieout.ledger import Ledger, database_now
from tieout.ledger.models import Delivery, FileRow, FindingRow
from tieout.stages.files import archive_file, finding_of, quarantine
from tieout.stages.runs import record_findings
from tieout.states import move

__all__ = ["open_containers"]

_HEAD_BYTES = 4_096
#: PGP in a zip in PGP; a hostile file comes no further, since only a bank's own key opens it.
_DEPTH_MAX = 4


def open_containers(
    ledger: Ledger, drop: str, home: Path, keys: Sequence[pgp.Keys] | None = None
) -> int:
    """Open every claimed container of a drop; its members are claimed, or it is quarantined.

    Args:
        ledger: where the files are.
        drop: its name.
        home: the data folder.
        keys: of PGP files; default those of ``mappings/pgp``.

    Returns:
        How many were opened.
    """
    known = pgp.load_keys() if keys is None else keys
    opened, done = 0, set[str]()
    for _ in range(_DEPTH_MAX):
        waiting = [i for i in _waiting(ledger, drop) if i not in done]
        for file_id in waiting:
            opened += _open(ledger, home, file_id, known)
        done.update(waiting)
        if not waiting:
            break
    return opened


def _waiting(ledger: Ledger, drop: str) -> list[str]:
    """Claimed files, and those put aside for want of keys only, ordered by name."""
    with ledger.session() as session:
        mine = select(FileRow.file_id).where(FileRow.drop == drop)
        order = (FileRow.name, FileRow.file_id)
        claimed = list(session.scalars(mine.where(FileRow.state == "claimed").order_by(*order)))
        of_file = (FindingRow.subject_kind == "file", FindingRow.subject_id == FileRow.file_id)
        aside = mine.where(
            FileRow.state == "quarantined",
            exists().where(*of_file, FindingRow.code.in_(SETUP_CODES)),
            ~exists().where(*of_file, FindingRow.code.not_in(SETUP_CODES)),
        )
        return claimed + list(session.scalars(aside.order_by(*order)))


def _open(ledger: Ledger, home: Path, file_id: str, keys: Sequence[pgp.Keys]) -> bool:
    path = archive_path(home, file_id)
    if not path.exists():
        return False  # reading it will say so
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    with ledger.session() as session:
        came = select(Delivery).where(Delivery.file_id == file_id).order_by(Delivery.seen_at)
        delivery = session.scalars(came.limit(1)).one()
        drop, outer, modified_at = delivery.drop, delivery.path, delivery.modified_at
    kind = parsers.kind_of(head) or ("pgp" if parsers.pgp_kind(head) else None)
    own = pgp.keys_for(keys, drop, outer) if kind == "pgp" else None
    if kind is None or (kind == "pgp" and own is None):
        return False  # a file by itself; one of PGP without keys is refused by its reader
    names = []
    try:
        with _members(path, own, folder(home, "spool")) as (members, said):
            for member in members:
                with member.path.open("rb") as stream:
                    sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
                size = member.path.stat().st_size
                inner = f"{outer}/{member.name or 'content'}"
                remote = RemoteFile(inner, size, modified_at)
                archive_file(ledger, drop, remote, Fetched(member.path, sha256, size), home)
                names.append(inner)
    except InputError as error:
        quarantine(ledger, file_id, [finding_of(error)])
        with ledger.session() as session:  # it may have been there before, for another reason
            record_findings(session, None, "file", file_id, [finding_of(error)])
        return False
    _recorded(ledger, file_id, kind, {"members": names, **said})
    return True


@contextmanager
def _members(
    path: Path, keys: pgp.Keys | None, spool: Path
) -> Iterator[tuple[list[parsers.Member], dict[str, Any]]]:
    """The files of a container, and what its opening has to say for the audit."""
    if keys is None:
        with parsers.opened(path, spool) as members:
            yield members, {}
        return
    with pgp.opened(path, keys, spool) as content:
        by = content.signature
        said: dict[str, Any] = {"encrypted": content.encrypted, "keys": keys.name}
        if by is not None:
            said |= {"signer": by.signer}
            said |= {"signed_at": by.signed_at.isoformat()} if by.signed_at else {}
        yield [parsers.Member("", content.path)], said


def _recorded(ledger: Ledger, file_id: str, kind: str, said: dict[str, Any]) -> None:
    with ledger.session() as session:
        file = session.get_one(FileRow, file_id, with_for_update=True)
        if file.state == "quarantined":
            file.state = move("file", file.state, "released")
            append(session, "tieout", "released", "file", file_id, {"why": "it can be opened now"})
        if file.state == "claimed":
            file.state = move("file", move("file", file.state, "identified"), "recorded")
            file.format = kind
            file.recorded_at = database_now(session)
            append(session, "tieout", "opened", "file", file_id, said)
