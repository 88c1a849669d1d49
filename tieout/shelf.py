"""Batches of tables that wait: in memory while they are few, else in a temporary file.

What is put there is given back in its order, as often as asked, also several times beside each
other; the tables of one name can be asked for alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.ipc

from tieout.arrays import blank, table
from tieout.canonical import SCHEMAS, Tables
from tieout.errors import Finding

__all__ = ["Shelf"]

#: Bytes of tables kept in memory.
_ROOM: Final = 16 << 20
_FINDINGS: Final = pa.schema([(n, pa.string()) for n in Finding.__dataclass_fields__])
#: A finding in memory, about; each of its fields is an object.
_FINDING_BYTES: Final = 500


class Shelf:
    """Tables in the order they were put there; to be closed."""

    def __init__(self) -> None:
        self._held: list[Tables] = []
        self._bytes = 0
        self._file: Any = None  # the stubs know no temporary file
        self._end = 0
        #: Of each batch in the file, where its tables begin; one without rows is left out.
        self._places: list[dict[str, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget everything."""
        if self._file is not None:
            self._file.close()
        self._held, self._places = [], []

    def put(self, batch: Tables) -> None:
        """Put a batch behind the others."""
        if self._file is None:
            self._bytes += sum(getattr(batch, name).nbytes for name in SCHEMAS)
            self._bytes += _FINDING_BYTES * len(batch.findings)
            self._held.append(batch)
            if self._bytes <= _ROOM:
                return
            self._file = tempfile.TemporaryFile(prefix="tieout-")  # noqa: SIM115 - see close
            waiting, self._held = self._held, []
        else:
            waiting = [batch]
        for each in waiting:
            self._write(each)

    def __iter__(self) -> Iterator[Tables]:
        yield from self._held
        for places in self._places:
            tables = {name: self._read(places, name, schema) for name, schema in SCHEMAS.items()}
            yield Tables(**tables, findings=tuple(self._findings(places)))

    def each(self, name: str) -> Iterator[pa.Table]:
        """The tables of one name that have rows."""
        yield from (t for batch in self._held if (t := getattr(batch, name)).num_rows)
        for places in self._places:
            if name in places:
                yield self._read(places, name, SCHEMAS[name])

    def findings(self) -> Iterator[Finding]:
        """All findings."""
        for batch in self._held:
            yield from batch.findings
        for places in self._places:
            yield from self._findings(places)

    def _findings(self, places: dict[str, int]) -> Iterator[Finding]:
        for row in self._read(places, "findings", _FINDINGS).to_pylist():
            yield Finding(**row)

    def _write(self, batch: Tables) -> None:
        places: dict[str, int] = {}
        found = table([finding.as_dict() for finding in batch.findings], _FINDINGS)
        self._file.seek(self._end)
        for name, rows in (*((n, getattr(batch, n)) for n in SCHEMAS), ("findings", found)):
            if rows.num_rows:
                places[name] = self._file.tell()
                with pa.ipc.new_stream(self._file, rows.schema) as writer:
                    writer.write_table(rows.combine_chunks())
        self._end = self._file.tell()
        self._places.append(places)

    def _read(self, places: dict[str, int], name: str, schema: pa.Schema) -> pa.Table:
        if name not in places:
            return blank(schema)
        self._file.seek(places[name])
        with pa.ipc.open_stream(self._file) as reader:
            return reader.read_all()
