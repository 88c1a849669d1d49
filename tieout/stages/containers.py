"""Containers on a drop: the raw one stays in the archive, each file in it becomes one of its own.

A container is opened whole or quarantined whole. It is recorded once all its members are claimed,
so that a run killed half-way opens it again; members that are known already change nothing.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from sqlalchemy import select

import parsers
from tieout.audit import append
from tieout.drops import Fetched, RemoteFile
from tieout.errors import InputError
from tieout.home import archive_path, folder
from tieout.ledger import Ledger, database_now
from tieout.ledger.models import Delivery, FileRow
from tieout.stages.files import archive_file, finding_of, quarantine
from tieout.states import move

__all__ = ["open_containers"]

_HEAD_BYTES = 512


def open_containers(ledger: Ledger, drop: str, home: Path) -> int:
    """Open every claimed container of a drop; its members are claimed, or it is quarantined.

    Returns:
        How many were opened.
    """
    with ledger.session() as session:
        claimed = select(FileRow.file_id).where(FileRow.drop == drop, FileRow.state == "claimed")
        waiting = list(session.scalars(claimed.order_by(FileRow.name, FileRow.file_id)))
    opened = 0
    for file_id in waiting:
        path = archive_path(home, file_id)
        if not path.exists():
            continue  # reading it will say so
        with path.open("rb") as stream:
            kind = parsers.kind_of(stream.read(_HEAD_BYTES))
        if kind is not None:
            opened += _open(ledger, home, file_id, kind)
    return opened


def _open(ledger: Ledger, home: Path, file_id: str, kind: str) -> bool:
    with ledger.session() as session:
        came = select(Delivery).where(Delivery.file_id == file_id).order_by(Delivery.seen_at)
        delivery = session.scalars(came.limit(1)).one()
        drop, outer, modified_at = delivery.drop, delivery.path, delivery.modified_at
    names = []
    try:
        with parsers.opened(archive_path(home, file_id), folder(home, "spool")) as members:
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
        return False
    with ledger.session() as session:
        file = session.get_one(FileRow, file_id, with_for_update=True)
        if file.state == "claimed":
            file.state = move("file", move("file", file.state, "identified"), "recorded")
            file.format = kind
            file.recorded_at = database_now(session)
            append(session, "tieout", "opened", "file", file_id, {"members": names})
    return True
