"""Load Interface File for Import: a zip with positional CSV files, read as SQL*Loader does.

A file without a header; every column has its place. One bad record fails the whole load, and no
row of any file arrives: a column too many or too few, an empty mandatory column, a date not of the
form ``yyyy/mm/dd``, an amount that is no number, a text too long, a value where no column is.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sandbox.simulators.oracle_books import InterfaceRow

__all__ = ["LAYOUTS", "Layout", "LoadError", "load"]


class LoadError(Exception):
    """The file is refused whole."""


@dataclass(frozen=True)
class Layout:
    """What a file must look like; positions are 1-based."""

    table: str
    columns: int
    known: frozenset[int]
    mandatory: frozenset[int]
    dates: frozenset[int]
    numbers: frozenset[int]
    lengths: Mapping[int, int]


_GL = Layout(
    "GL_INTERFACE",
    149,
    frozenset({*range(1, 45), 46, 47, 48, 49, 50, 52, 53, *range(63, 89), 92, 95}),
    frozenset({1, 3, 4, 5, 6, 7, 8}),
    frozenset({3, 7, 65}),
    frozenset({39, 40, 41, 42, 63, 66, 67}),
    {4: 25, 5: 25, 6: 15, 43: 100, 44: 240, 46: 100, 47: 240, 48: 100, 52: 240},
)
_AP_HEADERS = Layout(
    "AP_INVOICES_INTERFACE",
    135,
    frozenset(range(1, 136)),
    frozenset({1, 2, 3, 4, 5}),
    frozenset({6, 21, 24, 35}),
    frozenset({5, 36}),
    {3: 80, 4: 50, 7: 240, 8: 30, 9: 15, 12: 240, 13: 80},
)
_AP_LINES = Layout(
    "AP_INVOICE_LINES_INTERFACE",
    164,
    frozenset(range(1, 165)),
    frozenset({1, 2, 3, 4}),
    frozenset({24}),
    frozenset({2, 4}),
    {8: 240, 22: 250},
)
#: By interface option id: the files a zip must hold, and how each is laid out.
LAYOUTS: Final[Mapping[str, Mapping[str, Layout]]] = {
    "15": {"GlInterface.csv": _GL},
    "1": {"ApInvoicesInterface.csv": _AP_HEADERS, "ApInvoiceLinesInterface.csv": _AP_LINES},
}
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


def load(content: bytes, interface: str, request: int) -> list[InterfaceRow]:
    """The rows of a zip.

    Raises:
        LoadError: with SQL*Loader's manner of complaint.
    """
    layouts = LAYOUTS.get(interface)
    if layouts is None:
        raise LoadError(f"InterfaceDetails={interface} is not an import")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = sorted(archive.namelist())
            if names != sorted(layouts):
                raise LoadError(f"the zip holds {names}, not {sorted(layouts)}")
            texts = {name: archive.read(name).decode("utf-8") for name in names}
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise LoadError(f"the document is not a zip of UTF-8 files: {error}") from error
    return [row for name in layouts for row in _rows(texts[name], layouts[name], request)]


def _rows(text: str, layout: Layout, request: int) -> list[InterfaceRow]:
    rows = []
    for number, fields in enumerate(csv.reader(io.StringIO(text), strict=True), 1):
        where = f"Record {number}: Rejected - Error on table {layout.table}"
        if len(fields) != layout.columns:
            raise LoadError(f"{where}: {len(fields)} columns, {layout.columns} expected")
        columns = {place: value for place, value in enumerate(fields, 1) if value != ""}
        problem = _problem(columns, layout)
        if problem:
            raise LoadError(f"{where}, {problem}")
        rows.append(InterfaceRow(layout.table, request, columns))
    if not rows:
        raise LoadError(f"no record for table {layout.table}")
    return rows


def _problem(columns: Mapping[int, str], layout: Layout) -> str:
    for place in sorted(layout.mandatory - columns.keys()):
        return f"column {place}: ORA-01400: cannot insert NULL"
    for place, value in sorted(columns.items()):
        if place not in layout.known:
            return f"column {place}: no such column, it holds {value!r}"
        if place in layout.numbers and not _NUMBER.fullmatch(value):
            return f"column {place}: ORA-01722: invalid number {value!r}"
        if len(value) > layout.lengths.get(place, 4000):
            return f"column {place}: Field in data file exceeds maximum length"
        if place in layout.dates and not _is_date(value):
            return f"column {place}: ORA-01861: literal does not match format string: {value!r}"
    return ""


def _is_date(text: str) -> bool:
    try:
        return dt.datetime.strptime(text, "%Y/%m/%d").date().strftime("%Y/%m/%d") == text  # noqa: DTZ007
    except ValueError:
        return False
