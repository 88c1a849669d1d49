"""The tables a suite judges as relations of DuckDB: from memory, or from Parquet of any size.

The connection has one thread and a bounded memory, and spills to a folder that goes with it, so
that a batch of any number of rows is judged in the same room. Nothing is fetched or installed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from tieout.canonical import Tables

__all__ = ["Frame", "Frames", "columns_of", "frames_of", "literal", "name_of", "opened"]

#: One table: in memory, or Parquet files of one schema, in the order of their rows.
Frame = pa.Table | Sequence[Path]
Frames = Mapping[str, Frame]

_MEMORY: Final = "96MB"

#: Where a table takes columns from the table above it, so that rules may ask for them:
#: (table, the key they share, the columns taken).
PARENTS: Final[dict[str, tuple[str, str, tuple[str, ...]]]] = {
    "balances": ("statements", "statement_id", ("kind",)),
    "entries": ("statements", "statement_id", ("kind",)),
    "details": ("entries", "entry_id", ("statement_id",)),
}


def frames_of(tables: Tables) -> dict[str, Frame]:
    """The four tables of statements, by name."""
    return {
        "statements": tables.statements,
        "balances": tables.balances,
        "entries": tables.entries,
        "details": tables.details,
    }


@contextmanager
def opened(frames: Frames) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in which every frame is a view of its name."""
    with tempfile.TemporaryDirectory(prefix="tieout-") as spill:
        connection = duckdb.connect(
            config={
                "threads": 1,
                "memory_limit": _MEMORY,
                "temp_directory": spill,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        try:
            for name, frame in frames.items():
                _view(connection, name, frame)
            yield connection
        finally:
            connection.close()


def _view(connection: duckdb.DuckDBPyConnection, name: str, frame: Frame) -> None:
    if isinstance(frame, pa.Table):
        connection.register(name, frame)
        return
    files = ", ".join(literal(str(path)) for path in frame)
    connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet([{files}])")


def columns_of(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """The columns of a view, in order."""
    described = connection.execute(f"DESCRIBE {name}").fetchall()
    return [str(row[0]) for row in described]


def name_of(column: str) -> str:
    """A column's name, quoted."""
    return '"' + column.replace('"', '""') + '"'


def literal(value: object) -> str:
    """A text, number or truth value of a rule as SQL.

    Raises:
        TypeError: it is none of them.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    raise TypeError(f"{value!r} is no text, number or truth value")
