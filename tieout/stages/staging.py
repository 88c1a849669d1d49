"""Canonical tables between reading and recording: Parquet beside the archive, by file id.

Tasks hand over ids only; the tables wait here. Everything can be read again from the archive.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tieout.canonical import Tables, concat
from tieout.errors import Finding
from tieout.home import staging_path

__all__ = ["exists", "joined", "kept", "path", "read", "read_refused", "write", "write_refused"]

_NAMES = ("payments", "statuses", "statements", "balances", "entries", "details")


def path(home: Path, file_id: str) -> Path:
    """The folder of one file's tables."""
    return staging_path(home, file_id)


def exists(home: Path, file_id: str) -> bool:
    """Whether the file has been read and not yet been recorded."""
    return (path(home, file_id) / "details.parquet").exists()


def write(home: Path, file_id: str, tables: Tables) -> None:
    """Write the tables; ``details`` comes last and says that all are there."""
    target = path(home, file_id)
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in _NAMES:
        part = target / f"{name}.{uuid.uuid4().hex}.part"  # two runs may write at once
        pq.write_table(getattr(tables, name), part)
        part.replace(target / f"{name}.parquet")


def read(home: Path, file_id: str) -> Tables:
    """The tables as written (findings are in the ledger)."""
    target = path(home, file_id)
    # An older version wrote no payments and statuses.
    there = [name for name in _NAMES if (target / f"{name}.parquet").exists()]
    loaded: dict[str, Any] = {n: pq.read_table(target / f"{n}.parquet") for n in there}
    return Tables(**loaded)


def write_refused(home: Path, file_id: str, statement_ids: list[str]) -> None:
    """Remember which statements of the file the controls refused."""
    part = path(home, file_id) / f"refused.{uuid.uuid4().hex}.part"
    part.write_text(json.dumps(sorted(statement_ids)))
    part.replace(path(home, file_id) / "refused.json")


def read_refused(home: Path, file_id: str) -> frozenset[str]:
    """Statements of the file that must not be recorded."""
    return frozenset(json.loads((path(home, file_id) / "refused.json").read_text()))


def joined(tables: list[Tables]) -> Tables:
    """The tables of several files as one, for suites that pay their start-up once."""
    return concat(tables)


def kept(exact: str, tables: Tables) -> Finding:
    """Why a file that was read adds nothing to the ledger."""
    payments, statuses = tables.payments.num_rows, tables.statuses.num_rows
    return Finding(
        "FILE_WITHOUT_STATEMENTS",
        "info",
        "file",
        f"{exact} holds {payments} payments, {statuses} statuses and no statement; "
        "it is kept in the archive for the payment status work",
        "nothing: no entry is missing because of it",
    )
