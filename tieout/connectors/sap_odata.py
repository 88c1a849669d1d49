"""OData V2 values as SAP writes them, and the filters to ask for them.

>>> day("/Date(1795132800000)/")
datetime.date(2026, 11, 20)
>>> same("CompanyCode", "1010") + " and " + code("GLAccount", "65100000")
"CompanyCode eq '1010' and (GLAccount eq '65100000' or GLAccount eq '0065100000')"
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

__all__ = [
    "Row",
    "after",
    "any_of",
    "code",
    "day",
    "from_day",
    "instant",
    "number",
    "padded",
    "parts",
    "plain",
    "same",
    "until",
]

Row = dict[str, Any]
_DATE: Final = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{1,4})?\)/", re.ASCII)
#: Filters of about a hundred characters that fit into one address.
_AT_ONCE: Final = 20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER: Final = re.compile(r"-?\d{1,24}(?:\.\d{1,14})?", re.ASCII)


def plain(value: object) -> str:
    """A code without leading zeros: OData shows ``65100000`` where SOAP says ``0065100000``."""
    text = str(value)
    return text.lstrip("0") if text.isdigit() else text


def padded(value: str) -> str:
    """A code of digits filled up to the ten places it has inside SAP."""
    return value.zfill(10) if value.isascii() and value.isdigit() else value


def instant(value: object) -> datetime | None:
    """``/Date(ms)/`` as an instant; None for no value.

    Raises:
        ValueError: it is something else.
    """
    if value is None or value == "":
        return None
    found = _DATE.fullmatch(str(value))
    if found is None:
        raise ValueError(f"no date of OData V2: {str(value)[:40]!r}")
    return _EPOCH + timedelta(milliseconds=int(found[1]))


def day(value: object) -> date | None:
    """``/Date(ms)/`` as a day: SAP sends midnight UTC of it."""
    at = instant(value)
    return at.date() if at is not None else None


def number(value: object) -> Decimal:
    """A decimal, which OData V2 writes as text.

    Raises:
        ValueError: it is something else.
    """
    text = str(value)
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"no decimal: {text[:40]!r}")
    return Decimal(text)


def same(name: str, value: str) -> str:
    """``name eq 'value'``; a quote in the value is doubled."""
    quoted = value.replace("'", "''")
    return f"{name} eq '{quoted}'"


def any_of(*filters: str) -> str:
    """Any of some filters, in brackets."""
    return f"({' or '.join(filters)})"


def parts(filters: Sequence[str]) -> Iterator[str]:
    """Any of some filters, a few at a time: an address has no room for hundreds."""
    for start in range(0, len(filters), _AT_ONCE):
        yield any_of(*filters[start : start + _AT_ONCE])


def code(name: str, value: str) -> str:
    """A code in either of its forms, with leading zeros and without."""
    forms = sorted({plain(value), padded(value)}, key=len)
    return any_of(*(same(name, form) for form in forms))


def after(name: str, on: date) -> str:
    """Later than a day."""
    return f"{name} gt datetime'{on.isoformat()}T00:00:00'"


def from_day(name: str, on: date) -> str:
    """On a day or later."""
    return f"{name} ge datetime'{on.isoformat()}T00:00:00'"


def until(name: str, on: date) -> str:
    """On a day or earlier."""
    return f"{name} le datetime'{on.isoformat()}T00:00:00'"
