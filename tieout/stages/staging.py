"""Canonical tables between reading and recording: Parquet beside the archive, by file id.

Tasks hand over ids only; the tables wait here. Everything can be read again from the archive.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tieout.canonical import Tables, concat
from tieout.home import staging_path

__all__ = ["exists", "joined", "path", "read", "read_refused", "write", "write_refused"]

_NAMES = ("statements", "balances", "entries", "details")


def path(home: Path, file_id: str) -> Path:
    """The folder of one file's tables."""
    return staging_path(home, file_id)


def exists(home: Path, file_id: str) -> bool:
    """Whether the file has been read and not yet been recorded."""
    return (path(home, file_id) / "details.parquet").exists()


def write(home: Path, file_id: str, tables: Tables) -> None:
    """Write the four tables; ``details`` comes last and says that all are there."""
    target = path(home, file_id)
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in _NAMES:
        part = target / f"{name}.{uuid.uuid4().hex}.part"  # two runs may write at once
        pq.write_table(getattr(tables, name), part)
        part.replace(target / f"{name}.parquet")


def read(home: Path, file_id: str) -> Tables:
    """The tables as written (findings are in the ledger)."""
    target = path(home, file_id)
    loaded: list[pa.Table] = [pq.read_table(target / f"{name}.parquet") for name in _NAMES]
    return Tables(loaded[0], loaded[1], loaded[2], loaded[3])


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
