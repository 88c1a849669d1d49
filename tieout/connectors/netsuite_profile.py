"""What ``mappings/erp/netsuite.toml`` says, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from tieout.connectors.http_wire import Timeouts
from tieout.connectors.netsuite_masters import DIMENSIONS
from tieout.errors import ProfileError
from tieout.profiles import allow_keys

__all__ = ["CashBook", "Posting", "cash_book_of", "check", "posting_of", "timeouts_of"]

_FILE: Final = "mappings/erp/netsuite.toml"
_SECTIONS: Final[dict[str, tuple[str, ...]]] = {
    "cash_book": ("lines", "page_size", "text"),
    "company": ("code", "currency", "subsidiary"),
    "dimensions": ("by_account", "cost_center"),
    "erp": ("name", "vendor"),
    "posting": ("approve", "clearing_account", "key_hours", "queue_minutes", "way"),
    "timeouts": ("connect", "read", "total"),
}
#: What others read: purposes and patterns, and what the gate to the system keeps to.
_FREE: Final = (
    "accounts",
    "expense_categories",
    "journals",
    "maintenance",
    "references",
    "traffic",
)
_PARTS: Final = ("document_no", "payment_batch_id", "end_to_end_id", "narrative")
_WAYS: Final = ("async", "create", "upsert")

Way = Literal["async", "create", "upsert"]


@dataclass(frozen=True, slots=True)
class Posting:
    """How documents are created; times are what class B and D assume."""

    way: Way
    approve: bool
    clearing_account: str
    key_hours: int
    queue_minutes: int


@dataclass(frozen=True, slots=True)
class CashBook:
    """How the cash book is read; ``uncleared`` leaves out what NetSuite has reconciled."""

    text: re.Pattern[str]
    page_size: int
    uncleared: bool


def check(mapping: Mapping[str, Any]) -> None:
    """Every key is one we know.

    Raises:
        ProfileError: with the nearest key there is.
    """
    allow_keys(mapping, (*_SECTIONS, *_FREE), _FILE)
    for section, keys in _SECTIONS.items():
        found = mapping.get(section, {})
        if not isinstance(found, Mapping):
            raise _wrong(section, "", found, ["a table"])
        allow_keys(found, keys, f"{_FILE} [{section}]")
    _texts("journals", mapping.get("journals", {}))
    _texts("expense_categories", mapping.get("expense_categories", {}))
    _texts("dimensions.by_account", mapping.get("dimensions", {}).get("by_account", {}))
    dimension = mapping.get("dimensions", {}).get("cost_center", "department")
    if dimension not in DIMENSIONS:
        raise _wrong("dimensions", "cost_center", dimension, sorted(DIMENSIONS))


def _texts(section: str, found: object) -> None:
    """A table of texts: internal ids are written in quotes, as NetSuite gives them."""
    if not isinstance(found, Mapping):
        raise _wrong(section, "", found, ["a table"])
    for key, value in found.items():
        if not isinstance(value, str):
            raise _wrong(section, key, value, ["a text in quotes"])


def timeouts_of(mapping: Mapping[str, Any]) -> Timeouts:
    """The bounds of a request."""
    return Timeouts(**mapping.get("timeouts", {}))


def posting_of(mapping: Mapping[str, Any]) -> Posting:
    """The section ``[posting]``; `ProfileError` for a way or a time that is none."""
    found = mapping.get("posting", {})
    way = found.get("way", "create")
    if way not in _WAYS:
        raise _wrong("posting", "way", way, _WAYS)
    times = {
        "key_hours": found.get("key_hours", 12),
        "queue_minutes": found.get("queue_minutes", 60),
    }
    for name, value in times.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise _wrong("posting", name, value, ["a whole number from 1 on"])
    approve = found.get("approve", False)
    if not isinstance(approve, bool):
        raise _wrong("posting", "approve", approve, ["true", "false"])
    return Posting(way, approve, str(found.get("clearing_account", "")), **times)


def cash_book_of(mapping: Mapping[str, Any]) -> CashBook:
    """The section ``[cash_book]``; `ProfileError` for a pattern that is none."""
    found = mapping.get("cash_book", {})
    where = f"{_FILE} [cash_book] text"
    try:
        pattern = re.compile(str(found.get("text", "(?P<narrative>.*)")), re.DOTALL)
    except re.error as error:
        raise ProfileError("PROFILE_PATTERN", f"{error}", where=where) from error
    allow_keys(pattern.groupindex, _PARTS, where)
    lines = found.get("lines", "all")
    if lines not in ("all", "uncleared"):
        raise _wrong("cash_book", "lines", lines, ["all", "uncleared"])
    size = found.get("page_size", 1_000)
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 1_000:
        raise _wrong("cash_book", "page_size", size, ["1 to 1000"])
    return CashBook(pattern, size, lines == "uncleared")


def _wrong(section: str, key: str, value: object, allowed: Any) -> ProfileError:
    return ProfileError(
        "PROFILE_VALUE",
        f"{value!r} is not allowed",
        where=f"{_FILE} [{section}] {key}".rstrip(),
        remedy=f"use {' or '.join(allowed)}",
    )
