"""Ledger exports (CSV) into canonical items, by a profile or by columns named on the command line.

A profile (``mappings/books/NAME.toml``) names, for each canonical column, the headers it may have;
the profile whose headers fit a file best is taken. Delimiter, decimal mark and date form are taken
from the profile, or found from the whole column and refused where two readings are possible:
``03/04/2026`` alone says neither March nor April.

Amounts are signed as the bank will show them: money in is positive. An export with debit and
credit columns of the bank's own account has money in on the debit side.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from tieout import books_cells, profiles
from tieout.canonical import ITEMS, table
from tieout.errors import InputError, ProfileError
from tieout.identity import content_id

__all__ = ["FIELDS", "Books", "check_profile", "read"]

FIELDS: Final = (
    "booked_on",
    "amount",
    "debit",
    "credit",
    "currency",
    "account_id",
    "document_no",
    "reference",
    "payment_batch_id",
    "end_to_end_id",
    "counterparty_name",
    "counterparty_account",
    "narrative",
    "due_on",
)
_TEXTS: Final = tuple(f for f in FIELDS[5:13] if f != "reference")
_DELIMITERS: Final = (";", ",", "\t", "|")
_HEADER_LINES: Final = 20


@dataclass(frozen=True, slots=True)
class Books:
    """A ledger export: canonical ``items``, the line of each, and the profile that read it."""

    items: pa.Table
    lines: tuple[int, ...]
    profile: str


@dataclass(frozen=True, slots=True)
class _Profile:
    name: str
    columns: Mapping[str, tuple[str, ...]]
    delimiter: str
    decimal: str
    dates: tuple[str, ...]


def read(
    path: Path,
    *,
    profile: str | None = None,
    columns: Mapping[str, str] | None = None,
    date_form: str | None = None,
) -> Books:
    """Read a ledger export.

    Args:
        path: the CSV file, UTF-8 or Windows-1252.
        profile: name of the profile; None finds it by the header.
        columns: canonical column to header, where named by hand; they go before the profile's.
        date_form: how dates are written (``%d/%m/%Y``), where it cannot be found.

    Raises:
        InputError: names the line and the column.
        ProfileError: the profile is missing or wrong.
    """
    named = dict(columns or {})
    _check_names(named)
    text = _text(path)
    found = [_profile(n, c) for n, c in profiles.load_all("books")]
    if profile is not None:
        where = profiles.mappings_dir() / "books" / f"{profile}.toml"
        found = [_profile(profile, profiles.load(where))]
    if date_form:
        found = [_Profile(p.name, p.columns, p.delimiter, p.decimal, (date_form,)) for p in found]
    chosen, first, rows, places = _choose(path, text, found, named)
    return _items(path, chosen, first, rows, places)


def _check_names(named: Mapping[str, str]) -> None:
    for name in named:
        if name not in FIELDS:
            near = difflib.get_close_matches(name, FIELDS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "known: " + ", ".join(FIELDS)
            raise InputError("COLUMN_NAME", f"unknown column {name!r}", remedy=hint)


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(
            "FILE_UNREADABLE", error.strerror or "cannot be opened", where=str(path)
        ) from None
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(
        "FILE_ENCODING",
        "neither UTF-8 nor Windows-1252",
        where=str(path),
        remedy="export it as CSV UTF-8",
    )


def _profile(name: str, content: Mapping[str, Any]) -> _Profile:
    where = f"books/{name}.toml"
    profiles.allow_keys(content, ("title", "delimiter", "decimal", "date", "columns"), where)
    columns = profiles.require(content, "columns", dict, where)
    profiles.allow_keys(columns, FIELDS, f"{where} [columns]")
    heads = {k: tuple([v] if isinstance(v, str) else v) for k, v in columns.items()}
    decimal = content.get("decimal", "")
    if decimal not in ("", ".", ","):
        raise ProfileError(
            "PROFILE_VALUE", f"decimal is {decimal!r}", where=where, remedy='give "." or ","'
        )
    dates = (content["date"],) if content.get("date") else books_cells.DATE_FORMS
    return _Profile(name, heads, content.get("delimiter", ""), decimal, dates)


def check_profile(name: str, content: Mapping[str, Any]) -> None:
    """Check one profile of ``mappings/books``.

    Raises:
        ProfileError: names the key and its nearest right one.
    """
    _profile(name, content)


def _plain(header: str) -> str:
    return re.sub(r"[\W_]+", "", header).casefold()


def _choose(
    path: Path, text: str, found: Sequence[_Profile], named: Mapping[str, str]
) -> tuple[_Profile, int, list[tuple[int, list[str]]], dict[str, int]]:
    """The best fitting profile, the header's line, the rows below it and each column's place."""
    best: tuple[int, _Profile, int, list[tuple[int, list[str]]], dict[str, int]] | None = None
    nearest: list[str] = []
    for profile in found:
        marks = [profile.delimiter] if profile.delimiter else _DELIMITERS
        for mark in marks:
            rows = _rows(text, mark)
            for index, (line, cells) in enumerate(rows[:_HEADER_LINES]):
                places = _places(cells, profile, named)
                if len(cells) > len(nearest):
                    nearest = cells
                enough = "booked_on" in places and ("amount" in places or "debit" in places)
                if enough and (best is None or len(places) > best[0]):
                    best = (len(places), profile, line, rows[index + 1 :], places)
    if best is None:
        raise InputError(
            "HEADER_UNKNOWN",
            "no line has both a date and an amount column; the header seems to be "
            + ", ".join(repr(cell) for cell in nearest[:12]),
            where=str(path),
            remedy="name them: --columns booked_on=COLUMN amount=COLUMN document_no=COLUMN",
        )
    for name, header in named.items():
        if name not in best[4]:
            raise InputError(
                "COLUMN_MISSING",
                f"there is no column {header!r}",
                where=f"{path} line {best[2]}",
                remedy="the header has " + ", ".join(repr(c) for c in nearest[:12]),
            )
    return best[1:]


def _rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows, line = [], 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((line, [cell.strip() for cell in cells]))
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError("CSV_BROKEN", str(error), where=f"line {line}") from None
    return rows


def _places(cells: list[str], profile: _Profile, named: Mapping[str, str]) -> dict[str, int]:
    heads = {_plain(cell): place for place, cell in reversed(list(enumerate(cells))) if cell}
    places: dict[str, int] = {}
    for field in FIELDS:
        wanted = (named[field],) if field in named else profile.columns.get(field, ())
        for header in wanted:
            if _plain(header) in heads:
                places[field] = heads[_plain(header)]
                break
    if "amount" in named:
        places.pop("debit", None)
        places.pop("credit", None)
    elif "debit" in places and "credit" in places:
        places.pop("amount", None)
    return places


def _items(
    path: Path,
    profile: _Profile,
    header_line: int,
    rows: list[tuple[int, list[str]]],
    places: dict[str, int],
) -> Books:
    width = max(places.values()) + 1
    bad = [f"line {line}: {len(cells)} cells" for line, cells in rows if len(cells) < width]
    if bad:
        raise books_cells.refusal(
            path, "ROW_SHORT", bad, f"the header on line {header_line} has more"
        )
    dates = {
        field: books_cells.dates(
            path, profile.dates, field, [(n, c[places[field]]) for n, c in rows]
        )
        for field in ("booked_on", "due_on")
        if field in places
    }
    amounts = books_cells.amounts(path, profile.decimal, rows, places)
    made, lines, seen = [], [], Counter[str]()
    for index, (line, cells) in enumerate(rows):
        row: dict[str, Any] = {f: cells[places[f]] or None for f in _TEXTS if f in places}
        row["amount"] = row["open_amount"] = amounts[index]
        row.update({field: values[index] for field, values in dates.items()})
        if "reference" in places and cells[places["reference"]]:
            row["reference"] = [cells[places["reference"]]]
        row["currency"] = books_cells.currency(path, line, cells, places)
        raw = content_id("item", *cells)
        seen[raw] += 1
        row |= {"item_id": content_id(raw, seen[raw]), "kind": "cash_book", "source": path.name}
        made.append(row)
        lines.append(line)
    return Books(table(made, ITEMS), tuple(lines), profile.name)
