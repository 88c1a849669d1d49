"""File level: one row a file, for the suite ``files`` to judge: counts, sizes and days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tieout.canonical import table
from tieout.ledger.models import FileRow
from tieout.quality.facts import StatementFacts
from tieout.quality.levels import FILES

if TYPE_CHECKING:
    import datetime as dt

__all__ = ["ReadFile", "file_rows"]

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that was read: statements and balances in memory, the rest as numbers.

    Attributes:
        row: of the ledger, for as long as its session lasts.
        paths: its tables as Parquet, by name.
        counts: their rows.
        balances: by statement id.
        facts: by statement id.
    """

    file_id: str
    row: FileRow
    paths: Mapping[str, Path]
    counts: Mapping[str, int]
    statements: Sequence[Row]
    balances: Mapping[str, Sequence[Row]]
    facts: Mapping[str, StatementFacts]


def file_rows(files: Sequence[ReadFile], closed_on: Mapping[str, dt.date | None]) -> pa.Table:
    """One row a file.

    Args:
        closed_on: the days of the batch's statements, by their ids.
    """
    return table([_file(file, closed_on) for file in files], FILES)


def _file(file: ReadFile, closed_on: Mapping[str, dt.date | None]) -> dict[str, Any]:
    row, counts = file.row, file.counts
    entries = counts["entries"]
    announced = [s for s in file.statements if s["entry_count"] is not None]
    found = sum(_entries(file, s) for s in announced)
    numbers = Counter(
        (s["account_id"], s["currency"], s["kind"], s["sequence_no"], s["page"])
        for s in file.statements
        if s["sequence_no"] is not None
    )
    days = [day for s in file.statements if (day := closed_on.get(s["statement_id"])) is not None]
    came_on = row.claimed_at.date()
    return {
        "file_id": row.file_id,
        "file_name": row.name,
        "drop": row.drop,
        "format": row.format,
        "size": row.size,
        "records": sum(counts.get(name, 0) for name in ("statements", "payments", "statuses")),
        "statements": counts["statements"],
        "entries": entries,
        "details": counts["details"],
        "entries_announced": sum(s["entry_count"] for s in announced),
        "entries_missing": sum(s["entry_count"] for s in announced) - found,
        "numbers_twice": sum(count - 1 for count in numbers.values()),
        "bytes_per_entry": row.size // entries if entries else None,
        "days_old": (came_on - max(days)).days if days else None,
    }


def _entries(file: ReadFile, statement: Row) -> int:
    return file.facts.get(statement["statement_id"], StatementFacts()).entries
