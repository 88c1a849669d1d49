"""Fields of BAI2 records: amounts, dates, times, funds types, summary groups."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final, NamedTuple

from parsers._bai_codes import DIRECTIONS
from parsers._bai_records import Record
from parsers._mt_entry import short_date
from tieout.errors import MoneyError
from tieout.money import parse_amount

__all__ = ["Detail", "Summary", "amount", "day", "detail", "instant", "summaries"]

#: Funds types without further fields: immediate, one day, two days, unknown, not stated.
_SIMPLE: Final = frozenset({"", "0", "1", "2", "Z"})
#: Value date and time; amounts at once, after one day, and later.
_FURTHER: Final = {"V": 2, "S": 3}
#: Sign before or behind, zeros to fill the field.
_AMOUNT = re.compile(r"\s*+([+-]?)\s*+(\d+(?:\.\d*)?)([+-]?)\s*+", re.ASCII)
_TIME = re.compile(r"(\d\d):?(\d\d)(?::?(\d\d))?", re.ASCII)
_LAST: Final = time(23, 59, 59)
_DISTRIBUTIONS_MAX: Final = 10_000


class Summary(NamedTuple):
    """One group of an 03 record; value is None where the bank names a code and gives no amount."""

    code: str
    value: Decimal | None
    items: int | None


#: A 16 record taken apart: type, amount, funds type, value date, bank and customer reference, text,
#: and whether the standard has the funds type.
Detail = tuple[str, str, str, str, str, str, str, bool]


def amount(text: str) -> Decimal | None:
    """An amount as written, signed, zero-padded or not; None where it is not one.

    >>> amount("+00000004060801"), amount("-3500"), amount("12.50"), amount("1E9")
    (Decimal('4060801'), Decimal('-3500'), Decimal('12.50'), None)
    """
    if len(text) > 18 or not text.isdigit():
        found = _AMOUNT.fullmatch(text) if len(text) <= 64 else None
        if found is None or (found[1] and found[3]):
            return None
        digits = found[2].lstrip("0")
        digits = digits if digits[:1].isdigit() else f"0{digits}"
        text = ("-" if "-" in (found[1], found[3]) else "") + digits
    try:
        return parse_amount(text)
    except MoneyError:
        return None


def day(text: str) -> date | None:
    """YYMMDD, or YYYYMMDD as some banks write, or None where there is no such day.

    >>> day("261120"), day("20261120"), day("260230"), day("")
    (datetime.date(2026, 11, 20), datetime.date(2026, 11, 20), None, None)
    """
    if not (text.isascii() and text.isdigit()):
        return None
    if len(text) == 6:
        return short_date(text)
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:])) if len(text) == 8 else None
    except ValueError:
        return None


def instant(on: date | None, text: str) -> datetime | None:
    """A day and a time; 2400 and 9999 are the day's end, and so is no time.

    >>> str(instant(date(2026, 11, 20), "0815")), str(instant(date(2026, 11, 20), "2400"))
    ('2026-11-20 08:15:00+00:00', '2026-11-20 23:59:59+00:00')
    """
    if on is None:
        return None
    found = _TIME.fullmatch(text)
    hour, minute, second = (int(found[i] or 0) for i in (1, 2, 3)) if found else (24, 0, 0)
    clock = time(hour, minute, min(second, 59)) if hour < 24 and minute < 60 else _LAST
    return datetime.combine(on, clock, UTC)


def _availability(fields: Sequence[str], at: int) -> int | None:
    """How many fields belong to the funds type at this place; None where they are not all there."""
    funds = fields[at].upper()
    if funds == "S":
        return 3
    if funds == "V":
        return 2
    if funds == "D":
        count = fields[at + 1] if at + 1 < len(fields) else ""
        if not (count.isascii() and count.isdigit()) or int(count[:9]) > _DISTRIBUTIONS_MAX:
            return None
        return 1 + 2 * int(count)
    return 0


def summaries(record: Record) -> list[Summary] | None:
    """The summary groups of an 03 record; None where they cannot be told apart.

    ``,/`` before a continuation is an empty field by the standard and only an end for some banks:
    the reading that fits is taken, the standard's first.
    """
    found = _groups(record.fields()[2:])
    if found is None and record.rest:
        return _groups(record.fields(comma_ends=True)[2:])
    return found


def _groups(fields: list[str]) -> list[Summary] | None:
    found: list[Summary] = []
    at, end = 0, len(fields)
    while at < end:
        if not fields[at]:  # an end written as a comma, or a group left blank
            at += 1
            continue
        code, raw, items, funds = [*fields[at : at + 4], "", "", ""][:4]
        value = amount(raw) if raw else None
        if code not in DIRECTIONS or (raw and value is None):
            return None
        if items and not (items.isascii() and items.isdigit() and raw and len(items) < 19):
            return None
        if funds.upper() not in _SIMPLE and funds.upper() not in ("S", "V", "D"):
            return None
        more = _availability(fields, at + 3) if funds else 0
        if more is None or (funds.upper() != "V" and at + 4 + more > max(end, at + 4)):
            return None
        found.append(Summary(code, value, int(items) if items else None))
        at += 4 + more
    return found


def detail(record: Record) -> Detail | None:
    """The fields of a 16 record; None where its funds type asks for fields that are not there."""
    fields = record.first.split(",", 5)
    more = _FURTHER.get(fields[2], 0) if len(fields) > 5 else None
    if more:
        fields = record.first.split(",", 5 + more)
    if more is None or len(fields) < 6 + more or fields[0] not in DIRECTIONS:
        return _long_detail(record)
    code, money, funds = fields[:3]
    if not more and funds not in _SIMPLE:
        return _long_detail(record)
    text = _text(fields[-1], record, 0) if record.rest else fields[-1].strip()
    value_date = fields[3].strip() if funds == "V" else ""
    return code, money, funds, value_date, fields[-3], fields[-2], text, True


def _long_detail(record: Record) -> Detail | None:
    """Any 16 record: continuations are taken as fields until the text begins."""
    fields, used = record.first.split(","), 0
    while True:
        funds = fields[2].strip().upper() if len(fields) > 2 else ""
        more = _availability([f.strip() for f in fields[:4]], 2) if funds else 0
        if more is None and (funds != "D" or len(fields) > 3):
            return None
        text_at = 5 + (more or 0)
        if more is not None and len(fields) > text_at:
            break
        if used == len(record.rest):
            if more is None:
                return None
            fields += [""] * (text_at + 1 - len(fields))
            break
        part, _, coded = record.rest[used]
        if not coded:
            part = fields.pop() + part
        fields += part.split(",")
        used += 1
    head = [value.strip() for value in fields[:text_at]]
    text = _text(",".join(fields[text_at:]), record, used)
    known = funds in _SIMPLE or funds in ("S", "V", "D")
    dated = head[3] if funds == "V" else ""
    return head[0], head[1], funds, dated, head[-2], head[-1], text, known


def _text(text: str, record: Record, used: int) -> str:
    """Text with the continuations that follow: lines, but no break where a full one was cut."""
    pieces = [text]
    for part, glue, _ in record.rest[used:]:
        if glue:
            pieces[-1] = pieces[-1].rstrip()
            part = part.strip()
        pieces += (glue, part)
    return "".join(pieces).strip()
