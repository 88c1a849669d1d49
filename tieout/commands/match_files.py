"""The files ``tieout match`` writes, row group by row group while the ladder is climbed."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["Written", "written"]

#: Columns of few values.
_FEW: Final = frozenset(
    {
        *("rung", "cardinality", "account_id", "currency", "residual", "residual_class", "state"),
        *("side", "reason"),
    }
)
#: Columns whose values are hardly ever the same twice.
_DIFFER: Final = frozenset({"group_id", "member_id", "amount"})
_NAMES: Final = ("groups", "members", "refused")
_COUNTED: Final = ("rung", "state", "side", "reason")


class Written:
    """Groups, members and refusals, on their way into files.

    Attributes:
        counted: how often each value stands in the columns that a summary counts.
    """

    def __init__(self, folder: Path) -> None:
        self.counted: dict[str, Counter[str]] = {name: Counter() for name in _COUNTED}
        self._folder = folder
        self._writers: dict[str, pq.ParquetWriter] = {}

    def groups(self, table: pa.Table) -> None:
        """More groups."""
        self._write("groups", table)
        self._count(table, "rung", "state")

    def members(self, table: pa.Table) -> None:
        """More members."""
        self._write("members", table)
        self._count(table, "side")

    def refused(self, table: pa.Table) -> None:
        """All refusals."""
        self._write("refused", table)
        self._count(table, "reason")

    def close(self) -> None:
        """Finish the files, under names of their own still."""
        for writer in self._writers.values():
            writer.close()

    def place(self, name: str, *, done: bool) -> Path:
        """Where a file is while it is written, and when it is done."""
        return self._folder / f"{name}.parquet{'' if done else '.part'}"

    def _write(self, name: str, table: pa.Table) -> None:
        if name not in self._writers:
            self._writers[name] = _writer(self.place(name, done=False), table.schema)
        self._writers[name].write_table(table)

    def _count(self, table: pa.Table, *columns: str) -> None:
        for column in columns:
            for row in pc.value_counts(table[column]).to_pylist():
                self.counted[column][row["values"]] += row["counts"]


@contextlib.contextmanager
def written(folder: Path) -> Iterator[Written]:
    """Files in a folder; they have their names once all are whole, and are none if it fails.

    Raises:
        OSError: a file cannot be written.
    """
    from tieout.matching.groups import GROUPS, MEMBERS

    files = Written(folder)
    try:
        files.groups(GROUPS.empty_table())
        files.members(MEMBERS.empty_table())
        yield files
        files.close()
        for name in _NAMES:
            files.place(name, done=False).replace(files.place(name, done=True))
    finally:
        files.close()
        for name in _NAMES:
            files.place(name, done=False).unlink(missing_ok=True)


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """What is all different (ids, amounts) is neither looked up nor compressed.

    Without statistics: the rows are in no order of any column, so these would leave out nothing.
    """
    options: dict[str, Any] = {
        "use_dictionary": [name for name in schema.names if name in _FEW],
        "compression": {n: "none" if n in _DIFFER else "snappy" for n in schema.names},
        "write_statistics": False,
    }
    return pq.ParquetWriter(path, schema, **options)
