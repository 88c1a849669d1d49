"""Columns of large tables: read when first asked for, and of files only what is still open.

The engine asks for rows by handle. Of a table in memory every column stands there already; of a
file a column is read when it is first asked for, without the rows that are settled by then, and
what a run settles later is let go of. So a run holds the texts of what is open, not all of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from tieout.arrays import flags, handles, whole
from tieout.errors import InputError
from tieout.matching.conform import FEW_VALUES, conformed, nothing

__all__ = ["Columns", "FileSource", "Source", "TableSource"]

Ints = npt.NDArray[Any]
Flags = npt.NDArray[np.bool_]

#: Rows of a file that are decoded at once.
_BATCH: Final = 1 << 17
#: Settled rows are let go of once so many quarters of those held are open.
_QUARTERS: Final = 3


class Source(Protocol):
    """Where columns come from."""

    #: Whether reading costs memory, so that only what is needed should be held.
    late: bool
    names: frozenset[str]

    def __len__(self) -> int: ...

    def read(self, name: str, wanted: Flags | None) -> Any:
        """A column as it came, of the wanted rows (None: of all)."""

    def empty(self, name: str) -> bool:
        """Whether the column is known to be without any value."""


class TableSource:
    """Columns of a table in memory."""

    late = False

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self.names = frozenset(table.column_names)

    def __len__(self) -> int:
        return len(self._table)

    def read(self, name: str, wanted: Flags | None) -> Any:
        """See `Source`."""
        column = self._table[name]
        return whole(column if wanted is None else column.filter(flags(wanted)))

    def empty(self, name: str) -> bool:
        """See `Source`."""
        return self._table[name].null_count == len(self._table)


class FileSource:
    """Columns of a Parquet file.

    Raises:
        InputError: ``FILE_MISSING``, ``FILE_FORMAT``.
    """

    late = True

    def __init__(self, path: Path) -> None:
        self.path = path
        file = self._open([])
        self._schema = file.schema_arrow
        self._metadata = file.metadata
        self.names = frozenset(self._schema.names)
        self._few = [name for name in self._schema.names if name in FEW_VALUES]

    def __len__(self) -> int:
        return int(self._metadata.num_rows)

    def read(self, name: str, wanted: Flags | None) -> Any:
        """See `Source`."""
        few = [name] if name in self._few else []
        try:
            with self._open(few) as file:
                if wanted is None:
                    return whole(file.read(columns=[name], use_threads=False)[name])
                return self._some(file, name, wanted)
        except pa.ArrowInvalid as error:
            raise self._refused(error) from None

    def _some(self, file: pq.ParquetFile, name: str, wanted: Flags) -> Any:
        parts: list[Any] = []
        at = 0
        for batch in file.iter_batches(_BATCH, columns=[name], use_threads=False):
            some = wanted[at : at + len(batch)]
            at += len(batch)
            if some.all():
                parts.append(batch.column(0))
            elif some.any():
                parts.append(batch.column(0).filter(flags(some)))
        return _joined(parts, self._schema.field(name).type)

    def empty(self, name: str) -> bool:
        """See `Source`; without statistics a file says nothing."""
        place = [n for n in range(self._metadata.num_columns) if self._at(0, n) == name]
        if len(place) != 1:
            return not len(self)
        for group in range(self._metadata.num_row_groups):
            column = self._metadata.row_group(group).column(place[0])
            said: Any = column.statistics
            if said is None or not said.has_null_count or said.null_count != column.num_values:
                return False
        return True

    def _at(self, group: int, column: int) -> str:
        if not self._metadata.num_row_groups:
            return ""
        path: str = self._metadata.row_group(group).column(column).path_in_schema
        return path.partition(".")[0]

    def _open(self, few: list[str]) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self.path, read_dictionary=few)
        except FileNotFoundError:
            raise InputError(
                "FILE_MISSING",
                "there is no such file",
                where=str(self.path),
                remedy="check the path",
            ) from None
        except pa.ArrowInvalid as error:
            raise self._refused(error) from None

    def _refused(self, error: Exception) -> InputError:
        return InputError(
            "FILE_FORMAT",
            str(error).splitlines()[0],
            where=str(self.path),
            remedy="give Parquet",
        )


class Columns:
    """A table's columns by handle: the canonical ones, and numbers made of them.

    Attributes:
        numbers: arrays by name, one value a row.
    """

    def __init__(
        self, source: Source, schema: pa.Schema, name: str, without: frozenset[str] = frozenset()
    ) -> None:
        """The schema's columns of a source; those of ``without`` count as absent."""
        self.numbers: dict[str, npt.NDArray[Any]] = {}
        self._source = source
        self._schema = schema
        self._name = name
        self._names = source.names - without
        self._fit: Flags | None = None
        self._count = len(source)
        self._held: dict[str, Any] = {}
        self._lasting: dict[str, Any] = {}
        self._rows: Ints | None = None
        self._place: Ints | None = None

    def __len__(self) -> int:
        return self._count

    @property
    def late(self) -> bool:
        """Whether columns are read when asked for, and let go of."""
        return self._source.late

    def keep(self, fit: Flags) -> None:
        """Leave out the other rows: handles then count those that stay."""
        if fit.all():
            return
        self._lasting = {n: column.filter(flags(fit)) for n, column in self._lasting.items()}
        self._held = {n: column.filter(flags(fit)) for n, column in self._held.items()}
        rows = np.arange(len(self._source)) if self._fit is None else np.flatnonzero(self._fit)
        self._fit = np.zeros(len(self._source), dtype=bool)
        self._fit[rows[fit]] = True
        self._count = int(fit.sum())

    def absent(self) -> frozenset[str]:
        """Columns known to be without any value."""
        return frozenset(
            name
            for name in self._schema.names
            if name not in self._names or self._source.empty(name)
        )

    def all(self, name: str, *, lasting: bool = False) -> Any:
        """A whole column; of a file it is read anew unless it is kept for good."""
        if name not in self._lasting:
            made = self._read(name, self._fit)
            if not lasting:
                return made
            self._lasting[name] = made
        return self._lasting[name]

    def take(self, name: str, rows: Ints) -> Any:
        """Values of rows that are open, null where the handle is negative."""
        if name in self._lasting:
            return self._lasting[name].take(handles(rows))
        column = self._column(name)
        if self._place is not None:
            rows = np.where(rows < 0, -1, self._place[rows])
        return column.take(handles(rows))

    def known(self, name: str, open_rows: Flags) -> tuple[Ints, Any]:
        """The open rows that have a value, and these values."""
        column = self._column(name)
        held = self._rows
        wanted = open_rows if held is None else open_rows[held]
        if column.null_count:
            wanted = wanted & np.asarray(column.is_valid().to_numpy(zero_copy_only=False))
        at = np.flatnonzero(wanted)
        if len(at) < len(column):
            column = column.take(handles(at))
        return (at if held is None else held[at].astype("int64")), column

    def let_go(self, open_rows: Flags) -> None:
        """Hold no longer what is not open; nobody asks for it again."""
        if not self._source.late:
            return
        held = self._rows
        count = self._count if held is None else len(held)
        if 4 * int(np.count_nonzero(open_rows)) > _QUARTERS * count:
            return
        at = np.flatnonzero(open_rows if held is None else open_rows[held])
        index = handles(at)
        for name in tuple(self._held):
            self._held[name] = self._held[name].take(index)
        rows = at.astype("int32") if held is None else held[at]
        self._rows = rows
        if self._place is None:
            self._place = np.empty(self._count, dtype="int32")
        self._place.fill(-1)
        self._place[rows] = np.arange(len(rows), dtype="int32")

    def forget(self) -> None:
        """Let go of everything that can be read again."""
        self._held.clear()

    def table(self) -> pa.Table:
        """All canonical columns in one table."""
        return pa.table({name: self.all(name) for name in self._schema.names})

    def _column(self, name: str) -> Any:
        """A column of the rows that are held."""
        if name not in self._held:
            wanted = self._fit
            if self._rows is not None:
                wanted = np.zeros(len(self._source), dtype=bool)
                rows = self._rows
                wanted[rows if self._fit is None else np.flatnonzero(self._fit)[rows]] = True
            self._held[name] = self._read(name, wanted)
        return self._held[name]

    def _read(self, name: str, wanted: Flags | None) -> Any:
        field = self._schema.field(name)
        if name not in self._names:
            count = len(self._source) if wanted is None else int(wanted.sum())
            return nothing(field.type, count)
        return conformed(self._source.read(name, wanted), field, self._name)


def _joined(parts: list[Any], kind: Any) -> Any:
    if not parts:
        return pa.nulls(0, kind)
    return parts[0] if len(parts) == 1 else pa.concat_arrays(parts)
