"""Batches that wait: in memory while they are few, else in a temporary file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.compute
import pyarrow.ipc

from tieout.arrays import blank, whole
from tieout.canonical import BALANCES, STATEMENTS, Tables, concat
from tieout.errors import Finding

__all__ = ["Spool"]

#: The stubs know too few of its signatures.
pc: Any = pyarrow.compute

#: Bytes of tables kept in memory.
_ROOM: Final = 32 << 20
_NAMES: Final = ("statements", "balances", "entries", "details", "payments", "statuses")


class Spool:
    """A file's batches, taken once and given back once, in order.

    Statements and balances are also given together: they are few, or small.
    """

    def __init__(self) -> None:
        self._held: list[Tables] = []
        self._bytes = 0
        self._file: Any = None  # the stubs know no temporary file
        self._findings: list[tuple[Finding, ...]] = []
        self._statements: list[pa.Table] = []
        self._balances: list[pa.Table] = []
        self._begun: set[str] = set()
        self._current: str | None = None
        self.mixed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def statements(self) -> pa.Table:
        """All statements of the file."""
        return _joined(self._statements, STATEMENTS)

    @property
    def balances(self) -> pa.Table:
        """All balances of the file."""
        return _joined(self._balances, BALANCES)

    def forget(self) -> None:
        """Statements and balances were given together, and are no longer asked for."""
        if not self.mixed:
            self._statements, self._balances = [], []

    def add(self, batch: Tables) -> None:
        """Take one batch."""
        if batch.statements.num_rows:
            self._statements.append(batch.statements)
        if batch.balances.num_rows:
            self._balances.append(batch.balances)
        self._follow(batch.entries)
        self._bytes += sum(getattr(batch, name).nbytes for name in _NAMES)
        if self._file is None and self._bytes > _ROOM:
            self._file = tempfile.TemporaryFile(prefix="tieout-")  # noqa: SIM115 - closed on exit
            for held in self._held:
                self._write(self._file, held)
            self._held = []
        if self._file is None:
            self._held.append(batch)
        else:
            self._write(self._file, batch)

    def _follow(self, entries: pa.Table) -> None:
        """Note whether a statement's entries go on behind another's."""
        runs = pc.run_end_encode(whole(entries["statement_id"])).values.to_pylist()
        for statement in runs:
            if statement != self._current:
                self.mixed = self.mixed or statement in self._begun
                self._begun.add(statement)
                self._current = statement

    def batches(self) -> Iterator[Tables]:
        """All batches, in order; of a file that mixes its statements one, ordered by statement."""
        if self.mixed:
            yield _by_statement(concat(self._all()), self.statements)
        else:
            yield from self._all()

    def _all(self) -> Iterator[Tables]:
        yield from self._held
        if self._file is None:
            return
        self._file.seek(0)
        for findings in self._findings:
            tables = {name: _read(self._file) for name in _NAMES}
            yield Tables(**tables, findings=findings)

    def _write(self, file: Any, batch: Tables) -> None:
        self._findings.append(batch.findings)
        for name in _NAMES:
            table = getattr(batch, name).combine_chunks()
            with pa.ipc.new_stream(file, table.schema) as writer:
                writer.write_table(table)


def _read(file: Any) -> pa.Table:
    with pa.ipc.open_stream(file) as reader:
        return reader.read_all()


def _by_statement(tables: Tables, statements: pa.Table) -> Tables:
    """The rows in the order of the statements, each with its own in the order of the file."""
    order = whole(statements["statement_id"])
    place = pc.index_in(tables.entries["statement_id"], value_set=order)
    entries = tables.entries.take(pc.sort_indices(pa.table({"at": place}), [("at", "ascending")]))
    owner = pc.index_in(tables.details["entry_id"], value_set=whole(entries["entry_id"]))
    details = tables.details.take(pc.sort_indices(pa.table({"at": owner}), [("at", "ascending")]))
    return replace(tables, entries=entries, details=details)


def _joined(tables: list[pa.Table], schema: pa.Schema) -> pa.Table:
    return pa.concat_tables(tables) if tables else blank(schema)
