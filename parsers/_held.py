"""Rows that wait for what stands behind them: a batch of them is kept on disk, not in memory.

A camt statement may name its account behind its entries, and its closing balance settles the sign
of its reversals; a statement of a million entries must not be in memory until then.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute
import pyarrow.ipc

from tieout.arrays import listed, table
from tieout.canonical import Tables
from tieout.errors import Finding

__all__ = ["Held", "filled", "mended", "negated"]

#: The stubs know too few of its signatures.
pc: Any = pyarrow.compute

_TABLES: Final = ("statements", "balances", "entries", "details", "payments", "statuses")
_FINDINGS: Final = pa.schema([(n, pa.string()) for n in Finding.__dataclass_fields__])


class Held:
    """Batches put away in order, and taken out again in that order, mended."""

    def __init__(self) -> None:
        self._file: Any = None
        self._count = 0

    def put(self, tables: Tables) -> None:
        """Put a batch away."""
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it is taken out
        findings = table([finding.as_dict() for finding in tables.findings], _FINDINGS)
        for part in (*(getattr(tables, name) for name in _TABLES), findings):
            with pa.ipc.new_stream(self._file, part.schema) as out:
                out.write_table(part)
        self._count += 1

    def take(self, mend: Callable[[Tables], Tables]) -> Iterator[Tables]:
        """Every batch, mended; nothing is held afterwards."""
        file, count = self._file, self._count
        self._file, self._count = None, 0
        if file is None:
            return
        with file:
            file.seek(0)
            for _ in range(count):
                parts = [pa.ipc.open_stream(file).read_all() for _ in range(len(_TABLES) + 1)]
                findings = tuple(Finding(**row) for row in parts[-1].to_pylist())
                made = dict(zip(_TABLES, parts, strict=False))
                yield mend(Tables(**made, findings=findings))


def mended(rows: pa.Table, name: str, values: Any) -> pa.Table:
    """The table with other values in one column."""
    at = rows.schema.get_field_index(name)
    return rows.set_column(at, rows.schema.field(at), values)


def filled(rows: pa.Table, which: Any, name: str, value: object) -> pa.Table:
    """The table with a value in one column of these rows, where they have none."""
    column = rows[name]
    empty = pc.and_(which, pc.is_null(column))
    return mended(rows, name, pc.if_else(empty, listed([value], column.type)[0], column))


def negated(rows: pa.Table, which: Any, name: str) -> pa.Table:
    """The table with the other sign in one column of these rows."""
    return mended(rows, name, pc.if_else(which, pc.negate(rows[name]), rows[name]))
