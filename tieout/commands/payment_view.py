"""Payments and statuses for ``tieout parse``: as JSON rows with the codes' texts, and as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from parsers import Parsed
from tieout import owned_rows
from tieout.reasons import RETURN_REASONS, STATUS_TEXTS

__all__ = ["kinds", "rows", "show", "told"]

Row = dict[str, Any]

#: Column of the table for people: heading, where it stands in a row.
_PAYMENTS: Final = (
    ("message", "message_id"), ("payment info", "payment_info_id"), ("end to end", "end_to_end_id"),
    ("creditor", "creditor_name"), ("account", "creditor_account"), ("day", "requested_on"),
    ("amount", "amount"), ("", "currency"), ("state", "incomplete"),
)  # fmt: skip
_STATUSES: Final = (
    ("level", "level"), ("message", "message_id"), ("payment info", "payment_info_id"),
    ("end to end", "end_to_end_id"), ("amount", "original_amount"), ("", "original_currency"),
    ("status", "status"), ("reason", "reason"), ("more", "additional_info"),
)  # fmt: skip
_COLUMNS: Final = {"payments": _PAYMENTS, "statuses": _STATUSES}
_FORMATS: Final = {"payments": "pain.001", "statuses": "pain.002"}


def kinds(exact: str | None) -> list[str]:
    """Which of ``payments`` and ``statuses`` a file of this format has beside its statements."""
    return [kind for kind, family in _FORMATS.items() if (exact or "").startswith(family)]


def rows(parsed: Parsed, plain: Callable[[Row], Row]) -> dict[str, list[Row]]:
    """The file's payments or statuses, made plain, with the texts of their codes."""
    found: dict[str, list[Row]] = {}
    for kind in kinds(parsed.format):
        found[kind] = list(told(getattr(parsed.tables, kind), plain))
    return found


def told(table: pa.Table, plain: Callable[[Row], Row]) -> Iterator[Row]:
    """Payments or statuses (rows of their tables), made plain, with the texts of their codes."""
    return (_told(plain(row)) for row in owned_rows.rows(table))


def _told(row: Row) -> Row:
    if "status" not in row:
        return row
    return row | {
        "status_text": STATUS_TEXTS.get(row["status"]),
        "reason_text": RETURN_REASONS.get(row["reason"]),
    }


def show(
    kind: str, title: str, found: Sequence[Mapping[str, Any]], safe: Callable[..., str]
) -> Any:
    """A table for the terminal.

    Args:
        kind: ``payments`` or ``statuses``.
        title: the file and its format.
        found: rows as `rows` gives them.
        safe: makes bank text fit for a terminal.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(safe(title)), title_justify="left")
    for heading, name in _COLUMNS[kind]:
        table.add_column(heading, justify="right" if "amount" in name else "left")
    for row in found:
        table.add_row(*(Text(safe(_cell(name, row))) for _, name in _COLUMNS[kind]))
    return table


def _cell(name: str, row: Mapping[str, Any]) -> str:
    value = row[name]
    if name == "incomplete":
        return "incomplete" if value else "read"
    if name == "status" and value is None and row["inherits"]:
        return f"(as its {str(row['inherits']).replace('_', ' ')})"
    if name == "level":
        return str(value).replace("_", " ")
    text = row.get(f"{name}_text")
    if isinstance(value, list):
        return " ".join(value)
    if value is None:
        return ""
    return f"{value}: {text}" if text else str(value)
