"""Canonical tables between reading and recording: Parquet beside the archive, by file id.

Tasks hand over ids only; the tables wait here. Everything can be read again from the archive.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tieout.canonical import SCHEMAS, Tables
from tieout.errors import Finding
from tieout.home import staging_path
from tieout.identity import once

__all__ = [
    "exists",
    "kept",
    "path",
    "read",
    "read_refused",
    "write",
    "write_batches",
    "write_refused",
]

_NAMES = ("payments", "statuses", "statements", "balances", "entries", "details")


def path(home: Path, file_id: str) -> Path:
    """The folder of one file's tables."""
    return staging_path(home, file_id)


def exists(home: Path, file_id: str) -> bool:
    """Whether the file has been read and not yet been recorded."""
    return (path(home, file_id) / "details.parquet").exists()


def write(home: Path, file_id: str, tables: Tables) -> None:
    """Write the tables; ``details`` comes last and says that all are there."""
    write_batches(home, file_id, [tables])


def write_batches(home: Path, file_id: str, batches: Iterable[Tables]) -> list[Finding]:
    """Write a file's tables batch by batch, and give back its findings.

    A statement that the file repeats is written once.
    """
    target = path(home, file_id)
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    own = uuid.uuid4().hex  # two runs may write at once
    parts = {name: target / f"{name}.{own}.part" for name in _NAMES}
    findings: list[Finding] = []
    ids: list[Any] = []
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(pq.ParquetWriter(part, SCHEMAS[name]))
            for name, part in parts.items()
        }
        for batch in batches:
            findings += batch.findings
            ids += batch.statements["statement_id"].to_pylist()
            for name, writer in writers.items():
                rows = getattr(batch, name)
                if rows.num_rows:
                    writer.write_table(rows)
    if len(set(ids)) < len(ids):
        loaded: dict[str, Any] = {name: pq.read_table(part) for name, part in parts.items()}
        single = once(Tables(**loaded))
        for name, part in parts.items():
            pq.write_table(getattr(single, name), part)
    for name, part in parts.items():
        part.replace(target / f"{name}.parquet")
    return findings


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
